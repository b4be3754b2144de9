//! Requests that we receive: what RFC 3261 sections 8.2 and 12.2.2 ask before a user sees them.

use super::usage::{State, Usage};
use super::{Admission, Endpoint, Event, Gate, InviteId, Output, RequestId};
use crate::dialog::own_tag;
use crate::message::BodyFault;
use crate::transaction::received;
use crate::transaction::server::{NewServer, ServerUser, match_key};
use crate::{Fault, Flow, Message, Method, Name};
use clock::Time;
use std::sync::Arc;

/// The share of the server transactions that is kept for the dialogs, so that no flood from outside keeps a
/// call from ending: one in so many.
const DIALOGS_SHARE: usize = 4;

/// Seconds after which a refused client may try again.
pub(super) const RETRY_AFTER: &str = "5";

impl Endpoint {
    pub(super) fn receive_request(
        &mut self,
        now: Time,
        flow: Flow,
        request: Message,
        gate: &mut Gate<'_>,
        out: &mut Vec<Output>,
    ) {
        if let Err(fault) = request.validate() {
            self.counters.malformed += 1;
            return self.refuse(flow, &request, fault, &[], out);
        }
        let Ok(key) = request.via().map(|via| match_key(&request, &via)) else { return };
        match request.method() {
            Method::Ack => self.receive_ack(now, &key, &request, out),
            Method::Cancel => self.receive_cancel(now, flow, &key, &request, out),
            _ => match self.servers.find(&key) {
                Some(id) => {
                    self.counters.retransmissions += 1;
                    self.servers.request_again(now, id, flow, &request, out);
                }
                None => self.receive_new(now, flow, key, request, gate, out),
            },
        }
    }

    /// A request that no transaction knows.
    fn receive_new(
        &mut self,
        now: Time,
        flow: Flow,
        key: Box<str>,
        request: Message,
        gate: &mut Gate<'_>,
        out: &mut Vec<Output>,
    ) {
        if self.is_overloaded_for(&request) {
            self.counters.overload += 1;
            return self.refuse(flow, &request, fault(503), &[("Retry-After", RETRY_AFTER)], out);
        }
        let in_dialog =
            request.to().is_ok_and(|to| to.tag().is_some()) && *request.method() != Method::Register;
        let user = match (in_dialog, request.method()) {
            (true, _) | (false, Method::Bye) => None,
            (false, Method::Invite) if self.servers.is_merged(&request) => {
                return self.refuse(flow, &request, fault(482), &[], out);
            }
            (false, _) => match gate(&flow, &request) {
                Admission::Admit(user) => user,
                turned => return self.turn_away(flow, &request, &turned, out),
            },
        };
        if let Method::Other(_) = request.method() {
            return self.refuse(flow, &request, fault(501), &[("Allow", self.config.allow)], out);
        }
        if let Some(extensions) = required(&request) {
            return self.refuse(flow, &request, fault(420), &[("Unsupported", &extensions)], out);
        }
        if let Err((fault, remedy)) = check_body(&request) {
            let remedy = remedy.map(|(name, value)| (name.text(), value));
            return self.refuse(flow, &request, fault, remedy.as_slice(), out);
        }
        if *request.method() == Method::Subscribe
            && let Some((fault, (name, value))) = self.refuses_subscribe(&request, in_dialog)
        {
            return self.refuse(flow, &request, fault, &[(name, &value)], out);
        }
        match (in_dialog, request.method()) {
            (true, _) if self.is_of_subscription(&request) => {
                self.receive_of_subscription(now, flow, key, request, out);
            }
            (true, _) => self.receive_in_dialog(now, flow, key, request, out),
            (false, Method::Invite) => self.receive_invite(now, flow, key, (request, user), out),
            (false, Method::Bye) => self.refuse(flow, &request, fault(481), &[], out),
            (false, _) => self.pass_up(now, flow, key, request, (None, user), out),
        }
    }

    /// What the gate does not admit. No ladder shows it: it belongs to nothing, and there may be floods of it.
    fn turn_away(&mut self, flow: Flow, request: &Message, turned: &Admission, out: &mut Vec<Output>) {
        self.counters.turned_away += 1;
        if let Admission::Refuse { status, headers } = turned {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let response = self.stateless(flow, request, fault(*status), &headers);
            out.push(Output::Send { flow: response.flow, bytes: response.bytes });
        }
    }

    /// Whether there is no room for the transaction of a new request.
    fn is_overloaded_for(&self, request: &Message) -> bool {
        let (alive, _) = self.servers.len();
        let max = self.config.max_transactions;
        let is_ours = || self.usage_of(request).is_some() || self.is_of_subscription(request);
        alive >= max - max / DIALOGS_SHARE && (alive >= max || !is_ours())
    }

    /// A request with a tag in To: of one of our dialogs, or of none (12.2.2).
    fn receive_in_dialog(
        &mut self,
        now: Time,
        flow: Flow,
        key: Box<str>,
        request: Message,
        out: &mut Vec<Output>,
    ) {
        // A dialog that we have ended knows nothing but the peer's own BYE.
        let is_bye = *request.method() == Method::Bye;
        let lives = |usage: &Usage| is_bye || !matches!(usage.state, State::Leaving { .. });
        let id = self.usage_of(&request).filter(|id| self.usages.get(id).is_some_and(lives));
        let Some(id) = id else {
            return self.refuse(flow, &request, fault(481), &[], out);
        };
        let Some(usage) = self.usages.get_mut(&id) else { return };
        // Before its CSeq counts: a copy of the request is refused alike.
        if !usage.takes(request.method()) {
            return self.refuse(flow, &request, fault(481), &[], out);
        }
        if matches!(request.method(), Method::Invite | Method::Update)
            && let Some((fault, least)) = self.refuses_interval(&request)
        {
            return self.refuse(flow, &request, fault, &[("Min-SE", &least)], out);
        }
        let Some(usage) = self.usages.get_mut(&id) else { return };
        if !usage.is_in_order(&request) {
            return self.refuse(flow, &request, fault(500), &[], out);
        }
        if let Some(dialog) = self.usages.get_mut(&id).and_then(Usage::dialog_mut) {
            dialog.follow(flow);
        }
        match request.method() {
            Method::Invite => self.receive_reinvite(now, id, flow, key, request, out),
            Method::Bye => self.receive_bye(now, id, flow, key, request, out),
            Method::Update => self.receive_update(now, id, flow, key, request, out),
            Method::Prack => self.receive_prack(now, id, flow, key, request, out),
            Method::Subscribe => self.resubscribe_in_call(now, id, flow, key, request, out),
            _ => self.pass_up(now, flow, key, request, (Some(id), None), out),
        }
    }

    /// The usage that a request with a tag in To belongs to.
    pub(super) fn usage_of(&self, request: &Message) -> Option<InviteId> {
        let tag = own_tag(request.to().ok()?.tag()?)?;
        let id = *self.by_tag.get(&tag)?;
        self.usages.get(&id)?.recognises(request).then_some(id)
    }

    pub(super) fn pass_up(
        &mut self,
        now: Time,
        flow: Flow,
        key: Box<str>,
        message: Message,
        (invite, user): (Option<InviteId>, Option<Arc<str>>),
        out: &mut Vec<Output>,
    ) {
        out.push(received(&message, invite, false));
        let request = self.begin_server(now, flow, key, &message, (ServerUser::Nobody, invite));
        out.push(Output::Event(Event::Request { request, invite, flow, message, user }));
    }

    /// Begins the server transaction of a request that belongs to a dialog or to none.
    pub(super) fn begin_server(
        &mut self,
        now: Time,
        flow: Flow,
        key: Box<str>,
        request: &Message,
        (user, invite): (ServerUser, Option<InviteId>),
    ) -> RequestId {
        let id = self.next_request();
        let to_tag = self.tokens.next();
        self.servers.start(now, NewServer { id, key, request: request.clone(), flow, to_tag, user, invite });
        id
    }
}

/// A refusal with the usual phrase.
pub(super) const fn fault(status: u16) -> Fault {
    Fault { status, phrase: "" }
}

/// Whether the body can be used, of requests whose body is ours to use (8.2.3); that of others is the user's.
fn check_body(request: &Message) -> Result<(), BodyFault> {
    match request.method() {
        Method::Invite | Method::Update | Method::Prack => request.check_session_body(),
        // A filter that is not understood would be one that is not kept (RFC 6665 section 4.1.2.1).
        Method::Subscribe => request.check_no_body(),
        _ => Ok(()),
    }
}

/// The extensions that a request requires and that we do not know (8.2.2.3).
fn required(request: &Message) -> Option<String> {
    let is_known =
        |wanted: &str| super::EXTENSIONS.split(", ").any(|known| known.eq_ignore_ascii_case(wanted));
    let unknown: Vec<&str> =
        request.header_values(Name::Require).filter(|extension| !is_known(extension)).collect();
    (!unknown.is_empty()).then(|| unknown.join(", "))
}
