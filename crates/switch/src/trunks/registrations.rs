//! The registrations of trunks: who is registered where, kept up by a [`sip::Registration`] each.

use super::{Purpose, RegistrationState};
use crate::core::Core;
use crate::guard::VOUCHED;
use crate::way::host_of;
use clock::{Time, Timers};
use dialplan::{Config, Register, Trunk};
use events::Kind;
use sip::{
    Address, Flow, Login, Message, Method, NewRequest, Registering, Registration, RegistrationConfig,
    Transport,
};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

/// All registrations, those that are being taken back included.
#[derive(Default)]
pub(crate) struct Registrations {
    lines: BTreeMap<u64, Line>,
    timers: Timers<u64>,
    last: u64,
}

/// One registration.
struct Line {
    trunk: Arc<str>,
    settings: Register,
    /// The user part of our Contact: nobody but the registrar is told of it.
    user: String,
    /// The URI that the last REGISTER named.
    contact: String,
    machine: Registration,
    last_status: Option<u16>,
    leaving: bool,
    /// Where the last REGISTER went.
    server: Option<(Transport, SocketAddr)>,
    /// By which flow it went; connection 0 stands for the one that was opened for it.
    flow: Option<Flow>,
    /// Whether it waits for the DNS to tell where the registrar is.
    locating: bool,
}

impl Registrations {
    pub(super) fn next_timeout(&self) -> Option<Time> {
        self.timers.next()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(super) fn owner_of(&self, user: &str) -> Option<&str> {
        self.lines.values().find(|line| line.user == user).map(|line| &*line.trunk)
    }

    pub(super) fn state(&self, trunk: &str, now: Time) -> Option<RegistrationState> {
        let line = self.lines.values().find(|line| *line.trunk == *trunk && !line.leaving)?;
        Some(RegistrationState {
            registrar: Arc::clone(&line.settings.registrar),
            user: line.settings.user.clone(),
            registered_for: line.machine.bound_until().map(|until| until - now),
            last_status: line.last_status,
            next_try: line.machine.next_try().map(|at| at - now),
            refused: line.machine.is_refused(),
        })
    }

    fn is_kept(&self, trunk: &str, settings: &Register) -> bool {
        self.lines.values().any(|line| *line.trunk == *trunk && line.settings == *settings && !line.leaving)
    }

    /// Notes when a line wants to act, or forgets it.
    fn settle(&mut self, number: u64) {
        let Some(line) = self.lines.get(&number) else { return };
        match line.machine.next_timeout().filter(|_| !line.locating) {
            Some(at) => self.timers.set(number, at),
            None => {
                self.timers.cancel(number);
            }
        }
        if line.machine.is_gone() {
            self.lines.remove(&number);
        }
    }

    fn leave_where(&mut self, now: Time, leaves: impl Fn(&Line) -> bool) {
        let leaving: Vec<u64> =
            self.lines.iter().filter(|(_, line)| !line.leaving && leaves(line)).map(|(it, _)| *it).collect();
        for number in leaving {
            if let Some(line) = self.lines.get_mut(&number) {
                line.leaving = true;
                line.machine.leave(now);
            }
            self.settle(number);
        }
    }
}

impl Core {
    /// Begins what a plan has new, takes back what it has no more.
    pub(super) fn apply_registrations(&mut self, plan: &Config) {
        let wants = |line: &Line| {
            let trunk = plan.node.trunks.iter().find(|trunk| trunk.name == line.trunk);
            trunk.and_then(|trunk| trunk.register.as_ref()) == Some(&line.settings)
        };
        self.trunks.registrations.leave_where(self.now, |line| !wants(line));
        for Trunk { name, register, .. } in &plan.node.trunks {
            let Some(settings) = register else { continue };
            if !self.trunks.registrations.is_kept(name, settings) {
                self.begin_registration(name, settings);
            }
        }
    }

    /// Takes all of them back.
    pub(super) fn leave_registrations(&mut self) {
        self.trunks.registrations.leave_where(self.now, |_| true);
        self.run_registrations();
    }

    fn begin_registration(&mut self, trunk: &Arc<str>, settings: &Register) {
        let expires = u32::try_from(settings.expires.as_secs()).unwrap_or(u32::MAX);
        let call_id = format!("{:016x}{:016x}", self.random.next(), self.random.next());
        let line = Line {
            trunk: Arc::clone(trunk),
            settings: settings.clone(),
            user: format!("{:016x}", self.random.next()),
            contact: String::new(),
            machine: Registration::new(RegistrationConfig::new(expires), call_id, self.now),
            last_status: None,
            leaving: false,
            server: None,
            flow: None,
            locating: false,
        };
        let registrations = &mut self.trunks.registrations;
        registrations.last += 1;
        registrations.lines.insert(registrations.last, line);
        registrations.settle(registrations.last);
    }

    pub(super) fn run_registrations(&mut self) {
        while let Some(number) = self.trunks.registrations.timers.pop_due(self.now) {
            self.run_registration(number);
            self.trunks.registrations.settle(number);
        }
    }

    fn run_registration(&mut self, number: u64) {
        let Some(line) = self.trunks.registrations.lines.get_mut(&number) else { return };
        let registrar = Arc::clone(&line.settings.registrar);
        let lapsed = line.machine.take_lapse(self.now).then(|| Arc::clone(&line.trunk));
        if let Some(trunk) = lapsed {
            self.log(None, Kind::TrunkUnregistered { trunk, registrar: Arc::clone(&registrar) });
        }
        let servers = self.locate(&registrar);
        let Some(line) = self.trunks.registrations.lines.get_mut(&number) else { return };
        line.locating = servers.is_none();
        let Some(servers) = servers else { return };
        let Some(register) = line.machine.take_due(self.now) else { return };
        let order = servers.in_order(|| self.random.next());
        let is_last = |server: &&(Transport, SocketAddr)| Some(**server) == line.server;
        // It stays with its server; after a failure another has its turn (RFC 3263 section 4.3).
        let stays = order.iter().find(is_last).filter(|_| line.machine.failures() == 0);
        let server =
            stays.or_else(|| order.iter().find(|server| !is_last(server))).or(order.first()).copied();
        line.server = server;
        let trunk = Arc::clone(&line.trunk);
        match server.and_then(|server| self.flow_to(server, &registrar, Some(&trunk))) {
            Some(flow) => self.send_register(number, flow, register),
            None => self.registration_answered(number, 502, None),
        }
    }

    /// Those that waited for the DNS go on.
    pub(super) fn resume_registrations(&mut self) {
        let lines = self.trunks.registrations.lines.iter();
        let waiting: Vec<u64> = lines.filter(|(_, line)| line.locating).map(|(number, _)| *number).collect();
        for number in waiting {
            self.run_registration(number);
            self.trunks.registrations.settle(number);
        }
    }

    /// A connection has closed: registrars that have been told of us by it are told anew.
    pub(super) fn registrar_lost(&mut self, flow: Flow) {
        if !flow.transport.is_reliable() {
            return;
        }
        let lines = self.trunks.registrations.lines.iter();
        let lost: Vec<u64> =
            lines.filter(|(_, line)| line.flow == Some(flow)).map(|(number, _)| *number).collect();
        for number in lost {
            let random = self.random.next();
            if let Some(line) = self.trunks.registrations.lines.get_mut(&number) {
                line.machine.connection_lost(self.now, random);
            }
            self.trunks.registrations.settle(number);
        }
    }

    fn send_register(&mut self, number: u64, flow: Flow, register: sip::Register) {
        let Some(line) = self.trunks.registrations.lines.get(&number) else { return };
        let Register { registrar, user, auth_user, secret, realm, .. } = &line.settings;
        let contact = self.contact_for(&line.user, &flow);
        let of_record = format!("sip:{user}@{}", host_of(registrar).unwrap_or_default());
        let request = NewRequest {
            flow,
            method: Method::Register,
            request_uri: registrar.to_string(),
            route: Vec::new(),
            from: Address { display: None, uri: of_record.clone() },
            to: Address { display: None, uri: of_record },
            series: Some(register.series),
            headers: vec![
                ("Contact".into(), format!("<{contact}>")),
                ("Expires".into(), register.expires.to_string()),
            ],
            body: None,
            login: Some(Login {
                username: auth_user.clone(),
                password: secret.clone(),
                realm: realm.clone(),
            }),
            max_forwards: 70,
        };
        if let Some(line) = self.trunks.registrations.lines.get_mut(&number) {
            line.contact = contact;
            line.flow = Some(flow);
        }
        // Calls come from where we register.
        self.guard.vouch(flow.peer.ip(), self.now + VOUCHED);
        let sent = self.endpoint.request(self.now, request, &mut self.sip);
        self.trunks.sent.insert(sent, Purpose::Register(number));
    }

    pub(super) fn registration_answered(&mut self, number: u64, status: u16, message: Option<&Message>) {
        let random = self.random.next();
        let Some(line) = self.trunks.registrations.lines.get_mut(&number) else { return };
        line.last_status = Some(status);
        let (trunk, registrar) = (Arc::clone(&line.trunk), Arc::clone(&line.settings.registrar));
        let was_bound = line.machine.bound_until().is_some();
        let outcome = line.machine.answered(self.now, (status, message), &line.contact, random);
        self.trunks.registrations.settle(number);
        match outcome {
            Registering::Registered { expires, again: false } => {
                self.log(None, Kind::TrunkRegistered { trunk, registrar, expires });
            }
            Registering::Registered { again: true, .. } | Registering::Adjusted => {}
            Registering::Failed { status, after } => {
                let retry_after = Some(u32::try_from(after.as_secs()).unwrap_or(u32::MAX));
                self.log(None, Kind::TrunkRegistrationFailed { trunk, registrar, status, retry_after });
            }
            Registering::Refused { status } => {
                let text = format!(
                    "the trunk {trunk} is not registered: {registrar} refused it with {status}; \
                     correct its `register` and reload"
                );
                let failed = Kind::TrunkRegistrationFailed { trunk, registrar, status, retry_after: None };
                self.log(None, failed);
                self.log(None, Kind::Alarm { text });
            }
            Registering::Gone if was_bound => self.log(None, Kind::TrunkUnregistered { trunk, registrar }),
            Registering::Gone => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Input, Output, Switch, testing};
    use bytes::Bytes;
    use sip::Name;

    const NODE: &str = "
node: {name: test}
sip: {listen: [\"tcp:10.0.0.1:5060\"]}
rtp: {ports: 30000-30999, address: 10.0.0.1}
trunks:
  carrier: {health: off, register: {registrar: \"sip:192.0.2.1;transport=tcp\", user: \"1\", secret: x}}
clients: [acme]
";

    /// The only REGISTER that an input leads to, and by which flow.
    fn register(switch: &mut Switch, now: Time, input: Input) -> Option<(Flow, Message)> {
        let mut out = Vec::new();
        switch.handle(now, input, &mut out);
        let mut sent = out.into_iter().filter_map(|output| match output {
            Output::Send { flow, bytes } => Some((flow, Message::parse(bytes).expect("a message"))),
            _ => None,
        });
        let first = sent.next();
        assert_eq!(sent.next().map(|(_, message)| message.start_line().to_owned()), None);
        first
    }

    fn ok(register: &Message) -> Bytes {
        let copy = |name: Name| format!("{}: {}\r\n", name.text(), register.header(name).unwrap());
        let copied: String =
            [Name::Via, Name::From, Name::To, Name::CallId, Name::CSeq, Name::Contact].map(copy).concat();
        format!("SIP/2.0 200 OK\r\n{copied}Expires: 600\r\nContent-Length: 0\r\n\r\n").into()
    }

    #[test]
    fn rfc5626_4_5_a_registrar_whose_connection_has_closed_hears_of_us_within_seconds() {
        let mut switch = testing::switch(NODE, "flows: {main: [hangup]}\n");
        let now = Time::from_secs(1);
        let (flow, first) = register(&mut switch, now, Input::Timeout).expect("a REGISTER");
        assert_eq!((flow.transport, flow.connection), (Transport::Tcp, 0));
        let opened = Flow { connection: 7, ..flow };
        assert!(register(&mut switch, now, Input::Sip { flow: opened, bytes: ok(&first) }).is_none());
        let now = Time::from_secs(10);
        let another = Flow { peer: SocketAddr::from(([192, 0, 2, 2], 5060)), ..flow };
        register(&mut switch, now, Input::FlowFailed(another));
        assert!(
            switch.next_timeout().is_some_and(|at| at > Time::from_secs(100)),
            "that was no affair of its"
        );
        register(&mut switch, now, Input::FlowFailed(opened));
        register(&mut switch, now, Input::FlowFailed(flow));
        let at = switch.next_timeout().expect("a time");
        assert!(at > Time::from_secs(12) && at <= Time::from_secs(15), "{at:?}");
        let (by, again) = register(&mut switch, at, Input::Timeout).expect("a REGISTER");
        assert_eq!((by, again.call_id()), (flow, first.call_id()));
    }
}
