//! A playout fed by networks that behave badly, in virtual time.

use audio::{Encoder, Playout, Rate};
use clock::{Duration, Time};
use rtp::control::OpusFormat;
use rtp::{Codec, Header};
use std::f32::consts::PI;

const FRAME: usize = 160;

/// A packet of 20 ms, when it was made and when it comes.
struct Sent {
    comes: u64,
    header: Header,
    payload: Vec<u8>,
}

/// A steady voice: a pitch of 125 Hz with two harmonics.
fn voice(n: usize, rate: Rate) -> i16 {
    let x = 2.0 * PI * 125.0 * n as f32 / rate.hz() as f32;
    (5_000.0 * (x.sin() + 0.5 * (2.0 * x).sin() + 0.2 * (5.0 * x).sin())) as i16
}

/// So many packets of the voice in `codec`, each made `every` µs, made to come late by `late`, or never.
fn packets(codec: Codec, count: u16, every: u64, late: impl Fn(u16) -> Option<u64>) -> Vec<Sent> {
    let rate = Rate::of(codec);
    let mut encoder =
        Encoder::new(codec, rate, OpusFormat { fec: true, ..OpusFormat::default() }).expect("Opus");
    let samples = 20 * rate.per_milli();
    let mut sent: Vec<Sent> = Vec::new();
    for number in 0..count {
        let at = usize::from(number) * samples;
        let sound: Vec<i16> = (at..at + samples).map(|n| voice(n, rate)).collect();
        let mut payload = vec![0; 2_000];
        let length = encoder.encode(&sound, &mut payload).expect("20 ms");
        payload.truncate(length);
        let header = Header {
            payload_type: 0,
            marker: number == 0,
            sequence: number.wrapping_add(65_500),
            timestamp: (u32::from(number) * (codec.clock_rate() / 50)).wrapping_sub(3_000),
            ssrc: 7,
        };
        if let Some(late) = late(number) {
            sent.push(Sent { comes: 1_000_000 + u64::from(number) * every + late * 1_000, header, payload });
        }
    }
    sent.sort_by_key(|packet| packet.comes);
    sent
}

/// What is heard, pulled every 20 ms from 1 s on.
fn listen(playout: &mut Playout, codec: Codec, sent: &[Sent], pulls: usize) -> Vec<i16> {
    listen_every(20, playout, codec, sent, pulls)
}

/// What is heard, pulled every so many milliseconds from 1 s on.
fn listen_every(millis: u64, playout: &mut Playout, codec: Codec, sent: &[Sent], pulls: usize) -> Vec<i16> {
    let mut waiting = sent.iter().peekable();
    let mut heard = Vec::new();
    for pull in 0..pulls {
        let now = 1_000_000 + 1_000 * millis * pull as u64 + 3_000;
        while let Some(packet) = waiting.next_if(|packet| packet.comes <= now) {
            let at = Time::ZERO + Duration::from_micros(packet.comes);
            playout.insert(at, &packet.header, codec, &packet.payload);
        }
        let mut frame = vec![0; millis as usize * playout.rate().per_milli()];
        playout.pull(Time::ZERO + Duration::from_micros(now), &mut frame);
        heard.extend(frame);
    }
    heard
}

/// The longest run of samples near zero, in samples.
fn longest_hole(heard: &[i16]) -> usize {
    heard.split(|sample| sample.abs() > 300).map(<[i16]>::len).max().unwrap_or(0)
}

fn steepest(heard: &[i16]) -> i32 {
    heard.windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs()).max().expect("samples")
}

#[test]
fn a_quiet_network_is_heard_sample_for_sample_and_soon() {
    let mut playout = Playout::new(Rate::Narrow);
    let heard = listen(&mut playout, Codec::Pcmu, &packets(Codec::Pcmu, 500, 20_000, |_| Some(0)), 480);
    let begins = heard.iter().position(|sample| sample.abs() > 300).expect("a voice");
    assert!(begins < 5 * FRAME, "it begins after {begins} samples");
    let stats = playout.stats();
    assert_eq!((stats.concealed, stats.late), (0, 0));
    assert_eq!(longest_hole(&heard[begins..]) / FRAME, 0);
    assert!(stats.stretched < 800, "{stats:?}: a shorter wait than the first guess is found once");
}

#[test]
fn jitter_of_60_ms_with_reordering_is_heard_without_holes() {
    let mut playout = Playout::new(Rate::Narrow);
    let late = |number: u16| Some(u64::from(number) * 7_919 % 61);
    let heard = listen(&mut playout, Codec::Pcma, &packets(Codec::Pcma, 1_500, 20_000, late), 1_450);
    let stats = playout.stats();
    let settled = &heard[200 * FRAME..];
    assert!(longest_hole(settled) < FRAME / 2, "{stats:?}");
    assert!(stats.concealed * 100 < stats.decoded * 3, "{stats:?}");
    assert!(steepest(settled) < 4_200, "a click of {}", steepest(settled));
}

#[test]
fn a_lost_packet_in_twenty_is_made_up_and_counted() {
    for codec in [Codec::Pcmu, Codec::G722, Codec::Opus, Codec::L16] {
        let mut playout = Playout::new(Rate::of(codec));
        let late = |number: u16| (number % 20 != 10).then_some(0);
        let heard = listen(&mut playout, codec, &packets(codec, 400, 20_000, late), 380);
        let stats = playout.stats();
        let frame = (20 * playout.rate().per_milli()) as u64;
        assert!((17 * frame..=21 * frame).contains(&stats.concealed), "{codec:?} {stats:?}");
        let hole = longest_hole(&heard[heard.len() / 4..]);
        assert!(hole < frame as usize / 2, "{codec:?}: a hole of {hole} samples");
    }
}

/// A packet that is missed is missing once: what was made up until the next one came counts towards it.
#[test]
fn a_lost_packet_is_made_up_once_however_little_is_pulled_at_a_time() {
    for millis in [5, 10, 20] {
        let mut playout = Playout::new(Rate::Narrow);
        let late = |number: u16| (number % 20 != 10).then_some(0);
        let sent = packets(Codec::Pcmu, 3_000, 20_000, late);
        listen_every(millis, &mut playout, Codec::Pcmu, &sent, 59_000 / millis as usize);
        let stats = playout.stats();
        let lost = (59_000 / 400) * FRAME as u64;
        assert!(stats.concealed <= lost + FRAME as u64, "{millis} ms: {stats:?} of {lost}");
        assert!(stats.stretched < 800, "{millis} ms: {stats:?}: the wait is found once");
    }
}

#[test]
fn the_first_guess_of_the_wait_is_forgotten_after_two_seconds() {
    let mut playout = Playout::new(Rate::Narrow);
    let mut sent = packets(Codec::Pcmu, 200, 20_000, |_| Some(0));
    sent[150..].iter_mut().for_each(|packet| packet.payload.fill(0xFF));
    let heard = listen_every(10, &mut playout, Codec::Pcmu, &sent, 390);
    // The voice ends 3 s after its beginning; pulls come 3 ms after the packets.
    let ends = heard.iter().rposition(|sample| sample.abs() > 300).expect("a voice");
    let wait = ends.saturating_sub(150 * FRAME) / 8;
    assert!(wait <= 20, "it waited {wait} ms");
}

#[test]
fn a_clock_that_drifts_is_followed_without_growing_delay_or_holes() {
    for every in [19_990, 20_010] {
        // Five minutes at 500 ppm: a buffer that did not follow would be 150 ms off.
        let mut playout = Playout::new(Rate::Narrow);
        let sent = packets(Codec::Pcmu, 15_000, every, |number| Some(u64::from(number % 3)));
        let heard = listen(&mut playout, Codec::Pcmu, &sent, 14_900);
        let stats = playout.stats();
        assert!(longest_hole(&heard[800..]) < FRAME, "{every}: {stats:?}");
        assert!(stats.concealed < 10 * FRAME as u64 && stats.late < 5, "{every}: {stats:?}");
        assert!((800..4_000).contains(&stats.stretched), "{every}: {stats:?}");
    }
}

#[test]
fn silence_suppression_and_a_burst_after_an_outage_are_no_loss() {
    let mut playout = Playout::new(Rate::Narrow);
    // Packets 100 to 199 were not made at all: the numbers go on, the timestamps jump.
    let mut sent = packets(Codec::Pcmu, 400, 20_000, |number| (!(100..200).contains(&number)).then_some(0));
    for packet in &mut sent[100..] {
        packet.header.sequence = packet.header.sequence.wrapping_sub(100);
    }
    let heard = listen(&mut playout, Codec::Pcmu, &sent, 390);
    assert!(longest_hole(&heard[110 * FRAME..190 * FRAME]) > 70 * FRAME, "there is nothing to be heard");
    assert!(longest_hole(&heard[210 * FRAME..]) < FRAME);
    assert!(playout.stats().concealed <= 12 * FRAME as u64 / 2, "{:?}", playout.stats());

    let mut playout = Playout::new(Rate::Narrow);
    let outage =
        |number: u16| Some(if (100..200).contains(&number) { 20 * u64::from(200 - number) } else { 0 });
    let heard = listen(&mut playout, Codec::Pcmu, &packets(Codec::Pcmu, 600, 20_000, outage), 590);
    assert!(longest_hole(&heard[300 * FRAME..]) < FRAME, "{:?}", playout.stats());
}

#[test]
fn another_source_a_jump_and_doubled_packets_are_played() {
    let mut playout = Playout::new(Rate::Narrow);
    let mut sent = packets(Codec::Pcmu, 300, 20_000, |_| Some(0));
    for packet in &mut sent[100..200] {
        packet.header.ssrc = 8;
        packet.header.sequence = packet.header.sequence.wrapping_add(20_000);
    }
    for packet in &mut sent[200..] {
        packet.header.ssrc = 8;
        packet.header.sequence = packet.header.sequence.wrapping_add(20_000);
        packet.header.timestamp = packet.header.timestamp.wrapping_add(900_000_000);
    }
    let doubled: Vec<Sent> = sent
        .iter()
        .flat_map(|packet| {
            [0, 5_000].map(|later| Sent {
                comes: packet.comes + later,
                header: packet.header,
                payload: packet.payload.clone(),
            })
        })
        .collect();
    let mut doubled = doubled;
    doubled.sort_by_key(|packet| packet.comes);
    let heard = listen(&mut playout, Codec::Pcmu, &doubled, 290);
    assert!(longest_hole(&heard[5 * FRAME..]) < 5 * FRAME, "{:?}", playout.stats());
    assert!(playout.stats().concealed < 12 * FRAME as u64, "{:?}", playout.stats());
    assert!(playout.stats().decoded >= 285 * FRAME as u64, "{:?}", playout.stats());
}

#[test]
fn digits_do_not_count_as_loss() {
    let mut playout = Playout::new(Rate::Narrow);
    let sent = packets(Codec::Pcmu, 200, 20_000, |_| Some(0));
    let mut heard = Vec::new();
    for (number, packet) in sent.iter().enumerate() {
        let now = Time::ZERO + Duration::from_micros(packet.comes);
        if (100..110).contains(&number) {
            playout.skip(&packet.header);
        } else {
            playout.insert(now, &packet.header, Codec::Pcmu, &packet.payload);
        }
        let mut frame = [0; FRAME];
        playout.pull(now, &mut frame);
        heard.extend(frame);
    }
    assert!(playout.stats().concealed <= FRAME as u64, "{:?}", playout.stats());
    assert!(longest_hole(&heard[112 * FRAME..]) < FRAME, "{:?}", playout.stats());
}
