//! Agents of one queue who are free and alike: of one tier and with the same skills.

use crate::plan::Strategy;
use clock::Time;
use std::collections::BTreeSet;

/// What a strategy goes by, for one agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) idle_since: Time,
    pub(crate) handled: u32,
    /// In microseconds.
    pub(crate) talked: u64,
}

/// The least is offered first: two figures of the strategy, and the place among the members.
pub(crate) type Key = (u64, u64, u32);

/// Who is free, so that the one whose turn it is is found in O(log n).
#[derive(Clone, Debug)]
pub(crate) enum Bucket {
    Ordered(BTreeSet<Key>),
    Drawn(Lots),
}

/// The key of an agent at that place.
pub(crate) fn key(strategy: Strategy, standing: Standing, place: u32) -> Key {
    let idle = standing.idle_since.micros();
    match strategy {
        Strategy::LongestIdle => (idle, 0, place),
        Strategy::FewestCalls => (u64::from(standing.handled), idle, place),
        Strategy::LeastTalk => (standing.talked, idle, place),
        Strategy::RingAll
        | Strategy::RingProgressive { .. }
        | Strategy::RoundRobin
        | Strategy::Linear
        | Strategy::TopDown
        | Strategy::Random
        | Strategy::Weighted => (0, 0, place),
    }
}

impl Bucket {
    /// Whether nobody is in it who could be offered anything.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Ordered(keys) => keys.is_empty(),
            Self::Drawn(lots) => lots.total() == 0,
        }
    }

    /// The key that comes first, of those whose place is after `after` if there are such; whether there are none.
    pub(crate) fn first(&self, after: Option<u32>) -> Option<(bool, Key)> {
        let Self::Ordered(keys) = self else {
            return None;
        };
        let later = after.map(|place| keys.range((0, 0, place.saturating_add(1))..).next());
        match later {
            Some(Some(key)) => Some((false, *key)),
            Some(None) => keys.first().map(|key| (true, *key)),
            None => keys.first().map(|key| (false, *key)),
        }
    }
}

/// Places with lots, of which one is drawn: a tree of sums (Fenwick 1994), O(log n) each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lots {
    /// The place of each, and the lots that it has now.
    slots: Vec<(u32, u32)>,
    sums: Vec<u64>,
}

impl Lots {
    /// One more place, without lots; its slot.
    pub(crate) fn add(&mut self, place: u32) -> usize {
        self.slots.push((place, 0));
        let end = self.slots.len();
        // The node at `end` covers as many slots as its lowest set bit says.
        let from = end - (end & end.wrapping_neg());
        let sum = self.slots[from..].iter().map(|(_, lots)| u64::from(*lots)).sum();
        self.sums.push(sum);
        end - 1
    }

    /// Gives the place in a slot so many lots.
    pub(crate) fn set(&mut self, slot: usize, lots: u32) {
        let old = std::mem::replace(&mut self.slots[slot].1, lots);
        let mut node = slot + 1;
        while node <= self.sums.len() {
            self.sums[node - 1] = self.sums[node - 1] + u64::from(lots) - u64::from(old);
            node += node & node.wrapping_neg();
        }
    }

    /// All lots.
    pub(crate) fn total(&self) -> u64 {
        let mut node = self.sums.len();
        let mut total = 0;
        while node > 0 {
            total += self.sums[node - 1];
            node -= node & node.wrapping_neg();
        }
        total
    }

    /// The place that has that lot, counted from 0.
    pub(crate) fn at(&self, mut lot: u64) -> Option<u32> {
        let mut node = 0;
        let mut step = self.sums.len().checked_ilog2().map_or(0, |log| 1 << log);
        while step > 0 {
            if let Some(sum) = self.sums.get(node + step - 1)
                && *sum <= lot
            {
                lot -= sum;
                node += step;
            }
            step /= 2;
        }
        self.slots.get(node).map(|(place, _)| *place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lot_is_that_of_its_place() {
        let mut lots = Lots::default();
        let weights = [3, 0, 1, 4, 1, 5, 9];
        for place in 0..7 {
            assert_eq!(lots.add(place * 10), place as usize);
        }
        for (slot, weight) in weights.iter().enumerate() {
            lots.set(slot, 7);
            lots.set(slot, *weight);
        }
        assert_eq!(lots.total(), 23);
        let drawn: Vec<u32> = (0..23).filter_map(|lot| lots.at(lot)).collect();
        let expected: Vec<u32> =
            (0..).zip(weights).flat_map(|(place, n)| std::iter::repeat_n(place * 10, n as usize)).collect();
        assert_eq!(drawn, expected);
        assert_eq!(lots.at(23), None);
    }
}
