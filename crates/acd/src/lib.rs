//! Queues, agents and skills: who speaks with whom next, and why.
//!
//! One [`Acd`] has all queues and agents of a node. It has no clock and no socket: what happened comes in by
//! [`Acd::handle`], what is to be done comes out. An offer is a lease, so no agent and no caller can be stuck.

mod agent;
mod ask;
mod call;
mod moves;
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
use call::Call;
use clock::{Time, Timers};
use offers::Offer;
use queue::Queue;
use std::collections::BTreeMap;
use std::sync::Arc;

/// All queues and agents of a node.
#[derive(Debug)]
pub struct Acd {
    queues: Vec<Queue>,
    queue_of: BTreeMap<Arc<str>, usize>,
    agents: Vec<Agent>,
    agent_of: BTreeMap<Arc<str>, usize>,
    calls: BTreeMap<u64, Call>,
    offers: BTreeMap<u64, Offer>,
    next_offer: u64,
    timers: Timers<Timer>,
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
    /// When a caller has waited for as long as it may.
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
    pub fn new(_seed: [u8; 32]) -> Self {
        Self {
            queues: Vec::new(),
            queue_of: BTreeMap::new(),
            agents: Vec::new(),
            agent_of: BTreeMap::new(),
            calls: BTreeMap::new(),
            offers: BTreeMap::new(),
            next_offer: 1,
            timers: Timers::new(),
        }
    }

    /// Takes a new plan. Callers keep their places and agents their states; callers of queues that are no longer leave, offers
    /// to agents that are no longer in the queue are taken back, and agents that are no longer finish the call that they are in.
    pub fn configure(&mut self, now: Time, plan: Plan, out: &mut Vec<Output>) {
        self.reconfigure(now, plan, out);
        self.settle(now, out);
    }

    /// Takes what happened. What is to be done is appended to `out`. What names a call, an offer or an agent that is not
    /// there changes nothing.
    pub fn handle(&mut self, now: Time, input: Input, out: &mut Vec<Output>) {
        while let Some(timer) = self.timers.pop_due(now) {
            self.expire(now, timer, out);
        }
        match input {
            Input::Enter(entry) => self.enter(now, entry, out),
            Input::Leave { call } | Input::Abandon { call } => self.leave(now, call, out),
            Input::Move { call, queue } => self.go_to(now, call, &queue, out),
            Input::Prioritise { call, priority } => {
                if let Some(call) = self.calls.get_mut(&call) {
                    call.priority = priority;
                }
            }
            Input::Agent { agent, change } => {
                if let Some(index) = self.agent_of.get(&agent) {
                    self.change(now, *index, change, out);
                }
            }
            Input::OfferEnded { offer, outcome } => self.offer_ended(now, offer, outcome, out),
            Input::CalledBack { .. } | Input::CallBackFailed { .. } => {}
            Input::TalkEnded { agent } => {
                if let Some(index) = self.agent_of.get(&agent) {
                    self.talk_ended(now, *index, out);
                }
            }
            Input::Timeout => {}
        }
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

    fn expire(&mut self, now: Time, timer: Timer, out: &mut Vec<Output>) {
        match timer {
            Timer::Lease(offer) => self.lease_ended(now, offer, out),
            Timer::Retry(agent) => self.agents[agent].retry = None,
            Timer::WrapUp(agent) => self.wrap_up_ended(now, agent, AgentWhy::WrapUpEnded, out),
            Timer::MaxWait(call) => self.exit(now, call, Exit::MaxWait, out),
            // Each turn looks at all who wait.
            Timer::NoAgents(_) | Timer::Widen(_) => {}
            Timer::Announce(call) => self.announce(now, call, out),
        }
    }
}
