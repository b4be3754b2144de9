use crate::rtcp::ReportBlock;
use crate::{Header, LossPattern};
use clock::Time;

/// A jump ahead by more is a restart (RFC 3550 A.1).
const MAX_DROPOUT: u16 = 3_000;
/// Packets that are this much late can still be told from repeated ones.
const WINDOW: u16 = 64;

/// What is received of a peer: loss, order and jitter (RFC 3550 A.1, A.3, A.8).
#[derive(Clone, Debug, Default)]
pub struct Reception {
    run: Option<Run>,
    /// Of the runs before: a source that changes its SSRC begins a new run.
    received_before: u64,
    lost_before: u64,
    pattern_before: LossPattern,
    jitter: Jitter,
}

/// How a packet stands among those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The first of a source, or of one that has restarted.
    First,
    /// Newer than all before; some between may be missing.
    Next,
    /// Missing until now.
    Late,
    /// Repeated, or too late to tell, or the first after a jump that the next must confirm.
    Stale,
}

/// Packets of one SSRC in one numbering.
#[derive(Clone, Copy, Debug)]
struct Run {
    ssrc: u32,
    /// Extended sequence numbers.
    first: u64,
    highest: u64,
    /// Which of the packets up to `highest` have come; bit 0 is `highest`.
    seen: u64,
    received: u64,
    /// Of the packets that are older than those of `seen`.
    pattern: LossPattern,
    /// What would follow a jump, if it is a restart.
    after_jump: Option<u16>,
    /// At the last report (RFC 3550 A.3).
    reported: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    expected: u64,
    received: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Jitter {
    transit: Option<u32>,
    /// Timestamp units a second.
    clock_rate: u32,
    /// In sixteenths of a timestamp unit.
    scaled: u32,
    measured: bool,
}

impl Reception {
    /// Counts a packet. `clock_rate` is that of its timestamps if they tell when it was made; those of an
    /// event do not.
    pub fn packet(&mut self, now: Time, header: &Header, clock_rate: Option<u32>) -> Arrival {
        let arrival = match &mut self.run {
            Some(run) if run.ssrc == header.ssrc => run.packet(header.sequence),
            _ => Arrival::First,
        };
        if arrival == Arrival::First {
            self.received_before += self.run.map_or(0, |run| run.received);
            self.lost_before += self.run.map_or(0, |run| run.lost());
            if let Some(run) = &self.run {
                self.pattern_before.add(&run.pattern());
            }
            self.run = Some(Run::new(header.ssrc, header.sequence));
            self.jitter.transit = None;
        }
        if let Some(clock_rate) = clock_rate.filter(|_| arrival != Arrival::Stale) {
            self.jitter.packet(now, header.timestamp, clock_rate);
        }
        arrival
    }

    /// Packets that came, repeated ones left out.
    pub fn received(&self) -> u64 {
        self.received_before + self.run.map_or(0, |run| run.received)
    }

    /// Packets missing by sequence number.
    pub fn lost(&self) -> u64 {
        self.lost_before + self.run.map_or(0, |run| run.lost())
    }

    /// How the losses lie.
    pub fn pattern(&self) -> LossPattern {
        let mut pattern = self.pattern_before;
        if let Some(run) = &self.run {
            pattern.add(&run.pattern());
        }
        pattern
    }

    /// What a report says of the source that is heard (RFC 3550 6.4.1), but for the sender report that it
    /// answers; the next one's share of loss counts from here. `None` if none is heard.
    pub fn report(&mut self) -> Option<ReportBlock> {
        let run = self.run.as_mut()?;
        let counts = Counts { expected: run.highest - run.first + 1, received: run.received };
        let expected = counts.expected.saturating_sub(run.reported.expected);
        let lost = expected.saturating_sub(counts.received - run.reported.received);
        run.reported = counts;
        // Numbers begin one cycle up in a run.
        let highest = (run.highest - 0x1_0000) as u32;
        Some(ReportBlock {
            ssrc: run.ssrc,
            fraction_lost: (lost * 256).checked_div(expected).unwrap_or(0).min(255) as u8,
            lost: i32::try_from(run.lost()).unwrap_or(i32::MAX),
            highest,
            jitter: self.jitter.scaled >> 4,
            last_report: 0,
            delay: 0,
        })
    }

    /// Interarrival jitter in microseconds; `None` before two packets could be compared.
    pub fn jitter_micros(&self) -> Option<u32> {
        let micros =
            u64::from(self.jitter.scaled) * 1_000_000 / (16 * u64::from(self.jitter.clock_rate.max(1)));
        self.jitter.measured.then(|| u32::try_from(micros).unwrap_or(u32::MAX))
    }
}

impl Run {
    fn new(ssrc: u32, sequence: u16) -> Self {
        // One cycle up, so that a packet from before the first does not go below zero.
        let first = 0x1_0000 + u64::from(sequence);
        Self {
            ssrc,
            first,
            highest: first,
            seen: 1,
            received: 1,
            pattern: LossPattern::default(),
            after_jump: None,
            reported: Counts::default(),
        }
    }

    fn packet(&mut self, sequence: u16) -> Arrival {
        let ahead = sequence.wrapping_sub(self.highest as u16);
        let behind = 0_u16.wrapping_sub(ahead);
        if ahead == 0 {
            Arrival::Stale
        } else if ahead < MAX_DROPOUT {
            self.pattern = self.settled(ahead);
            self.highest += u64::from(ahead);
            self.seen = self.seen.checked_shl(u32::from(ahead)).unwrap_or(0) | 1;
            self.received += 1;
            self.after_jump = None;
            Arrival::Next
        } else if behind < WINDOW {
            let bit = 1 << behind;
            if self.seen & bit != 0 {
                return Arrival::Stale;
            }
            self.seen |= bit;
            self.first = self.first.min(self.highest - u64::from(behind));
            self.received += 1;
            Arrival::Late
        } else if self.after_jump == Some(sequence) {
            Arrival::First
        } else {
            self.after_jump = Some(sequence.wrapping_add(1));
            Arrival::Stale
        }
    }

    /// How the losses lie, the newest packets included.
    fn pattern(&self) -> LossPattern {
        self.settled(WINDOW)
    }

    /// The pattern with the oldest packets of `seen` that so many newer ones push out, and those between that can
    /// come no more.
    fn settled(&self, newer: u16) -> LossPattern {
        let mut pattern = self.pattern;
        let oldest = self.highest + 1 - u64::from(WINDOW);
        for number in oldest.max(self.first)..oldest + u64::from(newer) {
            let age = self.highest.checked_sub(number);
            if age.is_some_and(|age| self.seen >> age & 1 != 0) { pattern.received() } else { pattern.lost() }
        }
        pattern
    }

    fn lost(&self) -> u64 {
        (self.highest - self.first + 1).saturating_sub(self.received)
    }
}

impl Jitter {
    fn packet(&mut self, now: Time, timestamp: u32, clock_rate: u32) {
        if clock_rate != self.clock_rate {
            *self = Self { clock_rate, ..Self::default() };
        }
        // The clock wraps with the timestamps.
        let arrival = (now.micros() * u64::from(clock_rate) / 1_000_000) as u32;
        let transit = arrival.wrapping_sub(timestamp);
        let step = self.transit.map(|last| (transit.wrapping_sub(last).cast_signed()).unsigned_abs());
        // A jump of the timestamp against the clock by more than a second is a new beginning, not jitter.
        if let Some(step) = step.filter(|step| *step <= clock_rate) {
            self.scaled = self.scaled + step - ((self.scaled + 8) >> 4);
            self.measured = true;
        }
        self.transit = Some(transit);
    }
}
