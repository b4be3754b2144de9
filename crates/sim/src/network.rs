//! What the network does to a datagram; drawn once a seed, from clean to nasty.

use bytes::Bytes;
use clock::{Duration, Time};
use rand_chacha::ChaCha12Rng;

use crate::dice::Dice;

/// Short enough for what is repeated for 32 seconds to get through.
const LONGEST_BURST: Duration = Duration::from_secs(3);

/// The weather of one seed.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    /// Chance of loss outside bursts, in thousandths.
    loss: u32,
    /// Chance that a burst begins with a datagram, in thousandths.
    burst: u32,
    /// Chance of a second copy, in thousandths.
    duplicate: u32,
    /// Chance of a long delay, and so of being overtaken, in thousandths.
    straggle: u32,
    /// Chance that a packet to the switch is spoiled, in thousandths. No network does that, but peers do.
    spoil: u32,
    base: Duration,
    jitter: Duration,
    /// Until then every datagram is swallowed.
    burst_until: Time,
}

impl Network {
    /// Draws the weather: a third of all seeds is clean.
    pub(crate) fn draw(rng: &mut ChaCha12Rng) -> Self {
        let clean = rng.chance(333);
        let up_to = |rng: &mut ChaCha12Rng, max: u32| if clean { 0 } else { rng.below(max + 1) };
        Self {
            loss: up_to(rng, 150),
            burst: up_to(rng, 8),
            duplicate: up_to(rng, 100),
            straggle: up_to(rng, 80),
            spoil: if rng.chance(100) { 30 } else { 0 },
            base: Duration::from_micros(200 + u64::from(rng.below(40_000))),
            jitter: Duration::from_micros(u64::from(up_to(rng, 60_000))),
            burst_until: Time::ZERO,
        }
    }

    /// After which delays copies of one datagram arrive: none if it is lost, two if it is doubled.
    pub(crate) fn carry(&mut self, now: Time, rng: &mut ChaCha12Rng) -> Vec<Duration> {
        if rng.chance(self.burst) {
            self.burst_until = now + rng.within(LONGEST_BURST);
        }
        if now < self.burst_until || rng.chance(self.loss) {
            return Vec::new();
        }
        let copies = if rng.chance(self.duplicate) { 2 } else { 1 };
        (0..copies).map(|_| self.delay(rng)).collect()
    }

    /// Whether packets are spoiled: then nobody need understand what comes of them.
    pub(crate) fn spoils(&self) -> bool {
        self.spoil > 0
    }

    /// A packet, or what became of it: cut short, or with some bytes changed or missing.
    pub(crate) fn spoil(&self, rng: &mut ChaCha12Rng, bytes: &Bytes) -> Bytes {
        if !rng.chance(self.spoil) || bytes.is_empty() {
            return bytes.clone();
        }
        let mut spoiled = bytes.to_vec();
        let at = |rng: &mut ChaCha12Rng, len: usize| rng.below(u32::try_from(len).unwrap_or(1)) as usize;
        match rng.below(4) {
            0 => spoiled.truncate(at(rng, bytes.len())),
            1 => {
                spoiled.remove(at(rng, bytes.len()));
            }
            2 => {
                let from = at(rng, bytes.len());
                let end = (from + at(rng, 40)).min(bytes.len());
                spoiled.drain(from..end);
            }
            _ => {
                for _ in 0..1 + rng.below(3) {
                    let place = at(rng, bytes.len());
                    spoiled[place] = rng.pick(b" \r\n\t\0:;,<>\"@=0919azAZ\xff\x80%");
                }
            }
        }
        spoiled.into()
    }

    /// How long a packet is under way.
    pub(crate) fn delay(&self, rng: &mut ChaCha12Rng) -> Duration {
        let jitter = rng.within(self.jitter);
        let straggle =
            if rng.chance(self.straggle) { rng.within(Duration::from_millis(800)) } else { Duration::ZERO };
        self.base + jitter + straggle
    }
}
