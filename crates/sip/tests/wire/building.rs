//! What we write: RFC 3261 sections 8.2.6, 12.1.1, 18.2.1 and 20.14.

use crate::{options, parse, wire};
use sip::{Message, Method, Name, RequestBuilder, ResponseBuilder, reason_phrase};
use std::net::SocketAddr;

const SOURCE: &str = "198.51.100.9:40000";

fn source() -> SocketAddr {
    SOURCE.parse().unwrap()
}

fn respond(request: &Message, status: u16) -> Message {
    parse(ResponseBuilder::response_to(request, source(), status, "", Some("ours")).finish())
}

#[test]
fn a_request_reads_back_as_it_was_built() {
    let bytes = RequestBuilder::new(&Method::Invite, "sip:b@h.example")
        .header(Name::Via, "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1")
        .header(Name::MaxForwards, "70")
        .header(Name::From, "<sip:a@h.example>;tag=1")
        .header(Name::To, "<sip:b@h.example>")
        .header(Name::CallId, "c1")
        .cseq(7, &Method::Invite)
        .header("X-Client", "acme")
        .finish_with("application/sdp", b"v=0\r\n");
    let message = parse(bytes);
    assert_eq!(message.validate(), Ok(()));
    assert_eq!(message.cseq().unwrap(), (7, Method::Invite));
    assert_eq!(message.header_text("x-client"), Some("acme"));
    assert!(message.has_body_of("application/sdp"));
    assert_eq!(message.header(Name::ContentLength), Some("5"));
    assert_eq!(&message.body()[..], b"v=0\r\n");
}

#[test]
fn nothing_can_be_smuggled_in_by_a_line_end() {
    let bytes = RequestBuilder::new(&Method::Options, "sip:b@h\r\nX: 1")
        .header(Name::Subject, "a\r\nRoute: <sip:evil>\n\nbody")
        .header("X\r\nY", "z")
        .header("content-length", "99")
        .header("l", "98")
        .finish_with("text/plain\r\nZ: 1", b"hi");
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let lines: Vec<_> = text.split("\r\n").collect();
    assert_eq!(
        lines,
        [
            "OPTIONS sip:b@h  X: 1 SIP/2.0",
            "Subject: a  Route: <sip:evil>  body",
            "X  Y: z",
            "Content-Type: text/plain  Z: 1",
            "Content-Length: 2",
            "",
            "hi"
        ]
    );
}

#[test]
fn section_8_2_6_2_a_response_returns_the_fields_of_its_request() {
    let request =
        parse(options(&["Via: SIP/2.0/UDP 198.51.100.9:40000;branch=z9hG4bKa, SIP/2.0/TCP b.example"]));
    let response = respond(&request, 200);
    assert_eq!((response.status(), response.reason()), (Some(200), "OK"));
    let vias: Vec<_> = response.header_values(Name::Via).collect();
    assert_eq!(vias, ["SIP/2.0/UDP 198.51.100.9:40000;branch=z9hG4bKa", "SIP/2.0/TCP b.example"]);
    assert_eq!(response.header(Name::From), request.header(Name::From));
    assert_eq!(response.header(Name::To), Some("<sip:desk@pbx.example>;tag=ours"));
    assert_eq!(response.call_id(), request.call_id());
    assert_eq!(response.cseq().unwrap(), request.cseq().unwrap());
    assert_eq!(response.header(Name::ContentLength), Some("0"));
}

#[test]
fn section_8_2_6_2_a_to_that_has_a_tag_keeps_it() {
    let request = parse(options(&["To: <sip:desk@pbx.example>;tag=theirs"]));
    assert_eq!(respond(&request, 200).to().unwrap().tag(), Some("theirs"));
}

#[test]
fn section_8_2_6_1_trying_returns_the_timestamp() {
    let request = parse(options(&["Timestamp: 54.2"]));
    assert_eq!(respond(&request, 100).header(Name::Timestamp), Some("54.2"));
    assert_eq!(respond(&request, 200).header(Name::Timestamp), None);
}

#[test]
fn section_12_1_1_record_route_returns_where_a_dialog_is_made() {
    let request = parse(wire(
        &[
            "INVITE sip:b@h SIP/2.0",
            "Via: SIP/2.0/UDP h.example;branch=z9hG4bK1",
            "Record-Route: <sip:p1.example;lr>, <sip:p2.example;lr>",
            "From: <sip:a@h>;tag=1",
            "To: <sip:b@h>",
            "Call-ID: c",
            "CSeq: 1 INVITE",
        ],
        "",
    ));
    for (status, routes) in [(100, 0), (180, 2), (200, 2), (486, 0)] {
        assert_eq!(respond(&request, status).header_values(Name::RecordRoute).count(), routes, "{status}");
    }
    let register = parse(options(&["Record-Route: <sip:p1.example;lr>"]));
    assert_eq!(respond(&register, 200).header(Name::RecordRoute), None);
}

#[test]
fn section_18_2_1_and_rfc_3581_the_source_is_noted_on_the_top_hop() {
    let noted = |via: &str| {
        let request = parse(options(&[&format!("Via: {via}")]));
        respond(&request, 200).header(Name::Via).unwrap().to_owned()
    };
    assert_eq!(
        noted("SIP/2.0/UDP host.example;branch=z9hG4bK1"),
        "SIP/2.0/UDP host.example;branch=z9hG4bK1;received=198.51.100.9"
    );
    assert_eq!(
        noted("SIP/2.0/UDP 10.0.0.1:5060;rport;branch=z9hG4bK1"),
        "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1;received=198.51.100.9;rport=40000"
    );
    assert_eq!(
        noted("SIP/2.0/UDP 198.51.100.9;rport;branch=z9hG4bK1"),
        "SIP/2.0/UDP 198.51.100.9;branch=z9hG4bK1;received=198.51.100.9;rport=40000",
        "RFC 3581 section 4: received even where it is the same"
    );
    assert_eq!(
        noted("SIP/2.0/UDP 10.0.0.1;received=203.0.113.1;branch=z9hG4bK1;x"),
        "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;x;received=198.51.100.9",
        "what the client claims of its own address is not believed"
    );
}

#[test]
fn an_ipv4_source_behind_a_dual_stack_socket_is_written_as_ipv4() {
    let request = parse(options(&["Via: SIP/2.0/UDP 198.51.100.9;branch=z9hG4bK1"]));
    let mapped: SocketAddr = "[::ffff:198.51.100.9]:5060".parse().unwrap();
    let response = parse(ResponseBuilder::response_to(&request, mapped, 200, "", None).finish());
    assert_eq!(response.via().unwrap().received(), None);
    assert_eq!(response.to().unwrap().tag(), None);
}

#[test]
fn phrases() {
    assert_eq!(reason_phrase(481), "Call/Transaction Does Not Exist");
    assert_eq!(
        [reason_phrase(155), reason_phrase(499), reason_phrase(699)],
        ["Progress", "Request Failure", "Global Failure"]
    );
    let request = parse(options(&[]));
    let bytes = ResponseBuilder::response_to(&request, source(), 480, "Gone Fishing", None).finish();
    assert_eq!(parse(bytes).reason(), "Gone Fishing");
}
