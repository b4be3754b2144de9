//! Transfers: REFER in a call, with and without another call to be joined with, and the NOTIFYs that follow.

use super::script::CallScript;
use super::session::{Call, State};
use super::transaction::Purpose;
use super::{Act, Out, Phone};
use crate::dice::Dice;
use crate::plan;
use crate::wire::{self, Read};
use clock::{Duration, Time};
use rsip::Header;

/// Nobody places a further call after this, so that every seed ends.
const LAST_CONSULTATION: Time = Time::from_secs(90);

impl Phone {
    /// Calls somebody beside the call that is up.
    pub(super) fn consult(&mut self, now: Time, sent: &mut Vec<Out>) {
        if now < LAST_CONSULTATION {
            let script = CallScript::draw(&mut self.rng, plan::NUMBERS);
            self.place(now, script, sent);
        }
    }

    /// Takes the place of a call that a lamp shows.
    pub(crate) fn pick_up(&mut self, now: Time, read: &Read, sent: &mut Vec<Out>) {
        let Some(replaces) = shown_dialog(&read.body) else { return };
        if now < LAST_CONSULTATION && self.rng.chance(60) {
            let early_only = if self.rng.chance(300) { ";early-only" } else { "" };
            let mut script = CallScript::draw(&mut self.rng, &["ringdown"]);
            script.replaces = Some(replaces + early_only);
            self.place(now, script, sent);
        }
    }

    pub(super) fn send_refer(&mut self, now: Time, number: u64, sent: &mut Vec<Out>) {
        let Some(Call { state: State::Up(up), .. }) = self.calls.get(&number) else { return };
        let Some((_, script)) = up.talk.refer else { return };
        let other = self.calls.iter().filter(|(other, _)| **other != number);
        let mut others = other.filter_map(|(_, call)| Some((call, wire::tag_of(&call.remote)?)));
        let target = match others.next().filter(|_| !script.blind) {
            Some((call, theirs)) => {
                let dialog = format!("{};to-tag={theirs};from-tag={}", call.call_id, call.tag);
                let dialog = dialog.replace('@', "%40").replace(';', "%3B").replace('=', "%3D");
                format!("<sip:ringdown@{}?Replaces={dialog}>", self.switch)
            }
            None => format!("<sip:{}@{}>", script.to, self.switch),
        };
        let mut more = vec![Header::Other("Refer-To".into(), target)];
        if script.silent {
            more.push(Header::Other("Refer-Sub".into(), "false".into()));
        }
        self.send_within_with(now, number, (Purpose::Other, "REFER"), (more, None), sent);
        if script.leaves {
            self.send_bye(now, number, sent);
        }
    }

    /// The switch asks for a call elsewhere: a trunk takes that, or not.
    pub(super) fn on_refer(&mut self, now: Time, number: u64, read: &Read, sent: &mut Vec<Out>) {
        let status = self.rng.pick(&[202, 202, 202, 405, 503]);
        self.respond(read, status, sent);
        if status == 202 {
            if self.rng.chance(800) {
                self.send_state(now, number, ("active;expires=60", "SIP/2.0 100 Trying\r\n"), sent);
            }
            if self.rng.chance(900) {
                let after = self.rng.within(Duration::from_secs(10));
                self.timers.set((number, Act::Tell), now + after);
            }
        }
    }

    /// Tells what has become of it.
    pub(super) fn tell(&mut self, now: Time, number: u64, sent: &mut Vec<Out>) {
        let line = self.rng.pick(&["SIP/2.0 200 OK\r\n", "SIP/2.0 200 OK\r\n", "SIP/2.0 486 Busy\r\n", "?"]);
        self.send_state(now, number, ("terminated;reason=noresource", line), sent);
        if self.rng.chance(200) {
            self.send_bye(now, number, sent);
        }
    }

    fn send_state(&mut self, now: Time, number: u64, (state, line): (&str, &str), sent: &mut Vec<Out>) {
        if !matches!(self.calls.get(&number), Some(Call { state: State::Up(_), .. })) {
            return;
        }
        let fields = [("Event", "refer"), ("Subscription-State", state)];
        let more = fields.map(|(name, value)| Header::Other(name.into(), value.into())).into();
        self.send_within_with(now, number, (Purpose::Other, "NOTIFY"), (more, Some(line.to_owned())), sent);
    }

    /// Some phones hang up by themselves when they hear that the transfer is done.
    pub(super) fn on_notify(&mut self, now: Time, number: u64, read: &Read, sent: &mut Vec<Out>) {
        self.respond(read, 200, sent);
        if read.body.starts_with(b"SIP/2.0 200") && self.rng.chance(500) {
            self.send_bye(now, number, sent);
        }
    }
}

/// The Replaces of the first dialog of a `dialog-info` that has its tags (RFC 4235, RFC 3891).
fn shown_dialog(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let value = |name: &str| {
        let (_, after) = text.split_once(&format!("{name}=\""))?;
        after.split_once('"').map(|(value, _)| value)
    };
    let (call_id, theirs, ours) = (value("call-id")?, value("local-tag")?, value("remote-tag")?);
    Some(format!("{call_id};to-tag={ours};from-tag={theirs}"))
}
