//! The trunks as an operator sees them.

use crate::Switch;
use clock::{Duration, Time};
use std::sync::Arc;

/// One trunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrunkState {
    /// Its name.
    pub name: Arc<str>,
    /// Our registration there, if the plan has one.
    pub registration: Option<RegistrationState>,
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
                registration: self.core.trunks.registrations.state(&trunk.name, now),
            })
            .collect()
    }
}
