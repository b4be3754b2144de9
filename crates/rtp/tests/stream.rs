//! A leg's RTP in both directions: what is received, and the one stream that the peer sees.

use clock::{Duration, Time};
use proptest::prelude::*;
use rtp::control::{DigitFormat, OpusFormat, Setup};
use rtp::{
    Arrival, Codec, Content, Digit, DigitTick, Header, Received, Reception, Rewriter, RtpError, Security,
    Stream,
};
use std::net::SocketAddr;

fn peer() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 4_000))
}

fn setup() -> Setup {
    Setup {
        remote: Some(peer()),
        rtcp: Some(peer()),
        signalled: peer().ip(),
        codec: Codec::Pcma,
        send_type: 8,
        receive_types: vec![(8, Codec::Pcma), (0, Codec::Pcmu)],
        opus: OpusFormat::default(),
        digits: Some(DigitFormat { clock_rate: 8_000, send_type: 96, receive_type: 101 }),
        ptime: 20,
        send: true,
        receive: true,
        security: Security::Plain,
        fax: false,
    }
}

/// A stream that has its setup, begins with sequence 65,534 and is about to wrap its timestamps.
fn stream() -> Stream {
    let mut stream = Stream::new(0xAAAA, 65_534, u32::MAX - 200);
    stream.apply(Time::ZERO, setup());
    stream
}

fn header(payload_type: u8, sequence: u16, timestamp: u32) -> Header {
    Header { payload_type, marker: false, sequence, timestamp, ssrc: 5 }
}

fn datagram(header: Header, payload: &[u8]) -> Vec<u8> {
    [&header.to_bytes()[..], payload].concat()
}

fn millis(millis: u64) -> Time {
    Time::from_millis(millis)
}

#[test]
fn a_party_is_heard_by_its_payload_types() {
    let mut stream = stream();
    let voice = datagram(header(0, 1, 160), b"voice");
    let Received::Audio { packet, codec } = stream.receive(millis(0), peer(), &voice) else { panic!() };
    assert_eq!((codec, packet.payload(&voice)), (Codec::Pcmu, &b"voice"[..]));
    let end = datagram(header(101, 2, 320), &[5, 0x8A, 3, 32]);
    let Received::Event { digits, .. } = stream.receive(millis(20), peer(), &end) else { panic!() };
    assert_eq!(digits, [None, Some(Digit { digit: '5', millis: 100 })]);
    let noise = datagram(header(13, 3, 480), &[60]);
    assert_eq!(stream.receive(millis(40), peer(), &noise), Received::UnknownType);
    assert_eq!(stream.stats().received, 3);
}

#[test]
fn strangers_and_rubbish_change_nothing() {
    let mut stream = stream();
    let stranger = SocketAddr::from(([192, 0, 2, 66], 4_000));
    let voice = datagram(header(0, 1, 160), b"voice");
    assert_eq!(stream.receive(millis(0), peer(), b"INVITE sip:"), Received::Malformed);
    assert!(matches!(stream.receive(millis(0), peer(), &voice), Received::Audio { .. }));
    assert_eq!(stream.receive(millis(1), peer(), &voice), Received::Stale);
    assert_eq!(stream.receive(millis(1), stranger, &voice), Received::Foreign);
    let report = [0x80, 201, 0, 1, 0, 0, 0, 5];
    assert_eq!(stream.receive(millis(2), peer(), &report), Received::Rtcp);
    assert_eq!(stream.receive(millis(2), stranger, &report), Received::Foreign);
    let stats = stream.stats();
    assert_eq!((stats.received, stats.lost, stats.foreign, stats.jitter_micros), (1, 0, 2, None));
    assert_eq!(stream.target(), Some(peer()));
}

#[test]
fn nothing_is_received_or_sent_before_setup() {
    let mut stream = Stream::new(1, 2, 3);
    let voice = datagram(header(0, 1, 160), b"voice");
    assert_eq!(stream.receive(millis(0), peer(), &voice), Received::Foreign);
    assert_eq!(stream.play(millis(0), 20), None);
    assert_eq!(stream.forward(millis(0), &header(0, 1, 160), Content::Audio), None);
    assert_eq!(stream.push_digit('1', Duration::ZERO, Duration::ZERO), Err(RtpError::NoTelephoneEvent));
    assert_eq!(stream.stats().sent, 0);
}

#[test]
fn a_party_on_hold_is_sent_nothing() {
    let mut stream = stream();
    stream.push_digit('1', Duration::from_millis(20), Duration::ZERO).unwrap();
    stream.apply(Time::ZERO, Setup { send: false, ..setup() });
    assert_eq!(stream.target(), None);
    assert_eq!(stream.play(millis(0), 20), None);
    assert_eq!(stream.digit_tick(millis(0)), DigitTick::Pause);
    stream.apply(Time::ZERO, Setup { remote: None, ..setup() });
    assert_eq!(stream.target(), None);
    stream.apply(Time::ZERO, setup());
    assert_eq!(stream.target(), Some(peer()));
    assert!(stream.play(millis(20), 20).is_some());
}

#[test]
fn a_peer_without_telephone_event_gets_no_events() {
    let mut stream = stream();
    stream.apply(Time::ZERO, Setup { digits: None, ..setup() });
    assert_eq!(stream.forward(millis(0), &header(101, 1, 0), Content::Event), None);
    assert!(stream.forward(millis(0), &header(0, 2, 0), Content::Audio).is_some());
}

#[test]
fn rfc3550_5_1_prompt_then_bridge_then_prompt_are_one_stream_to_the_peer() {
    let mut stream = stream();
    let prompt: Vec<_> = (0..3).map(|tick| stream.play(millis(tick * 20), 20).unwrap()).collect();
    let numbers = |headers: &[Header]| headers.iter().map(|h| (h.sequence, h.timestamp)).collect::<Vec<_>>();
    let first = u32::MAX - 200;
    assert_eq!(
        numbers(&prompt),
        [(65_534, first), (65_535, first.wrapping_add(160)), (0, first.wrapping_add(320))]
    );
    assert_eq!(prompt.iter().map(|h| h.marker).collect::<Vec<_>>(), [true, false, false]);

    // The party speaks from 100 ms on: 60 ms after the last packet of the prompt.
    let voice: Vec<_> = (0..3)
        .map(|n| {
            let source = header(0, 700 + n, 90_000 + u32::from(n) * 160);
            stream.forward(millis(100 + u64::from(n) * 20), &source, Content::Audio).unwrap()
        })
        .collect();
    let began = first.wrapping_add(320 + 480);
    assert_eq!(numbers(&voice), [(1, began), (2, began + 160), (3, began + 320)]);
    assert_eq!(voice.iter().map(|h| h.marker).collect::<Vec<_>>(), [true, false, false]);

    let again = stream.play(millis(160), 20).unwrap();
    assert_eq!((again.sequence, again.timestamp, again.marker), (4, began + 480, true));
    assert!(prompt.iter().chain(&voice).all(|h| h.ssrc == 0xAAAA && h.payload_type == 8));
    assert_eq!(stream.stats().sent, 7);
}

#[test]
fn the_same_party_after_a_prompt_is_a_new_source() {
    let mut rewriter = Rewriter::new(1, 10, 1_000);
    rewriter.forward(millis(0), &header(0, 50, 8_000), 0).unwrap();
    rewriter.local(millis(20), 160, 0);
    // Meanwhile ten packets of the party were not sent; the peer sees no loss.
    let back = rewriter.forward(millis(220), &header(0, 61, 9_760), 0).unwrap();
    assert_eq!((back.sequence, back.timestamp, back.marker), (12, 1_000 + 160 + 1_600, true));
}

#[test]
fn rfc3550_a_1_holes_and_order_of_a_source_stay_as_they_came() {
    let mut rewriter = Rewriter::new(1, 10, 1_000);
    let mut sent = Vec::new();
    for (step, sequence) in [100_u16, 101, 104, 103, 105].into_iter().enumerate() {
        let source = header(0, sequence, 8_000 + u32::from(sequence) * 160);
        let header = rewriter.forward(millis(step as u64 * 20), &source, 0).unwrap();
        sent.push((header.sequence, header.timestamp));
    }
    assert_eq!(sent, [(10, 1_000), (11, 1_160), (14, 1_640), (13, 1_480), (15, 1_800)]);
    // What belongs to the time before this source cannot have a number of its own.
    assert_eq!(rewriter.forward(millis(100), &header(0, 99, 23_840), 0), None);
}

#[test]
fn a_source_that_restarts_its_numbers_goes_on_without_a_jump() {
    let mut rewriter = Rewriter::new(1, 10, 1_000);
    rewriter.forward(millis(0), &header(0, 100, 8_000), 0).unwrap();
    let jumped = rewriter.forward(millis(20), &header(0, 40_000, 5), 0).unwrap();
    assert_eq!((jumped.sequence, jumped.timestamp, jumped.marker), (11, 1_160, true));
    let other = Header { ssrc: 6, ..header(0, 7, 7) };
    let other = rewriter.forward(millis(40), &other, 0).unwrap();
    assert_eq!((other.sequence, other.timestamp, other.marker), (12, 1_320, true));
}

#[test]
fn rfc4733_2_5_1_a_forwarded_event_keeps_its_timestamp_and_the_clock_goes_on() {
    let mut rewriter = Rewriter::new(1, 10, 1_000);
    let event: Vec<_> = (0..5)
        .map(|n| rewriter.forward(millis(u64::from(n) * 20), &header(101, n, 8_000), 96).unwrap())
        .collect();
    assert!(event.iter().all(|h| h.timestamp == 1_000 && h.payload_type == 96));
    let voice = rewriter.local(millis(100), 160, 0);
    assert_eq!(voice.timestamp, 1_000 + 800);
}

#[test]
fn rfc4733_2_5_1_digits_take_the_place_of_the_prompt() {
    let mut stream = stream();
    let voice = stream.play(millis(0), 20).unwrap();
    for digit in ['4', '2'] {
        stream.push_digit(digit, Duration::from_millis(40), Duration::from_millis(60)).unwrap();
    }
    let mut ticks = Vec::new();
    for tick in 1..=10_u32 {
        assert!(stream.is_sending_digits());
        ticks.push(match stream.digit_tick(millis(u64::from(tick) * 20)) {
            DigitTick::Packet { header, payload } => {
                assert_eq!((header.payload_type, header.ssrc), (96, 0xAAAA));
                Some((header.timestamp.wrapping_sub(voice.timestamp) / 160, header.marker, payload[0]))
            }
            DigitTick::Pause => None,
            DigitTick::Idle => panic!("digits are left"),
        });
    }
    let digit = |began, event| {
        [
            Some((began, true, event)),
            Some((began, false, event)),
            Some((began, false, event)),
            Some((began, false, event)),
            None,
        ]
    };
    assert_eq!(ticks, [digit(1, 4), digit(6, 2)].concat());
    assert_eq!(stream.digit_tick(millis(220)), DigitTick::Idle);
    let after = stream.play(millis(220), 20).unwrap();
    assert_eq!(after.timestamp.wrapping_sub(voice.timestamp), 11 * 160);
    assert_eq!(after.sequence.wrapping_sub(voice.sequence), 9);
}

#[test]
fn an_engine_that_is_a_little_late_makes_no_gap() {
    let mut rewriter = Rewriter::new(1, 10, 1_000);
    rewriter.local(millis(0), 160, 0);
    let late = rewriter.local(millis(70), 160, 0);
    assert_eq!((late.timestamp, late.marker), (1_160, false));
    let next_prompt = rewriter.local(millis(270), 160, 0);
    assert_eq!((next_prompt.timestamp, next_prompt.marker), (1_160 + 1_600, true));
}

#[test]
fn rfc3550_a_3_loss_is_counted_over_wraps_and_restarts() {
    let mut reception = Reception::default();
    let mut receive = |ssrc, sequence| {
        let arrival = reception.packet(Time::ZERO, &Header { ssrc, ..header(0, sequence, 0) }, None);
        (arrival, reception.received(), reception.lost())
    };
    assert_eq!(receive(5, 65_534), (Arrival::First, 1, 0));
    assert_eq!(receive(5, 1), (Arrival::Next, 2, 2));
    assert_eq!(receive(5, 65_535), (Arrival::Late, 3, 1));
    assert_eq!(receive(5, 65_535), (Arrival::Stale, 3, 1));
    assert_eq!(receive(5, 1), (Arrival::Stale, 3, 1));
    // From before the first packet seen.
    assert_eq!(receive(5, 65_533), (Arrival::Late, 4, 1));
    // A jump counts once a second packet confirms it.
    assert_eq!(receive(5, 30_000), (Arrival::Stale, 4, 1));
    assert_eq!(receive(5, 30_001), (Arrival::First, 5, 1));
    assert_eq!(receive(6, 9), (Arrival::First, 6, 1));
    assert_eq!(receive(6, 11), (Arrival::Next, 7, 2));
}

#[test]
fn rfc3550_a_8_jitter_follows_the_arrival_times() {
    let mut reception = Reception::default();
    assert_eq!(reception.jitter_micros(), None);
    // Timestamps about to wrap; every other packet 5 ms late.
    for n in 0..200_u16 {
        let late = if n % 2 == 0 { 0 } else { 5 };
        let timestamp = (u32::MAX - 400).wrapping_add(u32::from(n) * 160);
        reception.packet(millis(u64::from(n) * 20 + late), &header(0, n, timestamp), Some(8_000));
        if n == 1 {
            // One step of 5 ms: a sixteenth of it.
            assert_eq!(reception.jitter_micros(), Some(312));
        }
    }
    let jitter = reception.jitter_micros().unwrap();
    assert!((4_700..=5_000).contains(&jitter), "{jitter}");
}

#[test]
fn rfc3550_a_8_a_new_beginning_is_no_jitter() {
    let mut reception = Reception::default();
    reception.packet(millis(0), &header(0, 0, 0), Some(8_000));
    reception.packet(millis(20), &header(0, 1, 160), Some(8_000));
    reception.packet(millis(40), &header(0, 2, 4_000_000), Some(8_000));
    reception.packet(millis(60), &Header { ssrc: 6, ..header(0, 3, 77) }, Some(8_000));
    assert_eq!(reception.jitter_micros(), Some(0));
}

proptest! {
    #[test]
    fn any_datagrams_are_received_without_a_panic(
        datagrams in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..40)
    ) {
        let mut stream = stream();
        for (at, datagram) in (0..).zip(&datagrams) {
            stream.receive(millis(at), peer(), datagram);
            stream.flush_digit(millis(at));
        }
        prop_assert!(stream.stats().received <= datagrams.len() as u64);
    }

    #[test]
    fn a_peer_never_sees_a_number_twice(
        steps in prop::collection::vec((0_u64..200, 0_u32..3, any::<bool>(), 0_u16..70), 1..200)
    ) {
        let mut rewriter = Rewriter::new(1, 65_000, u32::MAX - 9_000);
        let mut reception = Reception::default();
        let mut now = Time::ZERO;
        // Long enough that a party's numbers wrap, short enough that ours do not repeat.
        let mut sequences = [65_500_u16, 100, 30_000];
        let mut seen = std::collections::HashSet::new();
        for (step, who, backwards, distance) in steps {
            now += Duration::from_millis(step);
            let header = match sequences.get_mut(who as usize) {
                Some(sequence) if who < 2 => {
                    let number = if backwards { sequence.wrapping_sub(distance) } else { sequence.wrapping_add(distance) };
                    *sequence = if backwards { *sequence } else { number };
                    let source = Header { ssrc: who, ..header(0, number, u32::from(number) * 160) };
                    // Repeated packets are left out by whoever receives them.
                    if reception.packet(now, &source, Some(8_000)) == Arrival::Stale {
                        continue;
                    }
                    rewriter.forward(now, &source, 0)
                }
                _ => Some(rewriter.local(now, 160, 0)),
            };
            if let Some(header) = header {
                prop_assert!(seen.insert(header.sequence), "{} twice", header.sequence);
            }
        }
    }
}
