//! What is shown of queues and agents.

use crate::Acd;
use crate::queue::Queue;
use crate::words::AgentState;
use clock::{Duration, Time};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An agent as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentView {
    /// Its name.
    pub agent: Arc<str>,
    /// What it does.
    pub state: AgentState,
    /// Since when.
    pub since: Time,
    /// When it is offered again after an offer that it did not take.
    pub retry: Option<Time>,
    /// How many offers in a row it let ring out.
    pub misses: u32,
    /// How many callers of queues it has answered since it logged in.
    pub handled: u32,
    /// How long it has talked with them.
    pub talked: Duration,
    /// Its queues.
    pub queues: Vec<Arc<str>>,
}

/// A queue as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueView {
    /// Its name.
    pub queue: Arc<str>,
    /// Who waits, in the order in which they are next.
    pub waiting: Vec<WaitingView>,
    /// The longest wait of those.
    pub longest: Duration,
    /// Its agents by what they do.
    pub agents: AgentCounts,
}

/// One who waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingView {
    /// Which caller.
    pub call: u64,
    /// 1 is next.
    pub position: u32,
    /// How long it has waited.
    pub waited: Duration,
    /// How long it will wait yet. `None` is unknown.
    pub estimate: Option<Duration>,
    /// Its priority without what it has gained by waiting.
    pub priority: i32,
    /// Whom it is offered to.
    pub offered: Vec<Arc<str>>,
    /// Whether nobody is on the line.
    pub callback: bool,
}

/// How many agents do what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentCounts {
    /// Not logged in.
    pub logged_out: u32,
    /// Free, or soon again after an offer that was not taken.
    pub ready: u32,
    /// Paused.
    pub paused: u32,
    /// Rung, or kept for a callback.
    pub ringing: u32,
    /// In a call of a queue.
    pub talking: u32,
    /// In another call.
    pub busy: u32,
    /// In wrap-up.
    pub wrap_up: u32,
    /// Not reachable.
    pub unreachable: u32,
}

impl Acd {
    /// All agents, in the order of their names.
    pub fn agents(&self, _now: Time) -> Vec<AgentView> {
        let view = |(name, index): (&Arc<str>, &usize)| {
            let agent = &self.agents[*index];
            AgentView {
                agent: Arc::clone(name),
                state: agent.state(),
                since: agent.since,
                retry: agent.retry.map(|(_, until)| until),
                misses: agent.misses,
                handled: agent.handled,
                talked: agent.talked,
                queues: agent
                    .seats
                    .iter()
                    .map(|seat| Arc::clone(&self.queues[seat.queue].plan.name))
                    .collect(),
            }
        };
        self.agent_of.iter().map(view).collect()
    }

    /// All queues, in the order of their names, with those who wait in the order in which they are next.
    pub fn queues(&self, now: Time) -> Vec<QueueView> {
        let view = |(name, index): (&Arc<str>, &usize)| {
            let queue = &self.queues[*index];
            let line = queue.index.line.iter().zip(1..);
            let waiting: Vec<WaitingView> =
                line.map(|((.., call), position)| self.waiting(now, queue, position, *call)).collect();
            let longest = waiting.iter().map(|one| one.waited).max().unwrap_or(Duration::ZERO);
            QueueView { queue: Arc::clone(name), waiting, longest, agents: self.counts(queue) }
        };
        self.queue_of.iter().map(view).collect()
    }

    fn waiting(&self, now: Time, queue: &Queue, position: u32, call: u64) -> WaitingView {
        let caller = &self.calls[&call];
        WaitingView {
            call,
            position,
            waited: caller.waited(now),
            estimate: queue.estimate(caller, position),
            priority: caller.priority,
            offered: self.offered_to(call),
            callback: caller.callback.is_some(),
        }
    }

    /// Whom a caller is offered to.
    pub(crate) fn offered_to(&self, call: u64) -> Vec<Arc<str>> {
        let offers = self.calls[&call].offers.iter().map(|offer| &self.offers[offer]);
        offers.map(|offer| Arc::clone(&self.agents[offer.agent].name)).collect()
    }

    fn counts(&self, queue: &Queue) -> AgentCounts {
        let mut counts = AgentCounts::default();
        for place in &queue.index.members {
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
}
