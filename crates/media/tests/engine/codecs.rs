//! Parties of different codecs: what one says the other hears, by way of jitter buffer and encoder.

use crate::common::{EVENT_TYPE, Packet, Peer, Rig, payload_type, wav};
use audio::{Decoder, Encoder, MAX_SAMPLES, Rate};
use rtp::Codec;
use rtp::control::{Command, DigitFormat, Event, OpusFormat, PlayId, RecordingId, Setup};
use std::f32::consts::TAU;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
const TONE: f32 = 440.0;

/// A party that says a tone and knows how much of it it hears.
struct Speaker {
    peer: Peer,
    codec: Codec,
    encoder: Encoder,
    decoder: Decoder,
    said: usize,
    heard: Vec<i16>,
}

impl Speaker {
    fn open(rig: &mut Rig, codec: Codec) -> Self {
        let rate = Rate::of(codec);
        Self {
            peer: rig.open(codec),
            codec,
            encoder: Encoder::new(codec, rate, OpusFormat::default()).expect("Opus"),
            decoder: Decoder::new(codec, rate).expect("Opus"),
            said: 0,
            heard: Vec::new(),
        }
    }

    /// Says the next 20 ms of the tone.
    fn say(&mut self) {
        let rate = Rate::of(self.codec);
        let beat = |n: usize| (8_000.0 * (n as f32 * TONE * TAU / rate.hz() as f32).sin()) as i16;
        let samples: Vec<i16> = (self.said..self.said + 20 * rate.per_milli()).map(beat).collect();
        self.said += samples.len();
        let mut payload = [0; 2 * MAX_SAMPLES];
        let length = self.encoder.encode(&samples, &mut payload).expect("20 ms");
        self.peer.say_for(&payload[..length], self.codec.clock_rate() / 50);
    }

    fn hear(&mut self) -> Packet {
        let packet = self.peer.hear();
        if packet.payload_type == payload_type(self.codec) {
            let mut samples = [0; MAX_SAMPLES];
            let count = self.decoder.decode(&packet.payload, &mut samples).expect("its own codec");
            self.heard.extend(&samples[..count]);
        }
        packet
    }

    /// The share of the tone in the power of what was heard last: 1 is nothing but the tone.
    fn purity(&self, last_millis: usize) -> f32 {
        let rate = Rate::of(self.codec);
        let heard = &self.heard[self.heard.len() - last_millis * rate.per_milli()..];
        let (mut sine, mut cosine, mut power) = (0.0, 0.0, 0.0);
        for (n, sample) in heard.iter().enumerate() {
            let (x, s) = (n as f32 * TONE * TAU / rate.hz() as f32, f32::from(*sample));
            sine += s * x.sin();
            cosine += s * x.cos();
            power += s * s;
        }
        2.0 * (sine * sine + cosine * cosine) / (power * heard.len() as f32)
    }
}

/// `a` speaks and `b` listens for so many packets; the engine's own beat is the pace.
fn converse(a: &mut Speaker, b: &mut Speaker, packets: usize) -> Vec<Packet> {
    a.say();
    (0..packets)
        .map(|_| {
            a.say();
            b.hear()
        })
        .collect()
}

#[test]
fn every_codec_is_heard_in_every_other_one() {
    let mut rig = Rig::start(60, LONG);
    for from in Codec::ALL {
        for to in Codec::ALL {
            let (mut a, mut b) = (Speaker::open(&mut rig, from), Speaker::open(&mut rig, to));
            rig.bridge(&a.peer, &b.peer);
            let packets = converse(&mut a, &mut b, 25);
            let purity = b.purity(200);
            assert!(purity > 0.95, "{from:?} to {to:?}: {purity}");
            let units: Vec<u32> =
                packets.windows(2).map(|w| w[1].timestamp.wrapping_sub(w[0].timestamp)).collect();
            assert!(
                units.iter().all(|units| *units == to.clock_rate() / 50),
                "{from:?} to {to:?}: {units:?}"
            );
            rig.close(a.peer.stream);
            rig.close(b.peer.stream);
        }
    }
}

#[test]
fn a_new_offer_changes_the_codec_in_the_middle_of_a_call() {
    let mut rig = Rig::start(61, LONG);
    let (mut a, mut b) = (Speaker::open(&mut rig, Codec::Opus), Speaker::open(&mut rig, Codec::Pcmu));
    rig.bridge(&a.peer, &b.peer);
    let before = converse(&mut a, &mut b, 10);
    let again = b.peer.setup(Codec::Opus);
    rig.set_up(&b.peer, again);
    b.codec = Codec::Opus;
    b.decoder = Decoder::new(Codec::Opus, Rate::Wide).expect("Opus");
    // A packet of the old codec may still be on its way.
    let relayed = converse(&mut a, &mut b, 30);
    assert!(b.purity(200) > 0.95, "{}", b.purity(200));
    let last = relayed.last().expect("packets");
    assert_eq!(last.payload_type, payload_type(Codec::Opus));
    assert_ne!(last.ssrc, before[0].ssrc, "another clock is another source (RFC 7160)");
}

#[test]
fn keys_are_pressed_again_for_a_partner_with_another_clock() {
    let mut rig = Rig::start(62, LONG);
    let (mut a, mut b) = (Speaker::open(&mut rig, Codec::Opus), Speaker::open(&mut rig, Codec::Pcma));
    let fast = DigitFormat { clock_rate: 48_000, send_type: 110, receive_type: 110 };
    let setup = Setup { digits: Some(fast), ..a.peer.setup(Codec::Opus) };
    rig.set_up(&a.peer, setup);
    rig.bridge(&a.peer, &b.peer);
    converse(&mut a, &mut b, 5);
    let began = a.peer.next.timestamp;
    for tick in 1..=7_u16 {
        let end = if tick >= 5 { 0x80 } else { 0 };
        let duration = (960 * tick.min(5)).to_be_bytes();
        let payload = vec![5, end | 10, duration[0], duration[1]];
        let event = Packet { payload_type: 110, timestamp: began, payload, ..a.peer.next.clone() };
        a.peer.send(&event);
        a.peer.next.sequence = a.peer.next.sequence.wrapping_add(1);
    }
    a.peer.next.timestamp = began.wrapping_add(7 * 960);
    let digit = rig.wait_for(|event| match event {
        Event::Digit { digit, millis, .. } => Some((*digit, *millis)),
        _ => None,
    });
    assert_eq!(digit, ('5', 100));
    let events: Vec<Packet> = std::iter::repeat_with(|| b.peer.hear())
        .filter(|packet| packet.payload_type == EVENT_TYPE)
        .take(7)
        .collect();
    assert_eq!(events[0].payload, [5, 10, 0, 160]);
    assert_eq!(events[6].payload, [5, 0x8A, 3, 0x20], "100 ms at 8 kHz");
}

#[test]
fn a_prompt_goes_on_in_the_new_codec_of_its_listener() {
    let directory = tempfile::tempdir().expect("a directory");
    let beat = |n: u32| (8_000.0 * (n as f32 * TONE * TAU / 8_000.0).sin()) as i16;
    let tone: Vec<i16> = (0..16_000).map(beat).collect();
    let file = wav(&directory.path().join("tone.wav"), &tone);
    let mut rig = Rig::start(63, LONG);
    let mut a = Speaker::open(&mut rig, Codec::G722);
    let (stream, play) = (a.peer.stream, PlayId(1));
    rig.engine.send(Command::Play { stream, play, files: vec![file], times: Some(1) });
    for _ in 0..15 {
        a.hear();
    }
    assert!(a.purity(200) > 0.95, "{}", a.purity(200));
    let setup = a.peer.setup(Codec::Opus);
    rig.set_up(&a.peer, setup);
    (a.codec, a.decoder) = (Codec::Opus, Decoder::new(Codec::Opus, Rate::Wide).expect("Opus"));
    let packets: Vec<Packet> =
        (0..100).map_while(|_| a.peer.socket.peek(&mut [0]).is_ok().then(|| a.hear())).take(70).collect();
    assert!(a.purity(200) > 0.95, "{}", a.purity(200));
    let opus = packets.iter().filter(|packet| packet.payload_type == payload_type(Codec::Opus)).count();
    assert!(opus >= 65, "{opus} packets");
}

#[test]
fn a_wideband_call_is_recorded_wide_with_both_of_its_sides() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("call.wav");
    let mut rig = Rig::start(64, LONG);
    let (mut a, mut b) = (Speaker::open(&mut rig, Codec::Opus), Speaker::open(&mut rig, Codec::G722));
    rig.bridge(&a.peer, &b.peer);
    let recording = RecordingId(1);
    rig.engine.send(Command::Record { stream: b.peer.stream, recording, path: path.clone() });
    converse(&mut a, &mut b, 40);
    converse(&mut b, &mut a, 40);
    rig.engine.send(Command::StopRecording { recording });
    let millis = rig.wait_for(|event| match event {
        Event::RecordingEnded { millis, error: None, .. } => Some(*millis),
        _ => None,
    });
    assert!((1_000..3_000).contains(&millis), "{millis} ms");
    let reader = hound::WavReader::open(&path).expect("a WAV");
    assert_eq!((reader.spec().channels, reader.spec().sample_rate), (2, 16_000));
    let samples: Vec<i16> = reader.into_samples().map(|sample| sample.expect("a sample")).collect();
    for channel in 0..2 {
        let loud = samples.iter().skip(channel).step_by(2).filter(|sample| sample.abs() > 2_000).count();
        assert!(loud > 16_000 / 4, "channel {channel}: {loud} loud samples");
    }
}
