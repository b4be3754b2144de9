//! Parties of different codecs: what one says the other hears, by way of jitter buffer and encoder.

use crate::common::{EVENT_TYPE, Packet, Rig, payload_type, wav};
use crate::speaker::{Speaker, share_of};
use audio::dtmf::{DtmfDetector, DtmfGenerator, KeyTone};
use audio::{Decoder, Law, Rate, StereoDecoder};
use rtp::Codec;
use rtp::control::{Command, DigitFormat, Event, Hush, PlayId, RecordingId, Setup};
use std::f32::consts::TAU;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
const TONE: f32 = 440.0;

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
            let (mut a, mut b) = (Speaker::open(&mut rig, from, TONE), Speaker::open(&mut rig, to, TONE));
            rig.bridge(&a.peer, &b.peer);
            let packets = converse(&mut a, &mut b, 25);
            let purity = b.share_of(TONE, 200);
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
    let (mut a, mut b) =
        (Speaker::open(&mut rig, Codec::Opus, TONE), Speaker::open(&mut rig, Codec::Pcmu, TONE));
    rig.bridge(&a.peer, &b.peer);
    let before = converse(&mut a, &mut b, 10);
    let again = b.peer.setup(Codec::Opus);
    rig.set_up(&b.peer, again);
    b.codec = Codec::Opus;
    b.decoder = Decoder::new(Codec::Opus, Rate::Wide).expect("Opus");
    // A packet of the old codec may still be on its way.
    let relayed = converse(&mut a, &mut b, 30);
    assert!(b.share_of(TONE, 200) > 0.95, "{}", b.share_of(TONE, 200));
    let last = relayed.last().expect("packets");
    assert_eq!(last.payload_type, payload_type(Codec::Opus));
    assert_ne!(last.ssrc, before[0].ssrc, "another clock is another source (RFC 7160)");
}

#[test]
fn keys_are_pressed_again_for_a_partner_with_another_clock() {
    let mut rig = Rig::start(62, LONG);
    let (mut a, mut b) =
        (Speaker::open(&mut rig, Codec::Opus, TONE), Speaker::open(&mut rig, Codec::Pcma, TONE));
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

/// Packets of sound in G.711.
fn law_of(speaker: &Speaker) -> Law {
    Law::of(speaker.codec).expect("G.711")
}

/// With events at one clock: the keys could be passed on as they are, were it not for those that are still being pressed.
#[test]
fn fast_keys_across_a_transcoded_bridge_are_pressed_once_each() {
    let mut rig = Rig::start(69, LONG);
    let (mut a, mut b) =
        (Speaker::open(&mut rig, Codec::G722, TONE), Speaker::open(&mut rig, Codec::Pcmu, TONE));
    rig.bridge(&a.peer, &b.peer);
    let mut heard = converse(&mut a, &mut b, 5);
    for key in 1..=4_u8 {
        let began = a.peer.next.timestamp;
        for (flags, duration) in [(0, 160_u16), (0, 320), (0x80, 480), (0x80, 480), (0x80, 480)] {
            let [high, low] = duration.to_be_bytes();
            let payload = vec![key, flags | 10, high, low];
            a.peer.send(&Packet {
                payload_type: EVENT_TYPE,
                timestamp: began,
                payload,
                ..a.peer.next.clone()
            });
            a.peer.next.sequence = a.peer.next.sequence.wrapping_add(1);
        }
        a.peer.next.timestamp = began.wrapping_add(480);
        heard.extend(converse(&mut a, &mut b, 2));
    }
    heard.extend(converse(&mut a, &mut b, 40));
    let mut keys: Vec<(u32, u8)> = heard
        .iter()
        .filter(|packet| packet.payload_type == EVENT_TYPE)
        .map(|packet| (packet.timestamp, packet.payload[0]))
        .collect();
    keys.dedup();
    assert_eq!(keys.iter().map(|(_, key)| *key).collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[test]
fn keys_of_a_party_without_events_are_heard_in_its_sound_and_sent_as_sound() {
    let mut rig = Rig::start(65, LONG);
    let (mut a, mut b) =
        (Speaker::open(&mut rig, Codec::Pcmu, TONE), Speaker::open(&mut rig, Codec::Pcma, TONE));
    let setup = Setup { digits: None, ..a.peer.setup(Codec::Pcmu) };
    rig.set_up(&a.peer, setup);
    rig.bridge(&a.peer, &b.peer);
    let mut key = DtmfGenerator::new('7', KeyTone::default()).expect("a key");
    for _ in 0..10 {
        let (mut sound, mut payload) = ([0; 160], [0; 160]);
        key.fill(&mut sound);
        law_of(&a).encode(&sound, &mut payload);
        a.peer.say(&payload);
        b.hear();
    }
    let digit = rig.wait_for(|event| match event {
        Event::Digit { digit, millis, stream } => Some((*digit, *millis, *stream)),
        _ => None,
    });
    assert_eq!((digit.0, digit.2), ('7', a.peer.stream));
    assert!((80..=120).contains(&digit.1), "{} ms", digit.1);
    // The other way: the event of a party that knows events is sound for the one that does not.
    let began = b.peer.next.timestamp;
    for (sequence, flags, duration) in [(0, 0, 160_u16), (1, 0, 480), (2, 0x80, 800)] {
        let [high, low] = duration.to_be_bytes();
        let event = Packet {
            payload_type: EVENT_TYPE,
            sequence: b.peer.next.sequence.wrapping_add(sequence),
            timestamp: began,
            payload: vec![4, flags | 10, high, low],
            ..b.peer.next.clone()
        };
        b.peer.send(&event);
    }
    let mut detector = DtmfDetector::default();
    let mut told = Vec::new();
    while told.is_empty() {
        let packet = a.hear();
        let mut sound = [0; 160];
        law_of(&a).decode(&packet.payload, &mut sound);
        detector.hear(&sound, |press| told.push(press.digit.digit));
        // The end of the key is heard in what comes after it.
        b.say();
    }
    assert_eq!(told, ['4']);
}

#[test]
fn a_prompt_goes_on_in_the_new_codec_of_its_listener() {
    let directory = tempfile::tempdir().expect("a directory");
    let beat = |n: u32| (8_000.0 * (n as f32 * TONE * TAU / 8_000.0).sin()) as i16;
    let tone: Vec<i16> = (0..16_000).map(beat).collect();
    let file = wav(&directory.path().join("tone.wav"), &tone);
    let mut rig = Rig::start(63, LONG);
    let mut a = Speaker::open(&mut rig, Codec::G722, TONE);
    let (stream, play) = (a.peer.stream, PlayId(1));
    rig.engine.send(Command::Play { stream, play, files: vec![file], times: Some(1) });
    for _ in 0..15 {
        a.hear();
    }
    assert!(a.share_of(TONE, 200) > 0.95, "{}", a.share_of(TONE, 200));
    let setup = a.peer.setup(Codec::Opus);
    rig.set_up(&a.peer, setup);
    (a.codec, a.decoder) = (Codec::Opus, Decoder::new(Codec::Opus, Rate::Wide).expect("Opus"));
    let packets: Vec<Packet> =
        (0..100).map_while(|_| a.peer.socket.peek(&mut [0]).is_ok().then(|| a.hear())).take(70).collect();
    assert!(a.share_of(TONE, 200) > 0.95, "{}", a.share_of(TONE, 200));
    let opus = packets.iter().filter(|packet| packet.payload_type == payload_type(Codec::Opus)).count();
    assert!(opus >= 65, "{opus} packets");
}

#[test]
fn a_wideband_call_is_recorded_wide_with_both_of_its_sides() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("call.wav");
    let mut rig = Rig::start(64, LONG);
    let (mut a, mut b) =
        (Speaker::open(&mut rig, Codec::Opus, TONE), Speaker::open(&mut rig, Codec::G722, TONE));
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

#[test]
fn a_recording_in_opus_can_be_played_with_each_party_in_its_channel() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("call.opus");
    let mut rig = Rig::start(66, LONG);
    let (mut a, mut b) =
        (Speaker::open(&mut rig, Codec::Pcmu, TONE), Speaker::open(&mut rig, Codec::Pcmu, 2.0 * TONE));
    rig.bridge(&a.peer, &b.peer);
    let recording = RecordingId(1);
    rig.engine.send(Command::Record { stream: b.peer.stream, recording, path: path.clone() });
    for _ in 0..50 {
        a.say();
        b.hear();
        b.say();
        a.hear();
    }
    rig.engine.send(Command::StopRecording { recording });
    let millis = rig.wait_for(|event| match event {
        Event::RecordingEnded { millis, error: None, .. } => Some(*millis),
        _ => None,
    });
    let mut packets = ogg::PacketReader::new(std::fs::File::open(&path).expect("a file"));
    let (mut decoder, mut heard) =
        (StereoDecoder::new(Rate::Narrow).expect("memory"), [Vec::new(), Vec::new()]);
    while let Some(packet) = packets.read_packet().expect("Ogg") {
        let mut samples = [0; 2 * audio::MAX_SAMPLES];
        // The two headers are no sound.
        let count = decoder.decode(&packet.data, &mut samples).unwrap_or(0);
        for pair in samples[..2 * count].as_chunks::<2>().0 {
            (0..2).for_each(|channel| heard[channel].push(pair[channel]));
        }
    }
    assert!(heard[0].len() as u64 >= 8 * millis, "{} of {millis} ms", heard[0].len() / 8);
    for (channel, (own, other)) in [(2.0 * TONE, TONE), (TONE, 2.0 * TONE)].into_iter().enumerate() {
        let said = &heard[channel][..];
        assert!(
            share_of(own, said, Rate::Narrow) > 20.0 * share_of(other, said, Rate::Narrow),
            "channel {channel}"
        );
    }
}

#[test]
fn a_masked_recording_is_silent_for_as_long_and_a_paused_one_shorter() {
    let directory = tempfile::tempdir().expect("a directory");
    for (host, how, expected) in [(67, Hush::Mask, 1_500), (68, Hush::Pause, 1_000)] {
        let path = directory.path().join(format!("{host}.wav"));
        let mut rig = Rig::start(host, LONG);
        // Transcoded, so that the engine's own beat is the pace.
        let (mut a, mut b) =
            (Speaker::open(&mut rig, Codec::Pcmu, TONE), Speaker::open(&mut rig, Codec::G722, TONE));
        rig.bridge(&a.peer, &b.peer);
        converse(&mut a, &mut b, 10);
        let recording = RecordingId(1);
        rig.engine.send(Command::Record { stream: a.peer.stream, recording, path: path.clone() });
        converse(&mut a, &mut b, 25);
        rig.engine.send(Command::HushRecording { recording, how });
        converse(&mut a, &mut b, 25);
        rig.engine.send(Command::ResumeRecording { recording });
        converse(&mut a, &mut b, 25);
        rig.engine.send(Command::StopRecording { recording });
        let millis = rig.wait_for(|event| match event {
            Event::RecordingEnded { millis, error: None, .. } => Some(*millis),
            _ => None,
        });
        assert!(millis.abs_diff(expected) < 150, "{how:?}: {millis} ms");
        let reader = hound::WavReader::open(&path).expect("a WAV");
        let samples: Vec<i16> = reader.into_samples().step_by(2).map(|s| s.expect("a sample")).collect();
        let silent = samples.chunks(160).filter(|chunk| chunk.iter().all(|sample| *sample == 0)).count();
        let masked = if how == Hush::Mask { 25 } else { 0 };
        assert!(silent.abs_diff(masked) <= 6, "{how:?}: {silent} silent pieces of 20 ms");
    }
}
