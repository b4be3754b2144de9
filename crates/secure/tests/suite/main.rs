//! SRTP against another implementation, DTLS, and what nobody should send.

mod dtls;
mod hostile;
mod oracle;

use rtp::{Header, MasterKey, Suite};

/// The same keying every time: 7, 8, 9, …
fn key(suite: Suite) -> MasterKey {
    let keying: Vec<u8> = (7..).take(suite.key_len() + suite.salt_len()).collect();
    MasterKey::new(suite, &keying).expect("keying of the suite's length")
}

/// An RTP packet of 20 ms of G.711.
fn voice(ssrc: u32, sequence: u16) -> Vec<u8> {
    let header = Header { payload_type: 8, marker: false, sequence, timestamp: 160, ssrc };
    [&header.to_bytes()[..], &[0x55; 160]].concat()
}

/// The bytes with room for a tag behind them.
fn roomy(packet: &[u8]) -> Vec<u8> {
    [packet, &[0; secure::MAX_OVERHEAD]].concat()
}
