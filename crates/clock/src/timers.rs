use crate::Time;
use std::collections::{BTreeMap, BTreeSet};

/// Deadlines by key: each key has at most one, `set` replaces it, and the earliest is a peek away.
///
/// Cancelling is exact, so a machine that ends leaves nothing behind; O(log n) each.
#[derive(Clone, Debug)]
pub struct Timers<K> {
    by_time: BTreeSet<(Time, K)>,
    by_key: BTreeMap<K, Time>,
}

impl<K: Ord + Copy> Timers<K> {
    /// No deadlines.
    pub fn new() -> Self {
        Self { by_time: BTreeSet::new(), by_key: BTreeMap::new() }
    }

    /// Sets or moves the deadline of `key`.
    pub fn set(&mut self, key: K, at: Time) {
        if let Some(old) = self.by_key.insert(key, at) {
            self.by_time.remove(&(old, key));
        }
        self.by_time.insert((at, key));
    }

    /// Forgets the deadline of `key`; whether there was one.
    pub fn cancel(&mut self, key: K) -> bool {
        match self.by_key.remove(&key) {
            Some(at) => self.by_time.remove(&(at, key)),
            None => false,
        }
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Time> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes the earliest key whose deadline is `now` or before.
    pub fn pop_due(&mut self, now: Time) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        let (_, key) = self.by_time.pop_first()?;
        self.by_key.remove(&key);
        Some(key)
    }

    /// The deadline of `key`.
    pub fn get(&self, key: K) -> Option<Time> {
        self.by_key.get(&key).copied()
    }

    /// How many deadlines are set.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }
}

impl<K: Ord + Copy> Default for Timers<K> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_deadline_and_the_earliest_comes_first() {
        let mut timers = Timers::new();
        timers.set('a', Time::from_secs(3));
        timers.set('b', Time::from_secs(2));
        timers.set('a', Time::from_secs(1));
        assert_eq!(timers.next(), Some(Time::from_secs(1)));
        assert_eq!(timers.pop_due(Time::ZERO), None);
        assert_eq!(timers.pop_due(Time::from_secs(2)), Some('a'));
        assert!(timers.cancel('b'));
        assert!(!timers.cancel('b'));
        assert!(timers.is_empty());
    }
}
