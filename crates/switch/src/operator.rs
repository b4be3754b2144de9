//! What operators ask of a node besides its calls, and what is logged of that.

use crate::Switch;
use crate::guard::Ban;
use clock::Time;
use events::{ContactId, Kind};
use std::net::IpAddr;
use std::sync::Arc;

impl Switch {
    /// The sources of which nothing is read at present, by address.
    pub fn bans(&self, now: Time) -> Vec<Ban> {
        self.core.guard.bans(now)
    }

    /// The client of a contact that is up.
    pub fn client_of(&self, contact: ContactId) -> Option<Arc<str>> {
        self.contacts.get(&contact).map(|contact| Arc::clone(&contact.client))
    }

    /// The user whose phone rings for an agent, or would if it were logged in.
    pub fn phone_of(&self, agent: &str) -> Option<Arc<str>> {
        let seat = self.core.queues.phone_of(agent).cloned();
        seat.or_else(|| self.plan.agent(agent)?.phone.clone())
    }

    pub(crate) fn lift_ban(&mut self, address: IpAddr) {
        if let Some(address) = self.core.guard.lift(self.core.now, address) {
            self.core.log(None, Kind::BanLifted { address });
        }
    }
}
