//! INVITEs that we send: RFC 3261 sections 8.1, 9.1 and 13.2.

use super::usage::{Calling, Cancel, Farewell, Pending, Session, State, Usage};
use super::{Address, Body, Endpoint, Event, InviteId, NewInvite, Output};
use crate::dialog::{Dialog, own_tag, tag_text};
use crate::transaction::client::{ClientKey, ClientOutcome, ClientUser, NewClient};
use crate::transaction::{Outgoing, StatusClass};
use crate::{Flow, Message, Method, Name, RequestBuilder};
use clock::Time;

/// CSeq numbers between the ACK and the BYE to a branch of a fork that nobody wants.
const ORPHANS_SKIP: u32 = 1_000;

impl Endpoint {
    /// Sends an INVITE.
    pub fn invite(&mut self, now: Time, invite: NewInvite, out: &mut Vec<Output>) -> InviteId {
        let (tag, call_id) = (self.tokens.next(), self.tokens.call_id());
        let key = ClientKey::new(self.tokens.next());
        let request = self.initial_invite(&invite, key, tag, &call_id);
        let calling = Calling {
            key,
            call_id: call_id.into(),
            offers: invite.body.is_some(),
            proceeding: false,
            cancel: Cancel::Unwanted,
            early: Vec::new(),
        };
        let id = self.begin(Usage {
            tag,
            contact: invite.contact.into(),
            login: invite.login.map(Box::new),
            is_server: invite.is_server,
            state: State::Calling(calling),
        });
        let user = ClientUser::Invite(id);
        let new = NewClient { key, is_invite: true, request, user, invite: Some(id), challenges: 0 };
        self.send(now, new, out);
        id
    }

    /// Cancels our INVITE. `reason` is a Reason header field (RFC 3326),
    /// `SIP;cause=200;text="Call completed elsewhere"`. CANCEL waits for the first provisional response
    /// (9.1); a 2xx that crosses it is acknowledged and ended by BYE. Ends by `Failed` with 487 or what the
    /// peer said. A usage that has been answered meanwhile is ended by BYE.
    pub fn cancel(&mut self, now: Time, id: InviteId, reason: Option<&str>, out: &mut Vec<Output>) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        let calling = match &mut usage.state {
            State::Calling(calling) => calling,
            State::Confirmed(_) => return self.bye(now, id, reason, out),
            State::Offered { .. } | State::Rejected { .. } | State::Leaving { .. } => return,
        };
        if let Cancel::Unwanted = calling.cancel {
            calling.cancel = Cancel::Waiting(reason.map(Box::from));
            self.clients.stay_with_stream(calling.key);
            self.cancel_if_possible(now, id, out);
        }
    }

    /// Sends the ACK to a 2xx that answered our INVITE or re-INVITE without a body; `body` is the answer.
    pub fn acknowledge(&mut self, id: InviteId, body: Option<Body>, out: &mut Vec<Output>) {
        let Some(Usage { state: State::Confirmed(session), .. }) = self.usages.get_mut(&id) else { return };
        if let Pending::OwingAck { key, cseq } = session.pending {
            session.pending = Pending::Nothing;
            self.acknowledge_in(id, (key, cseq), body.as_ref(), out);
        }
    }

    pub(super) fn receive_response(
        &mut self,
        now: Time,
        flow: Flow,
        response: Message,
        out: &mut Vec<Output>,
    ) {
        // With a second Via it was another's, and has lost its way (8.1.3.3).
        if response.header_values(Name::Via).nth(1).is_some() {
            self.counters.strays += 1;
            return;
        }
        let status = response.status().unwrap_or(0);
        let key = ClientKey::of_response(&response);
        // A refused INVITE is replaced by its ACK in the transaction, so its copy is taken before.
        let refused = key.filter(|_| Self::is_curable(status));
        let refused = refused.and_then(|key| self.refused(key));
        let (matched, notice) = self.clients.response(now, &response, out);
        if !matched {
            self.counters.strays += 1;
        }
        let Some(notice) = notice.filter(|notice| notice.outcome == ClientOutcome::Response) else { return };
        let key = notice.key;
        let flow = self.way_of_dialog(key, flow, &response);
        if let Some(request) = refused
            && self.try_again(now, notice, &request, &response, out)
        {
            return;
        }
        match (notice.user, StatusClass::of(status)) {
            (ClientUser::Invite(id), StatusClass::Provisional) => {
                self.invite_proceeds(now, flow, id, response, out)
            }
            (ClientUser::Invite(id), StatusClass::Success) => {
                self.invite_succeeded(now, flow, id, key, response, out)
            }
            (ClientUser::Invite(id), StatusClass::Failure) => {
                self.invite_failed(id, status, Some(response), out)
            }
            (
                ClientUser::Reinvite(_)
                | ClientUser::Refresh(_)
                | ClientUser::Prack(_)
                | ClientUser::Bye(_)
                | ClientUser::Notify(_)
                | ClientUser::Request(_),
                StatusClass::Provisional,
            ) => {}
            (ClientUser::Reinvite(id), StatusClass::Success) => {
                self.reinvite_succeeded(now, id, key, response, out)
            }
            (ClientUser::Reinvite(id), StatusClass::Failure) => {
                self.reinvite_failed(now, id, key, status, out)
            }
            (ClientUser::Refresh(id), _) => self.refresh_answered(now, id, status, Some(&response), out),
            (ClientUser::Bye(id), _) => self.bye_answered(id, Some(status), out),
            (ClientUser::Notify(id), _) => self.notify_answered(id, status, out),
            (ClientUser::Request(id), _) => self.request_answered(now, id, status, Some(response), out),
            // The call goes on without it: the peer repeats its response, or gives up.
            (ClientUser::Prack(_), _) => {}
            (ClientUser::Nobody, StatusClass::Success) if *response.method() == Method::Invite => {
                self.acknowledge_orphan(key, flow, &response, out);
            }
            (ClientUser::Nobody, _) => {}
        }
    }

    /// Our INVITE failed; the usage is over.
    pub(super) fn invite_failed(
        &mut self,
        id: InviteId,
        status: u16,
        message: Option<Message>,
        out: &mut Vec<Output>,
    ) {
        let Some(Usage { state: State::Calling(calling), .. }) = self.usages.get(&id) else { return };
        let cancelled = !matches!(calling.cancel, Cancel::Unwanted) && message.is_none();
        let status = if cancelled { 487 } else { status };
        self.end(id, out);
        out.push(Output::Event(Event::Failed { id, status, message }));
    }

    /// Builds and sends the ACK to the 2xx that an INVITE of ours got, within the usage's dialog.
    pub(super) fn acknowledge_in(
        &mut self,
        id: InviteId,
        (key, cseq): (ClientKey, u32),
        body: Option<&Body>,
        out: &mut Vec<Output>,
    ) {
        let credentials = match self.usages.get(&id) {
            Some(Usage { login: Some(_), .. }) => self.credentials_of(key),
            _ => Vec::new(),
        };
        let Some(dialog) = self.usages.get_mut(&id).and_then(Usage::dialog_mut) else { return };
        let headers: Vec<(&str, &str)> =
            credentials.iter().map(|(name, value)| (name.text(), &**value)).collect();
        let ack_key = ClientKey::new(self.tokens.next());
        let ack = dialog.request(&self.config, &Method::Ack, cseq, ack_key, &headers, body);
        self.clients.acknowledge(key, dialog.remote_tag(), ack, out);
    }

    fn initial_invite(&self, invite: &NewInvite, key: ClientKey, tag: u64, call_id: &str) -> Outgoing {
        let mut builder = RequestBuilder::new(&Method::Invite, &invite.request_uri);
        builder = builder.header(Name::Via, key.via(&self.config, &invite.flow));
        builder = builder.header(Name::MaxForwards, invite.max_forwards.to_string());
        for route in &invite.route {
            builder = builder.header(Name::Route, route);
        }
        builder = builder.header(Name::From, format!("{};tag={}", written(&invite.from), tag_text(tag)));
        builder = builder.header(Name::To, written(&invite.to)).header(Name::CallId, call_id);
        builder = builder.cseq(1, &Method::Invite).header(Name::Contact, &invite.contact);
        builder = builder.header(Name::Allow, self.config.allow);
        let extensions = if invite.body.is_some() { super::EXTENSIONS } else { super::WITHOUT_100REL };
        builder = builder.header(Name::Supported, extensions);
        for (name, value) in self.timer_fields() {
            builder = builder.header(name, value);
        }
        builder = builder.header(Name::UserAgent, &self.config.user_agent);
        for (name, value) in &invite.headers {
            builder = builder.header(name, value);
        }
        let bytes = match &invite.body {
            Some(body) => builder.finish_with(&body.content_type, &body.bytes),
            None => builder.finish(),
        };
        let sdp = invite.body.as_ref().is_some_and(Body::is_sdp);
        Outgoing { flow: invite.flow, bytes, cseq: 1, sdp }
    }

    fn invite_proceeds(
        &mut self,
        now: Time,
        flow: Flow,
        id: InviteId,
        response: Message,
        out: &mut Vec<Output>,
    ) {
        let Some(Usage { state: State::Calling(calling), .. }) = self.usages.get_mut(&id) else { return };
        calling.proceeding = true;
        if !matches!(calling.cancel, Cancel::Unwanted) {
            return self.cancel_if_possible(now, id, out);
        }
        if response.status() != Some(100) {
            calling.note_early(&response);
        }
        if response.status() != Some(100) && self.acknowledge_progress(now, flow, id, &response, out) {
            out.push(Output::Event(Event::Progress { id, message: response }));
        }
    }

    /// Sends the CANCEL that is wanted, once a provisional response allows it (9.1).
    fn cancel_if_possible(&mut self, now: Time, id: InviteId, out: &mut Vec<Output>) {
        let Some(Usage { state: State::Calling(calling), .. }) = self.usages.get_mut(&id) else { return };
        let Cancel::Waiting(reason) = &calling.cancel else { return };
        if !calling.proceeding {
            return;
        }
        let (key, reason) = (calling.key, reason.clone());
        calling.cancel = Cancel::Sent;
        let Some(invite) = self.clients.request(key) else { return };
        let Some(request) = cancel_of(invite, reason.as_deref()) else { return };
        let (cancel_key, user) = (key.cancelling(), ClientUser::Nobody);
        let new =
            NewClient { key: cancel_key, is_invite: false, request, user, invite: Some(id), challenges: 0 };
        self.send(now, new, out);
        self.clients.give_up_later(now, key);
    }

    fn invite_succeeded(
        &mut self,
        now: Time,
        flow: Flow,
        id: InviteId,
        key: ClientKey,
        response: Message,
        out: &mut Vec<Output>,
    ) {
        let first = match self.usages.get(&id) {
            Some(Usage { state: State::Calling(calling), .. }) => calling.key == key,
            _ => false,
        };
        if !first {
            return self.succeeded_again(now, flow, (id, key), &response, out);
        }
        let Some(mut usage) = self.usages.remove(&id) else { return };
        let State::Calling(mut calling) = usage.state else { return };
        let of_us = own_tag_of(&response) == Some(usage.tag) && response.call_id() == &*calling.call_id;
        let Some(mut dialog) = Dialog::answered(&response, flow).filter(|_| of_us) else {
            // Whoever sent this has not understood the INVITE: no ACK could reach a dialog of ours.
            usage.state = State::Calling(calling);
            self.usages.insert(id, usage);
            return self.invite_failed(id, 502, Some(response), out);
        };
        let owing = calling.offers || !matches!(calling.cancel, Cancel::Unwanted);
        let cseq = dialog.last_cseq();
        if let Some(early) = calling.branch_of(&response) {
            early.confirm(&mut dialog);
        }
        let pending = if owing { Pending::Nothing } else { Pending::OwingAck { key, cseq } };
        usage.state = Session::begin(Box::new(dialog), pending);
        self.usages.insert(id, usage);
        if owing {
            self.acknowledge_in(id, (key, cseq), None, out);
        }
        self.take_timer(now, id, &response);
        match calling.cancel {
            Cancel::Unwanted => out.push(Output::Event(Event::Answered { id, message: response })),
            Cancel::Waiting(reason) => self.leave(now, id, reason.as_deref(), Farewell::Cancelled, out),
            Cancel::Sent => self.leave(now, id, None, Farewell::Cancelled, out),
        }
    }

    /// A 2xx after the first: its retransmission, or another branch of a fork, which is ended (13.2.2.4).
    fn succeeded_again(
        &mut self,
        now: Time,
        flow: Flow,
        (id, key): (InviteId, ClientKey),
        response: &Message,
        out: &mut Vec<Output>,
    ) {
        let tag = response.to().ok().and_then(|to| to.tag()).unwrap_or("");
        let owed = match self.usages.get(&id) {
            Some(Usage { state: State::Confirmed(session), .. }) => {
                matches!(session.pending, Pending::OwingAck { .. }) && session.dialog.remote_tag() == tag
            }
            _ => false,
        };
        if owed || self.clients.acknowledge_again(key, tag, out) {
            self.counters.retransmissions += 1;
            return;
        }
        let Some(mut dialog) = self.acknowledge_orphan(key, flow, response, out) else { return };
        // The branch's PRACKs may have taken numbers of which nothing is known any more.
        dialog.continue_from(Some(dialog.last_cseq() + ORPHANS_SKIP), None);
        self.send_bye(now, &mut dialog, None, (ClientUser::Nobody, id), out);
    }

    /// Sends the ACK to a 2xx that no usage wants; the dialog that it made, if this was the first time.
    fn acknowledge_orphan(
        &mut self,
        key: ClientKey,
        flow: Flow,
        response: &Message,
        out: &mut Vec<Output>,
    ) -> Option<Dialog> {
        let tag = response.to().ok().and_then(|to| to.tag()).unwrap_or("");
        if self.clients.acknowledge_again(key, tag, out) {
            return None;
        }
        let dialog = Dialog::answered(response, flow)?;
        let ack_key = ClientKey::new(self.tokens.next());
        let ack = dialog.request(&self.config, &Method::Ack, dialog.last_cseq(), ack_key, &[], None);
        self.clients.acknowledge(key, tag, ack, out);
        Some(dialog)
    }
}

/// A From or To value without its tag.
pub(super) fn written(address: &Address) -> String {
    match &address.display {
        Some(display) => {
            let quoted = display.replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{quoted}\" <{}>", address.uri)
        }
        None => format!("<{}>", address.uri),
    }
}

fn own_tag_of(response: &Message) -> Option<u64> {
    own_tag(response.from().ok()?.tag()?)
}

/// The CANCEL of an INVITE: its Request-URI, Call-ID, To, From, CSeq number, top Via and Route (9.1).
fn cancel_of(invite: &Outgoing, reason: Option<&str>) -> Option<Outgoing> {
    let sent = Message::parse(invite.bytes.clone()).ok()?;
    let mut builder = RequestBuilder::new(&Method::Cancel, sent.request_uri());
    builder = builder.header(Name::Via, sent.header(Name::Via)?).header(Name::MaxForwards, "70");
    for route in sent.header_values(Name::Route) {
        builder = builder.header(Name::Route, route);
    }
    builder = builder.header(Name::From, sent.header(Name::From)?).header(Name::To, sent.header(Name::To)?);
    builder = builder.header(Name::CallId, sent.call_id()).cseq(invite.cseq, &Method::Cancel);
    if let Some(reason) = reason {
        builder = builder.header(Name::Reason, reason);
    }
    Some(Outgoing { flow: invite.flow, bytes: builder.finish(), cseq: invite.cseq, sdp: false })
}
