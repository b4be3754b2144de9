use super::leg::{Leg, Pacing, RECORDINGS, Tape};
use super::pace::Due;
use super::{MediaThread, relay::DATAGRAM};
use crate::playback::Playback;
use crate::prompts::{Audio, Ticket};
use clock::{Duration, Time};
use rtp::Codec;
use rtp::control::{Command, Event, Hush, LocalPort, PlayEnd, RecordingId, StreamId};
use rustix::event::epoll;
use std::io::ErrorKind;
use std::net::UdpSocket;
use std::path::PathBuf;

/// Datagrams that a port may have collected before its stream begins.
const STALE: usize = 256;

impl MediaThread {
    /// Carries a command out. One for a stream that is gone is ignored.
    pub(super) fn obey(&mut self, now: Time, command: Command) {
        match command {
            Command::Open { stream, local } => self.open(now, stream, local),
            Command::Setup { stream, setup } => {
                self.with(stream, |leg, around| leg.set_up(now, setup, around));
                if let Some(room) = self.legs.by_id(stream).and_then(|leg| leg.room) {
                    self.tune(room);
                }
                self.watch_rtcp(stream);
                self.wake(now, stream);
            }
            Command::Play { stream, play, files, times } => {
                let playback = Playback::new(play, files, times);
                self.with(stream, |leg, around| leg.play(playback, around));
                self.wake(now, stream);
            }
            Command::StopPlay { stream, play } => {
                self.with(stream, |leg, around| leg.stop_play(play, around));
            }
            Command::SendDigits { stream, digits } => {
                self.with(stream, |leg, around| leg.send_digits(&digits, around));
                self.wake(now, stream);
            }
            Command::KeepKeys { stream } => self.with(stream, |leg, _| leg.keep_keys()),
            Command::Bridge { a, b } => self.bridge(a, b),
            Command::Unbridge { stream } => self.unbridge(stream),
            Command::Join { room, stream, voice } => self.join(now, room, stream, voice),
            Command::Leave { stream } => self.leave(stream),
            Command::Record { stream, recording, path } => self.record(now, stream, recording, (path, None)),
            Command::RecordMessage { stream, recording, path, quiet } => {
                self.record(now, stream, recording, (path, Some(quiet)));
            }
            Command::HushRecording { recording, how } => self.hush(now, recording, Some(how)),
            Command::ResumeRecording { recording } => self.hush(now, recording, None),
            Command::StopRecording { recording } => self.stop_recording(now, recording),
            Command::Close { stream } => self.close(now, stream),
        }
    }

    /// Passes a file on to the playback that wanted it.
    pub(super) fn loaded(&mut self, now: Time, ticket: Ticket, codec: Codec, audio: Audio) {
        if self.legs.by_id(ticket.stream).is_some_and(|leg| leg.loaded(ticket, codec, audio)) {
            self.wake(now, ticket.stream);
        }
    }

    /// Ends every stream.
    pub(super) fn close_all(&mut self, now: Time) {
        for stream in self.legs.ids() {
            self.close(now, stream);
        }
        self.around.recorder.flush();
    }

    fn with(&mut self, stream: StreamId, act: impl FnOnce(&mut Leg, &super::Surroundings)) {
        if let Some(leg) = self.legs.by_id(stream) {
            act(leg, &self.around);
        }
    }

    /// Sets the stream's beat to now, unless it has one.
    pub(super) fn wake(&mut self, now: Time, stream: StreamId) {
        if let Some(leg) = self.legs.by_id(stream).filter(|leg| leg.pacing == Pacing::Resting) {
            leg.pacing = Pacing::Beating;
            self.pacer.set(now, Due::Stream(stream));
        }
    }

    fn open(&mut self, now: Time, stream: StreamId, local: LocalPort) {
        let Some(socket) = self.pool.take(local.port) else {
            let (stream, port) = (stream.0, local.port);
            return self.around.tell(Event::Alarm(format!("stream {stream}: RTP port {port} is not ready")));
        };
        discard_stale(&socket);
        let leg = Leg::new(stream, local.port, socket);
        let slot = epoll::EventData::new_u64(self.legs.next() as u64);
        if let Err(error) = epoll::add(&self.epoll, leg.socket(), slot, epoll::EventFlags::IN) {
            self.pool.give_back(local.port, leg.into_socket(), now);
            let stream = stream.0;
            return self.around.tell(Event::Alarm(format!("stream {stream} cannot receive: {error}")));
        }
        self.legs.insert(Box::new(leg));
        self.pacer.reserve(self.legs.len() + self.rooms.len());
    }

    fn bridge(&mut self, a: StreamId, b: StreamId) {
        let (Some(slot_a), Some(slot_b)) = (self.legs.find(a), self.legs.find(b)) else { return };
        for stream in [a, b] {
            self.unbridge(stream);
            self.leave(stream);
        }
        for (slot, partner) in [(slot_a, slot_b), (slot_b, slot_a)] {
            if let Some(leg) = self.legs.get_mut(slot) {
                leg.part();
                leg.partner = Some(partner);
            }
        }
    }

    pub(super) fn unbridge(&mut self, stream: StreamId) {
        let Some(partner) = self.legs.by_id(stream).and_then(Leg::part) else { return };
        if let Some(leg) = self.legs.get_mut(partner) {
            leg.part();
        }
    }

    /// Begins a recording of both parties, or of the stream's alone and with its silences.
    fn record(
        &mut self,
        now: Time,
        stream: StreamId,
        recording: RecordingId,
        (path, quiet): (PathBuf, Option<Duration>),
    ) {
        let Some(leg) = self.legs.by_id(stream) else { return };
        if leg.recordings.len() == RECORDINGS {
            let error =
                format!("recording {} was not begun: the leg has {RECORDINGS} already", path.display());
            return self.around.tell(Event::RecordingEnded {
                recording,
                path,
                millis: 0,
                spoken_millis: None,
                error: Some(error),
            });
        }
        leg.recordings.push(Tape { recording, hush: None });
        let rate = leg.rate();
        self.recordings.insert(recording, stream);
        self.around.recorder.start(recording, (path, quiet), now, rate);
    }

    /// Keeps a recording from what is said, or lets it hear again.
    fn hush(&mut self, now: Time, recording: RecordingId, how: Option<Hush>) {
        let Some(leg) = self.recordings.get(&recording).and_then(|stream| self.legs.by_id(*stream)) else {
            return;
        };
        let Some(tape) = leg.recordings.iter_mut().find(|tape| tape.recording == recording) else { return };
        let (was, is) = (tape.hush == Some(Hush::Pause), how == Some(Hush::Pause));
        tape.hush = how;
        if was != is {
            self.around.recorder.run(recording, !is, now);
        }
    }

    fn stop_recording(&mut self, now: Time, recording: RecordingId) {
        let Some(stream) = self.recordings.remove(&recording) else { return };
        if let Some(leg) = self.legs.by_id(stream) {
            leg.recordings.retain(|tape| tape.recording != recording);
        }
        self.around.recorder.stop(recording, now);
    }

    fn close(&mut self, now: Time, stream: StreamId) {
        self.unbridge(stream);
        self.leave(stream);
        let Some(mut leg) = self.legs.remove(stream) else { return };
        leg.end_playback(PlayEnd::Stopped, &self.around);
        for Tape { recording, .. } in &leg.recordings {
            self.recordings.remove(recording);
            self.around.recorder.stop(*recording, now);
        }
        self.around.tell(Event::Closed { stream, stats: leg.stats() });
        // It fails only for what is not watched.
        let _watched = epoll::delete(&self.epoll, leg.socket());
        self.pool.give_back(leg.port, leg.into_socket(), now);
    }
}

/// Throws away what came to a port before its stream began.
fn discard_stale(socket: &UdpSocket) {
    let mut datagram = [0; DATAGRAM];
    for _ in 0..STALE {
        let received = socket.recv_from(&mut datagram);
        // Any other error is that of an earlier packet, and is told once.
        if matches!(received, Err(error) if error.kind() == ErrorKind::WouldBlock) {
            return;
        }
    }
}
