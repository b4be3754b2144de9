//! What the gate does not admit leaves nothing behind.

use crate::world::{CALLEE, CALLER, address, config};
use clock::Time;
use sip::{Admission, Alive, Endpoint, Event, Flow, Message, Output};

/// An endpoint behind a gate, and what the gate was asked.
struct Gated {
    endpoint: Endpoint,
    decision: Admission,
    asked: Vec<String>,
}

impl Gated {
    fn new(decision: Admission) -> Self {
        Self { endpoint: Endpoint::new(config(), [3; 32]), decision, asked: Vec::new() }
    }

    /// The events that a message leads to, and the responses.
    fn receive(&mut self, text: String) -> (Vec<Event>, Vec<Message>) {
        let flow = Flow::udp(address(CALLER), address(CALLEE));
        let mut out = Vec::new();
        let mut gate = |_: &Flow, request: &Message| {
            self.asked.push(request.method().to_string());
            self.decision.clone()
        };
        self.endpoint.receive_through(Time::ZERO, flow, text.into(), &mut gate, &mut out);
        let (mut events, mut sent) = (Vec::new(), Vec::new());
        for output in out {
            match output {
                Output::Event(event) => events.push(event),
                Output::Send { bytes, .. } => sent.push(Message::parse(bytes).unwrap()),
                Output::Wire(_) => {}
            }
        }
        (events, sent)
    }

    fn statuses(&mut self, text: String) -> Vec<u16> {
        let (events, sent) = self.receive(text);
        assert!(events.is_empty(), "{events:?}");
        sent.iter().filter_map(Message::status).collect()
    }
}

fn challenge() -> Admission {
    Admission::Refuse { status: 401, headers: vec![("WWW-Authenticate", "Digest realm=\"r\"".to_owned())] }
}

fn request(method: &str, branch: &str, to_tag: &str) -> String {
    format!(
        "{method} sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2:5060;branch={branch};rport\r\nFrom: <sip:b@h>;tag=b\r\n\
         To: <sip:a@h>{to_tag}\r\nCall-ID: c\r\nCSeq: 1 {method}\r\nContact: <sip:b@127.0.0.2>\r\nContent-Length: 0\r\n\r\n"
    )
}

#[test]
fn rfc3261_8_2_7_a_refused_request_leaves_nothing_and_a_copy_of_it_is_answered_alike() {
    for method in ["INVITE", "REGISTER", "OPTIONS", "MESSAGE", "SUBSCRIBE", "REFER", "PUBLISH", "X-ODD"] {
        let mut gated = Gated::new(challenge());
        let mut tags = Vec::new();
        for _ in 0..3 {
            let (events, sent) = gated.receive(request(method, "z9hG4bK1", ""));
            assert!(events.is_empty());
            let [answer] = &sent[..] else { panic!("{method}: {sent:?}") };
            assert_eq!(answer.status(), Some(401), "{method}");
            assert_eq!(answer.header(sip::Name::WwwAuthenticate), Some("Digest realm=\"r\""));
            tags.push(answer.to().unwrap().tag().unwrap().to_owned());
        }
        assert!(tags.iter().all(|tag| *tag == tags[0]));
        assert_eq!(gated.endpoint.alive(), Alive::default());
        assert_eq!(gated.endpoint.counters().turned_away, 3);
        assert_eq!(gated.asked, [method; 3]);
    }
}

#[test]
fn rfc3261_17_1_1_3_the_ack_to_a_stateless_refusal_is_dropped_and_a_crossing_cancel_finds_nothing() {
    let mut gated = Gated::new(challenge());
    let (_, sent) = gated.receive(request("INVITE", "z9hG4bK1", ""));
    let tag = format!(";tag={}", sent[0].to().unwrap().tag().unwrap());
    assert_eq!(gated.statuses(request("ACK", "z9hG4bK1", &tag)), [] as [u16; 0]);
    assert_eq!(gated.statuses(request("CANCEL", "z9hG4bK1", "")), [481]);
    assert_eq!(gated.endpoint.alive(), Alive::default());
    assert_eq!(gated.asked, ["INVITE"], "neither ACK nor CANCEL begins anything");
}

#[test]
fn who_is_ignored_hears_nothing() {
    let mut gated = Gated::new(Admission::Ignore);
    for method in ["INVITE", "REGISTER", "OPTIONS"] {
        assert_eq!(gated.statuses(request(method, "z9hG4bK1", "")), [] as [u16; 0]);
    }
    assert_eq!(gated.endpoint.alive(), Alive::default());
}

#[test]
fn the_gate_is_asked_once_for_a_request_that_it_admits_and_never_about_a_dialog() {
    let mut gated = Gated::new(Admission::Admit(Some("b".into())));
    let (events, _) = gated.receive(request("INVITE", "z9hG4bK1", ""));
    assert!(matches!(&events[..], [Event::Invite { user: Some(user), .. }] if **user == *"b"));
    gated.receive(request("INVITE", "z9hG4bK1", ""));
    assert_eq!(gated.asked, ["INVITE"]);
    assert_eq!(gated.statuses(request("INVITE", "z9hG4bK2", "")), [482], "merged, 8.2.2.2");
    assert_eq!(gated.statuses(request("BYE", "z9hG4bK3", "")), [481]);
    assert_eq!(gated.statuses(request("INFO", "z9hG4bK4", ";tag=unknown")), [481]);
    assert_eq!(gated.asked, ["INVITE"]);
}
