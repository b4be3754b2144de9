//! Keys in the descriptions of phones that encrypt (RFC 4568).

use super::Phone;
use crate::dice::Dice;
use rand_chacha::rand_core::Rng as _;

impl Phone {
    /// The profile and the lines of a description. What a phone offers first it may leave out later, and the other way
    /// about.
    pub(super) fn keys(&mut self, offers: bool) -> (&'static str, String) {
        if !self.encrypts || self.rng.chance(100) {
            return ("RTP/AVP", String::new());
        }
        if self.key.is_empty() || self.rng.chance(100) {
            self.key = format!(
                "{:016x}{:016x}{:08x}",
                self.rng.next_u64(),
                self.rng.next_u64(),
                self.rng.next_u32()
            );
        }
        // The second of the switch's two, which is a good line of an offer as well.
        let line = format!("a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:{}\r\n", self.key);
        let alone = offers && self.rng.chance(300);
        (if alone { "RTP/SAVP" } else { "RTP/AVP" }, line)
    }
}
