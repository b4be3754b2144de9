//! What the machines behind the parser make of a message.

use crate::message::is_long;
use bytes::Bytes;
use clock::{Duration, Time};
use sip::{
    Address, Alive, Body, Credentials, DigestRequest, Endpoint, EndpointConfig, Event, Events, Flaw, Flow,
    InviteId, Login, Message, Method, Name, NameAddr, NewInvite, NewRequest, Output, ParseError, Registrar,
    RegistrarConfig, Registration, RegistrationConfig, SessionTimers, SubscriptionId, TimerValues, Verdict,
    Verifier, VerifierConfig, ha1,
};
use std::collections::HashMap;
use std::net::SocketAddr;

/// Our Contact.
const CONTACT: &str = "<sip:ringdown@192.0.2.1:5060>";
/// More timers than any one message can keep us waiting for: two transactions that retransmit, and a session.
const MAX_TIMERS: usize = 400;

/// An endpoint receives a datagram; its user answers whatever comes of it, and time passes until nothing is left.
///
/// # Panics
/// If it sends what cannot be read or is not a request that we would serve ourselves, or if something is left for ever.
pub(crate) fn receives(bytes: Bytes) {
    let mut endpoint = Endpoint::new(config(), [7; 32]);
    let answers = bytes.len() % 3;
    let mut out = Vec::new();
    endpoint.receive(Time::ZERO, flow(), bytes, &mut out);
    ends(&mut endpoint, answers, out);
}

/// The endpoint has called, or registered, and the answer has the message's fields and body.
///
/// # Panics
/// As [`receives`].
pub(crate) fn hears(response: &Message) {
    registered(response);
    for method in [Method::Invite, Method::Register] {
        let mut endpoint = Endpoint::new(config(), [7; 32]);
        let mut out = Vec::new();
        let call = send(&mut endpoint, &method, &mut out);
        let Some(Output::Send { bytes, .. }) =
            out.iter().find(|output| matches!(output, Output::Send { .. }))
        else {
            panic!("nothing was sent: {out:?}");
        };
        let request = Message::parse(bytes.clone()).expect("a request of ours");
        out.clear();
        let answer = answer_to(&request, response);
        endpoint.receive(Time::ZERO, flow(), answer.clone(), &mut out);
        endpoint.receive(Time::ZERO, flow(), answer, &mut out);
        // Nothing but its user ends a call that rings.
        if let Some(id) = call {
            endpoint.cancel(Time::ZERO, id, Some("SIP;cause=487"), &mut out);
        }
        ends(&mut endpoint, 2, out);
    }
}

/// Sends a request of the method; the call, if it is one.
fn send(endpoint: &mut Endpoint, method: &Method, out: &mut Vec<Output>) -> Option<InviteId> {
    let ours = || Address { display: None, uri: "sip:ringdown@192.0.2.1".into() };
    let theirs = || Address { display: Some("Bob".into()), uri: "sip:bob@192.0.2.9".into() };
    let login = Login { username: "u".into(), password: "p".into(), realm: None };
    let request_uri = "sip:bob@192.0.2.9".to_owned();
    let (from, to, login, headers, max_forwards) = (ours(), theirs(), Some(login), Vec::new(), 70);
    if *method == Method::Invite {
        let (route, contact, body) = (Vec::new(), CONTACT.into(), Some(Body::sdp("v=0\r\n")));
        let invite = NewInvite {
            flow: flow(),
            is_server: true,
            request_uri,
            route,
            from,
            to,
            contact,
            headers,
            body,
            login,
            max_forwards,
        };
        Some(endpoint.invite(Time::ZERO, invite, out))
    } else {
        let (route, method, series, body) = (Vec::new(), method.clone(), None, None);
        let request = NewRequest {
            flow: flow(),
            method,
            request_uri,
            route,
            from,
            to,
            series,
            headers,
            body,
            login,
            max_forwards,
        };
        endpoint.request(Time::ZERO, request, out);
        None
    }
}

/// The response to `request` that says what `said` says.
fn answer_to(request: &Message, said: &Message) -> Bytes {
    let ours = [Name::Via, Name::From, Name::CallId, Name::CSeq];
    let mut text = said.start_line().to_owned();
    for name in ours {
        text.extend(["\r\n", name.text(), ": ", request.header(name).unwrap_or("")]);
    }
    for (name, value) in said.headers() {
        let known = Name::parse(name);
        if !ours.iter().any(|ours| known == Some(*ours)) && known != Some(Name::ContentLength) {
            text.extend(["\r\n", name, ": ", value]);
        }
    }
    let length = format!("\r\nContent-Length: {}\r\n\r\n", said.body().len());
    [text.as_bytes(), length.as_bytes(), said.body()].concat().into()
}

/// The user serves what comes, the peer is silent, and time passes until nothing is left.
fn ends(endpoint: &mut Endpoint, answers: usize, mut out: Vec<Output>) {
    let mut now = Time::ZERO;
    for _ in 0..MAX_TIMERS {
        for output in std::mem::take(&mut out) {
            match output {
                Output::Send { bytes, .. } => sent(&bytes),
                Output::Event(event) => serve(endpoint, now, event, answers, &mut out),
                Output::Wire(wire) => assert!(!wire.line.is_empty()),
            }
        }
        if !out.is_empty() {
            continue;
        }
        let Some(next) = endpoint.next_timeout() else {
            assert_eq!(endpoint.alive(), Alive::default(), "nothing is left without a timer");
            return;
        };
        now = next;
        endpoint.handle_timeout(now, &mut out);
    }
    panic!("timers without end");
}

fn flow() -> Flow {
    let address = |last| SocketAddr::from(([192, 0, 2, last], 5_060));
    Flow::udp(address(1), address(9))
}

fn config() -> EndpointConfig {
    EndpointConfig {
        user_agent: "hostile".into(),
        allow: "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, REFER, UPDATE",
        shown: HashMap::new(),
        shown_to: HashMap::new(),
        max_usages: 8,
        max_transactions: 8,
        timers: TimerValues::default(),
        session_timers: SessionTimers::default(),
        events: Events { allow: "dialog, refer", max: 8, ..Events::default() },
    }
}

/// The user: it refuses, rings and answers, or only answers, by `answers`; it ends what it has begun.
fn serve(endpoint: &mut Endpoint, now: Time, event: Event, answers: usize, out: &mut Vec<Output>) {
    match event {
        Event::Invite { id, .. } => {
            let body = || Some(Body::sdp("v=0\r\nm=audio 0 RTP/AVP 0\r\n"));
            if answers == 0 {
                return endpoint.reject(now, id, 486, &[("Reason", "Q.850;cause=17")], out);
            }
            if answers == 1 {
                endpoint.progress(now, id, 183, CONTACT, body(), out);
            }
            endpoint.accept(now, id, CONTACT, body(), out);
        }
        Event::Request { request, message, .. } if *message.method() == Method::Subscribe => {
            let id = endpoint.subscribe(now, request, CONTACT, out);
            id.into_iter().for_each(|id| tell(endpoint, now, id, out));
        }
        Event::NotifyDue { id } => tell(endpoint, now, id, out),
        Event::Request { request, .. } | Event::Reinvite { request, .. } => {
            endpoint.respond(now, request, 200, &[("Contact", CONTACT)], None, out);
        }
        Event::RefreshDue { id } => drop(endpoint.reinvite(now, id, Some(Body::sdp("v=0\r\n")), out)),
        Event::Answered { id, .. } => endpoint.bye(now, id, Some("Q.850;cause=16"), out),
        _ => {}
    }
}

/// What we send can be read, and is a request that we would serve.
fn sent(bytes: &Bytes) {
    match Message::parse(bytes.clone()) {
        Ok(message) => {
            // Who gives us a Contact of another scheme, or an empty tag, gets requests with it.
            let judged = message.validate().map_err(|fault| fault.status);
            let untagged = message.to().is_ok_and(|to| to.params().get("tag") == Some(""));
            let theirs = matches!(judged, Err(416)) || (untagged && message.is_request());
            assert!(judged == Ok(()) || theirs, "{judged:?}: {message:?}");
        }
        Err(ParseError::Malformed { message, flaw }) => {
            // A CSeq that cannot be read is returned as it came.
            let returned =
                flaw == Flaw::ResponseWithoutCSeq && message.status().is_some_and(|status| status >= 400);
            assert!(returned || is_long(&message), "{flaw}: {message:?}");
        }
        Err(ParseError::TooLarge { .. }) => {}
        Err(error) => panic!("{error}: {bytes:?}"),
    }
}

/// A registrar takes a REGISTER, or says why not.
pub(crate) fn registers(request: &Message) {
    let config = RegistrarConfig::default();
    let most = config.max_contacts;
    let mut registrar = Registrar::new(config);
    let flow = flow();
    match registrar.register(Time::ZERO, "sip:a@b", request, flow) {
        Ok(bindings) => {
            assert!(bindings.len() <= most && bindings.len() == registrar.len());
            for binding in &bindings {
                let value = format!("<{}>;expires=60", binding.uri);
                let written =
                    NameAddr::parse(Name::Contact, &value).unwrap_or_else(|error| panic!("{error}: {value}"));
                assert!(written.uri_text() == binding.uri && written.uri().is_ok() && binding.q <= 1_000);
            }
            // The same CSeq again is out of order for every binding that it would touch (RFC 3261 section 10.3).
            match registrar.register(Time::ZERO, "sip:a@b", request, flow) {
                Ok(left) => assert!(left.is_empty() && bindings.is_empty(), "{left:?}"),
                Err(late) => assert!(late.status == 500 && !bindings.is_empty(), "{late:?}"),
            }
        }
        Err(reject) => {
            assert!(matches!(reject.status, 400 | 403 | 423 | 500), "{}", reject.status);
            assert!(registrar.is_empty(), "wholly or not at all");
        }
    }
    while let Some(at) = registrar.next_timeout() {
        assert!(!registrar.expire(at).is_empty());
    }
    assert!(registrar.is_empty());
}

/// Credentials that nobody gave us are worth nothing; those of a user are judged by the same rules.
pub(crate) fn judges(message: &Message, given: &Credentials) {
    let mut verifier = Verifier::new(VerifierConfig::new([5; 32]));
    let peer = SocketAddr::from(([192, 0, 2, 9], 5_060)).ip();
    let password = ha1(given.algorithm, &given.username, &given.realm, "secret");
    let request = DigestRequest {
        method: message.method(),
        request_uri: message.request_uri(),
        peer: Some(peer),
        realm: &given.realm,
        username: &given.username,
        ha1: Some(&password),
    };
    let verdict = verifier.check(Time::ZERO, &request, given);
    assert!(verdict != Verdict::Valid, "no nonce was issued: {given:?}");
    let challenge = verifier.challenge(Time::ZERO, (&given.realm, Some(peer)), given.algorithm, false);
    let uri = message.request_uri();
    let right = Credentials::answer(&challenge, &given.username, "secret", message.method(), uri, "c", 1);
    let now = Time::ZERO + Duration::from_secs(1);
    let verdict = verifier.check(now, &request, &right);
    assert!(matches!(verdict, Verdict::Valid | Verdict::Elsewhere), "{verdict:?}: {message:?}");
    assert!(verifier.check(now, &request, &right) != Verdict::Valid, "a count serves once");
}

/// A registration of ours takes any final response, and goes on or is over.
fn registered(response: &Message) {
    let Some(status) = response.status().filter(|status| *status >= 200) else { return };
    let mut ours = Registration::new(RegistrationConfig::new(600), "c".into(), Time::ZERO);
    assert!(ours.take_due(Time::ZERO).is_some());
    ours.answered(Time::ZERO, (status, Some(response)), "sip:ringdown@192.0.2.1:5060", 9);
    assert!(ours.next_try().is_some() || ours.is_refused(), "a registration that is not refused goes on");
}

/// Sends the state of a subscription, if it may be sent.
fn tell(endpoint: &mut Endpoint, now: Time, id: SubscriptionId, out: &mut Vec<Output>) {
    if endpoint.may_notify(id) {
        let body = Body { content_type: "text/plain".into(), bytes: "state".into() };
        endpoint.notify(now, id, &body, out);
    }
}
