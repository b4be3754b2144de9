//! Offers, and what follows them.

use acd::{
    Acd, AgentChange, AgentPlan, AgentState, Entry, Input, Member, NOT_ANSWERING, Outcome, Output, Plan,
    QueuePlan, Skills, Wants, Withdrawn,
};
use clock::{Duration, Time};
use std::sync::Arc;

/// A queue `acme/support` with these agents, all logged in at second 0 in their order.
fn office(agents: &[&str], change: impl FnOnce(&mut QueuePlan)) -> Acd {
    let mut queue = QueuePlan::new("acme/support");
    queue.members =
        agents.iter().map(|agent| Member { agent: (*agent).into(), tier: 1, weight: 1 }).collect();
    change(&mut queue);
    let agents: Vec<AgentPlan> =
        agents.iter().map(|name| AgentPlan { name: (*name).into(), skills: Skills::new() }).collect();
    let names: Vec<Arc<str>> = agents.iter().map(|agent| Arc::clone(&agent.name)).collect();
    let mut acd = Acd::new([7; 32]);
    acd.configure(Time::ZERO, Plan { queues: vec![queue], agents }, &mut Vec::new());
    for (micros, agent) in (0..).zip(names) {
        acd.handle(
            Time::from_micros(micros),
            Input::Agent { agent, change: AgentChange::LogIn },
            &mut Vec::new(),
        );
    }
    acd
}

fn enters(now: Time, call: u64) -> Input {
    Input::Enter(Entry {
        call,
        queue: "acme/support".into(),
        entered: now,
        priority: 0,
        wants: Wants::default(),
        last_agent: None,
        number: None,
        callback: false,
    })
}

fn does(acd: &mut Acd, now: Time, input: Input) -> Vec<Output> {
    let mut out = Vec::new();
    acd.handle(now, input, &mut out);
    out
}

/// Offers that were made: number, call and agent.
fn offers<'a>(out: &'a [Output]) -> Vec<(u64, u64, &'a str)> {
    let offer = |output: &'a Output| match output {
        &Output::Offer { offer, call, ref agent, .. } => Some((offer, call, &**agent)),
        _ => None,
    };
    out.iter().filter_map(offer).collect()
}

#[test]
fn who_has_been_free_longest_is_offered_the_next_caller() {
    let mut acd = office(&["alice", "bob"], |_| {});
    let now = Time::from_secs(10);
    let out = does(&mut acd, now, enters(now, 1));
    assert_eq!(offers(&out), [(1, 1, "alice")]);
    let out = does(&mut acd, now, enters(now, 2));
    assert_eq!(offers(&out), [(2, 2, "bob")]);
    let ended = Input::OfferEnded { offer: 1, outcome: Outcome::Answered };
    let out = does(&mut acd, Time::from_secs(12), ended);
    assert!(matches!(&out[..], [Output::Agent { state: AgentState::Talking { call: 1 }, .. }]), "{out:?}");
}

#[test]
fn a_caller_that_rang_out_goes_to_the_next_agent_and_who_missed_too_many_is_paused() {
    let mut acd = office(&["alice", "bob"], |queue| queue.misses = Some(1));
    let now = Time::from_secs(10);
    does(&mut acd, now, enters(now, 1));
    let out = does(&mut acd, Time::from_secs(30), Input::OfferEnded { offer: 1, outcome: Outcome::NoAnswer });
    assert_eq!(offers(&out), [(2, 1, "bob")]);
    let alice = &acd.agents(now)[0];
    assert_eq!(alice.state, AgentState::Paused { reason: NOT_ANSWERING.into() });
}

#[test]
fn an_offer_of_which_nobody_speaks_ends_by_itself() {
    let mut acd = office(&["alice"], |_| {});
    let now = Time::from_secs(10);
    does(&mut acd, now, enters(now, 1));
    let due = now + Duration::from_secs(21);
    assert_eq!(acd.next_timeout(), Some(due));
    let out = does(&mut acd, due, Input::Timeout);
    let lost = |output: &Output| matches!(output, Output::Withdraw { because: Withdrawn::Lease, .. });
    assert!(out.iter().any(lost), "{out:?}");
    let out = does(&mut acd, due + Duration::from_secs(10), Input::Timeout);
    assert_eq!(offers(&out), [(2, 1, "alice")]);
}
