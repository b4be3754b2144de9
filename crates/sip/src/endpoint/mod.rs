//! The user agent core: transactions, INVITE usages and their dialogs behind one door.

mod again;
mod api;
mod callee;
mod caller;
mod large;
mod refresh;
mod reliable;
mod request;
mod response;
mod sent;
mod session;
mod subscription;
mod token;
mod usage;

pub use api::{
    Address, Admission, Alive, Body, Counters, DialogId, EndpointConfig, Event, Events, InviteId, Login,
    NewInvite, NewRequest, Output, RequestId, SentId, Series, SessionTimers, ShownTo, SubscriptionId, Why,
    Wire,
};
pub use subscription::EndReason;

use crate::dialog::{own_tag, tag_text};
use crate::steady::Steady;
use crate::transaction::client::{ClientNotice, ClientOutcome, ClientUser, Clients};
use crate::transaction::server::{ServerNotice, ServerUser, Servers};
use crate::{Flow, Message, ParseError, Replaces};
use bytes::Bytes;
use clock::{Time, Timers};
use sent::Sent;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use subscription::Subscriptions;
use token::Tokens;
use usage::{State, Usage, UsageTimer};

/// Judges a request that begins something new.
type Gate<'a> = dyn FnMut(&Flow, &Message) -> Admission + 'a;

/// The extensions that we know: what Supported says, and what a peer may require.
const EXTENSIONS: &str = "timer, 100rel, replaces";
/// Addresses of peers that are told another address of ours.
const MAX_SHOWN_TO: usize = 4_096;
/// What Supported says where a reliable provisional response could not be dealt with: one that makes an offer, and one
/// to a re-INVITE.
const WITHOUT_100REL: &str = "timer, replaces";

/// A SIP user agent without I/O (RFC 3261 sections 8 to 17).
///
/// Calls on a usage or a request that is over are ignored: they have lost a race. Malformed requests,
/// requests outside any dialog that name one, merged requests, unknown methods, extensions that are required
/// but not known, and requests beyond the limits are answered here and never reach the user; so are
/// retransmissions. Responses go back on the flow that the request came by, but on UDP without `rport` to
/// the port that Via names (18.2.2, RFC 3581).
#[derive(Debug)]
pub struct Endpoint {
    config: EndpointConfig,
    counters: Counters,
    tokens: Tokens,
    clients: Clients,
    servers: Servers,
    usages: Steady<InviteId, Usage>,
    /// How many of the usages are refused INVITEs whose ACK has not come.
    rejected: usize,
    by_tag: HashMap<u64, InviteId>,
    /// Our requests that are no INVITE and have no final response.
    sent: HashMap<SentId, Sent>,
    subscriptions: Subscriptions,
    timers: Timers<(InviteId, UsageTimer)>,
    last_invite: u64,
    last_request: u64,
    last_sent: u64,
}

impl Endpoint {
    /// An endpoint with nothing alive. `seed` is the source of its tags, branches and Call-IDs: it must be
    /// secret and fresh, except in a test.
    ///
    /// # Panics
    /// If T1 or T2 is zero: retransmissions would never stop.
    pub fn new(config: EndpointConfig, seed: [u8; 32]) -> Self {
        assert!(!config.timers.t1.is_zero() && !config.timers.t2.is_zero(), "T1 and T2 are above zero");
        Self {
            counters: Counters::default(),
            tokens: Tokens::new(seed),
            clients: Clients::new(config.timers),
            servers: Servers::new(config.timers),
            usages: Steady::default(),
            rejected: 0,
            by_tag: HashMap::new(),
            sent: HashMap::new(),
            subscriptions: Subscriptions::default(),
            timers: Timers::new(),
            last_invite: 0,
            last_request: 0,
            last_sent: 0,
            config,
        }
    }

    /// Takes one datagram or one framed message of a stream.
    pub fn receive(&mut self, now: Time, flow: Flow, bytes: Bytes, out: &mut Vec<Output>) {
        self.receive_through(now, flow, bytes, &mut |_, _| Admission::Admit(None), out);
    }

    /// The same, but a request that begins something new goes through `gate` before anything is kept of it:
    /// neither what belongs to a dialog nor a retransmission does.
    pub fn receive_through(
        &mut self,
        now: Time,
        flow: Flow,
        bytes: Bytes,
        gate: &mut Gate<'_>,
        out: &mut Vec<Output>,
    ) {
        match Message::parse(bytes) {
            Ok(message) if message.is_request() => self.receive_request(now, flow, message, gate, out),
            Ok(message) => self.receive_response(now, flow, message, out),
            Err(ParseError::Empty) => {}
            Err(error) => match error.answer() {
                Some((request, fault)) => {
                    self.counters.malformed += 1;
                    self.refuse(flow, request, fault, &[], out);
                }
                None => self.counters.dropped += 1,
            },
        }
    }

    /// The transport could not deliver to `flow`: ICMP, connect refused, or the stream closed. Over UDP only
    /// INVITEs without any response fail by it.
    pub fn flow_failed(&mut self, now: Time, flow: Flow, out: &mut Vec<Output>) {
        for notice in self.clients.flow_failed(now, &flow, out) {
            self.client_silent(now, notice, out);
        }
        if flow.connection != 0 {
            self.servers.stream_closed(flow.connection);
            for usage in self.usages.values_mut() {
                usage.stream_closed(flow.connection);
            }
            self.subscriptions.stream_closed(flow.connection);
        }
    }

    /// Fires all timers that are due.
    pub fn handle_timeout(&mut self, now: Time, out: &mut Vec<Output>) {
        while let Some(at) = self.next_timeout().filter(|at| *at <= now) {
            if self.clients.next_timeout() == Some(at) {
                if let Some(notice) = self.clients.fire(now, out) {
                    self.client_silent(now, notice, out);
                }
            } else if self.servers.next_timeout() == Some(at) {
                if let Some(notice) = self.servers.fire(now, out) {
                    self.server_notice(notice, out);
                }
            } else if self.subscriptions.next_timeout() == Some(at) {
                self.expire_subscription(now, out);
            } else if let Some((id, timer)) = self.timers.pop_due(now) {
                self.usage_timer(now, id, timer, out);
            }
        }
    }

    /// When `handle_timeout` wants to be called.
    pub fn next_timeout(&self) -> Option<Time> {
        let of_transactions = [self.clients.next_timeout(), self.servers.next_timeout()];
        let of_usages = [self.timers.next(), self.subscriptions.next_timeout()];
        of_transactions.into_iter().chain(of_usages).flatten().min()
    }

    /// Peers at an address are told this of our addresses from now on. `None`: what others are told.
    pub fn show_to(&mut self, peer: IpAddr, shown: Option<ShownTo>) {
        let Some(shown) = shown else {
            self.config.shown_to.remove(&peer);
            return;
        };
        if self.config.shown_to.len() >= MAX_SHOWN_TO && !self.config.shown_to.contains_key(&peer) {
            // Whoever is still there is told again with its next call.
            self.config.shown_to.clear();
        }
        self.config.shown_to.insert(peer, shown);
    }

    /// The same for all peers that are told something of their own, by whose they are.
    pub fn show_to_all(&mut self, mut shown: impl FnMut(&Arc<str>) -> Option<ShownTo>) {
        self.config.shown_to.retain(|_, told| shown(&told.whose).map(|shown| *told = shown).is_some());
    }

    /// What Via says of us in requests that go by a flow, and what Contact is to say.
    pub fn sent_by(&self, flow: &Flow) -> SocketAddr {
        self.config.sent_by(flow)
    }

    /// The Call-ID of a usage that is not over.
    pub fn call_id(&self, id: InviteId) -> Option<&str> {
        self.usages.get(&id).map(Usage::call_id)
    }

    /// Whether our INVITE has had no response at all; a challenge that was answered is one.
    pub fn is_silent(&self, id: InviteId) -> bool {
        let Some(Usage { state: State::Calling(calling), .. }) = self.usages.get(&id) else { return false };
        !calling.proceeding && self.clients.challenges(calling.key) == 0
    }

    /// The usage of ours that a Replaces names (RFC 3891 section 3): one with a session, or with an early dialog.
    pub fn replaced(&self, replaces: &Replaces) -> Option<InviteId> {
        let id = *self.by_tag.get(&own_tag(&replaces.to_tag)?)?;
        self.usages.get(&id)?.is_named_by(replaces).then_some(id)
    }

    /// The dialog of a usage as a Replaces names it; that of the first branch if our INVITE has forked. `None` if the usage
    /// is over, or has no dialog.
    pub fn dialog_id(&self, id: InviteId) -> Option<DialogId> {
        let usage = self.usages.get(&id)?;
        let remote_tag = usage.remote_tag()?;
        Some(DialogId {
            call_id: usage.call_id().into(),
            local_tag: tag_text(usage.tag),
            remote_tag: remote_tag.into(),
        })
    }

    /// What was dropped or answered without the user.
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// How much is alive.
    pub fn alive(&self) -> Alive {
        let (clients, client_timers) = self.clients.len();
        let (servers, server_timers) = self.servers.len();
        Alive {
            usages: self.usages.len(),
            transactions: clients + servers,
            subscriptions: self.subscriptions.len(),
            timers: client_timers + server_timers + self.timers.len() + self.subscriptions.timers(),
            indexed: self.by_tag.len()
                + self.sent.len()
                + self.subscriptions.indexed()
                + self.clients.indexed()
                + self.servers.indexed(),
        }
    }

    /// A client transaction ended without a response.
    fn client_silent(&mut self, now: Time, notice: ClientNotice, out: &mut Vec<Output>) {
        let status = match notice.outcome {
            ClientOutcome::Timeout => 408,
            ClientOutcome::TransportFailed => 503,
            ClientOutcome::Response => return,
        };
        match notice.user {
            ClientUser::Invite(id) => self.invite_failed(id, status, None, out),
            ClientUser::Reinvite(id) => self.reinvite_failed(now, id, notice.key, status, out),
            ClientUser::Refresh(id) => self.refresh_answered(now, id, status, None, out),
            ClientUser::Bye(id) => self.bye_answered(id, None, out),
            ClientUser::Request(id) => self.request_answered(now, id, status, None, out),
            ClientUser::Notify(id) => self.notify_answered(id, status, out),
            ClientUser::Prack(_) | ClientUser::Nobody => {}
        }
    }

    /// The ACK to a refusal of ours came, or never will.
    fn server_notice(&mut self, notice: ServerNotice, out: &mut Vec<Output>) {
        let (ServerNotice::Acked(user) | ServerNotice::NoAck(user)) = notice;
        let ServerUser::Invite(id) = user else { return };
        let Some(Usage { state: State::Rejected { status, .. }, .. }) = self.usages.get(&id) else { return };
        let status = Some(*status);
        self.end(id, out);
        out.push(Output::Event(Event::Ended { id, status, why: Why::Rejected }));
    }

    fn usage_timer(&mut self, now: Time, id: InviteId, timer: UsageTimer, out: &mut Vec<Output>) {
        match timer {
            UsageTimer::RepeatProgress => self.repeat_progress(now, id, out),
            UsageTimer::RepeatAnswer => self.repeat_answer(now, id, out),
            UsageTimer::AckOverdue => self.ack_overdue(now, id, out),
            UsageTimer::RetryReinvite => self.retry_reinvite(now, id, out),
            UsageTimer::Session => self.session_timer(now, id, out),
        }
    }

    /// Enters a usage under a number of its own.
    fn begin(&mut self, usage: Usage) -> InviteId {
        self.last_invite += 1;
        let id = InviteId(self.last_invite);
        self.by_tag.insert(usage.tag, id);
        self.usages.insert(id, usage);
        id
    }

    /// Removes a usage and all that points to it.
    fn end(&mut self, id: InviteId, out: &mut Vec<Output>) {
        let Some(usage) = self.usages.remove(&id) else { return };
        self.end_subscriptions_of(id, out);
        self.by_tag.remove(&usage.tag);
        self.rejected -= usize::from(matches!(usage.state, State::Rejected { .. }));
        for timer in UsageTimer::ALL {
            self.timers.cancel((id, timer));
        }
    }

    fn next_request(&mut self) -> RequestId {
        self.last_request += 1;
        RequestId(self.last_request)
    }
}
