//! The client transactions that are alive.

use super::{
    Action, ClientInput, Outgoing, StatusClass, Timer, TimerValues, client_invite, client_non_invite,
};
use crate::endpoint::{EndpointConfig, InviteId, Output, SentId, SubscriptionId};
use crate::steady::Steady;
use crate::{Flow, Message, Method, Name, RequestBuilder, Transport, Via};
use bytes::Bytes;
use clock::{Duration, Time, Timers};
use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;

/// Branches of one INVITE whose 2xx are acknowledged again; a fork wider than this is answered once a branch.
const MAX_ACKS: usize = 16;

/// How many T1 a server has to respond to a request that goes by TCP for its size, before it is sent by UDP.
const STREAM_TRIAL: u32 = 4;
/// How long it is remembered that a server did not.
const NO_STREAM: Duration = Duration::from_secs(300);
/// Such servers that are remembered.
const MAX_NO_STREAM: usize = 1_024;

/// Names a client transaction. Our branches are random, so the branch alone tells them apart (17.1.3);
/// only a CANCEL shares its INVITE's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ClientKey {
    branch: u64,
    cancel: bool,
}

/// What finds the transactions that a failed flow ends.
type FlowKey = (Transport, u64, SocketAddr, ClientKey);

fn flow_key(flow: &Flow, key: ClientKey) -> FlowKey {
    (flow.transport, flow.connection, flow.peer, key)
}

impl ClientKey {
    const FIRST: Self = Self { branch: 0, cancel: false };
    const LAST: Self = Self { branch: u64::MAX, cancel: true };

    /// The transaction of a request with this branch that is no CANCEL.
    pub(crate) const fn new(branch: u64) -> Self {
        Self { branch, cancel: false }
    }

    /// The transaction of the CANCEL that goes with this INVITE.
    pub(crate) const fn cancelling(self) -> Self {
        Self { branch: self.branch, cancel: true }
    }

    /// The transaction that a response belongs to, judged by its only Via and its CSeq method.
    pub(crate) fn of_response(response: &Message) -> Option<Self> {
        let mut vias = response.header_values(Name::Via);
        let via = Via::parse(vias.next()?).ok()?;
        if vias.next().is_some() {
            return None;
        }
        let digits = via.branch()?.strip_prefix(Via::MAGIC_COOKIE)?;
        let branch = u64::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 16)?;
        Some(Self { branch, cancel: *response.method() == Method::Cancel })
    }

    /// The Via header field of a request that belongs to the transaction and goes by `flow`.
    pub(crate) fn via(self, config: &EndpointConfig, flow: &Flow) -> String {
        self.via_with(flow.transport, config.sent_by(flow))
    }

    /// The same with a sent-by that is given.
    pub(crate) fn via_with(self, transport: Transport, sent_by: SocketAddr) -> String {
        let transport = transport.via_token();
        format!("SIP/2.0/{transport} {sent_by};rport;branch={}{:016x}", Via::MAGIC_COOKIE, self.branch)
    }
}

/// Who wants to hear of a client transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientUser {
    /// The INVITE that begins a usage.
    Invite(InviteId),
    /// A re-INVITE of a usage.
    Reinvite(InviteId),
    /// What shows that a session lives: an UPDATE or OPTIONS of ours within it.
    Refresh(InviteId),
    /// A PRACK to a response to the INVITE that begins a usage.
    Prack(InviteId),
    /// The BYE that ends a usage.
    Bye(InviteId),
    /// A NOTIFY of a subscription.
    Notify(SubscriptionId),
    /// Any other request.
    Request(SentId),
    /// Nobody: a CANCEL, or what outlives its usage.
    Nobody,
}

/// What a client transaction tells its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientOutcome {
    /// The response that was just received.
    Response,
    /// No final response came in time.
    Timeout,
    /// The request could not be delivered.
    TransportFailed,
}

/// A client transaction's word to its user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientNotice {
    /// Which transaction.
    pub(crate) key: ClientKey,
    /// Whose.
    pub(crate) user: ClientUser,
    /// What.
    pub(crate) outcome: ClientOutcome,
}

/// A client transaction to begin.
#[derive(Debug)]
pub(crate) struct NewClient {
    /// Its name, whose branch is in the request's Via.
    pub(crate) key: ClientKey,
    /// Whether the request is an INVITE.
    pub(crate) is_invite: bool,
    /// The request.
    pub(crate) request: Outgoing,
    /// Who wants to hear of it.
    pub(crate) user: ClientUser,
    /// The usage that the ladder shows it with.
    pub(crate) invite: Option<InviteId>,
    /// How many challenges were answered before this request.
    pub(crate) challenges: u8,
}

/// A request that is too large for a datagram as it goes by TCP (RFC 3261 section 18.1.1).
#[derive(Debug)]
pub(crate) struct Streamed(pub(crate) Outgoing);

#[derive(Debug)]
struct Client {
    machine: Machine,
    user: ClientUser,
    invite: Option<InviteId>,
    /// The way that the request was to go, if it is too large for that.
    meant: Option<Box<Flow>>,
    trial: Trial,
    last: Last,
    interval: Duration,
    challenges: u8,
}

/// Whether a request goes by TCP for its size.
#[derive(Debug)]
enum Trial {
    /// No, or something has come back by it.
    No,
    /// It has, and nothing has come back: this is the request as it goes by UDP.
    Runs(Box<Outgoing>),
    /// It had, and nothing came back: since then it goes by UDP.
    FellBack(Time),
}

#[derive(Clone, Copy, Debug)]
enum Machine {
    Invite(client_invite::State),
    NonInvite(client_non_invite::State),
}

/// What may have to be sent again.
#[derive(Debug)]
enum Last {
    /// The request; once a 300–699 came to an INVITE, its ACK.
    One(Outgoing),
    /// The ACKs to the 2xx of an INVITE, by To tag.
    Acks(Vec<(Box<str>, Outgoing)>),
}

impl Machine {
    fn start(&self) -> &'static [Action] {
        match self {
            Self::Invite(_) => client_invite::START,
            Self::NonInvite(_) => client_non_invite::START,
        }
    }

    fn step(&mut self, input: ClientInput) -> Option<&'static [Action]> {
        match self {
            Self::Invite(state) => {
                let (next, actions) = client_invite::step(*state, input)?;
                *state = next;
                Some(actions)
            }
            Self::NonInvite(state) => {
                let (next, actions) = client_non_invite::step(*state, input)?;
                *state = next;
                Some(actions)
            }
        }
    }

    const fn is_terminated(&self) -> bool {
        matches!(
            self,
            Self::Invite(client_invite::State::Terminated)
                | Self::NonInvite(client_non_invite::State::Terminated)
        )
    }

    /// Whether no flow that fails can end it: it is over, or its dialog lives by flows of its own.
    const fn has_no_flow(&self) -> bool {
        self.is_terminated() || matches!(self, Self::Invite(client_invite::State::Accepted))
    }

    /// The timer by which it repeats its request.
    const fn repeats(&self) -> Timer {
        match self {
            Self::Invite(_) => Timer::A,
            Self::NonInvite(_) => Timer::E,
        }
    }

    /// Whether it is an INVITE without any response.
    const fn is_calling(&self) -> bool {
        matches!(self, Self::Invite(client_invite::State::Calling))
    }

    /// Whether a response can only be one that was seen before.
    const fn has_final(&self) -> bool {
        matches!(
            self,
            Self::Invite(client_invite::State::Completed | client_invite::State::Accepted)
                | Self::NonInvite(client_non_invite::State::Completed)
        )
    }
}

/// The client transactions that are alive.
#[derive(Debug)]
pub(crate) struct Clients {
    values: TimerValues,
    alive: Steady<ClientKey, Client>,
    by_flow: BTreeSet<FlowKey>,
    timers: Timers<(ClientKey, Timer)>,
    /// Until when a request that goes by TCP for its size may have no response.
    trials: Timers<ClientKey>,
    /// The servers that take nothing by TCP, and until when that is believed.
    no_stream: HashMap<SocketAddr, Time>,
}

impl Clients {
    /// None.
    pub(crate) fn new(values: TimerValues) -> Self {
        Self {
            values,
            alive: Steady::default(),
            by_flow: BTreeSet::new(),
            timers: Timers::new(),
            trials: Timers::new(),
            no_stream: HashMap::new(),
        }
    }

    /// Begins a transaction and sends its request, as `streamed` if that is given: then, if nothing comes back, by UDP.
    pub(crate) fn start(
        &mut self,
        now: Time,
        new: NewClient,
        streamed: Option<Streamed>,
        out: &mut Vec<Output>,
    ) {
        let NewClient { key, is_invite, request, user, invite, challenges } = new;
        let (request, meant, trial) = match streamed {
            Some(Streamed(streamed)) => {
                self.trials.set(key, now + self.values.t1 * STREAM_TRIAL);
                (streamed, Some(Box::new(request.flow)), Trial::Runs(Box::new(request)))
            }
            None => (request, None, Trial::No),
        };
        let machine = match is_invite {
            true => Machine::Invite(client_invite::State::Calling),
            false => Machine::NonInvite(client_non_invite::State::Trying),
        };
        let interval = self.values.t1;
        self.by_flow.insert(flow_key(&request.flow, key));
        let last = Last::One(request);
        let client = Client { machine, user, invite, meant, trial, last, interval, challenges };
        self.alive.insert(key, client);
        let notice = self.act(now, key, machine.start(), None, out);
        debug_assert!(notice.is_none(), "nothing has come back yet");
    }

    /// Takes a response: whether it belongs to a transaction, and what that tells its user.
    pub(crate) fn response(
        &mut self,
        now: Time,
        response: &Message,
        out: &mut Vec<Output>,
    ) -> (bool, Option<ClientNotice>) {
        let matched = ClientKey::of_response(response).and_then(|key| Some((key, self.alive.get(&key)?)));
        let (Some((key, client)), Some(status)) = (matched, response.status()) else {
            return (false, None);
        };
        out.push(super::received(response, client.invite, client.machine.has_final()));
        let unwanted = client.user == ClientUser::Nobody && client.machine.is_calling();
        self.stay_with_stream(key);
        let input = ClientInput::Response(StatusClass::of(status));
        let notice = self.input(now, key, input, Some(response), out);
        if unwanted {
            // A provisional response stops Timer B, and nobody else would end the transaction.
            self.give_up_later(now, key);
        }
        (true, notice)
    }

    /// Ends the transactions whose request cannot be delivered over `flow`, in the order of their keys.
    ///
    /// Of datagrams only INVITEs that got no response at all: a single one that the network returned, to a
    /// phone that restarts or by anyone who forges ICMP, must not end what rings or keep a BYE from being
    /// repeated. Their timers end them if the peer is gone.
    pub(crate) fn flow_failed(&mut self, now: Time, flow: &Flow, out: &mut Vec<Output>) -> Vec<ClientNotice> {
        let mut keys = self.keys_on(&Flow { connection: 0, ..*flow });
        if flow.connection != 0 {
            keys.extend(self.keys_on(flow));
        }
        if !flow.transport.is_reliable() {
            let is_calling = |client: &Client| client.machine.is_calling();
            keys.retain(|key| self.alive.get(key).is_some_and(is_calling));
        }
        keys.sort_unstable();
        keys.retain(|key| !self.end_trial(now, *key, out));
        let failed = |key| self.input(now, key, ClientInput::TransportError, None, out);
        keys.into_iter().filter_map(failed).collect()
    }

    /// Sends a request by UDP that has gone by TCP for its size and has no response, unless it has been sent so already: the time
    /// when it was; `None` if it is none.
    pub(crate) fn fall_back(&mut self, now: Time, key: ClientKey, out: &mut Vec<Output>) -> Option<Time> {
        self.end_trial(now, key, out);
        match self.alive.get(&key)?.trial {
            Trial::FellBack(at) => Some(at),
            Trial::No | Trial::Runs(_) => None,
        }
    }

    /// Sends a request by UDP that goes by TCP for its size and has no response; false if it is none.
    ///
    /// It keeps its branch and its sent-by: should the server have it by TCP all the same, it takes this for a
    /// retransmission.
    fn end_trial(&mut self, now: Time, key: ClientKey, out: &mut Vec<Output>) -> bool {
        let Some(client) = self.alive.get_mut(&key) else { return false };
        let (Trial::Runs(request), Last::One(streamed)) = (&client.trial, &client.last) else { return false };
        self.trials.cancel(key);
        self.by_flow.remove(&flow_key(&streamed.flow, key));
        self.by_flow.insert(flow_key(&request.flow, key));
        request.send(client.invite, true, out);
        let server = request.flow.peer;
        client.last = Last::One(Outgoing::clone(request));
        client.meant = None;
        client.trial = Trial::FellBack(now);
        client.interval = self.values.t1;
        self.timers.set((key, client.machine.repeats()), now + self.values.t1);
        if self.no_stream.len() >= MAX_NO_STREAM {
            self.no_stream.retain(|_, until| *until > now);
        }
        if self.no_stream.len() < MAX_NO_STREAM {
            self.no_stream.insert(server, now + NO_STREAM);
        }
        true
    }

    /// A request that goes by TCP for its size is not wanted any more: it is not sent by UDP.
    pub(crate) fn stay_with_stream(&mut self, key: ClientKey) {
        self.trials.cancel(key);
        if let Some(client) = self.alive.get_mut(&key) {
            client.trial = Trial::No;
        }
    }

    /// Whether a server may be sent something by TCP, as far as is known.
    pub(crate) fn may_stream(&self, now: Time, server: SocketAddr) -> bool {
        self.no_stream.get(&server).is_none_or(|until| *until <= now)
    }

    /// The way that a request was to go which goes by TCP for its size.
    pub(crate) fn meant(&self, key: ClientKey) -> Option<Flow> {
        self.alive.get(&key)?.meant.as_deref().copied()
    }

    /// Fires the earliest timer if it is due.
    pub(crate) fn fire(&mut self, now: Time, out: &mut Vec<Output>) -> Option<ClientNotice> {
        if let Some(key) = self.trials.pop_due(now) {
            self.end_trial(now, key, out);
            return None;
        }
        let (key, timer) = self.timers.pop_due(now)?;
        self.input(now, key, ClientInput::Timer(timer), None, out)
    }

    /// The earliest deadline.
    pub(crate) fn next_timeout(&self) -> Option<Time> {
        [self.timers.next(), self.trials.next()].into_iter().flatten().min()
    }

    /// The request as long as no final response came.
    pub(crate) fn request(&self, key: ClientKey) -> Option<&Outgoing> {
        match &self.alive.get(&key)?.last {
            Last::One(request) => Some(request),
            Last::Acks(_) => None,
        }
    }

    /// How many challenges were answered before this request.
    pub(crate) fn challenges(&self, key: ClientKey) -> u8 {
        self.alive.get(&key).map_or(0, |client| client.challenges)
    }

    /// Gives an INVITE that has a provisional response 64*T1 to end, as section 9.1 does after a CANCEL.
    pub(crate) fn give_up_later(&mut self, now: Time, key: ClientKey) {
        let proceeding =
            |client: &Client| matches!(client.machine, Machine::Invite(client_invite::State::Proceeding));
        if self.alive.get(&key).is_some_and(proceeding) {
            self.timers.set((key, Timer::B), now + self.values.t1 * 64);
        }
    }

    /// Nobody wants to hear of the transaction any more.
    pub(crate) fn abandon(&mut self, now: Time, key: ClientKey) {
        if let Some(client) = self.alive.get_mut(&key) {
            client.user = ClientUser::Nobody;
        }
        self.stay_with_stream(key);
        self.give_up_later(now, key);
    }

    /// Sends the ACK to a 2xx and keeps it for that 2xx's retransmissions.
    pub(crate) fn acknowledge(&mut self, key: ClientKey, to_tag: &str, ack: Outgoing, out: &mut Vec<Output>) {
        let Some(client) = self.alive.get_mut(&key) else {
            return ack.send(None, false, out);
        };
        ack.send(client.invite, false, out);
        // It lies there for 64*T1, and the buffer that it was written into is larger.
        let ack = Outgoing { bytes: Bytes::copy_from_slice(&ack.bytes), ..ack };
        match &mut client.last {
            Last::Acks(acks) if acks.len() < MAX_ACKS => acks.push((to_tag.into(), ack)),
            Last::Acks(_) => {}
            Last::One(_) => client.last = Last::Acks(vec![(to_tag.into(), ack)]),
        }
    }

    /// Sends the ACK to a 2xx of this branch again; false if none was sent yet.
    pub(crate) fn acknowledge_again(&self, key: ClientKey, to_tag: &str, out: &mut Vec<Output>) -> bool {
        let Some(Client { invite, last: Last::Acks(acks), .. }) = self.alive.get(&key) else {
            return false;
        };
        let ack = acks.iter().find(|(tag, _)| **tag == *to_tag);
        if let Some((_, ack)) = ack {
            ack.send(*invite, true, out);
        }
        ack.is_some()
    }

    /// How many entries the index has.
    pub(crate) fn indexed(&self) -> usize {
        self.by_flow.len()
    }

    /// How many are alive, and how many timers they have.
    pub(crate) fn len(&self) -> (usize, usize) {
        (self.alive.len(), self.timers.len() + self.trials.len())
    }

    /// The transactions whose request went by exactly this flow, whatever our address.
    fn keys_on(&self, flow: &Flow) -> Vec<ClientKey> {
        let range = flow_key(flow, ClientKey::FIRST)..=flow_key(flow, ClientKey::LAST);
        self.by_flow.range(range).map(|(.., key)| *key).collect()
    }

    fn input(
        &mut self,
        now: Time,
        key: ClientKey,
        input: ClientInput,
        response: Option<&Message>,
        out: &mut Vec<Output>,
    ) -> Option<ClientNotice> {
        let client = self.alive.get_mut(&key)?;
        let actions = client.machine.step(input)?;
        self.act(now, key, actions, response, out)
    }

    fn act(
        &mut self,
        now: Time,
        key: ClientKey,
        actions: &[Action],
        response: Option<&Message>,
        out: &mut Vec<Output>,
    ) -> Option<ClientNotice> {
        let client = self.alive.get_mut(&key)?;
        let mut outcome = None;
        let mut due = None;
        for action in actions {
            match *action {
                Action::Send | Action::Repeat => {
                    if let Last::One(message) = &client.last {
                        message.send(client.invite, *action == Action::Repeat, out);
                    }
                }
                Action::Ack => client.acknowledge_failure(response, out),
                Action::Pass => outcome = Some(ClientOutcome::Response),
                Action::Timeout => outcome = Some(ClientOutcome::Timeout),
                Action::TransportFailed => outcome = Some(ClientOutcome::TransportFailed),
                Action::Stop(timer) => {
                    self.timers.cancel((key, timer));
                }
                Action::Start(timer) => match timer.first(&self.values, client.is_reliable()) {
                    Some(Duration::ZERO) => due = Some(timer),
                    Some(after) => self.timers.set((key, timer), now + after),
                    None => {}
                },
                Action::RepeatLater(timer) => {
                    client.interval = timer.doubled(&self.values, client.interval);
                    self.timers.set((key, timer), now + client.interval);
                }
                Action::RepeatAtT2(timer) => {
                    client.interval = self.values.t2;
                    self.timers.set((key, timer), now + client.interval);
                }
            }
        }
        let notice = outcome.map(|outcome| ClientNotice { key, user: client.user, outcome });
        if client.machine.has_no_flow()
            && let Last::One(message) = &client.last
        {
            self.by_flow.remove(&flow_key(&message.flow, key));
        }
        if client.machine.is_terminated() {
            self.alive.remove(&key);
            self.trials.cancel(key);
        } else if let Some(timer) = due {
            self.input(now, key, ClientInput::Timer(timer), None, out);
        }
        notice
    }
}

impl Client {
    fn is_reliable(&self) -> bool {
        match &self.last {
            Last::One(message) => message.flow.transport.is_reliable(),
            Last::Acks(_) => false,
        }
    }

    /// RFC 3261 section 17.1.1.3: the ACK to a 300–699 belongs to the INVITE's transaction and goes where
    /// the INVITE went. Its To is that of the INVITE where that of the response cannot be read.
    fn acknowledge_failure(&mut self, response: Option<&Message>, out: &mut Vec<Output>) {
        let Last::One(request) = &self.last else { return };
        let (Ok(invite), Some(response)) = (Message::parse(request.bytes.clone()), response) else { return };
        let mut builder = RequestBuilder::new(&Method::Ack, invite.request_uri());
        builder = builder.header(Name::Via, invite.header(Name::Via).unwrap_or(""));
        builder = builder.header(Name::MaxForwards, "70");
        for route in invite.header_values(Name::Route) {
            builder = builder.header(Name::Route, route);
        }
        builder = builder.header(Name::From, invite.header(Name::From).unwrap_or(""));
        let named =
            [response, &invite].into_iter().find(|message| message.to().is_ok_and(|to| to.uri().is_ok()));
        builder = builder.header(Name::To, named.and_then(|message| message.header(Name::To)).unwrap_or(""));
        builder = builder.header(Name::CallId, invite.call_id()).cseq(request.cseq, &Method::Ack);
        let ack = Outgoing { flow: request.flow, bytes: builder.finish(), cseq: request.cseq, sdp: false };
        ack.send(self.invite, false, out);
        self.last = Last::One(ack);
    }
}
