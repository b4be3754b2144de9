//! Reliable provisional responses as phones have them, or have not (RFC 3262).

use super::session::{Call, Calling, State};
use super::transaction::Purpose;
use super::{Act, Out, PATIENCE, Phone, T1};
use crate::dice::Dice;
use crate::wire::{self, Draft, Read};
use clock::{Duration, Time};
use rand_chacha::ChaCha12Rng;
use rsip::Header;

/// How a party takes them in one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reliability {
    /// It has never heard of them.
    Ignorant,
    /// It knows them, and sends them where the switch knows them too.
    Knowing,
    /// It insists on them.
    Insisting,
    /// It says that it knows them, and acknowledges none.
    Rude,
}

/// A reliable response of a phone.
#[derive(Clone, Debug)]
pub(super) struct Unacknowledged {
    rseq: u32,
    interval: Duration,
    until: Time,
    /// Whether its PRACK has come.
    acknowledged: bool,
}

fn other(name: &str, value: impl Into<String>) -> Header {
    Header::Other(name.to_owned(), value.into())
}

impl Reliability {
    pub(super) fn draw(rng: &mut ChaCha12Rng) -> Self {
        match rng.below(20) {
            0..=9 => Self::Ignorant,
            10..=15 => Self::Knowing,
            16..=18 => Self::Insisting,
            _ => Self::Rude,
        }
    }

    /// What an INVITE says of them.
    pub(super) fn field(self) -> Option<Header> {
        match self {
            Self::Ignorant => None,
            Self::Knowing | Self::Rude => Some(other("Supported", "100rel")),
            Self::Insisting => Some(other("Require", "100rel")),
        }
    }
}

impl Phone {
    /// The header fields of a provisional response that is to be reliable.
    pub(super) fn reliable_fields(&mut self, now: Time, number: u64) -> Vec<Header> {
        let rseq = 1 + self.rng.below(1_000_000);
        let Some(Call { state: State::Ringing { unacknowledged, .. }, .. }) = self.calls.get_mut(&number)
        else {
            return Vec::new();
        };
        let until = now + PATIENCE;
        *unacknowledged = Some(Unacknowledged { rseq, interval: T1, until, acknowledged: false });
        self.timers.set((number, Act::RepeatProgress), now + T1);
        vec![other("Require", "100rel"), other("RSeq", rseq.to_string())]
    }

    /// The PRACK has not come: the response goes out again, or the call is refused.
    pub(super) fn repeat_progress(&mut self, now: Time, number: u64, sent: &mut Vec<Out>) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        let State::Ringing { invite, unacknowledged: Some(waiting), .. } = &mut call.state else { return };
        if now >= waiting.until {
            return self.refuse(now, number, 504, sent);
        }
        waiting.interval *= 2;
        self.timers.set((number, Act::RepeatProgress), (now + waiting.interval).min(waiting.until));
        let branch = invite.vias.first().map_or("", |via| wire::branch_of(via)).to_owned();
        sent.extend(self.responses.get(&(branch, "INVITE".to_owned())).cloned().map(Out::Send));
    }

    /// Whether the answer has to wait for a PRACK.
    pub(super) fn awaits_prack(&self, number: u64) -> bool {
        let call = self.calls.get(&number);
        matches!(call, Some(Call { state: State::Ringing { unacknowledged: Some(waiting), .. }, .. }) if !waiting.acknowledged)
    }

    /// Whether a 183 of ours that was acknowledged had the answer.
    pub(super) fn has_answered_early(&self, number: u64) -> bool {
        match self.calls.get(&number).map(|call| &call.state) {
            Some(State::Ringing { script, unacknowledged: Some(waiting), .. }) => {
                waiting.acknowledged && matches!(script.progress, Some((_, 183)))
            }
            _ => false,
        }
    }

    pub(super) fn on_prack(&mut self, number: u64, read: &Read, sent: &mut Vec<Out>) {
        let call = self.calls.get_mut(&number).map(|call| &mut call.state);
        let Some(State::Ringing { invite, unacknowledged: Some(waiting), .. }) = call else {
            return self.respond(read, 481, sent);
        };
        let wanted = format!("{} {} INVITE", waiting.rseq, invite.cseq);
        let fits = read.rack.as_deref() == Some(wanted.as_str()) && !waiting.acknowledged;
        waiting.acknowledged |= fits;
        if fits {
            self.timers.cancel((number, Act::RepeatProgress));
        }
        self.respond(read, if fits { 200 } else { 481 }, sent);
    }

    /// A provisional response to our INVITE: its media port is where keys go, and a reliable one gets its PRACK.
    pub(super) fn take_progress(&mut self, now: Time, number: u64, read: &Read, sent: &mut Vec<Out>) {
        let (via, branch) = self.via();
        let Some(call) = self.calls.get_mut(&number) else { return };
        let State::Calling(Calling { script, early, .. }) = &mut call.state else { return };
        early.port = wire::audio_port(&read.body).or(early.port);
        let Some(rseq) = read.rseq.filter(|rseq| early.rseq.is_none_or(|last| *rseq == last + 1)) else {
            return;
        };
        early.rseq = Some(rseq);
        if script.reliability == Reliability::Rude {
            return;
        }
        if let Some(contact) = &read.contact {
            call.target.clone_from(contact);
        }
        let invite = call.cseq;
        call.cseq += 1;
        let bytes = Draft {
            method: "PRACK",
            uri: &call.target,
            via,
            from: &call.local,
            to: &read.to,
            call_id: &call.call_id,
            cseq: call.cseq,
            contact: None,
            more: vec![other("RAck", format!("{rseq} {invite} INVITE"))],
            sdp: None,
        }
        .write();
        self.begin(now, (Purpose::Other, number, "PRACK"), branch, bytes, sent);
    }
}
