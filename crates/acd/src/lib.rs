//! Queues, agents and skills: who speaks with whom next, and why.
//!
//! One [`Acd`] has all queues and agents of a node. It has no clock and no socket: what happened comes in by
//! [`Acd::handle`], what is to be done comes out. An offer is a lease, so no agent and no caller can be stuck.

mod agent;
mod ask;
mod bucket;
mod call;
mod callbacks;
mod callers;
mod choose;
mod configure;
pub mod erlang;
mod estimate;
mod explain;
mod index;
mod offers;
mod plan;
mod queue;
mod settle;
mod view;
mod why;
mod words;

pub use plan::{
    Absence, AgentPlan, AnnouncePlan, CallbackPlan, Member, Plan, QueuePlan, Retry, Skills, Strategy, Tiers,
};
pub use view::{AgentCounts, AgentView, QueueView, WaitingView};
pub use why::{AgentExplanation, Candidate, Choice, Explanation, Prospect, Score, Skip, Verdict};
pub use words::{
    AgentChange, AgentState, AgentWhy, Entry, Exit, Input, NOT_ANSWERING, Need, Outcome, Output, Wants,
    Withdrawn,
};

use agent::Agent;
use call::{Call, Class};
use clock::{Time, Timers};
use offers::Offer;
use queue::Queue;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// All queues and agents of a node. It can be written out and read back between any two inputs, and goes on as it would have.
#[derive(Debug, Serialize, Deserialize)]
#[serde(from = "Saved")]
pub struct Acd {
    /// When it was told something last.
    now: Time,
    queues: Vec<Queue>,
    agents: Vec<Agent>,
    calls: BTreeMap<u64, Call>,
    offers: BTreeMap<u64, Offer>,
    next_offer: u64,
    random: ChaCha12Rng,
    // What follows from those, so that nothing is searched for.
    #[serde(skip)]
    queue_of: BTreeMap<Arc<str>, usize>,
    #[serde(skip)]
    agent_of: BTreeMap<Arc<str>, usize>,
    /// The skills that agents have, each set of them once.
    #[serde(skip)]
    profiles: Vec<Skills>,
    #[serde(skip)]
    timers: Timers<Timer>,
    /// Agents who have become free in this turn.
    #[serde(skip)]
    fresh_agents: BTreeSet<usize>,
    /// Classes of callers, by queue, that are open to more agents than before this turn, or have one more caller.
    #[serde(skip)]
    fresh_classes: BTreeSet<(usize, Class)>,
}

/// What is written of an [`Acd`].
#[derive(Deserialize)]
struct Saved {
    now: Time,
    queues: Vec<Queue>,
    agents: Vec<Agent>,
    calls: BTreeMap<u64, Call>,
    offers: BTreeMap<u64, Offer>,
    next_offer: u64,
    random: ChaCha12Rng,
}

impl From<Saved> for Acd {
    fn from(saved: Saved) -> Self {
        let Saved { now, queues, agents, calls, offers, next_offer, random } = saved;
        let mut acd = Self { now, queues, agents, calls, offers, next_offer, random, ..Self::new([0; 32]) };
        acd.rebuild(now);
        // It was settled before it was written.
        acd.fresh_agents.clear();
        acd.fresh_classes.clear();
        acd
    }
}

/// What happens at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// When an offer has ended by itself: ring time and grace are over.
    Lease(u64),
    /// When an agent may be offered callers again after an offer that it did not take.
    Retry(usize),
    /// When an agent's wrap-up is over.
    WrapUp(usize),
    /// When a caller has waited for as long as it may, and no agent is rung for it.
    MaxWait(u64),
    /// When a caller has waited for agents of whom none is there.
    NoAgents(u64),
    /// When further agents are open to a caller.
    Widen(u64),
    /// When a caller is told its position.
    Announce(u64),
}

impl Acd {
    /// Without queues and agents. The same seed and the same inputs give the same outputs.
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            now: Time::ZERO,
            queues: Vec::new(),
            agents: Vec::new(),
            calls: BTreeMap::new(),
            offers: BTreeMap::new(),
            next_offer: 1,
            random: ChaCha12Rng::from_seed(seed),
            queue_of: BTreeMap::new(),
            agent_of: BTreeMap::new(),
            profiles: Vec::new(),
            timers: Timers::new(),
            fresh_agents: BTreeSet::new(),
            fresh_classes: BTreeSet::new(),
        }
    }

    /// Takes a new plan. Callers keep their places and agents their states; callers of queues that are no longer leave, offers
    /// to agents that are no longer in the queue are taken back, and agents that are no longer finish the call that they are in.
    pub fn configure(&mut self, now: Time, plan: Plan, out: &mut Vec<Output>) {
        self.now = now;
        self.expire(now, out);
        self.reconfigure(now, plan, out);
        self.expire(now, out);
        self.settle(now, out);
    }

    /// Takes what happened. What is to be done is appended to `out`. What names a call, an offer or an agent that is not
    /// there changes nothing.
    pub fn handle(&mut self, now: Time, input: Input, out: &mut Vec<Output>) {
        self.now = now;
        // An answer counts although its time is up by now: the caller is being spoken with.
        if let Input::OfferEnded { offer, outcome: Outcome::Answered } = input {
            self.offer_ended(now, offer, Outcome::Answered, out);
        }
        self.expire(now, out);
        match input {
            Input::OfferEnded { outcome: Outcome::Answered, .. } => {}
            Input::Enter(entry) => self.enter(now, entry, out),
            Input::Leave { call } => self.leave(now, call, out),
            Input::Abandon { call } => self.abandon(now, call, out),
            Input::Move { call, queue } => self.go_to(now, call, &queue, out),
            Input::Prioritise { call, priority } => self.prioritise(now, call, priority),
            Input::Agent { agent, change } => {
                if let Some(index) = self.agent_of.get(&agent) {
                    self.change(now, *index, change, out);
                }
            }
            Input::OfferEnded { offer, outcome } => self.offer_ended(now, offer, outcome, out),
            Input::CalledBack { offer, call } => self.called_back(now, offer, call, out),
            Input::CallBackFailed { offer } => self.call_back_failed(now, offer, true, out),
            Input::CallBackPostponed { offer } => self.call_back_failed(now, offer, false, out),
            Input::TalkEnded { agent } => {
                if let Some(index) = self.agent_of.get(&agent) {
                    self.talk_ended(now, *index, out);
                }
            }
            Input::Timeout => {}
        }
        // What is due at once, as that nobody may wait without agents.
        self.expire(now, out);
        self.settle(now, out);
    }

    /// When [`Input::Timeout`] is to be given.
    pub fn next_timeout(&self) -> Option<Time> {
        self.timers.next()
    }

    /// Offers that are up: their numbers, callers and agents.
    pub fn offers(&self) -> impl Iterator<Item = (u64, u64, &Arc<str>)> {
        self.offers.iter().map(|(number, offer)| (*number, offer.call, &self.agents[offer.agent].name))
    }

    fn expire(&mut self, now: Time, out: &mut Vec<Output>) {
        while let Some(timer) = self.timers.pop_due(now) {
            match timer {
                Timer::Lease(offer) => self.lease_ended(now, offer, out),
                Timer::Retry(agent) => self.retry_ended(now, agent, out),
                Timer::WrapUp(agent) => self.wrap_up_ended(now, agent, AgentWhy::WrapUpEnded, out),
                Timer::MaxWait(call) => self.waited_out(now, call, out),
                Timer::NoAgents(call) => self.no_agents(now, call, out),
                Timer::Widen(call) => self.reindex(now, call),
                Timer::Announce(call) => self.announce(now, call, out),
            }
        }
    }
}
