//! What must be unguessable: tags, branches, Call-IDs, nonces (RFC 3261 sections 8.1.1.4, 8.1.1.7, 19.3).

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The endpoint's source of randomness.
pub(super) struct Tokens {
    rng: ChaCha12Rng,
    secret: [u64; 2],
}

impl Tokens {
    /// The same seed gives the same tokens.
    pub(super) fn new(seed: [u8; 32]) -> Self {
        let mut rng = ChaCha12Rng::from_seed(seed);
        let secret = [rng.next_u64(), rng.next_u64()];
        Self { rng, secret }
    }

    /// 64 bits that were not used before.
    pub(super) fn next(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// A Call-ID.
    pub(super) fn call_id(&mut self) -> String {
        format!("{:016x}{:016x}", self.next(), self.next())
    }

    /// A number below `limit`, for a random delay.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// A tag that is the same for the same `parts`, for answers that keep no state (8.2.7).
    pub(super) fn stateless_tag(&self, parts: &[&str]) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.secret.hash(&mut hasher);
        parts.hash(&mut hasher);
        hasher.finish()
    }
}

impl fmt::Debug for Tokens {
    /// Nothing: who knows the state can guess what follows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_all_tokens() {
        let (mut a, mut b, mut c) = (Tokens::new([1; 32]), Tokens::new([1; 32]), Tokens::new([2; 32]));
        assert_eq!(a.call_id(), b.call_id());
        assert_ne!(a.next(), c.next());
        assert_eq!(a.stateless_tag(&["x", "y"]), b.stateless_tag(&["x", "y"]));
        assert_ne!(a.stateless_tag(&["x", "y"]), c.stateless_tag(&["x", "y"]));
        assert_ne!(a.stateless_tag(&["x", "y"]), a.stateless_tag(&["xy", ""]));
    }
}
