//! One who waits.

use crate::plan::{QueuePlan, Skills, Strategy};
use crate::words::{Need, Wants};
use clock::{Duration, Time};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::sync::Arc;

/// A point of priority, in the unit of [`Call::standing`]: what ageing by one point a minute gains in a minute's microseconds.
pub(crate) const POINT: i128 = 60_000_000;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Call {
    pub(crate) id: u64,
    pub(crate) queue: usize,
    /// Since when it counts as waiting.
    pub(crate) entered: Time,
    /// When it came into this queue.
    pub(crate) joined: Time,
    pub(crate) priority: i32,
    pub(crate) wants: Arc<Wants>,
    pub(crate) number: Option<Arc<str>>,
    /// The agent with whom it spoke last, and how long only that one is offered it.
    pub(crate) held: Option<(usize, Time)>,
    /// Nobody is on the line: how often it was called in vain, and how long it is left alone.
    pub(crate) callback: Option<Callback>,
    /// The offers that it has.
    pub(crate) offers: Vec<u64>,
    /// Since when it has had offers without a break.
    pub(crate) rung_since: Time,
    /// The place to which it was offered last.
    pub(crate) tried: Option<u32>,
    /// When it is told its position next.
    pub(crate) announce: Option<Time>,
    /// What it was told of its wait.
    pub(crate) told: Option<Told>,
    /// How it is entered in its queue's index.
    #[serde(skip)]
    pub(crate) indexed: Option<(Key, Option<Class>)>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Callback {
    pub(crate) tries: u32,
    pub(crate) rests_until: Time,
}

/// What a caller was told, and upon what ground.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) estimate: Duration,
    pub(crate) position: u32,
    pub(crate) staffed: u32,
}

/// The order within a queue, the least first. All gain alike by waiting, so it does not change with time.
pub(crate) type Key = (Reverse<i128>, Time, u64);

/// The order across queues at one time: standing, then the weight of the queue, then who came first.
pub(crate) type Rank = (Reverse<i128>, Reverse<i32>, Time, u64);

/// Callers of a queue for whom the same agents are able.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// Kept for one agent.
    Held(usize),
    Open {
        wants: Arc<Wants>,
        /// How much lower the required levels are.
        relax: u8,
        /// How many tiers with somebody in them may have been passed.
        stage: u32,
    },
}

/// The order across queues of one who has that order within its queue.
pub(crate) fn rank(now: Time, plan: &QueuePlan, key: &Key) -> Rank {
    let (Reverse(standing), entered, call) = *key;
    let gained = i128::from(plan.ageing) * i128::from(now.micros());
    (Reverse(standing + gained), Reverse(plan.weight), entered, call)
}

impl Call {
    /// Its order within its queue.
    pub(crate) fn key(&self, plan: &QueuePlan) -> Key {
        let began = i128::from(self.entered.micros()) * i128::from(plan.ageing);
        (Reverse(i128::from(self.priority) * POINT - began), self.entered, self.id)
    }

    /// Its order across queues.
    pub(crate) fn rank(&self, now: Time, plan: &QueuePlan) -> Rank {
        rank(now, plan, &self.key(plan))
    }

    pub(crate) fn waited(&self, now: Time) -> Duration {
        now - self.entered
    }

    fn stage(&self, now: Time, plan: &QueuePlan, tiers: usize) -> u32 {
        let most = u32::try_from(tiers).unwrap_or(u32::MAX);
        let step = plan.tiers.next_after.as_micros();
        let passed = self.waited(now).as_micros().checked_div(step);
        passed.map_or(most, |passed| u32::try_from(passed).unwrap_or(most).min(most))
    }

    pub(crate) fn relax(&self, now: Time, plan: &QueuePlan) -> u8 {
        let waited = self.waited(now);
        plan.relax.iter().take_while(|(after, _)| *after <= waited).last().map_or(0, |(_, by)| *by)
    }

    /// When it has waited for as long as it may. Who is not on the line may wait.
    pub(crate) fn due(&self, plan: &QueuePlan) -> Option<Time> {
        plan.max_wait.filter(|_| self.callback.is_none()).map(|wait| self.joined + wait)
    }

    /// Which agents it may be offered to. `None`: to no further one now.
    pub(crate) fn class(&self, now: Time, plan: &QueuePlan, tiers: usize) -> Option<Class> {
        // It waits for those alone that are being rung.
        if self.due(plan).is_some_and(|due| due <= now) {
            return None;
        }
        if self.callback.is_some_and(|callback| callback.rests_until > now) {
            return None;
        }
        if let Some((agent, until)) = self.held
            && until > now
        {
            return self.offers.is_empty().then_some(Class::Held(agent));
        }
        (self.offers.len() < self.at_once(now, plan)).then(|| Class::Open {
            wants: Arc::clone(&self.wants),
            relax: self.relax(now, plan),
            stage: self.stage(now, plan, tiers),
        })
    }

    /// How many offers it may have at once.
    fn at_once(&self, now: Time, plan: &QueuePlan) -> usize {
        match plan.strategy {
            Strategy::RingAll if self.callback.is_none() => usize::MAX,
            Strategy::RingProgressive { every } if self.callback.is_none() && !self.offers.is_empty() => {
                let steps = (now - self.rung_since).as_micros().checked_div(every.as_micros());
                steps.map_or(usize::MAX, |steps| {
                    usize::try_from(steps).unwrap_or(usize::MAX).saturating_add(1)
                })
            }
            _ => 1,
        }
    }

    /// When [`Self::class`] changes by itself.
    pub(crate) fn widens(&self, now: Time, plan: &QueuePlan, tiers: usize) -> Option<Time> {
        let stage = self.stage(now, plan, tiers);
        let tier = (stage as usize) < tiers && !plan.tiers.next_after.is_zero();
        let tier = tier.then(|| self.entered + plan.tiers.next_after.saturating_mul(stage + 1));
        let relax = plan.relax.iter().map(|(after, _)| self.entered + *after).find(|at| *at > now);
        let held = self.held.map(|(_, until)| until);
        let rest = self.callback.map(|callback| callback.rests_until);
        let ring = match plan.strategy {
            Strategy::RingProgressive { every } if !self.offers.is_empty() && !every.is_zero() => {
                let steps = u32::try_from(self.at_once(now, plan)).unwrap_or(u32::MAX);
                Some(self.rung_since + every.saturating_mul(steps))
            }
            _ => None,
        };
        [tier, relax, held, rest, ring, self.due(plan)].into_iter().flatten().filter(|at| *at > now).min()
    }
}

impl Need {
    /// The level that is needed after it was lowered by `relax`.
    pub(crate) fn relaxed(&self, relax: u8) -> u8 {
        self.level.saturating_sub(relax).max(1)
    }
}

impl Wants {
    /// The first need of a list of which none is met.
    pub(crate) fn unmet(&self, skills: &Skills, relax: u8) -> Option<&Need> {
        let met = |need: &Need| skills.get(&need.skill).is_some_and(|level| *level >= need.relaxed(relax));
        self.required.iter().find(|any| !any.is_empty() && !any.iter().any(met))?.first()
    }

    /// The sum of the levels in preferred skills.
    pub(crate) fn preference(&self, skills: &Skills) -> u32 {
        self.preferred.iter().filter_map(|skill| skills.get(skill)).map(|level| u32::from(*level)).sum()
    }
}
