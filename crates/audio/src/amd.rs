//! Answering-machine detection: whether a person or a machine has answered, by how its greeting goes, at 8 kHz.
//!
//! A person says a word or two and waits; a machine talks on, and beeps. A person who is taken for a machine is
//! hung up on, so whatever is not clearly a machine is a person's.

use crate::progress::{Listener, Progress, Stage};
use crate::spectrum::{FRAME_MILLIS, Frame, Framer};
use std::fmt;

/// What is a pause between two words is no silence, in frames: the closure of a consonant.
const WORD_GAP_FRAMES: u32 = 5;
/// The floor of noise is taken to be between these, in dBm0.
const FLOOR_DBM0: (f32, f32) = (-55.0, -45.0);
/// How fast the floor follows what is louder, in dB a frame: 5 dB a second. A line may be mute before its noise comes.
const FLOOR_RISE_DB: f32 = 0.1;

/// When a greeting is whose. All times in ms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AmdParams {
    /// Without a word for so long after the answer, nothing is known.
    pub initial_silence: u32,
    /// A greeting that is longer is a machine's, pauses between its words included. Where private people are called, 1,900
    /// finds more machines; a company's greeting takes 2 to 3 s (examples/answers.rs shows both for a corpus). A
    /// machine with a shorter greeting is known by its beep.
    pub longest_greeting: u32,
    /// So much silence after a shorter greeting, and it was a person's.
    pub after_greeting: u32,
    /// A sound that is shorter is no word: a click, a breath.
    pub shortest_word: u32,
    /// After so long nothing is known if it is not known by then.
    pub longest_wait: u32,
    /// Speech is louder than this, in dBm0,
    pub speech_dbm0: f32,
    /// and by so many dB louder than the noise of the line.
    pub above_noise_db: f32,
}

/// Who has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Answerer {
    /// A person.
    Human,
    /// An answering machine, a mailbox, or an announcement of the network.
    Machine,
    /// A fax machine or a modem.
    Fax,
    /// It could not be told. Whoever calls should treat it as a person.
    Unknown,
}

/// Why somebody was taken for what he is; its text says so. All times in ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A short greeting, and silence after it.
    ShortGreeting {
        /// From its first word to its last.
        greeting: u32,
        /// After it.
        silence: u32,
    },
    /// A greeting that went on.
    LongGreeting {
        /// Up to now.
        greeting: u32,
    },
    /// A tone that a machine makes.
    Tone(Progress),
    /// Nobody said anything.
    InitialSilence {
        /// Since the answer.
        silence: u32,
    },
    /// Neither silence nor a long greeting within the longest wait.
    TooLong {
        /// Since the answer.
        waited: u32,
    },
}

/// What came of the detection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// Who has answered.
    pub answerer: Answerer,
    /// 0 (a guess) to 1. It ranks verdicts by how far from the limits they were; it is no probability.
    pub confidence: f32,
    /// Why.
    pub cause: Cause,
    /// When it was known, in ms since the answer.
    pub millis: u32,
}

/// What is told while a call is listened to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AmdEvent {
    /// Told once.
    Verdict(Verdict),
    /// A tone after the verdict. With a beep the machine begins to record, whatever the verdict was.
    Tone(Progress),
}

/// Listens from the answer of a call on; frames may have any length. Nothing is allocated.
#[derive(Clone, Debug)]
pub struct AnswerDetector {
    params: AmdParams,
    framer: Framer,
    listener: Listener,
    /// The level of the line's noise, in dBm0; none before the first frame.
    floor: Option<f32>,
    frames: u32,
    phase: Phase,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// No word yet; so many frames of something that may be one.
    Waiting { sound: u32 },
    /// A greeting, from the frame `begin` to that of the last word.
    Greeting { begin: u32, last: u32, sound: u32 },
    /// The verdict was told.
    Told,
}

impl Default for AmdParams {
    /// 3 s of silence, a greeting of 2.8 s, 0.9 s after it, words from 80 ms, 7 s in all, −42 dBm0 and 12 dB.
    fn default() -> Self {
        Self {
            initial_silence: 3_000,
            longest_greeting: 2_800,
            after_greeting: 900,
            shortest_word: 80,
            longest_wait: 7_000,
            speech_dbm0: -42.0,
            above_noise_db: 12.0,
        }
    }
}

impl AnswerDetector {
    /// Begins with the answer.
    pub fn new(params: AmdParams) -> Self {
        Self {
            params,
            framer: Framer::default(),
            listener: Listener::new(None, Stage::Answered),
            floor: None,
            frames: 0,
            phase: Phase::Waiting { sound: 0 },
        }
    }

    /// Hears samples.
    pub fn hear(&mut self, mut samples: &[i16], mut told: impl FnMut(AmdEvent)) {
        while !samples.is_empty() {
            let (taken, frame) = self.framer.take(samples);
            samples = &samples[taken..];
            if let Some(event) = frame.and_then(|frame| self.frame(frame)) {
                told(event);
            }
        }
    }

    fn frame(&mut self, frame: Frame) -> Option<AmdEvent> {
        self.frames += 1;
        let tone = self.listener.frame(frame);
        let is_sound = self.is_sound(frame.dbm0);
        if matches!(self.phase, Phase::Told) {
            return tone.map(AmdEvent::Tone);
        }
        let verdict = tone.and_then(of_tone).or_else(|| self.greeting(is_sound));
        let (answerer, confidence, cause) = verdict?;
        self.phase = Phase::Told;
        let millis = self.frames * FRAME_MILLIS;
        Some(AmdEvent::Verdict(Verdict { answerer, confidence, cause, millis }))
    }

    /// Whether a frame may be of speech. The floor falls to the quietest at once, and rises slowly.
    fn is_sound(&mut self, dbm0: f32) -> bool {
        let (lowest, highest) = FLOOR_DBM0;
        let risen = self.floor.map_or(highest, |floor| floor + FLOOR_RISE_DB);
        let floor = dbm0.min(risen).clamp(lowest, highest);
        self.floor = Some(floor);
        dbm0 >= self.params.speech_dbm0.max(floor + self.params.above_noise_db)
    }

    fn greeting(&mut self, is_sound: bool) -> Option<(Answerer, f32, Cause)> {
        self.forget_line();
        let is_sound = is_sound && self.listener.line_frames() == 0;
        let waited = self.frames * FRAME_MILLIS;
        let word = self.params.shortest_word.div_ceil(FRAME_MILLIS);
        match &mut self.phase {
            Phase::Waiting { sound } => {
                *sound = if is_sound { *sound + 1 } else { 0 };
                if *sound >= word {
                    let begin = self.frames - *sound;
                    self.phase = Phase::Greeting { begin, last: self.frames, sound: word };
                } else if waited >= self.params.initial_silence && *sound == 0 {
                    return Some((Answerer::Unknown, 0.0, Cause::InitialSilence { silence: waited }));
                }
            }
            Phase::Greeting { begin, last, sound } => {
                *sound = if is_sound { *sound + 1 } else { 0 };
                // Within a word each frame counts, after a pause a click does not.
                if is_sound && (self.frames - *last <= WORD_GAP_FRAMES || *sound >= word) {
                    *last = self.frames;
                }
                let greeting = (*last - *begin) * FRAME_MILLIS;
                let silence = (self.frames - *last) * FRAME_MILLIS;
                if greeting > self.params.longest_greeting {
                    return Some((Answerer::Machine, 0.8, Cause::LongGreeting { greeting }));
                }
                if silence >= self.params.after_greeting && !self.listener.is_undecided() {
                    let near = greeting as f32 / self.params.longest_greeting.max(1) as f32;
                    let cause = Cause::ShortGreeting { greeting, silence };
                    return Some((Answerer::Human, 0.95 - 0.4 * near, cause));
                }
            }
            Phase::Told => {}
        }
        let is_over = waited >= self.params.longest_wait && !self.listener.is_undecided();
        is_over.then_some((Answerer::Unknown, 0.0, Cause::TooLong { waited }))
    }

    /// A tone is no word: as soon as it is known to be one, it has been none.
    fn forget_line(&mut self) {
        let line = self.listener.line_frames();
        let Phase::Greeting { begin, last, .. } = &mut self.phase else { return };
        if line > 0 {
            *last = (*last).min(self.frames - line);
            if *last <= *begin {
                self.phase = Phase::Waiting { sound: 0 };
            }
        }
    }
}

/// What a tone says of who has answered; nothing when it is ringback, which an exchange may play.
fn of_tone(tone: Progress) -> Option<(Answerer, f32, Cause)> {
    let (answerer, confidence) = match tone {
        Progress::FaxAnswering | Progress::FaxCalling => (Answerer::Fax, 0.95),
        Progress::Beep { .. } | Progress::SpecialInformation => (Answerer::Machine, 0.95),
        // Of a network that has dropped the call.
        Progress::Busy | Progress::Congestion => (Answerer::Machine, 0.9),
        Progress::Ringback => return None,
    };
    Some((answerer, confidence, Cause::Tone(tone)))
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShortGreeting { greeting, silence } => {
                write!(f, "a greeting of {greeting} ms, then {silence} ms of silence")
            }
            Self::LongGreeting { greeting } => {
                write!(f, "a greeting that was still going on after {greeting} ms")
            }
            Self::Tone(tone) => write!(f, "{tone}"),
            Self::InitialSilence { silence } => write!(f, "nobody spoke within {silence} ms of the answer"),
            Self::TooLong { waited } => write!(f, "neither silence nor a long greeting within {waited} ms"),
        }
    }
}

#[cfg(test)]
mod tests;
