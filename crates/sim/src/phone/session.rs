//! A call as a phone sees it, and what either party does in it once it is up.

use super::reliable::Unacknowledged;
use super::script::{CallScript, RingScript, Talk};
use super::transaction::Purpose;
use super::{Act, Out, Phone};
use crate::dice::Dice;
use crate::wire::{Draft, Read, tag_of};
use clock::{Duration, Time};
use std::collections::VecDeque;

/// One call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) call_id: String,
    /// Our tag.
    pub(super) tag: String,
    /// Our From or To.
    pub(super) local: String,
    /// Theirs, with its tag once it is known.
    pub(super) remote: String,
    /// Where our requests go.
    pub(super) target: String,
    pub(super) cseq: u32,
    pub(super) state: State,
}

/// How far a call is.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// Our INVITE is out.
    Calling(Calling),
    /// Their INVITE waits for our answer.
    Ringing { invite: Box<Read>, script: Box<RingScript>, unacknowledged: Option<Unacknowledged> },
    /// We have refused.
    Refused,
    /// Answered.
    Up(Up),
    /// Our BYE is out.
    Ending,
}

/// Our INVITE on its way.
#[derive(Clone, Debug)]
pub(super) struct Calling {
    pub(super) script: Box<CallScript>,
    pub(super) via: String,
    pub(super) branch: String,
    /// CANCEL is wanted: it goes out with the first response.
    pub(super) cancels: bool,
    /// Credentials have been sent.
    pub(super) tried: bool,
    pub(super) early: Early,
}

/// What provisional responses have said.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Early {
    /// The last RSeq.
    pub(super) rseq: Option<u32>,
    /// The switch's RTP port.
    pub(super) port: Option<u16>,
}

/// An answered call.
#[derive(Clone, Debug)]
pub(super) struct Up {
    pub(super) talk: Talk,
    pub(super) keys: VecDeque<(Duration, char)>,
    /// The switch's RTP port.
    pub(super) port: Option<u16>,
    /// Whether the times of the talk are set.
    pub(super) began: bool,
    /// Whether it has fax rather than audio.
    pub(super) faxes: bool,
}

impl Phone {
    /// Sets the times of what will be done in the call.
    pub(super) fn begin_to_talk(&mut self, now: Time, number: u64) {
        let Some(Call { state: State::Up(up), .. }) = self.calls.get_mut(&number) else { return };
        if std::mem::replace(&mut up.began, true) {
            return;
        }
        if self.storms {
            up.talk.storm(&mut self.rng);
        }
        let talk = up.talk.clone();
        let first_key = up.keys.front().map(|(after, _)| *after);
        let is_user = self.password.is_some();
        let mut set = |act, after: Option<Duration>| {
            if let Some(after) = after {
                self.timers.set((number, act), now + after);
            }
        };
        set(Act::HangUp, talk.hang_up_after);
        set(Act::Hold, talk.hold.map(|(after, _)| after));
        set(Act::Fax, talk.fax.map(|script| script.after));
        set(Act::Die, talk.dies_after);
        set(Act::Key, first_key);
        if is_user {
            set(Act::Refer, talk.refer.map(|(after, _)| after));
            set(Act::Consult, talk.consult_after);
        }
    }

    pub(super) fn press_key(&mut self, now: Time, number: u64, sent: &mut Vec<Out>) {
        let Some(Call { state: State::Up(up), .. }) = self.calls.get_mut(&number) else { return };
        let Some((_, key)) = up.keys.pop_front() else { return };
        sent.extend(up.port.map(|port| Out::Key(port, key)));
        if let Some((after, _)) = up.keys.front() {
            self.timers.set((number, Act::Key), now + *after);
        }
    }

    pub(super) fn hold(&mut self, now: Time, number: u64, sent: &mut Vec<Out>) {
        let direction = self.rng.pick(&["sendonly", "sendonly", "inactive", "blackhole", "none"]);
        self.send_reinvite(now, number, direction, sent);
        if let Some(Call { state: State::Up(up), .. }) = self.calls.get(&number)
            && let Some((_, after)) = up.talk.hold
        {
            self.timers.set((number, Act::Resume), now + after);
        }
    }

    /// A re-INVITE with an offer of that direction; `none` leaves the offer to the switch.
    pub(super) fn send_reinvite(&mut self, now: Time, number: u64, direction: &str, sent: &mut Vec<Out>) {
        let offer = (direction != "none").then(|| self.offer(direction));
        self.send_reinvite_with(now, number, offer, sent);
    }

    /// A re-INVITE with that offer, unless one is under way.
    pub(super) fn send_reinvite_with(
        &mut self,
        now: Time,
        number: u64,
        offer: Option<String>,
        sent: &mut Vec<Out>,
    ) {
        let busy = self.clients.values().any(|c| c.call == number && c.purpose == Purpose::Reinvite);
        let up = matches!(self.calls.get(&number), Some(Call { state: State::Up(_), .. }));
        if up && !busy {
            self.send_within(now, number, (Purpose::Reinvite, "INVITE"), offer, sent);
        }
    }

    pub(super) fn send_bye(&mut self, now: Time, number: u64, sent: &mut Vec<Out>) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        if !matches!(call.state, State::Up(_)) {
            return;
        }
        call.state = State::Ending;
        self.send_within(now, number, (Purpose::Bye, "BYE"), None, sent);
    }

    /// Sends a request in a dialog.
    pub(super) fn send_within(
        &mut self,
        now: Time,
        number: u64,
        (purpose, method): (Purpose, &'static str),
        sdp: Option<String>,
        sent: &mut Vec<Out>,
    ) {
        self.send_within_with(now, number, (purpose, method), (Vec::new(), sdp), sent);
    }

    /// The same, with header fields of its own.
    pub(super) fn send_within_with(
        &mut self,
        now: Time,
        number: u64,
        (purpose, method): (Purpose, &'static str),
        (more, sdp): (Vec<rsip::Header>, Option<String>),
        sent: &mut Vec<Out>,
    ) {
        let (via, branch) = self.via();
        let contact = self.contact();
        let Some(call) = self.calls.get_mut(&number) else { return };
        call.cseq += 1;
        let bytes = Draft {
            method,
            uri: &call.target,
            via,
            from: &call.local,
            to: &call.remote,
            call_id: &call.call_id,
            cseq: call.cseq,
            contact,
            more,
            sdp,
        }
        .write();
        self.begin(now, (purpose, number, method), branch, bytes, sent);
    }

    pub(super) fn on_bye(&mut self, number: u64, read: &Read, sent: &mut Vec<Out>) {
        if let Some(Call { state: State::Up(up), .. }) = self.calls.get(&number)
            && up.talk.ignores_bye
        {
            self.deaf_to.insert(ignored_dialog(read));
        } else {
            self.respond(read, 200, sent);
        }
        self.drop_call(number);
    }
}

/// A dialog whose requests a phone ignores.
pub(super) fn ignored_dialog(request: &Read) -> String {
    format!("{} {}", request.call_id, tag_of(&request.to).unwrap_or(""))
}
