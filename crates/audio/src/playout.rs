use crate::delay::Delay;
use crate::stretch::{self, Need};
use crate::{Decoder, MAX_SAMPLES, Rate};
use clock::Time;
use rtp::{Codec, Header};

/// Packets that may wait: 480 ms of 20 ms.
const SLOTS: u16 = 24;
/// Room for 20 ms of every codec but L16, whose packets make room for themselves once.
const USUAL_BYTES: usize = 160;
/// A sequence number that is further away from the one expected begins a new time line.
const NEAR: u16 = 1_000;
/// And so does a timestamp.
const NEAR_SECONDS: u32 = 60;
/// The playing packet may wait so much more than it should before the sound is made shorter, in µs, and more than
/// that by as much as is pulled at a time, since a packet may have to wait for the next pull.
const SLACK: i64 = 5_000;
/// With so much more it is made shorter wherever it can be, and not where nobody hears it alone.
const URGENT: i64 = 60_000;
/// At most one period is put in or left out in so many packets, so that nobody hears it.
const CALM: u32 = 4;
/// What is made up at a time while nothing comes, and how long that goes on.
const HOLE_MILLIS: usize = 10;
const PAUSE_MILLIS: usize = 100;

/// A party's packets on their way to a listener: put in order, late by no more than their jitter needs,
/// decoded, and made up where they are missing.
///
/// The wait follows what the network does: sound is stretched by single periods of the voice
/// when it changes, and so is the drift between the party's clock and ours.
#[derive(Debug)]
pub struct Playout {
    rate: Rate,
    slots: Vec<Slot>,
    delay: Delay,
    line: Option<Line>,
    decoder: Option<Decoder>,
    /// Decoded and not yet taken: from `taken` on.
    sound: Vec<i16>,
    taken: usize,
    stats: PlayoutStats,
}

/// What was heard of a party and how, in samples at the rate of the playout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlayoutStats {
    /// Decoded.
    pub decoded: u64,
    /// Made up in place of packets that were lost or late.
    pub concealed: u64,
    /// Put in or left out to follow jitter and drift.
    pub stretched: u64,
    /// Packets that came after their turn.
    pub late: u64,
}

/// One source's time line.
#[derive(Clone, Copy, Debug)]
struct Line {
    ssrc: u32,
    codec: Codec,
    /// The sequence number to be played next.
    next: u16,
    /// The timestamp to be played next, and the newest that came, counted on without wrapping.
    playhead: i64,
    newest: i64,
    state: State,
    /// Timestamp units of the last packet.
    step: i64,
    /// Packets since the sound was stretched.
    calm: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A talkspurt begins as soon as its first packet has waited long enough.
    Waiting,
    Playing,
    /// The packet to be played has not come, nor any after it: so many samples were made up meanwhile.
    Dry(usize),
}

#[derive(Clone, Debug, Default)]
struct Slot {
    /// `None` if it is empty.
    sequence: Option<u16>,
    timestamp: i64,
    /// `None` for a telephone-event.
    codec: Option<Codec>,
    payload: Vec<u8>,
}

impl Playout {
    /// A playout at `rate` that has heard nothing.
    pub fn new(rate: Rate) -> Self {
        let slot = || Slot { payload: Vec::with_capacity(USUAL_BYTES), ..Slot::default() };
        Self {
            rate,
            slots: std::iter::repeat_with(slot).take(SLOTS.into()).collect(),
            delay: Delay::new(),
            line: None,
            decoder: None,
            sound: Vec::with_capacity(4 * MAX_SAMPLES),
            taken: 0,
            stats: PlayoutStats::default(),
        }
    }

    /// Samples a second of what [`pull`](Self::pull) gives.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// What was counted so far.
    pub fn stats(&self) -> PlayoutStats {
        self.stats
    }

    /// Takes a packet of voice.
    pub fn insert(&mut self, now: Time, header: &Header, codec: Codec, payload: &[u8]) {
        let timestamp = self.follow(header, codec);
        self.delay.packet(transit(now, timestamp, codec));
        self.store(header, timestamp, Some(codec), payload);
    }

    /// Takes note of a packet of a telephone-event: its number is not missing among those of the voice.
    pub fn skip(&mut self, header: &Header) {
        if let Some(line) = self.line.filter(|line| line.ssrc == header.ssrc) {
            self.store(header, line.newest, None, &[]);
        }
    }

    /// Fills `out` with what is to be heard from `now` on: silence where nothing is said.
    pub fn pull(&mut self, now: Time, out: &mut [i16]) {
        let mut filled = 0;
        let pull = (out.len() * 1_000 / self.rate.per_milli()) as i64;
        while filled < out.len() {
            if self.taken == self.sound.len() {
                self.sound.clear();
                self.taken = 0;
                // What is taken now must have come by now, wherever in `out` it begins.
                self.produce(now.micros().cast_signed(), pull);
            }
            let count = (out.len() - filled).min(self.sound.len() - self.taken);
            out[filled..filled + count].copy_from_slice(&self.sound[self.taken..self.taken + count]);
            filled += count;
            self.taken += count;
        }
    }

    /// The packet's timestamp, counted on; begins a new time line where its source has begun one.
    fn follow(&mut self, header: &Header, codec: Codec) -> i64 {
        if let Some(line) = &mut self.line
            && line.ssrc == header.ssrc
            && line.codec.clock_rate() == codec.clock_rate()
            && header.sequence.wrapping_sub(line.next).cast_signed().unsigned_abs() < NEAR
            && let step = header.timestamp.wrapping_sub(line.newest as u32).cast_signed()
            && step.unsigned_abs() < NEAR_SECONDS * codec.clock_rate()
        {
            let timestamp = line.newest + i64::from(step);
            line.newest = line.newest.max(timestamp);
            line.codec = codec;
            return timestamp;
        }
        let timestamp = i64::from(header.timestamp);
        self.slots.iter_mut().for_each(|slot| slot.sequence = None);
        self.line = Some(Line {
            ssrc: header.ssrc,
            codec,
            next: header.sequence,
            playhead: timestamp,
            newest: timestamp,
            state: State::Waiting,
            step: i64::from(codec.clock_rate() / 50),
            calm: 0,
        });
        timestamp
    }

    fn store(&mut self, header: &Header, timestamp: i64, codec: Option<Codec>, payload: &[u8]) {
        let Some(line) = &mut self.line else { return };
        let ahead = header.sequence.wrapping_sub(line.next);
        if ahead >= NEAR {
            // Before the beginning was played it may still become another one.
            let behind = line.next.wrapping_sub(header.sequence);
            let (begun, span) = (self.stats.decoded > 0, self.span());
            let Some(line) = self
                .line
                .as_mut()
                .filter(|line| line.state == State::Waiting && !begun && behind < SLOTS - span)
            else {
                self.stats.late += 1;
                return;
            };
            line.next = header.sequence;
        } else if ahead >= SLOTS {
            // A burst after an outage: only its end can be played in time.
            line.next = header.sequence.wrapping_sub(SLOTS - 1);
            line.state = State::Waiting;
            self.forget_before_next();
        }
        let slot = &mut self.slots[usize::from(header.sequence % SLOTS)];
        slot.sequence = Some(header.sequence);
        slot.timestamp = timestamp;
        slot.codec = codec;
        slot.payload.clear();
        slot.payload.extend_from_slice(payload);
    }

    /// How many slots there are from the next to the last full one.
    fn span(&self) -> u16 {
        let Some(line) = self.line else { return 0 };
        let ahead = |slot: &Slot| Some(slot.sequence?.wrapping_sub(line.next) + 1);
        self.slots.iter().filter_map(ahead).max().unwrap_or(0)
    }

    fn forget_before_next(&mut self) {
        let Some(line) = self.line else { return };
        let is_past = |sequence: u16| sequence.wrapping_sub(line.next) >= SLOTS;
        for slot in &mut self.slots {
            slot.sequence = slot.sequence.filter(|sequence| !is_past(*sequence));
        }
    }

    fn full(&self, sequence: u16) -> Option<usize> {
        let index = usize::from(sequence % SLOTS);
        (self.slots[index].sequence == Some(sequence)).then_some(index)
    }

    /// The first packet that has come of those that are to be played.
    fn first(&self, next: u16) -> Option<(u16, usize)> {
        (0..SLOTS).find_map(|ahead| {
            let sequence = next.wrapping_add(ahead);
            Some((sequence, self.full(sequence)?))
        })
    }

    /// How much longer the timestamp has waited at `now` than it should, in microseconds.
    fn excess(&self, now: i64, timestamp: i64, codec: Codec) -> i64 {
        self.delay.behind_fastest(now - micros(timestamp, codec)) - self.delay.target()
    }

    /// Puts at least one sample into the empty `sound`, of which so many microseconds are `pull`ed at a time.
    fn produce(&mut self, now: i64, pull: i64) {
        while self.sound.is_empty() {
            let Some(line) = self.line else { return self.rest() };
            let Some((sequence, index)) = self.first(line.next) else { return self.run_dry(line) };
            let slot = &self.slots[index];
            let (timestamp, codec) = (slot.timestamp, slot.codec);
            let Some(codec) = codec else {
                self.slots[index].sequence = None;
                let state = State::Waiting;
                self.line = Some(Line { next: sequence.wrapping_add(1), state, ..line });
                continue;
            };
            let missing = i64::from(sequence.wrapping_sub(line.next));
            let gap = timestamp - line.playhead - missing * line.step;
            if line.state == State::Waiting || gap.abs() > line.step / 2 {
                // A talkspurt, or another time line, begins with this packet.
                if self.excess(now, timestamp, codec) < 0 && self.span() < SLOTS {
                    self.line = Some(Line { state: State::Waiting, ..line });
                    return self.rest();
                }
                let state = State::Playing;
                self.line = Some(Line { next: sequence, playhead: timestamp, state, ..line });
            } else if missing > 0 {
                self.replace_lost(line, index, missing == 1);
                continue;
            }
            self.play(now, pull, index, codec);
        }
    }

    /// Nothing is said.
    fn rest(&mut self) {
        if let Some(decoder) = &mut self.decoder {
            let samples = HOLE_MILLIS * self.rate.per_milli();
            self.sound.resize(samples, 0);
            if decoder.codec() != Codec::Opus {
                decoder.conceal(&mut self.sound);
            }
        } else {
            self.sound.resize(HOLE_MILLIS * self.rate.per_milli(), 0);
        }
    }

    /// Nothing has come: what was heard goes on for a while.
    fn run_dry(&mut self, line: Line) {
        let samples = HOLE_MILLIS * self.rate.per_milli();
        let state = match line.state {
            State::Waiting => State::Waiting,
            State::Playing => State::Dry(samples),
            State::Dry(before) if before >= PAUSE_MILLIS * self.rate.per_milli() => State::Waiting,
            State::Dry(before) => State::Dry(before + samples),
        };
        self.line = Some(Line { state, ..line });
        self.sound.resize(samples, 0);
        if let (State::Dry(_), Some(decoder)) = (state, &mut self.decoder) {
            decoder.conceal(&mut self.sound);
        }
    }

    /// The packet before the one in `following` was lost. What was made up while waiting for it stands for as much of it:
    /// what is left to be made up is the rest.
    fn replace_lost(&mut self, line: Line, following: usize, is_neighbour: bool) {
        let samples = (line.step * i64::from(self.rate.hz()) / i64::from(line.codec.clock_rate())) as usize;
        let samples = samples.clamp(1, MAX_SAMPLES);
        let (state, made_up) = match line.state {
            State::Dry(made_up) => (State::Dry(made_up.saturating_sub(samples)), made_up.min(samples)),
            state => (state, 0),
        };
        let (next, playhead) = (line.next.wrapping_add(1), line.playhead + line.step);
        self.line = Some(Line { next, playhead, state, ..line });
        let Some(decoder) = &mut self.decoder else { return };
        self.stats.concealed += samples as u64;
        self.sound.resize(samples - made_up, 0);
        if is_neighbour && made_up == 0 {
            decoder.recover(&self.slots[following].payload, &mut self.sound);
        } else {
            decoder.conceal(&mut self.sound);
        }
    }

    /// Decodes the packet in a slot, and stretches it if it is due much earlier or later than it should be.
    fn play(&mut self, now: i64, pull: i64, index: usize, codec: Codec) {
        let Some(mut line) = self.line else { return };
        let excess = self.excess(now, line.playhead, codec);
        let mut room = [0; 2 * MAX_SAMPLES];
        let mut count = self.decode(index, codec, &mut room);
        if let State::Dry(made_up) = line.state {
            self.stats.concealed += made_up as u64;
        }
        line.state = State::Playing;
        line.calm += 1;
        line.step = count as i64 * i64::from(codec.clock_rate()) / i64::from(self.rate.hz());
        line.next = line.next.wrapping_add(1);
        line.playhead += line.step;
        if !(0..=pull + SLACK).contains(&excess) && line.calm > CALM {
            let least = stretch::LEAST_MILLIS * self.rate.per_milli();
            if count < least
                && let Some(index) = self.full(line.next)
                && self.slots[index].codec == Some(codec)
                && self.slots[index].timestamp == line.playhead
            {
                count += self.decode(index, codec, &mut room[count..]);
                line.next = line.next.wrapping_add(1);
                line.playhead += line.step;
            }
            let change = if excess > 0 { stretch::shorter } else { stretch::longer };
            let need = if excess > pull + URGENT { Need::Now } else { Need::Unheard };
            let stretched = change(&mut room, count, self.rate, need);
            if stretched != count {
                line.calm = 0;
            }
            self.stats.stretched += stretched.abs_diff(count) as u64;
            count = stretched;
        }
        self.line = Some(line);
        self.sound.extend_from_slice(&room[..count]);
    }

    /// Decodes the packet in a slot into the start of `room`; how many samples. What its codec does not
    /// understand is lost.
    fn decode(&mut self, index: usize, codec: Codec, room: &mut [i16]) -> usize {
        let slot = &mut self.slots[index];
        slot.sequence = None;
        if self.decoder.as_ref().is_none_or(|decoder| decoder.codec() != codec) {
            self.decoder = Decoder::new(codec, self.rate).ok();
        }
        let usual = 20 * self.rate.per_milli();
        let Some(decoder) = &mut self.decoder else {
            room[..usual].fill(0);
            return usual;
        };
        match decoder.decode(&slot.payload, room) {
            Ok(count) if count > 0 => {
                self.stats.decoded += count as u64;
                count
            }
            _ => {
                decoder.conceal(&mut room[..usual]);
                self.stats.concealed += usual as u64;
                usual
            }
        }
    }
}

fn micros(timestamp: i64, codec: Codec) -> i64 {
    timestamp * 1_000_000 / i64::from(codec.clock_rate())
}

fn transit(now: Time, timestamp: i64, codec: Codec) -> i64 {
    now.micros().cast_signed() - micros(timestamp, codec)
}
