//! Provisional responses, those that are sure to arrive among them, and the PRACKs that say so (RFC 3262).

use super::refresh::supports;
use super::usage::{State, Usage, UsageTimer};
use super::{Body, Endpoint, InviteId, Output};
use crate::dialog::Dialog;
use crate::transaction::client::{ClientKey, ClientUser, NewClient};
use crate::transaction::received;
use crate::transaction::server::{ServerUser, Waiting};
use crate::{Flow, Message, Method, Name};
use clock::{Duration, Time};

/// The option tag.
const EXTENSION: &str = "100rel";
/// The first RSeq is at most this (section 3).
const HIGHEST_FIRST: u64 = (1 << 31) - 1;
/// How often a provisional response is repeated, so that no proxy gives up the call (RFC 3261 section 13.3.1.1).
const PROGRESS_INTERVAL: Duration = Duration::from_secs(60);

/// The reliable provisional responses to one INVITE.
#[derive(Debug)]
pub(super) struct Reliable {
    /// The RSeq of the last.
    rseq: u32,
    /// The status of the last.
    status: u16,
    /// While its PRACK has not come: how long ago it was sent last, in steps of T1 that double.
    unacknowledged: Option<Duration>,
    /// What is to be said once it has.
    next: Option<Next>,
    /// Whether one of them had the answer to the INVITE's offer.
    answers: bool,
}

/// What waits for a PRACK.
#[derive(Debug)]
enum Next {
    Progress(Progress),
    Answer { contact: Box<str>, body: Option<Body> },
}

/// A provisional response as the user wants it.
#[derive(Debug)]
struct Progress {
    status: u16,
    contact: Box<str>,
    body: Option<Body>,
}

impl Progress {
    fn answers(&self) -> bool {
        self.body.as_ref().is_some_and(Body::is_sdp)
    }
}

/// How a provisional response goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Plain,
    Reliable,
    /// Not at all.
    Unsaid,
}

impl Manner {
    /// What the INVITE's sender wants, and what the answer to its offer deserves. Without an offer the first
    /// reliable response would have to make one (section 5), and ours are made in the 2xx.
    fn of(invite: &Message, answers: bool) -> Self {
        let is_required = invite.header_values(Name::Require).any(|it| it.eq_ignore_ascii_case(EXTENSION));
        match (is_required, invite.sdp().is_some()) {
            (true, true) => Self::Reliable,
            (true, false) => Self::Unsaid,
            (false, _) if answers && supports(invite, EXTENSION) => Self::Reliable,
            (false, _) => Self::Plain,
        }
    }
}

/// What a caller knows of one branch's reliable responses.
#[derive(Debug)]
pub(super) struct Acknowledging {
    /// The early dialog that the PRACKs are sent in.
    pub(super) dialog: Dialog,
    /// The RSeq of the last that was acknowledged.
    rseq: u32,
}

impl Endpoint {
    /// Sends a provisional response, 101–199, to the peer's INVITE, and again every minute. A session description
    /// must answer the INVITE's offer; without an offer it is left out.
    ///
    /// A peer that wants to be sure of such responses gets them one after the other: of those that wait for the
    /// PRACK to an earlier one only the last is sent. Without any PRACK for 64*T1 the INVITE is refused with 504.
    pub fn progress(
        &mut self,
        now: Time,
        id: InviteId,
        status: u16,
        contact: &str,
        body: Option<Body>,
        out: &mut Vec<Output>,
    ) {
        let Some(Usage { state: State::Offered { request, .. }, .. }) = self.usages.get(&id) else { return };
        let Some(waiting) = self.servers.waiting(*request) else { return };
        let body = body.filter(|body| !body.is_sdp() || waiting.request.sdp().is_some());
        let progress = Progress { status, contact: contact.into(), body };
        let Some(progress) = self.next_in_turn(id, progress) else { return };
        match Manner::of(&waiting.request, progress.answers()) {
            Manner::Plain => self.send_progress(now, id, (&waiting, None), &progress, out),
            Manner::Reliable => self.progress_reliably(now, id, &waiting, &progress, out),
            Manner::Unsaid => {}
        }
    }

    /// A provisional response that need not wait for the PRACK to an earlier one.
    fn next_in_turn(&mut self, id: InviteId, progress: Progress) -> Option<Progress> {
        let State::Offered { reliable: Some(reliable), .. } = &mut self.usages.get_mut(&id)?.state else {
            return Some(progress);
        };
        match reliable.next {
            _ if reliable.unacknowledged.is_none() => return Some(progress),
            Some(Next::Answer { .. }) => {}
            Some(Next::Progress(_)) | None => reliable.next = Some(Next::Progress(progress)),
        }
        None
    }

    fn progress_reliably(
        &mut self,
        now: Time,
        id: InviteId,
        waiting: &Waiting,
        progress: &Progress,
        out: &mut Vec<Output>,
    ) {
        let first = u32::try_from(1 + self.tokens.below(HIGHEST_FIRST)).unwrap_or(1);
        let t1 = self.config.timers.t1;
        let Some(usage) = self.usages.get_mut(&id) else { return };
        let State::Offered { reliable, .. } = &mut usage.state else { return };
        let (rseq, answered) = match reliable {
            None => (first, false),
            Some(before) => (before.rseq.wrapping_add(1), before.answers),
        };
        *reliable = Some(Box::new(Reliable {
            rseq,
            status: progress.status,
            unacknowledged: Some(t1),
            next: None,
            answers: answered || progress.answers(),
        }));
        self.send_progress(now, id, (waiting, Some(rseq)), progress, out);
        self.timers.set((id, UsageTimer::RepeatAnswer), now + t1);
        self.timers.set((id, UsageTimer::AckOverdue), now + t1 * 64);
    }

    fn send_progress(
        &mut self,
        now: Time,
        id: InviteId,
        (waiting, rseq): (&Waiting, Option<u32>),
        progress: &Progress,
        out: &mut Vec<Output>,
    ) {
        let rseq = rseq.map(|rseq| rseq.to_string());
        let mut headers = vec![("Contact", &*progress.contact)];
        if let Some(rseq) = &rseq {
            // A PRACK and an UPDATE may follow before the answer.
            headers.extend([("Allow", self.config.allow), ("Require", EXTENSION), ("RSeq", rseq)]);
        }
        let response = self.response(waiting, progress.status, &headers, progress.body.as_ref());
        let Some(usage) = self.usages.get_mut(&id) else { return };
        let State::Offered { request, .. } = usage.state else { return };
        if usage.contact != progress.contact {
            usage.contact.clone_from(&progress.contact);
        }
        self.servers.respond(now, request, progress.status, response, out);
        self.timers.set((id, UsageTimer::RepeatProgress), now + PROGRESS_INTERVAL);
    }

    /// The body of the 2xx that the user wants to send: without the answer if that has arrived already. `None` if
    /// the 2xx has to wait for the PRACK to what was said before; it is sent when that comes.
    pub(super) fn body_of_answer(
        &mut self,
        id: InviteId,
        contact: &str,
        body: Option<Body>,
    ) -> Option<Option<Body>> {
        let usage = self.usages.get_mut(&id)?;
        let State::Offered { reliable: Some(reliable), .. } = &mut usage.state else { return Some(body) };
        if reliable.unacknowledged.is_some() {
            reliable.next = Some(Next::Answer { contact: contact.into(), body });
            return None;
        }
        Some(body.filter(|body| !(reliable.answers && body.is_sdp())))
    }

    /// A minute has passed since the last provisional response. A reliable one that was acknowledged is said anew,
    /// since its copy would be taken for a retransmission.
    pub(super) fn repeat_progress(&mut self, now: Time, id: InviteId, out: &mut Vec<Output>) {
        let Some(usage) = self.usages.get(&id) else { return };
        let State::Offered { request, reliable, .. } = &usage.state else { return };
        match reliable {
            Some(reliable) => {
                let (status, contact) = (reliable.status, usage.contact.clone());
                self.progress(now, id, status, &contact, None, out);
            }
            None => self.servers.repeat(*request, out),
        }
        self.timers.set((id, UsageTimer::RepeatProgress), now + PROGRESS_INTERVAL);
    }

    /// Sends a reliable provisional response again, since its PRACK has not come.
    pub(super) fn repeat_reliable(&mut self, now: Time, id: InviteId, out: &mut Vec<Output>) {
        let Some(usage) = self.usages.get_mut(&id) else { return };
        let State::Offered { request, reliable: Some(reliable), .. } = &mut usage.state else { return };
        let Some(interval) = &mut reliable.unacknowledged else { return };
        *interval *= 2;
        self.servers.repeat(*request, out);
        self.timers.set((id, UsageTimer::RepeatAnswer), now + *interval);
    }

    /// A PRACK within a dialog: what waited for it goes out. One with an offer is the user's to answer.
    pub(super) fn receive_prack(
        &mut self,
        now: Time,
        id: InviteId,
        flow: Flow,
        key: Box<str>,
        message: Message,
        out: &mut Vec<Output>,
    ) {
        let found = self.acknowledged(id, &message);
        if found.is_some() && !message.body().is_empty() {
            self.pass_up(now, flow, key, message, (Some(id), None), out);
        } else {
            let status = if found.is_some() { 200 } else { 481 };
            out.push(received(&message, Some(id), false));
            let request = self.begin_server(now, flow, key, &message, (ServerUser::Nobody, Some(id)));
            self.respond_plainly(now, request, status, out);
        }
        let Some(next) = found else { return };
        self.timers.cancel((id, UsageTimer::RepeatAnswer));
        self.timers.cancel((id, UsageTimer::AckOverdue));
        match next {
            Some(Next::Progress(Progress { status, contact, body })) => {
                self.progress(now, id, status, &contact, body, out);
            }
            Some(Next::Answer { contact, body }) => self.accept(now, id, &contact, body, out),
            None => {}
        }
    }

    /// Takes the acknowledgement of a reliable response, and with it what waited for it; `None` if no response
    /// waits for this one.
    fn acknowledged(&mut self, id: InviteId, prack: &Message) -> Option<Option<Next>> {
        let usage = self.usages.get_mut(&id)?;
        let State::Offered { request, reliable: Some(reliable), .. } = &mut usage.state else { return None };
        let (invite, _) = self.servers.waiting(*request)?.request.cseq().ok()?;
        if rack(prack)? != (reliable.rseq, invite) {
            return None;
        }
        reliable.unacknowledged.take()?;
        Some(reliable.next.take())
    }

    /// Sends the PRACK to a provisional response to our INVITE, where it asks for one. False if the response is a
    /// copy, or came before one that was sent earlier: it counts for nothing then (section 4).
    pub(super) fn acknowledge_progress(
        &mut self,
        now: Time,
        flow: Flow,
        id: InviteId,
        response: &Message,
        out: &mut Vec<Output>,
    ) -> bool {
        let Some(rseq) = reliable_number(response) else { return true };
        let key = ClientKey::new(self.tokens.next());
        let Some(Usage { state: State::Calling(calling), .. }) = self.usages.get_mut(&id) else {
            return true;
        };
        let Some(early) = calling.branch_of(response) else { return true };
        match &mut early.acknowledging {
            Some(known) if rseq != known.rseq.wrapping_add(1) => {
                self.counters.retransmissions += 1;
                return false;
            }
            Some(known) => {
                known.rseq = rseq;
                known.dialog.refresh_target(response);
            }
            none => {
                let Some(dialog) = Dialog::answered(response, flow) else { return true };
                *none = Some(Box::new(Acknowledging { dialog, rseq }));
            }
        }
        let Some(Acknowledging { dialog, .. }) = early.acknowledging.as_deref_mut() else { return true };
        let rack = format!("{rseq} {} INVITE", response.cseq().map_or(0, |(number, _)| number));
        let cseq = dialog.next_cseq();
        let request = dialog.request(&self.config, &Method::Prack, cseq, key, &[("RAck", &rack)], None);
        let user = ClientUser::Prack(id);
        let new = NewClient { key, is_invite: false, request, user, invite: Some(id), challenges: 0 };
        self.send(now, new, out);
        true
    }
}

/// RAck: the RSeq and the CSeq number that it acknowledges (section 7.2).
fn rack(prack: &Message) -> Option<(u32, u32)> {
    let mut parts = prack.header(Name::RAck)?.split_ascii_whitespace();
    let (rseq, cseq) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    (parts.next()? == Method::Invite.as_str() && parts.next().is_none()).then_some((rseq, cseq))
}

/// The RSeq of a provisional response that asks for a PRACK.
fn reliable_number(response: &Message) -> Option<u32> {
    let mut required = response.header_values(Name::Require);
    required.any(|it| it.eq_ignore_ascii_case(EXTENSION)).then_some(())?;
    response.header(Name::RSeq)?.trim_ascii().parse().ok()
}
