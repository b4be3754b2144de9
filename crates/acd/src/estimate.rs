//! How long a caller will wait yet: its position by the measured rate of hand-offs.

use crate::call::{Call, Told};
use crate::queue::Queue;
use clock::{Duration, Time};
use serde::{Deserialize, Serialize};

/// How many hand-offs are measured before anything is told.
const ENOUGH: u32 = 4;

/// A new hand-off weighs one in so many, once there were so many.
const MEMORY: u32 = 16;

/// How often callers are handed to agents while others wait.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Pace {
    /// The last hand-off, if somebody has waited ever since.
    last: Option<Time>,
    /// Of all agents together, the time that passes for one hand-off, in microseconds.
    mean: u64,
    measured: u32,
}

impl Pace {
    /// A caller was handed to one of so many agents; whether others wait yet.
    pub(crate) fn handed_off(&mut self, now: Time, staffed: u32, others: bool) {
        let last = std::mem::replace(&mut self.last, others.then_some(now));
        let Some(last) = last else {
            return;
        };
        let took = (now - last).as_micros().saturating_mul(u128::from(staffed.max(1)));
        let took = u64::try_from(took).unwrap_or(u64::MAX / 2);
        self.measured = self.measured.saturating_add(1).min(MEMORY);
        let weight = u64::from(self.measured);
        self.mean = self.mean - self.mean / weight + took / weight;
    }

    /// Nobody waits any more.
    pub(crate) fn pause(&mut self) {
        self.last = None;
    }

    /// How long the caller at a position waits yet. `None` is unknown.
    fn wait(self, position: u32, staffed: u32) -> Option<Duration> {
        if self.measured < ENOUGH {
            return None;
        }
        let each = self.mean.checked_div(u64::from(staffed))?;
        Some(Duration::from_micros(each.saturating_mul(u64::from(position))))
    }
}

impl Queue {
    /// How long a caller waits yet. It is no longer than what the caller was told before, unless its position has become
    /// worse or agents have gone since.
    pub(crate) fn estimate(&self, call: &Call, position: u32) -> Option<Duration> {
        let staffed = self.index.staffed;
        let wait = self.pace.wait(position, staffed)?;
        let before = call.told.filter(|told| position <= told.position && staffed >= told.staffed);
        Some(before.map_or(wait, |told| wait.min(told.estimate)))
    }

    /// The same, for a caller who is told now.
    pub(crate) fn tell(&self, call: &mut Call, position: u32) -> Option<Duration> {
        let estimate = self.estimate(call, position)?;
        call.told = Some(Told { estimate, position, staffed: self.index.staffed });
        Some(estimate)
    }
}
