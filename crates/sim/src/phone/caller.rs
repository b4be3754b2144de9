//! Placing calls: INVITE, CANCEL, ACK, and what the responses mean.

use super::register::is_stale;
use super::script::CallScript;
use super::session::{Call, Calling, Early, State, Up};
use super::transaction::{Client, Purpose};
use super::{Act, Out, PATIENCE, Phone};
use crate::dice::Dice;
use crate::vouch;
use crate::wire::{self, Draft, Read};
use clock::{Duration, Time};
use rsip::Header;

impl Phone {
    pub(super) fn dial(&mut self, now: Time, sent: &mut Vec<Out>) {
        let Some(script) = self.scripts.pop_front() else { return };
        self.set_dial_timer();
        self.place(now, script, sent);
    }

    pub(super) fn place(&mut self, now: Time, script: CallScript, sent: &mut Vec<Out>) {
        let number = self.number();
        let tag = self.token();
        let target = self.way_in(now, script.number);
        let remote = format!("<sip:{}@{}>", script.number, self.switch);
        let call = Call {
            call_id: format!("{}@{}", self.token(), self.name),
            local: format!("<sip:{}@{}>;tag={tag}", self.name, self.switch.ip()),
            remote,
            tag,
            target,
            cseq: 0,
            state: State::Calling(Calling {
                script: Box::new(script),
                via: String::new(),
                branch: String::new(),
                cancels: false,
                early: Early::default(),
                tried: false,
            }),
        };
        self.calls.insert(number, call);
        self.send_invite(now, number, sent);
    }

    fn send_invite(&mut self, now: Time, number: u64, sent: &mut Vec<Out>) {
        let (via, branch) = self.via();
        let contact = self.contact();
        let offer = self.offer("sendrecv");
        let Some(mut call) = self.calls.remove(&number) else { return };
        call.cseq += 1;
        let mut more: Vec<_> = self.credentials("INVITE", &call.target).into_iter().collect();
        more.extend(self.habit.fields());
        if let State::Calling(calling) = &mut call.state {
            more.extend(calling.script.reliability.field());
            more.extend(calling.script.replaces.clone().map(|value| Header::Other("Replaces".into(), value)));
            if calling.script.number == vouch::NUMBER {
                more.extend(vouch::fields(&mut self.rng, now));
            }
            calling.via.clone_from(&via);
            calling.branch.clone_from(&branch);
            self.timers.set((number, Act::Cancel), now + calling.script.cancel_after);
            let bytes = Draft {
                method: "INVITE",
                uri: &call.target,
                via,
                from: &call.local,
                to: &call.remote,
                call_id: &call.call_id,
                cseq: call.cseq,
                contact,
                more,
                sdp: (!calling.script.delayed_offer).then_some(offer),
            }
            .write();
            self.calls.insert(number, call);
            self.begin(now, (Purpose::Invite, number, "INVITE"), branch, bytes, sent);
        }
    }

    /// CANCEL, now or with the first response (RFC 3261 9.1).
    pub(super) fn send_cancel(&mut self, now: Time, number: u64, sent: &mut Vec<Out>) {
        let proceeding = self.clients.values().any(|c| c.call == number && c.proceeding);
        let Some(call) = self.calls.get_mut(&number) else { return };
        let State::Calling(calling) = &mut call.state else { return };
        let first = !calling.cancels;
        calling.cancels = true;
        if first {
            self.timers.set((number, Act::GiveUp), now + PATIENCE);
        }
        if !(proceeding || calling.script.cancels_rudely && first) {
            return;
        }
        let bytes = Draft {
            method: "CANCEL",
            uri: &call.target,
            via: calling.via.clone(),
            from: &call.local,
            to: &call.remote,
            call_id: &call.call_id,
            cseq: call.cseq,
            contact: None,
            more: Vec::new(),
            sdp: None,
        }
        .write();
        let branch = calling.branch.clone();
        self.begin(now, (Purpose::Cancel, number, "CANCEL"), branch, bytes, sent);
    }

    /// The cancelled INVITE got no final response: the phone forgets it.
    pub(super) fn give_up(&mut self, number: u64) {
        if let Some(Call { state: State::Calling(_), .. }) = self.calls.get(&number) {
            let of_call: Vec<u64> =
                self.clients.iter().filter(|(_, c)| c.call == number).map(|(number, _)| *number).collect();
            for client in of_call {
                self.end_client(client);
            }
            self.drop_call(number);
        }
    }

    pub(super) fn on_provisional(&mut self, now: Time, number: u64, read: &Read, sent: &mut Vec<Out>) {
        let Some(client) = self.clients.get_mut(&number) else { return };
        let first = !client.proceeding;
        client.proceeding = true;
        let (purpose, call) = (client.purpose, client.call);
        if purpose == Purpose::Invite {
            self.take_progress(now, call, read, sent);
        }
        if first
            && purpose == Purpose::Invite
            && let Some(Call { state: State::Calling(calling), .. }) = self.calls.get(&call)
            && calling.cancels
        {
            self.send_cancel(now, call, sent);
        }
    }

    pub(super) fn on_final(
        &mut self,
        now: Time,
        client: Client,
        read: &Read,
        status: u16,
        sent: &mut Vec<Out>,
    ) {
        match client.purpose {
            Purpose::Register => self.on_registered(now, read, status, sent),
            Purpose::Subscribe => self.on_subscribed(now, client.call, read, status, sent),
            Purpose::Bye => self.drop_call(client.call),
            Purpose::Refresh if status < 300 => self.take_timer(now, client.call, read),
            Purpose::Refresh if matches!(status, 408 | 481) => self.drop_call(client.call),
            Purpose::Refresh => {}
            Purpose::Cancel | Purpose::Other => {}
            Purpose::Reinvite => self.on_reinvited(now, &client, read, status, sent),
            Purpose::Invite if status < 300 => self.on_answered(now, client.call, read, sent),
            Purpose::Invite => self.on_refused(now, &client, read, status, sent),
        }
    }

    fn on_answered(&mut self, now: Time, number: u64, read: &Read, sent: &mut Vec<Out>) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        let State::Calling(calling) = call.state.clone() else { return };
        call.remote.clone_from(&read.to);
        if let Some(contact) = &read.contact {
            call.target.clone_from(contact);
        }
        let keys = calling.script.talk.keys.clone().into();
        let port = wire::audio_port(&read.body).or(calling.early.port);
        call.state =
            State::Up(Up { talk: calling.script.talk.clone(), keys, port, began: false, faxes: false });
        for act in [Act::Cancel, Act::GiveUp] {
            self.timers.cancel((number, act));
        }
        let answer = calling.script.delayed_offer.then(|| self.sdp_answer());
        if !calling.script.never_ack {
            self.acknowledge(number, read, answer, sent);
        }
        self.take_timer(now, number, read);
        if calling.cancels {
            self.send_bye(now, number, sent);
        } else {
            self.begin_to_talk(now, number);
        }
    }

    /// The ACK to a 2xx, a transaction of its own; kept for its retransmissions.
    fn acknowledge(&mut self, number: u64, read: &Read, sdp: Option<String>, sent: &mut Vec<Out>) {
        let (via, _) = self.via();
        let Some(call) = self.calls.get(&number) else { return };
        let bytes = Draft {
            method: "ACK",
            uri: &call.target,
            via,
            from: &call.local,
            to: &call.remote,
            call_id: &call.call_id,
            cseq: read.cseq,
            contact: None,
            more: Vec::new(),
            sdp,
        }
        .write();
        self.acks.insert((call.call_id.clone(), read.cseq), bytes.clone());
        sent.push(Out::Send(bytes));
    }

    /// The ACK to a refusal: part of its transaction, so it has the branch of the INVITE.
    fn acknowledge_refusal(&mut self, client: &Client, read: &Read, sent: &mut Vec<Out>) {
        let Some(call) = self.calls.get(&client.call) else { return };
        let bytes = Draft {
            method: "ACK",
            uri: &call.target,
            via: self.via_of(&client.branch),
            from: &call.local,
            to: &read.to,
            call_id: &call.call_id,
            cseq: read.cseq,
            contact: None,
            more: Vec::new(),
            sdp: None,
        }
        .write();
        self.acks.insert((call.call_id.clone(), read.cseq), bytes.clone());
        sent.push(Out::Send(bytes));
    }

    fn on_refused(&mut self, now: Time, client: &Client, read: &Read, status: u16, sent: &mut Vec<Out>) {
        self.acknowledge_refusal(client, read, sent);
        let number = client.call;
        let Some(call) = self.calls.get_mut(&number) else { return };
        let State::Calling(calling) = &mut call.state else { return };
        let again = status == 401 && self.password.is_some() && (!calling.tried || is_stale(read));
        if again && !calling.cancels {
            calling.tried = true;
            self.learn_challenge(read);
            self.send_invite(now, number, sent);
        } else {
            self.drop_call(number);
        }
    }

    fn on_reinvited(&mut self, now: Time, client: &Client, read: &Read, status: u16, sent: &mut Vec<Out>) {
        match status {
            200..300 => {
                // An offer of the switch is answered in the ACK; an answer of the switch needs none.
                self.note_fax(client.call, &read.body);
                let answer = client.has_no_body().then(|| self.description_of(client.call, false));
                self.acknowledge(client.call, read, answer, sent);
                self.take_timer(now, client.call, read);
            }
            _ => {
                self.acknowledge_refusal(client, read, sent);
                match status {
                    408 | 481 => self.drop_call(client.call),
                    491 => {
                        let wait = Duration::from_millis(u64::from(self.rng.below(4_000)));
                        let act = if wire::has_fax(&client.bytes) { Act::Fax } else { Act::Resume };
                        self.timers.set((client.call, act), now + wait);
                    }
                    _ => {}
                }
            }
        }
    }
}
