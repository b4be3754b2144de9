//! Session timers as phones have them, or have not (RFC 4028).

use super::session::{Call, State};
use super::transaction::Purpose;
use super::{Act, Out, Phone};
use crate::dice::Dice;
use crate::wire::{self, Read};
use clock::{Duration, Time};
use rand_chacha::ChaCha12Rng;
use rsip::Header;

/// How a phone takes session timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Habit {
    /// It has never heard of them.
    Ignorant,
    /// It refreshes when it has said so, by UPDATE.
    Dutiful,
    /// The same, by re-INVITE, and it takes no UPDATE.
    OldFashioned,
    /// It says that it will refresh, and does not.
    Forgetful,
}

impl Habit {
    pub(super) fn draw(rng: &mut ChaCha12Rng) -> Self {
        rng.pick(&[Self::Ignorant, Self::Ignorant, Self::Dutiful, Self::OldFashioned, Self::Forgetful])
    }

    /// What an INVITE, or a 2xx to one, says of them.
    pub(super) fn fields(self) -> Vec<Header> {
        let other = |name: &str, value: &str| Header::Other(name.to_owned(), value.to_owned());
        match self {
            Self::Ignorant => Vec::new(),
            Self::OldFashioned => {
                vec![other("Supported", "timer"), other("Allow", "INVITE, ACK, CANCEL, BYE")]
            }
            Self::Dutiful | Self::Forgetful => {
                vec![other("Supported", "timer"), other("Allow", "INVITE, ACK, CANCEL, BYE, UPDATE")]
            }
        }
    }
}

impl Phone {
    /// The header fields of a 2xx of ours to an INVITE, UPDATE or re-INVITE; the session's timer runs from now.
    pub(super) fn settle_timer(&mut self, now: Time, number: u64, request: &Read) -> Vec<Header> {
        let mut fields = self.habit.fields();
        let asked = request.session_expires.as_deref().filter(|_| self.habit != Habit::Ignorant);
        let Some((interval, role)) = asked.and_then(parts) else { return fields };
        let ours = match role {
            Some(role) => role == "uas",
            None => self.rng.chance(500),
        };
        let role = if ours { "uas" } else { "uac" };
        fields.push(Header::Other("Session-Expires".to_owned(), format!("{interval};refresher={role}")));
        self.run_timer(now, number, interval, ours);
        fields
    }

    /// Takes what a 2xx says of the session's timer.
    pub(super) fn take_timer(&mut self, now: Time, number: u64, response: &Read) {
        if let Some((interval, role)) = response.session_expires.as_deref().and_then(parts) {
            self.run_timer(now, number, interval, role == Some("uac"));
        }
    }

    fn run_timer(&mut self, now: Time, number: u64, interval: u64, ours: bool) {
        self.timers.cancel((number, Act::Refresh));
        if ours && matches!(self.habit, Habit::Dutiful | Habit::OldFashioned) {
            self.timers.set((number, Act::Refresh), now + Duration::from_secs(interval / 2));
        }
    }

    /// Refreshes the session.
    pub(super) fn refresh(&mut self, now: Time, number: u64, sent: &mut Vec<Out>) {
        let Some(Call { state: State::Up(_), .. }) = self.calls.get(&number) else { return };
        match self.habit {
            Habit::Dutiful => self.send_within(now, number, (Purpose::Refresh, "UPDATE"), None, sent),
            _ => {
                let offer = self.description_of(number, true);
                self.send_reinvite_with(now, number, Some(offer), sent);
            }
        }
    }

    /// The switch refreshes the session by UPDATE.
    pub(super) fn on_update(&mut self, now: Time, number: u64, read: &Read, sent: &mut Vec<Out>) {
        if self.habit == Habit::OldFashioned {
            return self.respond(read, 405, sent);
        }
        let fields = self.settle_timer(now, number, read);
        let contact = self.contact();
        let response = wire::response_with(read, 200, "", contact, fields, None);
        self.remember(read, &response);
        sent.push(Out::Send(response));
    }

    /// The switch refreshes the session by re-INVITE; a phone may refuse one.
    pub(super) fn on_reinvite(&mut self, now: Time, number: u64, read: &Read, sent: &mut Vec<Out>) {
        let busy = self.clients.values().any(|client| client.call == number && client.method == "INVITE");
        let up = matches!(self.calls.get(&number), Some(Call { state: State::Up(_), .. }));
        let faxes = matches!(&self.calls.get(&number), Some(Call { state: State::Up(up), .. }) if up.faxes);
        if busy || !up || self.finals.contains_key(&number) {
            return self.respond(read, if busy { 491 } else { 488 }, sent);
        }
        if wire::has_fax(&read.body) {
            return self.on_fax_asked(now, number, read, sent);
        }
        // Whoever has fax takes audio again; in some calls it says fax whatever it is asked for.
        if !faxes && self.rng.chance(150) {
            return self.respond(read, 488, sent);
        }
        // A gateway may be in trouble for a moment, as over load.
        if faxes && self.rng.chance(150) {
            let status = self.rng.pick(&[500, 503, 491]);
            return self.respond(read, status, sent);
        }
        let insists = faxes && number.is_multiple_of(4);
        let answer = if insists { self.description_of(number, false) } else { self.sdp_answer() };
        self.note_fax(number, answer.as_bytes());
        self.answer_reinvite(now, number, read, answer, sent);
    }
}

/// The seconds of a Session-Expires, and who refreshes.
fn parts(value: &str) -> Option<(u64, Option<&str>)> {
    let (seconds, params) = value.split_once(';').unwrap_or((value, ""));
    Some((seconds.trim().parse().ok()?, params.strip_prefix("refresher=")))
}
