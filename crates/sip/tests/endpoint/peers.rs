//! Peers that are not another endpoint: forks, challenges, and requests that are answered without the user.

use crate::lone::Lone;
use crate::world::{CALLER, address, config, contact, header};
use clock::Time;
use sip::{
    Algorithm, Body, Credentials, Event, Flow, InviteId, Login, Message, Method, Name, Transport, ha1,
};

/// A response to a request that the endpoint sent, with further header lines.
fn response(request: &Message, status: &str, to_tag: &str, more: &str) -> String {
    format!(
        "SIP/2.0 {status}\r\nVia: {}\r\nFrom: {}\r\nTo: {};tag={to_tag}\r\nCall-ID: {}\r\nCSeq: {}\r\n{more}\
         Content-Length: 0\r\n\r\n",
        header(request, Name::Via),
        header(request, Name::From),
        header(request, Name::To).split(";tag").next().unwrap(),
        request.call_id(),
        header(request, Name::CSeq),
    )
}

const CONTACT: &str = "Contact: <sip:b@127.0.0.2:5060>\r\n";

#[test]
fn rfc3261_13_2_2_4_further_branches_of_a_fork_are_acknowledged_and_ended() {
    let mut lone = Lone::new();
    let id = lone.invite(|_| {});
    let invite = lone.sent[0].1.clone();
    lone.receive(response(&invite, "183 Session Progress", "one", CONTACT));
    lone.receive(response(&invite, "180 Ringing", "two", CONTACT));
    assert_eq!(lone.events.len(), 2);
    lone.receive(response(&invite, "200 OK", "one", CONTACT));
    lone.lines();
    lone.receive(response(&invite, "200 OK", "two", CONTACT));
    let (ack, bye) = (lone.sent[0].1.clone(), lone.sent[1].1.clone());
    assert_eq!((ack.method(), bye.method()), (&Method::Ack, &Method::Bye));
    for request in [&ack, &bye] {
        assert_eq!(request.to().unwrap().tag(), Some("two"));
    }
    lone.receive(response(&bye, "200 OK", "two", ""));
    lone.receive(response(&invite, "200 OK", "two", CONTACT));
    lone.receive(response(&invite, "200 OK", "one", CONTACT));
    let again: Vec<_> = lone.sent[2..].iter().map(|(_, sent)| sent.to().unwrap().tag().unwrap()).collect();
    assert_eq!(again, ["two", "one"], "each branch gets its own ACK again, and no second BYE");
    assert!(matches!(lone.events[2], Event::Answered { id: answered, .. } if answered == id));
    assert_eq!(lone.events.len(), 3);
    lone.act(|endpoint, now, out| endpoint.bye(now, id, None, out));
    lone.drain();
}

#[test]
fn rfc3261_13_2_2_4_a_2xx_that_comes_again_after_the_call_is_acknowledged_still() {
    let mut lone = Lone::new();
    let id = lone.invite(|_| {});
    let invite = lone.sent[0].1.clone();
    lone.receive(response(&invite, "200 OK", "one", CONTACT));
    lone.act(|endpoint, now, out| endpoint.bye(now, id, None, out));
    let bye = lone.sent[2].1.clone();
    lone.receive(response(&bye, "200 OK", "one", ""));
    assert!(matches!(lone.events[1], Event::Ended { .. }));
    lone.lines();
    lone.receive(response(&invite, "200 OK", "one", CONTACT));
    assert_eq!(lone.lines(), ["ACK sip:b@127.0.0.2:5060 SIP/2.0"]);
    lone.drain();
}

fn login(realm: Option<&str>) -> Option<Login> {
    Some(Login { username: "u".into(), password: "p".into(), realm: realm.map(str::to_owned) })
}

fn challenge(nonce: &str, stale: &str) -> String {
    format!(
        "Proxy-Authenticate: Digest realm=\"r\", nonce=\"{nonce}\", algorithm=SHA-256, qop=\"auth\"{stale}\r\n"
    )
}

#[test]
fn rfc3261_22_3_a_challenge_is_answered_once_and_again_when_stale() {
    let mut lone = Lone::new();
    lone.invite(|invite| invite.login = login(Some("r")));
    let mut invite = lone.sent[0].1.clone();
    for (nonce, stale) in [("n1", ""), ("n2", ", stale=true")] {
        lone.receive(response(&invite, "407 Auth", "x", &challenge(nonce, stale)));
        let again = lone.sent.last().unwrap().1.clone();
        assert_eq!(again.cseq().unwrap().0, invite.cseq().unwrap().0 + 1);
        assert_eq!((again.call_id(), again.body()), (invite.call_id(), invite.body()));
        assert_eq!(header(&again, Name::From), header(&invite, Name::From));
        assert_ne!(again.via().unwrap().branch(), invite.via().unwrap().branch());
        assert_eq!(again.header_values(Name::ProxyAuthorization).count(), 1);
        let given = Credentials::parse(header(&again, Name::ProxyAuthorization)).unwrap();
        assert_eq!((given.nonce.as_str(), given.username.as_str()), (nonce, "u"));
        let ha1 = ha1(Algorithm::Sha256, "u", "r", "p");
        let uri = again.request_uri();
        let wanted =
            sip::response(Algorithm::Sha256, &ha1, &Method::Invite, uri, nonce, given.protection.as_ref());
        assert_eq!(given.response, wanted);
        invite = again;
    }
    assert!(lone.events.is_empty());
    lone.receive(response(&invite, "407 Auth", "x", &challenge("n3", ", stale=true")));
    assert!(matches!(lone.events[..], [Event::Failed { status: 407, .. }]), "no endless loop");
    lone.drain();
}

#[test]
fn rfc3261_22_1_the_ack_repeats_the_credentials_and_the_bye_earns_its_own() {
    let mut lone = Lone::new();
    let id = lone.invite(|invite| invite.login = login(None));
    let first = lone.sent[0].1.clone();
    lone.receive(response(&first, "407 Auth", "x", &challenge("n1", "")));
    let invite = lone.sent.last().unwrap().1.clone();
    lone.receive(response(&invite, "200 OK", "one", CONTACT));
    let ack = lone.sent.last().unwrap().1.clone();
    assert_eq!(*ack.method(), Method::Ack);
    assert_eq!(header(&ack, Name::ProxyAuthorization), header(&invite, Name::ProxyAuthorization));
    assert_eq!(ack.cseq().unwrap().0, invite.cseq().unwrap().0);
    lone.act(|endpoint, now, out| endpoint.bye(now, id, None, out));
    let bye = lone.sent.last().unwrap().1.clone();
    lone.receive(response(&bye, "407 Auth", "one", &challenge("n2", "")));
    let again = lone.sent.last().unwrap().1.clone();
    assert_eq!((again.method(), again.cseq().unwrap().0), (&Method::Bye, bye.cseq().unwrap().0 + 1));
    lone.receive(response(&again, "200 OK", "one", ""));
    assert!(matches!(lone.events[1], Event::Ended { status: Some(200), .. }));
    lone.drain();
}

#[test]
fn rfc3261_9_1_a_cancel_waits_anew_when_the_invite_was_challenged() {
    let mut lone = Lone::new();
    let id = lone.invite(|invite| invite.login = login(None));
    let first = lone.sent[0].1.clone();
    lone.receive(response(&first, "100 Trying", "x", ""));
    lone.receive(response(&first, "401 Auth", "x", &challenge("n1", "").replace("Proxy-", "WWW-")));
    let invite = lone.sent.last().unwrap().1.clone();
    assert!(invite.header(Name::Authorization).is_some());
    lone.lines();
    lone.act(|endpoint, now, out| endpoint.cancel(now, id, None, out));
    assert!(lone.lines().is_empty(), "the second INVITE has no provisional response");
    lone.receive(response(&invite, "180 Ringing", "x", CONTACT));
    let cancel = lone.sent[0].1.clone();
    assert_eq!(header(&cancel, Name::Via), header(&invite, Name::Via));
    assert_eq!(cancel.cseq().unwrap(), (2, Method::Cancel));
    lone.receive(response(&invite, "487 Terminated", "x", ""));
    assert!(matches!(lone.events[..], [Event::Failed { status: 487, .. }]));
    lone.drain();
}

#[test]
fn rfc3261_9_1_a_challenge_to_an_invite_that_was_cancelled_is_not_answered() {
    for provisional in [Some("180 Ringing"), None] {
        let mut lone = Lone::new();
        let id = lone.invite(|invite| invite.login = login(None));
        let invite = lone.sent[0].1.clone();
        if let Some(status) = provisional {
            lone.receive(response(&invite, status, "x", CONTACT));
        }
        lone.act(|endpoint, now, out| endpoint.cancel(now, id, None, out));
        lone.receive(response(&invite, "407 Auth", "x", &challenge("n1", "")));
        let methods: Vec<_> = lone.sent.iter().map(|(_, sent)| sent.method().clone()).collect();
        assert_eq!(methods.iter().filter(|method| **method == Method::Invite).count(), 1, "{methods:?}");
        assert_eq!(methods.last(), Some(&Method::Ack));
        assert!(matches!(lone.events.last(), Some(Event::Failed { status: 407, .. })));
        lone.drain();
    }
}

#[test]
fn rfc3261_22_a_password_is_not_used_for_another_realm() {
    let mut lone = Lone::new();
    lone.invite(|invite| invite.login = login(Some("other")));
    let invite = lone.sent[0].1.clone();
    lone.receive(response(&invite, "407 Auth", "x", &challenge("n1", "")));
    assert!(matches!(lone.events[..], [Event::Failed { status: 407, .. }]));
    assert_eq!(lone.lines().len(), 2, "INVITE and the ACK to its refusal");
    lone.drain();
}

/// A request to the endpoint.
fn request(method: &str, branch: &str, more: &str) -> String {
    format!(
        "{method} sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2:5060;branch={branch}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:b@h>;tag=b\r\nTo: <sip:a@h>\r\nCall-ID: c\r\nCSeq: 1 {method}\r\n{more}\
         Content-Length: 0\r\n\r\n"
    )
}

#[test]
fn what_no_user_should_see_is_answered_without_leaving_anything_behind() {
    let cases = [
        (request("PING", "z9hG4bK1", ""), Some("501 Not Implemented")),
        (request("INVITE", "z9hG4bK2", &format!("Require: 100rel, foo\r\n{CONTACT}")), Some("420 Bad Extension")),
        (request("INVITE", "z9hG4bK3", ""), Some("400 Missing Contact Or Too Many Record-Routes")),
        (request("BYE", "z9hG4bK4", ""), Some("481 Call/Transaction Does Not Exist")),
        (request("CANCEL", "z9hG4bK5", ""), Some("481 Call/Transaction Does Not Exist")),
        (request("ACK", "z9hG4bK6", ""), None),
        (request("INFO", "z9hG4bK7", "").replace("To: <sip:a@h>", "To: <sip:a@h>;tag=0123456789abcdef"), Some("481 Call/Transaction Does Not Exist")),
        (request("INVITE", "z9hG4bK8", CONTACT).replace("Max-Forwards: 70", "Max-Forwards: 0"), Some("483 Too Many Hops")),
        (request("OPTIONS", "z9hG4bK9", "").replace("CSeq: 1 OPTIONS", "CSeq: 1 INVITE"), Some("400 CSeq Method Differs From Request")),
        ("hello\r\n\r\n".to_owned(), None),
        ("\r\n\r\n".to_owned(), None),
        ("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK0123456789abcdef\r\nFrom: <sip:b@h>;tag=b\r\nTo: <sip:a@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\r\n".to_owned(), None),
    ];
    for (text, answer) in cases {
        let mut lone = Lone::new();
        lone.receive(text.clone());
        lone.receive(text.clone());
        assert!(lone.events.is_empty(), "{text}");
        assert_eq!(lone.endpoint.alive(), sip::Alive::default(), "{text}");
        match answer {
            Some(answer) => {
                assert_eq!(lone.sent[0].1.start_line(), format!("SIP/2.0 {answer}"));
                let tags = [0, 1].map(|nth| lone.sent[nth].1.to().unwrap().tag().map(str::to_owned));
                assert_eq!(tags[0], tags[1], "RFC 3261 8.2.7: the same answer to the same request");
            }
            None => assert!(lone.sent.is_empty(), "{text}"),
        }
    }
}

#[test]
fn rfc3261_8_2_2_3_the_420_names_what_is_not_supported() {
    let mut lone = Lone::new();
    lone.receive(request("INVITE", "z9hG4bK2", &format!("Require: precondition, foo\r\n{CONTACT}")));
    let unsupported: Vec<_> = lone.sent[0].1.header_values(Name::Unsupported).collect();
    assert_eq!(unsupported, ["precondition", "foo"]);
}

#[test]
fn rfc3261_20_5_allow_is_what_the_user_serves_wherever_it_is_written() {
    let mut lone = Lone::with(sip::EndpointConfig { allow: "INVITE, ACK, BYE", ..config() });
    lone.invite(|_| {});
    lone.receive(request("PING", "z9hG4bKping", ""));
    lone.receive(request("INVITE", "z9hG4bKone", CONTACT));
    lone.act(|endpoint, now, out| endpoint.accept(now, InviteId(2), &contact(CALLER), None, out));
    for (of, start_line) in ["INVITE sip:callee@", "SIP/2.0 501", "SIP/2.0 200"].into_iter().enumerate() {
        let mut sent = lone.sent.iter().filter(|(_, sent)| sent.header(Name::Allow).is_some());
        let message = &sent.nth(of).unwrap().1;
        assert!(message.start_line().starts_with(start_line), "{}", message.start_line());
        assert_eq!(header(message, Name::Allow), "INVITE, ACK, BYE");
    }
}

#[test]
fn rfc3261_18_1_1_via_says_the_shown_address_of_the_listener() {
    let shown = "203.0.113.9:5060".parse().unwrap();
    let everywhere = "0.0.0.0:5060".parse().unwrap();
    let config = sip::EndpointConfig { shown: [((Transport::Udp, everywhere), shown)].into(), ..config() };
    let mut lone = Lone::with(config);
    let flow = Flow { local: everywhere, ..lone.flow };
    let id = lone.invite(|invite| {
        invite.flow = flow;
        invite.login = login(None);
    });
    let first = lone.sent[0].1.clone();
    lone.receive(response(&first, "407 Auth", "x", &challenge("n1", "")));
    let again = lone.sent.last().unwrap().1.clone();
    lone.flow = flow;
    lone.receive(response(&again, "200 OK", "one", CONTACT));
    lone.act(|endpoint, now, out| endpoint.bye(now, id, None, out));
    let methods: Vec<_> = lone.sent.iter().map(|(_, sent)| sent.method().as_str()).collect();
    assert_eq!(methods, ["INVITE", "ACK", "INVITE", "ACK", "BYE"]);
    for (sent_by, message) in &lone.sent {
        assert_eq!(sent_by.local, everywhere, "what is shown is not what is sent from");
        assert_eq!(message.via().unwrap().sent_by().to_string(), "203.0.113.9:5060");
    }
}

#[test]
fn what_was_dropped_is_counted() {
    let mut lone = Lone::new();
    lone.receive("hello\r\n\r\n");
    lone.receive(request("ACK", "z9hG4bK6", ""));
    lone.receive(request("OPTIONS", "z9hG4bK9", "").replace("Max-Forwards: 70", "Max-Forwards: x"));
    let counters = lone.endpoint.counters();
    assert_eq!((counters.dropped, counters.strays, counters.malformed), (1, 1, 1));
}

#[test]
fn rfc3261_8_2_2_2_an_invite_that_comes_by_two_ways_is_taken_once() {
    let mut lone = Lone::new();
    lone.receive(request("INVITE", "z9hG4bKone", CONTACT));
    lone.receive(request("INVITE", "z9hG4bKtwo", CONTACT));
    assert_eq!(lone.lines(), ["SIP/2.0 100 Trying", "SIP/2.0 482 Loop Detected"]);
    assert_eq!(lone.events.len(), 1);
}

#[test]
fn invites_beyond_the_limit_get_503_with_retry_after() {
    let mut lone = Lone::with(sip::EndpointConfig { max_usages: 1, ..config() });
    lone.receive(request("INVITE", "z9hG4bKone", CONTACT));
    lone.receive(request("INVITE", "z9hG4bKtwo", CONTACT).replace("Call-ID: c", "Call-ID: d"));
    let refusal = lone.sent.pop().unwrap().1;
    assert_eq!((refusal.status(), refusal.header(Name::RetryAfter)), (Some(503), Some("5")));
    assert_eq!((lone.endpoint.alive().usages, lone.endpoint.counters().overload), (1, 1));
}

#[test]
fn refused_invites_whose_ack_never_comes_take_no_room_of_calls() {
    let mut lone = Lone::with(sip::EndpointConfig { max_usages: 2, ..config() });
    let invite = |nth: u64| {
        request("INVITE", &format!("z9hG4bK{nth}"), CONTACT).replace("Call-ID: c", &format!("Call-ID: {nth}"))
    };
    for nth in 1..=5 {
        lone.receive(invite(nth));
        lone.act(|endpoint, now, out| endpoint.reject(now, InviteId(nth), 401, &[], out));
    }
    assert_eq!((lone.events.len(), lone.endpoint.counters().overload), (5, 0));
    lone.receive(invite(6));
    lone.receive(invite(7));
    lone.receive(invite(8));
    assert_eq!(lone.endpoint.counters().overload, 1, "two are up");
    for id in [InviteId(6), InviteId(7)] {
        lone.act(|endpoint, now, out| endpoint.reject(now, id, 486, &[], out));
    }
    lone.drain();
    lone.receive(invite(9));
    lone.receive(invite(10));
    lone.receive(invite(11));
    assert_eq!(lone.endpoint.counters().overload, 2, "what has ended is not subtracted twice");
    lone.act(|endpoint, now, out| endpoint.reject(now, InviteId(8), 486, &[], out));
    lone.act(|endpoint, now, out| endpoint.reject(now, InviteId(9), 486, &[], out));
    lone.drain();
}

#[test]
fn rfc5626_5_3_requests_go_by_the_stream_that_the_peer_has_opened_anew() {
    let mut lone = Lone::new();
    let first = Flow {
        transport: Transport::Tcp,
        local: address(CALLER),
        peer: "127.0.0.2:40001".parse().unwrap(),
        connection: 7,
        domain: 0,
    };
    lone.flow = first;
    let id = lone.invite(|invite| invite.flow = first);
    let invite = lone.sent[0].1.clone();
    lone.receive(response(&invite, "200 OK", "b", CONTACT));
    lone.act(|endpoint, now, out| endpoint.flow_failed(now, first, out));
    let second = Flow { peer: "127.0.0.2:40002".parse().unwrap(), connection: 8, ..first };
    lone.flow = second;
    lone.receive(
        request("OPTIONS", "z9hG4bKagain", "")
            .replace("To: <sip:a@h>", &format!("To: {}", header(&invite, Name::From)))
            .replace("Call-ID: c", &format!("Call-ID: {}", invite.call_id())),
    );
    let Some(Event::Request { request, .. }) = lone.events.pop() else { panic!() };
    lone.act(|endpoint, now, out| endpoint.respond(now, request, 200, &[], None, out));
    lone.act(|endpoint, now, out| endpoint.bye(now, id, None, out));
    let (flow, bye) = lone.sent.last().unwrap();
    assert_eq!((bye.method(), *flow), (&Method::Bye, second));
    lone.drain();
}

#[test]
fn a_flood_of_requests_does_not_keep_a_call_from_ending() {
    let mut lone = Lone::with(sip::EndpointConfig { max_transactions: 8, ..config() });
    lone.invite(|_| {});
    let invite = lone.sent[0].1.clone();
    lone.receive(response(&invite, "200 OK", "b", CONTACT));
    let in_dialog = |method: &str, branch: &str, cseq: u32| {
        request(method, branch, CONTACT)
            .replace("To: <sip:a@h>", &format!("To: {}", header(&invite, Name::From)))
            .replace("Call-ID: c", &format!("Call-ID: {}", invite.call_id()))
            .replace("CSeq: 1", &format!("CSeq: {cseq}"))
    };
    for nth in 0..10 {
        lone.receive(request("OPTIONS", &format!("z9hG4bKflood{nth}"), ""));
    }
    assert_eq!((lone.endpoint.alive().transactions, lone.endpoint.counters().overload), (1 + 6, 4));
    lone.receive(in_dialog("INVITE", "z9hG4bKmove", 1));
    lone.receive(in_dialog("BYE", "z9hG4bKbye", 2));
    assert!(matches!(lone.events.last(), Some(Event::Bye { .. })));
    lone.lines();
    lone.receive(in_dialog("BYE", "z9hG4bKnobody", 3));
    assert_eq!(lone.lines(), ["SIP/2.0 503 Service Unavailable"], "there is a limit for dialogs too");
    lone.drain();
}

#[test]
fn rfc3261_17_2_3_a_client_of_rfc_2543_is_matched_without_a_branch() {
    let mut lone = Lone::new();
    let invite = request("INVITE", "1", CONTACT);
    lone.receive(invite.clone());
    lone.receive(invite);
    assert_eq!(lone.lines(), ["SIP/2.0 100 Trying", "SIP/2.0 100 Trying"]);
    lone.receive(request("CANCEL", "1", ""));
    assert_eq!(lone.lines(), ["SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"]);
    lone.receive(request("ACK", "1", ""));
    assert!(matches!(lone.events[..], [Event::Invite { .. }, Event::Cancelled { reason: None, .. }]));
    lone.drain();
}

#[test]
fn rfc3261_12_1_record_routes_are_followed_loosely_and_strictly() {
    let routes = "Record-Route: <sip:127.0.0.9:5070;lr>, <sip:127.0.0.8;lr>\r\n";
    for (side, strict) in [("callee", false), ("caller", false), ("callee", true), ("caller", true)] {
        let mut lone = Lone::new();
        let routes = if strict { routes.replace(";lr", "") } else { routes.to_owned() };
        let id = if side == "callee" {
            lone.receive(request("INVITE", "z9hG4bKone", &format!("{CONTACT}{routes}")));
            let id = InviteId(1);
            lone.act(|endpoint, now, out| endpoint.accept(now, id, &contact(CALLER), None, out));
            assert_eq!(lone.sent.last().unwrap().1.header_values(Name::RecordRoute).count(), 2);
            let to = header(&lone.sent.last().unwrap().1, Name::To).to_owned();
            lone.receive(request("ACK", "z9hG4bKack", "").replace("To: <sip:a@h>", &format!("To: {to}")));
            id
        } else {
            let id = lone.invite(|_| {});
            let invite = lone.sent[0].1.clone();
            lone.receive(response(&invite, "200 OK", "one", &format!("{CONTACT}{routes}")));
            id
        };
        lone.act(|endpoint, now, out| endpoint.bye(now, id, None, out));
        let (flow, bye) = lone.sent.pop().unwrap();
        let mut hops = ["127.0.0.9:5070", "127.0.0.8"];
        if side == "caller" {
            hops.reverse();
        }
        let routes: Vec<String> =
            bye.addresses(Name::Route).map(|route| route.unwrap().uri_text().to_owned()).collect();
        let first = hops[0].split(':').next().unwrap();
        assert_eq!(flow.peer.ip().to_string(), first, "{side}");
        if strict {
            assert_eq!(bye.request_uri(), format!("sip:{}", hops[0]));
            assert_eq!(routes, [format!("sip:{}", hops[1]), "sip:b@127.0.0.2:5060".to_owned()]);
        } else {
            assert_eq!(bye.request_uri(), "sip:b@127.0.0.2:5060");
            assert_eq!(routes, hops.map(|hop| format!("sip:{hop};lr")));
        }
    }
}

#[test]
fn rfc3261_17_1_1_3_a_refusal_whose_to_cannot_be_read_is_acknowledged_with_ours() {
    for broken in ["", "To: <sip:b@h:x>;tag=b\r\n"] {
        let mut lone = Lone::new();
        lone.invite(|_| {});
        let invite = lone.sent[0].1.clone();
        let refusal = response(&invite, "486 Busy Here", "b", "");
        let to = refusal.lines().find(|line| line.starts_with("To: ")).unwrap();
        lone.receive(refusal.replace(&format!("{to}\r\n"), broken));
        let ack = lone.sent.pop().unwrap().1;
        assert_eq!((ack.method(), header(&ack, Name::To)), (&Method::Ack, header(&invite, Name::To)));
        lone.drain();
    }
}

#[test]
fn a_record_route_that_cannot_be_read_does_not_become_a_request_uri() {
    for broken in ["<sip:p@127.0.0.9:99999>", "<sip:p", "sip:p:x"] {
        let mut lone = Lone::new();
        let id = lone.invite(|_| {});
        let invite = lone.sent[0].1.clone();
        lone.receive(response(&invite, "200 OK", "b", &format!("{CONTACT}Record-Route: {broken}\r\n")));
        lone.act(|endpoint, now, out| endpoint.bye(now, id, None, out));
        let bye = lone.sent.pop().unwrap().1;
        assert_eq!(bye.start_line(), "BYE sip:b@127.0.0.2:5060 SIP/2.0");
        assert_eq!(header(&bye, Name::Route), broken);
        lone.drain();
    }
}

#[test]
fn rfc3261_12_2_1_1_requests_go_to_the_contact_unless_it_cannot_be_reached() {
    let cases = [
        ("127.0.0.2:5060", "<sip:b@127.0.0.7:5099>", "127.0.0.7:5099", "an address is taken"),
        ("127.0.0.2:5060", "<sip:b@phone.example>", "127.0.0.2:5060", "a name would need DNS"),
        ("127.0.0.2:5060", "<sip:b@127.0.0.7;transport=tcp>", "127.0.0.2:5060", "another transport"),
        ("203.0.113.9:40000", "<sip:b@192.168.1.5:5060>", "203.0.113.9:40000", "a phone behind NAT"),
        ("192.168.1.9:5060", "<sip:b@192.168.1.5:5062>", "192.168.1.5:5062", "the same private network"),
        ("192.168.1.9:5060", "<sip:b@127.0.0.1:5060>", "192.168.1.9:5060", "not our own loopback"),
        ("127.0.0.2:5060", "<sip:b@0.0.0.0>", "127.0.0.2:5060", "no address at all"),
    ];
    for (peer, contact_value, expected, why) in cases {
        let mut lone = Lone::new();
        lone.flow.peer = peer.parse().unwrap();
        let flow = lone.flow;
        let id = lone.invite(|invite| invite.flow = flow);
        let invite = lone.sent[0].1.clone();
        lone.receive(response(&invite, "200 OK", "one", &format!("Contact: {contact_value}\r\n")));
        lone.act(|endpoint, now, out| endpoint.bye(now, id, None, out));
        assert_eq!(lone.sent.last().unwrap().0.peer, expected.parse().unwrap(), "{why}");
    }
}

#[test]
fn rfc3261_12_2_1_2_a_reinvites_contact_is_the_new_target() {
    let mut lone = Lone::new();
    let id = lone.invite(|_| {});
    let invite = lone.sent[0].1.clone();
    lone.receive(response(&invite, "200 OK", "one", CONTACT));
    assert!(lone.act(|endpoint, now, out| endpoint.reinvite(now, id, Some(Body::sdp("v=0")), out)));
    let reinvite = lone.sent.last().unwrap().1.clone();
    lone.receive(response(&reinvite, "200 OK", "one", "Contact: <sip:moved@127.0.0.6>\r\n"));
    lone.act(|endpoint, now, out| endpoint.bye(now, id, None, out));
    let (flow, bye) = lone.sent.last().unwrap();
    assert_eq!((bye.request_uri(), flow.peer), ("sip:moved@127.0.0.6", "127.0.0.6:5060".parse().unwrap()));
}

#[test]
fn a_reinvite_that_the_peer_only_tries_does_not_outlive_the_call() {
    let mut lone = Lone::new();
    let id = lone.invite(|_| {});
    let invite = lone.sent[0].1.clone();
    lone.receive(response(&invite, "200 OK", "one", CONTACT));
    assert!(lone.act(|endpoint, now, out| endpoint.reinvite(now, id, Some(Body::sdp("v=0")), out)));
    let reinvite = lone.sent.last().unwrap().1.clone();
    lone.act(|endpoint, now, out| endpoint.bye(now, id, None, out));
    lone.receive(response(&reinvite, "100 Trying", "one", ""));
    lone.drain();
}

#[test]
fn rfc3261_12_2_2_the_peers_reinvite_moves_the_target_only_when_it_is_accepted() {
    for (status, expected) in [(488, "sip:b@127.0.0.2:5060"), (200, "sip:moved@127.0.0.6")] {
        let mut lone = Lone::new();
        let id = lone.invite(|_| {});
        let invite = lone.sent[0].1.clone();
        lone.receive(response(&invite, "200 OK", "b", CONTACT));
        let moved = request("INVITE", "z9hG4bKmove", "Contact: <sip:moved@127.0.0.6>\r\n")
            .replace("To: <sip:a@h>", &format!("To: {}", header(&invite, Name::From)))
            .replace("Call-ID: c", &format!("Call-ID: {}", invite.call_id()));
        lone.receive(moved);
        let Some(Event::Reinvite { request, .. }) = lone.events.pop() else { panic!() };
        lone.act(|endpoint, now, out| endpoint.respond(now, request, status, &[], None, out));
        lone.act(|endpoint, now, out| endpoint.cancel(now, id, None, out));
        lone.drain();
        let bye = lone.sent.iter().rev().find(|(_, sent)| *sent.method() == Method::Bye).unwrap();
        assert_eq!(bye.1.request_uri(), expected, "{status}");
    }
}

#[test]
fn rfc3261_9_2_the_answers_to_cancel_and_invite_carry_one_to_tag() {
    let mut lone = Lone::new();
    lone.receive(request("INVITE", "z9hG4bKone", CONTACT));
    lone.receive(request("CANCEL", "z9hG4bKone", ""));
    let tags: Vec<_> =
        lone.sent[1..].iter().map(|(_, sent)| (sent.status(), sent.to().unwrap().tag())).collect();
    assert_eq!([tags[0].0, tags[1].0], [Some(200), Some(487)]);
    assert!(tags[0].1.is_some() && tags[0].1 == tags[1].1);
}

#[test]
fn a_response_with_two_vias_or_a_forged_branch_is_no_ones() {
    let mut lone = Lone::new();
    lone.invite(|_| {});
    let invite = lone.sent[0].1.clone();
    let good = response(&invite, "200 OK", "one", CONTACT);
    lone.receive(good.replace("From:", "Via: SIP/2.0/UDP 127.0.0.4;branch=z9hG4bKx\r\nFrom:"));
    let branch = invite.via().unwrap().branch().unwrap();
    lone.receive(good.replace(branch, "z9hG4bK0000000000000000"));
    assert!(lone.events.is_empty());
    assert_eq!(lone.endpoint.counters().strays, 2);
}

#[test]
fn rfc3261_18_2_2_responses_after_a_closed_stream_go_to_the_sent_by_or_to_the_new_stream() {
    let mut lone = Lone::new();
    let by = |port, connection| Flow {
        transport: Transport::Tcp,
        local: address(CALLER),
        peer: ([127, 0, 0, 2], port).into(),
        connection,
        domain: 0,
    };
    lone.flow = by(40_001, 7);
    let invite = request("INVITE", "tcp", "Contact: <sip:a@127.0.0.2:5070;transport=tcp>\r\n");
    lone.receive(invite.clone());
    let Some(Event::Invite { id, .. }) = lone.events.pop() else { panic!("an INVITE") };
    lone.act(|endpoint, now, out| endpoint.flow_failed(now, by(40_001, 7), out));
    lone.act(|endpoint, now, out| endpoint.progress(now, id, 180, &contact(CALLER), None, out));
    assert_eq!(lone.sent.last().unwrap().0, by(5060, 0));

    lone.flow = by(40_002, 8);
    lone.receive(invite);
    lone.act(|endpoint, now, out| endpoint.accept(now, id, &contact(CALLER), None, out));
    let flows: Vec<_> =
        lone.sent.iter().rev().take(2).map(|(flow, message)| (*flow, message.status())).collect();
    assert_eq!(flows, [(by(40_002, 8), Some(200)), (by(40_002, 8), Some(180))]);

    lone.act(|endpoint, now, out| endpoint.flow_failed(now, by(40_002, 8), out));
    lone.now = Time::from_millis(500);
    lone.act(|endpoint, now, out| endpoint.handle_timeout(now, out));
    let (flow, repeated) = lone.sent.last().unwrap();
    assert_eq!((*flow, repeated.status()), (by(5070, 0), Some(200)), "13.3.1.4: repeated on TCP too");
}
