use super::leg::{Beat, Pacing};
use super::{MediaThread, Turn};
use clock::{Duration, Time};
use rtp::control::StreamId;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A beat that is later than this is not made up for: the sound goes on from now.
const CATCH_UP: Duration = Duration::from_millis(60);

/// When which stream sends its next packet of its own.
#[derive(Debug, Default)]
pub(super) struct Pacer {
    beats: BinaryHeap<Reverse<(Time, StreamId)>>,
}

impl Pacer {
    /// Makes room for one beat of each of so many streams, so that the packet path does not allocate.
    pub(super) fn reserve(&mut self, streams: usize) {
        self.beats.reserve(streams.saturating_sub(self.beats.len()));
    }

    /// Notes a beat. A stream has one at a time.
    pub(super) fn set(&mut self, at: Time, stream: StreamId) {
        self.beats.push(Reverse((at, stream)));
    }

    /// When the earliest beat is due.
    pub(super) fn next(&self) -> Option<Time> {
        self.beats.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes the earliest beat that is due.
    fn pop_due(&mut self, now: Time) -> Option<(Time, StreamId)> {
        if self.next()? > now {
            return None;
        }
        self.beats.pop().map(|Reverse(beat)| beat)
    }
}

impl MediaThread {
    /// Sends the packets of playbacks and digits that are due.
    pub(super) fn send_due(&mut self, now: Time) -> Turn {
        let mut turn = Turn::Quiet;
        while let Some((at, stream)) = self.pacer.pop_due(now) {
            let Some(slot) = self.legs.find(stream) else { continue };
            let Some(leg) = self.legs.get_mut(slot) else { continue };
            let mut beat = leg.beat(now, &mut self.around);
            if beat == Beat::Rest {
                beat = self.speak(now, slot);
            }
            match beat {
                Beat::Next(after) => {
                    turn = Turn::Busy;
                    let from = if now - at > CATCH_UP { now } else { at };
                    self.pacer.set(from + after, stream);
                }
                Beat::Rest => {
                    if let Some(leg) = self.legs.get_mut(slot) {
                        leg.pacing = Pacing::Resting;
                    }
                }
            }
        }
        turn
    }
}
