//! Reading session descriptions (RFC 8866) as carriers and phones really write them.

use proptest::prelude::*;
use sdp::{Direction, Encoding, Format, Formats, Rtcp, SdpError, Session};
use std::net::IpAddr;

const BROWSER: &str = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
    a=group:BUNDLE 0 1\r\na=msid-semantic: WMS\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8 110 126\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n\
    a=ice-ufrag:4ZcD\r\na=setup:actpass\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\n\
    a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n\
    a=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\n";

const PHONE: &str = "v=0\no=alice 2890844526 2890844527 IN IP6 2001:db8::1\nc=IN IP6 2001:db8::1\n\
    a=recvonly\nm=audio 49170/2 RTP/AVP 0 8 97 0\na=rtpmap:97  iLBC/8000 \na=fmtp:97 mode=30\na=ptime:30\n\
    a=rtcp:53020 IN IP6 2001:db8::2\nm=image 4040 udptl t38\nc=IN IP4 192.0.2.7/127\nc=IN IP4 192.0.2.8\na=inactive\n";

fn ip(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

fn parse(text: &str) -> Session<'_> {
    Session::parse(text.as_bytes()).unwrap()
}

fn audio(attributes: &str) -> String {
    format!("v=0\r\nm=audio 4000 RTP/AVP 0 101\r\n{attributes}\r\n")
}

#[test]
fn rfc8866_5_a_phones_description_is_read() {
    let session = parse(PHONE);
    let origin = session.origin.unwrap();
    assert_eq!((origin.username, origin.session_id, origin.version), ("alice", 2_890_844_526, 2_890_844_527));
    assert_eq!((session.name, session.connection), ("-", ip("2001:db8::1")));
    let [audio, image] = &session.media[..] else { panic!() };
    assert_eq!((audio.kind, audio.port, audio.protocol), ("audio", 49_170, "RTP/AVP"));
    let bare = |payload_type| Format { payload_type, encoding: None, fmtp: None };
    let ilbc = Encoding { name: "iLBC", clock_rate: 8_000, channels: 1 };
    let ilbc = Format { payload_type: 97, encoding: Some(ilbc), fmtp: Some("mode=30") };
    assert_eq!(audio.formats, Formats::Rtp(vec![bare(0), bare(8), ilbc]));
    assert_eq!((audio.ptime, audio.rtcp_mux), (Some(30), false));
    assert_eq!(audio.rtcp, Some(Rtcp { port: 53_020, address: ip("2001:db8::2") }));
    assert_eq!(session.address_of(audio), ip("2001:db8::1"));
    assert_eq!(session.direction_of(audio), Direction::RecvOnly);
    assert_eq!((image.kind, image.protocol, &image.formats), ("image", "udptl", &Formats::Other("t38")));
    assert_eq!(session.address_of(image), ip("192.0.2.7"));
    assert_eq!(session.direction_of(image), Direction::Inactive);
}

#[test]
fn rfc8866_5_a_browsers_description_is_read() {
    let session = parse(BROWSER);
    let [audio, data] = &session.media[..] else { panic!() };
    assert_eq!(audio.protocol, "UDP/TLS/RTP/SAVPF");
    let Formats::Rtp(formats) = &audio.formats else { panic!() };
    assert_eq!(formats[0].encoding, Some(Encoding { name: "opus", clock_rate: 48_000, channels: 2 }));
    assert_eq!(formats.iter().map(|format| format.payload_type).collect::<Vec<_>>(), [111, 0, 8, 110, 126]);
    assert!(audio.rtcp_mux);
    assert_eq!(data.formats, Formats::Other("webrtc-datachannel"));
}

#[test]
fn lines_that_are_missing_unknown_or_unreadable_are_no_fault() {
    let text = b"v=0\ns=Caf\xE9 \xFF\n\nz\n=\nx-unknown=1\no=broken\nc=IN IP4 sip.example.com\nm=audio 4000 RTP/AVP 0 0x\n";
    let session = Session::parse(text).unwrap();
    assert_eq!((session.origin, session.name, session.connection), (None, "-", None));
    let Formats::Rtp(formats) = &session.media[0].formats else { panic!() };
    assert_eq!(formats.len(), 1);
}

#[test]
fn cve_2026_41416_numbers_out_of_range_are_ignored() {
    let media = |attributes: &str| audio(attributes);
    for text in ["0", "256", "4294967297", "-20", "20.5", ""] {
        assert_eq!(parse(&media(&format!("a=ptime:{text}"))).media[0].ptime, None, "{text}");
    }
    assert_eq!(parse(&media("a=ptime: 20 ")).media[0].ptime, Some(20));
    for text in ["300 x/8000", "101 x/99999999999", "101 x/8000/256", "101 x", "101", "5 x/8000", ""] {
        let text = media(&format!("a=rtpmap:{text}"));
        let Formats::Rtp(formats) = &parse(&text).media[0].formats else { panic!() };
        assert!(formats.iter().all(|format| format.encoding.is_none()), "{text}");
    }
    assert_eq!(parse(&media("a=rtcp:65536")).media[0].rtcp, None);
}

#[test]
fn what_cannot_be_answered_is_refused_with_its_line() {
    assert_eq!(Session::parse(b""), Err(SdpError::NotSdp));
    assert_eq!(Session::parse(b"{\"type\":\"offer\"}"), Err(SdpError::NotSdp));
    for line in [
        "m=",
        "m=audio",
        "m=audio 4000",
        "m=audio 4000 RTP/AVP",
        "m=audio 65536 RTP/AVP 0",
        "m=audio x RTP/AVP 0",
        "m=a\u{7}b 1 x y",
    ] {
        let text = format!("v=0\r\ns=-\r\n{line}\r\n");
        let error = Session::parse(text.as_bytes()).unwrap_err();
        assert_eq!(error, SdpError::Malformed { line: 3 }, "{line}");
        assert_eq!(error.to_string(), "line 3 of the session description is malformed");
    }
    let long = format!("v=0\nm={} 4000 RTP/AVP 0\n", "a".repeat(65));
    assert_eq!(Session::parse(long.as_bytes()), Err(SdpError::Malformed { line: 2 }));
    assert_eq!(Session::parse(b"v=0\nm=audio 1 RTP/AVP 0 \xFF\n"), Err(SdpError::Malformed { line: 2 }));
}

#[test]
fn everything_is_bounded() {
    let too_many = |text: String| match Session::parse(text.as_bytes()) {
        Err(SdpError::TooMany { what, .. }) => what,
        other => panic!("{other:?}"),
    };
    assert_eq!(too_many(format!("v=0\n{}", "a=x\n".repeat(2_000))), "lines");
    assert_eq!(too_many(format!("v=0\n{}", "m=audio 0 RTP/AVP 0\n".repeat(17))), "media");
    assert_eq!(too_many(format!("v=0\ns={}\n", "x".repeat(70_000))), "bytes");
    let formats: String = (0..65).map(|number| format!(" {number}")).collect();
    assert_eq!(too_many(format!("v=0\nm=audio 1 RTP/AVP{formats}\n")), "formats");
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut text = b"v=0\r\n".to_vec();
        text.extend(bytes);
        if let Ok(session) = Session::parse(&text) {
            prop_assert!(session.media.len() <= 16);
        }
    }

    #[test]
    fn a_damaged_description_is_read_without_a_panic(
        browser in any::<bool>(),
        damage in prop::collection::vec((0_usize..700, any::<u8>()), 1..8),
        cut in 0_usize..700,
    ) {
        let mut text = if browser { BROWSER } else { PHONE }.as_bytes().to_vec();
        for (at, byte) in damage {
            let at = at % text.len();
            text[at] = byte;
        }
        text.truncate(cut.max(3));
        // Whatever is understood can be written and is understood again.
        if let Ok(session) = Session::parse(&text) {
            let written = session.to_string();
            prop_assert_eq!(Session::parse(written.as_bytes()), Ok(session), "{}", written);
        }
    }
}

#[test]
fn rfc8866_9_what_is_written_is_read_the_same() {
    for text in [BROWSER, PHONE] {
        let session = parse(text);
        let written = session.to_string();
        assert_eq!(parse(&written), session, "{written}");
    }
}
