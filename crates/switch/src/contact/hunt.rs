//! One target that several servers and trunks lead to, tried one after the other.
//!
//! Among the servers of one name the next is tried as RFC 3263 section 4.3 has it: where one does not answer, cannot be
//! reached, or says 503. Which refusals lead on to the next name or trunk is the trunk's setting.

use super::dial::Destination;
use super::{Contact, Phase};
use crate::core::{Core, Timer};
use clock::Duration;
use dialplan::{Routing, Target, Trunk};
use events::{EndedBy, LegId, Party};
use sip::Transport;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

/// A search for a server that takes the call.
pub(super) struct Hunt {
    /// The ways out that are left, the first being tried.
    routes: VecDeque<Route>,
    at: At,
    /// How the last server failed.
    status: u16,
    /// Whether that leads on to the next route.
    leaves: bool,
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
#[derive(Clone, Debug)]
struct Route {
    /// Where to send it, a SIP URI.
    next_hop: Arc<str>,
    request_uri: String,
    /// The number called, as the dialplan has it.
    number: Option<Arc<str>>,
    party: Party,
    routing: Routing,
    /// The servers left, the next one first; `None` until the DNS has told.
    servers: Option<VecDeque<(Transport, SocketAddr)>>,
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

impl Route {
    /// By a trunk's target.
    fn by(trunk: &Trunk, next_hop: &Arc<str>, number: &Arc<str>) -> Self {
        let host = next_hop.strip_prefix("sip:").unwrap_or(next_hop);
        Self {
            request_uri: format!("sip:{}@{host}", trunk.called(number)),
            next_hop: Arc::clone(next_hop),
            number: Some(Arc::clone(number)),
            party: Party::Trunk(Arc::clone(&trunk.name)),
            routing: trunk.routing.clone(),
            servers: None,
        }
    }

    fn to(uri: &Arc<str>) -> Self {
        let (next_hop, request_uri) = (Arc::clone(uri), uri.to_string());
        let (party, routing) = (Party::Uri, Routing::default());
        Self { next_hop, request_uri, number: None, party, routing, servers: None }
    }
}

impl Route {
    /// Whether a server is to be tried when nobody else is left.
    fn comes_last(&self, core: &Core, server: (Transport, SocketAddr)) -> bool {
        matches!(&self.party, Party::Trunk(trunk) if core.trunks.comes_last(core.now, trunk, server))
    }
}

impl Hunt {
    fn new(routes: VecDeque<Route>) -> Self {
        Self { routes, at: At::Locating, status: 502, leaves: true }
    }

    /// Whether it waits for the DNS.
    pub(super) fn is_locating(&self) -> bool {
        self.at == At::Locating
    }

    /// Whether it waits for a leg.
    pub(super) fn is_at(&self, leg: LegId) -> bool {
        self.at == At::Ringing(leg)
    }

    /// The hunt after a failure, unless that ends it.
    pub(super) fn after(mut self, failure: Failure) -> Option<Self> {
        let route = self.routes.front_mut()?;
        self.status = failure.status;
        self.leaves = route.routing.failover_on.contains(failure.status);
        if !failure.is_the_servers() {
            route.servers = Some(VecDeque::new());
        }
        (self.leaves || failure.is_the_servers()).then_some(self)
    }

    /// The next server; `None` if the DNS must be waited for, an error if there is no further one.
    fn next(&mut self, core: &mut Core) -> Result<Option<Destination>, u16> {
        while let Some(route) = self.routes.front_mut() {
            if route.servers.is_none() {
                let Some(found) = core.locate(&route.next_hop) else { return Ok(None) };
                let order = found.in_order(|| core.random.next());
                let (last, first): (Vec<_>, Vec<_>) =
                    order.into_iter().partition(|it| route.comes_last(core, *it));
                route.servers = Some(first.into());
                if !last.is_empty() {
                    let last_hope = Route { servers: Some(last.into()), ..route.clone() };
                    self.routes.push_back(last_hope);
                    continue;
                }
            }
            let trunk = match &route.party {
                Party::Trunk(trunk) => Some(trunk),
                Party::User(_) | Party::Uri => None,
            };
            let servers =
                route.servers.iter_mut().flat_map(|servers| std::iter::from_fn(|| servers.pop_front()));
            let mut flows = servers.filter_map(|server| core.flow_to(server, &route.next_hop, trunk));
            if let Some(flow) = flows.next() {
                let (request_uri, party) = (route.request_uri.clone(), route.party.clone());
                let number = route.number.clone();
                return Ok(Some(Destination { flow, request_uri, number, route: Vec::new(), party }));
            }
            if !self.leaves {
                break;
            }
            self.routes.pop_front();
        }
        Err(self.status)
    }

    /// The trunk being tried has no room.
    fn skip(&mut self, status: u16) {
        (self.status, self.leaves) = (status, true);
        self.routes.pop_front();
    }

    /// How long the server being tried may say nothing: a plain address that is the last hope has all the time that it is
    /// rung for.
    fn patience(&self) -> Option<Duration> {
        let route = self.routes.front()?;
        let is_last = route.servers.as_ref().is_none_or(VecDeque::is_empty) && self.routes.len() == 1;
        (route.party != Party::Uri || !is_last).then_some(route.routing.respond_within)
    }
}

impl Contact {
    /// The hunt for a target that is no user of ours.
    pub(super) fn hunt_for(&self, target: &Target) -> Result<Hunt, u16> {
        let routes: VecDeque<Route> = match target {
            // A dial has the number in its place.
            Target::User(_) | Target::Dialled { .. } => VecDeque::new(),
            Target::Uri(uri) => VecDeque::from([Route::to(uri)]),
            Target::Number { number, trunks } => {
                let trunks = trunks.iter().filter_map(|name| self.plan.trunk(name));
                trunks.flat_map(|trunk| trunk.to.iter().map(|to| Route::by(trunk, to, number))).collect()
            }
        };
        if routes.is_empty() { Err(404) } else { Ok(Hunt::new(routes)) }
    }

    /// Places a leg to the next server, or waits for the DNS; the status of the failure if no server is left.
    pub(super) fn hunt(&mut self, core: &mut Core, mut hunt: Hunt) -> Result<(), u16> {
        hunt.at = loop {
            let Some(destination) = hunt.next(core)? else { break At::Locating };
            match self.place(core, destination) {
                Ok(leg) => break At::Ringing(leg),
                Err(status) => hunt.skip(status),
            }
        };
        if let (At::Ringing(leg), Some(patience)) = (hunt.at, hunt.patience())
            && let Some(invite) = self.leg_mut(leg).and_then(|leg| leg.invite)
        {
            core.timers.set(Timer::Respond(invite), core.now + patience);
        }
        if let Phase::Dialing(dial) = &mut self.phase {
            dial.hunts.push(hunt);
        }
        Ok(())
    }

    /// A server that has said nothing at all by now is taken for dead, unless it was asked by TCP for the size of the INVITE
    /// alone: then it has as much time again by UDP.
    pub(crate) fn on_respond_timeout(&mut self, core: &mut Core, leg: LegId) {
        let invite = self.leg_mut(leg).filter(|leg| leg.is_early()).and_then(|leg| leg.invite);
        let Some(invite) = invite.filter(|invite| core.endpoint.is_silent(*invite)) else { return };
        let hunts = match &self.phase {
            Phase::Dialing(dial) => &dial.hunts[..],
            _ => &[],
        };
        if let Some(patience) = hunts.iter().find(|hunt| hunt.is_at(leg)).and_then(Hunt::patience)
            && core.endpoint.fall_back(core.now, invite, &mut core.sip)
        {
            return core.timers.set(Timer::Respond(invite), core.now + patience);
        }
        // Should it wake up, it is told at once (RFC 3261 section 9.1).
        core.endpoint.cancel(core.now, invite, None, &mut core.sip);
        self.end_leg(core, leg, EndedBy::Switch, Some(408), "no response");
        self.count_failure(core, leg, Failure { status: 408, told: false });
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

#[cfg(test)]
mod tests {
    use super::*;
    use dialplan::Causes;

    fn hunt(failover_on: Causes) -> Hunt {
        let routing = || Routing { failover_on: failover_on.clone(), ..Routing::default() };
        let address = |host| (Transport::Udp, SocketAddr::from(([192, 0, 2, host], 5060)));
        let servers = Some(VecDeque::from([address(1), address(2)]));
        let first = Route { servers, routing: routing(), ..Route::to(&"sip:a".into()) };
        let second = Route { routing: routing(), ..Route::to(&"sip:b".into()) };
        Hunt::new(VecDeque::from([first, second]))
    }

    /// How many servers of the first route are left, and whether the second one follows; `None`: the hunt is over.
    fn after(hunt: Hunt, status: u16, told: bool) -> Option<(usize, bool)> {
        let mut hunt = hunt.after(Failure { status, told })?;
        let servers = hunt.routes.front_mut()?.servers.as_ref().map_or(0, VecDeque::len);
        Some((servers, hunt.leaves))
    }

    #[test]
    fn rfc3263_4_3_503_silence_and_transport_errors_lead_to_the_next_server_of_a_name() {
        for (status, told) in [(503, true), (503, false), (408, false)] {
            assert_eq!(after(hunt(Causes::default()), status, told), Some((2, false)));
            assert_eq!(after(hunt(Routing::default().failover_on), status, told), Some((2, true)));
        }
    }

    #[test]
    fn a_cause_of_the_list_leads_to_the_next_name_and_no_other_does() {
        for status in [408, 500, 502, 504, 580] {
            assert_eq!(after(hunt(Routing::default().failover_on), status, true), Some((0, true)));
        }
        for status in [403, 404, 480, 486, 487, 488, 600, 603, 606] {
            assert_eq!(after(hunt(Routing::default().failover_on), status, true), None, "{status}");
        }
        let causes = Causes::new(vec![403..=403]);
        assert_eq!(after(hunt(causes.clone()), 403, true), Some((0, true)));
        assert_eq!(after(hunt(causes), 500, true), None);
    }
}
