//! Fax by T.38 in a call, as gateways and machines have it, or have not.

use super::session::{Call, State};
use super::{Act, Out, Phone};
use crate::dice::Dice;
use crate::wire::{self, Read};
use clock::{Duration, Time};
use rand_chacha::ChaCha12Rng;

/// When a party asks for fax, and how long after that for audio again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FaxScript {
    pub(super) after: Duration,
    pub(super) back: Option<Duration>,
    shape: Shape,
}

/// How an offer of fax is written.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Alone,
    /// The audio is switched off.
    Beside,
    /// Whoever answers may choose.
    Both,
}

impl FaxScript {
    pub(super) fn draw(rng: &mut ChaCha12Rng) -> Self {
        // Both ends hear the tones at the same time.
        let after = rng.pick(&[Duration::from_secs(2), Duration::from_secs(2), Duration::from_millis(2_030)]);
        let back = rng.chance(500).then(|| rng.within(Duration::from_secs(9)));
        let shape = rng.pick(&[Shape::Alone, Shape::Alone, Shape::Beside, Shape::Both]);
        Self { after, back, shape }
    }
}

impl Phone {
    /// Asks for fax.
    pub(super) fn ask_for_fax(&mut self, now: Time, number: u64, sent: &mut Vec<Out>) {
        let Some(Call { state: State::Up(up), .. }) = self.calls.get(&number) else { return };
        let Some(script) = up.talk.fax else { return };
        if let Some(back) = script.back {
            self.timers.set((number, Act::Resume), now + back);
        }
        let offer = self.fax_offer(script.shape);
        self.send_reinvite_with(now, number, Some(offer), sent);
    }

    /// The session as it is, fax or audio, in an offer or an answer.
    pub(super) fn description_of(&mut self, number: u64, offers: bool) -> String {
        let faxes = matches!(&self.calls.get(&number), Some(Call { state: State::Up(up), .. }) if up.faxes);
        if faxes { self.fax_offer(Shape::Alone) } else { self.sdp("sendrecv", offers) }
    }

    /// What has become of an offer: fax or audio.
    pub(super) fn note_fax(&mut self, number: u64, answer: &[u8]) {
        if let Some(Call { state: State::Up(up), .. }) = self.calls.get_mut(&number)
            && !answer.is_empty()
        {
            up.faxes = wire::has_fax(answer);
        }
    }

    /// The switch asks for fax: most have it, some refuse, some accept it with port 0, and a few say nothing.
    pub(super) fn on_fax_asked(&mut self, now: Time, number: u64, read: &Read, sent: &mut Vec<Out>) {
        let faxes = matches!(&self.calls.get(&number), Some(Call { state: State::Up(up), .. }) if up.faxes);
        let dice = if faxes { 0 } else { self.rng.below(100) };
        match dice {
            0..70 => {
                let answer = self.fax_offer(Shape::Alone);
                self.note_fax(number, answer.as_bytes());
                self.answer_reinvite(now, number, read, answer, sent);
            }
            70..90 => {
                let status = self.rng.pick(&[488, 488, 415, 606, 491]);
                self.respond(read, status, sent);
            }
            90..96 => {
                let answer = "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nt=0 0\r\nm=image 0 udptl t38\r\n";
                self.answer_reinvite(now, number, read, answer.to_owned(), sent);
            }
            _ => {}
        }
    }

    fn fax_offer(&mut self, shape: Shape) -> String {
        let (ip, port) = (self.address.ip(), 20_000 + 2 * self.rng.below(5_000));
        let audio = match shape {
            Shape::Alone => String::new(),
            Shape::Beside => "m=audio 0 RTP/AVP 8\r\n".to_owned(),
            Shape::Both => format!("m=audio {} RTP/AVP 8 0\r\n", port + 10_000),
        };
        format!(
            "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n{audio}m=image {port} udptl t38\r\n\
             a=T38FaxVersion:0\r\na=T38FaxRateManagement:transferredTCF\r\na=T38FaxUdpEC:t38UDPRedundancy\r\n"
        )
    }

    /// Answers a re-INVITE with 200.
    pub(super) fn answer_reinvite(
        &mut self,
        now: Time,
        number: u64,
        read: &Read,
        sdp: String,
        sent: &mut Vec<Out>,
    ) {
        let fields = self.settle_timer(now, number, read);
        let contact = self.contact();
        let response = wire::response_with(read, 200, "", contact, fields, Some(sdp));
        self.begin_final(now, number, read, true, response, sent);
    }
}
