//! A network between the speaking party and the engine, by a seed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// So many packets in a thousand come twice, where there is jitter.
const DOUBLED: u64 = 5;

/// Packets under way. Each takes a time of its own between nothing and the jitter, so that they overtake each other
/// where it is longer than a packet.
pub(crate) struct Network {
    /// In percent; whether a packet is lost says nothing of the next.
    pub(crate) loss: u64,
    /// In milliseconds.
    pub(crate) jitter: u64,
    /// Packets that do not arrive.
    pub(crate) lost: u64,
    random: u64,
    taken: u64,
    under_way: BinaryHeap<Reverse<(Duration, u64, Vec<u8>)>>,
}

impl Network {
    pub(crate) fn new(loss: u64, jitter: u64) -> Self {
        Self { loss, jitter, lost: 0, random: 20_261_130, taken: 0, under_way: BinaryHeap::new() }
    }

    /// Takes a packet that is sent at that moment. The same packets are lost at every jitter, and those of a loss are
    /// among those of a higher one.
    pub(crate) fn send(&mut self, now: Duration, packet: Vec<u8>) {
        let [loss, delay, double, again] = [(); 4].map(|()| self.next());
        if loss % 10_000 < self.loss * 100 {
            self.lost += 1;
            return;
        }
        let after = |random: u64| now + Duration::from_micros(random % (self.jitter * 1_000 + 1));
        let (first, second) = (after(delay), after(again));
        if self.jitter > 0 && double % 1_000 < DOUBLED {
            self.put(second, packet.clone());
        }
        self.put(first, packet);
    }

    /// A packet that has arrived by now.
    pub(crate) fn arrived(&mut self, now: Duration) -> Option<Vec<u8>> {
        self.under_way.peek().filter(|Reverse((due, ..))| *due <= now)?;
        self.under_way.pop().map(|Reverse((.., packet))| packet)
    }

    fn put(&mut self, due: Duration, packet: Vec<u8>) {
        self.taken += 1;
        self.under_way.push(Reverse((due, self.taken, packet)));
    }

    /// Steele and Lea's SplitMix64.
    fn next(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}
