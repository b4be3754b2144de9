//! What is shown of queues and agents.

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
