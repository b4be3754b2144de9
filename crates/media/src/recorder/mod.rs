//! Recordings: frames come from the media threads by a bounded channel and are written by one thread.

mod file;
mod ogg;
mod repair;
mod side;
mod timeline;
mod voice;
mod writer;

pub use repair::{Repair, repair};
pub(crate) use writer::Writer;

use audio::Rate;
use clock::{Duration, Time};
use rtp::Codec;
use rtp::control::RecordingId;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};

/// Encoded bytes a message carries; a longer packet is cut into several, unless it is one of Opus, which is lost.
const FRAME_BYTES: usize = 240;

/// Messages that may wait for the writer: some 300 ms of 500 recordings.
pub(crate) const QUEUE: usize = 16_384;

/// Which channel of the WAV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Received from the party: left.
    Received,
    /// Sent to the party: right.
    Sent,
}

/// A piece of one packet's audio.
#[derive(Debug)]
pub(crate) struct Frame {
    recording: RecordingId,
    side: Side,
    codec: Codec,
    stamp: Stamp,
    length: u8,
    bytes: [u8; FRAME_BYTES],
}

impl Frame {
    fn payload(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// When a packet came or went, and where its sender placed it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    /// By the engine's clock.
    pub(crate) at: Time,
    /// RTP sequence number: all pieces of a packet have the same.
    pub(crate) sequence: u16,
    /// RTP timestamp.
    pub(crate) timestamp: u32,
    /// RTP source.
    pub(crate) ssrc: u32,
    /// Whether a talkspurt or a new source begins here (the marker bit).
    pub(crate) marker: bool,
}

/// What a media thread tells the writer.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are frames, and a box would be an allocation on the packet path"
)]
pub(crate) enum Message {
    Start {
        recording: RecordingId,
        path: PathBuf,
        at: Time,
        rate: Rate,
        /// Of a message: after how long of silence that is told.
        quiet: Option<Duration>,
    },
    Frame(Frame),
    /// The time of the recording goes on, or stands still.
    Run {
        recording: RecordingId,
        runs: bool,
        at: Time,
    },
    Stop {
        recording: RecordingId,
        at: Time,
    },
}

impl Message {
    /// Which recording it is about.
    fn recording(&self) -> RecordingId {
        match self {
            Self::Frame(frame) => frame.recording,
            Self::Start { recording, .. } | Self::Run { recording, .. } | Self::Stop { recording, .. } => {
                *recording
            }
        }
    }
}

/// A media thread's end of the channel. It never waits for the disk.
#[derive(Debug)]
pub(crate) struct Recorder {
    queue: SyncSender<Message>,
    /// What found the channel full and is no audio: none of it may be lost.
    held: VecDeque<Message>,
    dropped: Arc<AtomicU64>,
}

impl Recorder {
    /// Sends through `queue` and counts in `dropped` what does not fit.
    pub(crate) fn new(queue: SyncSender<Message>, dropped: Arc<AtomicU64>) -> Self {
        Self { queue, held: VecDeque::new(), dropped }
    }

    /// Begins a recording: the moment `at` is its beginning.
    pub(crate) fn start(
        &mut self,
        recording: RecordingId,
        (path, quiet): (PathBuf, Option<Duration>),
        at: Time,
        rate: Rate,
    ) {
        self.held.push_back(Message::Start { recording, path, at, rate, quiet });
        self.flush();
    }

    /// Ends a recording.
    pub(crate) fn stop(&mut self, recording: RecordingId, at: Time) {
        self.held.push_back(Message::Stop { recording, at });
        self.flush();
    }

    /// Lets the time of a recording stand still, or go on.
    pub(crate) fn run(&mut self, recording: RecordingId, runs: bool, at: Time) {
        self.held.push_back(Message::Run { recording, runs, at });
        self.flush();
    }

    /// Passes on a packet's audio; what finds the channel full is dropped and counted.
    pub(crate) fn audio(
        &mut self,
        recording: RecordingId,
        side: Side,
        codec: Codec,
        stamp: Stamp,
        payload: &[u8],
    ) {
        let bytes_per_milli = codec.bytes_per_milli();
        // Nobody sends so much who keeps to the rate that we ask for; it is made up like what is lost.
        if bytes_per_milli.is_none() && payload.len() > FRAME_BYTES {
            return;
        }
        for (index, chunk) in payload.chunks(FRAME_BYTES).enumerate() {
            let offset = index * FRAME_BYTES;
            let ticks = offset * codec.clock_rate() as usize / 1_000 / bytes_per_milli.unwrap_or(1);
            let mut bytes = [0; FRAME_BYTES];
            bytes[..chunk.len()].copy_from_slice(chunk);
            let stamp = Stamp {
                timestamp: stamp.timestamp.wrapping_add(ticks as u32),
                marker: stamp.marker && offset == 0,
                ..stamp
            };
            let length = chunk.len() as u8;
            let frame = Frame { recording, side, codec, stamp, length, bytes };
            if let Err(TrySendError::Full(_)) = self.queue.try_send(Message::Frame(frame)) {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// What is held back of those recordings, which another thread goes on with.
    pub(crate) fn take_held(&mut self, recordings: &[RecordingId]) -> Vec<Message> {
        let held = std::mem::take(&mut self.held).into_iter();
        let (theirs, ours) = held.partition::<VecDeque<_>, _>(|it| recordings.contains(&it.recording()));
        self.held = ours;
        theirs.into()
    }

    /// Goes on with what another thread has held back.
    pub(crate) fn hold(&mut self, held: Vec<Message>) {
        self.held.extend(held);
        self.flush();
    }

    /// Sends what was held back; whether nothing remains.
    pub(crate) fn flush(&mut self) -> bool {
        while let Some(message) = self.held.pop_front() {
            if let Err(TrySendError::Full(message)) = self.queue.try_send(message) {
                self.held.push_front(message);
                return false;
            }
        }
        true
    }
}
