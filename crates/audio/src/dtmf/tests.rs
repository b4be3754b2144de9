use super::*;
use crate::Law;
use crate::wave::amplitude;
use proptest::prelude::*;
use std::f64::consts::TAU;

const ALL: &str = "123A456B789C*0#D";

/// A key as a bad line brings it.
#[derive(Clone, Copy, Debug)]
struct Burst {
    key: char,
    low_dbm0: f32,
    high_dbm0: f32,
    low_off: f64,
    high_off: f64,
    phase: f64,
    millis: f64,
    /// Silence before it, in samples.
    lead: usize,
}

const PLAIN: Burst = Burst {
    key: '5',
    low_dbm0: -10.0,
    high_dbm0: -10.0,
    low_off: 0.0,
    high_off: 0.0,
    phase: 0.0,
    millis: 60.0,
    lead: 400,
};

impl Burst {
    fn samples(&self) -> Vec<f32> {
        let (row, column) = place_of(self.key).unwrap();
        let tone = |hz: f32, off: f64, dbm0: f32, n: usize| {
            let angle = TAU * f64::from(hz) * (1.0 + off) * n as f64 / 8_000.0 + self.phase * (1.0 + off);
            f64::from(amplitude(dbm0)) * angle.sin()
        };
        let sounding = (0..(self.millis * 8.0).round() as usize).map(|n| {
            let low = tone(LOW_GROUP[row], self.low_off, self.low_dbm0, n);
            (low + tone(HIGH_GROUP[column], self.high_off, self.high_dbm0, n)) as f32
        });
        std::iter::repeat_n(0.0, self.lead).chain(sounding).collect()
    }

    /// What is heard of it alone, with silence behind it.
    fn heard(&self) -> Vec<KeyPress> {
        heard(&finish(self.samples(), 0.0, 1))
    }
}

/// Adds white noise of an amplitude (standard deviation), and half a second behind; brings all to 16 bits.
fn finish(mut samples: Vec<f32>, noise: f32, seed: u64) -> Vec<i16> {
    samples.extend([0.0; 4_000]);
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 24) as f32 - 0.5
    };
    // Twelve uniform numbers have a variance of 1.
    samples.iter().map(|s| (s + noise * (0..12).map(|_| uniform()).sum::<f32>()).round() as i16).collect()
}

fn heard(samples: &[i16]) -> Vec<KeyPress> {
    let mut all = Vec::new();
    let mut detector = DtmfDetector::default();
    for frame in samples.chunks(160) {
        detector.hear(frame, |press| all.push(press));
    }
    all.extend(detector.flush());
    all
}

fn keys(samples: &[i16]) -> String {
    heard(samples).iter().map(|press| press.digit.digit).collect()
}

fn any_burst() -> impl Strategy<Value = Burst> {
    (0..16_usize, 0.0..TAU, 0..160_usize).prop_map(|(key, phase, lead)| Burst {
        key: ALL.as_bytes()[key].into(),
        phase,
        lead: 400 + lead,
        ..PLAIN
    })
}

/// Within Q.24's limits: frequency, level, twist and duration, each at random.
fn within() -> impl Strategy<Value = Burst> {
    let off = -0.015..=0.015;
    (any_burst(), off.clone(), off, -25.0..=-3.0_f32, -8.0..=4.0_f32, 40.0..=100.0).prop_map(
        |(burst, low_off, high_off, level, twist, millis)| {
            // Neither tone is below −25 dBm0 or above −3: both together are just what 16 bits hold.
            let low_dbm0 = level.clamp(-25.0 - twist.min(0.0), -3.0 - twist.max(0.0));
            Burst { low_off, high_off, low_dbm0, high_dbm0: low_dbm0 + twist, millis, ..burst }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn q24_all_that_is_within_the_limits_is_heard(burst in within()) {
        let presses = burst.heard();
        prop_assert_eq!(presses.len(), 1, "{:?}", &presses);
        let press = presses[0];
        prop_assert_eq!(press.digit.digit, burst.key);
        prop_assert!((f64::from(press.digit.millis) - burst.millis).abs() <= 3.0, "{:?}", press);
        prop_assert!((press.begin as i64 - burst.lead as i64).abs() <= 16, "{:?}", press);
    }

    #[test]
    fn q24_noise_15_db_below_the_key_hides_none(burst in within(), seed in any::<u64>()) {
        let power = amplitude(burst.low_dbm0).powi(2) / 2.0 + amplitude(burst.high_dbm0).powi(2) / 2.0;
        let samples = finish(burst.samples(), (power / 31.6).sqrt(), seed);
        prop_assert_eq!(keys(&samples), burst.key.to_string());
    }

    #[test]
    fn q24_g711_of_either_law_hides_none(burst in within()) {
        for law in [Law::Mu, Law::A] {
            let samples = finish(burst.samples(), 0.0, 1);
            let mut bytes = vec![0; samples.len()];
            let mut back = samples.clone();
            law.encode(&samples, &mut bytes);
            law.decode(&bytes, &mut back);
            prop_assert_eq!(keys(&back), burst.key.to_string());
        }
    }

    #[test]
    fn q24_a_frequency_off_by_3_5_percent_is_refused(
        burst in within(),
        off in 0.035..0.05_f64,
        which in 0..4,
    ) {
        let off = if which % 2 == 0 { off } else { -off };
        let burst = if which < 2 { Burst { low_off: off, ..burst } } else { Burst { high_off: off, ..burst } };
        prop_assert_eq!(burst.heard(), []);
    }

    #[test]
    fn q24_23_ms_are_refused(burst in within(), millis in 1.0..=23.0) {
        prop_assert_eq!(Burst { millis, ..burst }.heard(), []);
    }

    #[test]
    fn q24_an_interruption_of_10_ms_does_not_part_a_key(
        burst in within(), before in 30.0..60.0, gap in 0..=80_usize,
    ) {
        let mut samples = Burst { millis: before, ..burst }.samples();
        samples.extend(Burst { lead: gap, ..burst }.samples());
        let presses = heard(&finish(samples, 0.0, 1));
        prop_assert_eq!(presses.len(), 1, "{:?}", presses);
        let whole = before + burst.millis + gap as f64 / 8.0;
        prop_assert!((f64::from(presses[0].digit.millis) - whole).abs() <= 3.0);
    }

    #[test]
    fn q24_a_pause_of_40_ms_parts_the_same_key(burst in within(), gap in 320..800_usize) {
        let mut samples = burst.samples();
        samples.extend(Burst { lead: gap, ..burst }.samples());
        prop_assert_eq!(keys(&finish(samples, 0.0, 1)), burst.key.to_string().repeat(2));
    }

    #[test]
    fn q24_twist_far_beyond_the_limits_is_refused(burst in any_burst(), beyond in 0.0..6.0_f32) {
        let high = Burst { low_dbm0: -20.0, high_dbm0: -13.0 + beyond, ..burst };
        prop_assert_eq!(high.heard(), []);
        let low = Burst { low_dbm0: -13.0 + beyond, high_dbm0: -24.0, ..burst };
        prop_assert_eq!(low.heard(), []);
    }

    #[test]
    fn frames_of_any_length_hear_the_same(burst in within(), length in 1..1_000_usize) {
        let samples = finish(burst.samples(), 20.0, 3);
        let mut all = Vec::new();
        let mut detector = DtmfDetector::default();
        samples.chunks(length).for_each(|frame| detector.hear(frame, |press| all.push(press)));
        prop_assert_eq!(all, heard(&samples));
    }

    #[test]
    fn noise_is_no_key(level in 1.0..8_000.0_f32, seed in any::<u64>()) {
        prop_assert_eq!(keys(&finish(vec![0.0; 16_000], level, seed)), "");
    }
}

#[test]
fn q24_tones_of_0_dbm0_are_heard_although_their_sum_is_cut_off() {
    for key in ALL.chars() {
        let burst = Burst { key, low_dbm0: 0.0, high_dbm0: 0.0, millis: 40.0, ..PLAIN };
        assert_eq!(keys(&finish(burst.samples(), 0.0, 1)), key.to_string());
    }
}

#[test]
fn q24_what_is_below_33_dbm0_is_no_key() {
    for key in ALL.chars() {
        let burst = Burst { key, low_dbm0: -34.0, high_dbm0: -34.0, ..PLAIN };
        assert_eq!(burst.heard(), []);
        let burst = Burst { key, low_dbm0: -30.0, high_dbm0: -30.0, ..PLAIN };
        assert_eq!(burst.heard().len(), 1);
    }
}

#[test]
fn one_tone_of_two_is_no_key() {
    for key in ALL.chars() {
        for silent in [-60.0, -90.0] {
            assert_eq!(Burst { key, low_dbm0: silent, ..PLAIN }.heard(), []);
            assert_eq!(Burst { key, high_dbm0: silent, ..PLAIN }.heard(), []);
        }
    }
}

#[test]
fn keys_follow_each_other_at_the_pace_of_q24() {
    let tone = KeyTone { on_millis: 40, off_millis: 40, ..KeyTone::default() };
    let mut samples = vec![0; 333];
    for key in ALL.chars() {
        let mut frame = vec![0; 640];
        assert_eq!(DtmfGenerator::new(key, tone).unwrap().fill(&mut frame), 640);
        samples.extend(frame);
    }
    let presses = heard(&samples);
    assert_eq!(presses.iter().map(|press| press.digit.digit).collect::<String>(), ALL);
    for (index, press) in presses.iter().enumerate() {
        let begin = 333 + 640 * index as u64;
        assert!(press.begin.abs_diff(begin) <= 24, "{press:?} instead of {begin}");
        assert!(press.end.abs_diff(begin + 320) <= 24, "{press:?} instead of {}", begin + 320);
    }
}

#[test]
fn a_held_key_is_told_once_and_can_be_muted_while_it_sounds() {
    let samples = finish(Burst { millis: 30_000.0, ..PLAIN }.samples(), 100.0, 1);
    let mut detector = DtmfDetector::default();
    let mut known = None;
    let mut all = Vec::new();
    for (index, frame) in samples.chunks(40).enumerate() {
        detector.hear(frame, |press| all.push(press));
        if let Some((key, begin)) = detector.sounding() {
            assert_eq!(key, '5');
            assert!(begin.abs_diff(400) <= 16, "{begin}");
            known = known.or(Some(index * 40 + 40));
        }
    }
    assert!(matches!(known, Some(samples) if samples <= 400 + 8 * 45), "{known:?}");
    assert_eq!(detector.sounding(), None);
    assert!(matches!(all[..], [press] if press.digit.millis.abs_diff(30_000) <= 3), "{all:?}");
}

#[test]
fn a_key_that_the_end_of_a_stream_cuts_off_is_told_by_flush() {
    let samples = Burst { millis: 50.0, ..PLAIN }.samples();
    let samples: Vec<i16> = samples.iter().map(|sample| *sample as i16).collect();
    let mut detector = DtmfDetector::default();
    detector.hear(&samples, |press| panic!("{press:?}"));
    let press = detector.flush().expect("a key");
    assert_eq!(press.digit.digit, '5');
    assert!(press.digit.millis.abs_diff(50) <= 8, "{press:?}");
    assert_eq!(detector.flush(), None);
}

#[test]
fn no_tone_of_a_network_is_a_key() {
    use crate::tone::network::{CED, CNG, NETWORKS, RECORD_BEEP, RECORDER_WARNING, SPECIAL_INFORMATION};
    let common = [CNG, CED, RECORD_BEEP, RECORDER_WARNING, SPECIAL_INFORMATION];
    let of_networks =
        NETWORKS.iter().flat_map(|row| [row.dial, row.ringback, row.busy, row.congestion, row.call_waiting]);
    for tone in of_networks.chain(common) {
        let mut samples = vec![0; 8_000 * 20];
        crate::tone::ToneGenerator::new(tone).fill(&mut samples);
        assert_eq!(heard(&samples), [], "{tone:?}");
    }
}

#[test]
fn a_letter_may_be_small_and_other_characters_are_no_keys() {
    assert!(DtmfGenerator::new('d', KeyTone::default()).is_ok());
    assert_eq!(DtmfGenerator::new('E', KeyTone::default()).err(), Some(NotAKey('E')));
}
