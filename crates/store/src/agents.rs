//! Where agents were last, from the journal.

use events::{AgentActivity, AgentSeat, Event, Kind};
use std::sync::Arc;

/// A row of the table of agents.
#[derive(Debug)]
pub(crate) struct AgentRow {
    pub(crate) agent: Arc<str>,
    pub(crate) is_logged_in: bool,
    pub(crate) paused: Option<Arc<str>>,
    /// Whether the state tells nothing of a pause: that of before counts.
    pub(crate) hides_pause: bool,
    pub(crate) phone: Option<Arc<str>>,
}

impl AgentRow {
    /// What an event tells of an agent.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        let Kind::AgentChanged { agent, state, phone } = &event.kind else { return None };
        let paused = match state {
            AgentActivity::Paused(reason) => Some(Arc::clone(reason)),
            _ => None,
        };
        // These come in front of a pause, which goes on behind them.
        let hides_pause = matches!(
            state,
            AgentActivity::Busy
                | AgentActivity::Unreachable
                | AgentActivity::Talking(_)
                | AgentActivity::WrapUp
        );
        let is_logged_in = *state != AgentActivity::LoggedOut;
        Some(Self { agent: Arc::clone(agent), is_logged_in, paused, hides_pause, phone: phone.clone() })
    }

    /// As it is read back.
    pub(crate) fn seat(
        agent: String,
        is_logged_in: bool,
        paused: Option<String>,
        phone: Option<String>,
    ) -> AgentSeat {
        AgentSeat {
            agent: agent.into(),
            is_logged_in,
            paused: paused.map(Arc::from),
            phone: phone.map(Arc::from),
        }
    }
}
