//! RFC 4475's and RFC 5118's cases where it takes an endpoint to do what they ask for, in messages of our own.
//! Each test names the section.

use crate::lone::Lone;
use crate::world::{CALLER, contact, header};
use bytes::Bytes;
use sip::{Event, InviteId, Message, Method, Name, Registrar, RegistrarConfig};

/// A request of these lines, which come before Max-Forwards, From, To and Call-ID.
fn request(method: &str, lines: &[&str], body: &[u8]) -> Bytes {
    let mut text = format!("{method} sip:desk@lab.example SIP/2.0\r\n");
    let mut with = |line: &str| text.extend([line, "\r\n"]);
    lines.iter().for_each(|line| with(line));
    let named = |name: &str| lines.iter().any(|line| line.starts_with(name));
    for line in [
        "Via: SIP/2.0/UDP 127.0.0.2:5060;branch=z9hG4bKodd",
        "Max-Forwards: 70",
        "From: <sip:probe@lab.example>;tag=p1",
        "To: <sip:desk@lab.example>",
        "Call-ID: odd@127.0.0.2",
        &format!("CSeq: 5 {method}"),
        "Contact: <sip:probe@127.0.0.2:5060>",
        &format!("Content-Length: {}", body.len()),
    ] {
        if !named(line.split_inclusive(':').next().unwrap()) {
            with(line);
        }
    }
    [text.as_bytes(), b"\r\n", body].concat().into()
}

const OFFER: &[u8] = b"v=0\r\ns=-\r\n";

/// The final response that an INVITE gets before any user sees it; `None` if it is passed on.
fn refusal(lines: &[&str], body: &[u8]) -> Option<Message> {
    let mut lone = Lone::new();
    lone.receive(request("INVITE", lines, body));
    let refused = lone.events.is_empty();
    refused.then(|| lone.sent.pop().expect("an answer").1)
}

fn refused(lines: &[&str], body: &[u8]) -> u16 {
    refusal(lines, body).and_then(|message| message.status()).unwrap_or(0)
}

#[test]
fn rfc4475_3_1_1_2_and_5_methods_of_nobody_get_501_with_allow() {
    for method in ["*odd-Method.0!%_+`'~", "O%50TIONS", "invite"] {
        let mut lone = Lone::new();
        lone.receive(request(method, &[], b""));
        let answer = &lone.sent[0].1;
        assert_eq!((answer.status(), answer.cseq().unwrap().1.as_str()), (Some(501), method));
        assert!(header(answer, Name::Allow).contains("INVITE"));
        lone.drain();
    }
}

#[test]
fn rfc4475_3_1_1_8_what_follows_the_body_in_a_datagram_is_no_second_request() {
    let mut lone = Lone::new();
    let again = request("INVITE", &["Call-ID: hidden"], OFFER);
    lone.receive([&request("OPTIONS", &[], b"")[..], &again].concat());
    assert!(matches!(&lone.events[..], [Event::Request { message, .. }] if message.body().is_empty()));
    lone.drain();
}

#[test]
fn rfc4475_3_1_1_11_a_binary_multipart_body_reaches_the_user_to_the_octet() {
    let body: Vec<u8> = (0..=255).chain(*b"\r\n--b--\r\n").collect();
    let mut lone = Lone::new();
    lone.receive(request("MESSAGE", &["Content-Type: multipart/mixed;boundary=b"], &body));
    assert!(matches!(&lone.events[..], [Event::Request { message, .. }] if message.body()[..] == body));
}

#[test]
fn rfc4475_3_1_2_what_is_malformed_gets_400_and_no_user_sees_it() {
    for broken in [
        "Via: SIP/2.0/UDP 127.0.0.2:5060;;,;,,",
        "Contact: \"Odd\" <sip:odd@lab.example>;;;;,,;",
        "Contact: sip:odd@lab.example?Route=%3Csip:trap.example%3E",
        "To: \"Desk <sip:desk@lab.example>",
        "To: \"Desk, One\" < sip:desk@lab.example >",
        "From: Desk, One <sip:desk@lab.example>;tag=1",
        "Max-Forwards: 300",
        "Content-Length: 9999",
        "Content-Length: -999",
        "CSeq: 5 MESSAGE",
    ] {
        assert_eq!(refused(&[broken], b""), 400, "{broken}");
    }
}

#[test]
fn rfc4475_3_1_2_4_a_request_whose_cseq_cannot_be_counted_gets_400() {
    let mut out = Vec::new();
    let mut lone = Lone::new();
    let bytes = request("INVITE", &["CSeq: 36893488147419103232 INVITE"], b"");
    lone.endpoint.receive(lone.now, lone.flow, bytes, &mut out);
    // It returns the CSeq as it came, so that our own reader refuses it too.
    let sent = out.iter().find_map(|output| match output {
        sip::Output::Send { bytes, .. } => Some(String::from_utf8_lossy(bytes)),
        _ => None,
    });
    assert!(sent.unwrap().starts_with("SIP/2.0 400 "));
}

#[test]
fn rfc4475_3_2_1_requests_whose_branch_is_the_cookie_alone_are_told_apart() {
    let mut lone = Lone::new();
    let via = "Via: SIP/2.0/UDP 127.0.0.2:5060;branch=z9hG4bK";
    for call_id in ["Call-ID: one", "Call-ID: two", "Call-ID: one"] {
        lone.receive(request("OPTIONS", &[via, call_id], b""));
    }
    assert_eq!(lone.events.len(), 2, "as RFC 2543 has it: the third is the first again");
}

#[test]
fn rfc4475_3_3_1_requests_without_the_fields_that_an_answer_returns() {
    for missing in ["From: ", "To: ", "Call-ID: ", "CSeq: "] {
        let mut lone = Lone::new();
        let text = String::from_utf8(request("INVITE", &[], b"").to_vec()).unwrap();
        let kept: Vec<&str> = text.split("\r\n").filter(|line| !line.starts_with(missing)).collect();
        lone.flow.connection = 1;
        let mut out = Vec::new();
        lone.endpoint.receive(lone.now, lone.flow, kept.join("\r\n").into(), &mut out);
        let said = |output: &sip::Output| matches!(output, sip::Output::Send { bytes, .. } if bytes.starts_with(b"SIP/2.0 400 Missing "));
        assert!(out.iter().any(said), "{missing}");
        lone.drain();
    }
}

#[test]
fn rfc4475_3_3_2_and_3_request_uris_of_other_schemes_get_416() {
    for uri in [
        "nobodyknowsthisscheme:totallyopaquecontent",
        "soap.beep://127.0.0.9:3002",
        "mailto:desk@lab.example",
    ] {
        let mut lone = Lone::new();
        let text = String::from_utf8(request("OPTIONS", &[], b"").to_vec()).unwrap();
        lone.receive(text.replacen("sip:desk@lab.example", uri, 1));
        assert_eq!(lone.lines(), ["SIP/2.0 416 Unsupported URI Scheme"], "{uri}");
    }
}

#[test]
fn rfc4475_3_3_4_a_registrar_refuses_a_to_that_names_no_sip_user() {
    let mut lone = Lone::new();
    let strange = ["To: isbn:2983792873", "From: <http://lab.example>;tag=5", "Contact: <name:Desk_One>"];
    lone.receive(request("REGISTER", &strange, b""));
    assert_eq!(lone.sent.pop().unwrap().1.status(), Some(400));
    lone.receive(request("OPTIONS", &strange, b""));
    assert_eq!(lone.events.len(), 1, "nobody else minds");
}

#[test]
fn rfc4475_3_3_5_required_extensions_are_named_in_unsupported_and_a_proxys_are_not_ours() {
    let mut lone = Lone::new();
    let lines = ["Require: nothingKnowsThis, norThis", "Proxy-Require: noProxyKnowsThis"];
    lone.receive(request("OPTIONS", &lines, b""));
    let answer = lone.sent.pop().unwrap().1;
    assert_eq!(
        (answer.status(), header(&answer, Name::Unsupported)),
        (Some(420), "nothingKnowsThis, norThis")
    );
    lone.receive(request("OPTIONS", &["Proxy-Require: noProxyKnowsThis"], b""));
    assert_eq!(lone.events.len(), 1);
}

#[test]
fn rfc4475_3_3_6_an_unknown_content_type_gets_415_with_accept() {
    let answer = refusal(&["Content-Type: application/unknownformat"], b"<audio/>").unwrap();
    assert_eq!(answer.status(), Some(415));
    assert_eq!(answer.header_values(Name::Accept).next(), Some("application/sdp"));
    for (content_type, body) in
        [("Content-Type: application/SDP;x=y", OFFER), ("Content-Type: text/plain", b"")]
    {
        assert_eq!(refused(&[content_type], body), 0, "{content_type}");
    }
}

#[test]
fn rfc3261_8_2_3_only_what_says_so_may_be_passed_over() {
    let text = "Content-Type: text/plain";
    assert_eq!(refused(&[text, "Content-Disposition: render;handling=optional"], b"hello"), 0);
    assert_eq!(refused(&[text, "Content-Disposition: icon; handling=OPTIONAL;x=1"], b"hello"), 0);
    assert_eq!(refused(&[text, "Content-Disposition: session;handling=required"], b"hello"), 415);
    assert_eq!(refused(&[text, "Content-Disposition: render"], b"hello"), 415, "required if nothing is said");
    let sdp = "Content-Type: application/sdp";
    assert_eq!(refused(&[sdp, "Content-Disposition: session"], OFFER), 0);
    assert_eq!(refused(&[sdp, "Content-Disposition: early-session"], OFFER), 415, "RFC 3959 is not served");
}

#[test]
fn rfc3261_8_2_3_an_encoded_body_gets_415_with_accept_encoding() {
    let sdp = "Content-Type: application/sdp";
    let answer = refusal(&[sdp, "e: gzip"], b"\x1f\x8b").unwrap();
    assert_eq!((answer.status(), header(&answer, Name::AcceptEncoding)), (Some(415), "identity"));
    assert_eq!(answer.header(Name::Accept), None, "the type is not what is wrong");
    assert_eq!(refused(&[sdp, "Content-Encoding: identity"], OFFER), 0);
}

#[test]
fn rfc5621_8_3_parts_that_must_be_understood() {
    let parts = |extra: &str| {
        let head = "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b\r\n";
        format!("{head}Content-Type: application/isup;version=itu-t92+\r\n{extra}\r\nisup\r\n--b--\r\n")
    };
    let mixed = "Content-Type: multipart/mixed;boundary=b";
    assert_eq!(refused(&[mixed], parts("").as_bytes()), 0, "it does not insist");
    assert_eq!(
        refused(&[mixed], parts("Content-Disposition: signal;handling=optional\r\n").as_bytes()),
        0,
        "RFC 3204"
    );
    let insists = parts("Content-Disposition: signal; handling=\"required\"\r\n");
    assert_eq!(refused(&[mixed], insists.as_bytes()), 415);
    let choice = "Content-Type: multipart/alternative;boundary=b";
    assert_eq!(refused(&[choice], insists.as_bytes()), 0, "one of the alternatives is enough");
    assert_eq!(refused(&[mixed], b"--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b--"), 415);
    let optional = b"--b\r\nContent-Disposition: x;handling=optional\r\n\r\nhi\r\n--b--";
    assert_eq!(refused(&[mixed], optional), 0, "an INVITE without an offer");
    assert_eq!(refused(&[mixed], b"--another\r\n\r\nhi\r\n--another--"), 400);
    assert_eq!(refused(&["Content-Type: multipart/mixed"], b"--b\r\n\r\nhi\r\n--b--"), 400, "no boundary");
}

#[test]
fn bodies_of_requests_that_end_something_are_not_judged() {
    let mut lone = Lone::new();
    lone.receive(request("INVITE", &[], b""));
    let isup = &["Content-Type: application/isup"][..];
    lone.receive(request("CANCEL", isup, b"\x01"));
    assert!(matches!(lone.events[1], Event::Cancelled { .. }));
    lone.receive(request("OPTIONS", isup, b"\x01"));
    assert!(
        matches!(lone.events[2], Event::Request { .. }),
        "RFC 3261 section 11.2: it asks what 415 would say"
    );
}

#[test]
fn rfc4475_3_3_10_responses_that_have_lost_their_way_are_dropped() {
    let mut lone = Lone::new();
    lone.invite(|_| {});
    let invite = lone.sent[0].1.clone();
    let answer = |second_via: &str| {
        format!(
            "SIP/2.0 200 OK\r\nVia: {}\r\n{second_via}From: {}\r\nTo: {};tag=t\r\nCall-ID: {}\r\nCSeq: 1 INVITE\r\n\
             Contact: <sip:b@127.0.0.2>\r\nContent-Length: 0\r\n\r\n",
            header(&invite, Name::Via),
            header(&invite, Name::From),
            header(&invite, Name::To),
            invite.call_id()
        )
    };
    lone.receive(answer("Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1\r\n"));
    assert_eq!((lone.events.len(), lone.endpoint.counters().strays), (0, 1));
    assert_eq!(lone.sent.len(), 1, "nothing goes to a broadcast address");
    lone.receive(answer(""));
    assert!(matches!(lone.events[..], [Event::Answered { .. }]));
}

#[test]
fn rfc4475_3_3_11_max_forwards_of_zero_ends_at_a_proxy_and_not_at_its_user_agent() {
    let mut lone = Lone::new();
    lone.receive(request("OPTIONS", &["Max-Forwards: 0"], b""));
    assert!(matches!(lone.events[..], [Event::Request { .. }]));
    assert_eq!(refused(&["Max-Forwards: 0"], OFFER), 483, "a call would be passed on");
}

#[test]
fn rfc4475_3_3_12_to_14_contact_parameters_are_kept_apart_and_no_route_is_taken_from_a_uri() {
    let mut registrar = Registrar::new(RegistrarConfig::default());
    let mut lone = Lone::new();
    let contacts = [
        ("Contact: <sip:+19725552222@gw.example;uri-param>", "sip:+19725552222@gw.example;uri-param"),
        ("Contact: <sip:+19725552222@gw2.example>;field-param", "sip:+19725552222@gw2.example"),
        (
            "Contact: <sip:desk@gw3.example?Route=%3Csip:trap.example%3E>",
            "sip:desk@gw3.example?Route=%3Csip:trap.example%3E",
        ),
    ];
    for (nth, (contact, kept)) in contacts.into_iter().enumerate() {
        let register = Message::parse(request("REGISTER", &[contact], b"")).unwrap();
        assert_eq!(register.validate(), Ok(()));
        let aor = nth.to_string();
        let bindings = registrar.register(lone.now, &aor, &register, lone.flow).unwrap();
        assert_eq!(bindings[0].uri, kept);
        lone.invite(|invite| invite.request_uri = bindings[0].uri.clone());
    }
    let third = &lone.sent[2].1;
    assert_eq!((third.request_uri(), third.header(Name::Route)), ("sip:desk@gw3.example", None));
}

#[test]
fn rfc4475_3_3_15_an_accept_without_session_descriptions_gets_406() {
    assert_eq!(refused(&["Accept: text/nobodyKnowsThis"], OFFER), 406);
    assert_eq!(refused(&["Accept: "], OFFER), 406, "section 20.1: nothing is acceptable");
    for accept in
        ["Accept: text/plain, Application/SDP;level=1", "Accept: */*;q=0.1", "Accept: application/*"]
    {
        assert_eq!(refused(&[accept], OFFER), 0, "{accept}");
    }
}

#[test]
fn rfc4475_3_4_1_a_caller_of_rfc_2543_is_served_to_the_end() {
    let mut lone = Lone::new();
    let invite = "INVITE sip:desk@lab.example SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2\r\n\
         From: <sip:+13035550111@127.0.0.2;user=phone>\r\nTo: sip:+16505550122@lab.example;user=phone\r\n\
         Call-ID: old@127.0.0.2\r\nCSeq: 56 INVITE\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n";
    lone.receive(invite);
    lone.receive(invite);
    let [Event::Invite { id, message, .. }] = &lone.events[..] else { panic!("{:?}", lone.events) };
    let (id, offer) = (*id, message.sdp().unwrap());
    assert_eq!(offer, "v=0\r\n");
    lone.act(|endpoint, now, out| endpoint.accept(now, id, &contact(CALLER), None, out));
    let to = header(&lone.sent.last().unwrap().1, Name::To).to_owned();
    lone.receive(format!(
        "ACK sip:desk@lab.example SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2\r\n\
         From: <sip:+13035550111@127.0.0.2;user=phone>\r\nTo: {to}\r\nCall-ID: old@127.0.0.2\r\nCSeq: 56 ACK\r\n\r\n"
    ));
    assert!(matches!(lone.events[1], Event::Acked { .. }));
    lone.act(|endpoint, now, out| endpoint.bye(now, id, None, out));
    let bye = lone.sent.pop().unwrap().1;
    assert_eq!(bye.method(), &Method::Bye);
    assert_eq!(
        bye.request_uri(),
        "sip:+13035550111@127.0.0.2;user=phone",
        "its From stands in for a Contact"
    );
    assert_eq!(header(&bye, Name::To), "<sip:+13035550111@127.0.0.2;user=phone>");
}

#[test]
fn rfc3261_8_1_1_8_an_invite_of_today_needs_a_contact_that_can_be_called() {
    assert_eq!(refused(&["Contact: *"], OFFER), 400);
    let text = String::from_utf8(request("INVITE", &[], OFFER).to_vec()).unwrap();
    let mut lone = Lone::new();
    lone.receive(text.replace("Contact: <sip:probe@127.0.0.2:5060>\r\n", ""));
    assert_eq!(lone.sent.pop().unwrap().1.status(), Some(400));
}

#[test]
fn rfc5118_4_2_a_request_uri_with_a_bare_ipv6_address_gets_400() {
    let mut lone = Lone::new();
    let text = String::from_utf8(request("REGISTER", &[], b"").to_vec()).unwrap();
    lone.receive(text.replacen("sip:desk@lab.example", "sip:2001:db8::77", 1));
    assert_eq!(lone.lines(), ["SIP/2.0 400 Malformed Request-URI"]);
}

#[test]
fn rfc5118_4_5_a_via_with_received_is_answered_to_where_it_came_from() {
    for received in ["2001:db8::9", "[2001:db8::9]"] {
        let mut lone = Lone::new();
        lone.flow.peer = "[2001:db8::1]:5060".parse().unwrap();
        let via = format!("Via: SIP/2.0/UDP [2001:db8::9:1];received={received};branch=z9hG4bKsix");
        lone.receive(request("BYE", &[&via, "To: <sip:desk@lab.example>;tag=none"], b""));
        let (flow, answer) = lone.sent.pop().unwrap();
        assert_eq!((flow, answer.status()), (lone.flow, Some(481)));
        assert_eq!(answer.via().unwrap().received(), Some(lone.flow.peer.ip()));
    }
}

#[test]
fn rfc5118_4_7_both_families_in_one_via_list_return_in_order() {
    let mut lone = Lone::new();
    let vias = [
        "Via: SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKsix",
        "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKfour, SIP/2.0/TCP [2001:db8::9:255];received=192.0.2.200",
    ];
    lone.receive(request("BYE", &[vias[0], vias[1], "To: <sip:desk@lab.example>;tag=none"], b""));
    let answer = lone.sent.pop().unwrap().1;
    let hosts: Vec<_> = answer
        .header_values(Name::Via)
        .map(|via| sip::Via::parse(via).unwrap().sent_by().to_owned())
        .collect();
    assert_eq!(hosts, ["[2001:db8::9:1]:6050", "192.0.2.1", "[2001:db8::9:255]"]);
}

#[test]
fn rfc5118_4_9_calls_of_phones_that_write_ipv4_mapped_addresses_are_taken() {
    let mut lone = Lone::new();
    lone.receive(request(
        "INVITE",
        &[
            "Via: SIP/2.0/UDP [::ffff:127.0.0.2]:5060;branch=z9hG4bKmap",
            "Contact: <sip:t@[::ffff:127.0.0.2]>",
        ],
        OFFER,
    ));
    let [Event::Invite { id, .. }] = lone.events[..] else { panic!("{:?}", lone.events) };
    assert_eq!(id, InviteId(1));
}
