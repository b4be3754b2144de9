use super::file::{Channels, RecordingFile};
use super::side::Track;
use super::timeline::{HOLD_MILLIS, Pair, Timeline};
use super::voice::Voice;
use super::{Frame, Message, Side};
use crate::clock::Clock;
use audio::Rate;
use clock::{Duration, Time};
use rtp::control::{Event, RecordingId};
use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};

/// How often the writer looks for frames: it is not woken for each.
const POLL: Duration = Duration::from_millis(20);

/// How often each file's header is brought up to date, so that a killed process leaves it valid.
const FLUSH: Duration = Duration::from_secs(1);

/// The longest recording, since WAV counts its bytes in 32 bits: 18 hours of wideband.
const MAX_HOURS: u64 = 18;

/// The thread that owns the files.
pub(crate) struct Writer {
    queue: Receiver<Message>,
    events: Arc<dyn Fn(Event) + Send + Sync>,
    clock: Clock,
    dropped: Arc<AtomicU64>,
    dropped_told: u64,
    next_flush: Time,
    open: HashMap<RecordingId, Recording>,
}

struct Recording {
    path: PathBuf,
    file: RecordingFile,
    timeline: Timeline,
    received: Track,
    sent: Track,
    /// How much of a message is speech.
    voice: Option<Voice>,
}

/// What ended the supply of messages for now.
enum Supply {
    Empty,
    Ended,
}

impl Writer {
    /// A writer that reads `queue` and says through `events` what became of each recording.
    pub(crate) fn new(
        queue: Receiver<Message>,
        events: Arc<dyn Fn(Event) + Send + Sync>,
        clock: Clock,
        dropped: Arc<AtomicU64>,
    ) -> Self {
        Self { queue, events, clock, dropped, dropped_told: 0, next_flush: Time::ZERO, open: HashMap::new() }
    }

    /// Writes until every media thread has let go of the channel.
    pub(crate) fn run(mut self) {
        loop {
            if self.open.is_empty() {
                let Ok(message) = self.queue.recv() else { return };
                self.obey(message);
            }
            // Read before the channel: what was sent until then is in it.
            let now = self.clock.now();
            let supply = self.drain();
            self.advance(now);
            match supply {
                Supply::Empty => std::thread::sleep(POLL),
                Supply::Ended => return self.finish(),
            }
        }
    }

    fn drain(&mut self) -> Supply {
        loop {
            match self.queue.try_recv() {
                Ok(message) => self.obey(message),
                Err(TryRecvError::Empty) => return Supply::Empty,
                Err(TryRecvError::Disconnected) => return Supply::Ended,
            }
        }
    }

    fn obey(&mut self, message: Message) {
        match message {
            Message::Start { recording, path, at, rate, quiet } => {
                self.start(recording, (path, quiet), at, rate);
            }
            Message::Frame(frame) => {
                if let Some(recording) = self.open.get_mut(&frame.recording) {
                    recording.keep(frame);
                }
            }
            Message::Run { recording, runs, at } => {
                if let Some(recording) = self.open.get_mut(&recording) {
                    recording.timeline.run(at, runs);
                }
            }
            Message::Stop { recording, at } => {
                if let Some(open) = self.open.remove(&recording) {
                    self.end(recording, open, at);
                }
            }
        }
    }

    fn start(
        &mut self,
        recording: RecordingId,
        (path, quiet): (PathBuf, Option<Duration>),
        at: Time,
        rate: Rate,
    ) {
        let channels = if quiet.is_some() { Channels::Left } else { Channels::Both };
        let voice = quiet.map(|quiet| Voice::new(rate, quiet));
        match RecordingFile::create(&path, rate, channels) {
            Ok((path, file)) => {
                let timeline = Timeline::new(at, rate);
                let (received, sent) = (Track::new(rate), Track::new(rate));
                self.open.insert(recording, Recording { path, file, timeline, received, sent, voice });
            }
            Err(error) => self.fail(recording, path, (0, voice.map(|_| 0)), &error),
        }
    }

    /// Writes what is old enough, and once a second brings the headers up to date.
    fn advance(&mut self, now: Time) {
        let flush = now >= self.next_flush;
        if flush {
            self.next_flush = now + FLUSH;
            self.tell_dropped();
        }
        let mut failed = Vec::new();
        for (id, recording) in &mut self.open {
            let hold = recording.timeline.samples(HOLD_MILLIS);
            let until = recording.timeline.position(now).saturating_sub(hold);
            let written = recording.write_until(until);
            let result = if flush { written.and_then(|()| recording.file.flush()) } else { written };
            if let Err(error) = result {
                failed.push((*id, error));
            } else if recording.voice.as_mut().is_some_and(Voice::take_quiet) {
                (self.events)(Event::PartyQuiet { recording: *id });
            }
        }
        for (id, error) in failed {
            if let Some(recording) = self.open.remove(&id) {
                let lengths = recording.lengths();
                self.fail(id, recording.path, lengths, &error);
            }
        }
    }

    fn end(&self, id: RecordingId, mut recording: Recording, at: Time) {
        recording.decode_until(u64::MAX);
        let until = recording.timeline.position(at).max(recording.timeline.end());
        let result = recording.write_until(until);
        let (millis, spoken_millis) = recording.lengths();
        let Recording { path, file, .. } = recording;
        match result.and_then(|()| file.finish()) {
            Ok(()) => {
                let ended = Event::RecordingEnded { recording: id, path, millis, spoken_millis, error: None };
                (self.events)(ended);
            }
            Err(error) => self.fail(id, path, (millis, spoken_millis), &error),
        }
    }

    /// Ends what is still open when the engine stops.
    fn finish(&mut self) {
        let now = self.clock.now();
        for (id, recording) in std::mem::take(&mut self.open) {
            self.end(id, recording, now);
        }
    }

    fn fail(
        &self,
        recording: RecordingId,
        path: PathBuf,
        (millis, spoken_millis): (u64, Option<u64>),
        error: &io::Error,
    ) {
        let text = format!("recording {} ended: {}", path.display(), explain(error));
        let error = Some(text.clone());
        (self.events)(Event::RecordingEnded { recording, path, millis, spoken_millis, error });
        (self.events)(Event::Alarm(text));
    }

    fn tell_dropped(&mut self) {
        let dropped = self.dropped.load(Ordering::Relaxed);
        if dropped > self.dropped_told {
            let new = dropped - self.dropped_told;
            self.dropped_told = dropped;
            (self.events)(Event::Alarm(format!(
                "recordings: {new} frames were dropped because the disk is too slow; use a faster disk or record \
                 fewer calls"
            )));
        }
    }
}

impl Recording {
    fn keep(&mut self, frame: Frame) {
        if let Some(position) = self.timeline.locate(frame.side, frame.stamp, frame.codec.clock_rate()) {
            self.track(frame.side).keep(position, frame);
        }
    }

    /// How long it is, and of a message how much is speech, in milliseconds.
    fn lengths(&self) -> (u64, Option<u64>) {
        (self.timeline.taken_millis(), self.voice.as_ref().map(Voice::spoken_millis))
    }

    fn track(&mut self, side: Side) -> &mut Track {
        match side {
            Side::Received => &mut self.received,
            Side::Sent => &mut self.sent,
        }
    }

    fn decode_until(&mut self, position: u64) {
        self.received.decode_until(position, &mut self.timeline);
        self.sent.decode_until(position, &mut self.timeline);
    }

    fn write_until(&mut self, position: u64) -> io::Result<()> {
        if position > self.timeline.samples(MAX_HOURS * 3_600_000) {
            return Err(io::Error::new(ErrorKind::FileTooLarge, "18 hours are the most"));
        }
        self.decode_until(position);
        let pairs = self.timeline.take_until(position);
        let Some(voice) = &mut self.voice else { return self.file.write(pairs) };
        let pairs: Vec<Pair> = pairs.collect();
        voice.hear(pairs.iter().map(|[received, _]| *received));
        self.file.write(pairs.into_iter())
    }
}

/// The cause, and what an administrator can do about it.
fn explain(error: &io::Error) -> String {
    let advice = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "; free or add disk space",
        ErrorKind::PermissionDenied => "; let the server's user write there",
        ErrorKind::ReadOnlyFilesystem => "; mount it writable or record elsewhere",
        ErrorKind::NotADirectory | ErrorKind::IsADirectory | ErrorKind::AlreadyExists => {
            "; something else stands where the file or its directory should be: correct the recording's path"
        }
        _ => "",
    };
    format!("{error}{advice}")
}
