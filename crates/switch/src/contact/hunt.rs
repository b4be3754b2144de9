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
                return Ok(Some(Destination {
                    flow,
                    request_uri,
                    number,
                    route: Vec::new(),
                    party,
                    resumes: None,
                }));
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
    /// alone: then it has all of the time again from when it was asked by UDP, which the endpoint may have begun by itself.
    pub(crate) fn on_respond_timeout(&mut self, core: &mut Core, leg: LegId) {
        let invite = self.leg_mut(leg).filter(|leg| leg.is_early()).and_then(|leg| leg.invite);
        let Some(invite) = invite.filter(|invite| core.endpoint.is_silent(*invite)) else { return };
        if self.is_supervisor(leg) {
            core.endpoint.cancel(core.now, invite, None, &mut core.sip);
            return self.supervisor_gone(core, leg, EndedBy::Switch, Some(408), "no response");
        }
        let hunts = match &self.phase {
            Phase::Dialing(dial) => &dial.hunts[..],
            _ => &[],
        };
        if let Some(patience) = hunts.iter().find(|hunt| hunt.is_at(leg)).and_then(Hunt::patience)
            && let Some(asked) = core.endpoint.fall_back(core.now, invite, &mut core.sip)
            && asked + patience > core.now
        {
            return core.timers.set(Timer::Respond(invite), asked + patience);
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
    use crate::{Input, Output, testing};
    use bytes::Bytes;
    use clock::Time;
    use dialplan::Causes;
    use events::Kind;
    use rtp::control::{Event, LocalPort};
    use sip::Flow;

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

    const NODE: &str = "
node: {name: test}
sip: {listen: [\"udp:10.0.0.1:5060\", \"tcp:10.0.0.1:5060\"]}
rtp: {ports: 30000-30999, address: 10.0.0.1}
trunks:
  inbound: {from: [192.0.2.0/24]}
  deaf: {to: \"sip:198.51.100.9;x=LONG\", respond_within: PATIENCE, health: off}
clients: [acme]
";
    const CLIENT: &str = "numbers: {100: out}\nflows: {out: [{dial: {number: \"4711\", trunk: deaf}}]}\n";

    /// By which ways, and after how many milliseconds, a server that says nothing gets an INVITE that is too large for UDP, and
    /// when it is given up.
    fn asked(patience: &str) -> (Vec<(Transport, u64)>, Option<u64>) {
        let node = NODE.replace("LONG", &"x".repeat(1_300)).replace("PATIENCE", patience);
        let mut switch = testing::switch(&node, CLIENT);
        let begun = Time::from_secs(1);
        let ports = [30_000, 30_002, 30_004].map(|port| LocalPort { thread: 0, port }).into();
        let invite = "INVITE sip:100@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\n\
            From: <sip:1@192.0.2.7>;tag=1\r\nTo: <sip:100@10.0.0.1>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\
            Contact: <sip:1@192.0.2.7>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\n\
            Content-Length: 83\r\n\r\n\
            v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=-\r\nc=IN IP4 1.1.1.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
        let flow = Flow::udp(([10, 0, 0, 1], 5060).into(), ([192, 0, 2, 7], 5060).into());
        let mut inputs = VecDeque::from([
            Input::Media(Event::Ready(ports)),
            Input::Sip { flow, bytes: Bytes::from_static(invite.as_bytes()) },
        ]);
        let (mut ways, mut now) = (Vec::new(), begun);
        while now < begun + Duration::from_secs(20) {
            let mut out = Vec::new();
            switch.handle(now, inputs.pop_front().unwrap_or(Input::Timeout), &mut out);
            let after = u64::try_from(now.since(begun).as_millis()).expect("a while");
            for output in out {
                match output {
                    Output::Send { flow, bytes } if bytes.starts_with(b"INVITE ") => {
                        ways.push((flow.transport, after));
                    }
                    Output::Event(events::Event { kind: Kind::LegEnded { cause, .. }, .. })
                        if *cause.reason == *"no response" =>
                    {
                        return (ways, Some(after));
                    }
                    _ => {}
                }
            }
            if inputs.is_empty() {
                now = switch.next_timeout().expect("something is waited for").max(now);
            }
        }
        (ways, None)
    }

    #[test]
    fn rfc3261_18_1_1_a_server_has_all_of_its_time_by_udp_after_tcp() {
        use Transport::{Tcp, Udp};
        assert_eq!(asked("1s"), (vec![(Tcp, 0), (Udp, 1_000), (Udp, 1_500)], Some(2_000)));
        assert_eq!(asked("2s"), (vec![(Tcp, 0), (Udp, 2_000), (Udp, 2_500), (Udp, 3_500)], Some(4_000)));
        assert_eq!(asked("3s"), (vec![(Tcp, 0), (Udp, 2_000), (Udp, 2_500), (Udp, 3_500)], Some(5_000)));
    }
}
