//! INVITEs that we receive: RFC 3261 sections 9.2 and 13.3.

use super::request::{RETRY_AFTER, fault};
use super::usage::{AfterAck, Pending, Session, State, Usage, UsageTimer};
use super::{Body, Endpoint, Event, InviteId, Output, RequestId, Why};
use crate::dialog::{Dialog, tag_text};
use crate::transaction::server::{NewServer, ServerUser};
use crate::transaction::{Outgoing, received};
use crate::{Fault, Flow, Message, Name};
use clock::Time;
use std::sync::Arc;

impl Endpoint {
    /// Answers the peer's INVITE with 200. It is repeated until the ACK comes; without one for 64*T1 the
    /// usage ends by BYE (13.3.1.4). It waits for the PRACK to a provisional response that is yet to come.
    pub fn accept(
        &mut self,
        now: Time,
        id: InviteId,
        contact: &str,
        body: Option<Body>,
        out: &mut Vec<Output>,
    ) {
        let Some(Usage { state: State::Offered { request, .. }, .. }) = self.usages.get(&id) else { return };
        let request = *request;
        let Some(body) = self.body_of_answer(id, contact, body) else { return };
        let Some(waiting) = self.servers.waiting(request) else { return };
        let Some(mut usage) = self.usages.remove(&id) else { return };
        if let State::Offered { dialog, .. } = usage.state {
            usage.state = Session::begin(dialog, Pending::Nothing);
            usage.contact = contact.into();
            self.usages.insert(id, usage);
        }
        let timer = self.settle_timer(now, id, &waiting.request);
        let mut headers =
            vec![("Contact", contact), ("Allow", self.config.allow), ("Supported", super::EXTENSIONS)];
        headers.extend(timer.iter().map(|(name, value)| (*name, value.as_str())));
        let answer = self.response(&waiting, 200, &headers, body.as_ref());
        self.timers.cancel((id, UsageTimer::RepeatProgress));
        self.servers.respond(now, request, 200, answer.clone(), out);
        let pending = self.await_ack(now, id, answer);
        self.set_pending(id, pending);
    }

    /// Refuses the peer's INVITE with 300–699. `Ended` follows when the peer has acknowledged it.
    pub fn reject(
        &mut self,
        now: Time,
        id: InviteId,
        status: u16,
        headers: &[(&str, &str)],
        out: &mut Vec<Output>,
    ) {
        let Some(Usage { state: State::Offered { request, .. }, .. }) = self.usages.get(&id) else { return };
        let request = *request;
        let Some(mut usage) = self.usages.remove(&id) else { return };
        if let State::Offered { dialog, .. } = usage.state {
            usage.state = State::Rejected { status, dialog };
            self.rejected += 1;
            self.usages.insert(id, usage);
        }
        for timer in [UsageTimer::RepeatProgress, UsageTimer::RepeatAnswer, UsageTimer::AckOverdue] {
            self.timers.cancel((id, timer));
        }
        let Some(waiting) = self.servers.waiting(request) else { return };
        let response = self.response(&waiting, status, headers, None);
        self.servers.respond(now, request, status, response, out);
    }

    pub(super) fn receive_invite(
        &mut self,
        now: Time,
        flow: Flow,
        key: Box<str>,
        (message, user): (Message, Option<Arc<str>>),
        out: &mut Vec<Output>,
    ) {
        // An INVITE that was refused and waits for its ACK must not take the room of a call.
        if self.usages.len() - self.rejected >= self.config.max_usages {
            self.counters.overload += 1;
            return self.refuse(flow, &message, fault(503), &[("Retry-After", RETRY_AFTER)], out);
        }
        if let Some((fault, least)) = self.refuses_interval(&message) {
            return self.refuse(flow, &message, fault, &[("Min-SE", &least)], out);
        }
        let tag = self.tokens.next();
        let Some(dialog) = Dialog::offered(&message, flow, tag) else {
            self.counters.malformed += 1;
            let fault = Fault { status: 400, phrase: "Missing Contact Or Too Many Record-Routes" };
            return self.refuse(flow, &message, fault, &[], out);
        };
        let request = self.next_request();
        let state = State::Offered { request, dialog: Box::new(dialog), reliable: None };
        let is_server = user.is_none();
        let id = self.begin(Usage { tag, contact: "".into(), login: None, is_server, state });
        let new = NewServer {
            id: request,
            key,
            request: message.clone(),
            flow,
            to_tag: tag,
            user: ServerUser::Invite(id),
            invite: Some(id),
        };
        self.servers.start(now, new);
        out.push(received(&message, Some(id), false));
        self.respond_plainly(now, request, 100, out);
        // In the order of things: what the user does on the event comes after the INVITE and its 100.
        out.push(Output::Event(Event::Invite { id, flow, message, user }));
    }

    /// A CANCEL changes nothing unless it finds an INVITE without final response (9.2). Its own response
    /// needs no transaction: a retransmission finds the INVITE's again and gets the same.
    pub(super) fn receive_cancel(
        &mut self,
        now: Time,
        flow: Flow,
        key: &str,
        cancel: &Message,
        out: &mut Vec<Output>,
    ) {
        let target = self.servers.find(key);
        let Some((request, found)) = target.and_then(|id| Some((id, self.servers.cancel(id)?))) else {
            return self.refuse(flow, cancel, fault(481), &[], out);
        };
        out.push(received(cancel, found.invite, found.again));
        let answer = self.build(cancel, flow, fault(200), Some(&tag_text(found.to_tag)), &[], None);
        answer.send(found.invite, found.again, out);
        let waiting = self.servers.waiting(request);
        let Some(waiting) = waiting else { return };
        self.respond_plainly(now, request, 487, out);
        match waiting.user {
            ServerUser::Invite(id) => {
                self.end(id, out);
                let reason = cancel.header(Name::Reason).map(str::to_owned);
                out.push(Output::Event(Event::Cancelled { id, reason }));
            }
            ServerUser::Reinvite(id) => self.forget_reinvite(id, request),
            ServerUser::Nobody => {}
        }
    }

    /// An ACK belongs to a refusal's transaction by its branch, or to a 2xx by its dialog (13.3.1.4).
    pub(super) fn receive_ack(&mut self, now: Time, key: &str, ack: &Message, out: &mut Vec<Output>) {
        let transaction = self.servers.find(key);
        if let Some(notice) = transaction.and_then(|id| self.servers.ack(now, id, ack, out)) {
            if let Some(notice) = notice {
                self.server_notice(notice, out);
            }
            return;
        }
        let cseq = ack.cseq().map_or(0, |(number, _)| number);
        let id = self.usage_of(ack);
        let session = match id.and_then(|id| Some((id, self.usages.get_mut(&id)?))) {
            Some((id, Usage { state: State::Confirmed(session), .. })) => Some((id, session)),
            _ => None,
        };
        let Some((id, session)) = session else {
            self.counters.strays += 1;
            return;
        };
        let awaited = matches!(&session.pending, Pending::AwaitingAck { answer, .. } if answer.cseq == cseq);
        out.push(received(ack, Some(id), !awaited));
        if !awaited {
            self.counters.retransmissions += 1;
            return;
        }
        let pending = std::mem::replace(&mut session.pending, Pending::Nothing);
        self.timers.cancel((id, UsageTimer::RepeatAnswer));
        self.timers.cancel((id, UsageTimer::AckOverdue));
        match pending {
            Pending::AwaitingAck { then: AfterAck::Bye(reason), .. } => {
                self.bye(now, id, reason.as_deref(), out);
            }
            _ => out.push(Output::Event(Event::Acked { id, message: ack.clone() })),
        }
    }

    /// Starts waiting for the ACK to a 2xx that has just gone out.
    pub(super) fn await_ack(&mut self, now: Time, id: InviteId, answer: Outgoing) -> Pending {
        let interval = self.config.timers.t1;
        self.timers.set((id, UsageTimer::RepeatAnswer), now + interval);
        self.timers.set((id, UsageTimer::AckOverdue), now + interval * 64);
        Pending::AwaitingAck { answer: Box::new(answer), interval, then: AfterAck::Stay }
    }

    /// The 2xx goes out again whatever the transport, since a proxy on the way may change it (13.3.1.4).
    pub(super) fn repeat_answer(&mut self, now: Time, id: InviteId, out: &mut Vec<Output>) {
        let Some(Usage { state: State::Confirmed(session), .. }) = self.usages.get_mut(&id) else {
            return self.repeat_reliable(now, id, out);
        };
        if let Pending::AwaitingAck { answer, interval, .. } = &mut session.pending {
            answer.send(Some(id), true, out);
            *interval = (*interval * 2).min(self.config.timers.t2);
            self.timers.set((id, UsageTimer::RepeatAnswer), now + *interval);
        }
    }

    pub(super) fn ack_overdue(&mut self, now: Time, id: InviteId, out: &mut Vec<Output>) {
        match self.usages.get(&id).map(|usage| &usage.state) {
            Some(State::Offered { .. }) => self.reject(now, id, 504, &[], out),
            _ => self.abort(now, id, None, Why::NoAck, out),
        }
    }

    /// Sends the response to an INVITE of ours to refuse, or 100.
    pub(super) fn respond_plainly(
        &mut self,
        now: Time,
        request: RequestId,
        status: u16,
        out: &mut Vec<Output>,
    ) {
        if let Some(waiting) = self.servers.waiting(request) {
            let response = self.response(&waiting, status, &[], None);
            self.servers.respond(now, request, status, response, out);
        }
    }
}
