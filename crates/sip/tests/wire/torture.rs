//! RFC 4475's cases, one for each point that its messages make, in messages of our own. Each test names the
//! section whose point it is.

use crate::{flaw, options, parse, wire};
use bytes::Bytes;
use sip::{Flaw, Message, Method, Name, NameAddr, ParseError, Uri, Via};

fn refused(changes: &[&str]) -> u16 {
    parse(options(changes)).validate().expect_err("a request to refuse").status
}

#[test]
fn section_3_1_1_1_spaces_folds_and_compact_names_everywhere() {
    let message = parse(wire(
        &[
            "INVITE sip:bench@lab.example;odd SIP/2.0",
            "TO :",
            " sip:bench@lab.example ;   tag    = 19zz",
            "from   : \"A \\\\\\\"B\"       <sip:ab@lab.example>",
            "  ;",
            "  tag = z1",
            "MaX-fOrWaRdS: 0041",
            "Call-ID: spaced.out@192.0.2.44",
            "cseq: 0012",
            "  INVITE",
            "Via  : SIP  /   2.0",
            " /UDP",
            "    192.0.2.44;branch=b1",
            "s :",
            "Odd-Header-Of-Nobody:   ;;,,;;,;",
            "v:  SIP  / 2.0  / TCP     hop.lab.example   ;",
            "  branch  =   z9hG4bKhop  ,",
            " SIP  /    2.0   / UDP  192.168.3.4   ; branch=",
            " z9hG4bKlast",
            "m:\"One \\\\\\\" Two\" <sip:ab@lab.example> ; odd = odder ; oddest",
            "l: 4",
        ],
        "v=0\n",
    ));
    assert_eq!(message.validate(), Ok(()));
    assert_eq!(message.cseq().unwrap(), (12, Method::Invite));
    assert_eq!(message.max_forwards(), Some(41));
    assert_eq!(message.from().unwrap().display(), r#"A \"B"#);
    assert_eq!((message.from().unwrap().tag(), message.to().unwrap().tag()), (Some("z1"), Some("19zz")));
    assert_eq!(message.header(Name::Subject), Some(""));
    assert_eq!(message.header_text("odd-header-of-nobody"), Some(";;,,;;,;"));
    let hops: Vec<_> = message.header_values(Name::Via).map(|via| Via::parse(via).unwrap()).collect();
    let branches: Vec<_> = hops.iter().map(|via| via.branch().unwrap()).collect();
    assert_eq!(branches, ["b1", "z9hG4bKhop", "z9hG4bKlast"]);
    assert_eq!(message.contacts().next().unwrap().unwrap().param("odd"), Some("odder"));
    assert_eq!(&message.body()[..], b"v=0\n");
}

#[test]
fn section_3_1_1_2_every_character_that_the_grammar_allows() {
    let message = parse(wire(
        &[
            "*odd-Method.0!%_+`'~ sip:2_odd~(is-it!)&who's+it$/?,;:&pw=1,a!b*c$d~e.(f'g)@lab.example SIP/2.0",
            "Via: SIP/2.0/TCP h.example;branch=z9hG4bK-.!%66*_+`'~",
            "To: \"bell \\\u{7} nul \\\0 del \\\u{7f}\" <sip:2_odd~(is-it!)&who's+it$/?,;:&pw=1@lab.example>",
            "From: one~` two'+_ three*%!.- <sip:plain@lab.example>;fromParam''~+*_!.-%=\"\u{440}\u{430}\u{431}\";tag=_t~1'+`*%!-.",
            "Call-ID: odd%word*word@-.!%*_+`'~()<>:\\\"/[]?{}",
            "CSeq: 9 *odd-Method.0!%_+`'~",
            "extension!%*_+'`~-.Header: \u{fe}\u{ff} any text\u{2192}",
            "Content-Length: 0",
        ],
        "",
    ));
    assert_eq!(message.validate(), Ok(()));
    assert_eq!(message.method().as_str(), "*odd-Method.0!%_+`'~");
    assert_eq!(message.to().unwrap().display(), "bell \u{7} nul \0 del \u{7f}");
    assert_eq!(message.from().unwrap().tag(), Some("_t~1'+`*%!-."));
    let uri = Uri::parse(message.request_uri()).unwrap();
    assert_eq!(uri.user().as_deref(), Some("2_odd~(is-it!)&who's+it$/?,;"));
}

#[test]
fn section_3_1_1_3_to_5_escapes() {
    let message = parse(options(&[
        "OPTIONS sip:sips%3Adesk%40lab.example@gate.example SIP/2.0",
        "From: %Q%51 <sip:nul-%00-nul@lab.example>;tag=1",
        "Contact: <sip:%00@h.example>, <sip:%00%00@h.example;p%61r=v%61l%2541>",
        "C%6Fntact: <sip:not-a-contact@h.example>",
    ]));
    assert_eq!(message.validate(), Ok(()));
    assert_eq!(Uri::parse(message.request_uri()).unwrap().user().as_deref(), Some("sips:desk@lab.example"));
    let from = message.from().unwrap();
    assert_eq!(from.display(), "%Q%51", "escapes mean nothing outside a URI");
    assert_eq!(from.uri().unwrap().user().as_deref(), Some("nul-\0-nul"));
    let users: Vec<_> = message.contacts().map(|c| c.unwrap().uri().unwrap().user().unwrap().len()).collect();
    assert_eq!(users, [1, 2], "two contacts, and they differ");
    assert_eq!(parse(options(&["-CSeq", "O%50TIONS sip:a@h SIP/2.0"])).method().as_str(), "O%50TIONS");
}

#[test]
fn section_3_1_1_6_no_space_before_the_bracket() {
    let message = parse(options(&["From: probe<sip:probe@trunk.example>;tag=3"]));
    assert_eq!(message.from().unwrap().display(), "probe");
}

#[test]
fn section_3_1_1_7_long_values() {
    let long = "long".repeat(500);
    let hops = vec!["SIP/2.0/TCP hop.example"; 33].join(",");
    let message = parse(options(&[
        &format!("From: <sip:{long}@h.example>;tag={long}"),
        &format!("Via: {hops}, SIP/2.0/UDP 192.0.2.3;branch={long}"),
        &format!("X-{long}: {long}"),
    ]));
    assert_eq!(message.from().unwrap().tag(), Some(long.as_str()));
    assert_eq!(message.header_values(Name::Via).count(), 34);
    assert_eq!(message.header_text(&format!("x-{long}")), Some(long.as_str()));
}

#[test]
fn section_3_1_1_8_octets_behind_the_body_of_a_datagram() {
    let twice = [&options(&[])[..], &options(&["Call-ID: second"])[..]].concat();
    let message = parse(twice);
    assert_eq!(message.call_id(), "probe-1@trunk.example");
    assert!(message.body().is_empty());
}

#[test]
fn section_3_1_1_9_semicolons_in_the_user_part() {
    let message = parse(options(&["OPTIONS sip:desk;ext=u%40x@lab.example SIP/2.0"]));
    let uri = Uri::parse(message.request_uri()).unwrap();
    assert_eq!(uri.user().as_deref(), Some("desk;ext=u@x"));
    assert_eq!(uri.as_sip().unwrap().params.iter().count(), 0);
}

#[test]
fn section_3_1_1_10_transports_that_we_do_not_speak() {
    let message = parse(options(&["Via: SIP/2.0/SCTP a.example;branch=z9hG4bK1, SIP/2.0/PIGEON b.example"]));
    assert_eq!(message.validate(), Ok(()));
    let via = message.via().unwrap();
    assert_eq!((via.transport(), via.transport_text()), (None, "SCTP"));
}

#[test]
fn section_3_1_1_11_binary_bodies_are_kept_to_the_octet() {
    let body: Vec<u8> = (0..=255).collect();
    let head = options(&["Content-Type: multipart/mixed;boundary=x", "Content-Length: 256"]);
    let message = parse([&head[..], &body].concat());
    assert_eq!(&message.body()[..], body);
}

#[test]
fn section_3_1_1_12_and_13_reason_phrases() {
    let reason = |line| parse(wire(&[line, "CSeq: 1 INVITE"], "")).reason().to_owned();
    assert_eq!(reason("SIP/2.0 200 = 2**3 * 5**2 \u{43d}\u{43e}"), "= 2**3 * 5**2 \u{43d}\u{43e}");
    assert_eq!(reason("SIP/2.0 100 "), "");
    assert_eq!(reason("SIP/2.0 100"), "");
}

#[test]
fn section_3_1_2_1_extraneous_separators() {
    assert_eq!(refused(&["Via: SIP/2.0/UDP 192.0.2.15;;,;,,"]), 400);
    assert_eq!(refused(&["Contact: \"Joe\" <sip:joe@lab.example>;;;;,,;;"]), 400);
}

#[test]
fn section_3_1_2_2_to_3_content_length_that_lies() {
    assert_eq!(flaw(options(&["Content-Length: 9999"])), Flaw::BodyTooShort { declared: 9999, present: 0 });
    assert_eq!(flaw(options(&["Content-Length: -999"])), Flaw::ContentLength);
}

#[test]
fn section_3_1_2_4_to_5_numbers_too_large() {
    assert_eq!(refused(&["CSeq: 36893488147419103232 OPTIONS"]), 400);
    assert_eq!(refused(&["Max-Forwards: 300"]), 400);
    let response = wire(&["SIP/2.0 503 Service Unavailable", "CSeq: 9292394834772304023312 OPTIONS"], "");
    assert_eq!(flaw(response), Flaw::ResponseWithoutCSeq);
}

#[test]
fn section_3_1_2_6_a_quote_that_is_never_closed() {
    assert_eq!(refused(&["To: \"Desk <sip:desk@pbx.example>"]), 400);
}

#[test]
fn section_3_1_2_7_to_10_request_lines() {
    assert_eq!(refused(&["OPTIONS <sip:desk@pbx.example> SIP/2.0"]), 400);
    assert_eq!(flaw(options(&["OPTIONS sip:desk@pbx.example; lr SIP/2.0"])), Flaw::StartLine);
    assert_eq!(flaw(options(&["OPTIONS  sip:desk@pbx.example  SIP/2.0"])), Flaw::StartLine);
    assert_eq!(flaw(options(&["OPTIONS sip:desk@pbx.example SIP/2.0  "])), Flaw::StartLine);
}

#[test]
fn section_3_1_2_11_headers_in_a_request_uri_are_no_headers() {
    let message = parse(options(&["OPTIONS sip:desk@pbx.example?Route=%3Csip:evil.example%3E SIP/2.0"]));
    assert_eq!(message.header(Name::Route), None);
}

#[test]
fn section_3_1_2_12_a_date_that_cannot_be_read_is_not_looked_at() {
    assert_eq!(parse(options(&["Date: Fri, 01 Jan 2010 16:00:00 EST"])).validate(), Ok(()));
}

#[test]
fn section_3_1_2_13_to_15_addresses() {
    assert_eq!(refused(&["Contact: sip:desk@pbx.example?Route=%3Csip:x.example%3E"]), 400);
    assert_eq!(refused(&["To: \"Desk, One\" < sip:desk@pbx.example >"]), 400);
    assert_eq!(refused(&["From: Desk, One <sip:desk@pbx.example>;tag=1"]), 400);
}

#[test]
fn section_3_1_2_16_unknown_versions() {
    assert_eq!(
        refused(&["OPTIONS sip:desk@pbx.example SIP/7.0", "Via: SIP/7.0/UDP h.example;branch=z9hG4bK1"]),
        505
    );
}

#[test]
fn section_3_1_2_17_and_18_methods_that_differ() {
    assert_eq!(refused(&["CSeq: 8 INVITE"]), 400);
    assert_eq!(refused(&["NEWMETHOD sip:a@h SIP/2.0", "CSeq: 8 INVITE"]), 400);
}

#[test]
fn section_3_1_2_19_a_status_that_would_wrap() {
    let response = wire(&["SIP/2.0 4294967301 better not break", "CSeq: 1 INVITE"], "");
    assert_eq!(flaw(response), Flaw::StartLine);
}

#[test]
fn section_3_2_1_a_branch_of_the_cookie_alone() {
    let message = parse(options(&["Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK"]));
    assert_eq!(message.via().unwrap().branch(), Some(Via::MAGIC_COOKIE));
}

#[test]
fn section_3_3_1_missing_fields() {
    let bytes = wire(&["INVITE sip:a@h SIP/2.0", "CSeq: 1 INVITE", "Via: SIP/2.0/UDP h.example"], "");
    assert_eq!(parse(bytes).validate().unwrap_err().status, 400);
}

#[test]
fn section_3_3_2_to_4_other_schemes() {
    assert_eq!(refused(&["OPTIONS nobodyKnows:opaque SIP/2.0"]), 416);
    assert_eq!(refused(&["OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0"]), 416);
    let message = parse(options(&[
        "To: isbn:2983792873",
        "From: <http://h.example/>;tag=1",
        "Contact: <name:John_Smith>",
    ]));
    assert_eq!(message.validate(), Ok(()), "header fields may name what we cannot call");
}

#[test]
fn section_3_3_7_unknown_authorization_schemes() {
    let credentials = sip::Credentials::parse("NoOneKnowsThisScheme opaque-data=here");
    assert!(matches!(credentials, Err(ParseError::Invalid(Name::Authorization))));
}

#[test]
fn section_3_3_8_values_that_must_be_single() {
    for second in
        ["CSeq : 7 OPTIONS", "Call-ID : x", "To : <sip:x@h>", "From : <sip:x@h>;tag=1", "Max-Forwards : 3"]
    {
        let mut lines = String::from_utf8(options(&[]).to_vec()).unwrap();
        lines.truncate(lines.len() - 2);
        let doubled = format!("{lines}{second}\r\n\r\n");
        assert_eq!(parse(doubled).validate().unwrap_err().status, 400, "{second}");
    }
}

#[test]
fn section_3_3_9_content_lengths_that_differ() {
    assert_eq!(flaw(options(&["Content-Length : 5", "l: 3"])), Flaw::ContentLength);
}

#[test]
fn section_3_3_11_max_forwards_of_zero() {
    assert_eq!(parse(options(&["Max-Forwards: 0"])).validate(), Ok(()), "OPTIONS may be answered here");
}

#[test]
fn section_3_3_12_to_14_parameters_of_the_contact_and_of_its_uri() {
    let outside = NameAddr::parse(Name::Contact, "<sip:+15550100@gw.example>;x").unwrap();
    assert!(outside.params().has("x") && !outside.uri().unwrap().as_sip().unwrap().params.has("x"));
    let inside = NameAddr::parse(Name::Contact, "<sip:+15550100@gw.example;x>").unwrap();
    assert!(!inside.params().has("x") && inside.uri().unwrap().as_sip().unwrap().params.has("x"));
    let escaped = NameAddr::parse(Name::Contact, "<sip:a@h.example?Route=%3Csip:p.example%3E>").unwrap();
    assert_eq!(escaped.uri().unwrap().as_sip().unwrap().headers, "Route=%3Csip:p.example%3E");
}

#[test]
fn section_3_4_1_requests_of_rfc_2543() {
    let message = parse(wire(
        &[
            "INVITE sip:b@h.example SIP/2.0",
            "Via: SIP/2.0/UDP gw.example",
            "From: <sip:+15550100@gw.example;user=phone>",
            "To: <sip:b@h.example>",
            "Call-ID: 1",
            "CSeq: 1 INVITE",
        ],
        "v=0",
    ));
    assert_eq!(message.validate(), Ok(()));
    assert_eq!((message.via().unwrap().branch(), message.from().unwrap().tag()), (None, None));
    assert_eq!(&message.body()[..], b"v=0");
}

#[test]
fn a_header_that_is_nothing_but_quotes_ends() {
    let bytes = Bytes::from(format!("OPTIONS sip:a@h SIP/2.0\r\nContact: {}\r\n\r\n", "\"".repeat(60_000)));
    assert_eq!(Message::parse(bytes).unwrap().contacts().filter(Result::is_ok).count(), 0);
}
