//! Being called: ringing, answering, refusing, and being cancelled.

use super::reliable::Reliability;
use super::script::{OnCancel, RingScript, Then};
use super::session::{Call, State, Up};
use super::{Act, Out, Phone, T1};
use crate::dice::Dice;
use crate::wire::{self, Read};
use clock::Time;
use rsip::Header;

impl Phone {
    pub(super) fn on_invite(&mut self, now: Time, read: &Read, sent: &mut Vec<Out>) {
        let script = RingScript::draw(&mut self.rng);
        if script.deaf {
            self.deaf_to.insert(read.call_id.clone());
            return;
        }
        let number = self.number();
        let tag = self.token();
        if let Some((after, _)) = script.progress {
            self.timers.set((number, Act::Progress), now + after);
        }
        let (Then::Answer { after, .. } | Then::Refuse { after, .. }) = script.then;
        self.timers.set((number, Act::Final), now + after);
        let call = Call {
            call_id: read.call_id.clone(),
            local: format!("{};tag={tag}", read.to),
            tag,
            remote: read.from.clone(),
            target: read.contact.clone().unwrap_or_default(),
            cseq: 0,
            state: State::Ringing {
                invite: Box::new(read.clone()),
                script: Box::new(script),
                unacknowledged: None,
            },
        };
        self.calls.insert(number, call);
        // Retransmissions find a response, and so do not ring twice.
        let trying = wire::response(read, 100, "", None, None);
        self.remember(read, &trying);
        sent.push(Out::Send(trying));
    }

    pub(super) fn send_progress(&mut self, now: Time, number: u64, sent: &mut Vec<Out>) {
        let contact = self.contact();
        let Some(call) = self.calls.get(&number) else { return };
        let State::Ringing { invite, script, .. } = &call.state else { return };
        let Some((_, status)) = script.progress else { return };
        let reliable = status > 100 && script.reliability != Reliability::Ignorant && invite.reliable;
        let (invite, tag) = (invite.clone(), call.tag.clone());
        let sdp = (status == 183).then(|| self.sdp_answer());
        let fields = if reliable { self.reliable_fields(now, number) } else { Vec::new() };
        let response = wire::response_with(&invite, status, &tag, contact, fields, sdp);
        self.remember(&invite, &response);
        sent.push(Out::Send(response));
    }

    pub(super) fn send_final(&mut self, now: Time, number: u64, sent: &mut Vec<Out>) {
        let Some(call) = self.calls.get(&number) else { return };
        let State::Ringing { script, .. } = &call.state else { return };
        if self.awaits_prack(number) {
            return self.timers.set((number, Act::Final), now + T1);
        }
        match script.then {
            Then::Answer { forks, broken, .. } => {
                let second = forks.then(|| call.clone());
                self.answer(now, number, broken, sent);
                if let Some(mut second) = second {
                    let number = self.number();
                    let tag = self.token();
                    second.local = second.local.replace(&second.tag, &tag);
                    second.tag = tag;
                    self.calls.insert(number, second);
                    self.answer(now, number, false, sent);
                }
            }
            // A PBX refuses mostly because it is full.
            Then::Refuse { .. } if self.name == "pbx" && !number.is_multiple_of(3) => {
                self.refuse(now, number, 503, sent)
            }
            Then::Refuse { status, .. } => self.refuse(now, number, status, sent),
        }
    }

    fn answer(&mut self, now: Time, number: u64, broken: bool, sent: &mut Vec<Out>) {
        let said_by_183 = self.has_answered_early(number);
        let contact = self.contact();
        let sdp = if broken { None } else { Some(self.sdp_answer()) };
        let Some(call) = self.calls.get_mut(&number) else { return };
        let State::Ringing { invite, script, .. } = call.state.clone() else { return };
        // A 183 that has arrived was the answer.
        let answered = script.reliability == Reliability::Knowing && said_by_183;
        let sdp = sdp.filter(|_| !answered);
        let talk = script.talk.clone();
        let hasty = talk.hasty;
        let (keys, port) = (talk.keys.clone().into(), wire::audio_port(&invite.body));
        call.state = State::Up(Up { talk, keys, port, began: false, faxes: false });
        let tag = call.tag.clone();
        let fields = self.settle_timer(now, number, &invite);
        let response = wire::response_with(&invite, 200, &tag, contact, fields, sdp);
        self.begin_final(now, number, &invite, true, response, sent);
        for act in [Act::Progress, Act::RepeatProgress, Act::Final] {
            self.timers.cancel((number, act));
        }
        if hasty {
            self.begin_to_talk(now, number);
        }
    }

    pub(super) fn refuse(&mut self, now: Time, number: u64, status: u16, sent: &mut Vec<Out>) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        let State::Ringing { invite, .. } = std::mem::replace(&mut call.state, State::Refused) else {
            return;
        };
        let tag = call.tag.clone();
        // Most redirects lead to a user or a number, some nowhere.
        let elsewhere =
            self.rng.pick(&["alice", "bob", "carol", "alice", "bob", "desk", "+494712", "menu", "x"]);
        let contact = (status == 302).then(|| format!("<sip:{elsewhere}@{}>;q=0.5", self.switch));
        // Some say for how long they have no room.
        let seconds = match number % 3 {
            0 => None,
            1 => Some("5"),
            _ => Some("60"),
        };
        let more = seconds
            .filter(|_| status == 503)
            .map(|seconds| Header::Other("Retry-After".into(), seconds.into()));
        let more = more.into_iter().collect();
        let response = wire::response_with(&invite, status, &tag, contact, more, None);
        self.begin_final(now, number, &invite, false, response, sent);
        for act in [Act::Progress, Act::RepeatProgress, Act::Final] {
            self.timers.cancel((number, act));
        }
    }

    /// CANCEL names no tag of ours: it is for the call whose INVITE has its branch.
    pub(super) fn on_cancel(&mut self, now: Time, read: &Read, sent: &mut Vec<Out>) {
        let found = self.calls.iter().find(|(_, call)| call.call_id == read.call_id);
        let Some((&number, call)) = found else { return self.respond(read, 481, sent) };
        let on_cancel = match &call.state {
            State::Ringing { script, .. } => Some(script.on_cancel),
            _ => None,
        };
        match on_cancel {
            Some(OnCancel::Ignore) => {}
            Some(OnCancel::Obey) => {
                self.respond(read, 200, sent);
                self.refuse(now, number, 487, sent);
            }
            Some(OnCancel::AnswerAcross) => {
                self.respond(read, 200, sent);
                self.answer(now, number, false, sent);
            }
            None => self.respond(read, 200, sent),
        }
    }
}
