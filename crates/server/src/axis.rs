use clock::{Duration, Time};
use std::time::Instant;

/// The log's time axis in this process: where the log stood when the process began, and a monotonic clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis {
    base: Time,
    started: Instant,
}

impl Axis {
    /// Goes on from `base`, which is now.
    pub(crate) fn starting_at(base: Time) -> Self {
        Self { base, started: Instant::now() }
    }

    /// Now, on the log's axis.
    pub(crate) fn now(&self) -> Time {
        self.base + self.started.elapsed()
    }

    /// How long until `at`; zero if it has passed.
    pub(crate) fn until(&self, at: Time) -> Duration {
        at.since(self.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_on_from_where_the_log_stood() {
        let axis = Axis::starting_at(Time::from_secs(100));
        let now = axis.now();
        assert!(now >= Time::from_secs(100) && now < Time::from_secs(160), "{now}");
        assert_eq!(axis.until(Time::ZERO), Duration::ZERO);
        assert!(axis.until(Time::from_secs(1_000)) > Duration::from_secs(800));
    }
}
