//! RFC 3261 section 7: the parts of a message.

use crate::{flaw, options, parse, wire};
use bytes::Bytes;
use sip::{Flaw, MAX_HEADERS, MAX_MESSAGE, Message, Method, Name, ParseError};

#[test]
fn section_7_1_the_parts_of_a_request() {
    let message = parse(options(&["Max-Forwards: 69", "Expires: 4294967296"]));
    assert!(message.is_request());
    assert_eq!(message.method(), &Method::Options);
    assert_eq!(message.request_uri(), "sip:desk@pbx.example");
    assert_eq!(message.start_line(), "OPTIONS sip:desk@pbx.example SIP/2.0");
    assert_eq!((message.status(), message.reason()), (None, ""));
    assert_eq!(message.call_id(), "probe-1@trunk.example");
    assert_eq!(message.cseq().unwrap(), (12, Method::Options));
    assert_eq!(message.max_forwards(), Some(69));
    assert_eq!(message.expires(), Some(u32::MAX), "section 20.19: at most 32 bits");
    assert_eq!(message.from().unwrap().tag(), Some("77"));
    assert_eq!(message.to().unwrap().tag(), None);
    assert_eq!(message.validate(), Ok(()));
}

#[test]
fn section_7_2_the_parts_of_a_response() {
    let message = parse(wire(
        &["SIP/2.0 486 Busy Here", "CSeq: 3 INVITE", "Via: SIP/2.0/UDP h.example;branch=z9hG4bK1", "i: x"],
        "",
    ));
    assert!(!message.is_request());
    assert_eq!((message.status(), message.reason()), (Some(486), "Busy Here"));
    assert_eq!(message.method(), &Method::Invite, "of the CSeq");
    assert_eq!(message.request_uri(), "");
    assert_eq!(message.validate(), Ok(()));
}

#[test]
fn section_7_3_1_folded_lines_are_one_line() {
    let message = parse(wire(
        &[
            "OPTIONS sip:desk@pbx.example SIP/2.0",
            "Subject: a long",
            "\tand folded",
            "   subject",
            "X-Empty:",
            "To:",
            "  <sip:desk@pbx.example>",
            "Content-Length:",
            " 2",
        ],
        "hi",
    ));
    assert_eq!(message.header(Name::Subject), Some("a long and folded subject"));
    assert_eq!(message.to().unwrap().uri_text(), "sip:desk@pbx.example");
    assert_eq!(message.header_text("x-empty"), Some(""));
    assert_eq!(&message.body()[..], b"hi");
}

#[test]
fn section_7_3_1_names_have_no_case_and_order_is_kept() {
    let message = parse(options(&["cONTACT: <sip:a@h>", "X-One: 1", "x-one: 2"]));
    assert_eq!(message.header(Name::Contact), Some("<sip:a@h>"));
    assert_eq!(message.header_text("CONTACT"), Some("<sip:a@h>"));
    assert_eq!(message.header_text("X-ONE"), Some("1"), "the first");
    assert_eq!(message.header_text("X-Two"), None);
    let names: Vec<_> = message.headers().map(|(name, _)| name).skip(7).collect();
    assert_eq!(names, ["cONTACT", "X-One", "x-one"], "as received");
}

#[test]
fn section_7_3_1_values_on_a_line_and_on_several_are_one_list() {
    let message = parse(wire(
        &[
            "OPTIONS sip:desk@pbx.example SIP/2.0",
            "v: SIP/2.0/UDP a.example;branch=z9hG4bKa, SIP/2.0/TCP b.example",
            "Via : SIP/2.0/TLS c.example",
            "Route: <sip:one.example;lr>,<sip:two,three@four.example;lr>",
            r#"m: "Comma, \"Quote\"" <sip:a@h>;q=0.5, <sip:b@h>"#,
            r#"WWW-Authenticate: Digest realm="r", nonce="n""#,
        ],
        "",
    ));
    assert_eq!(message.header_values(Name::Via).count(), 3);
    assert_eq!(message.via().unwrap().branch(), Some("z9hG4bKa"));
    let routes: Vec<_> = message.addresses(Name::Route).map(|route| route.unwrap().uri_text()).collect();
    assert_eq!(routes, ["sip:one.example;lr", "sip:two,three@four.example;lr"]);
    let contacts: Vec<_> = message.contacts().map(|contact| contact.unwrap().display()).collect();
    assert_eq!(contacts, [r#"Comma, "Quote""#, ""]);
    assert_eq!(message.header_values(Name::WwwAuthenticate).count(), 1, "its commas part parameters");
}

#[test]
fn section_7_3_3_compact_names() {
    let message = parse(wire(
        &[
            "INVITE sip:desk@pbx.example SIP/2.0",
            "v:SIP/2.0/UDP h.example;branch=z9hG4bK1",
            "f:<sip:a@h>;tag=1",
            "t:<sip:b@h>",
            "i:c1",
            "CSeq:1 INVITE",
            "m:<sip:a@h.example>",
            "c:Application/SDP ;charset=utf-8",
            "k:timer,100rel",
            "l:3",
        ],
        "v=0",
    ));
    assert_eq!(message.validate(), Ok(()));
    assert_eq!(message.header(Name::CallId), Some("c1"));
    assert!(message.has_body_of("application/sdp"));
    assert!(!message.has_body_of("application/sdp-extra"));
    assert_eq!(message.header_values(Name::Supported).collect::<Vec<_>>(), ["timer", "100rel"]);
}

#[test]
fn section_7_5_line_ends_before_the_start_line_are_passed_over() {
    let mut bytes = b"\r\n\r\n".to_vec();
    bytes.extend_from_slice(&options(&[]));
    assert_eq!(parse(bytes).method(), &Method::Options);
    assert!(matches!(Message::parse(Bytes::from_static(b"\r\n\r\n")), Err(ParseError::Empty)));
    assert!(matches!(Message::parse(Bytes::new()), Err(ParseError::Empty)));
}

#[test]
fn line_feeds_alone_end_lines() {
    let text =
        String::from_utf8(options(&["Content-Length: 2"]).to_vec()).unwrap().replace("\r\n", "\n") + "okmore";
    let message = parse(text);
    assert_eq!(message.validate(), Ok(()));
    assert_eq!(&message.body()[..], b"ok");
}

#[test]
fn a_bare_carriage_return_is_a_flaw() {
    assert_eq!(flaw(options(&["Subject: a\rVia: SIP/2.0/UDP evil.example"])), Flaw::BareCarriageReturn);
}

#[test]
fn section_18_3_datagram_bodies() {
    let with_length = |length: &str, body: &str| {
        let head = options(&[length]);
        [&head[..], body.as_bytes()].concat()
    };
    assert_eq!(&parse(with_length("-Content-Length", "all of it")).body()[..], b"all of it");
    assert_eq!(&parse(with_length("Content-Length: 3", "abcdef")).body()[..], b"abc");
    assert!(parse(with_length("Content-Length: 0", "abcdef")).body().is_empty());
    assert_eq!(
        flaw(with_length("Content-Length: 7", "abcdef")),
        Flaw::BodyTooShort { declared: 7, present: 6 }
    );
    for unreadable in ["-1", "+1", "0x5", "", "1 2", "abc"] {
        let line = format!("Content-Length: {unreadable}");
        assert_eq!(flaw(with_length(&line, "abcdef")), Flaw::ContentLength, "{line}");
    }
    let huge = flaw(with_length("Content-Length: 99999999999999999999999", ""));
    assert!(matches!(huge, Flaw::BodyTooShort { present: 0, .. }));
}

#[test]
fn lengths_that_differ_are_a_flaw_and_equal_ones_are_refused_later() {
    let differ = options(&["l: 4"]);
    assert_eq!(flaw(differ), Flaw::ContentLength);
    let message = parse(options(&["l: 0"]));
    assert_eq!(message.validate().unwrap_err().phrase, "Repeated Content-Length");
}

#[test]
fn octets_that_are_no_utf_8_cost_no_call() {
    let mut bytes = options(&["Subject: @"]).to_vec();
    let at = bytes.iter().rposition(|byte| *byte == b'@').unwrap();
    bytes[at] = 0xfc;
    let message = parse(bytes);
    assert_eq!(message.header(Name::Subject), Some("ü"), "read as ISO 8859-1");
    assert_eq!(message.validate(), Ok(()));
    assert_eq!(parse(options(&["Subject: Grüße"])).header(Name::Subject), Some("Grüße"));
}

#[test]
fn what_is_no_sip_is_told_from_what_is_broken() {
    let alien = [
        "\0\0\0\0",
        "hello",
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}",
        "INVITE\r\n\r\n",
        "SIP/2.0\r\n\r\n",
        "  OPTIONS sip:a@h SIP/2.0\r\n\r\n",
        "OPT{}ONS sip:a@h SIP/2.0\r\n\r\n",
    ];
    for text in alien {
        assert!(
            matches!(Message::parse(Bytes::from_static(text.as_bytes())), Err(ParseError::NotSip)),
            "{text:?}"
        );
    }
    assert!(matches!(Message::parse(Bytes::from_static(b"\xff\xfe\r\n\r\n")), Err(ParseError::NotSip)));
}

#[test]
fn limits_hold() {
    let too_large = Bytes::from(vec![b'a'; MAX_MESSAGE + 1]);
    assert!(matches!(Message::parse(too_large), Err(ParseError::TooLarge { limit: MAX_MESSAGE })));
    let mut lines = vec!["OPTIONS sip:a@h SIP/2.0"];
    lines.extend(std::iter::repeat_n("X: 1", MAX_HEADERS));
    assert_eq!(parse(wire(&lines, "")).headers().count(), MAX_HEADERS);
    lines.push("X: 1");
    assert_eq!(flaw(wire(&lines, "")), Flaw::TooManyHeaders);
    let many_hops = format!("Via: {}", vec!["SIP/2.0/UDP h.example;branch=z9hG4bK1"; 129].join(","));
    assert_eq!(parse(options(&[&many_hops])).validate().unwrap_err().phrase, "Too Many Header Values");
}

#[test]
fn latin_1_that_grows_beyond_the_limit_is_too_large() {
    let mut bytes = b"OPTIONS sip:a@h SIP/2.0\r\nSubject: ".to_vec();
    bytes.resize(MAX_MESSAGE - 4, 0xe9);
    bytes.extend_from_slice(b"\r\n\r\n");
    assert!(matches!(Message::parse(bytes.into()), Err(ParseError::TooLarge { .. })));
}

#[test]
fn a_line_that_is_no_header_is_named_by_its_number() {
    assert_eq!(flaw(options(&["no colon here"])), Flaw::HeaderLine(9));
    assert_eq!(flaw(options(&["two words: x"])), Flaw::HeaderLine(9));
    assert_eq!(flaw(options(&[": x"])), Flaw::HeaderLine(9));
    let unended = Bytes::from_static(b"OPTIONS sip:a@h SIP/2.0\r\nSubject: x");
    assert_eq!(flaw(unended), Flaw::NoEmptyLine);
}

#[test]
fn cseq_numbers_stay_below_two_to_the_31() {
    let cseq = |value: &str| parse(options(&[&format!("CSeq: {value}")])).cseq();
    assert_eq!(cseq("2147483647 \t OPTIONS").unwrap().0, 2_147_483_647);
    assert_eq!(cseq("0009 OPTIONS").unwrap().0, 9);
    for broken in
        ["2147483648 OPTIONS", "99999999999999999999 OPTIONS", "OPTIONS", "1", "-1 OPTIONS", "1 OPT IONS"]
    {
        assert!(matches!(cseq(broken), Err(ParseError::Invalid(Name::CSeq))), "{broken}");
    }
}
