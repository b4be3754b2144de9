//! What we write, read by a strict parser that is not ours.

use sdp::{Capability, Direction, Negotiation};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

fn negotiation(address: IpAddr) -> Negotiation {
    let capabilities = [Capability::PCMU, Capability::PCMA, Capability::TELEPHONE_EVENT];
    Negotiation::new(Arc::new(capabilities), address, 30_000, u64::MAX >> 1)
}

/// The attributes of a section as `name` or `name:value`.
fn attributes(media: &sdp_types::Media) -> Vec<String> {
    let text = |attribute: &sdp_types::Attribute| match &attribute.value {
        Some(value) => format!("{}:{value}", attribute.attribute),
        None => attribute.attribute.clone(),
    };
    media.attributes.iter().map(text).collect()
}

#[test]
fn rfc8866_9_our_offer_is_understood_by_a_strict_parser() {
    for address in [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
        let text = negotiation(address).offer(Direction::SendOnly);
        let session = sdp_types::Session::parse(text.as_bytes()).unwrap();
        assert_eq!(session.origin.try_parse_unicast_ip_address(), Ok(address));
        assert_eq!(session.connection.unwrap().connection_address, address.to_string());
        assert_eq!((session.origin.sess_id, session.times.len()), ((u64::MAX >> 1).to_string(), 1));
        let [audio] = &session.medias[..] else { panic!("{text}") };
        assert_eq!(
            (&*audio.media, audio.port, &*audio.proto, &*audio.fmt),
            ("audio", 30_000, "RTP/AVP", "0 8 101")
        );
        let expected = [
            "rtpmap:0 PCMU/8000",
            "rtpmap:8 PCMA/8000",
            "rtpmap:101 telephone-event/8000",
            "fmtp:101 0-16",
            "ptime:20",
            "sendonly",
            "rtcp-mux",
        ];
        assert_eq!(attributes(audio), expected);
    }
}

#[test]
fn rfc8866_9_our_answer_to_anything_is_understood_by_a_strict_parser() {
    let offer = "v=0\nc=IN IP4 192.0.2.9\nm=text 11000 TCP/MRCPv2 1\nm=audio 4000 RTP/AVP 8\nm=video 5000 RTP/AVP 34 x\n";
    let mut negotiation = negotiation(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let (text, _) = negotiation.answer(offer.as_bytes(), Direction::SendRecv).unwrap();
    let session = sdp_types::Session::parse(text.as_bytes()).unwrap();
    let sections: Vec<_> = session.medias.iter().map(|m| (&*m.media, m.port, &*m.proto, &*m.fmt)).collect();
    let expected =
        [("text", 0, "TCP/MRCPv2", "1"), ("audio", 30_000, "RTP/AVP", "8"), ("video", 0, "RTP/AVP", "34")];
    assert_eq!(sections, expected);
}
