//! Where agents were last, from the journal.

use events::{AgentActivity, AgentSeat, AgentWish, Event, Kind};
use std::sync::Arc;

/// What becomes of a row of the table of agents.
#[derive(Debug)]
pub(crate) enum AgentRow {
    /// What the agent does.
    Does {
        agent: Arc<str>,
        is_logged_in: bool,
        paused: Option<Arc<str>>,
        /// Whether the state tells nothing of a pause: that of before counts.
        hides_pause: bool,
        phone: Option<Arc<str>>,
    },
    /// What it is to do, which does not show while it talks.
    Wishes { agent: Arc<str>, wish: AgentWish },
}

impl AgentRow {
    /// What an event tells of an agent.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        let (agent, state, phone) = match &event.kind {
            Kind::AgentChanged { agent, state, phone } => (agent, state, phone),
            Kind::AgentWishes { agent, wish } => {
                return Some(Self::Wishes { agent: Arc::clone(agent), wish: wish.clone() });
            }
            _ => return None,
        };
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
        Some(Self::Does { agent: Arc::clone(agent), is_logged_in, paused, hides_pause, phone: phone.clone() })
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
