//! The trunks as an operator sees them.

use crate::Switch;
use clock::{Duration, Time};
use events::Party;
use sip::Transport;
use std::net::SocketAddr;
use std::sync::Arc;

/// One trunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrunkState {
    /// Its name.
    pub name: Arc<str>,
    /// Its calls, both directions.
    pub calls: u32,
    /// Calls that it may have at once.
    pub max_calls: Option<u32>,
    /// Our registration there, if the plan has one.
    pub registration: Option<RegistrationState>,
    /// The servers that its `to` leads to, as far as the DNS has told; none if `health` is off.
    pub targets: Vec<TargetState>,
}

/// How one server of a trunk is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetState {
    /// The `to` that leads there.
    pub uri: Arc<str>,
    /// How it is reached.
    pub transport: Transport,
    /// Where it is.
    pub address: SocketAddr,
    /// Whether it is taken for alive; else it is tried last.
    pub up: bool,
    /// The status of the last answer to OPTIONS; 408 for none.
    pub last_status: Option<u16>,
    /// When it is asked next.
    pub next_try: Duration,
}

/// How a registration of ours is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationState {
    /// Where, a SIP URI.
    pub registrar: Arc<str>,
    /// As whom.
    pub user: String,
    /// For how long the registrar has our contact; `None` if it has not.
    pub registered_for: Option<Duration>,
    /// The status of the last answer; 408 for none.
    pub last_status: Option<u16>,
    /// When REGISTER is sent next; `None` while an answer is awaited, and once the registrar has refused us.
    pub next_try: Option<Duration>,
    /// Whether it has refused us, so that it is not asked again until the plan changes.
    pub refused: bool,
}

impl Switch {
    /// How the trunks of the plan are at present, in the order of the node file.
    pub fn trunks(&self, now: Time) -> Vec<TrunkState> {
        let trunks = self.plan.node.trunks.iter();
        trunks
            .map(|trunk| TrunkState {
                name: Arc::clone(&trunk.name),
                calls: self.core.channels_of(&Party::Trunk(Arc::clone(&trunk.name))),
                max_calls: trunk.max_calls,
                registration: self.core.trunks.registrations.state(&trunk.name, now),
                targets: self.core.trunks.health.states(&trunk.name, now),
            })
            .collect()
    }
}
