use clock::Time;
use std::time::Instant;

/// The engine's clock: one origin for all its threads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
}

impl Clock {
    /// A clock that begins now.
    pub(crate) fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// The moment that libraries know as this.
    pub(crate) fn instant(self, at: Time) -> Instant {
        self.origin + (at - Time::ZERO)
    }

    /// How long it has been running.
    pub(crate) fn now(self) -> Time {
        Time::ZERO + self.origin.elapsed()
    }
}
