//! The server transactions that are alive.

use super::{
    Action, Outgoing, ServerInput, StatusClass, Timer, TimerValues, server_invite, server_non_invite,
};
use crate::endpoint::{InviteId, Output, RequestId};
use crate::steady::Steady;
use crate::{Flow, Message, Method, Name, Via};
use clock::{Duration, Time, Timers};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

/// Who wants to hear of a server transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerUser {
    /// The usage that the INVITE begins.
    Invite(InviteId),
    /// The usage that the re-INVITE changes.
    Reinvite(InviteId),
    /// Nobody: the response is all there is.
    Nobody,
}

/// A server transaction's word to its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerNotice {
    /// The ACK to a 300–699 came.
    Acked(ServerUser),
    /// The ACK to a 300–699 never came.
    NoAck(ServerUser),
}

/// A server transaction to begin.
#[derive(Debug)]
pub(crate) struct NewServer {
    /// Its name, unique for ever.
    pub(crate) id: RequestId,
    /// What later messages are matched by, from [`match_key`].
    pub(crate) key: Box<str>,
    /// The request.
    pub(crate) request: Message,
    /// The way that the request came by.
    pub(crate) flow: Flow,
    /// The tag that responses add to a To without one.
    pub(crate) to_tag: u64,
    /// Who wants to hear of it.
    pub(crate) user: ServerUser,
    /// The usage that the ladder shows it with.
    pub(crate) invite: Option<InviteId>,
}

/// A request that waits for its final response.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    /// The request.
    pub(crate) request: Message,
    /// The way that it came by.
    pub(crate) flow: Flow,
    /// The tag that responses add to a To without one.
    pub(crate) to_tag: u64,
    /// Who wants to hear of its transaction.
    pub(crate) user: ServerUser,
    /// The usage in whose dialog it came.
    pub(crate) invite: Option<InviteId>,
}

/// An INVITE's transaction as its CANCEL finds it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cancelled {
    /// The tag that the INVITE's responses carry, and so the CANCEL's.
    pub(crate) to_tag: u64,
    /// The usage that the ladder shows it with.
    pub(crate) invite: Option<InviteId>,
    /// Whether a CANCEL came before.
    pub(crate) again: bool,
}

#[derive(Debug)]
struct Server {
    machine: Machine,
    key: Arc<str>,
    merge_key: Option<Arc<str>>,
    user: ServerUser,
    invite: Option<InviteId>,
    flow: Flow,
    /// Where responses go when the stream that the request came by has closed.
    sent_by: SocketAddr,
    to_tag: u64,
    /// Kept until the final response.
    request: Option<Box<Message>>,
    last: Option<Box<Outgoing>>,
    interval: Duration,
    cancelled: bool,
}

#[derive(Clone, Copy, Debug)]
enum Machine {
    Invite(server_invite::State),
    NonInvite(server_non_invite::State),
}

impl Machine {
    fn step(&mut self, input: ServerInput) -> Option<&'static [Action]> {
        match self {
            Self::Invite(state) => {
                let (next, actions) = server_invite::step(*state, input)?;
                *state = next;
                Some(actions)
            }
            Self::NonInvite(state) => {
                let (next, actions) = server_non_invite::step(*state, input)?;
                *state = next;
                Some(actions)
            }
        }
    }

    const fn is_terminated(&self) -> bool {
        matches!(
            self,
            Self::Invite(server_invite::State::Terminated)
                | Self::NonInvite(server_non_invite::State::Terminated)
        )
    }
}

/// The server transactions that are alive.
#[derive(Debug)]
pub(crate) struct Servers {
    values: TimerValues,
    alive: Steady<RequestId, Server>,
    by_key: HashMap<Arc<str>, RequestId>,
    by_merge_key: HashMap<Arc<str>, RequestId>,
    timers: Timers<(RequestId, Timer)>,
}

impl Servers {
    /// None.
    pub(crate) fn new(values: TimerValues) -> Self {
        Self {
            values,
            alive: Steady::default(),
            by_key: HashMap::new(),
            by_merge_key: HashMap::new(),
            timers: Timers::new(),
        }
    }

    /// The transaction of a key.
    pub(crate) fn find(&self, key: &str) -> Option<RequestId> {
        self.by_key.get(key).copied()
    }

    /// Whether this INVITE has come before by another way (RFC 3261 section 8.2.2.2).
    pub(crate) fn is_merged(&self, invite: &Message) -> bool {
        merge_key(invite).is_some_and(|key| self.by_merge_key.contains_key(&*key))
    }

    /// Begins a transaction.
    pub(crate) fn start(&mut self, now: Time, new: NewServer) {
        let NewServer { id, key, request, flow, to_tag, user, invite } = new;
        let is_invite = *request.method() == Method::Invite;
        let machine = match is_invite {
            true => Machine::Invite(server_invite::State::Proceeding),
            false => Machine::NonInvite(server_non_invite::State::Trying),
        };
        let merge_key = is_invite.then(|| merge_key(&request)).flatten().map(Arc::from);
        if let Some(merge_key) = &merge_key {
            self.by_merge_key.insert(Arc::clone(merge_key), id);
        }
        let key = Arc::<str>::from(key);
        self.by_key.insert(Arc::clone(&key), id);
        let interval = self.values.t1;
        let port = request.via().ok().and_then(|via| via.port());
        let sent_by = SocketAddr::new(flow.peer.ip(), port.unwrap_or(flow.transport.default_port()));
        let request = Some(Box::new(request));
        let server = Server {
            machine,
            key,
            merge_key,
            user,
            invite,
            flow,
            sent_by,
            to_tag,
            request,
            last: None,
            interval,
            cancelled: false,
        };
        self.alive.insert(id, server);
        if !is_invite {
            self.act(now, id, server_non_invite::START, None, &mut Vec::new());
        }
    }

    /// Takes the retransmission of a request. On a stream it came by another connection than before.
    pub(crate) fn request_again(
        &mut self,
        now: Time,
        id: RequestId,
        flow: Flow,
        request: &Message,
        out: &mut Vec<Output>,
    ) {
        let Some(server) = self.alive.get_mut(&id) else { return };
        let invite = server.invite;
        if flow.transport.is_reliable() {
            server.redirect(flow);
        }
        out.push(super::received(request, invite, true));
        self.input(now, id, ServerInput::Request, None, out);
    }

    /// A stream has closed: responses that were to go by it go to the request's sent-by (18.2.2).
    pub(crate) fn stream_closed(&mut self, connection: u64) {
        for server in self.alive.values_mut().filter(|server| server.flow.connection == connection) {
            server.redirect(Flow { peer: server.sent_by, connection: 0, ..server.flow });
        }
    }

    /// Takes an ACK that matches an INVITE's transaction by its branch; the user may want to know.
    /// `None` if it belongs to a 2xx instead, and so to a dialog.
    pub(crate) fn ack(
        &mut self,
        now: Time,
        id: RequestId,
        ack: &Message,
        out: &mut Vec<Output>,
    ) -> Option<Option<ServerNotice>> {
        let server = self.alive.get(&id)?;
        if matches!(server.machine, Machine::Invite(server_invite::State::Accepted)) {
            return None;
        }
        let again = matches!(server.machine, Machine::Invite(server_invite::State::Confirmed));
        out.push(super::received(ack, server.invite, again));
        Some(self.input(now, id, ServerInput::Ack, None, out))
    }

    /// The request of a transaction, until its final response.
    pub(crate) fn waiting(&self, id: RequestId) -> Option<Waiting> {
        let server = self.alive.get(&id)?;
        let request = Message::clone(server.request.as_deref()?);
        let Server { flow, to_tag, user, invite, .. } = *server;
        Some(Waiting { request, flow, to_tag, user, invite })
    }

    /// Notes that a CANCEL of the transaction came.
    pub(crate) fn cancel(&mut self, id: RequestId) -> Option<Cancelled> {
        let server = self.alive.get_mut(&id)?;
        let again = std::mem::replace(&mut server.cancelled, true);
        Some(Cancelled { to_tag: server.to_tag, invite: server.invite, again })
    }

    /// Sends a response. A second final response goes nowhere.
    pub(crate) fn respond(
        &mut self,
        now: Time,
        id: RequestId,
        status: u16,
        response: Outgoing,
        out: &mut Vec<Output>,
    ) {
        self.input(now, id, ServerInput::Respond(StatusClass::of(status)), Some(response), out);
    }

    /// The last response once more: the provisional that keeps proxies from giving up (13.3.1.1).
    pub(crate) fn repeat(&self, id: RequestId, out: &mut Vec<Output>) {
        if let Some(Server { last: Some(response), invite, .. }) = self.alive.get(&id) {
            response.send(*invite, true, out);
        }
    }

    /// Fires the earliest timer if it is due.
    pub(crate) fn fire(&mut self, now: Time, out: &mut Vec<Output>) -> Option<ServerNotice> {
        let (id, timer) = self.timers.pop_due(now)?;
        self.input(now, id, ServerInput::Timer(timer), None, out)
    }

    /// The earliest deadline.
    pub(crate) fn next_timeout(&self) -> Option<Time> {
        self.timers.next()
    }

    /// How many are alive, and how many timers they have.
    pub(crate) fn len(&self) -> (usize, usize) {
        (self.alive.len(), self.timers.len())
    }

    /// How many entries the indexes have.
    pub(crate) fn indexed(&self) -> usize {
        self.by_key.len() + self.by_merge_key.len()
    }

    fn input(
        &mut self,
        now: Time,
        id: RequestId,
        input: ServerInput,
        response: Option<Outgoing>,
        out: &mut Vec<Output>,
    ) -> Option<ServerNotice> {
        let server = self.alive.get_mut(&id)?;
        let actions = server.machine.step(input)?;
        if let ServerInput::Respond(StatusClass::Success | StatusClass::Failure) = input {
            server.request = None;
        }
        self.act(now, id, actions, response, out)
    }

    fn act(
        &mut self,
        now: Time,
        id: RequestId,
        actions: &[Action],
        mut response: Option<Outgoing>,
        out: &mut Vec<Output>,
    ) -> Option<ServerNotice> {
        let server = self.alive.get_mut(&id)?;
        let reliable = server.flow.transport.is_reliable();
        let mut notice = None;
        let mut due = None;
        for action in actions {
            match *action {
                Action::Send => {
                    server.last = response.take().map(Box::new).or(server.last.take());
                    server.send(false, out);
                }
                Action::Repeat => server.send(true, out),
                Action::Pass => notice = Some(ServerNotice::Acked(server.user)),
                Action::Timeout => notice = Some(ServerNotice::NoAck(server.user)),
                Action::Stop(timer) => {
                    self.timers.cancel((id, timer));
                }
                Action::Start(timer) => match timer.first(&self.values, reliable) {
                    Some(Duration::ZERO) => due = Some(timer),
                    Some(after) => self.timers.set((id, timer), now + after),
                    None => {}
                },
                Action::RepeatLater(timer) => {
                    server.interval = timer.doubled(&self.values, server.interval);
                    self.timers.set((id, timer), now + server.interval);
                }
                Action::Ack | Action::TransportFailed | Action::RepeatAtT2(_) => {
                    unreachable!("no server figure has it")
                }
            }
        }
        if matches!(server.machine, Machine::Invite(server_invite::State::Accepted)) {
            // The dialog repeats a 2xx, not the transaction.
            server.last = None;
        }
        if server.machine.is_terminated() {
            self.remove(id);
        } else if let Some(timer) = due {
            self.input(now, id, ServerInput::Timer(timer), None, out);
        }
        notice
    }

    fn remove(&mut self, id: RequestId) {
        let Some(server) = self.alive.remove(&id) else { return };
        self.by_key.remove(&server.key);
        if let Some(merge_key) = server.merge_key {
            self.by_merge_key.remove(&merge_key);
        }
    }
}

impl Server {
    fn redirect(&mut self, flow: Flow) {
        self.flow = flow;
        if let Some(response) = &mut self.last {
            response.flow = flow;
        }
    }

    fn send(&self, again: bool, out: &mut Vec<Output>) {
        if let Some(response) = &self.last {
            response.send(self.invite, again, out);
        }
    }
}

/// What a request is matched by (17.2.3): branch, sent-by, and the method, where ACK and CANCEL count as
/// the INVITE that they go with.
///
/// A branch without the magic cookie is of RFC 2543 and unique to nothing. Its whole Via, the Call-ID and
/// the CSeq number stand in: an RFC 2543 client repeats them in retransmissions, and in the ACK and CANCEL.
pub(crate) fn match_key(request: &Message, via: &Via<'_>) -> Box<str> {
    let method = match request.method() {
        Method::Ack | Method::Cancel => &Method::Invite,
        other => other,
    };
    let mut key = String::with_capacity(96);
    let written = match via.branch().filter(|branch| has_cookie(branch)) {
        Some(branch) => write!(key, "{branch} {} {method}", via.sent_by()),
        None => {
            let top = request.header_values(Name::Via).next().unwrap_or("");
            let cseq = request.cseq().map_or(0, |(number, _)| number);
            write!(key, "2543 {} {cseq} {method} {top}", request.call_id())
        }
    };
    debug_assert!(written.is_ok(), "a String grows");
    key.into_boxed_str()
}

/// Whether more than the cookie is there: the cookie alone names no transaction (RFC 4475 section 3.2.1).
pub(crate) fn has_cookie(branch: &str) -> bool {
    let (cookie, branch) = (Via::MAGIC_COOKIE.as_bytes(), branch.as_bytes());
    branch.len() > cookie.len() && branch[..cookie.len()].eq_ignore_ascii_case(cookie)
}

/// From tag, Call-ID and CSeq number of an INVITE outside a dialog; `None` inside one.
fn merge_key(invite: &Message) -> Option<String> {
    if invite.to().ok()?.tag().is_some() {
        return None;
    }
    let from_tag = invite.from().ok()?.tag()?;
    let (cseq, _) = invite.cseq().ok()?;
    Some(format!("{cseq} {from_tag} {}", invite.call_id()))
}
