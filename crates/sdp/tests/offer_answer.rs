//! Offer/answer between two of ours and with peers of every kind.

use sdp::{Agreed, AgreedFormat, Capability, Direction, Negotiation, SdpError};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

const OURS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1));

fn negotiation() -> Negotiation {
    let capabilities = [Capability::PCMU, Capability::PCMA, Capability::TELEPHONE_EVENT];
    Negotiation::new(Arc::new(capabilities), OURS, 30000, 7)
}

fn answer(offer: &str) -> Result<(String, Agreed), SdpError> {
    negotiation().answer(offer.as_bytes(), Direction::SendRecv)
}

/// A peer's description with these `m=` sections.
fn with(media: &str) -> String {
    format!("v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n{media}")
}

fn format(capability: usize, send_type: u8, receive_type: u8) -> AgreedFormat {
    AgreedFormat { capability, send_type, receive_type }
}

#[test]
fn rfc3264_5_our_offer_is_written_in_full() {
    let expected = "v=0\r\no=- 7 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
        m=audio 30000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
        a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\na=rtcp-mux\r\n";
    assert_eq!(negotiation().offer(Direction::SendRecv), expected);
}

#[test]
fn rfc3264_6_1_an_answer_keeps_the_offerers_order_and_numbers() {
    let offer = with(
        "m=audio 4000 RTP/AVP 18 8 0 96\r\na=rtpmap:18 G729/8000\r\na=rtpmap:96 telephone-event/8000\r\n",
    );
    let (text, agreed) = answer(&offer).unwrap();
    assert!(text.contains("m=audio 30000 RTP/AVP 8 0 96\r\n"), "{text}");
    assert!(!text.contains("rtcp-mux"), "{text}");
    assert_eq!(agreed.formats, [format(1, 8, 8), format(0, 0, 0)]);
    assert_eq!(agreed.telephone_event, Some(format(2, 96, 96)));
    assert_eq!(agreed.remote, Some("192.0.2.9:4000".parse().unwrap()));
    assert_eq!(agreed.remote_rtcp, Some("192.0.2.9:4001".parse().unwrap()));
    assert_eq!(agreed.direction, Direction::SendRecv);
}
