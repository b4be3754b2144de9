//! What agents do.

use crate::office::{Office, at, offers, seconds};
use acd::{AgentChange, AgentState, Outcome, Output, QueuePlan, Strategy};

/// Alice has spoken with call 1 until second 20, and has 30 s of wrap-up that may be 60.
fn after_a_call() -> Office {
    let mut office = Office::new(&["alice"], |queue| {
        queue.wrap_up = seconds(30);
        queue.wrap_up_max = seconds(60);
    });
    office.enters(at(10), 1);
    office.ends(at(11), 1, Outcome::Answered);
    office.talk_ends(at(20), "alice");
    office
}

#[test]
fn wrap_up_begins_with_the_end_of_the_call_and_holds_in_all_queues() {
    let mut office = after_a_call();
    let mut other = QueuePlan::new("other/sales");
    other.members = office.plan.queues[0].members.clone();
    office.plan.queues.push(other);
    office.configure(at(21));
    assert_eq!(office.state("alice"), AgentState::WrapUp { until: at(50) });
    assert!(offers(&office.enters_as(at(22), 2, |entry| entry.queue = "other/sales".into())).is_empty());
    let why = office.acd.why_agent(at(38), "alice").expect("there is alice").to_string();
    assert_eq!(
        why,
        "alice is offered nobody: wrap-up, 12 s left\n  acme/support: nobody waits\n  \
         other/sales: not call 2: wrap-up, 12 s left"
    );
    assert_eq!(offers(&office.until(at(50))), [(2, 2, "alice")]);
}

#[test]
fn wrap_up_is_extended_up_to_a_limit_and_ended_early() {
    let mut office = after_a_call();
    office.change(at(45), "alice", AgentChange::ExtendWrapUp(seconds(20)));
    assert_eq!(office.state("alice"), AgentState::WrapUp { until: at(70) });
    office.change(at(46), "alice", AgentChange::ExtendWrapUp(seconds(20)));
    assert_eq!(office.state("alice"), AgentState::WrapUp { until: at(80) });
    office.enters(at(50), 2);
    let out = office.change(at(51), "alice", AgentChange::FinishWrapUp);
    assert_eq!(offers(&out), [(2, 2, "alice")]);
}

#[test]
fn an_agent_that_cannot_be_reached_gets_its_state_back() {
    let mut office = after_a_call();
    office.enters(at(21), 2);
    office.change(at(22), "alice", AgentChange::Reachable(false));
    assert_eq!(office.state("alice"), AgentState::Unreachable);
    office.change(at(23), "alice", AgentChange::Reachable(true));
    assert_eq!(office.state("alice"), AgentState::WrapUp { until: at(50) });
    office.change(at(24), "alice", AgentChange::Reachable(false));
    assert!(offers(&office.until(at(60))).is_empty());
    let out = office.change(at(61), "alice", AgentChange::Reachable(true));
    assert_eq!(offers(&out), [(2, 2, "alice")]);
}

#[test]
fn who_logs_out_while_it_talks_is_logged_out_after_the_call() {
    let mut office = Office::new(&["alice"], |queue| queue.wrap_up = seconds(30));
    office.enters(at(10), 1);
    office.ends(at(11), 1, Outcome::Answered);
    office.change(at(12), "alice", AgentChange::LogOut);
    assert_eq!(office.state("alice"), AgentState::Talking { call: 1 });
    let out = office.talk_ends(at(13), "alice");
    assert!(matches!(&out[..], [Output::Agent { state: AgentState::LoggedOut, .. }]), "{out:?}");
}

#[test]
fn figures_of_an_agent_outlive_plans_and_restarts() {
    let mut office = after_a_call();
    office.configure(at(30));
    office.restarts();
    let view = &office.acd.agents(at(31))[0];
    assert_eq!((view.handled, view.talked), (1, seconds(9)));
}

#[test]
fn a_phone_in_another_call_is_offered_nobody() {
    let mut office = Office::new(&["alice", "bob"], |queue| queue.strategy = Strategy::Linear);
    office.change(at(1), "alice", AgentChange::Busy(true));
    assert_eq!(offers(&office.enters(at(2), 1)), [(1, 1, "bob")]);
    office.enters(at(3), 2);
    assert_eq!(offers(&office.change(at(4), "alice", AgentChange::Busy(false))), [(2, 2, "alice")]);
}
