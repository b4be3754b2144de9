//! One queue: its plan, what it remembers, and who waits and who is free, found without a search.

use crate::agent::Agent;
use crate::bucket::{self, Bucket, Lots, Standing};
use crate::call::{self, Class, Key, Rank};
use crate::estimate::Pace;
use crate::plan::{QueuePlan, Skills, Strategy};
use clock::Time;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Queue {
    pub(crate) plan: QueuePlan,
    /// The agent of each tier that was offered last.
    pub(crate) last: BTreeMap<u8, Arc<str>>,
    pub(crate) pace: Pace,
    /// Since when nobody is there by the plan's `leave_if`.
    pub(crate) deserted: Option<Time>,
    /// Callers who hung up, by number.
    pub(crate) left: BTreeMap<Arc<str>, Left>,
    #[serde(skip)]
    pub(crate) index: Index,
}

/// The place of a caller who hung up.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Left {
    pub(crate) entered: Time,
    pub(crate) priority: i32,
    /// How long it is kept.
    pub(crate) until: Time,
}

/// What follows from the plan, the callers and the agents.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    pub(crate) members: Vec<Place>,
    pub(crate) tiers: Vec<Tier>,
    /// All who wait.
    pub(crate) line: BTreeSet<Key>,
    /// Those of them to whom another agent may be offered.
    pub(crate) hungry: BTreeMap<Class, BTreeSet<Key>>,
    /// Who is free, by tier and profile.
    pub(crate) idle: BTreeMap<(usize, usize), Bucket>,
    /// Agents who are there by `join_unless`.
    pub(crate) here_to_join: u32,
    /// Agents who are there by `leave_if`.
    pub(crate) here_to_stay: u32,
    /// Agents who are logged in, reachable and not paused.
    pub(crate) staffed: u32,
    /// Callbacks by number.
    pub(crate) callbacks: BTreeMap<Arc<str>, u64>,
    /// When the places of those who hung up are forgotten.
    pub(crate) leaving: BTreeSet<(Time, Arc<str>)>,
}

/// An agent in a queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) agent: usize,
    /// The number of its tier among those that there are.
    pub(crate) tier: usize,
    pub(crate) weight: u32,
    /// Where its lots are, if lots are drawn.
    slot: usize,
}

/// Those of one rank.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tier {
    pub(crate) rank: u8,
    /// How many of them are logged in and reachable.
    pub(crate) manned: u32,
    /// The place that was offered last.
    pub(crate) last: Option<u32>,
}

impl Queue {
    pub(crate) fn new(plan: QueuePlan) -> Self {
        Self {
            plan,
            last: BTreeMap::new(),
            pace: Pace::default(),
            deserted: None,
            left: BTreeMap::new(),
            index: Index::default(),
        }
    }

    /// Whether agents are drawn by lot.
    fn draws(&self) -> bool {
        matches!(self.plan.strategy, Strategy::Random | Strategy::Weighted)
    }

    /// Builds the members and what follows from them, with nobody waiting and nobody free.
    pub(crate) fn seat(&mut self, agent_of: &BTreeMap<Arc<str>, usize>, agents: &mut [Agent], number: usize) {
        let ranks: BTreeSet<u8> = self.plan.members.iter().map(|member| member.tier).collect();
        let tier = |rank: &u8| Tier { rank: *rank, manned: 0, last: None };
        self.index = Index { tiers: ranks.iter().map(tier).collect(), ..Index::default() };
        self.index.leaving = self.left.iter().map(|(who, left)| (left.until, Arc::clone(who))).collect();
        for member in &self.plan.members {
            let Some(agent) = agent_of.get(&member.agent).copied() else {
                continue;
            };
            if agents[agent].seats.iter().any(|seat| seat.queue == number) {
                continue;
            }
            let place = u32::try_from(self.index.members.len()).unwrap_or(u32::MAX);
            let tier = self.index.tiers.partition_point(|tier| tier.rank < member.tier);
            let empty =
                if self.draws() { Bucket::Drawn(Lots::default()) } else { Bucket::Ordered(BTreeSet::new()) };
            let bucket = self.index.idle.entry((tier, agents[agent].profile)).or_insert(empty);
            let slot = if let Bucket::Drawn(lots) = bucket { lots.add(place) } else { 0 };
            let weight = if self.plan.strategy == Strategy::Random { 1 } else { member.weight };
            self.index.members.push(Place { agent, tier, weight, slot });
            agents[agent].seats.push(Seat { queue: number, place });
            for tier in &mut self.index.tiers {
                if self.last.get(&tier.rank) == Some(&member.agent) {
                    tier.last = Some(place);
                }
            }
        }
    }

    /// An agent of that profile at a place is free, or no longer.
    pub(crate) fn set_idle(&mut self, place: u32, profile: usize, standing: Standing, idle: bool) {
        let strategy = self.plan.strategy;
        let member = self.index.members[place as usize];
        match self.index.idle.get_mut(&(member.tier, profile)) {
            Some(Bucket::Ordered(keys)) if idle => {
                keys.insert(bucket::key(strategy, standing, place));
            }
            Some(Bucket::Ordered(keys)) => {
                keys.remove(&bucket::key(strategy, standing, place));
            }
            Some(Bucket::Drawn(lots)) => lots.set(member.slot, if idle { member.weight } else { 0 }),
            None => {}
        }
    }

    /// How many tiers that have somebody go before one.
    pub(crate) fn manned_before(&self, tier: usize) -> u32 {
        (0..)
            .zip(self.index.tiers[..tier].iter().filter(|tier| tier.manned > 0))
            .map(|(n, _)| n + 1)
            .last()
            .unwrap_or(0)
    }

    /// The number of the last tier that is open to callers of a stage.
    pub(crate) fn open_to(&self, stage: u32) -> usize {
        let mut passed = 0;
        for (number, tier) in self.index.tiers.iter().enumerate() {
            passed += u32::from(tier.manned > 0);
            if passed > stage {
                return number;
            }
        }
        self.index.tiers.len().saturating_sub(1)
    }

    /// The first caller of those who may be offered to an agent at that place.
    pub(crate) fn first_for(&self, now: Time, agent: usize, skills: &Skills, place: u32) -> Option<Rank> {
        let member = self.index.members[place as usize];
        let drawn = member.weight > 0 || self.plan.strategy != Strategy::Weighted;
        let able = |class: &Class| match class {
            Class::Held(held) => *held == agent,
            Class::Open { wants, relax, stage } => {
                drawn && member.tier <= self.open_to(*stage) && wants.unmet(skills, *relax).is_none()
            }
        };
        let held = self.index.hungry.get_key_value(&Class::Held(agent));
        let open = self.index.hungry.range((Bound::Excluded(Class::Held(usize::MAX)), Bound::Unbounded));
        let mut first: Option<&Key> = None;
        for (class, callers) in held.into_iter().chain(open) {
            // What an agent is able to do is looked at only if it matters: that is what takes time.
            if let Some(key) = callers.first()
                && first.is_none_or(|first| key < first)
                && able(class)
            {
                first = Some(key);
            }
        }
        first.map(|key| call::rank(now, &self.plan, key))
    }

    /// The agent at a place is offered a caller.
    pub(crate) fn offered(&mut self, place: u32, agent: &Arc<str>) {
        let tier = &mut self.index.tiers[self.index.members[place as usize].tier];
        tier.last = Some(place);
        if self.plan.strategy == Strategy::RoundRobin {
            self.last.insert(tier.rank, Arc::clone(agent));
        }
    }

    /// How many go before one.
    pub(crate) fn ahead(&self, key: &Key) -> u32 {
        u32::try_from(self.index.line.range(..*key).count()).unwrap_or(u32::MAX)
    }

    /// Keeps the place of one who hung up.
    pub(crate) fn keep(&mut self, now: Time, number: &Arc<str>, left: Left) {
        self.kept(now, number);
        self.index.leaving.insert((left.until, Arc::clone(number)));
        self.left.insert(Arc::clone(number), left);
    }

    /// Takes the place that is kept for a number, and forgets those that are kept no longer.
    pub(crate) fn kept(&mut self, now: Time, number: &Arc<str>) -> Option<Left> {
        while let Some((until, _)) = self.index.leaving.first()
            && *until < now
        {
            if let Some((_, gone)) = self.index.leaving.pop_first() {
                self.left.remove(&gone);
            }
        }
        let left = self.left.remove(number)?;
        self.index.leaving.remove(&(left.until, Arc::clone(number)));
        Some(left)
    }
}

/// Where an agent is a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) queue: usize,
    pub(crate) place: u32,
}
