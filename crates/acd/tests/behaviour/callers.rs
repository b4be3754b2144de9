//! Who waits, and for how long.

use crate::office::{Office, SUPPORT, at, exits, offers, seconds};
use acd::{Absence, AgentChange, Exit, Input, Outcome, Output, QueuePlan, Strategy};

#[test]
fn priority_grows_with_the_wait_and_the_queues_weight_decides_among_equals() {
    let mut office = Office::new(&["alice"], |queue| queue.ageing = 2);
    let mut vip = QueuePlan::new("other/vip");
    vip.members = office.plan.queues[0].members.clone();
    (vip.weight, vip.ageing) = (1, 2);
    office.plan.queues.push(vip);
    office.configure(at(1));
    office.enters(at(1), 1);
    office.ends(at(2), 1, Outcome::Answered);
    let vip = |entry: &mut acd::Entry| entry.queue = "other/vip".into();
    office.enters(at(10), 2);
    office.enters_as(at(10), 3, vip);
    office.enters_as(at(100), 4, |entry| entry.priority = 3);
    office.enters_as(at(101), 5, |entry| entry.priority = 4);
    let mut order = Vec::new();
    for now in 1..5 {
        let now = at(200 + now);
        let out = office.talk_ends(now, "alice");
        let (offer, call, _) = offers(&out)[0];
        office.ends(now, offer, Outcome::Answered);
        order.push(call);
    }
    // 91 s are three points and a little: 5 goes before those of second 10, 4 after them.
    assert_eq!(order, [5, 3, 2, 4]);
}

#[test]
fn a_caller_in_another_queue_keeps_its_time() {
    let mut office = Office::new(&["alice"], |_| {});
    let other = QueuePlan::new("acme/other");
    office.plan.queues.push(other);
    office.configure(at(1));
    office.enters(at(2), 1);
    office.enters_as(at(3), 2, |entry| entry.queue = "acme/other".into());
    office.enters(at(4), 3);
    office.does(at(5), Input::Move { call: 2, queue: SUPPORT.into() });
    assert_eq!(office.line(at(5)), [1, 2, 3]);
    office.does(at(6), Input::Prioritise { call: 3, priority: 1 });
    assert_eq!(office.line(at(6)), [3, 1, 2]);
}

#[test]
fn who_spoke_with_an_agent_waits_for_it_unless_it_goes() {
    let mut office = Office::new(&["alice", "bob"], |_| {});
    office.enters(at(10), 1);
    let held = |entry: &mut acd::Entry| entry.last_agent = Some(("alice".into(), seconds(30)));
    assert_eq!(offers(&office.enters_as(at(11), 2, held)), []);
    let why = office.acd.why_call(at(12), 2).expect("it waits").to_string();
    assert!(why.ends_with("bob: kept for alice, 29 s left"), "{why}");
    assert_eq!(offers(&office.until(at(29))), []);
    office.ends(at(30), 1, Outcome::Answered);
    let out = office.change(at(31), "alice", AgentChange::Pause { reason: "lunch".into() });
    assert_eq!(offers(&out), [(2, 2, "bob")]);
}

#[test]
fn nobody_leaves_by_its_time_while_an_agent_is_rung_for_it() {
    let mut office = Office::new(&["alice", "bob"], |queue| {
        queue.strategy = Strategy::RingAll;
        queue.max_wait = Some(seconds(15));
    });
    office.change(at(9), "bob", AgentChange::Pause { reason: "lunch".into() });
    assert_eq!(offers(&office.enters(at(10), 1)), [(1, 1, "alice")]);
    assert_eq!(exits(&office.until(at(25))), []);
    // For whom its time is over nobody else is rung.
    assert_eq!(offers(&office.change(at(26), "bob", AgentChange::Ready)), []);
    assert_eq!(exits(&office.ends(at(27), 1, Outcome::NoAnswer)), [(1, Exit::MaxWait)]);
    assert_eq!(offers(&office.enters(at(40), 2)).len(), 2);
    assert_eq!(exits(&office.until(at(59))), []);
    assert_eq!(exits(&office.ends(at(59), 2, Outcome::Answered)), []);
    assert_eq!(exits(&office.until(at(90))), [], "it was answered beyond its time");
}

#[test]
fn limits_have_their_exits() {
    let mut office = Office::new(&["alice"], |queue| {
        queue.max_length = Some(2);
        queue.max_wait = Some(seconds(60));
    });
    office.enters(at(10), 1);
    office.ends(at(11), 1, Outcome::Answered);
    office.enters(at(12), 2);
    office.enters(at(13), 3);
    assert_eq!(exits(&office.enters(at(14), 4)), [(4, Exit::Full)]);
    assert_eq!(exits(&office.until(at(72))), [(2, Exit::MaxWait)]);
    assert_eq!(
        exits(&office.enters_as(at(72), 5, |entry| entry.queue = "nowhere".into())),
        [(5, Exit::UnknownQueue)]
    );
}

#[test]
fn nobody_waits_for_agents_who_are_not_there() {
    let mut office = Office::new(&["alice", "bob"], |queue| {
        queue.join_unless = Absence::LOGGED_OUT | Absence::PAUSED;
        queue.leave_if = Absence::LOGGED_OUT;
        queue.no_agents_wait = Some(seconds(20));
    });
    office.change(at(1), "alice", AgentChange::LogOut);
    office.change(at(2), "bob", AgentChange::Pause { reason: "lunch".into() });
    assert_eq!(exits(&office.enters(at(3), 1)), [(1, Exit::NoAgents)]);
    office.change(at(4), "bob", AgentChange::Ready);
    office.enters(at(5), 2);
    office.enters(at(5), 3);
    office.change(at(6), "bob", AgentChange::LogOut);
    office.change(at(10), "alice", AgentChange::LogIn);
    office.change(at(20), "alice", AgentChange::LogOut);
    // The twenty seconds begin anew when the last one goes.
    assert_eq!(exits(&office.until(at(39))), []);
    assert_eq!(exits(&office.until(at(40))), [(2, Exit::NoAgents), (3, Exit::NoAgents)]);
}

#[test]
fn an_estimate_is_position_by_the_rate_of_hand_offs_and_unknown_at_first() {
    let mut office = Office::new(&["alice"], |queue| queue.announce.every = Some(seconds(1000)));
    for call in 1..=8 {
        office.enters(at(0), call);
    }
    assert_eq!(office.acd.queues(at(1))[0].waiting[3].estimate, None);
    for round in 1..=5 {
        let offer = office.acd.offers().next().expect("an offer").0;
        office.ends(at(round * 10), offer, Outcome::Answered);
        office.talk_ends(at(round * 10), "alice");
    }
    // One each 10 s; three are left.
    let waiting = &office.acd.queues(at(50))[0].waiting;
    let estimates: Vec<_> =
        waiting.iter().map(|one| one.estimate.expect("it is known").as_millis()).collect();
    assert_eq!(estimates, [10_000, 20_000, 30_000]);
}

#[test]
fn who_hung_up_and_comes_again_has_its_place() {
    let mut office = Office::new(&["alice"], |queue| queue.returning = Some(seconds(60)));
    office.enters(at(1), 1);
    office.enters_as(at(2), 2, |entry| entry.number = Some("+34911000100".into()));
    office.enters(at(3), 3);
    office.does(at(4), Input::Abandon { call: 2 });
    office.restarts();
    office.enters_as(at(30), 4, |entry| entry.number = Some("+34911000100".into()));
    assert_eq!(office.line(at(30)), [1, 4, 3]);
    office.does(at(31), Input::Abandon { call: 4 });
    office.enters_as(at(92), 5, |entry| entry.number = Some("+34911000100".into()));
    assert_eq!(office.line(at(92)), [1, 3, 5]);
}

fn ghost(entry: &mut acd::Entry) {
    entry.number = Some("+34911000100".into());
    entry.callback = true;
}

#[test]
fn a_callback_keeps_its_place_and_its_agent() {
    let mut office = Office::new(&["alice"], |_| {});
    office.enters(at(1), 1);
    office.enters(at(3), 3);
    office.enters_as(at(4), 2, |entry| {
        ghost(entry);
        entry.entered = at(2);
    });
    assert_eq!(exits(&office.enters_as(at(5), 4, ghost)), [(4, Exit::Duplicate)]);
    assert_eq!(office.line(at(5)), [1, 2, 3]);
    office.ends(at(6), 1, Outcome::Answered);
    let out = office.talk_ends(at(7), "alice");
    assert!(out.iter().any(|output| matches!(output, Output::CallBack { offer: 2, call: 2, .. })), "{out:?}");
    // Alice is kept: nobody else is offered to her, and nothing rings there.
    assert!(office.ends(at(8), 2, Outcome::Answered).is_empty());
    let out = office.does(at(9), Input::CalledBack { offer: 2, call: 9 });
    assert_eq!(offers(&out), [(3, 9, "alice")], "on the line it has another number");
    let out = office.ends(at(10), 3, Outcome::Declined);
    assert_eq!(offers(&out), []);
    assert_eq!(office.line(at(10)), [9, 3]);
}

#[test]
fn who_is_not_reached_is_called_again_and_then_no_more() {
    let mut office = Office::new(&["alice"], |queue| {
        queue.callback.tries = 2;
        queue.callback.again = seconds(100);
    });
    assert_eq!(offers(&office.enters_as(at(10), 1, ghost)), [(1, 1, "alice")]);
    // The node could not call it: that is no attempt.
    office.does(at(11), Input::CallBackPostponed { offer: 1 });
    assert_eq!(offers(&office.until(at(111))), [(2, 1, "alice")]);
    office.does(at(120), Input::CallBackFailed { offer: 2 });
    // Others do not wait for it.
    assert_eq!(offers(&office.enters(at(121), 2)), [(3, 2, "alice")]);
    office.does(at(122), Input::Leave { call: 2 });
    assert_eq!(offers(&office.until(at(220))), [(4, 1, "alice")]);
    // Nobody says how it went: 40 s of ringing, and a second.
    assert_eq!(exits(&office.until(at(261))), [(1, Exit::NotReached)]);
}

#[test]
fn who_calls_while_it_is_to_be_called_back_has_its_place() {
    let mut office = Office::new(&["alice"], |_| {});
    office.enters(at(1), 1);
    office.enters_as(at(2), 2, ghost);
    office.enters(at(3), 3);
    let out = office.enters_as(at(4), 4, |entry| entry.number = Some("+34911000100".into()));
    assert_eq!(exits(&out), [(2, Exit::CalledAgain)]);
    assert_eq!(office.line(at(4)), [1, 4, 3]);
}
