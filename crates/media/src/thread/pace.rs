use super::leg::{Beat, Pacing};
use super::{MediaThread, Turn};
use clock::{Duration, Time};
use rtp::control::{RoomId, StreamId};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A beat that is later than this is not made up for: the sound goes on from now.
const CATCH_UP: Duration = Duration::from_millis(60);

/// What a beat is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// A stream's next packet of its own.
    Stream(StreamId),
    /// A room's next frame.
    Room(RoomId),
}

/// When what is due next.
#[derive(Debug, Default)]
pub(super) struct Pacer {
    beats: BinaryHeap<Reverse<(Time, Due)>>,
}

impl Pacer {
    /// Makes room for so many beats, so that the packet path does not allocate.
    pub(super) fn reserve(&mut self, beats: usize) {
        self.beats.reserve(beats.saturating_sub(self.beats.len()));
    }

    /// Notes a beat. Whatever has one has one at a time.
    pub(super) fn set(&mut self, at: Time, due: Due) {
        self.beats.push(Reverse((at, due)));
    }

    /// Forgets a beat.
    pub(super) fn forget(&mut self, due: Due) {
        self.beats.retain(|Reverse((_, other))| *other != due);
    }

    /// When the earliest beat is due.
    pub(super) fn next(&self) -> Option<Time> {
        self.beats.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes the earliest beat that is due.
    fn pop_due(&mut self, now: Time) -> Option<(Time, Due)> {
        if self.next()? > now {
            return None;
        }
        self.beats.pop().map(|Reverse(beat)| beat)
    }
}

impl MediaThread {
    /// Sends the packets of playbacks, digits, transcoded partners and rooms that are due.
    pub(super) fn send_due(&mut self, now: Time) -> Turn {
        let mut turn = Turn::Quiet;
        while let Some((at, due)) = self.pacer.pop_due(now) {
            let after = match due {
                Due::Stream(stream) => self.beat_stream(now, stream),
                Due::Room(room) => self.beat_room(now, room),
            };
            if let Some(after) = after {
                turn = Turn::Busy;
                let from = if now - at > CATCH_UP { now } else { at };
                self.pacer.set(from + after, due);
            }
        }
        turn
    }

    /// One beat of a stream; when the next is due, if it has one.
    fn beat_stream(&mut self, now: Time, stream: StreamId) -> Option<Duration> {
        let slot = self.legs.find(stream)?;
        let mut beat = self.legs.get_mut(slot)?.beat(now, &mut self.around);
        if beat == Beat::Rest {
            beat = self.speak(now, slot);
        }
        match beat {
            Beat::Next(after) => Some(after),
            Beat::Rest => {
                self.legs.get_mut(slot)?.pacing = Pacing::Resting;
                None
            }
        }
    }
}
