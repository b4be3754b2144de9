//! Browsers: DTLS and ICE in descriptions (RFC 5763, RFC 8839).

use rtp::{DtlsRole, Fingerprint, Hash, Security};
use sdp::{
    Agreed, Capability, Direction, LocalHandshake, LocalIce, LocalKeys, Need, Negotiation, Protection,
    SdpError,
};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

const THEIRS: &str =
    "sha-256 01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F:20";

fn leg(need: Need, is_browser: bool) -> Negotiation {
    let capabilities = Arc::new([Capability::PCMU, Capability::TELEPHONE_EVENT]);
    let fingerprint = Fingerprint { hash: Hash::Sha256, digest: vec![0xAB; 32].into() };
    let ice = LocalIce { ufrag: "ours".into(), password: "a-password-of-ours-0000".into() };
    let handshake = LocalHandshake { fingerprint, ice, next_ice: None };
    Negotiation::new(capabilities, IpAddr::V4(Ipv4Addr::LOCALHOST), 30_000, 7).protected(Protection {
        need,
        keys: Some(LocalKeys::new(|bytes| bytes.fill(1))),
        handshake: Some(handshake),
        is_browser,
    })
}

/// The sort of thing that a browser offers, with these lines on its section.
fn browser(lines: &str) -> String {
    format!(
        "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE audio-1\r\na=msid-semantic: WMS\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 111 0 126\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n\
         a=ice-ufrag:their\r\na=ice-pwd:a-password-of-theirs-00\r\na=ice-options:trickle\r\na=mid:audio-1\r\n\
         a=sendrecv\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:126 telephone-event/8000\r\n{lines}"
    )
}

fn usual() -> String {
    browser(&format!("a=fingerprint:{THEIRS}\r\na=setup:actpass\r\n"))
}

fn answer(offer: &str) -> Result<(String, Agreed), SdpError> {
    leg(Need::Required, false).answer(offer.as_bytes(), Direction::SendRecv)
}

#[test]
fn a_browsers_offer_is_answered_by_a_lite_agent_that_waits_for_the_handshake() {
    let (text, agreed) = answer(&usual()).unwrap();
    let ours = ["AB"; 32].join(":");
    let expected = format!(
        "v=0\r\no=- 7 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\na=ice-lite\r\n\
         a=group:BUNDLE audio-1\r\nm=audio 30000 UDP/TLS/RTP/SAVPF 0 126\r\na=rtpmap:0 PCMU/8000\r\n\
         a=rtpmap:126 telephone-event/8000\r\na=fmtp:126 0-16\r\na=ptime:20\r\na=sendrecv\r\na=rtcp-mux\r\n\
         a=mid:audio-1\r\na=ice-ufrag:ours\r\na=ice-pwd:a-password-of-ours-0000\r\na=fingerprint:sha-256 {ours}\r\n\
         a=setup:passive\r\na=ice-options:trickle\r\na=candidate:1 1 UDP 2130706431 127.0.0.1 30000 typ host\r\na=end-of-candidates\r\n"
    );
    assert_eq!(text, expected);
    let Security::Dtls(parameters) = &agreed.security else { panic!("{agreed:?}") };
    assert_eq!(parameters.role, DtlsRole::Server);
    assert_eq!(parameters.fingerprint.to_string(), THEIRS);
    assert_eq!(&*parameters.ice.remote_ufrag, "their");
    // It is not held, although its address means nothing.
    assert_eq!(agreed.direction, Direction::SendRecv);
    assert!(agreed.remote.is_some());
}

#[test]
fn what_the_session_says_holds_for_its_sections() {
    let lines = format!("a=fingerprint:{THEIRS}\r\na=setup:passive\r\nm=audio");
    let (_, agreed) = answer(&browser("").replacen("m=audio", &lines, 1)).unwrap();
    let Security::Dtls(parameters) = &agreed.security else { panic!("{agreed:?}") };
    assert_eq!(parameters.role, DtlsRole::Client);
}

#[test]
fn a_handshake_that_cannot_be_made_is_refused() {
    for (old, new) in [
        ("a=fingerprint:sha-256", "a=fingerprint:sha-1"),
        ("a=fingerprint:sha-256 01:", "a=fingerprint:sha-256 "),
        ("a=setup:actpass", "a=setup:holdconn"),
        ("a=ice-ufrag:their", "a=ice-ufrag:x"),
        ("a=ice-ufrag:their", &format!("a=ice-ufrag:{}", "x".repeat(5_000))),
    ] {
        let refused = answer(&usual().replace(old, new)).err();
        assert_eq!(refused, Some(SdpError::NoHandshake), "{new:.60}");
    }
    assert_eq!(SdpError::NoHandshake.status(), 488);
    let capabilities = Arc::new([Capability::PCMU]);
    let mut bare = Negotiation::new(capabilities, IpAddr::V4(Ipv4Addr::LOCALHOST), 30_000, 7);
    assert_eq!(bare.answer(usual().as_bytes(), Direction::SendRecv).err(), Some(SdpError::NoHandshake));
}

#[test]
fn a_browser_is_offered_what_it_can_take_and_keeps_its_handshake() {
    let mut leg = leg(Need::Unasked, true);
    let offer = leg.offer(Direction::SendRecv);
    for line in ["UDP/TLS/RTP/SAVPF 0 101", "a=setup:actpass", "a=mid:0", "a=group:BUNDLE 0", "a=ice-lite"] {
        assert!(offer.contains(line), "{line} in {offer}");
    }
    let answer = usual().replace("actpass", "active").replace("audio-1", "0");
    let agreed = leg.receive_answer(answer.as_bytes()).unwrap();
    assert!(matches!(&agreed.security, Security::Dtls(it) if it.role == DtlsRole::Server));
    let again = leg.answer(answer.replace("active", "actpass").as_bytes(), Direction::SendRecv).unwrap().1;
    assert_eq!(again.security, agreed.security);
    // No handshake, no call.
    leg.offer(Direction::SendRecv);
    let plain = "v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 4000 RTP/AVP 0\r\n";
    assert_eq!(leg.receive_answer(plain.as_bytes()).err(), Some(SdpError::NoHandshake));
}

/// RFC 8839 4.4.1.1.1, 4.4.2: who has another name than before restarts ICE, and is answered with new credentials; who has
/// the same does not.
#[test]
fn a_restart_of_ice_is_answered_with_new_credentials() {
    let mut leg = leg(Need::Optional, true);
    let (first, _) = leg.answer(usual().as_bytes(), Direction::SendRecv).unwrap();
    let spare = LocalIce { ufrag: "next".into(), password: "another-password-of-ours".into() };
    *leg.next_ice().unwrap() = Some(spare.clone());
    let (again, _) = leg.answer(usual().as_bytes(), Direction::SendRecv).unwrap();
    assert_eq!(again, first);

    let restarted = usual().replace("a=ice-ufrag:their", "a=ice-ufrag:moved");
    let (text, agreed) = leg.answer(restarted.as_bytes(), Direction::SendRecv).unwrap();
    assert!(text.contains("o=- 7 2 "), "{text}");
    assert!(text.contains("a=ice-ufrag:next\r\na=ice-pwd:another-password-of-ours\r\n"), "{text}");
    let Security::Dtls(parameters) = &agreed.security else { panic!("{agreed:?}") };
    let ice = &parameters.ice;
    assert_eq!(
        [&*ice.local_ufrag, &*ice.local_password, &*ice.remote_ufrag],
        [&*spare.ufrag, &*spare.password, "moved"]
    );

    // They are used up, and stay in what we offer.
    assert_eq!(leg.next_ice(), Some(&mut None));
    assert!(leg.offer(Direction::SendRecv).contains("a=ice-ufrag:next\r\n"));
}
