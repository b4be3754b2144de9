//! What happens within a confirmed dialog: RFC 3261 sections 12.2, 14 and 15.

use super::usage::{AfterAck, Farewell, Pending, Retry, Session, State, Usage, UsageTimer};
use super::{Body, Endpoint, Event, InviteId, Output, RequestId, Why};
use crate::dialog::Dialog;
use crate::transaction::client::{ClientKey, ClientUser, NewClient};
use crate::transaction::server::ServerUser;
use crate::transaction::{Outgoing, StatusClass, received};
use crate::{Flow, Message, Method};
use clock::{Duration, Time};

/// How often a re-INVITE is sent again after 491 before the user is told.
const MAX_REFUSALS: u8 = 5;

impl Endpoint {
    /// Hangs up. `reason` is a Reason header field (RFC 3326). `Ended` follows when the BYE is answered.
    /// While our 2xx has no ACK the BYE waits for it (section 15). A usage without a session is ended in its
    /// own way: our INVITE is cancelled, the peer's is refused with 480.
    pub fn bye(&mut self, now: Time, id: InviteId, reason: Option<&str>, out: &mut Vec<Output>) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        let session = match &mut usage.state {
            State::Confirmed(session) => session,
            State::Calling(_) => return self.cancel(now, id, reason, out),
            State::Offered { .. } => return self.reject(now, id, 480, &[], out),
            State::Rejected { .. } | State::Leaving { .. } => return,
        };
        match &mut session.pending {
            Pending::AwaitingAck { then, .. } => *then = AfterAck::Bye(reason.map(Box::from)),
            Pending::OwingAck { .. } => {
                self.acknowledge(id, None, out);
                self.leave(now, id, reason, Farewell::Ended, out);
            }
            _ => self.leave(now, id, reason, Farewell::Ended, out),
        }
    }

    /// Sends a re-INVITE; false while another INVITE is pending in the dialog or there is no dialog. A 491 is
    /// answered by sending it again, after the time that section 14.1 demands.
    pub fn reinvite(&mut self, now: Time, id: InviteId, body: Option<Body>, out: &mut Vec<Output>) -> bool {
        let free = self.may_reinvite(id);
        if free {
            self.send_reinvite(now, id, Box::new(Retry { body, refusals: 0 }), out);
        }
        free
    }

    /// Whether there is a dialog without a pending INVITE, and none of ours that is to be sent again.
    pub fn may_reinvite(&self, id: InviteId) -> bool {
        let Some(Usage { state: State::Confirmed(session), .. }) = self.usages.get(&id) else { return false };
        matches!(*session, Session { pending: Pending::Nothing, retry: None, .. })
    }

    /// Sends a re-INVITE of ours not again that got 491; whether there was one that waited for it. The user has changed its
    /// mind, or lets the peer's go first.
    pub fn withdraw_reinvite(&mut self, id: InviteId) -> bool {
        let Some(Usage { state: State::Confirmed(session), .. }) = self.usages.get_mut(&id) else {
            return false;
        };
        let waited = session.retry.take().is_some();
        if waited {
            self.timers.cancel((id, UsageTimer::RetryReinvite));
        }
        waited
    }

    /// Whether a request still waits for our final response: an INVITE may have been cancelled, or its dialog be over.
    pub fn is_waiting(&self, request: RequestId) -> bool {
        self.servers.waiting(request).is_some()
    }

    /// Answers an `Event::Request` or `Event::Reinvite`. A 2xx to a re-INVITE carries the usage's Contact and
    /// is repeated until its ACK. 408 is never sent to any other request (RFC 4320 section 4.2): its client
    /// has given up by itself.
    pub fn respond(
        &mut self,
        now: Time,
        request: RequestId,
        status: u16,
        headers: &[(&str, &str)],
        body: Option<Body>,
        out: &mut Vec<Output>,
    ) {
        let Some(waiting) = self.servers.waiting(request) else { return };
        let class = StatusClass::of(status);
        let is_ours = matches!(waiting.user, ServerUser::Invite(_));
        if is_ours || (status == 408 && waiting.user == ServerUser::Nobody) {
            return;
        }
        let refreshed = waiting.invite.filter(|_| {
            matches!(waiting.request.method(), Method::Invite | Method::Update)
                && class != StatusClass::Failure
        });
        let timer = match refreshed {
            Some(id) if class == StatusClass::Success => self.refreshed_by(now, id, &waiting.request),
            _ => Vec::new(),
        };
        let contact = refreshed.and_then(|id| self.usages.get(&id)).map(|usage| &*usage.contact);
        let mut headers = headers.to_vec();
        if let Some(contact) = contact {
            let ours = [("Contact", contact), ("Allow", self.config.allow), ("Supported", super::EXTENSIONS)];
            headers.extend(ours);
            headers.extend(timer.iter().map(|(name, value)| (*name, value.as_str())));
        }
        let response = self.response(&waiting, status, &headers, body.as_ref());
        self.servers.respond(now, request, status, response.clone(), out);
        if let ServerUser::Reinvite(id) = waiting.user {
            self.reinvite_answered(now, id, class, response);
        }
    }

    /// The peer's re-INVITE or UPDATE is accepted: its Contact counts, and the session's timer begins anew.
    fn refreshed_by(&mut self, now: Time, id: InviteId, request: &Message) -> Vec<(&'static str, String)> {
        if let Some(dialog) = self.usages.get_mut(&id).and_then(Usage::dialog_mut) {
            dialog.refresh_target(request);
        }
        self.settle_timer(now, id, request)
    }

    pub(super) fn receive_bye(
        &mut self,
        now: Time,
        id: InviteId,
        flow: Flow,
        key: Box<str>,
        message: Message,
        out: &mut Vec<Output>,
    ) {
        let farewell = match self.usages.get(&id).map(|usage| &usage.state) {
            Some(State::Confirmed(_) | State::Offered { .. }) => None,
            Some(State::Leaving { farewell, .. }) => Some(*farewell),
            _ => return,
        };
        out.push(received(&message, Some(id), false));
        let bye = self.begin_server(now, flow, key, &message, (ServerUser::Nobody, Some(id)));
        self.respond_plainly(now, bye, 200, out);
        self.close_pending(now, id, out);
        self.end(id, out);
        out.push(Output::Event(match farewell {
            Some(Farewell::Cancelled) => Event::Failed { id, status: 487, message: None },
            Some(Farewell::Ended) | None => Event::Bye { id, message },
        }));
    }

    pub(super) fn receive_reinvite(
        &mut self,
        now: Time,
        id: InviteId,
        flow: Flow,
        key: Box<str>,
        message: Message,
        out: &mut Vec<Output>,
    ) {
        let Some(Usage { state: State::Confirmed(session), .. }) = self.usages.get(&id) else { return };
        let status = match session.pending {
            Pending::Nothing => 100,
            Pending::Received(_) => 500,
            Pending::Sent { .. } | Pending::AwaitingAck { .. } | Pending::OwingAck { .. } => 491,
        };
        let user = if status == 100 { ServerUser::Reinvite(id) } else { ServerUser::Nobody };
        out.push(received(&message, Some(id), false));
        let request = self.begin_server(now, flow, key, &message, (user, Some(id)));
        if status != 500 {
            self.respond_plainly(now, request, status, out);
        } else if let Some(waiting) = self.servers.waiting(request) {
            let seconds = self.tokens.below(10).to_string();
            let response = self.response(&waiting, status, &[("Retry-After", &seconds)], None);
            self.servers.respond(now, request, status, response, out);
        }
        if status == 100 {
            self.set_pending(id, Pending::Received(request));
            out.push(Output::Event(Event::Reinvite { id, request, message }));
        }
    }

    /// The peer has cancelled its re-INVITE, and 487 has gone out.
    pub(super) fn forget_reinvite(&mut self, id: InviteId, request: RequestId) {
        if let Some(Usage { state: State::Confirmed(session), .. }) = self.usages.get_mut(&id)
            && matches!(session.pending, Pending::Received(pending) if pending == request)
        {
            session.pending = Pending::Nothing;
        }
    }

    pub(super) fn reinvite_succeeded(
        &mut self,
        now: Time,
        id: InviteId,
        key: ClientKey,
        response: Message,
        out: &mut Vec<Output>,
    ) {
        let session = match self.usages.get_mut(&id) {
            Some(Usage { state: State::Confirmed(session), .. }) => Some(session),
            _ => None,
        };
        let offers = match session.as_ref().map(|session| &session.pending) {
            Some(Pending::Sent { key: sent, attempt }) if *sent == key => Some(attempt.body.is_some()),
            _ => None,
        };
        let (Some(session), Some(offers)) = (session, offers) else {
            // A copy, perhaps after our BYE.
            let tag = response.to().ok().and_then(|to| to.tag()).unwrap_or("");
            self.counters.retransmissions += u64::from(self.clients.acknowledge_again(key, tag, out));
            return;
        };
        let cseq = response.cseq().map_or(0, |(number, _)| number);
        session.dialog.refresh_target(&response);
        session.pending = if offers { Pending::Nothing } else { Pending::OwingAck { key, cseq } };
        if offers {
            self.acknowledge_in(id, (key, cseq), None, out);
        }
        self.take_timer(now, id, &response);
        out.push(Output::Event(Event::ReinviteAnswered { id, message: response }));
    }

    pub(super) fn reinvite_failed(
        &mut self,
        now: Time,
        id: InviteId,
        key: ClientKey,
        status: u16,
        out: &mut Vec<Output>,
    ) {
        let Some(Usage { state: State::Confirmed(session), .. }) = self.usages.get_mut(&id) else { return };
        let Pending::Sent { key: sent, attempt } = &mut session.pending else { return };
        if *sent != key {
            return;
        }
        let mut attempt = attempt.clone();
        session.pending = Pending::Nothing;
        if matches!(status, 408 | 481) {
            return self.abort(now, id, Some(status), Why::DialogLost, out);
        }
        attempt.refusals += 1;
        if status != 491 || attempt.refusals > MAX_REFUSALS {
            out.push(Output::Event(Event::ReinviteFailed { id, status }));
            return;
        }
        let is_caller = session.dialog.is_caller;
        session.retry = Some(attempt);
        let wait = self.glare_wait(is_caller);
        self.timers.set((id, UsageTimer::RetryReinvite), now + wait);
    }

    pub(super) fn retry_reinvite(&mut self, now: Time, id: InviteId, out: &mut Vec<Output>) {
        let Some(Usage { state: State::Confirmed(session), .. }) = self.usages.get_mut(&id) else { return };
        let Some(attempt) = session.retry.take() else { return };
        match session.pending {
            Pending::Nothing => self.send_reinvite(now, id, attempt, out),
            // The peer's own re-INVITE came meanwhile: "if the user still wants it" is for the user to say.
            _ => out.push(Output::Event(Event::ReinviteFailed { id, status: 491 })),
        }
    }

    /// Our BYE got its final response, or none.
    pub(super) fn bye_answered(&mut self, id: InviteId, status: Option<u16>, out: &mut Vec<Output>) {
        let Some(Usage { state: State::Leaving { farewell, .. }, .. }) = self.usages.get(&id) else { return };
        let farewell = *farewell;
        self.end(id, out);
        let why = if status.is_some() { Why::ByeAnswered } else { Why::ByeFailed };
        out.push(Output::Event(match farewell {
            Farewell::Ended => Event::Ended { id, status, why },
            Farewell::Cancelled => Event::Failed { id, status: 487, message: None },
        }));
    }

    /// Sends BYE and waits for its answer.
    pub(super) fn leave(
        &mut self,
        now: Time,
        id: InviteId,
        reason: Option<&str>,
        farewell: Farewell,
        out: &mut Vec<Output>,
    ) {
        self.close_pending(now, id, out);
        let Some(mut usage) = self.usages.remove(&id) else { return };
        if let State::Confirmed(mut session) = usage.state {
            let bye = self.send_bye(now, &mut session.dialog, reason, (ClientUser::Bye(id), id), out);
            usage.state = State::Leaving { dialog: session.dialog, bye, farewell };
            self.usages.insert(id, usage);
        }
    }

    /// Sends BYE and ends the usage without waiting for its answer: the peer is most likely gone.
    pub(super) fn abort(
        &mut self,
        now: Time,
        id: InviteId,
        status: Option<u16>,
        why: Why,
        out: &mut Vec<Output>,
    ) {
        self.abort_with(now, id, status, why, None, out);
    }

    /// The same, with a Reason header field in the BYE.
    pub(super) fn abort_with(
        &mut self,
        now: Time,
        id: InviteId,
        status: Option<u16>,
        why: Why,
        reason: Option<&str>,
        out: &mut Vec<Output>,
    ) {
        self.close_pending(now, id, out);
        let Some(mut usage) = self.usages.remove(&id) else { return };
        if let State::Confirmed(session) = &mut usage.state {
            self.send_bye(now, &mut session.dialog, reason, (ClientUser::Nobody, id), out);
        }
        self.usages.insert(id, usage);
        self.end(id, out);
        out.push(Output::Event(Event::Ended { id, status, why }));
    }

    pub(super) fn send_bye(
        &mut self,
        now: Time,
        dialog: &mut Dialog,
        reason: Option<&str>,
        (user, invite): (ClientUser, InviteId),
        out: &mut Vec<Output>,
    ) -> ClientKey {
        let key = ClientKey::new(self.tokens.next());
        let cseq = dialog.next_cseq();
        let reason = reason.map(|reason| ("Reason", reason));
        let request = dialog.request(&self.config, &Method::Bye, cseq, key, reason.as_slice(), None);
        let new = NewClient { key, is_invite: false, request, user, invite: Some(invite), challenges: 0 };
        self.send(now, new, out);
        key
    }

    fn send_reinvite(&mut self, now: Time, id: InviteId, attempt: Box<Retry>, out: &mut Vec<Output>) {
        let Some(Usage { state: State::Confirmed(session), .. }) = self.usages.get(&id) else { return };
        let timer = self.refresh_fields(session);
        let Some(usage) = self.usages.get_mut(&id) else { return };
        let State::Confirmed(session) = &mut usage.state else { return };
        let key = ClientKey::new(self.tokens.next());
        let cseq = session.dialog.next_cseq();
        let mut headers = vec![
            ("Contact", &*usage.contact),
            ("Allow", self.config.allow),
            ("Supported", super::WITHOUT_100REL),
        ];
        headers.extend(timer.iter().map(|(name, value)| (*name, value.as_str())));
        let request =
            session.dialog.request(&self.config, &Method::Invite, cseq, key, &headers, attempt.body.as_ref());
        session.pending = Pending::Sent { key, attempt };
        let user = ClientUser::Reinvite(id);
        let new = NewClient { key, is_invite: true, request, user, invite: Some(id), challenges: 0 };
        self.send(now, new, out);
    }

    /// Our response to the peer's re-INVITE has gone out.
    fn reinvite_answered(&mut self, now: Time, id: InviteId, class: StatusClass, response: Outgoing) {
        match class {
            StatusClass::Provisional => {}
            StatusClass::Success => {
                let pending = self.await_ack(now, id, response);
                self.set_pending(id, pending);
            }
            StatusClass::Failure => self.set_pending(id, Pending::Nothing),
        }
    }

    /// Ends what is pending in a dialog that ends: the peer's INVITE gets 487 (15.1.2), ours is left to
    /// itself.
    fn close_pending(&mut self, now: Time, id: InviteId, out: &mut Vec<Output>) {
        match self.usages.get(&id).map(|usage| &usage.state) {
            Some(State::Offered { request, .. }) => self.respond_plainly(now, *request, 487, out),
            Some(State::Confirmed(session)) => match session.pending {
                Pending::Received(request) => self.respond_plainly(now, request, 487, out),
                Pending::Sent { key, .. } => self.clients.abandon(now, key),
                Pending::OwingAck { .. } | Pending::AwaitingAck { .. } | Pending::Nothing => {}
            },
            Some(State::Leaving { bye, .. }) => self.clients.abandon(now, *bye),
            Some(State::Calling(_) | State::Rejected { .. }) | None => {}
        }
        self.timers.cancel((id, UsageTimer::RetryReinvite));
        self.timers.cancel((id, UsageTimer::Session));
    }

    pub(super) fn set_pending(&mut self, id: InviteId, pending: Pending) {
        if let Some(Usage { state: State::Confirmed(session), .. }) = self.usages.get_mut(&id) {
            session.pending = pending;
        }
    }

    /// Section 14.1: 2.1 to 4 seconds for the owner of the Call-ID, up to 2 for the other, in steps of 10 ms.
    pub(super) fn glare_wait(&mut self, is_caller: bool) -> Duration {
        let steps = if is_caller { 210 + self.tokens.below(191) } else { self.tokens.below(201) };
        Duration::from_millis(steps * 10)
    }
}
