//! Single answers, for whoever carries offers out.

use crate::{Acd, AgentState};
use std::sync::Arc;

impl Acd {
    /// What an agent does; `None` if there is no such agent.
    pub fn state(&self, agent: &str) -> Option<AgentState> {
        self.agent_of.get(agent).map(|index| self.agents[*index].state())
    }

    /// Those who wait, by number.
    pub fn calls(&self) -> impl Iterator<Item = u64> {
        self.calls.keys().copied()
    }

    /// Agents that speak with a caller of a queue, and its number.
    pub fn talking(&self) -> impl Iterator<Item = (&Arc<str>, u64)> {
        self.agents.iter().filter_map(|agent| match agent.state() {
            AgentState::Talking { call } => Some((&agent.name, call)),
            _ => None,
        })
    }
}
