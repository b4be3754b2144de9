//! The trunks as an operator sees them.

use crate::Switch;
use crate::channels::Legs;
use clock::{Duration, Time};
use dialplan::{Trunk, TrunkLimits};
use sip::Transport;
use std::net::SocketAddr;
use std::sync::Arc;

/// One trunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrunkState {
    /// Its name.
    pub name: Arc<str>,
    /// Calls from it.
    pub calls_in: u32,
    /// Calls to it.
    pub calls_out: u32,
    /// Calls that it may carry.
    pub limits: TrunkLimits,
    /// Our registration there, if the plan has one.
    pub registration: Option<RegistrationState>,
    /// The servers that its `to` leads to, as far as the DNS has told; none if `health` is off.
    pub targets: Vec<TargetState>,
    /// The servers that have refused a call and said for how long: each is tried last until then.
    pub resting: Vec<RestState>,
}

/// A server of a trunk that has answered a call by 503 with Retry-After.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestState {
    /// How it is reached.
    pub transport: Transport,
    /// Where it is.
    pub address: SocketAddr,
    /// For how much longer.
    pub left: Duration,
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
        let state = |trunk: &Trunk| {
            let Legs { inbound: calls_in, outbound: calls_out } = self.core.channels.of_trunk(&trunk.name);
            TrunkState {
                name: Arc::clone(&trunk.name),
                calls_in,
                calls_out,
                limits: trunk.limits,
                registration: self.core.trunks.registrations.state(&trunk.name, now),
                targets: self.core.trunks.health.states(&trunk.name, now),
                resting: self.core.trunks.rests.states(&trunk.name, now),
            }
        };
        trunks.map(state).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Input, Output, testing};
    use sip::{Flow, Message, Method, Name, ResponseBuilder};

    const NODE: &str = "
node: {name: test}
sip: {listen: [\"udp:10.0.0.1:5060\"]}
rtp: {ports: 30000-30999, address: 10.0.0.1}
trunks:
  carrier: {to: \"sip:192.0.2.1\", health: {every: 10s, down_after: 1}, register: {registrar: \"sip:192.0.2.2\", user: me, secret: x}}
  inbound: {from: [192.0.2.0/24]}
clients: [acme]
";

    /// Lets time pass up to a second, and answers every request of a method with a status.
    fn answer(switch: &mut Switch, second: u64, method: &Method, status: u16) -> usize {
        let mut answered = 0;
        let until = Time::from_secs(second);
        while let Some(at) = switch.next_timeout().filter(|at| *at <= until) {
            let mut out = Vec::new();
            switch.handle(at, Input::Timeout, &mut out);
            for output in out {
                let Output::Send { flow, bytes } = output else { continue };
                let Ok(request) = Message::parse(bytes) else { continue };
                if request.method() == method {
                    let bytes = response(&request, &flow, status);
                    switch.handle(at, Input::Sip { flow, bytes }, &mut Vec::new());
                    answered += 1;
                }
            }
        }
        answered
    }

    fn response(request: &Message, flow: &Flow, status: u16) -> bytes::Bytes {
        let contact = request.header(Name::Contact).unwrap_or_default();
        let builder = ResponseBuilder::response_to(request, flow.peer, status, "", Some("tag"));
        builder.header(Name::Contact, contact).header(Name::Expires, "100").finish()
    }

    #[test]
    fn the_view_of_a_trunk_has_its_registration_and_its_targets() {
        let mut switch = testing::switch(NODE, "flows: {main: [hangup]}\n");
        switch.handle(Time::ZERO, Input::Timeout, &mut Vec::new());
        let [carrier, inbound] = switch.trunks(Time::ZERO).try_into().expect("two trunks");
        assert_eq!((&*inbound.name, inbound.registration, inbound.targets.len()), ("inbound", None, 0));
        let registration = carrier.registration.expect("it registers");
        assert_eq!((registration.registered_for, registration.last_status), (None, None));
        let [target] = carrier.targets.try_into().expect("one target");
        assert_eq!((target.address.to_string().as_str(), target.up), ("192.0.2.1:5060", true));

        // The REGISTER that `handle` has sent is repeated, and then answered; nobody answers OPTIONS.
        assert!(answer(&mut switch, 8, &Method::Register, 200) > 0);
        let now = Time::from_secs(8);
        let carrier = switch.trunks(now).swap_remove(0);
        let registration = carrier.registration.expect("it registers");
        assert_eq!(registration.last_status, Some(200));
        assert!(registration.registered_for.is_some_and(|left| left > Duration::from_secs(90)));
        assert!(registration.next_try.is_some_and(|next| next >= Duration::from_secs(40)));
        assert_eq!(carrier.targets.first().map(|it| (it.up, it.last_status)), Some((false, Some(408))));

        // Two answers bring it up.
        assert!(answer(&mut switch, 40, &Method::Options, 404) >= 2);
        let carrier = switch.trunks(Time::from_secs(40)).swap_remove(0);
        assert_eq!(carrier.targets.first().map(|it| (it.up, it.last_status)), Some((true, Some(404))));
    }
}
