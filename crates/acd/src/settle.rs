//! Brings callers and agents together, and tells why.

use crate::Acd;
use crate::agent::{Activity, Agent};
use crate::call::Rank;
use crate::plan::Skills;
use crate::queue::{Place, Queue};
use crate::view::{AgentCounts, AgentView, QueueView, WaitingView};
use crate::why::{AgentExplanation, Candidate, Choice, Explanation, Prospect, Score, Skip, Verdict};
use crate::words::{AgentState, Output, Wants};
use clock::{Duration, Time};
use std::sync::Arc;

/// The first need of those of which one would do, where none is met.
fn lacks(skills: &Skills, wants: &Wants) -> Option<Skip> {
    let level = |skill: &Arc<str>| skills.get(skill).copied().unwrap_or(0);
    let unmet = wants.required.iter().find(|any| any.iter().all(|need| level(&need.skill) < need.level))?;
    let need = unmet.first()?;
    Some(Skip::Skill { skill: Arc::clone(&need.skill), has: level(&need.skill), needs: need.level })
}

impl Acd {
    /// Who waits in a queue, in the order in which they are next.
    pub(crate) fn line(&self, now: Time, queue: usize) -> Vec<u64> {
        let plan = &self.queues[queue].plan;
        let mut line: Vec<Rank> =
            self.calls.values().filter(|call| call.queue == queue).map(|call| call.rank(now, plan)).collect();
        line.sort_unstable();
        line.into_iter().map(|(.., call)| call).collect()
    }

    /// Offers callers to agents, until there is no caller for whom an agent is free.
    pub(crate) fn settle(&mut self, now: Time, out: &mut Vec<Output>) {
        let waits = self.calls.values().filter(|call| call.offers.is_empty());
        let mut line: Vec<Rank> = waits.map(|call| call.rank(now, &self.queues[call.queue].plan)).collect();
        line.sort_unstable();
        for (.., call) in line {
            let candidates = self.candidates(now, call);
            let best = candidates.iter().filter_map(|(agent, verdict)| match verdict {
                Verdict::Able(score) => {
                    Some((score.tier, std::cmp::Reverse((score.preferred, score.idle)), *agent, *score))
                }
                Verdict::Skipped(_) => None,
            });
            let Some((.., agent, score)) = best.min_by_key(|(tier, rest, agent, _)| (*tier, *rest, *agent))
            else {
                continue;
            };
            let caller = &self.calls[&call];
            let queue = &self.queues[caller.queue].plan;
            let others = candidates.into_iter().filter(|(other, _)| *other != agent);
            let others = others
                .map(|(agent, verdict)| Candidate { agent: Arc::clone(&self.agents[agent].name), verdict });
            let why = Choice {
                queue: Arc::clone(&queue.name),
                strategy: queue.strategy,
                waited: caller.waited(now),
                ahead: 0,
                agent: Arc::clone(&self.agents[agent].name),
                score,
                others: others.collect(),
                unlisted: 0,
            };
            self.offer(now, call, agent, why, out);
        }
    }

    fn candidates(&self, now: Time, call: u64) -> Vec<(usize, Verdict)> {
        let caller = &self.calls[&call];
        let members = self.queues[caller.queue].members.iter().enumerate();
        members
            .map(|(place, member)| (member.agent, self.verdict(now, &caller.wants, place, member)))
            .collect()
    }

    fn verdict(&self, now: Time, wants: &Wants, place: usize, member: &Place) -> Verdict {
        let agent = &self.agents[member.agent];
        if let Some(skip) = self.blocked(now, agent).or_else(|| lacks(&agent.skills, wants)) {
            return Verdict::Skipped(skip);
        }
        let preferred = wants.preferred.iter().filter_map(|skill| agent.skills.get(skill));
        Verdict::Able(Score {
            tier: member.tier,
            preferred: preferred.map(|level| u32::from(*level)).sum(),
            idle: now - agent.idle_since,
            handled: agent.handled,
            talked: agent.talked,
            place: u32::try_from(place).unwrap_or(u32::MAX),
            weight: member.weight,
        })
    }

    /// Why an agent is offered nobody at all.
    fn blocked(&self, now: Time, agent: &Agent) -> Option<Skip> {
        Some(match agent.state() {
            AgentState::LoggedOut => Skip::LoggedOut,
            AgentState::Unreachable => Skip::Unreachable,
            AgentState::Paused { reason } => Skip::Paused { reason },
            AgentState::Ringing { call } => Skip::Ringing { call },
            AgentState::Reserved { call } => Skip::Reserved { call },
            AgentState::Talking { call } => Skip::Talking { call },
            AgentState::Busy => Skip::Busy,
            AgentState::WrapUp { until } => Skip::WrapUp { left: until - now },
            AgentState::Ready => {
                let (outcome, until) = agent.retry?;
                Skip::Retry { outcome, left: until - now }
            }
        })
    }

    /// All agents, in the order of their names.
    pub fn agents(&self, _now: Time) -> Vec<AgentView> {
        let view = |(name, index): (&Arc<str>, &usize)| {
            let agent = &self.agents[*index];
            let of =
                self.queues.iter().filter(|queue| queue.members.iter().any(|place| place.agent == *index));
            AgentView {
                agent: Arc::clone(name),
                state: agent.state(),
                since: agent.since,
                retry: agent.retry.map(|(_, until)| until),
                misses: agent.misses,
                handled: agent.handled,
                talked: agent.talked,
                queues: of.map(|queue| Arc::clone(&queue.plan.name)).collect(),
            }
        };
        self.agent_of.iter().map(view).collect()
    }

    /// All queues, in the order of their names, with those who wait in the order in which they are next.
    pub fn queues(&self, now: Time) -> Vec<QueueView> {
        let view = |(name, index): (&Arc<str>, &usize)| {
            let line = self.line(now, *index);
            let waiting: Vec<WaitingView> =
                (1..).zip(line).map(|(position, call)| self.waiting(now, position, call)).collect();
            let longest = waiting.iter().map(|one| one.waited).max().unwrap_or(Duration::ZERO);
            QueueView { queue: Arc::clone(name), waiting, longest, agents: self.counts(*index) }
        };
        self.queue_of.iter().map(view).collect()
    }

    fn waiting(&self, now: Time, position: u32, call: u64) -> WaitingView {
        let caller = &self.calls[&call];
        WaitingView {
            call,
            position,
            waited: caller.waited(now),
            estimate: None,
            priority: caller.priority,
            offered: self.offered(call),
            callback: caller.callback,
        }
    }

    fn offered(&self, call: u64) -> Vec<Arc<str>> {
        let offers = self.calls[&call].offers.iter().filter_map(|offer| self.offers.get(offer));
        offers.map(|offer| Arc::clone(&self.agents[offer.agent].name)).collect()
    }

    fn counts(&self, queue: usize) -> AgentCounts {
        let mut counts = AgentCounts::default();
        for place in &self.queues[queue].members {
            *match self.agents[place.agent].state() {
                AgentState::LoggedOut => &mut counts.logged_out,
                AgentState::Ready => &mut counts.ready,
                AgentState::Paused { .. } => &mut counts.paused,
                AgentState::Ringing { .. } | AgentState::Reserved { .. } => &mut counts.ringing,
                AgentState::Talking { .. } => &mut counts.talking,
                AgentState::Busy => &mut counts.busy,
                AgentState::WrapUp { .. } => &mut counts.wrap_up,
                AgentState::Unreachable => &mut counts.unreachable,
            } += 1;
        }
        counts
    }

    /// How a caller stands in its queue. `None` if it waits in none.
    pub fn why_call(&self, now: Time, call: u64) -> Option<Explanation> {
        let caller = self.calls.get(&call)?;
        let plan = &self.queues[caller.queue].plan;
        let ahead = self.line(now, caller.queue).iter().take_while(|one| **one != call).count();
        let candidates = self.candidates(now, call).into_iter();
        Some(Explanation {
            call,
            queue: Arc::clone(&plan.name),
            strategy: plan.strategy,
            position: u32::try_from(ahead).unwrap_or(u32::MAX).saturating_add(1),
            waited: caller.waited(now),
            priority: i64::try_from(caller.standing(now, plan).div_euclid(60_000_000)).unwrap_or(i64::MAX),
            offered: self.offered(call),
            candidates: candidates
                .map(|(agent, verdict)| Candidate { agent: Arc::clone(&self.agents[agent].name), verdict })
                .collect(),
        })
    }

    /// How an agent stands for those who wait. `None` if there is no such agent.
    pub fn why_agent(&self, now: Time, agent: &str) -> Option<AgentExplanation> {
        let index = *self.agent_of.get(agent)?;
        let agent = &self.agents[index];
        let prospect = |(number, queue): (usize, &Queue)| {
            let next = self.line(now, number).first().copied();
            let skip = next.and_then(|call| lacks(&agent.skills, &self.calls[&call].wants));
            Prospect { queue: Arc::clone(&queue.plan.name), next, skip }
        };
        let of = self
            .queues
            .iter()
            .enumerate()
            .filter(|(_, queue)| queue.members.iter().any(|place| place.agent == index));
        Some(AgentExplanation {
            agent: Arc::clone(&agent.name),
            state: agent.state(),
            since: now - agent.since,
            blocked: if agent.activity == Activity::Free && agent.is_idle() {
                None
            } else {
                self.blocked(now, agent)
            },
            queues: of.map(prospect).collect(),
        })
    }
}
