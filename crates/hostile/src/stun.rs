use sip::stun::{answer, is_stun};
use std::net::SocketAddr;

/// The largest success: a header, an IPv6 address and a fingerprint.
const LARGEST: usize = 20 + 24 + 8;

/// A datagram for the STUN keep-alive of a SIP port.
///
/// # Panics
/// If what is no request is answered, or an answer is one that could be answered; if an answer is not that of the request's
/// transaction, is larger than such an answer can be, or has not the length that it says; if an error is larger than its request.
pub fn stun(input: &[u8]) {
    for peer in ["192.0.2.9:5060", "[2001:db8::9]:5060"] {
        let peer: SocketAddr = peer.parse().expect("an address");
        let Some(response) = answer(input, peer) else { continue };
        assert!(is_stun(input) && input.starts_with(&[0, 1]), "no request: {input:?}");
        let is_success = response.starts_with(&[1, 1]);
        assert!(is_success || response.starts_with(&[1, 0x11]), "no response: {response:?}");
        assert!(response[4..20] == input[4..20], "another's: {response:?}");
        let largest = if is_success { LARGEST } else { input.len() };
        assert!(response.len() <= largest, "{} octets to {}", response.len(), input.len());
        let said = usize::from(u16::from_be_bytes([response[2], response[3]]));
        assert_eq!(said + 20, response.len(), "{response:?}");
        assert_eq!(answer(&response, peer), None, "two nodes do not answer each other for ever");
    }
}
