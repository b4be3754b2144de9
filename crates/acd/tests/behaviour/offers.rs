//! Offers, and what follows them.

use crate::office::{Office, at, exits, offers, seconds};
use acd::{AgentState, Input, NOT_ANSWERING, Outcome, Output, Withdrawn};

#[test]
fn an_offer_records_all_agents_of_a_queue_and_says_how_many_it_leaves_out_of_a_large_one() {
    for (count, said) in
        [(50, None), (64, None), (70, Some("61 other agents of the queue are not listed here"))]
    {
        let names: Vec<String> = (0..count).map(|number| format!("a{number:02}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut office = Office::new(&names, |_| {});
        let out = office.enters(at(5), 1);
        let why = out.iter().find_map(|output| match output {
            Output::Offer { why, .. } => Some(why.to_string()),
            _ => None,
        });
        let why = why.expect("an offer");
        match said {
            None => assert_eq!(why.matches(": free, ").count(), count - 1, "{why}"),
            Some(said) => assert!(why.ends_with(said), "{why}"),
        }
    }
}

#[test]
fn who_has_been_free_longest_is_offered_the_next_caller() {
    let mut office = Office::new(&["alice", "bob"], |_| {});
    assert_eq!(offers(&office.enters(at(10), 1)), [(1, 1, "alice")]);
    assert_eq!(offers(&office.enters(at(10), 2)), [(2, 2, "bob")]);
    let out = office.ends(at(12), 1, Outcome::Answered);
    assert!(matches!(&out[..], [Output::Agent { state: AgentState::Talking { call: 1 }, .. }]), "{out:?}");
}

#[test]
fn a_caller_that_rang_out_has_its_place_and_who_missed_too_many_is_paused() {
    let mut office = Office::new(&["alice"], |queue| queue.misses = Some(2));
    office.enters(at(10), 1);
    office.enters(at(11), 2);
    office.ends(at(30), 1, Outcome::NoAnswer);
    assert_eq!(office.line(at(30)), [1, 2]);
    assert_eq!(offers(&office.until(at(40))), [(2, 1, "alice")]);
    office.ends(at(60), 2, Outcome::NoAnswer);
    assert_eq!(office.state("alice"), AgentState::Paused { reason: NOT_ANSWERING.into() });
    assert!(office.until(at(1000)).is_empty());
}

#[test]
fn each_outcome_has_its_own_delay() {
    let mut office = Office::new(&["alice"], |queue| {
        queue.retry.busy = seconds(5);
        queue.retry.declined = seconds(20);
    });
    office.enters(at(10), 1);
    office.ends(at(11), 1, Outcome::Busy);
    assert_eq!(office.acd.next_timeout(), Some(at(16)));
    assert_eq!(offers(&office.until(at(16))), [(2, 1, "alice")]);
    office.ends(at(17), 2, Outcome::Declined);
    let why = office.acd.why_call(at(18), 1).expect("it waits").to_string();
    assert_eq!(
        why,
        "call 1 is number 1 in acme/support (longest idle), has waited 8 s and has priority 0\n  \
         alice: declined, offered again in 19 s"
    );
}

#[test]
fn a_missed_offer_does_not_reset_the_idle_clock() {
    let mut office = Office::new(&["alice", "bob"], |_| {});
    office.enters(at(10), 1);
    let out = office.ends(at(11), 1, Outcome::Declined);
    assert_eq!(offers(&out), [(2, 1, "bob")]);
    office.ends(at(12), 2, Outcome::Declined);
    // Both may be offered again then, and alice has been free for longer.
    assert_eq!(offers(&office.until(at(21))), [(3, 1, "alice")]);
}

#[test]
fn an_offer_of_which_nobody_speaks_ends_by_itself() {
    let mut office = Office::new(&["alice"], |_| {});
    office.enters(at(10), 1);
    assert_eq!(office.acd.next_timeout(), Some(at(31)));
    let out = office.until(at(31));
    let lost = |output: &Output| matches!(output, Output::Withdraw { because: Withdrawn::Lease, .. });
    assert!(out.iter().any(lost), "{out:?}");
    // What comes too late changes nothing.
    assert!(office.ends(at(32), 1, Outcome::Answered).is_empty());
    assert_eq!(offers(&office.until(at(41))), [(2, 1, "alice")]);
}

#[test]
fn an_answer_counts_although_the_time_of_the_offer_is_up() {
    let mut office = Office::new(&["alice", "bob"], |queue| queue.max_wait = Some(seconds(30)));
    office.enters(at(10), 1);
    // The node stood still meanwhile: both the lease and the longest wait are due.
    let out = office.ends(at(60), 1, Outcome::Answered);
    assert!(!out.iter().any(|it| matches!(it, Output::Withdraw { .. } | Output::Exit { .. })), "{out:?}");
    assert_eq!(office.acd.state("alice"), Some(AgentState::Talking { call: 1 }));
    assert!(office.until(at(90)).is_empty(), "nobody is offered a caller who is being spoken with");
}

#[test]
fn one_who_refuses_does_not_stop_the_others_that_ring() {
    let mut office = Office::new(&["alice", "bob", "carol"], |queue| queue.strategy = acd::Strategy::RingAll);
    let out = office.enters(at(10), 1);
    assert_eq!(offers(&out), [(1, 1, "alice"), (2, 1, "bob"), (3, 1, "carol")]);
    assert_eq!(office.ends(at(11), 1, Outcome::Declined).len(), 1);
    let out = office.ends(at(12), 2, Outcome::Answered);
    let withdrawn: Vec<u64> = out
        .iter()
        .filter_map(|output| match output {
            Output::Withdraw { offer, because: Withdrawn::AnotherAgent, .. } => Some(*offer),
            _ => None,
        })
        .collect();
    assert_eq!(withdrawn, [3]);
    // A second caller rings those who are free, in the same turn as they are.
    assert_eq!(offers(&office.enters(at(13), 2)), [(4, 2, "carol")]);
}

#[test]
fn one_more_agent_rings_after_each_step() {
    let every = seconds(5);
    let strategy = acd::Strategy::RingProgressive { every };
    let mut office = Office::new(&["alice", "bob", "carol"], |queue| queue.strategy = strategy);
    assert_eq!(offers(&office.enters(at(10), 1)), [(1, 1, "alice")]);
    assert_eq!(offers(&office.until(at(15))), [(2, 1, "bob")]);
    assert_eq!(offers(&office.until(at(20))), [(3, 1, "carol")]);
    assert_eq!(office.acd.offers().count(), 3);
}

#[test]
fn a_caller_that_hangs_up_stops_its_agent() {
    let mut office = Office::new(&["alice"], |_| {});
    office.enters(at(10), 1);
    let out = office.does(at(11), Input::Abandon { call: 1 });
    assert!(matches!(out[0], Output::Withdraw { because: Withdrawn::CallerGone, .. }), "{out:?}");
    assert_eq!(office.state("alice"), AgentState::Ready);
}

#[test]
fn who_is_no_longer_in_the_plan_is_offered_nobody_and_its_caller_keeps_its_place() {
    let mut office = Office::new(&["alice", "bob"], |_| {});
    office.enters(at(10), 1);
    office.enters(at(11), 2);
    office.enters(at(12), 3);
    office.plan.queues[0].members.retain(|member| &*member.agent != "alice");
    let out = office.configure(at(13));
    assert!(matches!(out[0], Output::Withdraw { offer: 1, because: Withdrawn::AgentGone, .. }), "{out:?}");
    assert_eq!(office.line(at(13)), [1, 2, 3]);
    office.plan.queues.clear();
    let out = office.configure(at(14));
    assert_eq!(exits(&out).len(), 3);
}
