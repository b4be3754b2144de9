use super::leg::Leg;
use clock::Time;
use rtp::control::StreamId;
use std::collections::HashMap;

/// The streams of a thread, by a slot that stays theirs while they live, and by number.
#[derive(Debug, Default)]
pub(super) struct Slots {
    legs: Vec<Option<Box<Leg>>>,
    /// When the stream in a slot is to be looked after: at once, if anything came or went. Beside the streams, so that
    /// those that rest are not fetched from memory ten times a second.
    looks: Vec<Time>,
    free: Vec<usize>,
    by_id: HashMap<StreamId, usize>,
}

impl Slots {
    /// The slot that the next stream will have.
    pub(super) fn next(&self) -> usize {
        self.free.last().copied().unwrap_or(self.legs.len())
    }

    /// Puts a stream into [`Slots::next`].
    pub(super) fn insert(&mut self, leg: Box<Leg>) {
        let id = leg.id;
        let slot = match self.free.pop() {
            Some(slot) => {
                self.legs[slot] = Some(leg);
                self.looks[slot] = Time::ZERO;
                slot
            }
            None => {
                self.legs.push(Some(leg));
                self.looks.push(Time::ZERO);
                self.legs.len() - 1
            }
        };
        self.by_id.insert(id, slot);
    }

    /// Takes a stream out.
    pub(super) fn remove(&mut self, stream: StreamId) -> Option<Box<Leg>> {
        let slot = self.by_id.remove(&stream)?;
        self.free.push(slot);
        self.legs[slot].take()
    }

    /// Where a stream is.
    pub(super) fn find(&self, stream: StreamId) -> Option<usize> {
        self.by_id.get(&stream).copied()
    }

    /// The stream in a slot.
    pub(super) fn get(&self, slot: usize) -> Option<&Leg> {
        self.legs.get(slot)?.as_deref()
    }

    /// The stream in a slot, with which something is done: it is looked after once more.
    pub(super) fn get_mut(&mut self, slot: usize) -> Option<&mut Leg> {
        *self.looks.get_mut(slot)? = Time::ZERO;
        self.legs[slot].as_deref_mut()
    }

    /// The stream in a slot, if it is to be looked after.
    pub(super) fn due(&mut self, now: Time, slot: usize) -> Option<&mut Leg> {
        self.looks.get(slot).filter(|look| **look <= now)?;
        self.legs[slot].as_deref_mut()
    }

    /// The stream in a slot is to be looked after then, if nothing is done with it before.
    pub(super) fn look_again(&mut self, slot: usize, at: Time) {
        if let Some(look) = self.looks.get_mut(slot) {
            *look = at;
        }
    }

    /// A stream by its number.
    pub(super) fn by_id(&mut self, stream: StreamId) -> Option<&mut Leg> {
        let slot = self.find(stream)?;
        self.get_mut(slot)
    }

    /// All streams, in no order.
    pub(super) fn ids(&self) -> Vec<StreamId> {
        self.by_id.keys().copied().collect()
    }

    /// How many streams there are.
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// One more than the highest slot.
    pub(super) fn slots(&self) -> usize {
        self.legs.len()
    }
}
