//! What the switch knows of its trunks besides their calls.

mod health;
mod registrations;
mod rest;
mod state;

pub use state::{RegistrationState, RestState, TargetState, TrunkState};

use crate::core::Core;
use dialplan::{Advertise, Config};
use health::Health;
use registrations::Registrations;
use rest::Rests;
use sip::{Flow, Message, SentId, ShownTo, Transport};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

/// The trunks' own affairs.
#[derive(Default)]
pub(crate) struct Trunks {
    registrations: Registrations,
    health: Health,
    rests: Rests,
    /// Requests that wait for their answer, and what for.
    sent: HashMap<SentId, Purpose>,
    /// What trunks are told of our addresses, where that is not what others are.
    advertised: HashMap<Arc<str>, Advertise>,
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

    /// What a trunk is told of our addresses, if not what others are.
    pub(crate) fn advertised(&self, trunk: &str) -> Option<Advertise> {
        self.advertised.get(trunk).copied()
    }

    /// The same as the endpoint tells its servers.
    pub(crate) fn shown_to(&self, trunk: &Arc<str>) -> Option<ShownTo> {
        let Advertise { sip: ip, port, .. } = self.advertised(trunk)?;
        Some(ShownTo { whose: Arc::clone(trunk), ip, port })
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
        let advertised = trunks.iter().filter_map(|it| Some((Arc::clone(&it.name), it.advertise?)));
        self.trunks.advertised = advertised.collect();
        self.endpoint.show_to_all(|trunk| self.trunks.shown_to(trunk));
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

#[cfg(test)]
mod tests {
    use crate::{Input, Output, Switch, testing};
    use bytes::Bytes;
    use clock::Time;
    use rtp::control::{Event, LocalPort};
    use sip::{Flow, Message, Name};
    use std::net::SocketAddr;

    const NODE: &str = "
node: {name: test}
sip: {listen: [\"udp:10.0.0.1:5060\"]}
rtp: {ports: 30000-30999, address: 10.0.0.1}
trunks:
  vpn: {from: [10.8.0.0/24], to: \"sip:10.8.0.9\", advertise: {sip: \"10.8.0.2:5080\", media: 10.8.0.3}}
  public: {from: [192.0.2.0/24], health: off}
clients: [acme]
";
    const CLIENT: &str = "numbers: {100: main}\nflows: {main: [answer, hangup]}\n";

    fn sent(switch: &mut Switch, now: Time, input: Input) -> Vec<Message> {
        let mut out = Vec::new();
        switch.handle(now, input, &mut out);
        let sent = out.into_iter().filter_map(|output| match output {
            Output::Send { bytes, .. } => Message::parse(bytes).ok(),
            _ => None,
        });
        sent.collect()
    }

    /// What a call from there is told: Contact, the address of media, and the Via of our BYE.
    fn told(switch: &mut Switch, from: &str) -> [String; 3] {
        let now = Time::from_secs(60);
        let peer: SocketAddr = from.parse().expect("an address");
        let flow = Flow::udp(SocketAddr::from(([10, 0, 0, 1], 5060)), peer);
        let sdp = format!(
            "v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
            peer.ip()
        );
        let fields =
            format!("From: <sip:1@{peer}>;tag={0}\r\nCall-ID: {0}\r\nContact: <sip:1@{peer}>\r\n", peer.ip());
        let text = format!(
            "INVITE sip:100@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {peer};branch=z9hG4bK{0}\r\n{fields}\
             To: <sip:100@10.0.0.1>\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\n\
             Content-Length: {1}\r\n\r\n{sdp}",
            peer.ip(),
            sdp.len()
        );
        let answers = sent(switch, now, Input::Sip { flow, bytes: text.into() });
        let ok = answers.iter().find(|it| it.status() == Some(200)).expect("an answer");
        let contact = ok.header(Name::Contact).expect("a Contact").to_owned();
        let body = String::from_utf8_lossy(ok.body()).into_owned();
        let media = body.lines().find(|line| line.starts_with("c=")).expect("an address").to_owned();
        let to = ok.header(Name::To).expect("a To");
        let ack = format!(
            "ACK sip:100@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {peer};branch=z9hG4bKa{0}\r\n{fields}To: {to}\r\n\
             CSeq: 1 ACK\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            peer.ip()
        );
        // The flow hangs up, which waits for the ACK.
        let after = sent(switch, now, Input::Sip { flow, bytes: Bytes::from(ack) });
        let bye = after.iter().find(|it| it.method().as_str() == "BYE").expect("a BYE");
        [contact, media, bye.via().expect("a Via").sent_by().to_owned()]
    }

    #[test]
    fn a_trunk_is_told_the_addresses_by_which_it_reaches_us_and_others_are_not() {
        let mut switch = testing::switch(NODE, CLIENT);
        let ports = [30_000, 30_002, 30_004].map(|port| LocalPort { thread: 0, port }).into();
        let first = sent(&mut switch, Time::from_secs(1), Input::Media(Event::Ready(ports)));
        let later = switch.next_timeout().map(|at| sent(&mut switch, at, Input::Timeout));
        let mut options = first.into_iter().chain(later.into_iter().flatten());
        let options = options.find(|it| it.method().as_str() == "OPTIONS").expect("an OPTIONS");
        assert_eq!(options.via().expect("a Via").sent_by(), "10.8.0.2:5080");
        assert_eq!(options.header(Name::Contact), Some("<sip:ringdown@10.8.0.2:5080>"));
        let vpn = ["<sip:ringdown@10.8.0.2:5080>", "c=IN IP4 10.8.0.3", "10.8.0.2:5080"];
        assert_eq!(told(&mut switch, "10.8.0.7:5060"), vpn);
        let public = ["<sip:ringdown@10.0.0.1:5060>", "c=IN IP4 10.0.0.1", "10.0.0.1:5060"];
        assert_eq!(told(&mut switch, "192.0.2.7:5060"), public);
    }

    #[test]
    fn a_new_plan_is_what_its_peers_are_told_at_once_and_a_removed_trunk_leaves_nothing() {
        let mut switch = testing::switch(NODE, CLIENT);
        let ports = [30_000, 30_002, 30_004].map(|port| LocalPort { thread: 0, port }).into();
        sent(&mut switch, Time::from_secs(1), Input::Media(Event::Ready(ports)));
        told(&mut switch, "10.8.0.7:5060");
        let flow = Flow::udp(([10, 0, 0, 1], 5060).into(), ([10, 8, 0, 7], 5060).into());
        let mut shown_after = |node: &str| {
            let plan = testing::plan(node, CLIENT).into();
            let applied = crate::Applied { plan, version: 2, by: None, why: None };
            sent(&mut switch, Time::from_secs(100), Input::Apply(applied));
            switch.core.shown(&flow).to_string()
        };
        assert_eq!(shown_after(NODE), "10.8.0.2:5080");
        assert_eq!(shown_after(&NODE.replace("10.8.0.2:5080", "10.8.0.4")), "10.8.0.4:5060");
        assert_eq!(shown_after(&NODE.replace("vpn", "other")), "10.0.0.1:5060");
        assert_eq!(shown_after(NODE), "10.0.0.1:5060", "until it calls or is called");
    }
}
