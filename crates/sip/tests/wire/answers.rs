//! What a request that cannot be served is answered with.

use crate::{options, parse, wire};
use bytes::Bytes;
use sip::{Fault, Message, ParseError, ResponseBuilder};

fn refused(changes: &[&str]) -> (u16, &'static str) {
    let fault = parse(options(changes)).validate().expect_err("a request to refuse");
    (fault.status, fault.phrase)
}

fn answer(bytes: Bytes) -> Option<Fault> {
    let error: ParseError = Message::parse(bytes).expect_err("a broken message");
    error.answer().map(|(_, fault)| fault)
}

#[test]
fn section_8_1_1_mandatory_fields() {
    assert_eq!(refused(&["-Via"]), (400, "Missing Via"));
    assert_eq!(refused(&["-From"]), (400, "Missing From"));
    assert_eq!(refused(&["-To"]), (400, "Missing To"));
    assert_eq!(refused(&["-Call-ID"]), (400, "Missing Call-ID"));
    assert_eq!(refused(&["-CSeq"]), (400, "Missing CSeq"));
    assert_eq!(parse(options(&["-Max-Forwards"])).validate(), Ok(()), "section 16.3 lets it pass");
}

#[test]
fn fields_that_cannot_be_read() {
    assert_eq!(refused(&["From: \"open <sip:a@h>"]), (400, "Malformed From"));
    assert_eq!(refused(&["To: <sip:a@[::1>"]), (400, "Malformed To"));
    assert_eq!(refused(&["To: <sip:a@h>;tag="]), (400, "Malformed To"), "ours would stand behind it unread");
    assert_eq!(refused(&["Contact: <sip:a@h:99999>"]), (400, "Malformed Contact"));
    assert_eq!(refused(&["Max-Forwards: 256"]), (400, "Malformed Max-Forwards"));
    assert_eq!(refused(&["Max-Forwards: 7 0"]), (400, "Malformed Max-Forwards"));
    assert_eq!(refused(&["Expires: soon"]), (400, "Malformed Expires"));
    assert_eq!(refused(&["CSeq: 4294967297 OPTIONS"]), (400, "Malformed CSeq"));
    assert_eq!(refused(&["CSeq: 12 options"]), (400, "CSeq Method Differs From Request"));
    assert_eq!(refused(&["Via: SIP/2.0/UDP h.example, nonsense"]), (400, "Malformed Via"));
}

#[test]
fn fields_that_contradict_each_other() {
    assert_eq!(refused(&["f: <sip:b@h>;tag=2"]), (400, "Repeated From"));
    assert_eq!(refused(&["i: other"]), (400, "Repeated Call-ID"));
    assert_eq!(parse(options(&["Subject: a", "s: b"])).validate(), Ok(()), "untidy, harmless");
}

#[test]
fn section_8_2_2_1_request_uris() {
    assert_eq!(refused(&["OPTIONS mailto:a@h SIP/2.0"]), (416, "Unsupported URI Scheme"));
    assert_eq!(refused(&["OPTIONS <sip:a@h> SIP/2.0"]), (400, "Malformed Request-URI"));
    assert_eq!(refused(&["OPTIONS sip:a@h:x SIP/2.0"]), (400, "Malformed Request-URI"));
    assert_eq!(refused(&["OPTIONS sip:a@h SIP/3.0"]), (505, "Version Not Supported"));
    assert_eq!(parse(options(&["OPTIONS tel:+15550100 sip/2.0"])).validate(), Ok(()));
}

#[test]
fn section_16_3_no_hops_left() {
    let request = |method: &str, to: &str| {
        let start = format!("{method} sip:a@h SIP/2.0");
        parse(wire(
            &[
                &start,
                "Via: SIP/2.0/UDP h.example;branch=z9hG4bK1",
                "Max-Forwards: 0",
                "From: <sip:b@h>;tag=1",
                to,
                "Call-ID: c",
                &format!("CSeq: 1 {method}"),
            ],
            "",
        ))
        .validate()
    };
    let too_many = Err(Fault { status: 483, phrase: "Too Many Hops" });
    assert_eq!(request("INVITE", "To: <sip:a@h>"), too_many);
    assert_eq!(request("MESSAGE", "To: <sip:a@h>"), too_many);
    assert_eq!(request("INVITE", "To: <sip:a@h>;tag=2"), Ok(()), "within a dialog it has arrived");
    for ends_here in ["OPTIONS", "REGISTER", "ACK", "CANCEL", "BYE"] {
        assert_eq!(request(ends_here, "To: <sip:a@h>"), Ok(()), "{ends_here}");
    }
}

#[test]
fn broken_requests_that_can_be_answered() {
    let status = |changes: &[&str]| answer(options(changes)).map(|fault| (fault.status, fault.phrase));
    assert_eq!(status(&["no colon"]), Some((400, "Malformed Header Line")));
    assert_eq!(status(&["OPTIONS sip:a b@h SIP/2.0"]), Some((400, "Malformed Request Line")));
    assert_eq!(status(&["OPTIONS  sip:a@h SIP/2.0"]), Some((400, "Malformed Request Line")));
    assert_eq!(status(&["OPTIONS SIP/2.0"]), Some((400, "Malformed Request Line")));
    assert_eq!(status(&["Content-Length: 9"]), Some((400, "Body Shorter Than Content-Length")));
    assert_eq!(status(&["Content-Length: -9"]), Some((400, "Bad Content-Length")));
    let whole = options(&[]);
    let unended = whole.slice(..whole.len() - 2);
    assert_eq!(answer(unended).map(|fault| fault.phrase), Some("Header Not Ended"));
}

#[test]
fn broken_messages_that_are_dropped() {
    assert_eq!(answer(options(&["no colon", "-Via"])), None, "no way back");
    assert_eq!(answer(options(&["no colon", "-CSeq"])), None, "nothing to match the answer by");
    assert_eq!(
        answer(options(&["ACK sip:a@h SIP/2.0", "CSeq: 12 ACK", "no colon"])),
        None,
        "ACK has no answer"
    );
    assert_eq!(answer(wire(&["SIP/2.0 20 OK", "CSeq: 1 INVITE"], "")), None);
    assert_eq!(answer(wire(&["SIP/2.0 4294967301 better not wrap", "CSeq: 1 INVITE"], "")), None);
    assert_eq!(answer(wire(&["SIP/2.0 200 OK", "CSeq: 2147483648 INVITE"], "")), None);
    assert_eq!(answer(wire(&["SIP/7.0 200 OK", "CSeq: 1 INVITE"], "")), None);
    assert_eq!(answer(Bytes::from_static(b"GET / HTTP/1.1\r\n\r\n")), None);
}

#[test]
fn an_answer_to_a_broken_request_returns_its_fields() {
    let error = Message::parse(options(&["no colon", "From: Bell, A <sip:a@h>;tag=5"])).unwrap_err();
    let (request, fault) = error.answer().expect("an answer");
    let source = "192.0.2.7:5060".parse().unwrap();
    let bytes = ResponseBuilder::response_to(request, source, fault.status, fault.phrase, Some("t")).finish();
    let response = parse(bytes);
    assert_eq!((response.status(), response.reason()), (Some(400), "Malformed Header Line"));
    assert_eq!(response.header_text("From"), Some("Bell, A <sip:a@h>;tag=5"));
    assert_eq!(response.to().unwrap().tag(), Some("t"));
    assert_eq!(response.via().unwrap().branch(), Some("z9hG4bKopt1"));
}
