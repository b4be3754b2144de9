//! A party that says a tone, in any codec, and measures what it hears.

use crate::common::{Packet, Peer, Rig, payload_type};
use audio::{Decoder, Encoder, MAX_SAMPLES, Rate};
use rtp::Codec;
use rtp::control::OpusFormat;
use std::f32::consts::TAU;

/// A party that says a tone and knows how much of it it hears.
pub(crate) struct Speaker {
    pub(crate) peer: Peer,
    pub(crate) codec: Codec,
    pub(crate) decoder: Decoder,
    encoder: Encoder,
    tone: f32,
    said: usize,
    heard: Vec<i16>,
}

impl Speaker {
    /// A party with that codec whose tone has so many hertz.
    pub(crate) fn open(rig: &mut Rig, codec: Codec, tone: f32) -> Self {
        let rate = Rate::of(codec);
        Self {
            peer: rig.open(codec),
            codec,
            encoder: Encoder::new(codec, rate, OpusFormat::default()).expect("Opus"),
            decoder: Decoder::new(codec, rate).expect("Opus"),
            tone,
            said: 0,
            heard: Vec::new(),
        }
    }

    /// Says the next 20 ms of the tone.
    pub(crate) fn say(&mut self) {
        let rate = Rate::of(self.codec);
        let beat = |n: usize| (8_000.0 * (n as f32 * self.tone * TAU / rate.hz() as f32).sin()) as i16;
        let samples: Vec<i16> = (self.said..self.said + 20 * rate.per_milli()).map(beat).collect();
        self.said += samples.len();
        let mut payload = [0; 2 * MAX_SAMPLES];
        let length = self.encoder.encode(&samples, &mut payload).expect("20 ms");
        self.peer.say_for(&payload[..length], self.codec.clock_rate() / 50);
    }

    /// The next packet, whatever it is.
    pub(crate) fn hear(&mut self) -> Packet {
        let packet = self.peer.hear();
        if packet.payload_type == payload_type(self.codec) {
            let mut samples = [0; MAX_SAMPLES];
            let count = self.decoder.decode(&packet.payload, &mut samples).expect("its own codec");
            self.heard.extend(&samples[..count]);
        }
        packet
    }

    /// The share of a tone in the power of what was heard last: 1 is nothing but the tone.
    pub(crate) fn share_of(&self, tone: f32, last_millis: usize) -> f32 {
        let rate = Rate::of(self.codec);
        let heard = &self.heard[self.heard.len() - last_millis * rate.per_milli()..];
        share_of(tone, heard, rate)
    }
}

/// The share of a tone in the power of what was heard: 1 is nothing but the tone.
pub(crate) fn share_of(tone: f32, heard: &[i16], rate: Rate) -> f32 {
    let (mut sine, mut cosine, mut power) = (0.0, 0.0, 0.0);
    for (n, sample) in heard.iter().enumerate() {
        let (x, s) = (n as f32 * tone * TAU / rate.hz() as f32, f32::from(*sample));
        sine += s * x.sin();
        cosine += s * x.cos();
        power += s * s;
    }
    2.0 * (sine * sine + cosine * cosine) / (power.max(1.0) * heard.len() as f32)
}
