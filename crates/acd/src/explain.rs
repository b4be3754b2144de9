//! Answers why a caller waits, and why an agent has nobody.

use crate::Acd;
use crate::call::{POINT, Rank};
use crate::queue::Seat;
use crate::why::{AgentExplanation, Explanation, Prospect, Skip, Verdict};
use clock::Time;
use std::cmp::Reverse;
use std::sync::Arc;

impl Acd {
    /// How a caller stands in its queue. `None` if it waits in none.
    pub fn why_call(&self, now: Time, call: u64) -> Option<Explanation> {
        let caller = self.calls.get(&call)?;
        let queue = &self.queues[caller.queue];
        let (Reverse(standing), ..): Rank = caller.rank(now, &queue.plan);
        let places = (0..).take(queue.index.members.len());
        Some(Explanation {
            call,
            queue: Arc::clone(&queue.plan.name),
            strategy: queue.plan.strategy,
            position: queue.ahead(&caller.key(&queue.plan)).saturating_add(1),
            waited: caller.waited(now),
            priority: i64::try_from(standing.div_euclid(POINT)).unwrap_or(i64::MAX),
            offered: self.offered_to(call),
            candidates: places.map(|place| self.candidate(now, caller, place)).collect(),
        })
    }

    /// How an agent stands for a caller. `None` if there is no such agent, or that caller waits in no queue.
    pub fn why_not(&self, now: Time, call: u64, agent: &str) -> Option<Verdict> {
        let caller = self.calls.get(&call)?;
        let agent = &self.agents[*self.agent_of.get(agent)?];
        let seat = agent.seats.iter().find(|seat| seat.queue == caller.queue);
        Some(match seat {
            Some(seat) => self.candidate(now, caller, seat.place).verdict,
            None => Verdict::Skipped(Skip::NotInQueue),
        })
    }

    /// How an agent stands for those who wait. `None` if there is no such agent.
    pub fn why_agent(&self, now: Time, agent: &str) -> Option<AgentExplanation> {
        let index = *self.agent_of.get(agent)?;
        let agent = &self.agents[index];
        Some(AgentExplanation {
            agent: Arc::clone(&agent.name),
            state: agent.state(),
            since: now - agent.since,
            blocked: self.blocked(now, index),
            queues: agent.seats.iter().map(|seat| self.prospect(now, *seat)).collect(),
        })
    }

    /// The first of a queue who needs an agent, and why it is not offered to the one at that place.
    fn prospect(&self, now: Time, seat: Seat) -> Prospect {
        let queue = &self.queues[seat.queue];
        let next = queue.index.hungry.values().filter_map(|callers| callers.first()).min();
        let next = next.and_then(|(.., call)| self.calls.get(call));
        let skip = next.and_then(|caller| match self.candidate(now, caller, seat.place).verdict {
            Verdict::Able(_) => None,
            Verdict::Skipped(skip) => Some(skip),
        });
        Prospect { queue: Arc::clone(&queue.plan.name), next: next.map(|caller| caller.id), skip }
    }
}
