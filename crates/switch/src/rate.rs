//! Token buckets, each one number: the generic cell rate algorithm.

use clock::{Duration, Time};

/// So many a second for ever, and so many at once after a pause.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) per_second: u32,
    pub(crate) burst: u32,
}

impl Limit {
    pub(crate) const fn times(self, factor: u32) -> Self {
        Self { per_second: self.per_second * factor, burst: self.burst * factor }
    }
}

/// A bucket: when it will be full again.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bucket(Time);

impl Bucket {
    /// Takes one token, if there is one.
    pub(crate) fn take(&mut self, now: Time, limit: Limit) -> bool {
        let after = self.after(now, limit);
        if let Some(after) = after {
            *self = after;
        }
        after.is_some()
    }

    /// The bucket without one of its tokens, if it has one.
    pub(crate) fn after(self, now: Time, limit: Limit) -> Option<Self> {
        let interval = Duration::from_micros(1_000_000 / u64::from(limit.per_second.max(1)));
        let full = self.0.max(now) + interval;
        (full - now <= interval * limit.burst.max(1)).then_some(Self(full))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_a_burst_and_then_its_rate() {
        let (mut bucket, limit) = (Bucket::default(), Limit { per_second: 10, burst: 5 });
        let taken = |bucket: &mut Bucket, now| (0..100).filter(|_| bucket.take(now, limit)).count();
        assert_eq!(taken(&mut bucket, Time::from_secs(1)), 5);
        assert_eq!(taken(&mut bucket, Time::from_millis(1_099)), 0);
        assert_eq!(taken(&mut bucket, Time::from_millis(1_200)), 2);
        assert_eq!(taken(&mut bucket, Time::from_secs(60)), 5, "no more than a burst is saved up");
    }
}
