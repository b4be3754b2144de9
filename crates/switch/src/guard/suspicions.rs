//! How much each source has offended lately.

use super::Source;
use clock::Time;
use std::collections::HashMap;

/// Sources of one generation. When it is full the one before is forgotten: whoever goes on offending is in the
/// newer one.
const GENERATION: usize = 8_192;

/// A source, and whether its offences are proven.
type Key = (Source, bool);

/// Points that fade by one a second.
#[derive(Debug, Default)]
pub(super) struct Suspicions {
    young: HashMap<Key, (u32, Time)>,
    old: HashMap<Key, (u32, Time)>,
}

impl Suspicions {
    /// Adds points, and gives the sum.
    pub(super) fn add(&mut self, now: Time, key: Key, points: u32) -> u32 {
        let before = self.young.get(&key).copied().or_else(|| self.old.remove(&key));
        let left = before.map_or(0, |(points, at)| {
            points.saturating_sub(u32::try_from((now - at).as_secs()).unwrap_or(u32::MAX))
        });
        // The fraction of a second since then must not be lost to whoever offends all the time.
        let at = before
            .filter(|_| left > 0)
            .map_or(now, |(_, at)| at + clock::Duration::from_secs((now - at).as_secs()));
        if self.young.len() >= GENERATION && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        let sum = left.saturating_add(points);
        self.young.insert(key, (sum, at));
        sum
    }

    /// Forgets a source's offences.
    pub(super) fn clear(&mut self, source: Source) {
        for proven in [false, true] {
            self.young.remove(&(source, proven));
            self.old.remove(&(source, proven));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_fade_and_the_table_is_bounded() {
        let mut suspicions = Suspicions::default();
        let key = (Source::V4(1), false);
        assert_eq!(suspicions.add(Time::from_millis(500), key, 10), 10);
        assert_eq!(suspicions.add(Time::from_millis(4_000), key, 10), 17);
        assert_eq!(suspicions.add(Time::from_millis(4_500), key, 10), 26, "the half second counts");
        for number in 2..40_000 {
            suspicions.add(Time::from_secs(5), (Source::V4(number), false), 1);
        }
        assert!(suspicions.young.len() <= GENERATION && suspicions.old.len() <= GENERATION);
        assert_eq!(suspicions.add(Time::from_secs(5), key, 10), 10);
    }
}
