//! Chooses an agent for a caller, and records why.

use crate::Acd;
use crate::bucket::{Bucket, Key};
use crate::call::{Call, Class};
use crate::plan::Strategy;
use crate::queue::{Place, Queue};
use crate::why::{Candidate, Choice, Score, Skip, Verdict};
use crate::words::AgentState;
use clock::Time;
use rand_chacha::rand_core::Rng;
use std::sync::Arc;

/// In a queue of more members than this, an offer records those alone who were next: what it costs must not grow with
/// the queue. [`Acd::why_call`] tells of all.
const LISTED: usize = 64;

/// How many those are.
const NEXT: usize = 8;

/// Free agents of one tier who are able and whom the caller prefers alike.
type Buckets<'a> = Vec<&'a Bucket>;

impl Acd {
    /// The agent whose turn it is for a caller, and why. `None`: none is free.
    pub(crate) fn choose(&mut self, now: Time, call: u64) -> Option<(usize, Choice)> {
        let caller = self.calls.get(&call)?;
        let (_, Some(class)) = caller.indexed.as_ref()? else {
            return None;
        };
        let queue = &self.queues[caller.queue];
        let agent = match class {
            Class::Held(agent) => self.agents[*agent].is_idle().then_some(*agent)?,
            Class::Open { relax, stage, .. } => {
                let last = queue.open_to(*stage);
                let (tier, buckets) = (0..=last).find_map(|tier| {
                    let buckets = self.best(queue, caller, tier, *relax);
                    (!buckets.is_empty()).then_some((tier, buckets))
                })?;
                let place = pick(queue, caller, tier, &buckets, &mut self.random)?;
                queue.index.members[place as usize].agent
            }
        };
        Some((agent, self.chosen(now, call, agent)?))
    }

    /// Of the free and able agents of a tier, those whom a caller prefers.
    fn best<'a>(&self, queue: &'a Queue, caller: &Call, tier: usize, relax: u8) -> Buckets<'a> {
        let mut most = 0;
        let mut buckets = Vec::new();
        for ((_, profile), bucket) in queue.index.idle.range((tier, 0)..=(tier, usize::MAX)) {
            let skills = &self.profiles[*profile];
            if bucket.is_empty() || caller.wants.unmet(skills, relax).is_some() {
                continue;
            }
            let preference = caller.wants.preference(skills);
            if preference > most {
                most = preference;
                buckets.clear();
            }
            if preference == most {
                buckets.push(bucket);
            }
        }
        buckets
    }

    /// Why that agent is offered that caller. `None` if it is no member of the queue.
    pub(crate) fn chosen(&self, now: Time, call: u64, agent: usize) -> Option<Choice> {
        let caller = self.calls.get(&call)?;
        let queue = &self.queues[caller.queue];
        let seat = self.agents[agent].seats.iter().find(|seat| seat.queue == caller.queue)?;
        let others: Vec<u32> = if queue.index.members.len() <= LISTED {
            (0..).take(queue.index.members.len()).collect()
        } else {
            self.runners_up(queue, caller, queue.index.members[seat.place as usize].tier, now)
        };
        let others = others.into_iter().filter(|place| *place != seat.place);
        let others: Vec<Candidate> = others.map(|place| self.candidate(now, caller, place)).collect();
        let members = queue.index.members.len() - 1;
        Some(Choice {
            queue: Arc::clone(&queue.plan.name),
            strategy: queue.plan.strategy,
            waited: caller.waited(now),
            ahead: queue.ahead(&caller.key(&queue.plan)),
            agent: Arc::clone(&self.agents[agent].name),
            score: self.score(now, caller, seat.place),
            unlisted: u32::try_from(members - others.len()).unwrap_or(u32::MAX),
            others,
        })
    }

    /// Those who would be next in a tier.
    fn runners_up(&self, queue: &Queue, caller: &Call, tier: usize, now: Time) -> Vec<u32> {
        let buckets = self.best(queue, caller, tier, caller.relax(now, &queue.plan));
        let mut keys: Vec<Key> = Vec::new();
        for bucket in buckets {
            if let Bucket::Ordered(all) = bucket {
                // One more than are told: the agent chosen may be among them.
                keys.extend(all.iter().take(NEXT + 1));
            }
        }
        keys.sort_unstable();
        keys.into_iter().take(NEXT + 1).map(|(.., place)| place).collect()
    }

    pub(crate) fn candidate(&self, now: Time, caller: &Call, place: u32) -> Candidate {
        let member = self.queues[caller.queue].index.members[place as usize];
        let verdict = match self.skipped(now, caller, &member) {
            Some(skip) => Verdict::Skipped(skip),
            None => Verdict::Able(self.score(now, caller, place)),
        };
        Candidate { agent: Arc::clone(&self.agents[member.agent].name), verdict }
    }

    fn score(&self, now: Time, caller: &Call, place: u32) -> Score {
        let queue = &self.queues[caller.queue];
        let member = queue.index.members[place as usize];
        let agent = &self.agents[member.agent];
        Score {
            tier: queue.index.tiers[member.tier].rank,
            preferred: caller.wants.preference(&agent.skills),
            idle: now - agent.idle_since,
            handled: agent.handled,
            talked: agent.talked,
            place,
            weight: member.weight,
        }
    }

    /// Why a member of a caller's queue is not offered it.
    fn skipped(&self, now: Time, caller: &Call, member: &Place) -> Option<Skip> {
        let queue = &self.queues[caller.queue];
        let agent = &self.agents[member.agent];
        if let Some(skip) = self.blocked(now, member.agent) {
            return Some(skip);
        }
        let relax = caller.relax(now, &queue.plan);
        if let Some(need) = caller.wants.unmet(&agent.skills, relax) {
            let has = agent.skills.get(&need.skill).copied().unwrap_or(0);
            return Some(Skip::Skill { skill: Arc::clone(&need.skill), has, needs: need.relaxed(relax) });
        }
        if let Some((held, until)) = caller.held
            && until > now
            && held != member.agent
        {
            let agent = Arc::clone(&self.agents[held].name);
            return Some(Skip::LastAgent { agent, left: until - now });
        }
        let opens = queue.plan.tiers.next_after.saturating_mul(queue.manned_before(member.tier));
        if opens > caller.waited(now) && member.tier > 0 {
            let tier = queue.index.tiers[member.tier].rank;
            return Some(Skip::Tier { tier, opens: opens - caller.waited(now) });
        }
        (member.weight == 0 && queue.plan.strategy == Strategy::Weighted).then_some(Skip::NoWeight)
    }

    /// Why an agent is offered nobody at all.
    pub(crate) fn blocked(&self, now: Time, agent: usize) -> Option<Skip> {
        let agent = &self.agents[agent];
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
}

/// Whose turn it is, of those in some buckets of a tier; its place.
fn pick(
    queue: &Queue,
    caller: &Call,
    tier: usize,
    buckets: &Buckets<'_>,
    random: &mut impl Rng,
) -> Option<u32> {
    let after = match queue.plan.strategy {
        Strategy::Random | Strategy::Weighted => return draw(buckets, random),
        Strategy::RoundRobin => queue.index.tiers[tier].last,
        Strategy::TopDown => caller.tried,
        _ => None,
    };
    buckets.iter().filter_map(|bucket| bucket.first(after)).min().map(|(_, (.., place))| place)
}

fn draw(buckets: &Buckets<'_>, random: &mut impl Rng) -> Option<u32> {
    let lots = || {
        buckets.iter().filter_map(|bucket| if let Bucket::Drawn(lots) = bucket { Some(lots) } else { None })
    };
    let total: u64 = lots().map(|lots| lots.total()).sum();
    let mut lot = below(random, total)?;
    for lots in lots() {
        if let Some(left) = lot.checked_sub(lots.total()) {
            lot = left;
        } else {
            return lots.at(lot);
        }
    }
    None
}

/// A number below `n`, each as likely as the others; `None` if there is none.
fn below(random: &mut impl Rng, n: u64) -> Option<u64> {
    // The last incomplete run of `n` numbers would favour the small ones.
    let limit = (u64::MAX / n.max(1)).saturating_mul(n);
    (n > 0).then(|| {
        loop {
            let number = random.next_u64();
            if number < limit {
                return number % n;
            }
        }
    })
}
