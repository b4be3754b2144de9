use crate::Header;
use clock::{Duration, Time};

/// A packet that is this much older than the newest one sent no longer helps anybody.
const MAX_LATE: u16 = 64;
/// A source that jumps ahead by more has restarted (RFC 3550 A.1).
const MAX_DROPOUT: u16 = 3_000;
/// After a pause of our own voice shorter than this its timestamps go on without a gap: the
/// engine was late, not silent.
const PAUSE: Duration = Duration::from_millis(100);
/// So many packets of this much a second: how far a new source's timestamps are at least from the last one's.
const MIN_STEPS: u32 = 50;

/// The one stream that a peer sees, whatever it is made of: prompts, digits, a bridged party,
/// another one. One SSRC, sequence numbers without holes of ours, timestamps that follow the clock.
#[derive(Clone, Debug)]
pub struct Rewriter {
    ssrc: u32,
    /// Timestamp units a second.
    clock_rate: u32,
    next_sequence: u16,
    /// The newest timestamp sent.
    timestamp: u32,
    origin: Origin,
}

/// Who spoke last, and when (of the newest timestamp).
#[derive(Clone, Copy, Debug)]
enum Origin {
    Nobody,
    Local { at: Time },
    Remote { at: Time, mapping: Mapping },
}

/// How a source's numbers become ours.
#[derive(Clone, Copy, Debug)]
struct Mapping {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    /// How many of our sequence numbers belong to this source, as far as late packets matter.
    span: u16,
}

impl Rewriter {
    /// A stream that begins with these numbers, which should be random (RFC 3550 5.1).
    pub fn new(ssrc: u32, sequence: u16, timestamp: u32) -> Self {
        Self { ssrc, clock_rate: 8_000, next_sequence: sequence, timestamp, origin: Origin::Nobody }
    }

    /// From here on timestamps count so many units a second. What was sent before is another source's then, so
    /// that the peer begins anew (RFC 7160 section 4.1).
    pub fn retime(&mut self, clock_rate: u32) {
        if clock_rate != self.clock_rate {
            self.clock_rate = clock_rate;
            if !matches!(self.origin, Origin::Nobody) {
                // Any other number will do.
                self.ssrc = self.ssrc.rotate_left(1) ^ 0x5A5A_A5A5;
                self.origin = Origin::Nobody;
            }
        }
    }

    /// The SSRC of all that is sent.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The timestamp that goes with a moment (RFC 3550 6.4.1).
    pub fn timestamp_at(&self, now: Time) -> u32 {
        let (Origin::Local { at } | Origin::Remote { at, .. }) = self.origin else { return self.timestamp };
        // Timestamps wrap, and so may the time that has passed.
        self.timestamp
            .wrapping_add((now.since(at).as_micros() * u128::from(self.clock_rate) / 1_000_000) as u32)
    }

    /// The header under which a bridged party's packet goes out. Its holes and its order stay as
    /// they came. `None` for a packet from before the source took over, or far too late.
    pub fn forward(&mut self, now: Time, source: &Header, payload_type: u8) -> Option<Header> {
        let (mapping, begins) = match self.origin {
            Origin::Remote { mapping, .. } if mapping.ssrc == source.ssrc => {
                match self.place(mapping, source) {
                    Place::Next => (mapping, false),
                    Place::Late => return Some(self.mapped(mapping, source, payload_type)),
                    Place::Old => return None,
                    Place::Jump => (self.map(now, source), true),
                }
            }
            _ => (self.map(now, source), true),
        };
        let header = self.mapped(mapping, source, payload_type);
        let advanced = header.timestamp.wrapping_sub(self.timestamp).cast_signed() > 0;
        let at = match self.origin {
            Origin::Remote { at, .. } if !begins && !advanced => at,
            _ => now,
        };
        if advanced || begins {
            self.timestamp = header.timestamp;
        }
        let next = header.sequence.wrapping_add(1);
        let span = mapping.span.saturating_add(next.wrapping_sub(self.next_sequence)).min(MAX_LATE);
        self.next_sequence = next;
        self.origin = Origin::Remote { at, mapping: Mapping { span, ..mapping } };
        Some(Header { marker: header.marker || begins, ..header })
    }

    /// The header of a packet of our own voice with so many samples.
    pub fn local(&mut self, now: Time, samples: u32, payload_type: u8) -> Header {
        let begins = self.advance(now, samples);
        self.numbered(begins, self.timestamp, payload_type)
    }

    /// The header of a packet of an event of our own that began `age` timestamp units ago;
    /// `marker` says that it is the event's first.
    pub fn local_event(
        &mut self,
        now: Time,
        samples: u32,
        age: u32,
        marker: bool,
        payload_type: u8,
    ) -> Header {
        self.advance(now, samples);
        self.numbered(marker, self.timestamp.wrapping_sub(age), payload_type)
    }

    /// Our own voice is silent for so many samples, on purpose.
    pub fn local_pause(&mut self, now: Time, samples: u32) {
        self.advance(now, samples);
    }

    /// Moves the timestamp to our own next packet; whether a talkspurt begins with it.
    fn advance(&mut self, now: Time, samples: u32) -> bool {
        let begins = match self.origin {
            Origin::Local { at } => now - at >= PAUSE,
            Origin::Nobody | Origin::Remote { .. } => true,
        };
        self.timestamp = if begins { self.fresh(now) } else { self.timestamp.wrapping_add(samples) };
        self.origin = Origin::Local { at: now };
        begins
    }

    fn numbered(&mut self, marker: bool, timestamp: u32, payload_type: u8) -> Header {
        let sequence = self.next_sequence;
        self.next_sequence = sequence.wrapping_add(1);
        Header { payload_type, marker, sequence, timestamp, ssrc: self.ssrc }
    }

    /// The timestamp of something new: as much later as the clock says.
    fn fresh(&self, now: Time) -> u32 {
        let (Origin::Local { at } | Origin::Remote { at, .. }) = self.origin else { return self.timestamp };
        let elapsed = (now - at).as_micros() * u128::from(self.clock_rate) / 1_000_000;
        // Timestamps wrap, and so may the time that has passed.
        self.timestamp.wrapping_add((elapsed as u32).max(self.clock_rate / MIN_STEPS))
    }

    fn map(&self, now: Time, source: &Header) -> Mapping {
        Mapping {
            ssrc: source.ssrc,
            sequence: self.next_sequence.wrapping_sub(source.sequence),
            timestamp: self.fresh(now).wrapping_sub(source.timestamp),
            span: 0,
        }
    }

    fn mapped(&self, mapping: Mapping, source: &Header, payload_type: u8) -> Header {
        Header {
            payload_type,
            marker: source.marker,
            sequence: source.sequence.wrapping_add(mapping.sequence),
            timestamp: source.timestamp.wrapping_add(mapping.timestamp),
            ssrc: self.ssrc,
        }
    }

    fn place(&self, mapping: Mapping, source: &Header) -> Place {
        let sequence = source.sequence.wrapping_add(mapping.sequence);
        let ahead = sequence.wrapping_sub(self.next_sequence);
        let behind = self.next_sequence.wrapping_sub(sequence);
        if ahead < MAX_DROPOUT {
            Place::Next
        } else if behind <= mapping.span {
            Place::Late
        } else if behind < MAX_DROPOUT {
            Place::Old
        } else {
            Place::Jump
        }
    }
}

/// Where a source's packet stands among those that were sent of it.
enum Place {
    Next,
    Late,
    /// From before the source took over, or too late.
    Old,
    Jump,
}
