//! What the switch knows of its trunks besides their calls.

mod health;
mod registrations;
mod rest;
mod state;

pub use state::{RegistrationState, RestState, TargetState, TrunkState};

use crate::core::Core;
use dialplan::Config;
use health::Health;
use registrations::Registrations;
use rest::Rests;
use sip::{Flow, Message, SentId, Transport};
use std::collections::HashMap;
use std::net::SocketAddr;

/// The trunks' own affairs.
#[derive(Default)]
pub(crate) struct Trunks {
    registrations: Registrations,
    health: Health,
    rests: Rests,
    /// Requests that wait for their answer, and what for.
    sent: HashMap<SentId, Purpose>,
}

/// What a request to a trunk is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// To register; which registration.
    Register(u64),
    /// To see whether a target lives; which.
    Health(u64),
}

impl Trunks {
    /// When [`Core::run_trunks`] has something to do.
    pub(crate) fn next_timeout(&self) -> Option<clock::Time> {
        [self.registrations.next_timeout(), self.health.next_timeout()].into_iter().flatten().min()
    }

    /// Whether nothing is under way any more, after [`Core::leave_trunks`].
    pub(crate) fn are_left(&self) -> bool {
        self.registrations.is_empty()
    }

    /// Whether a server of a trunk is to be tried last: it is down, or has asked not to be called for a while.
    pub(crate) fn comes_last(&self, now: clock::Time, trunk: &str, server: (Transport, SocketAddr)) -> bool {
        self.health.is_down(trunk, server) || self.rests.has(now, trunk, server)
    }

    /// The trunk whose registration has a Contact of this user: what comes to it is that trunk's.
    pub(crate) fn owner_of(&self, user: &str) -> Option<&str> {
        self.registrations.owner_of(user)
    }
}

impl Core {
    /// Follows a new plan.
    pub(crate) fn apply_trunks(&mut self, plan: &Config) {
        let trunks = &plan.node.trunks;
        let registrars = trunks.iter().filter_map(|trunk| Some(&trunk.register.as_ref()?.registrar));
        let ways: Vec<_> = trunks.iter().flat_map(|trunk| &trunk.to).chain(registrars).cloned().collect();
        self.locator.keep(&ways);
        for way in &ways {
            // No call has to wait for it.
            let _unknown_yet = self.locate(way);
        }
        self.apply_registrations(plan);
        self.apply_health(plan);
    }

    /// Does what is due.
    pub(crate) fn run_trunks(&mut self) {
        self.run_registrations();
        self.run_health();
    }

    /// The DNS has told something.
    pub(crate) fn trunks_located(&mut self) {
        self.resume_registrations();
        self.find_targets();
    }

    /// Takes back what trunks know of us.
    pub(crate) fn leave_trunks(&mut self) {
        self.leave_registrations();
        self.leave_health();
    }

    /// A connection has closed.
    pub(crate) fn trunks_lost(&mut self, flow: Flow) {
        self.registrar_lost(flow);
    }

    /// The final response to a request of ours that is no INVITE.
    pub(crate) fn on_response(&mut self, id: SentId, status: u16, message: Option<&Message>) {
        match self.trunks.sent.remove(&id) {
            Some(Purpose::Register(number)) => self.registration_answered(number, status, message),
            Some(Purpose::Health(number)) => self.health_answered(id, number, status, message.is_some()),
            None => self.on_relayed(id, status),
        }
    }
}
