//! A phone's REGISTER (RFC 3261 section 10.2): one address of record, one contact, over UDP.

use bytes::Bytes;
use clock::{Duration, Time};
use sip::{Challenge, Credentials, Message, Method, Name, RequestBuilder};
use std::net::SocketAddr;

const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
/// RFC 3261 17.1.2.2, Timer F: when to give up.
const TIMER_F: Duration = Duration::from_secs(32);

/// Who registers where.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) user: String,
    pub(super) password: String,
    pub(super) domain: String,
    pub(super) contact: String,
    pub(super) local: SocketAddr,
    /// For how long, in seconds; 0 takes the registration back.
    pub(super) expires: u32,
}

/// One REGISTER under way, from the first request to its last answer.
pub(super) struct Registration {
    account: Account,
    /// Unguessable; makes Call-ID, tag, branches and the digest's cnonce.
    token: String,
    cseq: u32,
    authorization: Option<(Name, Credentials)>,
    request: Bytes,
    /// When to send the request again, after the interval; and when to give up.
    again: (Time, Duration),
    timer_f: Time,
}

/// What follows from an answer or from the passing of time.
pub(super) enum Step {
    /// Send this; the registration goes on.
    Send(Bytes),
    /// 2xx.
    Registered,
    /// A final answer that is not 2xx; `None` if there was none at all.
    Failed(Option<u16>),
}

impl Registration {
    /// Begins, with the first request to send. Call-ID (`token`) stays the same while a phone runs, so the CSeq
    /// goes on from the last one that it used (RFC 3261 section 10.2).
    pub(super) fn begin(now: Time, account: Account, token: String, last_cseq: u32) -> (Self, Bytes) {
        let mut this = Self {
            account,
            token,
            cseq: last_cseq,
            authorization: None,
            request: Bytes::new(),
            again: (now, T1),
            timer_f: now,
        };
        let request = this.send(now);
        (this, request)
    }

    /// Takes the answer to a REGISTER; `None` if nothing follows.
    pub(super) fn receive(&mut self, now: Time, answer: &Message) -> Option<Step> {
        let status = answer.status()?;
        let (number, method) = answer.cseq().ok()?;
        if (number, method) != (self.cseq, Method::Register) || status < 200 {
            return None;
        }
        match status {
            200..300 => Some(Step::Registered),
            401 | 407 => Some(self.authorize(now, status, answer)),
            _ => Some(Step::Failed(Some(status))),
        }
    }

    /// The CSeq of the last request.
    pub(super) fn last_cseq(&self) -> u32 {
        self.cseq
    }

    /// When to call [`Registration::handle_timeout`].
    pub(super) fn next_timeout(&self) -> Time {
        self.again.0.min(self.timer_f)
    }

    /// Sends again or gives up, if it is time.
    pub(super) fn handle_timeout(&mut self, now: Time) -> Option<Step> {
        if now >= self.timer_f {
            return Some(Step::Failed(None));
        }
        if now < self.again.0 {
            return None;
        }
        let interval = (self.again.1 * 2).min(T2);
        self.again = (now + interval, interval);
        Some(Step::Send(self.request.clone()))
    }

    /// Answers a challenge, once, and once more if only the nonce was stale.
    fn authorize(&mut self, now: Time, status: u16, answer: &Message) -> Step {
        let (challenges, name) = match status {
            401 => (Name::WwwAuthenticate, Name::Authorization),
            _ => (Name::ProxyAuthenticate, Name::ProxyAuthorization),
        };
        let challenge = answer.header_values(challenges).find_map(|value| Challenge::parse(value).ok());
        let Some(challenge) = challenge.filter(|it| self.authorization.is_none() || it.stale) else {
            return Step::Failed(Some(status));
        };
        let account = &self.account;
        let uri = format!("sip:{}", account.domain);
        let credentials = Credentials::answer(
            &challenge,
            &account.user,
            &account.password,
            &Method::Register,
            &uri,
            &self.token,
            1,
        );
        self.authorization = Some((name, credentials));
        Step::Send(self.send(now))
    }

    /// The next request, with a CSeq of its own.
    fn send(&mut self, now: Time) -> Bytes {
        self.cseq += 1;
        self.again = (now + T1, T1);
        self.timer_f = now + TIMER_F;
        let Account { user, domain, contact, local, expires, .. } = &self.account;
        let token = &self.token;
        let mut request = RequestBuilder::new(&Method::Register, &format!("sip:{domain}"))
            .header("Via", format!("SIP/2.0/UDP {local};rport;branch=z9hG4bK{token}{}", self.cseq))
            .header("Max-Forwards", "70")
            .header("From", format!("<sip:{user}@{domain}>;tag={token}"))
            .header("To", format!("<sip:{user}@{domain}>"))
            .header("Call-ID", token)
            .cseq(self.cseq, &Method::Register)
            .header("Contact", contact)
            .header("Expires", expires.to_string());
        if let Some((name, credentials)) = &self.authorization {
            request = request.header(name, credentials.to_string());
        }
        self.request = request.finish();
        self.request.clone()
    }
}
