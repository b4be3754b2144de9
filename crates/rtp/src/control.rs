//! The vocabulary between the switch and the media engine.
//!
//! The switch never waits for the engine: it takes local ports from those that the engine has
//! announced as bound ([`Event::Ready`]) and sends [`Command`]s; what happens comes back as an
//! [`Event`]. The engine has those who hear each other on one of its threads, whichever their ports came from.

use crate::{Codec, Mos, Security};
use clock::Duration;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

/// One leg's RTP stream (both directions). The switch numbers them and never uses a number twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamId(pub u64);

/// One playback on a stream, numbered by the switch; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PlayId(pub u64);

/// One recording, numbered by the switch; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordingId(pub u64);

/// Streams that hear each other, more than two or not all alike, numbered by the switch; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RoomId(pub u64);

/// To whom a member of a room speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Audience {
    /// To all others: a party of a conference, a supervisor who barges in.
    #[default]
    All,
    /// To one: a supervisor who whispers to an agent.
    Only(StreamId),
    /// To nobody: muted, or a supervisor who listens.
    Nobody,
}

/// How a member of a room speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voice {
    /// Who hears it.
    pub to: Audience,
    /// How much louder it is made, in decibels; below zero quieter.
    pub gain: i8,
}

/// How a recording passes over what must not be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hush {
    /// The file goes on later where it was left: what is said meanwhile takes no time in it.
    Pause,
    /// There is silence for as long as it lasts.
    Mask,
}

/// A bound RTP socket that no stream uses yet, and the media thread that owns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LocalPort {
    /// Which media thread owns the socket, from 0.
    pub thread: u16,
    /// The local RTP port (even); RTCP is the next one.
    pub port: u16,
}

/// What a peer asks of the Opus that it is sent (RFC 7587 section 6.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpusFormat {
    /// `maxaveragebitrate`, in bits a second, or what `maxplaybackrate` makes of it.
    pub max_bitrate: Option<u32>,
    /// `useinbandfec`: copies of the packet before help it.
    pub fec: bool,
    /// `usedtx`: it would rather be sent nothing while nothing is said.
    pub dtx: bool,
}

/// RFC 4733 telephone-event as negotiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigitFormat {
    /// Units a second in which durations are told: that of the codec, or 8,000 of a peer that knows no other.
    pub clock_rate: u32,
    /// Payload type that the peer expects from us.
    pub send_type: u8,
    /// Payload type that the peer uses towards us.
    pub receive_type: u8,
}

/// What offer/answer agreed for a stream. Sent again on every change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// Where the peer's SDP wants its RTP. `None` while unknown (delayed offer) or held with 0.0.0.0.
    pub remote: Option<SocketAddr>,
    /// Where the peer wants its RTCP; the same as `remote` if both share a port (RFC 5761). `None` for no RTCP.
    #[serde(default)]
    pub rtcp: Option<SocketAddr>,
    /// Where the peer's SIP messages come from: besides the address in its SDP, the only one from which
    /// media may be learnt.
    pub signalled: IpAddr,
    /// The codec that we send.
    pub codec: Codec,
    /// Payload type that the peer expects for `codec`.
    pub send_type: u8,
    /// Payload types that the peer may use towards us, and what each means.
    pub receive_types: Vec<(u8, Codec)>,
    /// What the peer asks of Opus, if that is the codec.
    pub opus: OpusFormat,
    /// Telephone-event, where both sides have it.
    pub digits: Option<DigitFormat>,
    /// Packet duration in milliseconds that the peer asks for; 20 if it does not say.
    pub ptime: u8,
    /// Whether the peer wants media (false while it holds us).
    pub send: bool,
    /// Whether the peer sends media.
    pub receive: bool,
    /// How packets are protected.
    pub security: Security,
    /// Whether it is fax: T.38 in UDPTL (ITU-T T.38 annex D) to and from `remote`, and no RTP.
    #[serde(default)]
    pub fax: bool,
}

/// What the switch asks of the engine. A command for a stream that is gone is ignored.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Turns a ready port into a stream; it receives at once and sends nothing before `Setup`.
    Open {
        /// The stream.
        stream: StreamId,
        /// One of the ports that the engine announced.
        local: LocalPort,
    },
    /// Applies what offer/answer agreed.
    Setup {
        /// The stream.
        stream: StreamId,
        /// What was agreed.
        setup: Setup,
    },
    /// Plays files one after another without a gap, in place of whatever was played before.
    Play {
        /// Who hears it.
        stream: StreamId,
        /// The playback's number.
        play: PlayId,
        /// WAV files.
        files: Vec<Arc<str>>,
        /// How often the list is played; `None` for ever.
        times: Option<u32>,
    },
    /// Stops a playback; `PlayEnded` with `Stopped` follows unless it had ended already.
    StopPlay {
        /// Who hears it.
        stream: StreamId,
        /// The playback's number.
        play: PlayId,
    },
    /// Sends digits (0–9 * # A–D) as telephone-events, 100 ms each with 50 ms between.
    SendDigits {
        /// To whom.
        stream: StreamId,
        /// The digits.
        digits: String,
    },
    /// The keys of a stream are told and forwarded to nobody, from now on.
    KeepKeys {
        /// Whose keys.
        stream: StreamId,
    },
    /// Forwards each stream's media to the other; fax goes only to one that has fax too. A playback on either goes first while it lasts.
    Bridge {
        /// One party.
        a: StreamId,
        /// The other party.
        b: StreamId,
    },
    /// Ends the bridge that a stream is part of.
    Unbridge {
        /// Either party.
        stream: StreamId,
    },
    /// Brings a stream into a room, which begins with its first member, or changes how it speaks there. It leaves its
    /// bridge or its former room. A playback goes first while it lasts.
    Join {
        /// The room.
        room: RoomId,
        /// Who comes in.
        stream: StreamId,
        /// How it speaks.
        voice: Voice,
    },
    /// Takes a stream out of its room; the room ends with its last member.
    Leave {
        /// Who goes.
        stream: StreamId,
    },
    /// Records a stream to a stereo WAV: left what is received from the party, right what is sent to it.
    Record {
        /// Whose leg.
        stream: StreamId,
        /// The recording's number.
        recording: RecordingId,
        /// Where; the directory is made if it is missing.
        path: PathBuf,
    },
    /// Records what is received from the party alone to a WAV of one channel: a message. `PartyQuiet` tells when it says no more.
    RecordMessage {
        /// Whose leg.
        stream: StreamId,
        /// The recording's number.
        recording: RecordingId,
        /// Where, likewise.
        path: PathBuf,
        /// After how long of silence that is told.
        quiet: Duration,
    },
    /// Keeps what is said from now on out of a recording: it does not leave the media thread.
    HushRecording {
        /// The recording's number.
        recording: RecordingId,
        /// What stands in its place.
        how: Hush,
    },
    /// Records on after [`HushRecording`](Self::HushRecording).
    ResumeRecording {
        /// The recording's number.
        recording: RecordingId,
    },
    /// Ends a recording; `RecordingEnded` follows.
    StopRecording {
        /// The recording's number.
        recording: RecordingId,
    },
    /// Ends a stream with its playbacks, recordings and bridge; `Closed` follows.
    Close {
        /// The stream.
        stream: StreamId,
    },
}

/// What the engine tells the switch.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// These ports are bound and may be used. The engine keeps the supply filled up.
    Ready(Vec<LocalPort>),
    /// A digit has ended (or has lasted long enough to count), once per key press.
    Digit {
        /// Who pressed it.
        stream: StreamId,
        /// 0–9, *, #, A–D.
        digit: char,
        /// How long it lasted, in milliseconds, as far as it is known.
        millis: u32,
    },
    /// Another member of a room speaks now: it was louder than the one before for 200 ms.
    Speaker {
        /// The room.
        room: RoomId,
        /// Who; `None` when the one who spoke has left.
        stream: Option<StreamId>,
    },
    /// A playback is over.
    PlayEnded {
        /// Who heard it.
        stream: StreamId,
        /// The playback's number.
        play: PlayId,
        /// How it ended.
        end: PlayEnd,
    },
    /// A recording is over; the file is complete on disk up to `millis`.
    RecordingEnded {
        /// The recording's number.
        recording: RecordingId,
        /// The file.
        path: PathBuf,
        /// Its length in milliseconds.
        millis: u64,
        /// How much of a message is speech, in milliseconds; `None` of other recordings.
        spoken_millis: Option<u64>,
        /// Why it ended early: one line that names the file and the cause (disk full, no permission).
        error: Option<String>,
    },
    /// Whose message is recorded has said nothing for as long as was asked; told once per silence, about a second late.
    PartyQuiet {
        /// The recording's number.
        recording: RecordingId,
    },
    /// The first packet of the party, once a stream.
    Started {
        /// The stream.
        stream: StreamId,
        /// Where its packets really come from.
        peer: SocketAddr,
    },
    /// Nothing has come for that long although media was agreed; told once per silence.
    Silent {
        /// The stream.
        stream: StreamId,
        /// For how long, in milliseconds.
        millis: u32,
    },
    /// Nothing at all comes from a browser any more, not even a check of its path: its page is gone, or its network.
    Lost {
        /// The stream.
        stream: StreamId,
    },
    /// Something comes from a lost browser again.
    Back {
        /// The stream.
        stream: StreamId,
    },
    /// Media flows one way although both were agreed. Told again and again while that lasts.
    OneWay {
        /// The stream.
        stream: StreamId,
        /// Which way it does not flow.
        missing: Missing,
    },
    /// A stream has ended.
    Closed {
        /// The stream.
        stream: StreamId,
        /// What was counted.
        stats: StreamStats,
    },
    /// Something that an administrator must know; no stream is lost by it.
    Alarm(String),
}

/// Where no media comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Missing {
    /// From the party: nothing has come of it since it is sent to.
    From,
    /// To the party: its reports say that nothing arrives.
    To,
}

/// How a playback ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlayEnd {
    /// Played to the end.
    Finished,
    /// Stopped by command, by another playback or by the end of the stream.
    Stopped,
    /// Could not be played: one line that names the file and the cause.
    Failed(String),
}

/// What was counted over the life of a stream. `None` means not measured, never zero.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StreamStats {
    /// RTP packets received from the party and accepted.
    pub received: u64,
    /// RTP packets sent to the party.
    pub sent: u64,
    /// Packets missing by sequence number.
    pub lost: u64,
    /// Packets dropped because they came from a stranger.
    pub foreign: u64,
    /// Packets dropped because their protection was wrong, missing or a repetition.
    pub refused: u64,
    /// Interarrival jitter in microseconds (RFC 3550 6.4.1), `None` without two packets.
    pub jitter_micros: Option<u32>,
    /// How often losses came close together (RFC 3611 4.7.2).
    pub bursts: Option<u64>,
    /// What can be heard of the party (E-model, without delay).
    pub mos: Option<Mos>,
    /// How much of what was decoded of the party was made up, in thousandths.
    pub concealed_permille: Option<u16>,
    /// From us to the party and back: the mean of what its reports gave.
    pub round_trip: Option<Duration>,
    /// What the party has reported last of what is sent to it.
    pub at_peer: Option<AtPeer>,
    /// What was counted of fax, if there was any.
    #[serde(default)]
    pub fax: Option<FaxStats>,
}

/// Datagrams of UDPTL. What they repeat of others is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaxStats {
    /// Received from the party, those with a number that had come before left out.
    pub received: u64,
    /// Sent to the party.
    pub sent: u64,
    /// Missing by sequence number; the next ones may have made them good.
    pub lost: u64,
    /// Dropped, since they are no UDPTL.
    pub malformed: u64,
}

/// What a party hears of a stream, by its own reports. Holes in what is forwarded to it count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtPeer {
    /// Packets missing.
    pub lost: u32,
    /// Interarrival jitter in microseconds.
    pub jitter_micros: u32,
    /// By its own word, else by the loss that it reports.
    pub mos: Option<Mos>,
}
