//! RFC 5118: IPv6 in messages, with cases of our own. Sections 4.6 and 4.8 are about session descriptions: see
//! `crates/sdp/tests/offer_answer.rs`.

use crate::{options, parse};
use sip::{Host, Name, Uri};

#[test]
fn section_4_1_and_4_2_references_need_brackets() {
    let bare = parse(options(&["OPTIONS sip:2001:db8::77 SIP/2.0"]));
    assert_eq!(bare.validate().unwrap_err().status, 400);
    let message = parse(options(&[
        "OPTIONS sip:[2001:db8::77] SIP/2.0",
        "Via: SIP/2.0/UDP [2001:db8::5:1];branch=z9hG4bK6",
        "Contact: \"Six\" <sip:six@[2001:db8::5]:5071>",
    ]));
    assert_eq!(message.validate(), Ok(()));
    assert_eq!(message.via().unwrap().host(), Host::V6("2001:db8::5:1".parse().unwrap()));
    let contact = message.contacts().next().unwrap().unwrap();
    assert!(matches!(contact.uri(), Ok(Uri::Sip(uri)) if uri.port == Some(5071)));
}

#[test]
fn section_4_3_a_port_inside_the_brackets_is_part_of_the_address() {
    let ambiguous = parse(options(&["OPTIONS sip:[2001:db8::77:5070] SIP/2.0"]));
    assert!(matches!(Uri::parse(ambiguous.request_uri()), Ok(Uri::Sip(uri)) if uri.port.is_none()));
}

#[test]
fn section_4_4_a_port_behind_the_brackets_is_the_port() {
    let clear = parse(options(&["OPTIONS sip:[2001:db8::77]:5070 SIP/2.0"]));
    assert!(matches!(Uri::parse(clear.request_uri()), Ok(Uri::Sip(uri)) if uri.port == Some(5070)));
}

#[test]
fn section_4_5_received_with_and_without_brackets() {
    for received in ["2001:db8::9", "[2001:db8::9]"] {
        let via = format!("Via: SIP/2.0/UDP [2001:db8::1]:5060;received={received};branch=z9hG4bK6");
        let message = parse(options(&[&via]));
        assert_eq!(message.via().unwrap().received(), "2001:db8::9".parse().ok());
    }
}

#[test]
fn section_4_7_both_families_in_one_via_list() {
    let message = parse(options(&[
        "Via: SIP/2.0/UDP [2001:db8::1]:6050;branch=z9hG4bK6, SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK4",
    ]));
    assert_eq!(message.header_values(Name::Via).count(), 2);
    assert_eq!(message.validate(), Ok(()));
}

#[test]
fn section_4_10_three_colons_are_one_too_many() {
    let wrong = parse(options(&["To: <sip:a@[2001:db8:::192.0.2.8]>"]));
    assert_eq!(wrong.validate().unwrap_err().phrase, "Malformed To");
    let right = parse(options(&["To: <sip:a@[2001:db8::192.0.2.8]>"]));
    assert_eq!(right.validate(), Ok(()));
}

#[test]
fn section_4_9_ipv4_mapped_addresses() {
    let message = parse(options(&["Contact: <sip:a@[::ffff:192.0.2.8]>"]));
    let contact = message.contacts().next().unwrap().unwrap();
    let uri = contact.uri().unwrap();
    assert_eq!(uri.as_sip().unwrap().host.ip(), "::ffff:192.0.2.8".parse().ok());
}
