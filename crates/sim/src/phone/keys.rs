//! Keys in the descriptions of phones that encrypt: by SDES (RFC 4568), or by DTLS with ICE (RFC 5763, RFC 8839).

use super::Phone;
use crate::dice::Dice;
use rand_chacha::rand_core::Rng as _;
use std::net::IpAddr;

impl Phone {
    /// The profile and the lines of a description. What a phone offers first it may leave out later, and the other way
    /// about; a new key of one with ICE is a restart.
    pub(super) fn keys(&mut self, offers: bool) -> (&'static str, String) {
        let is_page = self.transport.is_websocket();
        if !is_page && (!self.encrypts || self.rng.chance(100)) {
            return ("RTP/AVP", String::new());
        }
        let is_new = self.rng.chance(100) && (offers || !self.has_ice());
        if self.key.is_empty() || is_new {
            self.key = format!(
                "{:016x}{:016x}{:08x}",
                self.rng.next_u64(),
                self.rng.next_u64(),
                self.rng.next_u32()
            );
        }
        if self.has_ice() {
            return self.handshake(offers);
        }
        // The second of the switch's two, which is a good line of an offer as well.
        let line = format!("a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:{}\r\n", self.key);
        let alone = offers && self.rng.chance(300);
        (if alone { "RTP/SAVP" } else { "RTP/AVP" }, line)
    }

    /// As a browser writes it. Beside pages the switch offers it to nobody first, but to whom it once has met so.
    fn handshake(&self, offers: bool) -> (&'static str, String) {
        let setup = if offers { "actpass" } else { "active" };
        let is_known = offers || self.transport.is_websocket();
        let profile = if is_known { "UDP/TLS/RTP/SAVPF" } else { "RTP/AVP" };
        let (ufrag, password) = self.key.split_at(8);
        let digest = ["CD"; 32].join(":");
        let lines = format!(
            "a=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\na=fingerprint:sha-256 {digest}\r\na=setup:{setup}\r\n"
        );
        (profile, lines)
    }

    /// Pages, and every other one of those that encrypt.
    fn has_ice(&self) -> bool {
        if self.transport.is_websocket() {
            return true;
        }
        let IpAddr::V4(ip) = self.address.ip() else { return false };
        ip.octets()[3] % 2 == 0
    }
}
