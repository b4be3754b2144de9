//! Numbers that are too large for what counts them: they have broken most systems of this kind. Each is a 400, the
//! most that its grammar allows, or as if it were not there, and never a small number.

use crate::{flaw, options, parse};
use clock::{Duration, Time};
use sip::{Flaw, Flow, Host, Name, Registrar, RegistrarConfig, SipUri, Uri, Via};

/// Beyond 8, 16, 31, 32, 63 and 64 bits, and what some parsers take for numbers.
const TOO_LARGE: [&str; 6] = [
    "4294967296",
    "9223372036854775808",
    "18446744073709551616",
    "18446744073709551617",
    "340282366920938463463374607431768211456",
    "99999999999999999999999999999999999999999999999999",
];
const NO_NUMBERS: [&str; 7] = ["-1", "+1", "0x10", "1e3", "1.5", "\u{661}", "1 2"];

fn refused(line: &str) -> Option<u16> {
    parse(options(&[line])).validate().err().map(|fault| fault.status)
}

#[test]
fn cseq_stays_below_two_to_the_31() {
    assert_eq!(refused("CSeq: 2147483647 OPTIONS"), None);
    for number in TOO_LARGE.iter().chain(&NO_NUMBERS).chain(&["2147483648", "4294967295"]) {
        assert_eq!(refused(&format!("CSeq: {number} OPTIONS")), Some(400), "{number}");
    }
}

#[test]
fn content_length_is_compared_and_never_reserved() {
    for number in TOO_LARGE {
        let flaw = flaw(options(&[&format!("Content-Length: {number}")]));
        assert!(matches!(flaw, Flaw::BodyTooShort { present: 0, .. } | Flaw::ContentLength), "{number}");
    }
    for text in NO_NUMBERS {
        assert_eq!(flaw(options(&[&format!("Content-Length: {text}")])), Flaw::ContentLength, "{text}");
    }
}

#[test]
fn max_forwards_is_one_octet() {
    assert_eq!(refused("Max-Forwards: 255"), None);
    for number in TOO_LARGE.iter().chain(&NO_NUMBERS).chain(&["256", "65536"]) {
        assert_eq!(refused(&format!("Max-Forwards: {number}")), Some(400), "{number}");
    }
}

#[test]
fn expires_is_at_most_32_bits() {
    for number in TOO_LARGE {
        let message = parse(options(&[&format!("Expires: {number}")]));
        assert_eq!((message.validate(), message.expires()), (Ok(()), Some(u32::MAX)), "{number}");
    }
    for text in NO_NUMBERS {
        assert_eq!(refused(&format!("Expires: {text}")), Some(400), "{text}");
    }
}

#[test]
fn ports_are_16_bits_in_uris_and_vias() {
    let port = |text: &str| match Uri::parse(text) {
        Ok(Uri::Sip(SipUri { port, .. })) => Some(port),
        _ => None,
    };
    assert_eq!(port("sip:a@h:65535"), Some(Some(65_535)));
    for number in TOO_LARGE.iter().chain(&NO_NUMBERS).chain(&["65536", "70000"]) {
        assert_eq!(port(&format!("sip:a@h:{number}")), None, "{number}");
        assert_eq!(port(&format!("sip:a@[::1]:{number}")), None, "{number}");
        assert_eq!(refused(&format!("Via: SIP/2.0/UDP h:{number};branch=z9hG4bK1")), Some(400), "{number}");
        let via = format!("SIP/2.0/UDP 192.0.2.1;rport={number};branch=z9hG4bK1");
        let via = Via::parse(&via).unwrap();
        assert_eq!((via.rport(), via.host()), (Some(None), Host::V4([192, 0, 2, 1].into())), "{number}");
    }
}

#[test]
fn a_ttl_that_nobody_could_mean_changes_nothing() {
    for number in TOO_LARGE.iter().chain(&NO_NUMBERS[..5]).chain(&["256"]) {
        let message = parse(options(&[
            &format!("Via: SIP/2.0/UDP 192.0.2.7;ttl={number};branch=z9hG4bKt"),
            &format!("OPTIONS sip:a@h.example;ttl={number} SIP/2.0"),
        ]));
        assert_eq!(message.validate(), Ok(()), "{number}");
        assert_eq!(message.via().unwrap().branch(), Some("z9hG4bKt"));
    }
}

/// The seconds and the preference that a registrar gives a contact with these parameters.
fn bound(params: &str) -> (u64, u16) {
    let register = parse(options(&[
        "REGISTER sip:pbx.example SIP/2.0",
        "CSeq: 1 REGISTER",
        &format!("Contact: <sip:a@192.0.2.7>{params}"),
    ]));
    assert_eq!(register.validate(), Ok(()), "{params}");
    let flow = Flow::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.7:5060".parse().unwrap());
    let now = Time::ZERO + Duration::from_secs(1_000_000);
    let mut registrar = Registrar::new(RegistrarConfig::default());
    let bindings = registrar.register(now, "a@pbx", &register, flow).unwrap();
    ((bindings[0].expires_at - now).as_secs(), bindings[0].q)
}

#[test]
fn the_expires_of_a_contact_is_at_most_what_the_registrar_grants() {
    for number in TOO_LARGE {
        assert_eq!(bound(&format!(";expires={number}")).0, 7_200, "{number}");
    }
    for text in &NO_NUMBERS[..5] {
        assert_eq!(bound(&format!(";expires={text}")).0, 3_600, "{text}: as if it were not there");
    }
}

#[test]
fn a_q_value_is_from_0_to_1() {
    assert_eq!(bound(";q=0.7").1, 700);
    assert_eq!(bound(";q=1.000").1, 1_000);
    for text in TOO_LARGE.iter().chain(&["1.001", "2", "-1", "0.0000001", "0.-5", "1e3", ".", "0..1"]) {
        assert_eq!(bound(&format!(";q={text}")).1, 1_000, "{text}");
    }
    assert_eq!(
        parse(options(&["Accept: a/b;q=99999999999999999999"])).header_values(Name::Accept).count(),
        1
    );
}
