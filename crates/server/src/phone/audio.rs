//! The audio of one call: what the phone says, and what it hears on one clock.

use audio::Law;
use clock::Duration;
use rtp::{Codec, DigitSender, HEADER_LEN, Header, Packet};
use sdp::Agreed;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Samples in a packet of 20 ms at 8 kHz.
pub(super) const FRAME: usize = 160;
/// When to send the next packet, after the last.
pub(super) const FRAME_DURATION: Duration = Duration::from_millis(20);
/// Timestamp units a second of both of G.711's codecs and their events.
const CLOCK_RATE: u32 = 8_000;
/// Ten minutes: what is heard later is not kept.
const MAX_HEARD: usize = 10 * 60 * 8_000;
const TONE: Duration = Duration::from_millis(100);
const GAP: Duration = Duration::from_millis(100);

/// What a phone has heard, in samples of 8 kHz from the first packet on; what was lost is silence.
#[derive(Clone, Debug, Default)]
pub struct Heard(Arc<Mutex<Vec<i16>>>);

impl Heard {
    /// All of it so far.
    pub fn samples(&self) -> Vec<i16> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts samples in their place.
    fn put(&self, at: usize, samples: &[i16]) {
        let end = at.saturating_add(samples.len());
        if end > MAX_HEARD {
            return;
        }
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.len() < end {
            heard.resize(end, 0);
        }
        heard[at..end].copy_from_slice(samples);
    }
}

/// One call's audio.
pub(super) struct Audio {
    law: Law,
    send_type: u8,
    digit_type: Option<u8>,
    remote: Option<SocketAddr>,
    next: Header,
    digits: DigitSender,
    speech: Arc<[i16]>,
    spoken: usize,
    /// Where hearing began: the source and its timestamp.
    origin: Option<(u32, u32)>,
    heard: Heard,
}

impl Audio {
    /// Audio as agreed. `ssrc` is random.
    pub(super) fn new(agreed: &Agreed, codecs: &[Codec], ssrc: u32, heard: Heard) -> Option<Self> {
        let format = agreed.formats.first()?;
        Some(Self {
            law: Law::of(*codecs.get(format.capability)?)?,
            send_type: format.send_type,
            digit_type: agreed.telephone_event.map(|event| event.send_type),
            remote: agreed.remote,
            next: Header { ssrc, marker: true, payload_type: format.send_type, ..Header::default() },
            digits: DigitSender::default(),
            speech: Arc::new([]),
            spoken: 0,
            origin: None,
            heard,
        })
    }

    /// Where the other end wants its audio; `None` while it holds.
    pub(super) fn remote(&self) -> Option<SocketAddr> {
        self.remote
    }

    /// Follows a change of the session.
    pub(super) fn change(&mut self, agreed: &Agreed) {
        self.remote = agreed.remote;
    }

    /// Says this next, instead of whatever it was saying.
    pub(super) fn speak(&mut self, speech: Arc<[i16]>) {
        self.speech = speech;
        self.spoken = 0;
    }

    /// Presses a key; false if the other end does not take telephone-events or too many wait.
    pub(super) fn press(&mut self, digit: char) -> bool {
        self.digit_type.is_some() && self.digits.push(digit, TONE, GAP).is_ok()
    }

    /// The packet of the next 20 ms: an event while a key is down, else speech or silence.
    pub(super) fn next_packet(&mut self) -> Vec<u8> {
        let is_pressing = !self.digits.is_idle();
        let event = self.digits.tick(CLOCK_RATE);
        let packet = match (event, self.digit_type) {
            (Some(event), Some(payload_type)) => {
                let timestamp = self.next.timestamp.wrapping_sub(event.age_millis * (CLOCK_RATE / 1_000));
                let header = Header { payload_type, marker: event.marker, timestamp, ..self.next };
                [&header.to_bytes()[..], &event.payload].concat()
            }
            _ => self.speech_packet(is_pressing),
        };
        self.next.sequence = self.next.sequence.wrapping_add(1);
        self.next.timestamp = self.next.timestamp.wrapping_add(FRAME as u32);
        packet
    }

    fn speech_packet(&mut self, pause: bool) -> Vec<u8> {
        let mut packet = vec![self.law.silence(); HEADER_LEN + FRAME];
        packet[..HEADER_LEN]
            .copy_from_slice(&Header { payload_type: self.send_type, ..self.next }.to_bytes());
        self.next.marker = false;
        if !pause {
            let end = (self.spoken + FRAME).min(self.speech.len());
            self.law.encode(&self.speech[self.spoken..end], &mut packet[HEADER_LEN..]);
            self.spoken = end;
        }
        packet
    }

    /// Hears a packet.
    pub(super) fn receive(&mut self, datagram: &[u8]) {
        let Ok(packet) = Packet::parse(datagram) else { return };
        let Header { payload_type, timestamp, ssrc, .. } = packet.header;
        if rtp::is_rtcp(datagram) || Some(payload_type) == self.digit_type {
            return;
        }
        let (source, first) = *self.origin.get_or_insert((ssrc, timestamp));
        // A packet from before the first one, or from another source, has no place.
        let offset = timestamp.wrapping_sub(first);
        if source != ssrc || offset > u32::MAX / 2 {
            return;
        }
        let payload = packet.payload(datagram);
        let mut samples = vec![0; payload.len()];
        self.law.decode(payload, &mut samples);
        self.heard.put(offset as usize, &samples);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdp::{AgreedFormat, Direction};

    fn audio() -> Audio {
        let format = AgreedFormat { capability: 0, send_type: 0, receive_type: 0 };
        let agreed = Agreed {
            remote: None,
            remote_rtcp: None,
            formats: vec![format],
            telephone_event: Some(AgreedFormat { send_type: 101, receive_type: 101, ..format }),
            fmtp: None,
            ptime: None,
            direction: Direction::SendRecv,
            security: rtp::Security::Plain,
            t38: None,
        };
        Audio::new(&agreed, &[Codec::Pcmu], 7, Heard::default()).expect("a codec is agreed")
    }

    #[test]
    fn what_one_says_the_other_hears_with_lost_packets_as_silence() {
        let (mut alice, mut bob) = (audio(), audio());
        let speech: Vec<i16> = (0..FRAME as i16 * 3).map(|n| n * 40 + 1_000).collect();
        alice.speak(speech.clone().into());
        for number in 0..3 {
            let packet = alice.next_packet();
            if number != 1 {
                bob.receive(&packet);
            }
        }
        let heard = bob.heard.samples();
        assert_eq!(heard.len(), FRAME * 3);
        assert!(heard[FRAME..FRAME * 2].iter().all(|sample| *sample == 0));
        for (said, heard) in speech.iter().zip(&heard).skip(FRAME * 2) {
            assert!(said.abs_diff(*heard) <= said.unsigned_abs() / 16, "{said} was heard as {heard}");
        }
    }

    #[test]
    fn a_key_is_sent_as_telephone_events_while_speech_pauses() {
        let (mut alice, mut bob) = (audio(), audio());
        assert!(alice.press('1'));
        let first = Packet::parse(&alice.next_packet()).expect("RTP").header;
        assert_eq!((first.payload_type, first.marker), (101, true));
        let types: Vec<_> = std::iter::from_fn(|| Some(alice.next_packet()))
            .take(12)
            .map(|packet| {
                bob.receive(&packet);
                Packet::parse(&packet).expect("RTP").header.payload_type
            })
            .collect();
        assert!(types.starts_with(&[101; 4]) && types.ends_with(&[0]), "{types:?}");
        assert!(bob.heard.samples().iter().all(|sample| *sample == 0), "events are not audio");
    }
}
