//! The back-to-back user agent: legs, bridges, flows and registrations joined; pure.
//!
//! A [`Switch`] takes SIP messages, media events and the passing of time, and gives SIP messages,
//! media commands and the event log. It owns no socket, clock, thread or file.

mod audit;
mod broken;
mod callbacks;
mod callers;
mod channels;
mod codecs;
mod contact;
mod core;
mod fraud;
mod gate;
mod guard;
mod identity;
mod inbound;
mod keypad;
mod leg;
mod locator;
mod message;
mod operator;
mod overload;
mod pickup;
mod ports;
mod protection;
mod queues;
mod random;
mod rate;
mod record;
mod refer;
mod register;
mod rooms;
mod stir;
mod supervise;
mod test_call;
#[cfg(test)]
mod testing;
mod transfer;
mod trunks;
mod users;
mod values;
mod voicemail;
mod watch;
mod way;
mod web;

pub use self::core::transport;
pub use callers::{CallerOrder, CallerRefused};
pub use fraud::Spent;
pub use guard::Ban;
pub use queues::{AgentOrder, AgentRefused, AgentStatus, QueueStatus};
pub use record::{RecordOrder, RecordRefused};
pub use rooms::{MemberState, RoomOrder, RoomRefused, RoomState};
pub use stir::Credentials;
pub use supervise::{SuperviseOrder, SuperviseRefused};
pub use test_call::TestCallRefused;
pub use transfer::{TransferOrder, TransferRefused};
pub use trunks::{RegistrationState, RestState, TargetState, TrunkState};
pub use voicemail::{MessageOrder, MessageRefused};
pub use way::TlsPeer;
pub use web::HttpAnswer;

use crate::broken::Broken;
use crate::codecs::Codecs;
use crate::contact::{Contact, Taped};
use crate::core::{Core, Timer};
use crate::fraud::Payer;
use crate::gate::Gate;
use crate::guard::{Look, Offence};
use bytes::Bytes;
use clock::Time;
use events::{ContactId, Kind};
use sip::{Flow, Method, Transport};
use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// What a switch is told once.
#[derive(Clone, Debug)]
pub struct SwitchConfig {
    /// Seed of tags, branches and nonces: from the operating system in production, a number in `sim`.
    pub seed: [u8; 32],
    /// Wall clock at [`Time::ZERO`], in microseconds since 1970.
    pub unix_micros_at_zero: i64,
    /// Number of the first event.
    pub first_seq: u64,
    /// Number of the first contact.
    pub first_contact: u64,
    /// Where recordings go; one folder a client below it.
    pub recordings: PathBuf,
    /// The program's version.
    pub version: &'static str,
    /// The version of the plan that it begins with, at least 1.
    pub plan_version: u64,
    /// Of the engine's certificate for DTLS; without one browsers have no media.
    pub fingerprint: Option<rtp::Fingerprint>,
}

/// A plan that takes the place of the one before.
#[derive(Clone, Debug)]
pub struct Applied {
    /// What has been checked.
    pub plan: Arc<dialplan::Config>,
    /// Its version.
    pub version: u64,
    /// Who wants it.
    pub by: Option<Arc<str>>,
    /// Why, if they said so.
    pub why: Option<Arc<str>>,
}

/// What the shell tells the switch.
#[derive(Clone, Debug)]
pub enum Input {
    /// A datagram, or one message framed from a stream.
    Sip {
        /// Between whom.
        flow: Flow,
        /// The message.
        bytes: Bytes,
    },
    /// An ICMP error, a refused connection, a closed stream.
    FlowFailed(Flow),
    /// From the media engine.
    Media(rtp::control::Event),
    /// What the DNS says to an [`Output::Dns`], or that it says nothing.
    Dns {
        /// As asked.
        question: sip::Question,
        /// The answer.
        answer: sip::Answer,
    },
    /// What was found where an [`Output::Certificate`] asked for, or why nothing was.
    Certificate {
        /// As asked.
        url: Arc<str>,
        /// A chain of certificates, PEM, or one of DER.
        found: Result<Bytes, String>,
    },
    /// What became of an [`Output::Http`].
    Http {
        /// As asked.
        id: u64,
        /// The answer, or why there is none.
        answer: HttpAnswer,
    },
    /// The files of STIR/SHAKEN that the plan names; it comes before the plan does.
    Credentials(Arc<Credentials>),
    /// The contacts that were registered when the log ended. It comes once, before anything else happens.
    Registrations(Vec<events::Registration>),
    /// Where agents were when the log ended: they go on there. It comes once, before anything else happens.
    Agents(Vec<events::AgentSeat>),
    /// Who was to be called back when the log ended. It comes once, before anything else happens.
    Callbacks(Vec<events::Callback>),
    /// What flows remembered when the log ended. It comes once, before anything else happens.
    Values(Vec<events::StoredValue>),
    /// The messages of callers that there were when the log ended, each with the length of its file in milliseconds, if that is
    /// there. It comes once, before anything else happens.
    Messages(Vec<(events::StoredMessage, Option<u64>)>),
    /// `next_timeout` has come.
    Timeout,
    /// A checked plan to use for new calls; those that are up stay on theirs.
    Apply(Applied),
    /// An operator ends a contact.
    Hangup(ContactId),
    /// Somebody has changed something by HTTP, or wanted to; it is logged.
    Requested {
        /// The contact that it was about, if it may be up.
        contact: Option<ContactId>,
        /// The account.
        by: Arc<str>,
        /// The method.
        method: Arc<str>,
        /// The path.
        path: Arc<str>,
        /// The status of the answer.
        status: u16,
    },
    /// What the shell has done with a recording once it was complete; it is logged.
    Recorded {
        /// The contact of the recording, which has ended mostly.
        contact: ContactId,
        /// One of `Recording…`.
        kind: Kind,
    },
    /// An agent has noted what came of a contact, which may be over; it is logged.
    Disposition {
        /// The contact.
        contact: ContactId,
        /// Its client.
        client: Arc<str>,
        /// What.
        disposition: Arc<str>,
        /// Who.
        by: Arc<str>,
    },
    /// Whether the shell is behind with what comes: while it is, requests that would begin something get 503.
    Overload(bool),
    /// No new calls; those that are up go on.
    Drain,
    /// An operator lifts the ban of an address.
    LiftBan(IpAddr),
    /// Ends every call at once, and takes back what trunks know of us.
    Shutdown,
}

/// What the switch asks of the shell.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send one SIP message.
    Send {
        /// Between whom; connection 0 on a stream means any connection to the peer, or a new one.
        flow: Flow,
        /// The message.
        bytes: Bytes,
    },
    /// For the media engine.
    Media(rtp::control::Command),
    /// Ask the DNS; [`Input::Dns`] answers.
    Dns(sip::Question),
    /// Fetch what is at this `https` URL; [`Input::Certificate`] answers.
    Certificate(Arc<str>),
    /// Send a request of a client's flow; [`Input::Http`] answers, if it is not cancelled.
    Http {
        /// Counts up.
        id: u64,
        /// Whose secrets, roots and private networks are meant.
        client: Arc<str>,
        /// What is sent.
        request: Arc<dialplan::HttpRequest>,
        /// When nobody waits any more.
        within: clock::Duration,
    },
    /// Nobody waits for an [`Output::Http`] any more.
    CancelHttp(u64),
    /// A message's file is not to be kept.
    RemoveFile(PathBuf),
    /// For the event log.
    Event(events::Event),
}

/// Counts of what is alive. All but `registrations`, `ports_ready`, `bans`, `dropped` and `shed` fall to zero when
/// nothing goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Contacts that have not ended.
    pub contacts: usize,
    /// Legs whose SIP side is not over.
    pub legs: usize,
    /// Media streams opened and not yet reported closed.
    pub streams: usize,
    /// Recordings begun and not yet reported ended.
    pub recordings: usize,
    /// Users that are being rung or talk.
    pub occupied_users: usize,
    /// Contacts of registered phones.
    pub registrations: usize,
    /// Subscriptions of phones: to users, to their messages, to transfers.
    pub subscriptions: usize,
    /// Deadlines of flows and dials.
    pub timers: usize,
    /// Requests of flows by HTTP under way.
    pub requests: usize,
    /// INVITE usages of the endpoint.
    pub usages: usize,
    /// SIP transactions of the endpoint.
    pub transactions: usize,
    /// RTP ports in hand.
    pub ports_ready: usize,
    /// Sources that are banned.
    pub bans: usize,
    /// Messages that were dropped unread since the switch began: of banned sources, or beyond a rate.
    pub dropped: u64,
    /// Requests that overload has turned away since the switch began.
    pub shed: u64,
    /// Version of the plan that new calls get.
    pub plan_version: u64,
    /// Contacts that go on with a plan from before it.
    pub former_plans: usize,
    /// Whether new calls are refused.
    pub draining: bool,
}

/// The node's signalling: every call, registration and flow.
pub struct Switch {
    core: Core,
    contacts: HashMap<ContactId, Box<Contact>>,
    plan: Arc<dialplan::Config>,
    plan_version: u64,
    admission: Admission,
    broken: Broken,
}

/// Whether new calls are taken, and how far a shutdown is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Admission {
    Open,
    Draining,
    /// Every call has been hung up on; the last answers are awaited.
    Stopping,
    /// `NodeStopped` is in the log.
    Stopped,
}

impl Switch {
    /// A switch without calls. Its first output is on the first `handle`: `NodeStarted` and `ConfigApplied`.
    pub fn new(config: SwitchConfig, plan: Arc<dialplan::Config>) -> Self {
        let core = Core::new(config, &plan);
        Self {
            core,
            contacts: HashMap::new(),
            plan,
            plan_version: 0,
            admission: Admission::Open,
            broken: Broken::default(),
        }
    }

    /// Takes one input and appends what follows from it. `now` never goes back.
    pub fn handle(&mut self, now: Time, input: Input, out: &mut Vec<Output>) {
        self.within_turn(now, out, |switch| switch.take(input));
    }

    /// Does something and all that follows from it.
    fn within_turn<R>(&mut self, now: Time, out: &mut Vec<Output>, work: impl FnOnce(&mut Self) -> R) -> R {
        self.core.now = now;
        std::mem::swap(&mut self.core.out, out);
        if self.plan_version == 0 {
            self.begin();
        }
        let done = work(self);
        self.settle();
        std::mem::swap(&mut self.core.out, out);
        done
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Sip { flow, bytes } => self.on_message(flow, bytes),
            Input::FlowFailed(flow) => {
                for aor in self.core.flow_failed(flow) {
                    let user = aor.rsplit_once('@').map_or(&*aor, |(user, _)| user);
                    self.with_calls_of(user, |contact, _| contact.on_cut(flow.connection, user));
                }
            }
            Input::Media(event) => self.on_media(event),
            Input::Dns { question, answer } => self.core.answered(&question, &answer),
            Input::Certificate { url, found } => self.core.certificate_found(url, found),
            Input::Http { id, answer } => self.core.http_answered(id, answer),
            Input::Credentials(credentials) => self.core.certificates.apply(credentials),
            Input::Registrations(registrations) => {
                self.core.restore_registrations(&Arc::clone(&self.plan), registrations);
            }
            Input::Values(values) => self.core.values.restore(values),
            Input::Agents(seats) => self.restore_agents(&seats),
            Input::Callbacks(callbacks) => self.restore_callbacks(callbacks),
            Input::Messages(messages) => self.core.restore_messages(messages),
            Input::Timeout => self.on_timeout(),
            Input::Apply(applied) => self.apply_plan(applied),
            Input::Hangup(id) => self.with_contact(id, Contact::end_by_operator),
            Input::Requested { contact, by, method, path, status } => {
                let contact = contact.filter(|contact| self.contacts.contains_key(contact));
                self.core.log(contact, Kind::Requested { by, method, path, status });
            }
            Input::Recorded { contact, kind } => self.core.log(Some(contact), kind),
            Input::Disposition { contact, client, disposition, by } => {
                self.core.log(Some(contact), Kind::DispositionNoted { client, disposition, by });
            }
            Input::Overload(is_on) => self.overload(is_on),
            Input::Drain if self.admission == Admission::Open => self.admission = Admission::Draining,
            Input::Drain => {}
            Input::LiftBan(address) => self.lift_ban(address),
            Input::Shutdown => self.shutdown(),
        }
    }

    /// When to come back with [`Input::Timeout`].
    pub fn next_timeout(&self) -> Option<Time> {
        let core = &self.core;
        let of_calls = [core.endpoint.next_timeout(), core.timers.next()];
        let of_others =
            [core.registrar.next_timeout(), core.trunks.next_timeout(), core.locator.next_timeout()];
        let of_others =
            of_others.into_iter().chain([core.certificates.next_timeout(), core.queues.acd.next_timeout()]);
        let of_others = of_others.chain([core.voicemail.next_timeout()]);
        of_calls.into_iter().chain(of_others).flatten().min()
    }

    fn on_message(&mut self, flow: Flow, bytes: Bytes) {
        let core = &mut self.core;
        match core.guard.look(core.now, &self.plan, &flow, &bytes) {
            Look::Read => {}
            Look::Drop => return,
            Look::Ban(ban) => return core.log_ban(ban),
        }
        if flow.transport == Transport::Udp && sip::stun::is_stun(&bytes) {
            let answer = sip::stun::answer(&bytes, flow.peer);
            return core.out.extend(answer.map(|bytes| Output::Send { flow, bytes }));
        }
        let Core { endpoint, verifier, guard, overload, trunks, now, sip, .. } = core;
        let mut gate = Gate { now: *now, plan: &self.plan, overload, trunks, verifier, guard, banned: None };
        let mut admit = |flow: &Flow, request: &sip::Message| gate.admit(flow, request);
        endpoint.receive_through(*now, flow, bytes, &mut admit, sip);
        let mut banned = gate.banned;
        let observed = self.broken.observe(*now, flow.peer, endpoint.counters());
        if observed.is_broken {
            banned = banned.or(guard.suspect(*now, &self.plan, &flow, (Offence::Malformed, false)));
        }
        if let Some(text) = observed.alarm {
            core.log(None, Kind::Alarm { text });
        }
        if let Some(ban) = banned {
            core.log_ban(ban);
        }
    }

    /// Whoever waits for the DNS looks again.
    fn tell_located(&mut self) {
        let contacts = self.contacts.iter().filter(|(_, contact)| contact.is_locating());
        let mut waiting: Vec<_> = contacts.map(|(id, _)| *id).collect();
        waiting.sort_unstable();
        for id in waiting {
            self.with_contact(id, Contact::on_located);
        }
        self.core.trunks_located();
    }

    /// Whoever waits for a certificate looks again.
    fn tell_certified(&mut self) {
        let contacts = self.contacts.iter().filter(|(_, contact)| contact.is_vouching());
        let mut waiting: Vec<_> = contacts.map(|(id, _)| *id).collect();
        waiting.sort_unstable();
        for id in waiting {
            self.with_contact(id, Contact::vouch);
        }
    }

    fn overload(&mut self, is_on: bool) {
        if let Some(text) = self.core.overload.set(self.core.now, is_on) {
            self.core.log(None, Kind::Alarm { text });
        }
    }

    /// Whom the domain of a flow means.
    pub fn tls_peer(&self, domain: u32) -> Option<&TlsPeer> {
        self.core.tls_peers.get(domain)
    }

    /// What clients and their users have used of their fraud limits; see [`Spent`].
    pub fn spent(&self, now: Time) -> Vec<Spent> {
        self.core.accounts.spent(now, &self.plan)
    }

    fn begin(&mut self) {
        let core = &mut self.core;
        let unix_micros =
            core.config.unix_micros_at_zero + i64::try_from(core.now.micros()).unwrap_or(i64::MAX);
        core.log(None, Kind::NodeStarted { unix_micros, version: core.config.version.to_owned() });
        let (plan, version) = (Arc::clone(&self.plan), core.config.plan_version);
        self.apply_plan(Applied { plan, version, by: None, why: None });
    }

    fn apply_plan(&mut self, Applied { plan, version, by, why }: Applied) {
        self.core.guard.apply(&plan);
        self.core.channels.retain(|trunk| plan.trunk(trunk).is_some());
        self.core.accounts.retain(|payer| match payer {
            Payer::Client(client) => plan.client_named(client).is_some(),
            Payer::User(user) => plan.user(user).is_some(),
        });
        self.core.web.retain(|client| plan.client_named(client).is_some());
        self.core.codecs = Codecs::new(&plan.node);
        self.core.apply_queues(&plan);
        self.plan = plan;
        self.plan_version = version;
        self.core.log(None, Kind::ConfigApplied { version, by, why });
        self.end_unplanned_watches();
        self.apply_mailboxes();
        if !matches!(self.admission, Admission::Stopping | Admission::Stopped) {
            self.core.apply_trunks(&self.plan);
        }
    }

    /// Works until nothing that the input caused is left: one SIP event may cause the next.
    fn settle(&mut self) {
        self.settle_sip();
        loop {
            let (certified, located) = (self.core.certificates.take_news(), self.core.locator.take_news());
            if certified {
                self.tell_certified();
            }
            if located {
                self.tell_located();
            }
            let answered = self.tell_answered();
            let queued = self.tell_queues();
            let met = self.tell_rooms();
            let left = self.tell_mailboxes();
            // Last, since the others make news.
            let watched = self.tell_watchers();
            if !certified && !located && !answered && !queued && !met && !left && !watched {
                break;
            }
            self.settle_sip();
        }
        self.core.forget_early_wires();
        let calls = self.contacts.len() + self.core.watches.len() + self.core.web.len();
        let is_left = calls == 0 && self.core.trunks.are_left();
        if self.admission == Admission::Stopping && is_left {
            self.admission = Admission::Stopped;
            self.core.log(None, Kind::NodeStopped);
        }
    }

    fn settle_sip(&mut self) {
        while !self.core.sip.is_empty() {
            let mut batch = std::mem::take(&mut self.core.sip);
            for output in batch.drain(..) {
                match output {
                    sip::Output::Send { flow, bytes } => self.core.out.push(Output::Send { flow, bytes }),
                    sip::Output::Wire(wire) => self.core.log_wire(wire),
                    sip::Output::Event(event) => self.on_sip(event),
                }
            }
            if self.core.sip.is_empty() {
                self.core.sip = batch; // keeps its capacity
            }
        }
    }

    /// Whether the shutdown is through: no call, no subscription, no request and no registration of ours is left, and the log
    /// says so.
    pub fn is_stopped(&self) -> bool {
        self.admission == Admission::Stopped
    }

    /// Whether new calls are refused.
    fn is_draining(&self) -> bool {
        self.admission != Admission::Open
    }

    fn on_sip(&mut self, event: sip::Event) {
        use sip::Event as E;
        match event {
            E::Invite { id, flow, message, user } => self.on_invite(id, flow, &message, user),
            E::Request { request, invite: Some(invite), message, .. }
                if *message.method() == Method::Refer =>
            {
                self.on_refer(request, invite, &message);
            }
            E::Request { request, invite: Some(id), message, .. }
                if matches!(message.method(), Method::Update | Method::Prack) =>
            {
                self.with_leg(id, |contact, core, leg| contact.on_reinvite(core, leg, request, &message));
            }
            E::Request { request, invite: Some(id), message, .. } if *message.method() == Method::Notify => {
                self.with_leg(id, |contact, core, leg| contact.on_notified(core, leg, request, &message));
            }
            E::Request { request, invite: Some(id), message, .. } if *message.method() == Method::Info => {
                self.with_leg(id, |contact, core, leg| contact.on_info(core, leg, request, &message));
            }
            E::Request { request, invite: Some(id), message, .. } if *message.method() == Method::Message => {
                self.on_message_within(request, id, &message);
            }
            E::Request { request, flow, message, user, .. } => self.on_request(request, flow, &message, user),
            E::Cancelled { id, .. } => self.with_leg(id, Contact::on_cancelled),
            E::Progress { id, message } => self.with_leg(id, |contact, core, leg| {
                contact.on_progress(core, leg, &message);
            }),
            E::Answered { id, message } => self.with_leg(id, |contact, core, leg| {
                contact.on_answered(core, leg, &message);
            }),
            E::Failed { id, status, message } => self.with_leg(id, |contact, core, leg| {
                contact.on_failed(core, leg, status, message.as_ref());
            }),
            E::Acked { id, message } => self.with_leg(id, |contact, core, leg| {
                contact.on_acked(core, leg, &message);
            }),
            E::Reinvite { id, request, message } => self.with_leg(id, |contact, core, leg| {
                contact.on_reinvite(core, leg, request, &message);
            }),
            E::RefreshDue { id } => self.with_leg(id, Contact::on_refresh_due),
            E::ReinviteAnswered { id, message } => self.with_leg(id, |contact, core, leg| {
                contact.on_reinvite_answered(core, leg, &message);
            }),
            E::ReinviteFailed { id, status } => self.with_leg(id, |contact, core, leg| {
                contact.on_reinvite_failed(core, leg, status);
            }),
            E::NotifyDue { id } => self.notify(id),
            E::Unsubscribed { id } => self.core.watches.forget(id),
            E::Response { id, status, .. } if self.core.referrals.contains_key(&id) => {
                if let Some(leg) = self.core.referrals.remove(&id) {
                    let stream = leg::stream_of(leg);
                    self.with_stream(stream, |contact, core, leg| contact.on_referred(core, leg, status));
                }
            }
            E::Response { id, status, message } => self.core.on_response(id, status, message.as_ref()),
            E::Bye { id, .. } => self.with_leg(id, Contact::on_bye),
            E::Ended { id, status, why } => self.with_leg(id, |contact, core, leg| {
                contact.on_usage_ended(core, leg, status, why.as_str());
            }),
        }
    }

    fn on_media(&mut self, event: rtp::control::Event) {
        use rtp::control::Event as E;
        match event {
            E::Ready(ports) => self.core.ports.add(ports),
            E::Alarm(text) => self.core.log(None, Kind::Alarm { text }),
            E::RecordingEnded { recording, path, millis, spoken_millis, error } => {
                if let Some(id) = self.core.recordings.remove(&recording) {
                    let taped = Taped { path: &path, millis, spoken_millis, error };
                    self.with_contact(id, |contact, core| contact.on_recording_ended(core, recording, taped));
                }
            }
            E::PartyQuiet { recording } => {
                if let Some(&id) = self.core.recordings.get(&recording) {
                    self.with_contact(id, |contact, core| contact.on_party_quiet(core, recording));
                }
            }
            E::Digit { stream, digit, .. } => self.with_stream(stream, |contact, core, leg| {
                contact.on_digit(core, leg, digit);
            }),
            E::PlayEnded { stream, play, end } => self.with_stream(stream, |contact, core, _| {
                contact.on_play_ended(core, play, end);
            }),
            E::Started { stream, peer } => self.with_stream(stream, |contact, core, leg| {
                core.log(Some(contact.id), Kind::MediaStarted { leg, peer: peer.to_string().into() });
            }),
            E::Silent { stream, millis } => self.with_stream(stream, |contact, core, leg| {
                core.log(Some(contact.id), Kind::MediaSilent { leg, millis });
            }),
            E::Lost { stream } => self.with_stream(stream, Contact::on_lost),
            E::Back { stream } => self.with_stream(stream, Contact::on_back),
            E::Speaker { room, stream } => self.core.rooms.set_speaker(room, stream),
            E::OneWay { stream, missing } => self.with_stream(stream, |contact, core, leg| {
                let missing = match missing {
                    rtp::control::Missing::From => events::Missing::From,
                    rtp::control::Missing::To => events::Missing::To,
                };
                contact.on_one_way(core, leg, missing);
            }),
            E::Closed { stream, stats } => {
                self.with_stream(stream, |contact, core, leg| contact.on_stream_closed(core, leg, &stats));
                self.core.streams.remove(&stream);
            }
        }
    }

    fn on_timeout(&mut self) {
        let now = self.core.now;
        self.core.endpoint.handle_timeout(now, &mut self.core.sip);
        self.core.expire_registrations();
        self.core.give_up_questions();
        self.core.give_up_certificates();
        self.core.run_trunks();
        self.expire_messages();
        self.core.queues.handle(now, acd::Input::Timeout);
        while let Some(timer) = self.core.timers.pop_due(now) {
            match timer {
                Timer::Flow(id) => self.with_contact(id, Contact::on_flow_timeout),
                Timer::Keys(leg) => {
                    self.with_stream(leg::stream_of(leg), Contact::on_keys_timeout);
                }
                Timer::Lost(leg) => {
                    self.with_stream(leg::stream_of(leg), Contact::on_lost_timeout);
                }
                Timer::Ring(id) => self.with_contact(id, Contact::on_ring_timeout),
                Timer::Fax(id) => self.with_contact(id, Contact::on_fax_timeout),
                // Settling it is enough.
                Timer::Audio(id) => self.with_contact(id, |_, _| {}),
                Timer::Secret(id) => self.with_contact(id, Contact::on_secret_timeout),
                Timer::Supervise(id) => self.with_contact(id, Contact::on_supervise_timeout),
                Timer::Respond(invite) => self.with_leg(invite, Contact::on_respond_timeout),
                Timer::Http(id) => self.core.on_request_timeout(id),
                Timer::Linger(id) => self.with_contact(id, Contact::on_linger_timeout),
            }
        }
    }

    fn shutdown(&mut self) {
        if self.admission != Admission::Stopped {
            self.admission = Admission::Stopping;
        }
        let mut ids: Vec<_> = self.contacts.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            self.with_contact(id, Contact::end_by_operator);
        }
        self.end_watches();
        self.core.leave_trunks();
    }

    fn with_leg(&mut self, invite: sip::InviteId, work: impl FnOnce(&mut Contact, &mut Core, events::LegId)) {
        if let Some(&(id, leg)) = self.core.invites.get(&invite) {
            self.with_contact(id, |contact, core| work(contact, core, leg));
        }
    }

    fn with_stream(
        &mut self,
        stream: rtp::control::StreamId,
        work: impl FnOnce(&mut Contact, &mut Core, events::LegId),
    ) {
        if let Some(&id) = self.core.streams.get(&stream) {
            self.with_contact(id, |contact, core| work(contact, core, leg::leg_of(stream)));
        }
    }

    /// Lets all contacts work that have a user.
    fn with_calls_of(&mut self, user: &str, mut work: impl FnMut(&mut Contact, &mut Core)) {
        for id in self.core.users.contacts_of(user).to_vec() {
            self.with_contact(id, &mut work);
        }
    }

    /// Lets a contact work, and buries it when nothing of it is left.
    fn with_contact(&mut self, id: ContactId, work: impl FnOnce(&mut Contact, &mut Core)) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        work(contact, &mut self.core);
        if contact.settle(&mut self.core) {
            self.contacts.remove(&id);
        }
    }
}
