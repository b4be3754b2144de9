//! The web of the world: servers that are slow, fail, and at times say nothing.

use super::{Delivery, World};
use crate::dice::Dice;
use crate::vouch;
use clock::Duration;
use dialplan::HttpRequest;
use rand_chacha::ChaCha12Rng;
use std::sync::Arc;
use switch::HttpAnswer;

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
    /// Answers a request of a flow, some day; at times although nobody waits any more.
    pub(super) fn answer(&mut self, id: u64, request: &HttpRequest) -> Result<(), String> {
        if request.site.to_string() != "https://api.test" {
            return Err(format!("a request that no flow makes: {request}"));
        }
        self.asked.insert(id);
        if self.rng.chance(self.web.silent) {
            return Ok(());
        }
        let body = self.rng.pick(&["{\"to\":\"menu\"}", "{\"to\":7}", "{}", "nothing"]);
        let status = self.rng.pick(&[200, 200, 200, 404, 503]);
        let answer = match (self.rng.chance(self.web.fails), self.rng.chance(500)) {
            (true, true) => HttpAnswer::TimedOut,
            (true, false) => HttpAnswer::Failed("refused".to_owned()),
            (false, _) => HttpAnswer::Answered { status, body: body.into() },
        };
        let delay = self.rng.within(self.web.slowest);
        self.send(delay, Delivery::Http(id, answer));
        Ok(())
    }

    /// Nobody waits for a request any more; its answer may be under way all the same.
    pub(super) fn cancel(&mut self, id: u64) -> Result<(), String> {
        if !self.asked.contains(&id) {
            return Err(format!("the request {id} is cancelled, and was never made"));
        }
        if self.rng.chance(500) {
            self.in_flight.retain(|_, delivery| !matches!(delivery, Delivery::Http(of, _) if *of == id));
        }
        Ok(())
    }

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
