//! What nobody asked for: stray requests, and what is hardly SIP.

use super::session::{Call, State};
use super::transaction::Purpose;
use super::{Act, Out, Phone};
use crate::dice::Dice;
use crate::wire::Draft;
use bytes::Bytes;
use clock::{Duration, Time};
use rsip::Header;

impl Phone {
    /// Will send that many stray messages at odd times.
    pub(crate) fn will_prank(&mut self) {
        let at = Time::ZERO + self.rng.within(Duration::from_secs(80));
        self.timers.set((0, Act::Prank), at);
    }

    pub(super) fn play_prank(&mut self, now: Time, sent: &mut Vec<Out>) {
        let last = Time::from_secs(100);
        if now < last {
            let wait = self.rng.within(Duration::from_secs(20));
            self.timers.set((0, Act::Prank), now + wait);
        }
        let up = |call: &Call| matches!(call.state, State::Up(_));
        let call = self.calls.iter().find(|(_, call)| up(call)).map(|(number, _)| *number);
        match (self.rng.below(10), call) {
            (0, Some(call)) => self.send_within(now, call, (Purpose::Other, "OPTIONS"), None, sent),
            (1, Some(call)) => self.send_within(now, call, (Purpose::Other, "INFO"), None, sent),
            (7, Some(call)) => self.send_within(now, call, (Purpose::Other, "REFER"), None, sent),
            (8, Some(call)) => self.send_within(now, call, (Purpose::Other, "MESSAGE"), None, sent),
            (8 | 9, _) => self.send_text(now, sent),
            (2, Some(call)) => self.send_within(now, call, (Purpose::Other, "UPDATE"), None, sent),
            (3, _) => self.send_stray(now, "BYE", sent),
            (4, _) => {
                self.send_stray(now, if self.next.is_multiple_of(2) { "MESSAGE" } else { "REFER" }, sent)
            }
            (5, _) => self.send_stray(now, "CANCEL", sent),
            (6, _) => sent.push(Out::Send(self.garbage())),
            _ => self.send_stray(now, "OPTIONS", sent),
        }
    }

    fn send_stray(&mut self, now: Time, method: &'static str, sent: &mut Vec<Out>) {
        let (via, branch) = self.via();
        let (call_id, tag, theirs) = (self.token(), self.token(), self.token());
        let target = format!("sip:{}", self.switch);
        let more: Vec<Header> = match self.rng.below(4) {
            0 => vec![rsip::headers::Require::from("100rel, x-unheard-of".to_owned()).into()],
            _ => Vec::new(),
        };
        let to = if method == "BYE" { format!("<{target}>;tag={theirs}") } else { format!("<{target}>") };
        let bytes = Draft {
            method,
            uri: &target,
            via,
            from: &format!("<sip:prankster@10.0.9.9>;tag={tag}"),
            to: &to,
            call_id: &call_id,
            cseq: 1,
            contact: None,
            more,
            sdp: None,
        }
        .write();
        self.begin(now, (Purpose::Other, 0, method), branch, bytes, sent);
    }

    /// A text for somebody, as far as it knows what to prove itself by.
    fn send_text(&mut self, now: Time, sent: &mut Vec<Out>) {
        let (via, branch) = self.via();
        let (call_id, tag) = (self.token(), self.token());
        let to = self.rng.pick(&["alice", "bob", "carol", "team", "x"]);
        let target = format!("sip:{to}@{}", self.switch);
        let more = self.credentials("MESSAGE", &target).into_iter().collect();
        let bytes = Draft {
            method: "MESSAGE",
            uri: &target,
            via,
            from: &format!("<sip:{}@{}>;tag={tag}", self.name, self.switch.ip()),
            to: &format!("<{target}>"),
            call_id: &call_id,
            cseq: 1,
            contact: None,
            more,
            sdp: None,
        }
        .write();
        self.begin(now, (Purpose::Other, 0, "MESSAGE"), branch, bytes, sent);
    }

    fn garbage(&mut self) -> Bytes {
        self.rng
            .pick(&[
                &b"\r\n\r\n"[..],
                b"hello",
                b"INVITE sip:menu@10.0.0.1 SIP/2.0\r\n\r\n",
                b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKno\r\n\r\n",
                b"OPTIONS sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bK1\r\nCSeq: 99999999999 OPTIONS\r\n\r\n",
                b"\x80\xc8\x00\x06\x00\x00\x00\x00",
            ])
            .into()
    }
}
