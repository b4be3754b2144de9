//! Challenges that our requests get (RFC 3261 section 22).

use super::sent::Sent;
use super::usage::{Cancel, State, Usage};
use super::{Endpoint, InviteId, Login, Output};
use crate::dialog::Dialog;
use crate::transaction::Outgoing;
use crate::transaction::client::{ClientKey, ClientUser, NewClient};
use crate::{Challenge, Credentials, Message, Method, Name, RequestBuilder};
use clock::Time;

impl Endpoint {
    /// Sends `request` again with the answer to the challenge of `response`, under the key that is returned.
    /// `None`: there is nothing to answer with, it is for another realm, it was answered before, or nobody
    /// wants the call any more.
    pub(super) fn answer_challenge(
        &mut self,
        now: Time,
        (user, key): (ClientUser, ClientKey),
        request: &Outgoing,
        response: &Message,
        out: &mut Vec<Output>,
    ) -> Option<ClientKey> {
        let (login, invite) = self.login_of(user)?;
        let (challenge, answer_name) = pick(response, login)?;
        let challenges = self.clients.challenges(key);
        if challenges > 1 || (challenges == 1 && !challenge.stale) {
            return None;
        }
        let sent = Message::parse(request.bytes.clone()).ok()?;
        let Login { username, password, .. } = login.clone();
        let (cnonce, uri) = (self.tokens.call_id(), sent.request_uri());
        let answer = Credentials::answer(&challenge, &username, &password, sent.method(), uri, &cnonce, 1);
        let new_key = ClientKey::new(self.tokens.next());
        let dialog = invite.and_then(|id| self.usages.get_mut(&id)).and_then(Usage::dialog_mut);
        let cseq = dialog.map_or(request.cseq + 1, Dialog::next_cseq);
        let via = new_key.via(&self.config, &request.flow);
        let bytes = rebuild(&sent, &via, cseq, answer_name, &answer.to_string());
        let is_invite = *sent.method() == Method::Invite;
        let request = Outgoing { bytes, cseq, ..*request };
        let challenges = challenges + 1;
        let new = NewClient { key: new_key, is_invite, request, user, invite, challenges };
        self.clients.start(now, new, out);
        Some(new_key)
    }

    /// What the user of a transaction answers challenges with, and its usage; `None` if it has nothing, or has
    /// changed its mind about the call.
    fn login_of(&self, user: ClientUser) -> Option<(&Login, Option<InviteId>)> {
        let invite = match user {
            ClientUser::Invite(id) | ClientUser::Reinvite(id) | ClientUser::Bye(id) => id,
            ClientUser::Request(id) => match self.sent.get(&id)? {
                Sent { login: Some(login), .. } => return Some((login, None)),
                sent => sent.invite?,
            },
            ClientUser::Nobody => return None,
        };
        let usage = self.usages.get(&invite)?;
        if let State::Calling(calling) = &usage.state
            && !matches!(calling.cancel, Cancel::Unwanted)
        {
            return None;
        }
        Some((usage.login.as_deref()?, Some(invite)))
    }

    /// The credentials of an INVITE, which its ACK repeats (22.1).
    pub(super) fn credentials_of(&self, key: ClientKey) -> Vec<(Name, String)> {
        let request = self.clients.request(key).and_then(|sent| Message::parse(sent.bytes.clone()).ok());
        let Some(request) = request else { return Vec::new() };
        let given = |name| request.header(name).map(|value| (name, value.to_owned()));
        [Name::Authorization, Name::ProxyAuthorization].into_iter().filter_map(given).collect()
    }
}

/// The first challenge that we can answer and may, and where the answer goes. Servers put the one that they
/// like best first (RFC 8760 section 2.4).
fn pick(response: &Message, login: &Login) -> Option<(Challenge, Name)> {
    let (asks, answers) = match response.status()? {
        401 => (Name::WwwAuthenticate, Name::Authorization),
        407 => (Name::ProxyAuthenticate, Name::ProxyAuthorization),
        _ => return None,
    };
    let challenges = response.header_values(asks).filter_map(|value| Challenge::parse(value).ok());
    let mut allowed =
        challenges.filter(|challenge| login.realm.as_ref().is_none_or(|realm| *realm == challenge.realm));
    allowed.next().map(|challenge| (challenge, answers))
}

/// The request as it was, but for its Via, its CSeq number and its credentials.
fn rebuild(sent: &Message, via: &str, cseq: u32, answer_name: Name, answer: &str) -> bytes::Bytes {
    let method = sent.method();
    let mut builder = RequestBuilder::new(method, sent.request_uri()).header(Name::Via, via);
    for (name, value) in sent.headers() {
        let known = Name::parse(name);
        builder = match known {
            Some(Name::Via | Name::ContentType) => builder,
            Some(Name::CSeq) => builder.cseq(cseq, method),
            Some(known) if known == answer_name => builder,
            _ => builder.header(name, value),
        };
    }
    builder = builder.header(answer_name, answer);
    match sent.content_type() {
        Some(content_type) => builder.finish_with(content_type, sent.body()),
        None => builder.finish(),
    }
}
