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

    /// How long it has been running.
    pub(crate) fn now(self) -> Time {
        Time::ZERO + self.origin.elapsed()
    }
}
