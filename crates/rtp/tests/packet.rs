//! RTP packets on the wire (RFC 3550 5.1) and beside RTCP (RFC 5761).

use proptest::prelude::*;
use rtp::{HEADER_LEN, Header, Packet, RtpError, is_rtcp};

const HEADER: Header =
    Header { payload_type: 8, marker: true, sequence: 0xFFFE, timestamp: 0xFFFF_FF60, ssrc: 0xDEAD_BEEF };

/// A datagram with two contributing sources, an extension of one word, `payload` and 3 bytes of padding.
fn decorated(payload: &[u8]) -> Vec<u8> {
    let mut datagram = HEADER.to_bytes().to_vec();
    datagram[0] = 0b1011_0010;
    datagram.extend([1; 8]);
    datagram.extend([0xBE, 0xDE, 0, 1, 9, 9, 9, 9]);
    datagram.extend(payload);
    datagram.extend([0, 0, 3]);
    datagram
}

#[test]
fn rfc3550_5_1_a_header_is_read_as_it_was_written() {
    let mut datagram = HEADER.to_bytes().to_vec();
    assert_eq!(datagram, [0x80, 0x88, 0xFF, 0xFE, 0xFF, 0xFF, 0xFF, 0x60, 0xDE, 0xAD, 0xBE, 0xEF]);
    datagram.extend(b"voice");
    let packet = Packet::parse(&datagram).unwrap();
    assert_eq!(packet.header, HEADER);
    assert_eq!(packet.payload(&datagram), b"voice");
}

#[test]
fn rfc3550_5_3_sources_extension_and_padding_are_passed_over() {
    let datagram = decorated(b"voice");
    let packet = Packet::parse(&datagram).unwrap();
    assert_eq!(packet.header, HEADER);
    assert_eq!(packet.payload(&datagram), b"voice");
}

#[test]
fn a_packet_is_rewritten_in_place_without_what_was_meant_for_us() {
    let mut datagram = decorated(b"voice");
    let packet = Packet::parse(&datagram).unwrap();
    packet.payload_mut(&mut datagram)[0] = b'V';
    let header = Header { payload_type: 0, marker: false, sequence: 1, timestamp: 2, ssrc: 3 };
    let sent = packet.rewrite(&mut datagram, header);
    assert_eq!(sent.len(), HEADER_LEN + 5);
    let again = Packet::parse(sent).unwrap();
    assert_eq!((again.header, again.payload(sent)), (header, &b"Voice"[..]));
}

#[test]
fn rfc3550_a_1_what_cannot_be_rtp_is_refused() {
    let whole = decorated(b"");
    // Cut anywhere, the padding's length no longer fits or the headers are incomplete.
    for len in 0..HEADER_LEN + 16 {
        assert!(Packet::parse(&whole[..len]).is_err(), "{len} bytes");
    }
    let mut other = HEADER.to_bytes();
    other[0] = 0x40;
    assert_eq!(Packet::parse(&other), Err(RtpError::Version));
    for padding in [0, 7] {
        let mut padded = HEADER.to_bytes().to_vec();
        padded[0] |= 0x20;
        padded.extend([0, 0, 0, 0, 0, padding]);
        assert_eq!(Packet::parse(&padded), Err(RtpError::Padding), "{padding} of 6 bytes");
    }
}

#[test]
fn rfc5761_4_rtcp_is_told_from_rtp_on_one_port() {
    assert!(is_rtcp(&[0x80, 200, 0, 0]));
    assert!(is_rtcp(&[0x81, 223]));
    assert!(!is_rtcp(&HEADER.to_bytes()));
    // Payload type 127 with the marker, STUN, DTLS.
    assert!(!is_rtcp(&[0x80, 255]));
    assert!(!is_rtcp(&[0x00, 0xC8]));
    assert!(!is_rtcp(&[22, 200]));
    assert!(!is_rtcp(&[0x80]));
}

proptest! {
    #[test]
    fn any_bytes_are_parsed_within_bounds(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(packet) = Packet::parse(&bytes) {
            prop_assert!(packet.payload(&bytes).len() + HEADER_LEN <= bytes.len());
        }
    }

    #[test]
    fn a_damaged_packet_is_rewritten_within_bounds(at in 0_usize..30, byte in any::<u8>()) {
        let mut datagram = decorated(b"voice");
        datagram[at] = byte;
        if let Ok(packet) = Packet::parse(&datagram) {
            let payload = packet.payload(&datagram).to_vec();
            let sent = packet.rewrite(&mut datagram, HEADER).to_vec();
            prop_assert_eq!(&sent[..HEADER_LEN], HEADER.to_bytes());
            prop_assert_eq!(&sent[HEADER_LEN..], payload);
        }
    }
}
