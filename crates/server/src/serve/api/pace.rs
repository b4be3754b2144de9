//! How fast one account, or one stranger, may ask: a bucket for each that is filled again as time passes.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Buckets that are kept; whoever comes beyond them waits until some are full again, and so forgotten.
const MOST: usize = 20_000;

/// The buckets of all who have asked lately.
pub(super) struct Pace<K> {
    /// Requests that may come at once.
    burst: u32,
    /// The time in which one more may come.
    each: Duration,
    /// When a bucket will be full again.
    full_at: Mutex<HashMap<K, Instant>>,
}

impl<K: Hash + Eq> Pace<K> {
    pub(super) fn new(burst: u32, each: Duration) -> Self {
        Self { burst, each, full_at: Mutex::default() }
    }

    /// Lets one more request through at that moment.
    ///
    /// # Errors
    /// In how many seconds it may come again, from 1.
    pub(super) fn take(&self, key: K, now: Instant) -> Result<(), u64> {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at.len() >= MOST && !full_at.contains_key(&key) {
            full_at.retain(|_, at| *at > now);
            if full_at.len() >= MOST {
                return Err(self.each.as_secs().max(1));
            }
        }
        let at = full_at.entry(key).or_insert(now);
        let filled = (*at).max(now) + self.each;
        let over = (filled - now).saturating_sub(self.each * self.burst);
        if over > Duration::ZERO {
            return Err(over.as_secs() + 1);
        }
        *at = filled;
        Ok(())
    }

    /// Gives back what a request has taken that does not count.
    pub(super) fn give_back(&self, key: &K) {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = full_at.get_mut(key) {
            *at = at.checked_sub(self.each).unwrap_or(*at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_goes_through_and_then_one_at_a_time() {
        let (pace, start) = (Pace::new(3, Duration::from_secs(10)), Instant::now());
        for _ in 0..3 {
            assert_eq!(pace.take("a", start), Ok(()));
        }
        assert_eq!(pace.take("a", start), Err(11));
        assert_eq!(pace.take("b", start), Ok(()), "each has its own");
        assert_eq!(pace.take("a", start + Duration::from_secs(9)), Err(2));
        assert_eq!(pace.take("a", start + Duration::from_secs(10)), Ok(()));
        assert_eq!(pace.take("a", start + Duration::from_secs(10)), Err(11));
        pace.give_back(&"a");
        assert_eq!(pace.take("a", start + Duration::from_secs(10)), Ok(()));
    }

    #[test]
    fn strangers_without_number_take_no_memory_without_end() {
        let (pace, start) = (Pace::new(1, Duration::from_secs(1)), Instant::now());
        for stranger in 0..MOST {
            assert_eq!(pace.take(stranger, start), Ok(()));
        }
        assert_eq!(pace.take(MOST, start), Err(1));
        assert_eq!(pace.take(MOST, start + Duration::from_secs(2)), Ok(()));
        assert_eq!(pace.full_at.lock().expect("whole").len(), 1);
    }
}
