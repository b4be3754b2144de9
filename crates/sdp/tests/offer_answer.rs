//! Offer/answer (RFC 3264) with peers of every kind.

use sdp::{Agreed, AgreedFormat, Capability, Direction, Negotiation, SdpError};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

const OURS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1));
const EVENTS: &str = "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n";

fn negotiation() -> Negotiation {
    let capabilities = [Capability::PCMU, Capability::PCMA, Capability::TELEPHONE_EVENT];
    Negotiation::new(Arc::new(capabilities), OURS, 30_000, 7)
}

fn answer(offer: &str) -> Result<(String, Agreed), SdpError> {
    negotiation().answer(offer.as_bytes(), Direction::SendRecv)
}

/// What a peer's answer to our first offer settles.
fn answered(media: &str) -> Result<Agreed, SdpError> {
    let mut negotiation = negotiation();
    negotiation.offer(Direction::SendRecv);
    negotiation.receive_answer(peer(media).as_bytes())
}

/// A peer's description with these `m=` sections.
fn peer(media: &str) -> String {
    format!("v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n{media}")
}

fn format(capability: usize, send_type: u8, receive_type: u8) -> AgreedFormat {
    AgreedFormat { capability, send_type, receive_type }
}

fn address(text: &str) -> Option<SocketAddr> {
    Some(text.parse().unwrap())
}

/// The `m=` lines of a description.
fn sections(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.starts_with("m=")).collect()
}

/// The version in the `o=` line.
fn version(text: &str) -> u64 {
    let origin = text.lines().find(|line| line.starts_with("o=")).unwrap();
    origin.split(' ').nth(2).unwrap().parse().unwrap()
}

#[test]
fn rfc3264_5_our_offer_is_written_in_full() {
    let expected = "v=0\r\no=- 7 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
        m=audio 30000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
        a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\na=rtcp-mux\r\n";
    assert_eq!(negotiation().offer(Direction::SendRecv), expected);
}

#[test]
fn rfc8866_5_7_an_ipv6_leg_says_so() {
    let ours = IpAddr::V6(Ipv6Addr::LOCALHOST);
    let mut negotiation = Negotiation::new(Arc::new([Capability::PCMA]), ours, 30_000, 7);
    let offer = negotiation.offer(Direction::SendRecv);
    assert!(offer.contains("o=- 7 1 IN IP6 ::1\r\n") && offer.contains("c=IN IP6 ::1\r\n"), "{offer}");
    let answer = "v=0\nc=IN IP6 2001:db8::9\nm=audio 4000 RTP/AVP 8\n";
    let agreed = negotiation.receive_answer(answer.as_bytes()).unwrap();
    assert_eq!(agreed.remote, address("[2001:db8::9]:4000"));
}

#[test]
fn rfc3264_6_1_an_answer_keeps_the_offerers_order_and_numbers() {
    let offer = peer(
        "m=audio 4000 RTP/AVP 18 8 0 96\r\na=rtpmap:18 G729/8000\r\na=rtpmap:96 Telephone-Event/8000\r\na=ptime:30\r\n",
    );
    let (text, agreed) = answer(&offer).unwrap();
    assert_eq!(sections(&text), ["m=audio 30000 RTP/AVP 8 0 96"]);
    let expected = Agreed {
        remote: address("192.0.2.9:4000"),
        remote_rtcp: address("192.0.2.9:4001"),
        formats: vec![format(1, 8, 8), format(0, 0, 0)],
        telephone_event: Some(format(2, 96, 96)),
        fmtp: None,
        ptime: Some(30),
        direction: Direction::SendRecv,
        security: rtp::Security::Plain,
        t38: None,
    };
    assert_eq!(agreed, expected);
}

#[test]
fn rfc3264_6_1_each_side_is_sent_its_own_numbers() {
    let agreed =
        answered("m=audio 4000 RTP/AVP 97 8\r\na=rtpmap:97 telephone-event/8000\r\na=rtpmap:8 PCMA/8000\r\n")
            .unwrap();
    assert_eq!(agreed.formats, [format(1, 8, 8)]);
    assert_eq!(agreed.telephone_event, Some(format(2, 97, 101)));
    // A peer that leaves out rtpmap means our numbers.
    assert_eq!(
        answered("m=audio 4000 RTP/AVP 0 101\r\n").unwrap().telephone_event,
        Some(format(2, 101, 101))
    );
}

#[test]
fn an_answer_that_was_not_sent_can_be_given_again_with_another_codec_first() {
    let opus = Capability {
        encoding: "opus".into(),
        clock_rate: 48_000,
        channels: 2,
        static_type: None,
        fmtp: Some("useinbandfec=1".into()),
    };
    let events = [Capability::TELEPHONE_EVENT, Capability::telephone_event(48_000)];
    let [narrow, wide] = events;
    let capabilities = [opus, Capability::PCMU, narrow, wide];
    let ours = IpAddr::V6(Ipv6Addr::LOCALHOST);
    let mut negotiation = Negotiation::new(Arc::new(capabilities), ours, 30_000, 7);
    let offer = peer(
        "m=audio 4000 RTP/AVP 111 0 110 126\r\na=rtpmap:111 opus/48000/2\r\n\
         a=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:110 telephone-event/48000\r\n\
         a=rtpmap:126 telephone-event/8000\r\n",
    );
    let (_, agreed) = negotiation.answer(offer.as_bytes(), Direction::SendRecv).unwrap();
    assert_eq!(agreed.formats, [format(0, 111, 111), format(1, 0, 0)]);
    assert_eq!(agreed.fmtp.as_deref(), Some("minptime=10;useinbandfec=1"));
    assert_eq!(agreed.telephone_event, Some(format(3, 110, 110)));
    let (text, agreed) = negotiation.answer_instead(offer.as_bytes(), Direction::SendRecv, 1).unwrap();
    assert_eq!(agreed.formats, [format(1, 0, 0), format(0, 111, 111)]);
    assert_eq!((agreed.fmtp, agreed.telephone_event), (None, Some(format(2, 126, 126))));
    assert_eq!(sections(&text), ["m=audio 30000 RTP/AVP 0 111 126"]);
    assert!(text.contains("o=- 7 1 IN"), "{text}");
}

#[test]
fn a_peer_with_opus_that_knows_events_at_8_khz_alone_keeps_them() {
    let offer =
        peer("m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n");
    let ours = IpAddr::V6(Ipv6Addr::LOCALHOST);
    let wide = Capability { clock_rate: 16_000, static_type: None, ..Capability::PCMA };
    let capabilities = [wide, Capability::TELEPHONE_EVENT];
    let mut negotiation = Negotiation::new(Arc::new(capabilities), ours, 30_000, 7);
    let offer = offer.replace("PCMA/8000", "PCMA/16000");
    let (_, agreed) = negotiation.answer(offer.as_bytes(), Direction::SendRecv).unwrap();
    assert_eq!(agreed.telephone_event, Some(format(1, 101, 101)));
}

#[test]
fn rfc4733_2_4_1_events_have_the_clock_of_the_codec_where_both_know_it() {
    let offer = peer(
        "m=audio 4000 RTP/AVP 0 110 126\r\na=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\n",
    );
    let (text, agreed) = answer(&offer).unwrap();
    assert_eq!(agreed.telephone_event, Some(format(2, 126, 126)));
    assert_eq!(sections(&text), ["m=audio 30000 RTP/AVP 0 126"]);
}

#[test]
fn rfc3264_6_media_that_we_do_not_take_is_refused_in_its_place() {
    let offer = peer(
        "m=video 5000 RTP/AVP 96 97\r\na=rtpmap:96 VP8/90000\r\nm=audio 5002 RTP/SAVP 0\r\n\
         m=audio 5004 RTP/AVP 9\r\nm=audio 5006 RTP/AVPF 8\r\nm=audio 5008 RTP/AVP 0\r\n\
         m=image 5010 udptl t38\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n",
    );
    let (text, agreed) = answer(&offer).unwrap();
    let expected = [
        "m=video 0 RTP/AVP 96",
        "m=audio 0 RTP/SAVP 0",
        "m=audio 0 RTP/AVP 9",
        "m=audio 30000 RTP/AVPF 8",
        "m=audio 0 RTP/AVP 0",
        "m=image 0 udptl t38",
        "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
    ];
    assert_eq!(sections(&text), expected);
    assert_eq!(agreed.remote, address("192.0.2.9:5006"));
}

#[test]
fn rfc3264_6_what_cannot_be_agreed_on_is_told_apart() {
    let error = |media: &str| {
        let error = answer(&peer(media)).unwrap_err();
        assert_eq!(error.status(), 488);
        error
    };
    assert_eq!(error("m=video 5000 RTP/AVP 96\r\n"), SdpError::NoAudio);
    assert_eq!(error("m=audio 5000 RTP/SAVP 0\r\n"), SdpError::NoCommonSuite);
    assert_eq!(error(""), SdpError::NoAudio);
    assert_eq!(error("m=audio 5000 RTP/AVP 18 9\r\n"), SdpError::NoCommonCodec);
    // Events alone are no conversation, and a number means what its rtpmap says.
    assert_eq!(error(&format!("m=audio 5000 RTP/AVP 101\r\n{EVENTS}")), SdpError::NoCommonCodec);
    assert_eq!(error("m=audio 5000 RTP/AVP 0\r\na=rtpmap:0 PCMU/16000\r\n"), SdpError::NoCommonCodec);
    assert_eq!(answer("v=0\nm=audio 5000 RTP/AVP 0\n").unwrap_err(), SdpError::NoAddress);
    for name in ["sip.example.com", "224.2.1.1/127", "255.255.255.255"] {
        let offer = format!("v=0\nc=IN IP4 {name}\nm=audio 5000 RTP/AVP 0\n");
        assert_eq!(answer(&offer).unwrap_err(), SdpError::NoAddress, "{name}");
    }
    assert_eq!(answered("m=video 5000 RTP/AVP 96\r\n"), Err(SdpError::NoAudio));
    assert_eq!(answered(""), Err(SdpError::NoAudio));
    assert_eq!(answered("m=audio 5000 RTP/AVP 9\r\n"), Err(SdpError::NoCommonCodec));
}

#[test]
fn rfc3264_6_1_the_answers_direction_fits_the_offers() {
    use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
    for (offered, wanted, expected) in [
        (SendRecv, SendRecv, SendRecv),
        (SendRecv, SendOnly, SendOnly),
        (SendOnly, SendRecv, RecvOnly),
        (SendOnly, SendOnly, Inactive),
        (RecvOnly, SendRecv, SendOnly),
        (Inactive, SendRecv, Inactive),
        (SendRecv, Inactive, Inactive),
    ] {
        let offer = peer(&format!("m=audio 4000 RTP/AVP 0\r\na={}\r\n", offered.as_str()));
        let (text, agreed) = negotiation().answer(offer.as_bytes(), wanted).unwrap();
        assert_eq!(agreed.direction, expected, "{offered:?} answered with {wanted:?}");
        assert!(text.contains(&format!("\r\na={}\r\n", expected.as_str())), "{text}");
    }
}

#[test]
fn rfc2543_b_5_a_phone_with_ice_that_holds_by_address_zero_is_held_too() {
    let offer =
        "v=0\nc=IN IP4 0.0.0.0\na=ice-ufrag:abcd\na=ice-pwd:0123456789012345678901\nm=audio 4000 RTP/AVP 0\n";
    assert_eq!(answer(offer).unwrap().1.remote, None);
}

#[test]
fn rfc2543_b_5_hold_by_address_zero_sends_nothing() {
    let offer = "v=0\nc=IN IP4 0.0.0.0\nm=audio 4000 RTP/AVP 0\n";
    let (text, agreed) = answer(offer).unwrap();
    assert_eq!((agreed.remote, agreed.remote_rtcp), (None, None));
    assert_eq!(agreed.direction, Direction::RecvOnly);
    assert_eq!(sections(&text), ["m=audio 30000 RTP/AVP 0"]);
}

#[test]
fn rfc3264_8_4_hold_and_resume() {
    let mut negotiation = negotiation();
    let media = |direction: &str| peer(&format!("m=audio 4000 RTP/AVP 0 101\r\n{EVENTS}a={direction}\r\n"));
    let mut step = |direction| negotiation.answer(media(direction).as_bytes(), Direction::SendRecv).unwrap();
    let (first, _) = step("sendrecv");
    let (held, agreed) = step("sendonly");
    assert_eq!(agreed.direction, Direction::RecvOnly);
    assert_eq!(agreed.remote, address("192.0.2.9:4000"));
    let (resumed, agreed) = step("sendrecv");
    assert_eq!(agreed.direction, Direction::SendRecv);
    let (same, _) = step("sendrecv");
    assert_eq!([&first, &held, &resumed, &same].map(|text| version(text)), [1, 2, 3, 3]);
    assert_eq!(resumed, same);
}

#[test]
fn rfc3264_8_2_audio_switched_off_by_port_0_can_come_back() {
    let mut negotiation = negotiation();
    negotiation.answer(peer("m=audio 4000 RTP/AVP 8\r\n").as_bytes(), Direction::SendRecv).unwrap();
    let (text, agreed) =
        negotiation.answer(peer("m=audio 0 RTP/AVP 8\r\n").as_bytes(), Direction::SendRecv).unwrap();
    assert_eq!(sections(&text), ["m=audio 0 RTP/AVP 8"]);
    assert_eq!((agreed.remote, agreed.direction), (None, Direction::Inactive));
    assert_eq!(agreed.formats, [format(1, 8, 8)]);
    assert_eq!(sections(&negotiation.offer(Direction::SendRecv)), ["m=audio 30000 RTP/AVP 8 0 101"]);
    // Refused in an answer it is the same.
    let agreed = answered("m=audio 0 RTP/AVP 0\r\n").unwrap();
    assert_eq!((agreed.remote, agreed.direction), (None, Direction::Inactive));
}

#[test]
fn rfc3264_8_a_later_offer_keeps_places_and_numbers() {
    let mut negotiation = negotiation();
    let first =
        peer("m=video 5000 RTP/AVP 34\r\nm=audio 4000 RTP/AVP 8 96\r\na=rtpmap:96 telephone-event/8000\r\n");
    let (answer, _) = negotiation.answer(first.as_bytes(), Direction::SendRecv).unwrap();
    let offer = negotiation.offer(Direction::SendOnly);
    assert_eq!(sections(&offer), ["m=video 0 RTP/AVP 34", "m=audio 30000 RTP/AVP 8 96 0"]);
    assert!(offer.contains("a=rtpmap:96 telephone-event/8000\r\n") && !offer.contains("rtcp-mux"), "{offer}");
    assert_eq!((version(&answer), version(&offer)), (1, 2));
    let reply = peer(
        "m=video 0 RTP/AVP 34\r\nm=audio 4000 RTP/AVP 8 96\r\na=rtpmap:96 telephone-event/8000\r\na=recvonly\r\n",
    );
    let agreed = negotiation.receive_answer(reply.as_bytes()).unwrap();
    assert_eq!(agreed.direction, Direction::SendOnly);
    assert_eq!(agreed.telephone_event, Some(format(2, 96, 96)));
    assert_eq!(negotiation.agreed(), Some(&agreed));
}

#[test]
fn rfc3264_8_3_2_a_number_that_the_peer_uses_otherwise_is_not_taken() {
    let mut negotiation = negotiation();
    let offer = peer("m=audio 4000 RTP/AVP 101\r\na=rtpmap:101 PCMA/8000\r\n");
    negotiation.answer(offer.as_bytes(), Direction::SendRecv).unwrap();
    let offer = negotiation.offer(Direction::SendRecv);
    assert_eq!(sections(&offer), ["m=audio 30000 RTP/AVP 101 0 96"]);
    assert!(offer.contains("a=rtpmap:101 PCMA/8000\r\n"), "{offer}");
}

#[test]
fn rfc6337_3_4_a_refused_offer_leaves_what_was_agreed() {
    let mut negotiation = negotiation();
    let first = negotiation.offer(Direction::SendRecv);
    let reply = peer("m=audio 4000 RTP/AVP 0\r\n");
    let agreed = negotiation.receive_answer(reply.as_bytes()).unwrap();
    let hold = negotiation.offer(Direction::SendOnly);
    assert_eq!(negotiation.agreed(), Some(&agreed));
    let glare = negotiation.answer(reply.as_bytes(), Direction::SendRecv).unwrap_err();
    assert_eq!((&glare, glare.status()), (&SdpError::OfferPending, 491));
    negotiation.rollback();
    assert_eq!(negotiation.agreed(), Some(&agreed));
    // The refused description has used up version 2, although the next is the first again.
    let again = negotiation.offer(Direction::SendRecv);
    assert_eq!([&first, &hold, &again].map(|text| version(text)), [1, 2, 3]);
    assert_eq!(sections(&first), sections(&again));
}

#[test]
fn rfc3264_8_the_version_counts_one_by_one_over_a_refused_offer() {
    let mut negotiation = negotiation();
    let mut answer = |media: &str| negotiation.answer(peer(media).as_bytes(), Direction::SendRecv).unwrap().0;
    let first = answer(&format!("m=audio 4000 RTP/AVP 0 8 101\r\na=rtcp-mux\r\n{EVENTS}"));
    let again = negotiation.offer(Direction::SendRecv);
    assert_eq!(first, again);
    negotiation.rollback();
    let mut answer = |media: &str| negotiation.answer(peer(media).as_bytes(), Direction::SendRecv).unwrap().0;
    let next = answer("m=audio 4000 RTP/AVP 8\r\n");
    assert_eq!([&first, &next].map(|text| version(text)), [1, 2]);
    // One that said something new.
    let offer = negotiation.offer(Direction::SendOnly);
    negotiation.rollback();
    let mut answer = |media: &str| negotiation.answer(peer(media).as_bytes(), Direction::SendRecv).unwrap().0;
    let last = answer("m=audio 4000 RTP/AVP 0\r\n");
    assert_eq!([&offer, &last].map(|text| version(text)), [3, 4]);
}

#[test]
fn rfc3264_4_a_refused_first_offer_leaves_nothing() {
    let mut negotiation = negotiation();
    negotiation.offer(Direction::SendRecv);
    negotiation.rollback();
    assert_eq!(negotiation.agreed(), None);
    let reply = peer("m=audio 4000 RTP/AVP 0\r\n");
    assert_eq!(negotiation.receive_answer(reply.as_bytes()), Err(SdpError::UnexpectedAnswer));
}

#[test]
fn rfc3261_13_2_2_4_another_branchs_answer_replaces_the_first() {
    let mut negotiation = negotiation();
    let offer = negotiation.offer(Direction::SendRecv);
    // The same offer again, for another target.
    assert_eq!(negotiation.offer(Direction::SendRecv), offer);
    let ringing = negotiation.receive_answer(peer("m=audio 4000 RTP/AVP 0\r\n").as_bytes()).unwrap();
    let answered = negotiation.receive_answer(peer("m=audio 6000 RTP/AVP 8\r\n").as_bytes()).unwrap();
    assert_eq!((ringing.remote, answered.remote), (address("192.0.2.9:4000"), address("192.0.2.9:6000")));
    assert_eq!(answered.formats, [format(1, 8, 8)]);
    assert_eq!(negotiation.agreed(), Some(&answered));
}

#[test]
fn a_step_that_fails_leaves_the_state() {
    let mut negotiation = negotiation();
    let offer = peer("m=audio 4000 RTP/AVP 0\r\n");
    assert_eq!(negotiation.receive_answer(offer.as_bytes()), Err(SdpError::UnexpectedAnswer));
    let (first, agreed) = negotiation.answer(offer.as_bytes(), Direction::SendRecv).unwrap();
    assert_eq!(negotiation.receive_answer(offer.as_bytes()), Err(SdpError::UnexpectedAnswer));
    for bad in ["", "v=0\nm=audio", "v=0\nc=IN IP4 192.0.2.9\nm=audio 4000 RTP/AVP 9\n"] {
        let error = negotiation.answer(bad.as_bytes(), Direction::SendRecv).unwrap_err();
        assert_eq!(error.status(), if error == SdpError::NoCommonCodec { 488 } else { 400 });
    }
    assert_eq!(negotiation.agreed(), Some(&agreed));
    assert_eq!(negotiation.answer(offer.as_bytes(), Direction::SendRecv).unwrap().0, first);
    negotiation.offer(Direction::SendRecv);
    assert!(negotiation.receive_answer(b"v=0").is_err());
    assert!(negotiation.receive_answer(offer.as_bytes()).is_ok());
}

#[test]
fn rfc5761_5_1_1_and_rfc3605_say_where_rtcp_goes() {
    let rtcp =
        |attribute: &str| answered(&format!("m=audio 4000 RTP/AVP 0\r\n{attribute}")).unwrap().remote_rtcp;
    assert_eq!(rtcp(""), address("192.0.2.9:4001"));
    assert_eq!(rtcp("a=rtcp-mux\r\n"), address("192.0.2.9:4000"));
    assert_eq!(rtcp("a=rtcp:5005\r\n"), address("192.0.2.9:5005"));
    assert_eq!(rtcp("a=rtcp:5005 IN IP4 192.0.2.10\r\n"), address("192.0.2.10:5005"));
    assert_eq!(rtcp("a=rtcp:5005 IN IP4 224.0.0.1\r\n"), None);
    assert_eq!(answered("m=audio 65535 RTP/AVP 0\r\n").unwrap().remote_rtcp, None);
    let (text, _) = answer(&peer("m=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\n")).unwrap();
    assert!(text.contains("a=rtcp-mux\r\n"), "{text}");
    let (text, _) = answer(&peer("m=audio 4000 RTP/AVP 0\r\n")).unwrap();
    assert!(!text.contains("a=rtcp-mux"), "{text}");
}

#[test]
fn a_negotiation_is_written_out_and_read_back_in_any_state() {
    let again = |negotiation: &Negotiation| -> Negotiation {
        serde_json::from_str(&serde_json::to_string(negotiation).unwrap()).unwrap()
    };
    let mut ours = again(&negotiation());
    let offer = ours.offer(Direction::SendRecv);
    let mut ours = again(&ours);
    let mut theirs = negotiation();
    let (answer, _) = theirs.answer(offer.as_bytes(), Direction::SendRecv).unwrap();
    let agreed = ours.receive_answer(answer.as_bytes()).unwrap();
    let mut ours = again(&ours);
    assert_eq!(ours.agreed(), Some(&agreed));
    assert_eq!(version(&ours.offer(Direction::Inactive)), 2);
}

#[test]
fn rfc5118_4_6_ipv6_addresses_in_a_description() {
    let offer = "v=0\r\no=desk 971731711378798081 0 IN IP6 2001:db8::20\r\ns=Morning, everyone\r\n\
         c=IN IP6 2001:db8::20\r\nt=3338481189 3370017201\r\nm=audio 6000 RTP/AVP 0\r\n\
         m=video 6024 RTP/AVP 107\r\na=rtpmap:107 H263-1998/90000\r\n";
    let (text, agreed) = answer(offer).unwrap();
    assert_eq!(agreed.remote, address("[2001:db8::20]:6000"));
    assert_eq!(sections(&text), ["m=audio 30000 RTP/AVP 0", "m=video 0 RTP/AVP 107"]);
}

#[test]
fn rfc5118_4_8_each_section_has_the_address_of_its_own_family() {
    let media =
        "m=audio 22334 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\nm=audio 6024 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\n";
    let offer = format!("v=0\r\no=desk 280744730 28977631 IN IP4 host.example.com\r\ns=\r\nt=0 0\r\n{media}");
    assert_eq!(answer(&offer).unwrap().1.remote, address("192.0.2.1:22334"));
    let swapped =
        offer.replace("c=IN IP4 192.0.2.1\r\n", "").replace("v=0\r\n", "v=0\r\nc=IN IP6 2001:db8::9\r\n");
    assert_eq!(answer(&swapped).unwrap().1.remote, address("[2001:db8::9]:22334"));
}

#[test]
fn rfc5118_4_9_ipv4_mapped_addresses_in_a_description() {
    let offer = "v=0\r\no=desk 1 0 IN IP6 ::ffff:192.0.2.2\r\ns=-\r\nc=IN IP6 ::ffff:192.0.2.2\r\nt=0 0\r\n\
         m=audio 6000 RTP/AVP 0\r\n";
    let remote = answer(offer).unwrap().1.remote.unwrap();
    assert_eq!((remote.ip().to_canonical(), remote.port()), ("192.0.2.2".parse().unwrap(), 6000));
}
