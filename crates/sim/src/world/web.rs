//! The web of the world: places of certificates that are slow, fail, and at times say nothing.

use super::{Delivery, World};
use crate::dice::Dice;
use crate::vouch;
use clock::Duration;
use rand_chacha::ChaCha12Rng;
use std::sync::Arc;

/// How the web of a seed is.
#[derive(Clone, Debug)]
pub(super) struct Web {
    slowest: Duration,
    /// Chance that a place cannot be had, in thousandths.
    fails: u32,
    /// Chance that the shell never answers, in thousandths.
    silent: u32,
}

impl Web {
    pub(super) fn draw(rng: &mut ChaCha12Rng) -> Self {
        Self {
            slowest: rng.pick(&[Duration::from_millis(50), Duration::from_secs(1), Duration::from_secs(6)]),
            fails: rng.pick(&[0, 0, 300]),
            silent: rng.pick(&[0, 0, 0, 100]),
        }
    }
}

impl World {
    /// Finds what is at a place, some day.
    pub(super) fn fetch(&mut self, url: Arc<str>) {
        if self.rng.chance(self.web.silent) {
            return;
        }
        let fails = self.rng.chance(self.web.fails);
        let found = if fails { Err("502".to_owned()) } else { Ok(vouch::found(&url).into()) };
        let delay = self.rng.within(self.web.slowest);
        self.send(delay, Delivery::Certificate(url, found));
    }
}
