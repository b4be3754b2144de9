//! Digits as telephone-events (RFC 4733): each key press counts once.

use clock::{Duration, Time};
use proptest::prelude::*;
use rtp::{Digit, DigitDetector, DigitPacket, DigitSender, RtpError};

const TONE: Duration = Duration::from_millis(100);
const GAP: Duration = Duration::from_millis(50);
const SSRC: u32 = 5;

/// A packet on its way: when it arrives, its event's timestamp, its payload.
type Sent = (Time, u32, [u8; 4]);

fn millis(millis: u64) -> Time {
    Time::from_millis(millis)
}

/// What our sender makes of these digits, from `timestamp` on.
fn sent(digits: &str, timestamp: u32) -> Vec<Sent> {
    let mut sender = DigitSender::default();
    for digit in digits.chars() {
        sender.push(digit, TONE, GAP).unwrap();
    }
    let mut packets = Vec::new();
    for tick in 0_u32.. {
        if sender.is_idle() {
            break;
        }
        if let Some(packet) = sender.tick(8_000) {
            let began = timestamp.wrapping_add(tick * 160).wrapping_sub(packet.age_millis * 8);
            packets.push((millis(u64::from(tick) * 20), began, packet.payload));
        }
    }
    packets
}

/// What a detector hears of these packets, and then in the silence after them.
fn heard(packets: &[Sent]) -> Vec<Digit> {
    let mut detector = DigitDetector::default();
    let mut digits: Vec<_> = packets
        .iter()
        .flat_map(|(now, timestamp, payload)| detector.packet(*now, SSRC, *timestamp, 8_000, payload))
        .flatten()
        .collect();
    let last = packets.last().map_or(Time::ZERO, |(now, ..)| *now);
    digits.extend(detector.flush(last + Duration::from_secs(1)));
    assert_eq!(detector.next_timeout(), None);
    digits
}

fn text(digits: &[Digit]) -> String {
    digits.iter().map(|digit| digit.digit).collect()
}

#[test]
fn rfc4733_2_5_1_a_digit_is_sent_growing_with_three_ends() {
    let mut sender = DigitSender::default();
    sender.push('#', TONE, GAP).unwrap();
    let packet = |marker, age: u32, flags, duration: u16| {
        let [high, low] = duration.to_be_bytes();
        Some(DigitPacket { payload: [11, flags, high, low], marker, age_millis: age / 8 })
    };
    let ticks: Vec<_> = (0..9).map(|_| sender.tick(8_000)).collect();
    let expected = [
        packet(true, 0, 10, 160),
        packet(false, 160, 10, 320),
        packet(false, 320, 10, 480),
        packet(false, 480, 10, 640),
        packet(false, 640, 0x8A, 800),
        packet(false, 800, 0x8A, 800),
        packet(false, 960, 0x8A, 800),
        None,
        None,
    ];
    assert_eq!(ticks, expected);
    assert!(sender.is_idle());
}

#[test]
fn rfc4733_2_5_1_the_next_digit_waits_for_the_gap() {
    let packets = sent("1d", 0);
    assert_eq!(packets.len(), 14);
    // 100 ms of tone and 50 of silence, rounded up to 20.
    assert_eq!((packets[7].0, packets[7].1, packets[7].2[0]), (millis(160), 8 * 160, 15));
    assert_eq!(text(&heard(&packets)), "1D");
}

#[test]
fn only_digits_are_sent_and_only_so_many() {
    let mut sender = DigitSender::default();
    assert_eq!(sender.push('x', TONE, GAP), Err(RtpError::NotADigit('x')));
    assert!(sender.is_idle());
    let refused = (0..10_000).find_map(|_| sender.push('1', TONE, GAP).err());
    assert_eq!(refused, Some(RtpError::TooManyDigits));
}

#[test]
fn rfc4733_2_5_2_3_a_digit_is_told_once_with_its_length() {
    assert_eq!(heard(&sent("5", 1_000)), [Digit { digit: '5', millis: 100 }]);
    // Its end alone is enough, and so is its beginning.
    let packets = sent("5", 1_000);
    assert_eq!(heard(&packets[6..]), [Digit { digit: '5', millis: 100 }]);
    assert_eq!(heard(&packets[..1]), [Digit { digit: '5', millis: 20 }]);
}

#[test]
fn rfc4733_2_5_2_2_a_digit_whose_end_is_lost_is_ended_by_the_next() {
    let packets: Vec<_> = sent("12", 0).into_iter().filter(|(.., p)| p[0] != 1 || p[1] & 0x80 == 0).collect();
    assert_eq!(text(&heard(&packets)), "12");
    // Even if of the next one only an end comes.
    let sparse = [packets[0], *packets.last().unwrap()];
    let mut detector = DigitDetector::default();
    assert_eq!(detector.packet(sparse[0].0, SSRC, sparse[0].1, 8_000, &sparse[0].2), [None; 2]);
    let both = detector.packet(sparse[1].0, SSRC, sparse[1].1, 8_000, &sparse[1].2);
    assert_eq!(both.map(|digit| digit.unwrap().digit), ['1', '2']);
}

#[test]
fn a_digit_whose_end_is_lost_is_told_after_200_ms() {
    let mut detector = DigitDetector::default();
    let (_, timestamp, payload) = sent("7", 0)[0];
    assert_eq!(detector.packet(millis(1_000), SSRC, timestamp, 8_000, &payload), [None; 2]);
    assert_eq!(detector.next_timeout(), Some(millis(1_200)));
    assert_eq!(detector.flush(millis(1_199)), None);
    assert_eq!(detector.flush(millis(1_200)), Some(Digit { digit: '7', millis: 20 }));
    // The rest comes after all.
    for (_, timestamp, payload) in &sent("7", 0)[1..] {
        assert_eq!(detector.packet(millis(1_300), SSRC, *timestamp, 8_000, payload), [None; 2]);
    }
    assert_eq!(detector.flush(millis(9_000)), None);
}

#[test]
fn the_same_key_pressed_twice_counts_twice() {
    assert_eq!(text(&heard(&sent("1111", u32::MAX - 2_000))), "1111");
}

#[test]
fn another_source_begins_anew_whatever_its_timestamps() {
    let mut detector = DigitDetector::default();
    let mut told = Vec::new();
    // The second party's event began "just before" the first one's by its own clock.
    for (ssrc, timestamp) in [(1, 10_000), (2, 9_500)] {
        for (now, timestamp, payload) in sent("1", timestamp) {
            told.extend(detector.packet(now, ssrc, timestamp, 8_000, &payload).into_iter().flatten());
        }
    }
    assert_eq!(text(&told), "11");
}

#[test]
fn rfc4733_2_5_1_3_a_key_held_for_long_counts_once() {
    let mut detector = DigitDetector::default();
    let mut told = Vec::new();
    for (at, timestamp, flags, duration) in [
        (0, 100, 0, 160_u16),
        (8_000, 100, 0, 65_535),
        (8_020, 65_635, 0, 160),
        (10_000, 65_635, 0x80, 16_000),
    ] {
        let [high, low] = duration.to_be_bytes();
        told.extend(
            detector.packet(millis(at), SSRC, timestamp, 8_000, &[3, flags, high, low]).into_iter().flatten(),
        );
    }
    assert_eq!(told, [Digit { digit: '3', millis: (65_535 + 16_000) / 8 }]);
}

#[test]
fn what_is_no_digit_is_passed_over() {
    let mut detector = DigitDetector::default();
    // A flash, a fax tone, a payload cut short.
    for payload in [&[16, 0x80, 0, 160][..], &[36, 0x80, 0, 160], &[1, 0x80, 0], &[]] {
        assert_eq!(detector.packet(millis(0), SSRC, 0, 8_000, payload), [None; 2]);
    }
    assert_eq!(detector.next_timeout(), None);
}

/// Each packet lost, doubled or late by up to 40 ms, at least one of each digit left.
fn disturb(packets: &[Sent], fates: &[(u8, u64)]) -> Vec<Sent> {
    let mut arriving: Vec<Sent> = Vec::new();
    for (index, packet) in packets.iter().enumerate() {
        let (fate, late) = fates[index % fates.len()];
        let (now, timestamp, payload) = *packet;
        let is_only_one = index % 7 == 3;
        for copy in 0..if is_only_one { 1 } else { u64::from(fate % 3) } {
            arriving.push((now + Duration::from_millis(late + copy), timestamp, payload));
        }
    }
    arriving.sort_by_key(|(now, ..)| *now);
    arriving
}

proptest! {
    #[test]
    fn each_key_counts_once_under_loss_duplication_and_reordering(
        digits in "[0-9*#A-D]{1,12}",
        timestamp in any::<u32>(),
        fates in prop::collection::vec((any::<u8>(), 0_u64..40), 1..40),
    ) {
        let told = heard(&disturb(&sent(&digits, timestamp), &fates));
        prop_assert_eq!(text(&told), digits);
    }

    #[test]
    fn any_events_are_taken_without_a_panic(
        packets in prop::collection::vec((0_u64..400, any::<u32>(), any::<[u8; 4]>()), 0..40)
    ) {
        let mut detector = DigitDetector::default();
        let mut now = Time::ZERO;
        let mut told = 0;
        for (step, timestamp, payload) in &packets {
            now += Duration::from_millis(*step);
            told += detector.packet(now, SSRC, *timestamp, 8_000, payload).into_iter().flatten().count();
            told += detector.flush(now).into_iter().count();
        }
        prop_assert!(told <= packets.len());
    }
}
