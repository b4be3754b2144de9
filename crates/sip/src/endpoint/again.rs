//! A refused request of ours once more: with the answer to a challenge (RFC 3261 section 22), or with the session
//! interval that the peer can live with (RFC 4028 section 7.4).

use super::sent::Sent;
use super::usage::{Cancel, Pending, State, Usage};
use super::{Endpoint, InviteId, Login, Output};
use crate::dialog::Dialog;
use crate::transaction::Outgoing;
use crate::transaction::client::{ClientKey, ClientNotice, ClientUser, NewClient};
use crate::{Challenge, Credentials, Message, Method, Name, RequestBuilder};
use bytes::Bytes;
use clock::Time;

impl Endpoint {
    /// Whether a refusal may be overcome by the same request with another header field.
    pub(super) const fn is_curable(status: u16) -> bool {
        matches!(status, 401 | 407 | 422)
    }

    /// Sends a refused request again if what the refusal asks for can be given; whether it is on its way. Not if
    /// nobody wants the call any more.
    pub(super) fn try_again(
        &mut self,
        now: Time,
        notice: ClientNotice,
        request: &Outgoing,
        response: &Message,
        out: &mut Vec<Output>,
    ) -> bool {
        let invite = self.invite_of(notice.user);
        if let Some(Usage { state: State::Calling(calling), .. }) = invite.and_then(|id| self.usages.get(&id))
            && !matches!(calling.cancel, Cancel::Unwanted)
        {
            return false;
        }
        let Ok(sent) = Message::parse(request.bytes.clone()) else { return false };
        let fields = match response.status() {
            Some(422) => self.longer_interval(&sent, response),
            _ => self.credentials(notice, &sent, response),
        };
        let Some(fields) = fields else { return false };
        let challenges = self.clients.challenges(notice.key) + u8::from(response.status() != Some(422));
        let dialog = invite.and_then(|id| self.usages.get_mut(&id)).and_then(|usage| usage.dialog_of(&sent));
        let cseq = dialog.map_or(request.cseq + 1, Dialog::next_cseq);
        let key = ClientKey::new(self.tokens.next());
        let bytes = rebuild(&sent, &key.via(&self.config, &request.flow), cseq, &fields);
        let is_invite = *sent.method() == Method::Invite;
        let request = Outgoing { bytes, cseq, ..*request };
        let new = NewClient { key, is_invite, request, user: notice.user, invite, challenges };
        self.send(now, new, out);
        self.follow(notice.user, key);
        true
    }

    /// The credentials of an INVITE, which its ACK and PRACK repeat (22.1).
    pub(super) fn credentials_of(&self, key: ClientKey) -> Vec<(Name, String)> {
        let request = self.clients.request(key).and_then(|sent| Message::parse(sent.bytes.clone()).ok());
        let Some(request) = request else { return Vec::new() };
        let given = |name| request.header(name).map(|value| (name, value.to_owned()));
        [Name::Authorization, Name::ProxyAuthorization].into_iter().filter_map(given).collect()
    }

    /// The answer to a challenge. `None`: there is nothing to answer with, it is for another realm, or it was
    /// answered before.
    fn credentials(
        &mut self,
        notice: ClientNotice,
        sent: &Message,
        response: &Message,
    ) -> Option<Vec<(Name, String)>> {
        let Login { username, password, realm } = self.login_of(notice.user)?.clone();
        let (challenge, name) = pick(response, realm.as_deref())?;
        let challenges = self.clients.challenges(notice.key);
        if challenges > 1 || (challenges == 1 && !challenge.stale) {
            return None;
        }
        let (cnonce, uri) = (self.tokens.call_id(), sent.request_uri());
        let answer = Credentials::answer(&challenge, &username, &password, sent.method(), uri, &cnonce, 1);
        Some(vec![(name, answer.to_string())])
    }

    fn login_of(&self, user: ClientUser) -> Option<&Login> {
        if let ClientUser::Request(id) = user
            && let Some(Sent { login: Some(login), .. }) = self.sent.get(&id)
        {
            return Some(login);
        }
        self.usages.get(&self.invite_of(user)?)?.login.as_deref()
    }

    /// The usage that a transaction belongs to.
    fn invite_of(&self, user: ClientUser) -> Option<InviteId> {
        match user {
            ClientUser::Invite(id)
            | ClientUser::Reinvite(id)
            | ClientUser::Refresh(id)
            | ClientUser::Prack(id)
            | ClientUser::Bye(id) => Some(id),
            ClientUser::Request(id) => self.sent.get(&id)?.invite,
            ClientUser::Notify(_) | ClientUser::Nobody => None,
        }
    }

    /// The same request is on its way under another key; what waited for the old one waits for it.
    fn follow(&mut self, user: ClientUser, new_key: ClientKey) {
        let (ClientUser::Invite(id) | ClientUser::Reinvite(id) | ClientUser::Bye(id)) = user else { return };
        let Some(usage) = self.usages.get_mut(&id) else { return };
        match &mut usage.state {
            State::Calling(calling) => {
                calling.key = new_key;
                calling.proceeding = false;
            }
            State::Confirmed(session) => {
                if let Pending::Sent { key, .. } = &mut session.pending {
                    *key = new_key;
                }
            }
            State::Leaving { bye, .. } => *bye = new_key,
            State::Offered { .. } | State::Rejected { .. } => {}
        }
    }
}

/// The first challenge that we can answer and may, and where the answer goes. Servers put the one that they
/// like best first (RFC 8760 section 2.4).
fn pick(response: &Message, realm: Option<&str>) -> Option<(Challenge, Name)> {
    let (asks, answers) = match response.status()? {
        401 => (Name::WwwAuthenticate, Name::Authorization),
        407 => (Name::ProxyAuthenticate, Name::ProxyAuthorization),
        _ => return None,
    };
    let challenges = response.header_values(asks).filter_map(|value| Challenge::parse(value).ok());
    let mut allowed = challenges.filter(|challenge| realm.is_none_or(|realm| realm == challenge.realm));
    allowed.next().map(|challenge| (challenge, answers))
}

/// The request as it was, but for its Via, its CSeq number and the fields that are given.
fn rebuild(sent: &Message, via: &str, cseq: u32, fields: &[(Name, String)]) -> Bytes {
    let method = sent.method();
    let mut builder = RequestBuilder::new(method, sent.request_uri()).header(Name::Via, via);
    for (name, value) in sent.headers() {
        let known = Name::parse(name);
        builder = match known {
            Some(Name::Via | Name::ContentType) => builder,
            Some(Name::CSeq) => builder.cseq(cseq, method),
            Some(known) if fields.iter().any(|(name, _)| *name == known) => builder,
            _ => builder.header(name, value),
        };
    }
    for (name, value) in fields {
        builder = builder.header(name, value);
    }
    match sent.content_type() {
        Some(content_type) => builder.finish_with(content_type, sent.body()),
        None => builder.finish(),
    }
}
