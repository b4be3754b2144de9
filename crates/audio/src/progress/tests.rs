use super::*;
use crate::tone::network::{self, NETWORKS};
use crate::tone::{Section, Tone, ToneGenerator, Wave};
use crate::wave::{Oscillator, amplitude};

fn heard_in(samples: &[i16], network: Option<&'static NetworkTones>, stage: Stage) -> Vec<Progress> {
    let mut all = Vec::new();
    let mut detector = ProgressDetector::new(network, stage);
    samples.chunks(171).for_each(|frame| detector.hear(frame, |progress| all.push(progress)));
    all
}

/// So many seconds of a tone, a little after the beginning, with noise of −47 dBm0 under it.
fn of(tone: Tone, seconds: usize) -> Vec<i16> {
    let mut samples = vec![0; 8_000 * seconds];
    ToneGenerator::new(tone).fill(&mut samples[1_234..]);
    let mut state = 1_u32;
    for sample in &mut samples {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *sample += (state >> 24) as i16 - 128;
    }
    samples
}

fn sine(hz: f32, dbm0: f32, millis: usize) -> Vec<i16> {
    let mut sine = Oscillator::new(hz, amplitude(dbm0));
    (0..millis * 8).map(|_| sine.next() as i16).collect()
}

fn after_silence(parts: &[Vec<i16>]) -> Vec<i16> {
    [&[vec![0; 4_000]], parts, &[vec![0; 12_000]]].concat().concat()
}

#[test]
fn each_networks_tones_are_told_apart() {
    for row in NETWORKS {
        let name = row.countries[0];
        let network = Some(row);
        let rings = heard_in(&of(row.ringback, 20), network, Stage::Ringing);
        assert!(
            rings.len() >= 3 && rings.iter().all(|it| *it == Progress::Ringback),
            "{name} ringback: {rings:?}"
        );
        assert_eq!(heard_in(&of(row.busy, 12), network, Stage::Ringing), [Progress::Busy], "{name} busy");
        let congestion = heard_in(&of(row.congestion, 12), network, Stage::Ringing);
        // Where both have one cadence it is busy.
        let is_one = row.busy == row.congestion;
        let wanted = if is_one { Progress::Busy } else { Progress::Congestion };
        assert_eq!(congestion, [wanted], "{name} congestion");
    }
}

#[test]
fn busy_is_heard_without_the_country_and_after_the_answer() {
    for row in NETWORKS {
        for stage in [Stage::Ringing, Stage::Answered] {
            let busy = heard_in(&of(row.busy, 12), None, stage);
            assert_eq!(busy, [Progress::Busy], "{:?} {stage:?}", row.countries);
        }
    }
}

#[test]
fn busy_of_an_inexact_exchange_is_busy_and_what_is_uneven_is_not() {
    let bursts = |lengths: &[(usize, usize)]| -> Vec<i16> {
        lengths.iter().flat_map(|(on, off)| [sine(425.0, -15.0, *on), vec![0; off * 8]]).flatten().collect()
    };
    let inexact = [(470, 500), (500, 455), (450, 490), (480, 480)];
    assert_eq!(heard_in(&bursts(&inexact), None, Stage::Ringing), [Progress::Busy]);
    let short = [(170, 220), (230, 180), (175, 230), (200, 200)];
    assert_eq!(heard_in(&bursts(&short), None, Stage::Ringing), [Progress::Busy]);
    let uneven = [(200, 500), (500, 300), (300, 700), (700, 250), (250, 450)];
    assert_eq!(heard_in(&bursts(&uneven), None, Stage::Ringing), []);
}

#[test]
fn busy_is_heard_at_any_level() {
    for dbm0 in [-3.0, -20.0, -35.0] {
        let parts = [sine(425.0, dbm0, 480), vec![0; 480 * 8]];
        let samples: Vec<i16> = parts.concat().repeat(6);
        assert_eq!(heard_in(&samples, None, Stage::Ringing), [Progress::Busy], "{dbm0}");
    }
}

#[test]
fn ringback_after_the_answer_is_no_beep() {
    for row in NETWORKS {
        let heard = heard_in(&of(row.ringback, 15), Some(row), Stage::Answered);
        assert!(heard.iter().all(|it| *it == Progress::Ringback), "{:?}: {heard:?}", row.countries);
    }
}

#[test]
fn a_dial_tone_is_nothing() {
    for row in NETWORKS.iter().filter(|row| row.dial.sections.len() == 1) {
        assert_eq!(heard_in(&of(row.dial, 8), Some(row), Stage::Ringing), [], "{:?}", row.countries);
    }
}

#[test]
fn e180_special_information_with_its_tolerances() {
    for stage in [Stage::Ringing, Stage::Answered] {
        let nominal = of(network::SPECIAL_INFORMATION, 4);
        assert_eq!(heard_in(&nominal, None, stage), [Progress::SpecialInformation]);
        for (off, lengths, gap) in
            [(-45.0, [280, 380, 280], 0), (45.0, [380, 274, 380], 240), (0.0, [330; 3], 120)]
        {
            let parts = [950.0, 1_400.0, 1_800.0].iter().zip(lengths);
            let parts: Vec<_> =
                parts.flat_map(|(hz, millis)| [sine(hz + off, -15.0, millis), vec![0; gap]]).collect();
            assert_eq!(
                heard_in(&after_silence(&parts), None, stage),
                [Progress::SpecialInformation],
                "{off}"
            );
        }
    }
}

#[test]
fn special_information_in_another_order_is_none() {
    let parts = [1_800.0, 1_400.0, 950.0].map(|hz| sine(hz, -15.0, 330));
    assert_eq!(heard_in(&after_silence(&parts), None, Stage::Ringing), []);
}

#[test]
fn t30_fax_tones_with_their_tolerances() {
    for stage in [Stage::Ringing, Stage::Answered] {
        assert_eq!(heard_in(&of(network::CNG, 10), None, stage), [Progress::FaxCalling; 3]);
        assert_eq!(heard_in(&of(network::CED, 5), None, stage), [Progress::FaxAnswering]);
        for (hz, millis) in [(1_062.0, 430), (1_138.0, 570)] {
            let samples = after_silence(&[sine(hz, -30.0, millis)]);
            assert_eq!(heard_in(&samples, None, stage), [Progress::FaxCalling], "{hz}");
        }
        for hz in [2_085.0, 2_115.0] {
            let samples = after_silence(&[sine(hz, -30.0, 2_600)]);
            assert_eq!(heard_in(&samples, None, stage), [Progress::FaxAnswering], "{hz}");
        }
    }
    for (hz, millis) in [(1_030.0, 500), (1_170.0, 500), (1_100.0, 250), (2_040.0, 2_600), (2_160.0, 2_600)] {
        assert_eq!(heard_in(&after_silence(&[sine(hz, -15.0, millis)]), None, Stage::Ringing), [], "{hz}");
    }
}

/// V.8 clause 3.1: CED of modems is modulated by 15 Hz and turns its phase every 450 ms.
#[test]
fn v8_ansam_is_an_answer_too() {
    let mut samples = sine(2_100.0, -12.0, 3_000);
    for (n, sample) in samples.iter_mut().enumerate() {
        let swing = 1.0 + 0.2 * (std::f32::consts::TAU * 15.0 * n as f32 / 8_000.0).sin();
        let sign = if n / 3_600 % 2 == 0 { 1.0 } else { -1.0 };
        *sample = (f32::from(*sample) * swing * sign) as i16;
    }
    assert_eq!(heard_in(&after_silence(&[samples]), None, Stage::Answered), [Progress::FaxAnswering]);
}

#[test]
fn a_beep_is_told_with_its_frequency_and_length() {
    for hz in [400.0, 440.0, 620.0, 850.0, 1_000.0, 1_400.0, 2_000.0, 2_400.0] {
        for (dbm0, millis) in [(-6.0, 150), (-20.0, 400), (-35.0, 800)] {
            let heard = heard_in(&after_silence(&[sine(hz, dbm0, millis)]), None, Stage::Answered);
            let [Progress::Beep { hz: found, millis: length }] = heard[..] else { panic!("{hz}: {heard:?}") };
            assert!((f32::from(found) - hz).abs() <= 8.0, "{found} instead of {hz}");
            assert!(length.abs_diff(millis as u32) <= 40, "{length} instead of {millis}");
        }
    }
}

#[test]
fn what_is_no_beep() {
    let beep = sine(1_000.0, -10.0, 400);
    assert_eq!(
        heard_in(&after_silence(std::slice::from_ref(&beep)), None, Stage::Ringing),
        [],
        "not answered"
    );
    assert_eq!(heard_in(&after_silence(&[beep[..480].to_vec()]), None, Stage::Answered), [], "60 ms");
    assert_eq!(heard_in(&after_silence(&[sine(1_000.0, -10.0, 5_000)]), None, Stage::Answered), [], "5 s");
    // A whistle that rises by a semitone.
    let mut phase = 0.0_f32;
    let glide: Vec<i16> = (0..3_200)
        .map(|n| {
            phase += std::f32::consts::TAU * (1_000.0 + 60.0 * n as f32 / 3_200.0) / 8_000.0;
            (8_000.0 * phase.sin()) as i16
        })
        .collect();
    assert_eq!(heard_in(&after_silence(&[glide]), None, Stage::Answered), [], "a glide");
    let pair = Tone {
        sections: &[Section { wave: Wave::Pair(900, 1_100), dbm0: -10.0, millis: 400 }],
        loops: false,
    };
    assert_eq!(heard_in(&of(pair, 3), None, Stage::Answered), [], "two lines");
}

#[test]
fn entering_a_stage_forgets_what_was_before() {
    let mut detector = ProgressDetector::new(None, Stage::Ringing);
    let mut all = Vec::new();
    detector.hear(&sine(1_000.0, -10.0, 300), |it| all.push(it));
    detector.enter(Stage::Answered);
    detector.hear(&[0; 8_000], |it| all.push(it));
    assert_eq!(all, []);
    detector.hear(&sine(1_000.0, -10.0, 300), |it| all.push(it));
    detector.hear(&[0; 8_000], |it| all.push(it));
    assert!(matches!(all[..], [Progress::Beep { .. }]), "{all:?}");
}
