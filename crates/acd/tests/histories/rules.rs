//! The rules, read slowly: who may be offered whom, and who is next.

use acd::{AgentPlan, Member, QueuePlan, Strategy, Wants};
use clock::{Duration, Time};
use std::cmp::Reverse;
use std::sync::Arc;

/// One who waits, as the history has it.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) queue: usize,
    pub(crate) entered: Time,
    pub(crate) priority: i32,
    pub(crate) wants: Wants,
    /// The one agent that it is for until then.
    pub(crate) held: Option<(Arc<str>, Time)>,
    /// When one who could not be reached is called again.
    pub(crate) rests_until: Time,
    pub(crate) callback: bool,
}

/// An agent, as the history has it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Person {
    pub(crate) logged_in: bool,
    pub(crate) paused: bool,
    pub(crate) unreachable: bool,
}

impl Person {
    pub(crate) fn manned(&self) -> bool {
        self.logged_in && !self.unreachable
    }

    pub(crate) fn staffed(&self) -> bool {
        self.manned() && !self.paused
    }
}

impl Waiting {
    /// The one agent that it is for now.
    pub(crate) fn held_for(&self, now: Time) -> Option<&Arc<str>> {
        self.held.as_ref().filter(|(_, until)| *until > now).map(|(agent, _)| agent)
    }
}

pub(crate) fn rank(
    now: Time,
    id: u64,
    caller: &Waiting,
    plan: &QueuePlan,
) -> (Reverse<i128>, Reverse<i32>, Time, u64) {
    let waited = (now - caller.entered).as_micros() as i128;
    let standing = i128::from(caller.priority) * 60_000_000 + i128::from(plan.ageing) * waited;
    (Reverse(standing), Reverse(plan.weight), caller.entered, id)
}

/// Whether an agent's skills do for a caller now.
pub(crate) fn skilled(now: Time, caller: &Waiting, plan: &QueuePlan, agent: &AgentPlan) -> bool {
    let waited = now - caller.entered;
    let lower = plan.relax.iter().filter(|(after, _)| *after <= waited).map(|(_, by)| *by).max().unwrap_or(0);
    caller.wants.required.iter().all(|any| {
        any.iter().any(|need| {
            let has = agent.skills.get(&need.skill).copied().unwrap_or(0);
            has > 0 && has >= need.level.saturating_sub(lower)
        })
    })
}

/// Whether the tier of a member is open to a caller now; `manned` says of each agent whether it is logged in and reachable.
pub(crate) fn open(
    now: Time,
    caller: &Waiting,
    plan: &QueuePlan,
    member: &Member,
    manned: impl Fn(&str) -> bool,
) -> bool {
    let mut before: Vec<u8> = plan
        .members
        .iter()
        .filter(|one| one.tier < member.tier && manned(&one.agent))
        .map(|one| one.tier)
        .collect();
    before.sort_unstable();
    before.dedup();
    let wait: Duration = plan.tiers.next_after * u32::try_from(before.len()).expect("few tiers");
    now - caller.entered >= wait
}

/// Whether lots are drawn, and this member has none.
pub(crate) fn never_drawn(plan: &QueuePlan, member: &Member) -> bool {
    plan.strategy == Strategy::Weighted && member.weight == 0
}

/// Whether a caller may be offered to more agents while it rings.
pub(crate) fn wants_all(plan: &QueuePlan) -> bool {
    plan.strategy == Strategy::RingAll
}
