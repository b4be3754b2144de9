//! Digits as telephone-events (RFC 4733), received and sent.

use crate::RtpError;
use clock::{Duration, Time};
use std::collections::VecDeque;

/// After so long without a packet a digit is over, although its end was not seen. Senders repeat
/// events every 20 to 50 ms, so at least three packets were lost in a row.
const SILENCE: Duration = Duration::from_millis(200);
/// A key held longer than 16 bits of duration can say goes on as the next segment (RFC 4733 2.5.1.3).
const SEGMENT: u32 = 0xFFFF;
/// What one command may ask for; a minute and a half of tones.
const MAX_QUEUED: usize = 512;
/// Packets are sent on this beat.
const TICK: Duration = Duration::from_millis(20);
const TICKS_PER_SECOND: u32 = 50;
const TICK_MILLIS: u32 = 1_000 / TICKS_PER_SECOND;
const END_PACKETS: u32 = 3;
/// The longest tone whose duration fits into 16 bits at 48 kHz, in ticks.
const MAX_ON: u32 = SEGMENT / (48_000 / TICKS_PER_SECOND);
/// Event numbers 0 to 15 (RFC 4733 table 3).
const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];
const END: u8 = 0x80;
/// −10 dBm0, as phones send it.
const VOLUME: u8 = 10;

/// A key press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digit {
    /// 0–9, *, #, A–D.
    pub digit: char,
    /// How long it lasted, as far as it is known.
    pub millis: u32,
}

/// Hears each key press once, whatever is lost, doubled or out of order.
#[derive(Clone, Debug, Default)]
pub struct DigitDetector {
    state: State,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Silent,
    Sounding {
        key: Key,
        /// What the segments before this one lasted, in timestamp units.
        before: u32,
        duration: u32,
        /// Of both.
        clock_rate: u32,
        heard: Time,
    },
    /// Told; what still comes of it is a repetition.
    Told(Key),
}

/// What tells one event from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    ssrc: u32,
    event: u8,
    /// Of the event's current segment.
    timestamp: u32,
}

impl DigitDetector {
    /// Takes an event's payload, whose duration counts `clock_rate` units a second. Two digits at once: one whose end was lost, and the next one
    /// whose end this is. Events that are no digit are passed over.
    pub fn packet(
        &mut self,
        now: Time,
        ssrc: u32,
        timestamp: u32,
        clock_rate: u32,
        payload: &[u8],
    ) -> [Option<Digit>; 2] {
        let &[event, flags, high, low, ..] = payload else { return [None; 2] };
        if usize::from(event) >= DIGITS.len() {
            return [None; 2];
        }
        let key = Key { ssrc, event, timestamp };
        let segment = u32::from(u16::from_be_bytes([high, low]));
        let (lost_end, before, duration) = match self.state {
            State::Sounding { key: current, before, duration, .. } if current == key => {
                (None, before, segment.max(duration))
            }
            State::Sounding { key: current, before, .. } if current.next_segment() == key => {
                (None, before.saturating_add(SEGMENT), segment)
            }
            State::Sounding { key: current, .. } | State::Told(current)
                if key.is_before(current, clock_rate) =>
            {
                return [None; 2];
            }
            State::Told(current) if current == key => return [None; 2],
            State::Sounding { .. } => (self.end(), 0, segment),
            State::Told(_) | State::Silent => (None, 0, segment),
        };
        self.state = State::Sounding { key, before, duration, clock_rate, heard: now };
        [lost_end, if flags & END != 0 { self.end() } else { None }]
    }

    /// Tells a digit of which nothing has come for a while.
    pub fn flush(&mut self, now: Time) -> Option<Digit> {
        if self.next_timeout()? > now {
            return None;
        }
        self.end()
    }

    /// When [`flush`](Self::flush) may have something to tell.
    pub fn next_timeout(&self) -> Option<Time> {
        match self.state {
            State::Sounding { heard, .. } => Some(heard + SILENCE),
            State::Silent | State::Told(_) => None,
        }
    }

    fn end(&mut self) -> Option<Digit> {
        let State::Sounding { key, before, duration, clock_rate, .. } = self.state else { return None };
        self.state = State::Told(key);
        let millis = before.saturating_add(duration) / (clock_rate / 1_000).max(1);
        DIGITS.get(usize::from(key.event)).map(|digit| Digit { digit: *digit, millis })
    }
}

impl Key {
    fn next_segment(self) -> Self {
        Self { timestamp: self.timestamp.wrapping_add(SEGMENT), ..self }
    }

    /// Whether this event began a second, or less, before another of the same source: it belongs to one before it.
    fn is_before(self, other: Self, clock_rate: u32) -> bool {
        self.ssrc == other.ssrc && (1..=clock_rate).contains(&other.timestamp.wrapping_sub(self.timestamp))
    }
}

/// One packet of an event that we send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigitPacket {
    /// The RTP payload.
    pub payload: [u8; 4],
    /// Whether it is the event's first packet.
    pub marker: bool,
    /// How long ago the event began, in milliseconds. All packets of an event carry the timestamp of its
    /// beginning.
    pub age_millis: u32,
}

/// Sends digits one after another, a packet or none every 20 ms.
#[derive(Clone, Debug, Default)]
pub struct DigitSender {
    waiting: VecDeque<Tone>,
    /// Ticks since the first of `waiting` began.
    tick: u32,
}

#[derive(Clone, Copy, Debug)]
struct Tone {
    event: u8,
    /// Ticks of tone, and of silence after it.
    on: u32,
    off: u32,
}

impl DigitSender {
    /// Queues a digit: how long it sounds, and how long it is silent before the next. Both are
    /// rounded up to 20 ms, and the silence lasts 40 ms at least, while the end is repeated.
    ///
    /// # Errors
    /// [`RtpError::NotADigit`], [`RtpError::TooManyDigits`]; nothing is queued then.
    pub fn push(&mut self, digit: char, tone: Duration, gap: Duration) -> Result<(), RtpError> {
        if self.waiting.len() == MAX_QUEUED {
            return Err(RtpError::TooManyDigits);
        }
        let wanted = digit.to_ascii_uppercase();
        let event = (0..).zip(DIGITS).find_map(|(event, digit)| (digit == wanted).then_some(event));
        let event = event.ok_or(RtpError::NotADigit(digit))?;
        let on = ticks(tone).clamp(1, MAX_ON);
        self.waiting.push_back(Tone {
            event,
            on,
            off: ticks(tone.saturating_add(gap)).saturating_sub(on).max(END_PACKETS - 1),
        });
        Ok(())
    }

    /// Whether nothing is left to send.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The packet of this 20 ms, if any; without one, and not idle, it is the silence of a gap. Durations are
    /// told in `clock_rate` units a second.
    pub fn tick(&mut self, clock_rate: u32) -> Option<DigitPacket> {
        let tone = *self.waiting.front()?;
        let tick = self.tick;
        self.tick += 1;
        if self.tick >= tone.on + tone.off {
            self.waiting.pop_front();
            self.tick = 0;
        }
        let sounded = (tick + 1).min(tone.on);
        let is_end = tick + 1 >= tone.on;
        if tick + 1 >= tone.on + END_PACKETS {
            return None;
        }
        let duration = u16::try_from(sounded * (clock_rate / TICKS_PER_SECOND)).unwrap_or(u16::MAX);
        let [high, low] = duration.to_be_bytes();
        let flags = if is_end { END | VOLUME } else { VOLUME };
        Some(DigitPacket {
            payload: [tone.event, flags, high, low],
            marker: tick == 0,
            age_millis: tick * TICK_MILLIS,
        })
    }
}

fn ticks(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros().div_ceil(TICK.as_micros())).unwrap_or(u32::MAX / 2)
}
