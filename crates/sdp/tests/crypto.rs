//! Keys in descriptions (RFC 4568).

use rtp::{Security, SrtpKeys, Suite};
use sdp::{Agreed, Capability, Direction, LocalKeys, Need, Negotiation, Protection, SdpError};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

const KEY_80: &str = "inline:BwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMk";
const KEY_GCM: &str = "inline:BwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIg==";

/// Our side, whose keys are all of this byte.
fn leg(need: Need, byte: u8) -> Negotiation {
    let capabilities = Arc::new([Capability::PCMU, Capability::TELEPHONE_EVENT]);
    let keys = Some(LocalKeys::new(|bytes| bytes.fill(byte)));
    Negotiation::new(capabilities, IpAddr::V4(Ipv4Addr::LOCALHOST), 30_000, 7).protected(Protection {
        need,
        keys,
        handshake: None,
        is_browser: false,
    })
}

fn audio(profile: &str, lines: &[&str]) -> String {
    let lines: String = lines.iter().map(|line| format!("a=crypto:{line}\r\n")).collect();
    format!("v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 4000 {profile} 0\r\n{lines}")
}

fn answer(need: Need, profile: &str, lines: &[&str]) -> Result<(String, Agreed), SdpError> {
    leg(need, 1).answer(audio(profile, lines).as_bytes(), Direction::SendRecv)
}

/// The `m=` and `a=crypto` lines of a description.
fn told(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.starts_with("m=") || line.starts_with("a=crypto")).collect()
}

fn keys(agreed: &Agreed) -> &SrtpKeys {
    match &agreed.security {
        Security::Srtp(keys) => keys,
        other => panic!("no keys in the description: {other:?}"),
    }
}

#[test]
fn rfc4568_5_1_2_the_answer_takes_the_first_line_that_we_know_with_its_tag() {
    let third = format!("7 AES_CM_128_HMAC_SHA1_80 {KEY_80}");
    let fourth = format!("8 AEAD_AES_128_GCM {KEY_GCM}");
    let lines = ["3 F8_128_HMAC_SHA1_80 inline:AAAA", "no line", &third, &fourth];
    let (text, agreed) = answer(Need::Unasked, "RTP/SAVP", &lines).unwrap();
    let ours = "a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";
    assert_eq!(told(&text), ["m=audio 30000 RTP/SAVP 0", ours]);
    let SrtpKeys { receive, send } = keys(&agreed);
    assert_eq!((receive.suite(), send.suite()), (Suite::AesCm128Sha1Tag80, Suite::AesCm128Sha1Tag80));
    assert_eq!(receive.key(), (7..23).collect::<Vec<u8>>());
    assert_eq!(receive.salt(), (23..37).collect::<Vec<u8>>());
    assert_eq!(send.key(), [1; 16]);
}

#[test]
fn every_suite_is_answered() {
    for (name, inline, suite) in [
        ("AES_CM_128_HMAC_SHA1_80", KEY_80, Suite::AesCm128Sha1Tag80),
        ("AES_CM_128_HMAC_SHA1_32", KEY_80, Suite::AesCm128Sha1Tag32),
        ("AEAD_AES_128_GCM", KEY_GCM, Suite::AeadAes128Gcm),
        // Without the padding at its end.
        ("AEAD_AES_128_GCM", KEY_GCM.trim_end_matches('='), Suite::AeadAes128Gcm),
        (
            "AEAD_AES_256_GCM",
            "inline:BwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8wMTI=",
            Suite::AeadAes256Gcm,
        ),
    ] {
        let line = format!("1 {name} {inline}|2^31 WSH=64 -FUTURE=1");
        let (_, agreed) = answer(Need::Required, "RTP/SAVPF", &[&line]).unwrap();
        assert_eq!(keys(&agreed).receive.suite(), suite);
    }
}

/// A key that is short, long or no key, and conditions that weaken it or that we do not meet.
#[test]
fn rfc4568_6_lines_that_cannot_be_met_are_refused() {
    for line in [
        "1 AES_CM_128_HMAC_SHA1_80 inline:BwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiM=".to_owned(),
        "1 AES_CM_128_HMAC_SHA1_80 inline:".to_owned(),
        "1 AES_CM_128_HMAC_SHA1_80 inline:????".to_owned(),
        format!("1 AES_CM_128_HMAC_SHA1_80 inline:{}", "B".repeat(60_000)),
        format!("1 AEAD_AES_128_GCM {KEY_80}"),
        format!("1 AES_CM_128_HMAC_SHA1_80 {KEY_80}|2^20|1:4"),
        format!("1 AES_CM_128_HMAC_SHA1_80 {KEY_80}|1:4"),
        format!("1 AES_CM_128_HMAC_SHA1_80 {KEY_80};{KEY_80}"),
        format!("1 AES_CM_128_HMAC_SHA1_80 {KEY_80} UNENCRYPTED_SRTP"),
        format!("1 AES_CM_128_HMAC_SHA1_80 {KEY_80} UNAUTHENTICATED_SRTP"),
        format!("1 AES_CM_128_HMAC_SHA1_80 {KEY_80} WSH=64 UNENCRYPTED_SRTCP"),
        format!("1 AES_CM_128_HMAC_SHA1_80 {KEY_80} KDR=1"),
        format!("-1 AES_CM_128_HMAC_SHA1_80 {KEY_80}"),
        format!("1 AES_CM_128_HMAC_SHA1_80 ekt:{}", &KEY_80[7..]),
        format!("1 NULL {KEY_80}"),
    ] {
        let refused = answer(Need::Unasked, "RTP/SAVP", &[&line]);
        assert_eq!(refused.err(), Some(SdpError::NoCommonSuite), "{line:.200}");
        assert_eq!(SdpError::NoCommonSuite.status(), 488);
    }
}

#[test]
fn keys_within_rtp_avp_count_where_encryption_is_wanted() {
    let line = format!("1 AES_CM_128_HMAC_SHA1_80 {KEY_80}");
    for (need, encrypted) in [(Need::Unasked, false), (Need::Optional, true), (Need::Required, true)] {
        let (text, agreed) = answer(need, "RTP/AVP", &[&line]).unwrap();
        assert_eq!(agreed.security != Security::Plain, encrypted, "{need:?}");
        assert_eq!(told(&text).len(), 1 + usize::from(encrypted), "{text}");
        assert_eq!(told(&text)[0], "m=audio 30000 RTP/AVP 0");
    }
    let unknown = answer(Need::Optional, "RTP/AVP", &["1 NEW inline:AAAA"]).unwrap();
    assert_eq!(unknown.1.security, Security::Plain);
}

#[test]
fn an_offer_in_the_clear_is_refused_where_encryption_is_required() {
    assert_eq!(answer(Need::Required, "RTP/AVP", &[]).err(), Some(SdpError::Unprotected));
    assert_eq!(SdpError::Unprotected.status(), 488);
    // Of two sections the encrypted one is taken.
    let line = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY_80}\r\n");
    let both = audio("RTP/AVP", &[]) + "m=audio 5000 RTP/SAVP 0\r\n" + &line;
    let (text, agreed) = leg(Need::Required, 1).answer(both.as_bytes(), Direction::SendRecv).unwrap();
    assert_eq!(told(&text)[..2], ["m=audio 0 RTP/AVP 0", "m=audio 30000 RTP/SAVP 0"]);
    assert_eq!(agreed.remote.map(|remote| remote.port()), Some(5000));
}

#[test]
fn offers_say_what_is_wanted() {
    let lines = [
        "a=crypto:1 AEAD_AES_128_GCM inline:AgICAgICAgICAgICAgICAgICAgICAgICAgICAg==",
        "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC",
    ];
    let media = |profile| format!("m=audio 30000 {profile} 0 101");
    assert_eq!(told(&leg(Need::Unasked, 2).offer(Direction::SendRecv)), [media("RTP/AVP")]);
    let offered = |need| leg(need, 2).offer(Direction::SendRecv);
    assert_eq!(told(&offered(Need::Optional)), [&media("RTP/AVP"), lines[0], lines[1]]);
    assert_eq!(told(&offered(Need::Required)), [&media("RTP/SAVP"), lines[0], lines[1]]);
}

#[test]
fn rfc4568_7_1_3_an_answer_takes_one_of_our_lines() {
    for (profile, line, expected) in [
        ("RTP/SAVP", format!("1 AEAD_AES_128_GCM {KEY_GCM}"), Ok(Suite::AeadAes128Gcm)),
        ("RTP/SAVP", format!("2 AES_CM_128_HMAC_SHA1_80 {KEY_80}"), Ok(Suite::AesCm128Sha1Tag80)),
        ("RTP/AVP", format!("2 AES_CM_128_HMAC_SHA1_80 {KEY_80}"), Ok(Suite::AesCm128Sha1Tag80)),
        ("RTP/SAVP", format!("1 AES_CM_128_HMAC_SHA1_80 {KEY_80}"), Err(SdpError::NoCommonSuite)),
        ("RTP/SAVP", format!("2 AES_CM_128_HMAC_SHA1_32 {KEY_80}"), Err(SdpError::NoCommonSuite)),
        ("RTP/SAVP", "1 AEAD_AES_128_GCM inline:AAAA".to_owned(), Err(SdpError::NoCommonSuite)),
    ] {
        let mut leg = leg(Need::Required, 1);
        leg.offer(Direction::SendRecv);
        let agreed = leg.receive_answer(audio(profile, &[&line]).as_bytes());
        assert_eq!(agreed.map(|agreed| keys(&agreed).receive.suite()), expected, "{line}");
    }
}

#[test]
fn an_answer_in_the_clear_is_taken_only_where_it_may_be() {
    for (need, profile, expected) in [
        (Need::Optional, "RTP/AVP", Ok(Security::Plain)),
        (Need::Required, "RTP/AVP", Err(SdpError::Unprotected)),
        (Need::Required, "RTP/SAVP", Err(SdpError::Unprotected)),
    ] {
        let mut leg = leg(need, 1);
        leg.offer(Direction::SendRecv);
        let agreed = leg.receive_answer(audio(profile, &[]).as_bytes());
        assert_eq!(agreed.map(|agreed| agreed.security), expected, "{need:?} {profile}");
    }
}

/// CVE-2022-39269 and its kin: what is encrypted stays so in a new offer, whoever makes it.
#[test]
fn a_new_offer_does_not_take_encryption_away() {
    let line = format!("1 AES_CM_128_HMAC_SHA1_80 {KEY_80}");
    let secure = audio("RTP/AVP", &[&line]);
    let mut required = leg(Need::Required, 1);
    let (_, before) = required.answer(secure.as_bytes(), Direction::SendRecv).unwrap();
    let plain = audio("RTP/AVP", &[]);
    assert_eq!(required.answer(plain.as_bytes(), Direction::SendRecv).err(), Some(SdpError::Unprotected));
    assert_eq!(required.agreed(), Some(&before));

    // Ours, and the peer would rather not.
    let mut optional = leg(Need::Optional, 1);
    optional.answer(secure.as_bytes(), Direction::SendRecv).unwrap();
    assert_eq!(told(&optional.offer(Direction::SendRecv)).len(), 2);
    assert_eq!(optional.receive_answer(plain.as_bytes()).err(), Some(SdpError::Unprotected));
}

/// RFC 4568 7.1.4: so that nobody's rollover counter begins again.
#[test]
fn keys_stay_over_new_offers() {
    let line = format!("1 AES_CM_128_HMAC_SHA1_80 {KEY_80}");
    let mut leg = leg(Need::Unasked, 1);
    let (first, before) = leg.answer(audio("RTP/SAVP", &[&line]).as_bytes(), Direction::SendRecv).unwrap();
    let held = audio("RTP/SAVP", &[&line]) + "a=sendonly\r\n";
    let (again, after) = leg.answer(held.as_bytes(), Direction::SendRecv).unwrap();
    assert_eq!((told(&first), &before.security), (told(&again), &after.security));
    let offer = leg.offer(Direction::SendRecv);
    assert_eq!(told(&offer)[1..], told(&first)[1..]);
}

#[test]
fn without_keys_nothing_encrypted_is_agreed_on() {
    let capabilities = Arc::new([Capability::PCMU]);
    let bare = || Negotiation::new(capabilities.clone(), IpAddr::V4(Ipv4Addr::LOCALHOST), 30_000, 7);
    let line = format!("1 AES_CM_128_HMAC_SHA1_80 {KEY_80}");
    let refused = bare().answer(audio("RTP/SAVP", &[&line]).as_bytes(), Direction::SendRecv);
    assert_eq!(refused.err(), Some(SdpError::NoCommonSuite));
    let mut required =
        bare().protected(Protection { need: Need::Required, keys: None, handshake: None, is_browser: false });
    let refused = required.answer(audio("RTP/SAVP", &[&line]).as_bytes(), Direction::SendRecv);
    assert_eq!(refused.err(), Some(SdpError::NoCommonSuite));
}

#[test]
fn keys_are_not_in_debug_output() {
    let line = format!("1 AES_CM_128_HMAC_SHA1_80 {KEY_80}");
    let mut leg = leg(Need::Optional, 1);
    let offer = audio("RTP/SAVP", &[&line]);
    let (_, agreed) = leg.answer(offer.as_bytes(), Direction::SendRecv).unwrap();
    let session = sdp::Session::parse(offer.as_bytes()).unwrap();
    let shown = format!("{leg:?} {agreed:?} {session:?}");
    assert!(!shown.contains("Bwg") && !shown.contains("1, 1, 1") && !shown.contains("7, 8, 9"), "{shown}");
}
