//! Draws from the seed's random source.

use clock::Duration;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::Rng as _;

/// What the world asks of its random source.
pub(crate) trait Dice {
    /// A number from 0 up to, not including, `below`.
    fn below(&mut self, below: u32) -> u32;
    /// True in `thousandths` of 1,000 cases.
    fn chance(&mut self, thousandths: u32) -> bool;
    /// A duration from zero to `most`.
    fn within(&mut self, most: Duration) -> Duration;
    /// One of them.
    fn pick<T: Copy>(&mut self, from: &[T]) -> T;
}

impl Dice for ChaCha12Rng {
    fn below(&mut self, below: u32) -> u32 {
        self.next_u32() % below.max(1)
    }

    fn chance(&mut self, thousandths: u32) -> bool {
        self.below(1000) < thousandths
    }

    fn within(&mut self, most: Duration) -> Duration {
        let micros = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.next_u64() % (micros + 1))
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(u32::try_from(from.len()).unwrap_or(1)) as usize]
    }
}
