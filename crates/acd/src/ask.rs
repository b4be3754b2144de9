//! Single answers, for whoever carries offers out.

use crate::agent::Activity;
use crate::{Acd, AgentState};
use std::sync::Arc;

impl Acd {
    /// What an agent does; `None` if there is no such agent.
    pub fn state(&self, agent: &str) -> Option<AgentState> {
        self.agent_of.get(agent).map(|index| self.agents[*index].state())
    }

    /// The caller with whom an agent speaks is known by another number from now on.
    pub fn talk_moved(&mut self, agent: &str, from: u64, to: u64) {
        let Some(index) = self.agent_of.get(agent) else { return };
        if let Activity::Talking { call, .. } = &mut self.agents[*index].activity
            && *call == from
        {
            *call = to;
        }
    }

    /// Those who wait, by number.
    pub fn calls(&self) -> impl Iterator<Item = u64> {
        self.calls.keys().copied()
    }

    /// Whether it is among them.
    pub fn waits(&self, call: u64) -> bool {
        self.calls.contains_key(&call)
    }

    /// Agents that speak with a caller of a queue, and its number.
    pub fn talking(&self) -> impl Iterator<Item = (&Arc<str>, u64)> {
        self.agents.iter().filter_map(|agent| match agent.state() {
            AgentState::Talking { call } => Some((&agent.name, call)),
            _ => None,
        })
    }
}
