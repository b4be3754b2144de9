//! What an agent does from when to when.

use crate::Millis;
use events::AgentActivity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What an agent does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It takes no calls, or the node does not run.
    LoggedOut,
    /// It may be offered a call.
    Ready,
    /// It takes none, for this reason.
    Paused(Arc<str>),
    /// It is rung.
    Ringing,
    /// It speaks with a caller of a queue.
    Talking,
    /// It holds the call of a queue.
    Holding,
    /// It writes up.
    WrapUp,
    /// Its phone is in a call of no queue.
    Busy,
    /// Its phone is not there.
    Unreachable,
}

/// An agent is in another state from then on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The agent.
    pub agent: Arc<str>,
    /// Milliseconds since 1970.
    pub at: Millis,
    /// Its state then.
    pub state: State,
}

/// One agent's transitions in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    /// Since when, in milliseconds since 1970, and what.
    pub changes: Vec<(Millis, State)>,
}

/// How long an agent was in each state, in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AgentTime {
    /// Ready.
    pub ready: u64,
    /// By reason.
    pub paused: BTreeMap<Arc<str>, u64>,
    /// Rung.
    pub ringing: u64,
    /// Speaking with callers of queues.
    pub talking: u64,
    /// Holding their calls.
    pub holding: u64,
    /// Writing up.
    pub wrap_up: u64,
    /// In calls of no queue.
    pub busy: u64,
    /// Without a phone.
    pub unreachable: u64,
}

impl State {
    /// What the log says.
    pub(crate) fn of(activity: &AgentActivity) -> Self {
        match activity {
            AgentActivity::LoggedOut => Self::LoggedOut,
            AgentActivity::Ready => Self::Ready,
            AgentActivity::Paused(reason) => Self::Paused(Arc::clone(reason)),
            AgentActivity::Ringing(_) => Self::Ringing,
            AgentActivity::Talking(_) => Self::Talking,
            AgentActivity::Busy => Self::Busy,
            AgentActivity::WrapUp => Self::WrapUp,
            AgentActivity::Unreachable => Self::Unreachable,
        }
    }
}

impl Timeline {
    /// The spans that lie between `from` and `to`, cut there. The last state lasts until `to`.
    pub fn spans(&self, from: Millis, to: Millis) -> impl Iterator<Item = (Millis, Millis, &State)> {
        let ends = self.changes.iter().skip(1).map(|(at, _)| *at).chain([Millis::MAX]);
        self.changes
            .iter()
            .zip(ends)
            .map(move |((begins, state), ends)| ((*begins).max(from), ends.min(to), state))
            .filter(|(begins, ends, _)| begins < ends)
    }
}

impl AgentTime {
    /// Adds a span.
    pub fn add(&mut self, state: &State, millis: u64) {
        let sum = match state {
            State::LoggedOut => return,
            State::Ready => &mut self.ready,
            State::Paused(reason) => self.paused.entry(Arc::clone(reason)).or_default(),
            State::Ringing => &mut self.ringing,
            State::Talking => &mut self.talking,
            State::Holding => &mut self.holding,
            State::WrapUp => &mut self.wrap_up,
            State::Busy => &mut self.busy,
            State::Unreachable => &mut self.unreachable,
        };
        *sum += millis;
    }

    /// Adds what another one has.
    pub fn merge(&mut self, other: &Self) {
        let Self { ready, paused, ringing, talking, holding, wrap_up, busy, unreachable } = other;
        self.ready += ready;
        for (reason, millis) in paused {
            *self.paused.entry(Arc::clone(reason)).or_default() += millis;
        }
        self.ringing += ringing;
        self.talking += talking;
        self.holding += holding;
        self.wrap_up += wrap_up;
        self.busy += busy;
        self.unreachable += unreachable;
    }

    /// In all pauses.
    pub fn paused_in_all(&self) -> u64 {
        self.paused.values().sum()
    }

    /// In all states but logged out.
    pub fn logged_in(&self) -> u64 {
        let Self { ready, paused: _, ringing, talking, holding, wrap_up, busy, unreachable } = self;
        ready + self.paused_in_all() + ringing + talking + holding + wrap_up + busy + unreachable
    }

    /// Busy with callers of queues: speaking, holding, writing up.
    pub fn handling(&self) -> u64 {
        self.talking + self.holding + self.wrap_up
    }
}
