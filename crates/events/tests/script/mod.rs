//! Calls as a switch would tell them.

use clock::Time;
use events::{
    AtParty, Cause, ContactId, DialOutcome, Direction, EndedBy, Event, Kind, LegId, Missing, Party, Quality,
    SipDirection,
};
use proptest::prelude::*;

pub(crate) const CALLER: LegId = LegId(1);
pub(crate) const ALICE: LegId = LegId(2);
pub(crate) const BOB: LegId = LegId(3);

/// Numbers events of contact 7 and gives them their times.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) events: Vec<Event>,
}

impl Script {
    /// A call to `main` that began at 40 s.
    pub(crate) fn new() -> Self {
        let mut script = Self { events: Vec::new() };
        script.at(
            0,
            Kind::ContactStarted {
                source: "carrier".into(),
                client: "acme".into(),
                from: "+33140000001".into(),
                to: "+33800123456".into(),
                flow: "main".into(),
            },
        );
        let caller = Party::Trunk("carrier".into());
        script.at(0, leg_started(CALLER, Direction::Inbound, caller, "sip:+33140000001@127.0.0.2"));
        script.received(0, CALLER, "INVITE +sdp", 1);
        script.sent(0, CALLER, "100 Trying", 1);
        script
    }

    /// `millis` after the call began.
    pub(crate) fn at(&mut self, millis: u64, kind: Kind) {
        let seq = self.events.len() as u64 + 1;
        let at = Time::from_millis(40_000 + millis);
        self.events.push(Event { seq, at, contact: Some(ContactId(7)), kind });
    }

    /// A SIP message from a leg; `+sdp` at the end of its line says that it has a body.
    pub(crate) fn received(&mut self, millis: u64, leg: LegId, line: &str, cseq: u32) {
        self.at(millis, sip(leg, SipDirection::Received, line, cseq, false));
    }

    pub(crate) fn sent(&mut self, millis: u64, leg: LegId, line: &str, cseq: u32) {
        self.at(millis, sip(leg, SipDirection::Sent, line, cseq, false));
    }

    pub(crate) fn again(&mut self, millis: u64, leg: LegId, line: &str, cseq: u32) {
        self.at(millis, sip(leg, SipDirection::Sent, line, cseq, true));
    }

    pub(crate) fn step(&mut self, millis: u64, line: u32, step: &str) {
        let (flow, file) = ("main".into(), "dialplans/acme/main.yaml".into());
        self.at(millis, Kind::FlowStep { flow, step: step.into(), file, line });
    }

    pub(crate) fn answered_by_the_flow(&mut self) {
        self.step(1, 4, "answer");
        self.sent(1, CALLER, "200 OK +sdp", 1);
        self.at(1, Kind::LegAnswered { leg: CALLER, codec: Some("PCMA".into()) });
        self.received(2, CALLER, "ACK", 1);
    }

    pub(crate) fn ended(&mut self, millis: u64, leg: LegId, by: EndedBy, reason: &str) {
        self.at(millis, Kind::LegEnded { leg, cause: cause(by, None, reason) });
    }
}

pub(crate) fn cause(by: EndedBy, status: Option<u16>, reason: &str) -> Cause {
    Cause { by, status, reason: reason.into() }
}

pub(crate) fn leg_started(leg: LegId, direction: Direction, party: Party, uri: &str) -> Kind {
    Kind::LegStarted { leg, direction, party, uri: uri.into(), call_id: format!("c{}", leg.0).into() }
}

/// Alice and Bob are rung after a menu; Alice answers, holds once, and the caller hangs up.
pub(crate) fn demo_call() -> Vec<Event> {
    let mut call = Script::new();
    call.answered_by_the_flow();
    call.at(21, Kind::MediaStarted { leg: CALLER, peer: "127.0.0.2:40000".into() });
    call.step(30, 6, "menu main");
    call.at(1_510, Kind::Digit { leg: CALLER, digit: '1' });
    call.at(1_510, Kind::FlowBranch { verb: "menu".into(), branch: "1".into() });
    call.step(1_510, 14, "dial sales");
    call.at(1_510, Kind::DialStarted { targets: vec!["alice".into(), "bob".into()] });
    for (leg, name) in [(ALICE, "alice"), (BOB, "bob")] {
        let uri = format!("sip:{name}@127.0.0.1:5070");
        call.at(1_511, leg_started(leg, Direction::Outbound, Party::User(name.into()), &uri));
        call.sent(1_511, leg, "INVITE +sdp", 1);
    }
    for leg in [ALICE, BOB] {
        call.received(1_530, leg, "180 Ringing", 1);
        call.at(1_530, Kind::LegRinging { leg });
    }
    call.again(2_031, BOB, "INVITE +sdp", 1);
    call.received(3_200, ALICE, "200 OK +sdp", 1);
    call.sent(3_200, ALICE, "ACK", 1);
    call.at(3_200, Kind::LegAnswered { leg: ALICE, codec: Some("PCMA".into()) });
    call.at(
        3_201,
        Kind::LegEnded { leg: BOB, cause: cause(EndedBy::Switch, Some(487), "answered elsewhere") },
    );
    call.at(3_201, Kind::DialEnded { outcome: DialOutcome::Answered(ALICE) });
    call.at(3_201, Kind::Bridged { a: CALLER, b: ALICE });
    call.sent(3_201, BOB, "CANCEL", 1);
    let path = "state/recordings/7.wav".to_owned();
    call.at(3_201, Kind::RecordingStarted { leg: CALLER, path: path.clone(), by: None });
    call.received(3_210, BOB, "200 OK", 1);
    call.received(3_211, BOB, "487 Request Terminated", 1);
    call.sent(3_211, BOB, "ACK", 1);
    for (millis, cseq, kind) in
        [(5_000, 1, Kind::Held { leg: ALICE }), (6_500, 2, Kind::Resumed { leg: ALICE })]
    {
        call.received(millis, ALICE, "INVITE +sdp", cseq);
        call.sent(millis, ALICE, "200 OK +sdp", cseq);
        call.at(millis, kind);
        call.received(millis + 1, ALICE, "ACK", cseq);
    }
    call.received(8_400, CALLER, "BYE", 2);
    call.sent(8_400, CALLER, "200 OK", 2);
    call.at(8_400, Kind::Unbridged { a: CALLER, b: ALICE });
    call.ended(8_400, ALICE, EndedBy::Caller, "normal");
    call.ended(8_400, CALLER, EndedBy::Caller, "normal");
    call.sent(8_401, ALICE, "BYE", 2);
    call.received(8_420, ALICE, "200 OK", 2);
    call.at(8_420, media_ended(CALLER, 419, 415, 4, Some(230)));
    call.at(8_420, media_ended(ALICE, 260, 258, 0, None));
    call.at(8_421, Kind::RecordingEnded { path, millis: 5_199, error: None });
    call.at(8_421, Kind::ContactEnded { cause: cause(EndedBy::Caller, None, "normal") });
    call.events
}

/// So many agents are rung at the same time and none answers.
pub(crate) fn ring_group(agents: u64) -> Vec<Event> {
    let mut call = Script::new();
    call.at(5, Kind::DialStarted { targets: vec!["everyone".into()] });
    let legs: Vec<LegId> = (2..agents + 2).map(LegId).collect();
    for leg in &legs {
        let name = format!("agent{}", leg.0);
        let uri = format!("sip:{name}@127.0.0.1");
        call.at(5, leg_started(*leg, Direction::Outbound, Party::User(name.into()), &uri));
        call.sent(5, *leg, "INVITE +sdp", 1);
    }
    call.received(900, CALLER, "CANCEL", 1);
    call.at(900, Kind::DialEnded { outcome: DialOutcome::CallerGone });
    for leg in &legs {
        call.at(901, Kind::LegEnded { leg: *leg, cause: cause(EndedBy::Caller, Some(487), "cancelled") });
    }
    call.at(902, Kind::LegEnded { leg: CALLER, cause: cause(EndedBy::Caller, Some(487), "cancelled") });
    call.at(902, Kind::ContactEnded { cause: cause(EndedBy::Caller, Some(487), "cancelled") });
    call.events
}

fn sip(leg: LegId, direction: SipDirection, line: &str, cseq: u32, again: bool) -> Kind {
    let (line, sdp) = line.strip_suffix(" +sdp").map_or((line, false), |line| (line, true));
    Kind::Sip { leg, direction, line: line.into(), cseq, sdp, again }
}

fn media_ended(leg: LegId, received: u64, sent: u64, lost: u64, jitter_micros: Option<u32>) -> Kind {
    // Who has no jitter has sent no reports either.
    let quality = jitter_micros.map_or_else(Quality::default, |_| Quality {
        bursts: Some(1),
        mos_hundredths: Some(427),
        concealed_permille: Some(12),
        round_trip_micros: Some(34_000),
        at_party: Some(AtParty { lost: 3, jitter_micros: 1_030, mos_hundredths: Some(431) }),
    });
    Kind::MediaEnded { leg, received, sent, lost, jitter_micros, quality, fax: None }
}

/// Any kinds of events on few legs, in any order, after a contact's start.
pub(crate) fn any_events() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec((any_kind(), 0u64..5_000), 0..60).prop_map(|kinds| {
        let mut call = Script::new();
        let mut millis = 0;
        for (kind, later) in kinds {
            millis += later;
            call.at(millis, kind);
        }
        call.events
    })
}

fn any_kind() -> impl Strategy<Value = Kind> {
    let by = prop::sample::select(vec![EndedBy::Caller, EndedBy::Callee, EndedBy::Flow, EndedBy::Switch]);
    let cause = (by, prop::option::of(100u16..700), ".{0,30}")
        .prop_map(|(by, status, reason)| cause(by, status, &reason));
    let leg = || (1u64..9).prop_map(LegId);
    prop_oneof![
        (leg(), any::<bool>(), ".{0,40}").prop_map(|(leg, user, name)| {
            let party = if user { Party::User(name.as_str().into()) } else { Party::Uri };
            leg_started(leg, Direction::Outbound, party, &name)
        }),
        (leg(), any::<bool>(), ".{0,40}", 0u32..4).prop_map(|(leg, sent, line, cseq)| {
            let direction = if sent { SipDirection::Sent } else { SipDirection::Received };
            sip(leg, direction, &line, cseq, false)
        }),
        leg().prop_map(|leg| Kind::LegAnswered { leg, codec: None }),
        leg().prop_map(|leg| Kind::Held { leg }),
        leg().prop_map(|leg| Kind::Resumed { leg }),
        (leg(), ".{0,80}").prop_map(|(leg, peer)| Kind::MediaStarted { leg, peer: peer.into() }),
        leg().prop_map(|leg| Kind::MediaOneWay { leg, missing: Missing::To }),
        (leg(), leg()).prop_map(|(a, b)| Kind::BridgedEarly { a, b }),
        (leg(), leg()).prop_map(|(a, b)| Kind::Bridged { a, b }),
        (leg(), leg()).prop_map(|(a, b)| Kind::Unbridged { a, b }),
        Just(Kind::DialStarted { targets: vec!["alice".into()] }),
        leg().prop_map(|leg| Kind::DialEnded { outcome: DialOutcome::Answered(leg) }),
        ".{0,300}".prop_map(|error| Kind::PlayFailed { error }),
        (leg(), cause.clone()).prop_map(|(leg, cause)| Kind::LegEnded { leg, cause }),
        cause.prop_map(|cause| Kind::ContactEnded { cause }),
    ]
}
