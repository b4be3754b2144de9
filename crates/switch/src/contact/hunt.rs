//! One target that several servers lead to, tried one after the other (RFC 3263 section 4.3).

use super::dial::Destination;
use super::{Contact, Phase};
use crate::core::Core;
use dialplan::Target;
use events::{LegId, Party};
use sip::Transport;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

/// A search for a server that takes the call.
pub(super) struct Hunt {
    route: Route,
    /// The servers left, the next one first; `None` until the DNS has told.
    servers: Option<VecDeque<(Transport, SocketAddr)>>,
    at: At,
    /// How the last server failed.
    status: u16,
}

/// What a hunt waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// The DNS.
    Locating,
    /// The answer on a leg.
    Ringing(LegId),
}

/// A way out.
struct Route {
    /// Where to send it, a SIP URI.
    next_hop: Arc<str>,
    request_uri: String,
    party: Party,
}

/// How a leg failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) status: u16,
    /// Whether a peer said so; else it is a timer's or the transport's.
    pub(super) told: bool,
}

impl Failure {
    /// Whether another server of the same name may do better.
    fn is_the_servers(self) -> bool {
        self.status == 503 || (self.status == 408 && !self.told)
    }
}

impl Hunt {
    fn new(route: Route) -> Self {
        Self { route, servers: None, at: At::Locating, status: 502 }
    }

    /// Whether it waits for the DNS.
    pub(super) fn is_locating(&self) -> bool {
        self.at == At::Locating
    }

    /// Whether it waits for a leg.
    pub(super) fn is_at(&self, leg: LegId) -> bool {
        self.at == At::Ringing(leg)
    }

    /// The hunt after a failure, unless no other server is to be tried.
    pub(super) fn after(self, failure: Failure) -> Option<Self> {
        failure.is_the_servers().then_some(Self { status: failure.status, ..self })
    }

    /// The next server; `None` if the DNS must be waited for, an error if there is no further one.
    fn next(&mut self, core: &mut Core) -> Result<Option<Destination>, u16> {
        if self.servers.is_none() {
            let Some(found) = core.locate(&self.route.next_hop) else { return Ok(None) };
            self.servers = Some(found.in_order(|| core.random.next()).into());
        }
        let servers = self.servers.iter_mut().flat_map(|servers| std::iter::from_fn(|| servers.pop_front()));
        let mut flows = servers.filter_map(|(transport, peer)| core.flow_to(transport, peer));
        let flow = flows.next().ok_or(self.status)?;
        let Route { request_uri, party, .. } = &self.route;
        let (request_uri, party) = (request_uri.clone(), party.clone());
        Ok(Some(Destination { flow, request_uri, route: Vec::new(), party }))
    }
}

impl Contact {
    /// The hunt for a target that is no user of ours.
    pub(super) fn hunt_for(&self, target: &Target) -> Result<Hunt, u16> {
        match target {
            Target::User(_) => Err(404),
            Target::Uri(uri) => {
                let request_uri = uri.to_string();
                Ok(Hunt::new(Route { next_hop: Arc::clone(uri), request_uri, party: Party::Uri }))
            }
            Target::Number { number, trunk } => {
                let found = self.plan.node.trunks.iter().find(|known| known.name == *trunk);
                let next_hop = found.and_then(|trunk| trunk.to.clone()).ok_or(404_u16)?;
                let host = next_hop.strip_prefix("sip:").ok_or(404_u16)?;
                let request_uri = format!("sip:{number}@{}", host.rsplit('@').next().unwrap_or(host));
                Ok(Hunt::new(Route { next_hop, request_uri, party: Party::Trunk(Arc::clone(trunk)) }))
            }
        }
    }

    /// Places a leg to the next server, or waits for the DNS; the status of the failure if no server is left.
    pub(super) fn hunt(&mut self, core: &mut Core, mut hunt: Hunt) -> Result<(), u16> {
        hunt.at = match hunt.next(core)? {
            Some(destination) => At::Ringing(self.place(core, destination)?),
            None => At::Locating,
        };
        if let Phase::Dialing(dial) = &mut self.phase {
            dial.hunts.push(hunt);
        }
        Ok(())
    }

    /// The hunt that a leg is of, which it is no more.
    pub(super) fn take_hunt(&mut self, leg: LegId) -> Option<Hunt> {
        let Phase::Dialing(dial) = &mut self.phase else { return None };
        let place = dial.hunts.iter().position(|hunt| hunt.is_at(leg))?;
        Some(dial.hunts.swap_remove(place))
    }

    /// Whether one of its hunts waits for the DNS.
    pub(crate) fn is_locating(&self) -> bool {
        matches!(&self.phase, Phase::Dialing(dial) if dial.hunts.iter().any(Hunt::is_locating))
    }

    /// The DNS has told something: hunts that waited for it go on.
    pub(crate) fn on_located(&mut self, core: &mut Core) {
        let Phase::Dialing(dial) = &mut self.phase else { return };
        let waiting: Vec<Hunt> = dial.hunts.extract_if(.., |hunt| hunt.is_locating()).collect();
        for hunt in waiting {
            if let Err(status) = self.hunt(core, hunt) {
                self.count(status);
            }
        }
        self.ring_next(core);
    }
}
