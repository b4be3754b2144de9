//! What all contacts share: the endpoint, ports, timers, the log and the directories by id.

use crate::callbacks::Callbacks;
use crate::channels::Channels;
use crate::codecs::Codecs;
use crate::fraud::Accounts;
use crate::guard::{Ban, Guard};
use crate::locator::Locator;
use crate::overload::Overload;
use crate::ports::Ports;
use crate::queues::Queues;
use crate::random::Random;
use crate::register::ALLOW;
use crate::rooms::Rooms;
use crate::stir::Certificates;
use crate::trunks::Trunks;
use crate::users::Users;
use crate::values::Values;
use crate::voicemail::Voicemail;
use crate::watch::{ALLOW_EVENTS, Watches};
use crate::way::TlsPeers;
use crate::web::Web;
use crate::{Output, SwitchConfig};
use clock::{Duration, Time, Timers};
use dialplan::Config;
use events::{ContactId, Event, Kind, LegId, Party, SipDirection};
use rtp::control::{Command, PlayId, RecordingId, RoomId, StreamId};
use sip::{
    Endpoint, EndpointConfig, Flow, InviteId, Registrar, RegistrarConfig, RequestId, SentId, Verifier,
    VerifierConfig, Wire,
};
use std::collections::HashMap;
use std::sync::Arc;

/// A call has a caller and, in a ring group, a few phones at once; beyond that the endpoint sheds load.
const USAGES_A_CALL: usize = 4;
/// What is kept of answered requests, for their retransmissions: some 10,000 requests a second.
const MAX_TRANSACTIONS: usize = 349_525;

/// Deadlines of contacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// When to step the flow although nothing came: digit time-outs and the like.
    Flow(ContactId),
    /// When to wait no longer for a further key.
    Keys(LegId),
    /// When to give up a browser of which nothing comes.
    Lost(LegId),
    /// When to stop ringing.
    Ring(ContactId),
    /// When to refuse a party's fax whose other party has not answered.
    Fax(ContactId),
    /// When to ask a party once more to go back from fax to audio.
    Audio(ContactId),
    /// When to record again after a secret question.
    Secret(ContactId),
    /// When to stop ringing a supervisor.
    Supervise(ContactId),
    /// When to give up on an INVITE that nobody has responded to.
    Respond(InviteId),
    /// When to send a request again, or to give it up.
    Http(u64),
    /// When to bury a contact whose media engine did not report the end of a stream or recording.
    Linger(ContactId),
}

/// The listeners as the rest of the switch needs them.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    pub(crate) transport: sip::Transport,
    pub(crate) address: std::net::SocketAddr,
    /// What peers are told.
    pub(crate) shown: std::net::SocketAddr,
}

pub(crate) struct Core {
    pub(crate) config: SwitchConfig,
    pub(crate) now: Time,
    pub(crate) out: Vec<Output>,
    pub(crate) sip: Vec<sip::Output>,
    pub(crate) endpoint: Endpoint,
    pub(crate) registrar: Registrar,
    pub(crate) verifier: Verifier,
    pub(crate) guard: Guard,
    pub(crate) overload: Overload,
    pub(crate) trunks: Trunks,
    pub(crate) random: Random,
    pub(crate) channels: Channels,
    pub(crate) accounts: Accounts,
    pub(crate) ports: Ports,
    pub(crate) timers: Timers<Timer>,
    pub(crate) users: Users,
    pub(crate) rooms: Rooms,
    pub(crate) queues: Queues,
    pub(crate) callbacks: Callbacks,
    pub(crate) watches: Watches,
    pub(crate) listeners: Vec<Listener>,
    pub(crate) tls_peers: TlsPeers,
    /// What the listeners can send by.
    pub(crate) means: Vec<(sip::Transport, bool)>,
    pub(crate) locator: Locator,
    pub(crate) certificates: Certificates,
    pub(crate) web: Web,
    pub(crate) values: Values,
    pub(crate) voicemail: Voicemail,
    pub(crate) codecs: Codecs,
    pub(crate) media_address: std::net::IpAddr,
    pub(crate) invites: HashMap<InviteId, (ContactId, LegId)>,
    pub(crate) streams: HashMap<StreamId, ContactId>,
    pub(crate) recordings: HashMap<RecordingId, ContactId>,
    /// Our REFERs without a final response, by the leg that they went on.
    pub(crate) referrals: HashMap<SentId, LegId>,
    /// Requests that were passed on, and those whose answer waits for theirs.
    pub(crate) relayed: HashMap<SentId, RequestId>,
    /// Messages of an INVITE that arrived before its contact exists, until the end of the turn.
    early_wires: Vec<Wire>,
    next_seq: u64,
    next_contact: u64,
    next_number: u64,
}

impl Core {
    pub(crate) fn new(config: SwitchConfig, plan: &Config) -> Self {
        let listeners: Vec<Listener> = plan.node.listen.iter().map(listener).collect();
        let endpoint = Endpoint::new(
            EndpointConfig {
                user_agent: format!("Ringdown/{}", config.version),
                allow: ALLOW,
                shown: listeners.iter().map(|it| ((it.transport, it.address), it.shown)).collect(),
                shown_to: HashMap::new(),
                max_usages: plan.node.limits.calls as usize * USAGES_A_CALL,
                max_transactions: MAX_TRANSACTIONS,
                timers: sip::TimerValues::default(),
                session_timers: session_timers(plan),
                events: events(plan),
            },
            config.seed,
        );
        Self {
            now: Time::ZERO,
            out: Vec::new(),
            sip: Vec::new(),
            endpoint,
            registrar: registrar(plan),
            verifier: Verifier::new(VerifierConfig::new(other_seed(&config.seed, 0x5c))),
            guard: Guard::new(guard_secret(&config.seed)),
            overload: Overload::default(),
            trunks: Trunks::default(),
            random: Random::new(other_seed(&config.seed, 0x6a)),
            channels: Channels::default(),
            accounts: Accounts::default(),
            ports: Ports::default(),
            timers: Timers::new(),
            users: Users::default(),
            rooms: Rooms::default(),
            queues: Queues::new(other_seed(&config.seed, 0x71)),
            callbacks: Callbacks::default(),
            watches: Watches::default(),
            means: listeners.iter().map(|it| (it.transport, it.address.is_ipv4())).collect(),
            listeners,
            tls_peers: TlsPeers::default(),
            locator: Locator::default(),
            certificates: Certificates::default(),
            web: Web::default(),
            values: Values::default(),
            voicemail: Voicemail::default(),
            codecs: Codecs::new(&plan.node),
            media_address: plan.node.rtp.advertise.unwrap_or(plan.node.rtp.address),
            invites: HashMap::new(),
            streams: HashMap::new(),
            recordings: HashMap::new(),
            referrals: HashMap::new(),
            relayed: HashMap::new(),
            early_wires: Vec::new(),
            next_seq: config.first_seq,
            next_contact: config.first_contact,
            next_number: 1,
            config,
        }
    }

    /// Appends one event to the history.
    pub(crate) fn log(&mut self, contact: Option<ContactId>, kind: Kind) {
        let event = Event { seq: self.next_seq, at: self.now, contact, kind };
        self.next_seq += 1;
        self.out.push(Output::Event(event));
    }

    /// The number of the event that is logged next.
    pub(crate) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    pub(crate) fn media(&mut self, command: Command) {
        self.out.push(Output::Media(command));
    }

    pub(crate) fn new_contact(&mut self) -> ContactId {
        let id = ContactId(self.next_contact);
        self.next_contact += 1;
        id
    }

    pub(crate) fn new_leg(&mut self) -> LegId {
        LegId(self.new_number())
    }

    pub(crate) fn new_play(&mut self) -> PlayId {
        PlayId(self.new_number())
    }

    pub(crate) fn new_recording(&mut self) -> RecordingId {
        RecordingId(self.new_number())
    }

    pub(crate) fn new_room(&mut self) -> RoomId {
        RoomId(self.new_number())
    }

    pub(crate) fn new_request(&mut self) -> u64 {
        self.new_number()
    }

    fn new_number(&mut self) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        number
    }

    /// Puts a message into the ladder of its leg.
    pub(crate) fn log_wire(&mut self, wire: Wire) {
        let Some(invite) = wire.invite else { return };
        match self.invites.get(&invite) {
            Some(&(contact, leg)) => {
                let direction = if wire.sent { SipDirection::Sent } else { SipDirection::Received };
                let Wire { line, cseq, sdp, again, .. } = wire;
                self.log(Some(contact), Kind::Sip { leg, direction, line: line.into(), cseq, sdp, again });
            }
            None => self.early_wires.push(wire),
        }
    }

    /// Logs what came before the leg had a number: the INVITE itself and its 100.
    pub(crate) fn log_early_wires(&mut self, invite: InviteId) {
        for wire in std::mem::take(&mut self.early_wires) {
            if wire.invite == Some(invite) {
                self.log_wire(wire);
            } else {
                self.early_wires.push(wire);
            }
        }
    }

    /// What is left at the end of a turn belongs to INVITEs that became no contact.
    pub(crate) fn forget_early_wires(&mut self) {
        self.early_wires.clear();
    }

    /// The listener that a flow belongs to, or the first of its transport.
    pub(crate) fn listener(
        &self,
        transport: sip::Transport,
        local: Option<std::net::SocketAddr>,
    ) -> Option<&Listener> {
        let same = |listener: &&Listener| listener.transport == transport;
        self.listeners
            .iter()
            .filter(same)
            .find(|listener| Some(listener.address) == local)
            .or_else(|| self.listeners.iter().find(same))
    }

    /// Our Contact header field on a flow.
    pub(crate) fn contact_uri(&self, flow: &Flow) -> String {
        format!("<{}>", self.contact_for("ringdown", flow))
    }

    /// The URI of a user part of ours on a flow.
    pub(crate) fn contact_for(&self, user: &str, flow: &Flow) -> String {
        let shown = self.shown(flow);
        match flow.transport {
            sip::Transport::Udp => format!("sip:{user}@{shown}"),
            other => format!("sip:{user}@{shown};transport={}", other.uri_token()),
        }
    }

    /// What the peer of a flow is told of our address.
    pub(crate) fn shown(&self, flow: &Flow) -> std::net::SocketAddr {
        let listener = self.listener(flow.transport, Some(flow.local));
        self.endpoint.sent_by(&Flow { local: listener.map_or(flow.local, |it| it.address), ..*flow })
    }

    /// The server of a trunk at this address is told what the trunk is to be told.
    pub(crate) fn show_to_trunk(&mut self, peer: std::net::IpAddr, trunk: &Arc<str>) {
        self.endpoint.show_to(peer, self.trunks.shown_to(trunk));
    }

    /// The address of media as a party is told it.
    pub(crate) fn media_address_for(&self, party: &Party) -> std::net::IpAddr {
        let Party::Trunk(trunk) = party else { return self.media_address };
        self.trunks.advertised(trunk).map_or(self.media_address, |it| it.media)
    }

    pub(crate) fn log_ban(&mut self, ban: Ban) {
        let seconds = u32::try_from(ban.left.as_secs()).unwrap_or(u32::MAX);
        let Ban { address, reason, times, .. } = ban;
        self.log(None, Kind::SourceBanned { address, reason: reason.to_owned(), seconds, times });
    }

    /// What went by a flow has failed; the addresses of record of the users who were registered by it.
    pub(crate) fn flow_failed(&mut self, flow: Flow) -> Vec<String> {
        self.endpoint.flow_failed(self.now, flow, &mut self.sip);
        self.trunks_lost(flow);
        if flow.connection == 0 {
            return Vec::new();
        }
        let closed = self.registrar.flow_closed(flow.connection).into_iter().map(|(user, contact)| {
            self.users.stir_aor(&user);
            self.log(None, Kind::Unregistered { user: user.clone(), contact });
            user
        });
        closed.collect()
    }

    pub(crate) fn expire_registrations(&mut self) {
        for (user, contact) in self.registrar.expire(self.now) {
            self.users.stir_aor(&user);
            self.log(None, Kind::Unregistered { user, contact });
        }
    }
}

fn session_timers(plan: &Config) -> sip::SessionTimers {
    let dialplan::SessionTimer { expires, min } = plan.node.session_timer;
    let seconds = |duration: Duration| u32::try_from(duration.as_secs()).unwrap_or(u32::MAX);
    sip::SessionTimers { expires: seconds(expires), min: seconds(min) }
}

fn events(plan: &Config) -> sip::Events {
    let limits = &plan.node.limits;
    let expires = limits.subscribe_expires.clone();
    sip::Events { allow: ALLOW_EVENTS, expires, max: limits.subscriptions as usize }
}

fn registrar(plan: &Config) -> Registrar {
    let limits = &plan.node.limits;
    Registrar::new(RegistrarConfig {
        min_expires: Duration::from_secs((*limits.register_expires.start()).into()),
        max_expires: Duration::from_secs((*limits.register_expires.end()).into()),
        ..RegistrarConfig::default()
    })
}

fn guard_secret(seed: &[u8; 32]) -> u64 {
    let (first, _) = seed.split_first_chunk().unwrap_or((&[0; 8], &[]));
    u64::from_be_bytes(*first) ^ 0x3636_3636_3636_3636
}

/// What is not to follow from the endpoint's tags, which peers see, has a seed of its own.
fn other_seed(seed: &[u8; 32], pad: u8) -> [u8; 32] {
    seed.map(|byte| byte ^ pad)
}

/// A transport of the node file as SIP knows it.
pub fn transport(transport: dialplan::Transport) -> sip::Transport {
    match transport {
        dialplan::Transport::Udp => sip::Transport::Udp,
        dialplan::Transport::Tcp => sip::Transport::Tcp,
        dialplan::Transport::Tls => sip::Transport::Tls,
        dialplan::Transport::Ws => sip::Transport::Ws,
        dialplan::Transport::Wss => sip::Transport::Wss,
    }
}

fn listener(listen: &dialplan::Listen) -> Listener {
    let transport = transport(listen.transport);
    let shown = listen.advertise.unwrap_or(listen.address);
    Listener { transport, address: listen.address, shown }
}
