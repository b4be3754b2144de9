//! The CDR: one a contact, one record a leg, and what became of the contact told apart.

mod script;

use clock::{Duration, Time};
use events::cdr::{Cdr, CdrFold, Disposition, fold};
use events::{
    ContactId, DialOutcome, Direction, EndedBy, Event, Kind, LegId, Party, QueueOutcome, TransferBy,
    TransferOutcome, WallClock,
};
use proptest::prelude::*;
use script::{ALICE, BOB, CALLER, Script, any_events, cause, demo_call, leg_started, ring_group};
use std::collections::BTreeSet;

#[test]
fn an_answered_call_has_its_times_legs_and_recording() {
    let cdr = cdr_of(&demo_call());
    assert_eq!(cdr.disposition, Disposition::Answered);
    assert_eq!((&*cdr.from, &*cdr.to, &*cdr.client), ("+33140000001", "+33800123456", "acme"));
    assert_eq!(cdr.started.at, Time::from_secs(40));
    assert_eq!(cdr.started.to_string(), "2026-11-23 16:18:55.123 UTC");
    assert_eq!(cdr.answered.map(|moment| moment.at), Some(Time::from_millis(40_001)));
    assert_eq!(cdr.bridged.map(|moment| moment.at), Some(Time::from_millis(43_201)));
    assert_eq!([cdr.ring_millis, cdr.wait_millis], [1_691, 3_201]);
    assert_eq!([cdr.talk_millis, cdr.billable_millis], [5_199, 8_399]);
    assert_eq!(cdr.cause, cause(EndedBy::Caller, None, "normal"));
    assert_eq!(cdr.legs.iter().map(|leg| leg.leg).collect::<Vec<_>>(), [CALLER, ALICE, BOB]);

    let [caller, alice, bob] = &cdr.legs[..] else { panic!("three legs") };
    assert_eq!(caller.codec.as_deref(), Some("PCMA"));
    assert_eq!(caller.media.and_then(|media| media.jitter_micros), Some(230));
    assert_eq!(alice.hold_millis, 1_500);
    assert_eq!(alice.media.map(|media| (media.received, media.sent, media.lost)), Some((260, 258, 0)));
    assert_eq!(alice.media.and_then(|media| media.jitter_micros), None, "unknown is not zero");
    assert_eq!((bob.answered, bob.media), (None, None));
    assert_eq!((bob.cause.status, &*bob.cause.reason), (Some(487), "answered elsewhere"));

    let [recording] = &cdr.recordings[..] else { panic!("one recording") };
    assert_eq!((&*recording.path, recording.millis), ("state/recordings/7.wav", Some(5_199)));
}

#[test]
fn a_caller_for_whom_no_agent_was_to_be_had_was_not_answered() {
    for (outcome, expected) in [
        (QueueOutcome::TimedOut, Disposition::NoAnswer),
        (QueueOutcome::Full, Disposition::NoAnswer),
        (QueueOutcome::NoAgents, Disposition::NoAnswer),
        (QueueOutcome::Abandoned, Disposition::AbandonedInQueue),
        (QueueOutcome::Flow, Disposition::SelfService),
    ] {
        let mut call = demo_call();
        let end = call.pop().expect("its end");
        call.retain(|event| {
            let of_caller = matches!(
                &event.kind,
                Kind::LegStarted { leg: CALLER, .. } | Kind::LegAnswered { leg: CALLER, .. }
            );
            of_caller || matches!(event.kind, Kind::ContactStarted { .. })
        });
        let queue: std::sync::Arc<str> = "support".into();
        let entered = Kind::QueueEntered { leg: CALLER, queue: queue.clone(), priority: 0, waited_millis: 0 };
        for kind in [entered, Kind::QueueLeft { leg: CALLER, queue, outcome: outcome.clone() }] {
            call.push(Event { kind, ..end.clone() });
        }
        call.push(Event {
            kind: Kind::LegEnded { leg: CALLER, cause: cause(EndedBy::Flow, None, "normal") },
            ..end.clone()
        });
        call.push(Event { kind: Kind::ContactEnded { cause: cause(EndedBy::Flow, None, "normal") }, ..end });
        assert_eq!(cdr_of(&call).disposition, expected, "{outcome:?}");
    }
}

#[test]
fn a_caller_who_leaves_a_message_has_not_given_up() {
    let begun = Kind::VoicemailStarted {
        message: 77,
        leg: CALLER,
        client: "acme".into(),
        mailbox: "support".into(),
        from: "+33140000001".into(),
        path: "state/recordings/acme/voicemail/7-1.wav".into(),
    };
    let left = Kind::VoicemailLeft { message: 77, path: "7-1.wav".into(), millis: 5_000 };
    let dropped = Kind::VoicemailDropped { message: 77, reason: "too little was said".into() };
    for (then, expected, kept) in [
        (Some(left), Disposition::Voicemail, Some(Some(5_000))),
        (Some(dropped), Disposition::AbandonedInFlow, None),
        (None, Disposition::AbandonedInFlow, Some(None)),
    ] {
        let mut call = demo_call();
        let end = call.pop().expect("its end");
        call.retain(|event| {
            let of_caller = matches!(
                &event.kind,
                Kind::LegStarted { leg: CALLER, .. } | Kind::LegAnswered { leg: CALLER, .. }
            );
            of_caller || matches!(event.kind, Kind::ContactStarted { .. })
        });
        let cause = cause(EndedBy::Caller, None, "normal");
        let ended = [
            Kind::LegEnded { leg: CALLER, cause: cause.clone() },
            Kind::ContactEnded { cause: cause.clone() },
        ];
        for kind in [begun.clone()].into_iter().chain(then).chain(ended) {
            call.push(Event { kind, ..end.clone() });
        }
        let cdr = cdr_of(&call);
        let messages: Vec<_> = cdr.messages.iter().map(|it| (it.message, it.millis)).collect();
        assert_eq!(cdr.disposition, expected);
        assert_eq!(messages, kept.map(|millis| (77, millis)).into_iter().collect::<Vec<_>>());
        assert_eq!(cdr.to_string().contains("message     77 for support"), kept.is_some(), "{cdr}");
    }
}

#[test]
fn a_recording_whose_name_was_taken_is_found_under_the_one_that_it_got() {
    let mut call = demo_call();
    for event in &mut call {
        if let Kind::RecordingEnded { path, .. } = &mut event.kind {
            *path = "state/recordings/7.2.wav".to_owned();
        }
    }
    let cdr = cdr_of(&call);
    let [recording] = &cdr.recordings[..] else { panic!("one recording") };
    assert_eq!((&*recording.path, recording.millis), ("state/recordings/7.2.wav", Some(5_199)));
}

#[test]
fn a_leg_that_moves_has_a_record_in_either_contact_and_the_transfer_is_told() {
    let mut call = demo_call();
    let end = call.pop().expect("its end");
    let last = call.len();
    let contact = end.contact;
    let mut tell = |kind| {
        let seq = call.last().expect("events").seq + 1;
        call.push(Event { seq, at: end.at, contact, kind });
    };
    let carol = LegId(9);
    tell(Kind::TransferStarted { leg: ALICE, by: TransferBy::Refer, consult: true, to: "carol".into() });
    tell(Kind::LegJoined {
        leg: carol,
        from: ContactId(8),
        direction: Direction::Outbound,
        party: Party::User("carol".into()),
        uri: "sip:carol@127.0.0.1".into(),
        call_id: "c9".into(),
        answered: true,
    });
    tell(Kind::TransferEnded { outcome: TransferOutcome::Done });
    tell(Kind::LegLeft { leg: carol, to: ContactId(10) });
    tell(end.kind.clone());
    let cdr = cdr_of(&call);
    assert_eq!(call.len(), last + 5);
    let joined = cdr.legs.last().expect("four legs");
    assert_eq!((joined.leg, joined.answered.map(|it| it.at)), (carol, Some(end.at)));
    assert_eq!(&*joined.cause.reason, "went to contact 10");
    let [transfer] = &cdr.transfers[..] else { panic!("one transfer") };
    assert_eq!((transfer.leg, transfer.outcome), (ALICE, Some(TransferOutcome::Done)));
    assert!(cdr.to_string().contains("alice to carol: done"), "{cdr}");
}

#[test]
fn the_end_is_that_of_the_legs_and_not_of_their_last_transaction() {
    let mut answered = demo_call();
    let mut ringing = ring_group(3);
    for call in [&mut answered, &mut ringing] {
        // A BYE or CANCEL that nobody answers keeps the contact until Timer F (RFC 3261 section 17.1.2.2).
        call.last_mut().expect("its end").at += Duration::from_secs(32);
    }
    let cdr = cdr_of(&answered);
    assert_eq!(cdr.ended.at, Time::from_millis(48_400));
    assert_eq!([cdr.talk_millis, cdr.billable_millis], [5_199, 8_399]);
    let cdr = cdr_of(&ringing);
    assert_eq!(cdr.ended.at, Time::from_millis(40_902));
    assert_eq!([cdr.ring_millis, cdr.wait_millis], [895, 902]);
}

#[test]
fn a_callee_who_outlives_the_caller_costs_the_caller_nothing() {
    let mut call = Script::new();
    call.answered_by_the_flow();
    let alice = Party::User("alice".into());
    call.at(5, leg_started(ALICE, Direction::Outbound, alice, "sip:alice@127.0.0.1"));
    call.ended(1_001, CALLER, EndedBy::Caller, "normal");
    call.ended(1_500, ALICE, EndedBy::Caller, "cancelled");
    call.at(1_600, Kind::ContactEnded { cause: cause(EndedBy::Caller, None, "normal") });
    let cdr = cdr_of(&call.events);
    assert_eq!(cdr.ended.at, Time::from_millis(41_500));
    assert_eq!([cdr.wait_millis, cdr.billable_millis], [1_001, 1_000]);
}

#[test]
fn a_leg_whose_end_was_not_told_ends_with_its_contact() {
    let mut call = Script::new();
    call.answered_by_the_flow();
    call.at(2_001, Kind::ContactEnded { cause: cause(EndedBy::Switch, None, "ended") });
    let cdr = cdr_of(&call.events);
    assert_eq!((cdr.ended.at, cdr.legs[0].ended.at), (Time::from_millis(42_001), Time::from_millis(42_001)));
    assert_eq!(cdr.billable_millis, 2_000);
}

#[test]
fn json_and_back_is_the_same_record() {
    let cdr = cdr_of(&demo_call());
    let json = serde_json::to_value(&cdr).unwrap();
    assert_eq!(json["disposition"], "answered");
    assert_eq!(json["talk_millis"], 5_199);
    assert_eq!(json["bridged"]["utc"], "2026-11-23T16:18:58.324456Z");
    assert_eq!(json["legs"][2]["party"]["user"], "bob");
    assert_eq!(serde_json::from_value::<Cdr>(json).unwrap(), cdr);
}

#[test]
fn the_text_for_a_person_names_what_counts() {
    let text = cdr_of(&demo_call()).to_string();
    assert_eq!(text, include_str!("expected/demo_cdr.txt"), "it is now:\n{text}");
}

#[test]
fn whether_somebody_answers_for_the_caller_stands_in_the_record() {
    let plain = cdr_of(&demo_call());
    assert_eq!((&plain.verstat, &plain.attestation), (&None, &None), "nobody looked");
    let mut call = demo_call();
    let (at, contact) = (call[1].at, call[1].contact);
    let verified = |verstat: &str, attestation: Option<&str>| Kind::CallerVerified {
        verstat: verstat.into(),
        attestation: attestation.map(Into::into),
        origin: None,
        reason: None,
    };
    call.insert(2, Event { seq: 0, at, contact, kind: verified("passed", Some("B")) });
    let cdr = cdr_of(&call);
    assert_eq!((cdr.verstat.as_deref(), cdr.attestation.as_deref()), (Some("passed"), Some("B")));
    assert!(cdr.to_string().contains("caller      verification passed, attestation B\n"), "{cdr}");
    call[2].kind = verified("none", None);
    assert!(cdr_of(&call).to_string().contains("caller      verification none\n"));
}

#[test]
fn a_contact_that_has_not_ended_has_no_cdr() {
    let events = demo_call();
    assert_eq!(fold(&events[..events.len() - 1], wall()), None);
    assert_eq!(fold(&[], wall()), None);
}

#[test]
fn a_caller_who_left_is_told_apart_by_how_far_he_came() {
    let before = ended(Script::new(), EndedBy::Caller, Some(487));
    assert_eq!(before, Disposition::Abandoned);
    let mut in_flow = Script::new();
    in_flow.answered_by_the_flow();
    assert_eq!(ended(in_flow, EndedBy::Caller, None), Disposition::AbandonedInFlow);
    assert_eq!(cdr_of(&ring_group(3)).disposition, Disposition::AbandonedRinging);
    let mut told_at_the_end = Script::new();
    told_at_the_end.at(5, Kind::DialStarted { targets: vec!["alice".into()] });
    assert_eq!(ended(told_at_the_end, EndedBy::Caller, Some(487)), Disposition::AbandonedRinging);
}

#[test]
fn nobody_reached_is_told_by_why() {
    for (outcome, disposition) in [
        (DialOutcome::Busy, Disposition::Busy),
        (DialOutcome::NoAnswer, Disposition::NoAnswer),
        (DialOutcome::Failed(503), Disposition::Failed),
    ] {
        for by in [EndedBy::Flow, EndedBy::Caller] {
            let mut call = Script::new();
            call.at(5, Kind::DialStarted { targets: vec!["alice".into()] });
            call.at(900, Kind::DialEnded { outcome: outcome.clone() });
            assert_eq!(ended(call, by, Some(480)), disposition, "{outcome:?}");
        }
    }
}

#[test]
fn the_flow_alone_serves_or_rejects() {
    assert_eq!(ended(Script::new(), EndedBy::Flow, Some(603)), Disposition::Rejected);
    assert_eq!(ended(Script::new(), EndedBy::Switch, Some(404)), Disposition::Rejected);
    let mut served = Script::new();
    served.answered_by_the_flow();
    assert_eq!(ended(served.clone(), EndedBy::Flow, None), Disposition::SelfService);
    assert_eq!(ended(served, EndedBy::Switch, None), Disposition::Failed);
}

#[test]
fn each_start_of_the_node_sets_the_wall_clock() {
    let mut fold = CdrFold::new(WallClock::new(0));
    let unix_micros = 1_795_450_695_123_456;
    let kind = Kind::NodeStarted { unix_micros, version: "0.1.0".into() };
    let start = Event { seq: 1, at: Time::from_secs(40), contact: None, kind };
    assert_eq!(fold.apply(&start), None);
    let cdr = demo_call().iter().find_map(|event| fold.apply(event)).unwrap();
    assert_eq!(cdr.started.to_string(), "2026-11-23 16:18:15.123 UTC");
    assert_eq!(fold.live(), 0);
}

proptest! {
    #[test]
    fn a_contact_has_one_cdr_and_a_leg_one_record(events in any_events()) {
        let mut fold = CdrFold::new(wall());
        let cdrs: Vec<Cdr> = events.iter().filter_map(|event| fold.apply(event)).collect();
        prop_assert!(cdrs.len() <= 1, "events after the end change nothing");
        for cdr in &cdrs {
            let ids: BTreeSet<LegId> = cdr.legs.iter().map(|leg| leg.leg).collect();
            prop_assert_eq!(ids.len(), cdr.legs.len());
            let length = u64::try_from((cdr.ended.at - cdr.started.at).as_millis()).unwrap();
            prop_assert!(cdr.talk_millis <= length && cdr.ring_millis <= length);
            prop_assert!(cdr.wait_millis <= length && cdr.billable_millis <= length);
            prop_assert_eq!(cdr.bridged.is_some(), cdr.disposition == Disposition::Answered);
        }
    }

    #[test]
    fn contacts_that_interleave_have_the_cdrs_of_each_alone(
        order in prop::collection::vec(prop::bool::ANY, 0..200),
    ) {
        let mut one = demo_call();
        let mut other = ring_group(3);
        for event in &mut other {
            event.contact = Some(events::ContactId(8));
        }
        let alone = [cdr_of(&one), cdr_of(&other)];
        one.reverse();
        other.reverse();
        let mut fold = CdrFold::new(wall());
        let mut cdrs = Vec::new();
        let mut turns = order.into_iter();
        while let Some(event) = if turns.next().unwrap_or(one.is_empty()) { other.pop() } else { one.pop() }
            .or_else(|| one.pop())
            .or_else(|| other.pop())
        {
            cdrs.extend(fold.apply(&event));
        }
        cdrs.sort_by_key(|cdr| cdr.contact);
        prop_assert_eq!(cdrs, alone);
    }
}

/// The disposition of a call that ends after 2 s.
fn ended(mut call: Script, by: EndedBy, status: Option<u16>) -> Disposition {
    call.at(2_000, Kind::LegEnded { leg: CALLER, cause: cause(by, status, "normal") });
    call.at(2_000, Kind::ContactEnded { cause: cause(by, status, "normal") });
    cdr_of(&call.events).disposition
}

fn cdr_of(events: &[Event]) -> Cdr {
    fold(events, wall()).expect("the contact has ended")
}

fn wall() -> WallClock {
    WallClock::new(1_795_450_695_123_456)
}

#[test]
fn a_log_from_before_there_were_figures_is_read_and_they_are_unknown() {
    let old = r#"{"kind":"media_ended","leg":1,"received":3,"sent":4,"lost":0,"jitter_micros":null}"#;
    let kind: Kind = serde_json::from_str(old).expect("an old log is read");
    let Kind::MediaEnded { quality, .. } = kind else { panic!("{kind:?}") };
    assert_eq!(quality, events::Quality::default());
}
