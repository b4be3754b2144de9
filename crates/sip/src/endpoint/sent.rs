//! Requests of ours that are no INVITE: within a dialog and outside (RFC 3261 sections 8.1 and 12.2.1).

use super::caller::written;
use super::usage::{State, Usage};
use super::{Body, Endpoint, Event, InviteId, Login, NewRequest, Output, SentId, Why};
use crate::dialog::tag_text;
use crate::transaction::Outgoing;
use crate::transaction::client::{ClientKey, ClientUser, NewClient};
use crate::{Message, Method, Name, RequestBuilder};
use clock::Time;

/// A request that has no final response yet.
#[derive(Debug)]
pub(super) struct Sent {
    /// What a challenge is answered with; within a dialog it is the usage's.
    pub(super) login: Option<Box<Login>>,
    /// The usage in whose dialog it went.
    pub(super) invite: Option<InviteId>,
    /// Whether the session ends with it if the peer does not know the dialog.
    ends_session: bool,
}

impl Endpoint {
    /// Sends a request outside any dialog: REGISTER, OPTIONS, MESSAGE. `Event::Response` follows once.
    pub fn request(&mut self, now: Time, request: NewRequest, out: &mut Vec<Output>) -> SentId {
        let key = ClientKey::new(self.tokens.next());
        let outgoing = self.standalone(&request, key);
        let id =
            self.note_sent(Sent { login: request.login.map(Box::new), invite: None, ends_session: false });
        self.start_request(now, (id, None), key, outgoing, out);
        id
    }

    /// Sends a request within the dialog of a session: INFO, REFER, MESSAGE, OPTIONS. `Event::Response`
    /// follows once, also if the session ends before it. `None` if there is no session.
    ///
    /// A peer that answers with 408 or 481, or not at all, has lost the dialog: the session ends by BYE
    /// (12.2.1.2), unless the request belonged to a subscription that shares the dialog (RFC 5057 section 5.1).
    pub fn request_within(
        &mut self,
        now: Time,
        invite: InviteId,
        method: &Method,
        headers: &[(&str, &str)],
        body: Option<&Body>,
        out: &mut Vec<Output>,
    ) -> Option<SentId> {
        let usage = self.usages.get_mut(&invite)?;
        let State::Confirmed(session) = &mut usage.state else { return None };
        let key = ClientKey::new(self.tokens.next());
        let cseq = session.dialog.next_cseq();
        let mut all = Vec::with_capacity(headers.len() + 2);
        if refreshes_target(method) {
            all.extend([("Contact", &*usage.contact), ("Allow", self.config.allow)]);
        }
        all.extend_from_slice(headers);
        let request = session.dialog.request(&self.config, method, cseq, key, &all, body);
        let ends_session = !is_of_subscription(method);
        let id = self.note_sent(Sent { login: None, invite: Some(invite), ends_session });
        self.start_request(now, (id, Some(invite)), key, request, out);
        Some(id)
    }

    /// The final response to a request, or none: 408 and 503 without a message.
    pub(super) fn request_answered(
        &mut self,
        now: Time,
        id: SentId,
        status: u16,
        message: Option<Message>,
        out: &mut Vec<Output>,
    ) {
        let Some(sent) = self.sent.remove(&id) else { return };
        out.push(Output::Event(Event::Response { id, status, message }));
        let Some(invite) = sent.invite.filter(|_| sent.ends_session && matches!(status, 408 | 481)) else {
            return;
        };
        if let Some(Usage { state: State::Confirmed(_), .. }) = self.usages.get(&invite) {
            self.abort(now, invite, Some(status), Why::DialogLost, out);
        }
    }

    fn note_sent(&mut self, sent: Sent) -> SentId {
        self.last_sent += 1;
        let id = SentId(self.last_sent);
        self.sent.insert(id, sent);
        id
    }

    fn start_request(
        &mut self,
        now: Time,
        (id, invite): (SentId, Option<InviteId>),
        key: ClientKey,
        request: Outgoing,
        out: &mut Vec<Output>,
    ) {
        let user = ClientUser::Request(id);
        let new = NewClient { key, is_invite: false, request, user, invite, challenges: 0 };
        self.send(now, new, out);
    }

    fn standalone(&mut self, request: &NewRequest, key: ClientKey) -> Outgoing {
        let tag = self.tokens.next();
        let (call_id, cseq) = match &request.series {
            Some(series) => (series.call_id.clone(), series.cseq),
            None => (self.tokens.call_id(), 1),
        };
        let mut builder = RequestBuilder::new(&request.method, &request.request_uri);
        builder = builder.header(Name::Via, key.via(&self.config, &request.flow));
        builder = builder.header(Name::MaxForwards, request.max_forwards.to_string());
        for route in &request.route {
            builder = builder.header(Name::Route, route);
        }
        builder = builder.header(Name::From, format!("{};tag={}", written(&request.from), tag_text(tag)));
        builder = builder.header(Name::To, written(&request.to)).header(Name::CallId, call_id);
        builder = builder.cseq(cseq, &request.method).header(Name::UserAgent, &self.config.user_agent);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let bytes = match &request.body {
            Some(body) => builder.finish_with(&body.content_type, &body.bytes),
            None => builder.finish(),
        };
        let sdp = request.body.as_ref().is_some_and(Body::is_sdp);
        Outgoing { flow: request.flow, bytes, cseq, sdp }
    }
}

/// The methods whose requests carry a Contact that the peer takes over (RFC 3261 section 12.2, RFC 3311, 3515, 6665).
fn refreshes_target(method: &Method) -> bool {
    matches!(method, Method::Update | Method::Refer | Method::Subscribe)
}

/// The methods that live and die with a subscription and leave the session alone.
fn is_of_subscription(method: &Method) -> bool {
    matches!(method, Method::Refer | Method::Subscribe)
}
