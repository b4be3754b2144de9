//! Whose turn it is.

use crate::office::{Office, at, offers, seconds};
use acd::{AgentChange, Input, Need, Outcome, Strategy, Wants};

/// Who is offered calls one after the other, each of which lasts so many seconds.
fn turns(office: &mut Office, lengths: &[u64]) -> Vec<String> {
    let mut now = 100;
    let mut turns = Vec::new();
    for (call, length) in (now..).zip(lengths) {
        let out = office.enters(at(now), call);
        let [(offer, _, agent)] = offers(&out)[..] else {
            panic!("one offer: {out:?}");
        };
        office.ends(at(now), offer, Outcome::Answered);
        now += length;
        office.talk_ends(at(now), agent);
        turns.push(agent.to_owned());
        now += 1;
    }
    turns
}

fn with(strategy: Strategy) -> Office {
    Office::new(&["alice", "bob", "carol"], |queue| queue.strategy = strategy)
}

#[test]
fn each_strategy_takes_its_turn() {
    for (strategy, expected) in [
        (Strategy::LongestIdle, ["alice", "bob", "carol", "alice", "bob"]),
        (Strategy::FewestCalls, ["alice", "bob", "carol", "alice", "bob"]),
        // Calls last 30, 10, 20, 15 and 1 s: bob has talked 10 s, then 25, carol 20.
        (Strategy::LeastTalk, ["alice", "bob", "carol", "bob", "carol"]),
        (Strategy::RoundRobin, ["alice", "bob", "carol", "alice", "bob"]),
        (Strategy::Linear, ["alice"; 5]),
        (Strategy::TopDown, ["alice"; 5]),
    ] {
        assert_eq!(turns(&mut with(strategy), &[30, 10, 20, 15, 1]), expected, "{strategy}");
    }
}

#[test]
fn top_down_goes_on_after_the_agent_that_the_caller_was_offered_to() {
    let mut office = with(Strategy::TopDown);
    office.enters(at(10), 1);
    assert_eq!(offers(&office.ends(at(11), 1, Outcome::Declined)), [(2, 1, "bob")]);
    office.until(at(25));
    assert_eq!(offers(&office.ends(at(25), 2, Outcome::Declined)), [(3, 1, "carol")]);
    assert_eq!(offers(&office.ends(at(26), 3, Outcome::Declined)), [(4, 1, "alice")]);
}

#[test]
fn round_robin_goes_on_after_a_restart_and_a_new_plan() {
    let mut office = with(Strategy::RoundRobin);
    assert_eq!(turns(&mut office, &[1, 1]), ["alice", "bob"]);
    office.restarts();
    assert_eq!(turns(&mut office, &[1]), ["carol"]);
    assert_eq!(turns(&mut office, &[1, 1]), ["alice", "bob"]);
    // Bob was the last, and is gone: it goes on after the one before him.
    office.plan.queues[0].members.remove(1);
    office.configure(at(300));
    assert_eq!(turns(&mut office, &[1]), ["carol"]);
}

#[test]
fn lots_fall_as_often_as_weights_say() {
    let mut office = Office::new(&["alice", "bob", "carol"], |queue| {
        queue.strategy = Strategy::Weighted;
        for (member, weight) in queue.members.iter_mut().zip([1, 3, 0]) {
            member.weight = weight;
        }
    });
    let turns = turns(&mut office, &[0; 4000]);
    let of = |name: &str| turns.iter().filter(|turn| *turn == name).count();
    // 3000 with a deviation of 27.
    assert!((2880..3120).contains(&of("bob")) && of("carol") == 0, "{} {}", of("alice"), of("bob"));
}

#[test]
fn the_next_tier_opens_in_time_or_at_once_if_nobody_is_before_it() {
    let mut office = Office::new(&["alice", "bob/2"], |queue| queue.tiers.next_after = seconds(15));
    office.enters(at(10), 1);
    assert_eq!(offers(&office.enters(at(12), 2)), []);
    let why = office.acd.why_call(at(19), 2).expect("it waits").to_string();
    assert!(why.ends_with("\n  alice: rung for call 1\n  bob: tier 2 opens in 8 s"), "{why}");
    assert_eq!(offers(&office.until(at(27))), [(2, 2, "bob")]);
    office.does(at(28), Input::Leave { call: 2 });
    office.ends(at(28), 1, Outcome::Answered);
    assert_eq!(offers(&office.enters(at(29), 3)), []);
    // Nobody is logged in any more who would go before bob.
    let out = office.change(at(30), "alice", AgentChange::LogOut);
    assert_eq!(offers(&out), [(3, 3, "bob")]);
}

#[test]
fn all_who_waited_for_a_tier_are_offered_when_it_opens() {
    let mut office =
        Office::new(&["alice", "bob/2", "carol/2"], |queue| queue.tiers.next_after = seconds(15));
    office.enters(at(10), 1);
    office.ends(at(11), 1, Outcome::Answered);
    office.enters(at(12), 2);
    office.enters(at(13), 3);
    let out = office.change(at(14), "alice", AgentChange::LogOut);
    assert_eq!(offers(&out), [(2, 2, "bob"), (3, 3, "carol")]);
}

#[test]
fn a_plan_that_makes_many_able_gives_all_who_wait_to_them_in_order() {
    let names: Vec<String> = (0..20).map(|n| format!("agent{n:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut office = Office::new(&names, |_| {});
    for call in 1..=12 {
        let required = vec![vec![Need { skill: "fr".into(), level: 1 + (call % 3) as u8 }]];
        let out = office.enters_as(at(call), call, |entry| entry.wants.required = required);
        assert_eq!(offers(&out), []);
    }
    for agent in &mut office.plan.agents {
        agent.skills.insert("fr".into(), 5);
    }
    let out = office.configure(at(20));
    let expected: Vec<(u64, u64, &str)> =
        (1..=12).zip(&names).map(|(call, name)| (call, call, *name)).collect();
    assert_eq!(offers(&out), expected);
}

#[test]
fn required_skills_relax_and_preferred_ones_decide() {
    let mut office = Office::new(&["alice", "bob", "carol"], |queue| queue.relax = vec![(seconds(30), 2)]);
    for (agent, level) in office.plan.agents.iter_mut().zip([1, 2, 4]) {
        agent.skills.insert("fr".into(), level);
    }
    office.configure(at(1));
    let need = |level| vec![vec![Need { skill: "fr".into(), level }]];
    let wants = Wants { required: vec![], preferred: vec!["fr".into()] };
    assert_eq!(offers(&office.enters_as(at(10), 1, |entry| entry.wants = wants)), [(1, 1, "carol")]);
    office.ends(at(10), 1, Outcome::Answered);
    let wants = Wants { required: need(3), preferred: vec![] };
    assert_eq!(offers(&office.enters_as(at(11), 2, |entry| entry.wants = wants)), []);
    let why = office.acd.why_call(at(12), 2).expect("it waits").to_string();
    assert!(why.contains("\n  bob: skill fr 2 < 3"), "{why}");
    // A level of 1 does after 30 s.
    assert_eq!(offers(&office.until(at(41))), [(2, 2, "alice")]);
}

#[test]
fn an_agent_and_a_caller_are_told_why_not_each_other() {
    let mut office = Office::new(&["alice"], |_| {});
    office.plan.agents.push(acd::AgentPlan { name: "dave".into(), skills: acd::Skills::new() });
    office.configure(at(1));
    office.enters(at(2), 1);
    let why = |agent| match office.acd.why_not(at(3), 1, agent) {
        Some(acd::Verdict::Skipped(skip)) => skip.to_string(),
        other => format!("{other:?}"),
    };
    assert_eq!(why("alice"), "rung for call 1");
    assert_eq!(why("dave"), "not in the queue");
    assert_eq!(why("nobody"), "None");
}

#[test]
fn a_choice_says_why() {
    let mut office = with(Strategy::LongestIdle);
    office.change(at(1), "carol", AgentChange::Pause { reason: "lunch".into() });
    let out = office.enters(at(60), 1);
    let acd::Output::Offer { why, .. } = &out[0] else {
        panic!("an offer: {out:?}");
    };
    assert_eq!(
        why.to_string(),
        "alice by longest idle in acme/support (idle for 60 s), for a caller who waited 0 s\n  \
         bob: free, idle for 59 s\n  carol: paused: lunch"
    );
}
