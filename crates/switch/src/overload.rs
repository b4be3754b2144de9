//! More load than the node can serve: what would begin something is turned away before it costs.

use clock::{Duration, Time};
use sip::{Message, Method};

/// How often the log says that it goes on.
const REMINDER: Duration = Duration::from_secs(60);
/// Over how many seconds those who were turned away are asked to come back, so that they do not come all at once.
const SPREAD: u64 = 10;

/// Whether the shell is behind, and what that has kept out.
#[derive(Debug, Default)]
pub(crate) struct Overload {
    is_on: bool,
    shed: u64,
    told: Option<Time>,
}

impl Overload {
    /// The shell has fallen behind, or has caught up; the alarm to raise, if it is time for one.
    pub(crate) fn set(&mut self, now: Time, is_on: bool) -> Option<String> {
        self.is_on = is_on;
        if !is_on || self.told.is_some_and(|at| now - at < REMINDER) {
            return None;
        }
        self.told = Some(now);
        Some(format!(
            "overload: more comes than the node can serve; calls up go on, new calls, registrations, subscriptions and texts get 503 \
             ({} so far)",
            self.shed
        ))
    }

    /// Whether the shell is behind.
    pub(crate) fn is_on(&self) -> bool {
        self.is_on
    }

    /// Whether a request from outside a dialog is turned away, which is counted: the seconds after which its sender may
    /// try again. OPTIONS costs little, and a trunk that gets 503 for it takes the node out of service.
    pub(crate) fn sheds(&mut self, request: &Message) -> Option<u64> {
        if !self.is_on || *request.method() == Method::Options {
            return None;
        }
        self.shed += 1;
        Some(1 + self.shed % SPREAD)
    }

    /// Requests that were turned away since the switch began.
    pub(crate) const fn shed(&self) -> u64 {
        self.shed
    }
}
