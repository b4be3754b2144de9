//! What the far end's network and its machines say by tones, at 8 kHz: it rings, it is busy, there is no way, it is
//! a fax, record after the beep.
//!
//! A frame of 20 ms is a tone when nearly all of its power is in one or two lines. Frames that follow each other make
//! bursts, and bursts with the pauses between them make cadences: those tell busy from ringback.

use crate::spectrum::{FRAME_MILLIS, Frame, Framer};
use crate::tone::network::NetworkTones;
use cadence::{Cadence, Named};
use std::fmt;

mod cadence;

/// The share of two lines in a tone's power.
const TONAL: f32 = 0.8;
/// By how much a tone may be quieter than its loudest frame and still be one, in dB: it may be modulated.
const DEEPEST_DB: f32 = 20.0;
/// By how much a pause is quieter than the tone before it, in dB.
const PAUSE_DB: f32 = 10.0;
/// An interruption of a tone that is no pause, in ms; also how long its edges may sound like anything.
const BRIDGED_MILLIS: u32 = 40;
/// What is shorter is no burst: two tones that follow each other sound like a third one in between.
const SHORTEST_MILLIS: u32 = 60;
/// Where the tones of networks are, in Hz: ringback, busy, congestion.
const NETWORK_BAND: std::ops::RangeInclusive<f32> = 330.0..=640.0;
/// The bursts of a ringback and the shortest pause behind the last one, in ms.
const RING_MILLIS: std::ops::RangeInclusive<u32> = 340..=2_300;
const RING_PAUSE_MILLIS: u32 = 1_500;
/// After the answer a single burst that is shorter is no ringback: it may be a beep.
const LONGEST_NETWORK_BEEP_MILLIS: u32 = 900;
/// One line is no further from its own mean, in Hz.
const LINE_HZ: f32 = 34.0;
/// T.30 clause 4.1: 1,100 Hz ± 38, 0.5 s ± 15%; and how long nothing follows.
const CNG_HZ: f32 = 1_100.0;
const CNG_OFF_HZ: f32 = 45.0;
const CNG_MILLIS: std::ops::RangeInclusive<u32> = 400..=600;
const CNG_PAUSE_MILLIS: u32 = 200;
/// T.30 clause 4.1: 2,100 Hz ± 15; half a second of the 2.6 s is enough.
const CED_HZ: f32 = 2_100.0;
const CED_OFF_HZ: f32 = 25.0;
const CED_MILLIS: u32 = 500;
/// Answering machines beep for so long.
const BEEP_MILLIS: std::ops::RangeInclusive<u32> = 100..=3_000;
const BEEP_HZ: std::ops::RangeInclusive<f32> = 330.0..=2_600.0;
/// A beep is over after so long. One in the band of networks might be the first of busy, whose longest pause is
/// 750 ms.
const BEEP_PAUSE_MILLIS: u32 = 60;
const NETWORK_BEEP_PAUSE_MILLIS: u32 = 860;
/// After so long a pause nothing is part of what was before.
const FORGET_MILLIS: u32 = 6_000;

/// What a tone says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The far end rings: told for each ring, 1.5 s after it.
    Ringback,
    /// The far end is busy, or has hung up. Told once for each time that it sounds.
    Busy,
    /// There is no way to the far end. Told only by a detector that knows the country: busy of one is
    /// congestion of another.
    Congestion,
    /// The three tones that an announcement follows, which says why there is no call.
    SpecialInformation,
    /// A fax machine calls (CNG): told for each burst.
    FaxCalling,
    /// A fax machine or a modem has answered (CED).
    FaxAnswering,
    /// One steady tone that belongs to nothing else: a machine records from now on.
    Beep {
        /// Its frequency.
        hz: u16,
        /// How long it was.
        millis: u32,
    },
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ringback => f.write_str("ringback"),
            Self::Busy => f.write_str("busy tone"),
            Self::Congestion => f.write_str("congestion tone"),
            Self::SpecialInformation => f.write_str("special information tone"),
            Self::FaxCalling => f.write_str("calling tone of a fax machine"),
            Self::FaxAnswering => f.write_str("answering tone of a fax machine or a modem"),
            Self::Beep { hz, millis } => write!(f, "a beep of {hz} Hz and {millis} ms"),
        }
    }
}

/// What the call has come to, which decides what tones are listened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Not answered: a single burst may be ringback, and is no beep.
    Ringing,
    /// Answered: a single burst of up to 0.9 s may be a beep. Other ones in the band of networks are still ringback, that of an
    /// exchange which answers before it rings.
    Answered,
}

/// Hears the tones of networks and machines; frames may have any length. Nothing is allocated.
#[derive(Clone, Debug)]
pub struct ProgressDetector {
    framer: Framer,
    listener: Listener,
}

/// What is behind the transform.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    network: Option<&'static NetworkTones>,
    stage: Stage,
    state: State,
    cadence: Cadence,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Idle,
    Sounding(Burst),
    /// `loud` of the last frames were no pause by their level: the edges of tones are so, and what is longer ends
    /// all.
    Pausing {
        after: Burst,
        frames: u32,
        loud: u32,
    },
}

/// A tone that sounds or has sounded.
#[derive(Clone, Copy, Debug)]
struct Burst {
    frames: u32,
    centre: f32,
    spread: f32,
    loudest: f32,
    /// Of all frames but the first and the last, which an edge may lie in.
    inner: Option<Inner>,
    last: Frame,
}

#[derive(Clone, Copy, Debug)]
struct Inner {
    lowest_hz: f32,
    highest_hz: f32,
    quietest: f32,
    loudest: f32,
}

impl ProgressDetector {
    /// Hears what sounds in a network; busy alone, and no congestion, when it is not known which.
    pub fn new(network: Option<&'static NetworkTones>, stage: Stage) -> Self {
        Self { framer: Framer::default(), listener: Listener::new(network, stage) }
    }

    /// Goes on in another stage; what sounds at that time begins anew.
    pub fn enter(&mut self, stage: Stage) {
        self.listener = Listener::new(self.listener.network, stage);
    }

    /// Hears samples.
    pub fn hear(&mut self, mut samples: &[i16], mut told: impl FnMut(Progress)) {
        while !samples.is_empty() {
            let (taken, frame) = self.framer.take(samples);
            samples = &samples[taken..];
            if let Some(progress) = frame.and_then(|frame| self.listener.frame(frame)) {
                told(progress);
            }
        }
    }
}

impl Listener {
    pub(crate) fn new(network: Option<&'static NetworkTones>, stage: Stage) -> Self {
        Self { network, stage, state: State::Idle, cadence: Cadence::default() }
    }

    /// For how many frames one steady line has sounded; 0 until it is too long for a voice.
    pub(crate) fn line_frames(&self) -> u32 {
        match self.state {
            State::Sounding(burst) if burst.is_line() => burst.frames,
            _ => 0,
        }
    }

    /// Whether there is a line of which is not known yet what it is.
    pub(crate) fn is_undecided(&self) -> bool {
        match self.state {
            State::Idle => false,
            State::Sounding(burst) => burst.is_line(),
            State::Pausing { after, frames, .. } => after.is_line() && frames * FRAME_MILLIS < after.over(),
        }
    }

    /// Goes on by a frame.
    pub(crate) fn frame(&mut self, frame: Frame) -> Option<Progress> {
        let is_tone = frame.tonal >= TONAL;
        match self.state {
            State::Idle => {
                if is_tone {
                    self.state = State::Sounding(Burst::new(frame));
                }
                None
            }
            State::Sounding(burst) => {
                if is_tone && burst.goes_on(&frame) {
                    return self.go_on(burst, 0, frame);
                }
                if is_tone && burst.frames == 1 {
                    // An edge sounds like another tone.
                    return self.begin(frame, burst, 0);
                }
                self.state = State::Pausing { after: burst, frames: 1, loud: 1 };
                self.cadence.is_special_information(&burst).then_some(Progress::SpecialInformation)
            }
            State::Pausing { after, frames, loud } => {
                let is_quiet = frame.dbm0 < after.loudest - PAUSE_DB;
                self.pause(frame, after, frames, if is_quiet { 0 } else { loud + 1 })
            }
        }
    }

    fn pause(&mut self, frame: Frame, after: Burst, frames: u32, loud: u32) -> Option<Progress> {
        let millis = frames * FRAME_MILLIS;
        if frame.tonal >= TONAL && frame.dbm0 >= after.loudest - DEEPEST_DB {
            if after.goes_on(&frame) && millis <= BRIDGED_MILLIS {
                return self.go_on(after, frames, frame);
            }
            return self.begin(frame, after, frames);
        }
        if loud * FRAME_MILLIS > BRIDGED_MILLIS || millis >= FORGET_MILLIS {
            self.state = State::Idle;
            self.cadence.clear();
            return None;
        }
        self.state = State::Pausing { after, frames: frames + 1, loud };
        self.judge(after, millis + FRAME_MILLIS)
    }

    /// A tone goes on, perhaps after an interruption of some frames.
    fn go_on(&mut self, mut burst: Burst, interrupted: u32, frame: Frame) -> Option<Progress> {
        let before = burst.millis();
        burst.frames += interrupted;
        burst.add(frame);
        self.state = State::Sounding(burst);
        let is_ced = before < CED_MILLIS && burst.millis() >= CED_MILLIS && burst.is_near(CED_HZ, CED_OFF_HZ);
        is_ced.then_some(Progress::FaxAnswering)
    }

    /// A tone begins after another one and a pause.
    fn begin(&mut self, frame: Frame, before: Burst, pause: u32) -> Option<Progress> {
        self.state = State::Sounding(Burst::new(frame));
        if before.millis() < SHORTEST_MILLIS {
            self.cadence.lengthen_pause(before.frames + pause);
            return None;
        }
        self.cadence.push(before, pause);
        match self.cadence.named(self.network)? {
            Named::Busy => Some(Progress::Busy),
            Named::Congestion => Some(Progress::Congestion),
        }
    }

    /// What a burst was, when it is followed by a pause that has come to a length in ms. Each length comes once.
    fn judge(&self, burst: Burst, pause: u32) -> Option<Progress> {
        let is_network = NETWORK_BAND.contains(&burst.centre);
        let may_ring = self.stage == Stage::Ringing
            || burst.millis() > LONGEST_NETWORK_BEEP_MILLIS
            || self.cadence.goes_on_with(&burst, NETWORK_BEEP_PAUSE_MILLIS);
        if may_ring && is_network && RING_MILLIS.contains(&burst.millis()) {
            return (pause == RING_PAUSE_MILLIS).then_some(Progress::Ringback);
        }
        if burst.is_near(CNG_HZ, CNG_OFF_HZ) && CNG_MILLIS.contains(&burst.millis()) {
            return (pause == CNG_PAUSE_MILLIS).then_some(Progress::FaxCalling);
        }
        let is_ced = burst.is_near(CED_HZ, CED_OFF_HZ) && burst.millis() >= CED_MILLIS;
        let is_beep = self.stage == Stage::Answered
            && pause == burst.over()
            && BEEP_MILLIS.contains(&burst.millis())
            && BEEP_HZ.contains(&burst.centre)
            && burst.is_steady()
            && !is_ced
            && !self.cadence.is_special_information(&burst);
        is_beep.then_some(Progress::Beep { hz: burst.centre.round() as u16, millis: burst.millis() })
    }
}

impl Burst {
    fn new(frame: Frame) -> Self {
        let Frame { dbm0, centre, spread, .. } = frame;
        Self { frames: 1, centre, spread, loudest: dbm0, inner: None, last: frame }
    }

    const fn millis(&self) -> u32 {
        self.frames * FRAME_MILLIS
    }

    fn is_line(&self) -> bool {
        self.millis() >= *BEEP_MILLIS.start() && self.is_steady()
    }

    /// After how long a pause it is known to be a beep, in ms.
    fn over(&self) -> u32 {
        if NETWORK_BAND.contains(&self.centre) { NETWORK_BEEP_PAUSE_MILLIS } else { BEEP_PAUSE_MILLIS }
    }

    fn goes_on(&self, frame: &Frame) -> bool {
        is_same(self.centre, frame.centre) && frame.dbm0 >= self.loudest - DEEPEST_DB
    }

    fn add(&mut self, frame: Frame) {
        if self.frames > 1 {
            let Frame { dbm0, centre, .. } = self.last;
            let inner = self.inner.unwrap_or(Inner {
                lowest_hz: centre,
                highest_hz: centre,
                quietest: dbm0,
                loudest: dbm0,
            });
            self.inner = Some(Inner {
                lowest_hz: inner.lowest_hz.min(centre),
                highest_hz: inner.highest_hz.max(centre),
                quietest: inner.quietest.min(dbm0),
                loudest: inner.loudest.max(dbm0),
            });
        }
        self.frames += 1;
        // The first frame may hold an edge: the second one counts for both.
        let share = if self.frames == 2 { 1.0 } else { 1.0 / self.frames as f32 };
        self.centre += (frame.centre - self.centre) * share;
        self.spread += (frame.spread - self.spread) * share;
        self.loudest = self.loudest.max(frame.dbm0);
        self.last = frame;
    }

    /// One line near a frequency.
    fn is_near(&self, hz: f32, off: f32) -> bool {
        (self.centre - hz).abs() <= off && self.spread <= LINE_HZ
    }

    /// One line, which no voice holds so well: within 1.5% or 12 Hz and 6 dB.
    fn is_steady(&self) -> bool {
        self.spread <= LINE_HZ
            && self.inner.is_some_and(|inner| {
                inner.highest_hz - inner.lowest_hz <= (0.015 * self.centre).max(12.0)
                    && inner.loudest - inner.quietest <= 6.0
            })
    }
}

/// Whether two centres are of the same tone: 3%, or what the beat of two close lines makes of one.
fn is_same(a: f32, b: f32) -> bool {
    (a - b).abs() <= (0.03 * a).max(30.0)
}

#[cfg(test)]
mod tests;
