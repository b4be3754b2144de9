//! A user that has dialled the code of a transfer, and dials its target: how long the other party waits at most.

use clock::{Duration, Time};
use events::LegId;
use rtp::control::Event;

/// Who presses nothing is back with the party then.
const FIRST_KEY: Duration = Duration::from_secs(8);
/// After so long without a further key the target is complete.
const NEXT_KEY: Duration = Duration::from_secs(3);

/// A target that is being dialled.
#[derive(Debug)]
pub(super) struct Choice {
    by: LegId,
    waits: LegId,
    until: Time,
}

impl Choice {
    /// The leg that dials, and the one that hears music meanwhile.
    pub(super) fn new(at: Time, by: LegId, waits: LegId) -> Self {
        Self { by, waits, until: at + FIRST_KEY }
    }

    pub(super) fn waits(&self) -> LegId {
        self.waits
    }

    pub(super) fn is_of(&self, leg: LegId) -> bool {
        [self.by, self.waits].contains(&leg)
    }

    /// Notes a key of the user; `#` ends the target at once.
    pub(super) fn heard(&mut self, at: Time, told: &Event) {
        if let Event::Digit { stream, digit, .. } = told
            && stream.0 == self.by.0
        {
            self.until = if *digit == '#' { at } else { at + NEXT_KEY };
        }
    }

    /// Whether the transfer has to be under way by now, or the two have to be bridged again.
    pub(super) fn is_overdue(&self, now: Time) -> bool {
        now > self.until
    }
}
