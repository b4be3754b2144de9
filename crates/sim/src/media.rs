//! The media engine as the switch sees it: obeys commands in virtual time, and complains about wrong ones.

use crate::dice::Dice;
use clock::{Duration, Time};
use rand_chacha::ChaCha12Rng;
use rtp::control::{
    Audience, Command, Event, Hush, LocalPort, Missing, PlayEnd, PlayId, RecordingId, RoomId, Setup,
    StreamId, StreamStats,
};
use rtp::{MasterKey, Security};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

const FIRST_PORT: u16 = 30_000;
/// How long a port rests after its stream.
const REST: Duration = Duration::from_millis(1_500);

/// How long it may take to bring a party back to audio, or to find out by the session's timer of 90 s that it is gone.
const MIXED: Duration = Duration::from_secs(125);

/// Streams, ports and recordings of the pretended engine.
#[derive(Debug)]
pub(crate) struct FakeMedia {
    rng: ChaCha12Rng,
    streams: BTreeMap<StreamId, Stream>,
    /// Streams that have been closed: their numbers never come back.
    closed: BTreeSet<StreamId>,
    recordings: BTreeMap<RecordingId, Recording>,
    /// Ports that are bound and that the switch has been told of.
    ready: BTreeSet<LocalPort>,
    /// Ports that the engine has in all, less those whose streams it forgot.
    total: usize,
    /// Ports that rest, or whose announcement is on its way.
    resting: usize,
    /// In order of time: the engine's events never overtake each other.
    last: Time,
    /// In thousandths.
    failures: u32,
}

#[derive(Debug)]
struct Stream {
    local: LocalPort,
    peer: Option<StreamId>,
    room: Option<RoomId>,
    /// To whom it speaks there.
    to: Audience,
    play: Option<PlayId>,
    /// Whether `play` goes on for ever.
    endless: bool,
    started: bool,
    /// Whether it has fax rather than audio.
    fax: bool,
    /// Since when whom it hears has the other.
    mixed: Option<Time>,
    /// What the switch has protected its packets with, each key for one suite.
    keys: Vec<MasterKey>,
}

#[derive(Debug)]
struct Recording {
    stream: StreamId,
    path: PathBuf,
    since: Time,
    hush: Option<Hush>,
    /// Of a message: how long the party speaks.
    speaks: Option<Duration>,
}

/// What the engine will tell, and when.
pub(crate) type Due = Vec<(Time, Event)>;

impl FakeMedia {
    /// An engine of one to three threads with so many ports that some seeds run out of them.
    pub(crate) fn draw(mut rng: ChaCha12Rng, due: &mut Due) -> Self {
        let threads = 1 + u16::try_from(rng.below(3)).unwrap_or(0);
        let ports = rng.pick(&[4, 8, 16, 40, 40, 40]);
        let failures = rng.pick(&[0, 0, 20, 200]);
        let list: Vec<_> =
            (0..ports).map(|n| LocalPort { thread: n % threads, port: FIRST_PORT + 2 * n }).collect();
        let mut media = Self {
            rng,
            streams: BTreeMap::new(),
            closed: BTreeSet::new(),
            recordings: BTreeMap::new(),
            ready: BTreeSet::new(),
            total: list.len(),
            resting: list.len(),
            last: Time::ZERO,
            failures,
        };
        media.tell(Time::ZERO, Duration::ZERO, Event::Ready(list), due);
        media
    }

    /// The streams that are open.
    pub(crate) fn open(&self) -> impl Iterator<Item = StreamId> {
        self.streams.keys().copied()
    }

    /// Pairs that hear each other, the lower number first.
    pub(crate) fn bridges(&self) -> BTreeSet<(StreamId, StreamId)> {
        let pairs = self.streams.iter().filter_map(|(id, stream)| Some((*id, stream.peer?)));
        pairs.map(|(a, b)| (a.min(b), a.max(b))).collect()
    }

    /// Those who meet, in sets that are ordered by their least number.
    pub(crate) fn rooms(&self) -> BTreeSet<BTreeSet<StreamId>> {
        let mut rooms: BTreeMap<RoomId, BTreeSet<StreamId>> = BTreeMap::new();
        for (id, stream) in &self.streams {
            if let Some(room) = stream.room {
                rooms.entry(room).or_default().insert(*id);
            }
        }
        rooms.into_values().collect()
    }

    /// To whom a stream speaks in its room.
    pub(crate) fn audience(&self, stream: StreamId) -> Option<Audience> {
        self.streams.get(&stream).map(|found| found.to)
    }

    /// Looks after bridges of audio and fax, over which nothing is heard.
    ///
    /// # Errors
    /// One has been so for longer than any offer may take.
    pub(crate) fn check_fax(&mut self, now: Time) -> Result<(), String> {
        let faxes: BTreeMap<_, _> = self.streams.iter().map(|(id, stream)| (*id, stream.fax)).collect();
        for (id, stream) in &mut self.streams {
            let peer = stream.peer.and_then(|peer| faxes.get(&peer));
            // Who has fax alone is asked to have audio again, too.
            let is_mixed = stream.fax && peer.is_none_or(|fax| !fax);
            if !is_mixed {
                stream.mixed = None;
            } else if now - *stream.mixed.get_or_insert(now) > MIXED {
                return Err(format!("stream {} has fax, and whom it hears has not", id.0));
            }
        }
        Ok(())
    }

    /// Whether a party hears music, which has no end.
    pub(crate) fn has_music(&self, stream: StreamId) -> bool {
        self.streams.get(&stream).is_some_and(|found| found.endless && found.play.is_some())
    }

    /// Whether a party hears a playback of any kind.
    pub(crate) fn is_playing(&self, stream: StreamId) -> bool {
        self.streams.get(&stream).is_some_and(|found| found.play.is_some())
    }

    /// Whether no playback ever fails.
    pub(crate) fn is_sound(&self) -> bool {
        self.failures == 0
    }

    /// Ports that the engine has in all, less those that it lost.
    pub(crate) fn total(&self) -> usize {
        self.total
    }

    /// Recordings that run.
    pub(crate) fn recordings(&self) -> usize {
        self.recordings.len()
    }

    /// Whether no stream has, or lately had, that port.
    pub(crate) fn is_free(&self, port: u16) -> bool {
        self.ready.iter().any(|local| local.port == port)
    }

    /// A key pressed towards a port.
    pub(crate) fn key(&mut self, now: Time, port: u16, digit: char, due: &mut Due) {
        let found = self.streams.iter().find(|(_, stream)| stream.local.port == port);
        if let Some((&stream, _)) = found {
            self.tell(now, Duration::from_millis(100), Event::Digit { stream, digit, millis: 100 }, due);
        }
    }

    /// An event is on its way to the switch: notes what it makes of the ports.
    pub(crate) fn told(&mut self, event: &Event) {
        if let Event::Ready(ports) = event {
            self.resting -= ports.len();
            self.ready.extend(ports);
        }
    }

    /// Obeys a command.
    ///
    /// # Errors
    /// The command contradicts what the engine was told before.
    pub(crate) fn obey(&mut self, now: Time, command: Command, due: &mut Due) -> Result<(), String> {
        match command {
            Command::Open { stream, local } => self.open_stream(stream, local),
            Command::Setup { stream, setup } => self.set_up(now, stream, &setup, due),
            Command::Play { stream, play, files, times } => {
                self.play(now, stream, play, files.len(), times, due)
            }
            Command::StopPlay { stream, play } => {
                if let Some(found) = self.known(stream)?
                    && found.play == Some(play)
                {
                    found.play = None;
                    self.tell_play_end(now, stream, play, PlayEnd::Stopped, due);
                }
                Ok(())
            }
            Command::SendDigits { stream, .. } | Command::KeepKeys { stream } => {
                self.known(stream).map(|_| ())
            }
            Command::Bridge { a, b } => self.bridge(a, b),
            Command::Join { room, stream, voice } => self.join(stream, room, voice.to),
            Command::Leave { stream } => self.leave(stream),
            // It may have ended by itself.
            Command::HushRecording { recording, how } => {
                if let Some(found) = self.recordings.get_mut(&recording) {
                    found.hush = Some(how);
                }
                Ok(())
            }
            Command::ResumeRecording { recording } => {
                let found = self.recordings.get_mut(&recording);
                let was = found.map(|found| found.hush.take());
                if was == Some(None) {
                    Err("a recording goes on that was never silent".to_owned())
                } else {
                    Ok(())
                }
            }
            Command::Unbridge { stream } => {
                self.known(stream)?;
                self.unbridge(stream);
                Ok(())
            }
            Command::Record { stream, recording, path } => {
                self.record(now, stream, recording, (path, None), due)
            }
            Command::RecordMessage { stream, recording, path, quiet } => {
                // No draw for this: the seeds that are known keep their course.
                let speaks = Duration::from_millis(recording.0 % 7 * 700);
                self.record(now, stream, recording, (path, Some(speaks)), due)?;
                due.push((now + speaks + quiet, Event::PartyQuiet { recording }));
                Ok(())
            }
            Command::StopRecording { recording } => {
                self.end_recording(now, recording, None, due);
                Ok(())
            }
            Command::Close { stream } => self.close(now, stream, due),
        }
    }

    /// A stream that is open; `None` if it was and has been closed.
    fn known(&mut self, stream: StreamId) -> Result<Option<&mut Stream>, String> {
        if self.closed.contains(&stream) {
            return Ok(None);
        }
        match self.streams.get_mut(&stream) {
            Some(found) => Ok(Some(found)),
            None => Err(format!("stream {} was never opened", stream.0)),
        }
    }

    fn open_stream(&mut self, stream: StreamId, local: LocalPort) -> Result<(), String> {
        if !self.ready.remove(&local) {
            return Err(format!("port {} is not ready, but stream {} opens it", local.port, stream.0));
        }
        if self.closed.contains(&stream) || self.streams.contains_key(&stream) {
            return Err(format!("stream {} is opened twice", stream.0));
        }
        self.streams.insert(
            stream,
            Stream {
                local,
                peer: None,
                room: None,
                to: Audience::All,
                play: None,
                endless: false,
                started: false,
                fax: false,
                mixed: None,
                keys: Vec::new(),
            },
        );
        Ok(())
    }

    fn set_up(&mut self, now: Time, stream: StreamId, setup: &Setup, due: &mut Due) -> Result<(), String> {
        let Some(found) = self.known(stream)? else { return Ok(()) };
        found.fax = setup.fax;
        if setup.fax && (setup.security != Security::Plain || setup.rtcp.is_some()) {
            return Err(format!("stream {} has fax that is encrypted or has RTCP", stream.0));
        }
        if let Security::Srtp(keys) = &setup.security {
            let other = |key: &&MasterKey| key.suite() == keys.send.suite() && **key != keys.send;
            if found.keys.iter().any(|key| other(&key)) {
                return Err(format!("stream {} has a second key of its own for one suite", stream.0));
            }
            found.keys.push(keys.send.clone());
        }
        if let (Some(peer), false, true) = (setup.remote, found.started, setup.receive) {
            found.started = true;
            self.tell(now, Duration::from_millis(20), Event::Started { stream, peer }, due);
        }
        if self.rng.chance(50) {
            due.push((now + Duration::from_secs(5), Event::Silent { stream, millis: 5_000 }));
        }
        // No draw for this either. Of a browser nothing comes for a while, or never again.
        if matches!(setup.security, Security::Dtls(_)) && stream.0.is_multiple_of(2) {
            let lost = now + Duration::from_secs(1 + stream.0 % 7);
            due.push((lost, Event::Lost { stream }));
            due.push((lost + Duration::from_secs(stream.0 * 7 % 90), Event::Back { stream }));
        }
        // No draw for this: the seeds that are known keep their course.
        if stream.0.is_multiple_of(16) {
            let missing = if stream.0.is_multiple_of(32) { Missing::From } else { Missing::To };
            // Again and again, before an answer too.
            for seconds in [1, 5, 10, 15] {
                due.push((now + Duration::from_secs(seconds), Event::OneWay { stream, missing }));
            }
        }
        Ok(())
    }

    fn play(
        &mut self,
        now: Time,
        stream: StreamId,
        play: PlayId,
        files: usize,
        times: Option<u32>,
        due: &mut Due,
    ) -> Result<(), String> {
        let fails = self.rng.chance(self.failures);
        let Some(found) = self.known(stream)? else { return Ok(()) };
        found.endless = times.is_none();
        if let Some(before) = found.play.replace(play) {
            self.tell_play_end(now, stream, before, PlayEnd::Stopped, due);
        }
        if fails {
            self.tell_play_end(now, stream, play, PlayEnd::Failed("welcome.wav: no such file".into()), due);
        } else if let Some(times) = times {
            let length = Duration::from_millis(2_500) * u32::try_from(files).unwrap_or(1) * times;
            let end = Event::PlayEnded { stream, play, end: PlayEnd::Finished };
            // May be stopped before: `is_stale` keeps it from the switch then.
            due.push((now + length, end));
        }
        Ok(())
    }

    /// Whether an event that was due speaks of something that has ended meanwhile.
    pub(crate) fn is_stale(&mut self, event: &Event) -> bool {
        match event {
            Event::PlayEnded { stream, play, end: PlayEnd::Finished } => {
                let found = self.streams.get_mut(stream).filter(|found| found.play == Some(*play));
                found.is_none_or(|found| found.play.take().is_none())
            }
            Event::Silent { stream, .. }
            | Event::OneWay { stream, .. }
            | Event::Lost { stream }
            | Event::Back { stream } => !self.streams.contains_key(stream),
            _ => false,
        }
    }

    fn bridge(&mut self, a: StreamId, b: StreamId) -> Result<(), String> {
        for (id, peer) in [(a, b), (b, a)] {
            if let Some(found) = self.known(id)?
                && found.peer.replace(peer).is_some()
            {
                return Err(format!("stream {} is bridged twice", id.0));
            }
        }
        Ok(())
    }

    fn join(&mut self, stream: StreamId, room: RoomId, to: Audience) -> Result<(), String> {
        let Some(found) = self.known(stream)? else { return Ok(()) };
        if found.peer.is_some() || found.room.replace(room).is_some_and(|other| other != room) {
            return Err(format!("stream {} comes into a room out of a bridge or another room", stream.0));
        }
        found.to = to;
        Ok(())
    }

    fn leave(&mut self, stream: StreamId) -> Result<(), String> {
        let Some(found) = self.known(stream)? else { return Ok(()) };
        found.room.take().map(|_| ()).ok_or_else(|| format!("stream {} leaves no room", stream.0))
    }

    fn unbridge(&mut self, stream: StreamId) {
        let peer = self.streams.get_mut(&stream).and_then(|found| found.peer.take());
        if let Some(peer) = peer.and_then(|peer| self.streams.get_mut(&peer)) {
            peer.peer = None;
        }
    }

    fn record(
        &mut self,
        now: Time,
        stream: StreamId,
        recording: RecordingId,
        (path, speaks): (PathBuf, Option<Duration>),
        due: &mut Due,
    ) -> Result<(), String> {
        let fails = self.rng.chance(self.failures);
        self.known(stream)?;
        if self.recordings.values().any(|found| found.path == path) {
            return Err(format!("two recordings write {}", path.display()));
        }
        // What is passed over in one of them would be in the other; a message is its own affair.
        let is_like = |found: &Recording| found.speaks.is_some() == speaks.is_some();
        if self.recordings.values().any(|found| found.stream == stream && is_like(found)) {
            return Err(format!("stream {} is recorded twice at a time", stream.0));
        }
        self.recordings.insert(recording, Recording { stream, path, since: now, hush: None, speaks });
        if fails || !self.streams.contains_key(&stream) {
            self.end_recording(now, recording, Some("disk full".into()), due);
        }
        Ok(())
    }

    fn end_recording(&mut self, now: Time, recording: RecordingId, error: Option<String>, due: &mut Due) {
        if let Some(found) = self.recordings.remove(&recording) {
            let millis = u64::try_from((now - found.since).as_millis()).unwrap_or(0);
            let spoken_millis = found.speaks.map(|speaks| millis.min(speaks.as_millis() as u64));
            let event = Event::RecordingEnded { recording, path: found.path, millis, spoken_millis, error };
            self.tell(now, Duration::from_millis(30), event, due);
        }
    }

    fn close(&mut self, now: Time, stream: StreamId, due: &mut Due) -> Result<(), String> {
        if self.known(stream)?.is_none() {
            return Err(format!("stream {} is closed twice", stream.0));
        }
        self.unbridge(stream);
        let Some(found) = self.streams.remove(&stream) else { return Ok(()) };
        self.closed.insert(stream);
        if let Some(play) = found.play {
            self.tell_play_end(now, stream, play, PlayEnd::Stopped, due);
        }
        let running = self.recordings.iter().filter(|(_, recording)| recording.stream == stream);
        for recording in running.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.end_recording(now, recording, None, due);
        }
        if self.rng.chance(self.failures / 10) {
            // A thread that died: neither the end nor the port is heard of again.
            self.total -= 1;
            return Ok(());
        }
        let stats = StreamStats { received: 50, sent: 50, ..StreamStats::default() };
        self.tell(now, Duration::from_millis(20), Event::Closed { stream, stats }, due);
        self.resting += 1;
        due.push((now + REST, Event::Ready(vec![found.local])));
        Ok(())
    }

    fn tell_play_end(&mut self, now: Time, stream: StreamId, play: PlayId, end: PlayEnd, due: &mut Due) {
        if let Some(found) = self.streams.get_mut(&stream)
            && found.play == Some(play)
        {
            found.play = None;
        }
        self.tell(now, Duration::from_millis(20), Event::PlayEnded { stream, play, end }, due);
    }

    fn tell(&mut self, now: Time, most: Duration, event: Event, due: &mut Due) {
        self.last = self.last.max(now + self.rng.within(most));
        due.push((self.last, event));
    }
}
