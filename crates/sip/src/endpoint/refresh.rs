//! Session timers (RFC 4028) and UPDATE (RFC 3311): a session whose other end is gone comes to an end here too.

use super::request::fault;
use super::usage::{Pending, Session, State, Usage, UsageTimer};
use super::{Endpoint, Event, InviteId, Output, SessionTimers, Why};
use crate::transaction::client::{ClientKey, ClientUser, NewClient};
use crate::transaction::received;
use crate::transaction::server::ServerUser;
use crate::{Fault, Flow, Message, Method, Name, Params};
use clock::{Duration, Time};

/// A session that must be refreshed more often is refreshed this often, whatever the peer says, in seconds.
const SHORTEST: u32 = 20;
/// The longest interval that is agreed to, in seconds.
const LONGEST: u32 = 86_400;
/// What the peer of a session that was not refreshed in time is told (RFC 3326).
const EXPIRED: &str = "SIP;cause=408;text=\"Session timer expired\"";

/// How a session is kept alive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refresh {
    /// Seconds that the session lives without a refresh.
    interval: u32,
    refresher: Refresher,
    /// When it ends unless it is refreshed.
    ends_at: Time,
    /// Whether the peer takes UPDATE, so that no re-INVITE is needed.
    updates: bool,
}

/// Who refreshes a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refresher {
    /// We do.
    Us,
    /// The peer does, or the session ends.
    Peer,
    /// The peer knows no session timers. Whether it lives is asked by OPTIONS in the dialog: one that has lost it
    /// answers 481, one that is gone does not answer.
    Nobody,
}

impl Refresh {
    /// What our 2xx to a request of the peer settles (section 9).
    fn answering(timers: &SessionTimers, request: &Message) -> Self {
        let knows_timers = supports(request, "timer");
        let asked = session_expires(request);
        let least = min_se(request).unwrap_or(0).max(if knows_timers { timers.min } else { SHORTEST });
        let interval = asked.map_or(timers.expires, |(seconds, _)| seconds.min(timers.expires)).max(least);
        let refresher = match (knows_timers, asked) {
            (true, Some((_, Some(Role::Server)))) => Refresher::Us,
            (true, _) => Refresher::Peer,
            // A proxy on the way wants a timer.
            (false, Some(_)) => Refresher::Us,
            (false, None) => Refresher::Nobody,
        };
        Self { interval: interval.min(LONGEST), refresher, ends_at: Time::ZERO, updates: false }
    }

    /// What the peer's 2xx to a request of ours settles (section 7.2).
    fn answered(timers: &SessionTimers, response: &Message) -> Self {
        let (interval, refresher) = match session_expires(response) {
            Some((seconds, Some(Role::Server))) => (seconds, Refresher::Peer),
            Some((seconds, _)) => (seconds, Refresher::Us),
            None => (timers.expires, Refresher::Nobody),
        };
        Self { interval: interval.clamp(SHORTEST, LONGEST), refresher, ends_at: Time::ZERO, updates: false }
    }

    /// The header fields of our 2xx.
    fn answer_fields(self) -> Vec<(&'static str, String)> {
        match self.refresher {
            Refresher::Us => vec![("Session-Expires", format!("{};refresher=uas", self.interval))],
            Refresher::Peer => vec![
                ("Session-Expires", format!("{};refresher=uac", self.interval)),
                ("Require", "timer".to_owned()),
            ],
            Refresher::Nobody => Vec::new(),
        }
    }

    /// The header fields of a request of ours within the session: who refreshes stays as it is (7.4).
    fn request_fields(self, timers: &SessionTimers) -> Vec<(&'static str, String)> {
        let role = match self.refresher {
            Refresher::Us => ";refresher=uac",
            Refresher::Peer => ";refresher=uas",
            Refresher::Nobody => "",
        };
        vec![
            ("Session-Expires", format!("{}{role}", self.interval.max(timers.min))),
            ("Min-SE", timers.min.to_string()),
        ]
    }

    /// When it is refreshed, or is over: section 10 ends it a little before the time.
    fn due(&mut self, now: Time) -> Time {
        let seconds = |seconds: u32| now + Duration::from_secs(seconds.into());
        self.ends_at = seconds(self.interval - (self.interval / 3).min(32));
        if self.refresher == Refresher::Nobody {
            // Time for the answer to OPTIONS.
            self.ends_at = self.ends_at.max(seconds(self.interval / 2 + 33));
        }
        match self.refresher {
            Refresher::Peer => self.ends_at,
            Refresher::Us | Refresher::Nobody => seconds(self.interval / 2),
        }
    }
}

impl Endpoint {
    /// Header fields of an INVITE outside a dialog.
    pub(super) fn timer_fields(&self) -> [(Name, String); 2] {
        let SessionTimers { expires, min } = self.config.session_timers;
        [(Name::SessionExpires, expires.to_string()), (Name::MinSe, min.to_string())]
    }

    /// Header fields of a re-INVITE or UPDATE.
    pub(super) fn refresh_fields(&self, session: &Session) -> Vec<(&'static str, String)> {
        session.refresh.map(|it| it.request_fields(&self.config.session_timers)).unwrap_or_default()
    }

    /// Whether a request asks for a shorter interval than we bear, and its sender knows 422 (section 9).
    pub(super) fn refuses_interval(&self, request: &Message) -> Option<(Fault, String)> {
        let least = self.config.session_timers.min;
        let (asked, _) = session_expires(request)?;
        (asked < least && supports(request, "timer")).then(|| (fault(422), least.to_string()))
    }

    /// A refusal by 422 answered with the interval that it asks for, once a request (7.3).
    pub(super) fn longer_interval(&self, sent: &Message, response: &Message) -> Option<Vec<(Name, String)>> {
        let least = min_se(response).filter(|least| *least <= LONGEST)?;
        let first = min_se(sent) == Some(self.config.session_timers.min);
        let (asked, role) = session_expires(sent)?;
        let role = match role {
            Some(Role::Client) => ";refresher=uac",
            Some(Role::Server) => ";refresher=uas",
            None => "",
        };
        (first && least > asked)
            .then(|| vec![(Name::SessionExpires, format!("{least}{role}")), (Name::MinSe, least.to_string())])
    }

    /// What our 2xx to a request of the peer says of the session's timer; the timer runs from now.
    pub(super) fn settle_timer(
        &mut self,
        now: Time,
        id: InviteId,
        request: &Message,
    ) -> Vec<(&'static str, String)> {
        let settled = Refresh::answering(&self.config.session_timers, request);
        self.run_timer(now, id, settled, request);
        settled.answer_fields()
    }

    /// Takes what the peer's 2xx says of the session's timer.
    pub(super) fn take_timer(&mut self, now: Time, id: InviteId, response: &Message) {
        let settled = Refresh::answered(&self.config.session_timers, response);
        self.run_timer(now, id, settled, response);
    }

    fn run_timer(&mut self, now: Time, id: InviteId, mut settled: Refresh, message: &Message) {
        let Some(Usage { state: State::Confirmed(session), .. }) = self.usages.get_mut(&id) else { return };
        let before = session.refresh.is_some_and(|refresh| refresh.updates);
        settled.updates = allows(message, &Method::Update).unwrap_or(before);
        let due = settled.due(now);
        session.refresh = Some(settled);
        self.timers.set((id, UsageTimer::Session), due);
    }

    /// Half of the interval is over, or all of it.
    pub(super) fn session_timer(&mut self, now: Time, id: InviteId, out: &mut Vec<Output>) {
        let Some(Usage { state: State::Confirmed(session), .. }) = self.usages.get_mut(&id) else { return };
        let Some(refresh) = &mut session.refresh else { return };
        match refresh.refresher {
            Refresher::Nobody if now < refresh.ends_at => {
                let ends_at = refresh.ends_at;
                self.timers.set((id, UsageTimer::Session), ends_at);
                self.probe(now, id, out);
            }
            Refresher::Us if now < refresh.ends_at => {
                let (ends_at, updates) = (refresh.ends_at, refresh.updates);
                let busy = !matches!(session.pending, Pending::Nothing);
                self.timers.set((id, UsageTimer::Session), ends_at);
                match (busy, updates) {
                    // The INVITE that is under way refreshes the session, if it is accepted.
                    (true, _) => self.refresh_later(now, id),
                    (false, true) => self.send_update(now, id, out),
                    (false, false) => {
                        self.refresh_later(now, id);
                        out.push(Output::Event(Event::RefreshDue { id }));
                    }
                }
            }
            Refresher::Us | Refresher::Peer | Refresher::Nobody => self.expire(now, id, out),
        }
    }

    fn expire(&mut self, now: Time, id: InviteId, out: &mut Vec<Output>) {
        self.abort_with(now, id, None, Why::SessionExpired, Some(EXPIRED), out);
    }

    /// Asks the peer whether it knows the dialog.
    fn probe(&mut self, now: Time, id: InviteId, out: &mut Vec<Output>) {
        self.send_refresh(now, id, &Method::Options, Vec::new(), out);
    }

    fn send_update(&mut self, now: Time, id: InviteId, out: &mut Vec<Output>) {
        let Some(Usage { state: State::Confirmed(session), .. }) = self.usages.get(&id) else { return };
        let fields = self.refresh_fields(session);
        self.send_refresh(now, id, &Method::Update, fields, out);
    }

    fn send_refresh(
        &mut self,
        now: Time,
        id: InviteId,
        method: &Method,
        fields: Vec<(&'static str, String)>,
        out: &mut Vec<Output>,
    ) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        let State::Confirmed(session) = &mut usage.state else { return };
        let key = ClientKey::new(self.tokens.next());
        let cseq = session.dialog.next_cseq();
        let mut headers = vec![("Contact", &*usage.contact), ("Supported", super::EXTENSIONS)];
        headers.extend(fields.iter().map(|(name, value)| (*name, value.as_str())));
        let request = session.dialog.request(&self.config, method, cseq, key, &headers, None);
        let user = ClientUser::Refresh(id);
        let new = NewClient { key, is_invite: false, request, user, invite: Some(id), challenges: 0 };
        self.send(now, new, out);
    }

    /// The answer to our UPDATE or OPTIONS, or none.
    pub(super) fn refresh_answered(
        &mut self,
        now: Time,
        id: InviteId,
        status: u16,
        response: Option<&Message>,
        out: &mut Vec<Output>,
    ) {
        let Some(Usage { state: State::Confirmed(session), .. }) = self.usages.get_mut(&id) else { return };
        if matches!(status, 408 | 481) {
            return self.abort(now, id, Some(status), Why::DialogLost, out);
        }
        let Some(response) = response else { return self.refresh_later(now, id) };
        if *response.method() == Method::Options {
            if let Some(refresh) = &mut session.refresh {
                let due = refresh.due(now);
                self.timers.set((id, UsageTimer::Session), due);
            }
            return;
        }
        match status {
            200..=299 => {
                session.dialog.refresh_target(response);
                self.take_timer(now, id, response);
            }
            405 | 501 => {
                if let Some(refresh) = &mut session.refresh {
                    refresh.updates = false;
                }
                out.push(Output::Event(Event::RefreshDue { id }));
            }
            // Tried again soon, for as long as the session lives.
            _ => {
                let is_caller = session.dialog.is_caller;
                let ends_at = session.refresh.map_or(now, |refresh| refresh.ends_at);
                let again = now + self.glare_wait(is_caller) + Duration::from_secs(1);
                self.timers.set((id, UsageTimer::Session), again.min(ends_at));
            }
        }
    }

    /// A refresh that has not come about is tried again, ever sooner, until the session ends: the peer could not be reached,
    /// or an INVITE that may yet fail is in its place.
    fn refresh_later(&mut self, now: Time, id: InviteId) {
        const LEAST: Duration = Duration::from_secs(4);
        let Some(Usage { state: State::Confirmed(session), .. }) = self.usages.get(&id) else { return };
        let Some(Refresh { ends_at, .. }) = session.refresh else { return };
        let again = now + (ends_at.since(now) / 2).max(LEAST);
        self.timers.set((id, UsageTimer::Session), again.min(ends_at));
    }

    /// An UPDATE within a dialog. One without a session description is answered here; one with an offer is the
    /// user's, unless an offer is under way already (RFC 3311 section 5.2).
    pub(super) fn receive_update(
        &mut self,
        now: Time,
        id: InviteId,
        flow: Flow,
        key: Box<str>,
        message: Message,
        out: &mut Vec<Output>,
    ) {
        if message.body().is_empty() {
            out.push(received(&message, Some(id), false));
            let request = self.begin_server(now, flow, key, &message, (ServerUser::Nobody, Some(id)));
            return self.respond(now, request, 200, &[], None, out);
        }
        let status = match self.usages.get(&id).map(|usage| &usage.state) {
            Some(State::Confirmed(session)) => match session.pending {
                Pending::Nothing => None,
                Pending::Received(_) => Some(500),
                _ => Some(491),
            },
            _ => None,
        };
        let Some(status) = status else {
            return self.pass_up(now, flow, key, message, (Some(id), None), out);
        };
        out.push(received(&message, Some(id), false));
        let request = self.begin_server(now, flow, key, &message, (ServerUser::Nobody, Some(id)));
        let seconds = self.tokens.below(10).to_string();
        let headers = [("Retry-After", seconds.as_str())];
        self.respond(now, request, status, if status == 500 { &headers } else { &[] }, None, out);
    }
}

/// Which side of the request that settles a timer refreshes the session (RFC 4028 section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Client,
    Server,
}

/// Session-Expires: its seconds, and who refreshes if it says so. Unreadable ones count as none.
fn session_expires(message: &Message) -> Option<(u32, Option<Role>)> {
    let value = message.header(Name::SessionExpires)?;
    let (seconds, params) = value.split_once(';').unwrap_or((value, ""));
    let role = match Params::new(params).get("refresher") {
        Some(role) if role.eq_ignore_ascii_case("uac") => Some(Role::Client),
        Some(role) if role.eq_ignore_ascii_case("uas") => Some(Role::Server),
        _ => None,
    };
    Some((delta_seconds(seconds)?, role))
}

fn min_se(message: &Message) -> Option<u32> {
    let value = message.header(Name::MinSe)?;
    delta_seconds(value.split(';').next().unwrap_or(value))
}

/// What exceeds 32 bits counts as the most that they hold (RFC 3261 section 25.1, delta-seconds).
fn delta_seconds(text: &str) -> Option<u32> {
    let text = text.trim_ascii();
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().unwrap_or(u32::MAX))
}

/// Whether the sender of a message says that it knows an extension.
pub(super) fn supports(message: &Message, extension: &str) -> bool {
    let named = |name| message.header_values(name).any(|value| value.eq_ignore_ascii_case(extension));
    named(Name::Supported) || named(Name::Require)
}

/// Whether the sender takes a method; `None` if it does not say.
fn allows(message: &Message, method: &Method) -> Option<bool> {
    let mut methods = message.header_values(Name::Allow).peekable();
    methods.peek()?;
    Some(methods.any(|allowed| allowed == method.as_str()))
}
