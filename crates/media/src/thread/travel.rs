//! A stream goes to another thread with all that it has, since those who hear each other live on one.

use super::MediaThread;
use super::leg::{Leg, Tape};
use super::pace::Due;
use crate::recorder::Message;
use clock::Time;
use rtp::control::{Event, RecordingId, StreamId};
use rustix::event::epoll;

/// A stream on its way. What its party sends meanwhile waits in the socket.
#[derive(Debug)]
pub(crate) struct Traveller {
    leg: Box<Leg>,
    /// What the writer of recordings had no room for yet.
    held: Vec<Message>,
}

impl MediaThread {
    /// Lets a stream go; `None` if it is gone already. It leaves its bridge or its room; what is played to it and
    /// recorded of it goes with it.
    pub(super) fn depart(&mut self, stream: StreamId) -> Option<Box<Traveller>> {
        self.unbridge(stream);
        self.leave(stream);
        let mut leg = self.legs.remove(stream)?;
        self.pacer.forget(Due::Stream(stream));
        leg.depart();
        let recordings: Vec<RecordingId> = leg.recordings.iter().map(|tape| tape.recording).collect();
        for recording in &recordings {
            self.recordings.remove(recording);
        }
        for socket in [Some(leg.socket()), leg.feedback.socket()].into_iter().flatten() {
            // It fails only for what is not watched.
            let _watched = epoll::delete(&self.epoll, socket);
        }
        let held = self.around.recorder.take_held(&recordings);
        Some(Box::new(Traveller { leg, held }))
    }

    /// Takes a stream in.
    pub(super) fn arrive(&mut self, now: Time, Traveller { mut leg, held }: Traveller) {
        let (slot, stream) = (self.legs.next(), leg.id);
        let data = epoll::EventData::new_u64(slot as u64);
        if let Err(error) = epoll::add(&self.epoll, leg.socket(), data, epoll::EventFlags::IN) {
            self.around.tell(Event::Alarm(format!("stream {} cannot receive: {error}", stream.0)));
        }
        self.around.recorder.hold(held);
        for Tape { recording, .. } in &leg.recordings {
            self.recordings.insert(*recording, stream);
        }
        leg.arrive(&self.around);
        self.legs.insert(leg);
        self.watch_rtcp_again(slot);
        self.pacer.reserve(self.legs.len() + self.rooms.len());
        self.wake(now, stream);
    }
}
