//! A table whose values stay where they are.

use std::collections::HashMap;
use std::hash::Hash;

/// A hash table that holds each large value in a box of its own. When it grows it moves pointers alone, so that no
/// turn waits while megabytes are copied, and its empty places cost next to nothing.
#[derive(Debug)]
pub(crate) struct Steady<K, V>(HashMap<K, Box<V>>);

impl<K, V> Default for Steady<K, V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash, V> Steady<K, V> {
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.0.get(key).map(Box::as_ref)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0.get_mut(key).map(Box::as_mut)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.0.insert(key, Box::new(value));
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.0.remove(key).map(|value| *value)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.values_mut().map(Box::as_mut)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
