//! Plans by lot.

use acd::{Absence, AgentPlan, Member, Plan, QueuePlan, Strategy, Tiers};
use clock::Duration;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::Rng;
use std::sync::Arc;

pub(crate) const AGENTS: u64 = 12;
pub(crate) const SKILLS: [&str; 3] = ["fr", "de", "sales"];

/// Queues and agents of always the same names, whatever else.
pub(crate) fn plan(random: &mut ChaCha12Rng) -> Plan {
    let mut below = |n: u64| random.next_u64() % n;
    let strategies = [
        Strategy::RingAll,
        Strategy::RingProgressive { every: Duration::from_secs(3) },
        Strategy::LongestIdle,
        Strategy::FewestCalls,
        Strategy::LeastTalk,
        Strategy::RoundRobin,
        Strategy::Linear,
        Strategy::TopDown,
        Strategy::Random,
        Strategy::Weighted,
    ];
    let mut queue = |n: u64| {
        let mut queue = QueuePlan::new(format!("acme/{n}"));
        queue.strategy = strategies[below(10) as usize];
        let few = below(2) == 0;
        for agent in 0..AGENTS {
            if below(4) < if few { 1 } else { 3 } {
                let (tier, weight) = (1 + below(3) as u8, below(4) as u32);
                queue.members.push(Member { agent: format!("agent{agent}").into(), tier, weight });
            }
        }
        queue.wrap_up = Duration::from_secs(below(3) * 10);
        queue.misses = Some(1 + below(9) as u32);
        queue.retry.no_answer = Duration::from_secs(1 + below(10));
        queue.max_length = Some(20);
        queue.max_wait = (below(2) == 0).then_some(Duration::from_secs(300));
        queue.no_agents_wait = (below(2) == 0).then_some(Duration::from_secs(20));
        queue.leave_if = if below(2) == 0 { Absence::LOGGED_OUT | Absence::PAUSED } else { Absence::NEVER };
        queue.join_unless = queue.leave_if;
        queue.weight = below(3) as i32;
        queue.ageing = below(3) as u32;
        queue.tiers = Tiers { next_after: Duration::from_secs(below(3) * 7) };
        queue.relax = vec![(Duration::from_secs(10), 1), (Duration::from_secs(25), 3)];
        queue.announce.every = (below(4) > 0).then_some(Duration::from_secs(30));
        queue.callback.again = Duration::from_secs(60);
        queue
    };
    let queues = (0..5).map(&mut queue).collect();
    let agent = |n: u64| {
        let skills = SKILLS.iter().map(|skill| (Arc::from(*skill), 1 + below(5) as u8));
        AgentPlan { name: format!("agent{n}").into(), skills: skills.collect() }
    };
    Plan { queues, agents: (0..AGENTS).map(agent).collect() }
}
