//! Where the detector of keys draws its lines, beside those of ITU-T Q.24: `cargo run --release -p audio --example q24`
//!
//! Each figure is over all keys and 40 places of the key against the detector's windows: up to where all are heard, and
//! from where none is.

use audio::amplitude;
use audio::dtmf::{DtmfDetector, DtmfGenerator, KeyTone};

const KEYS: &str = "123A456B789C*0#D";
const LEADS: usize = 40;
const PLAIN: KeyTone = KeyTone { low_dbm0: -12.0, twist_db: 0.0, on_millis: 60, off_millis: 0, detune: 0.0 };

fn main() {
    println!("| what | Q.24 | all heard | none heard |\n| --- | --- | --- | --- |");
    row("frequency too high, %", "≤ 1.5 heard, ≥ 3.5 refused", steps(0.0, 5.0, 0.1), |x| {
        heard(&key(KeyTone { detune: x / 100.0, ..PLAIN }))
    });
    row("frequency too low, %", "≤ 1.5 heard, ≥ 3.5 refused", steps(0.0, 5.0, 0.1), |x| {
        heard(&key(KeyTone { detune: -x / 100.0, ..PLAIN }))
    });
    row("high group louder, dB", "≤ 4 heard", steps(0.0, 12.0, 0.25), |x| {
        heard(&key(KeyTone { twist_db: x, ..PLAIN }))
    });
    row("low group louder, dB", "≤ 8 heard", steps(0.0, 14.0, 0.25), |x| {
        heard(&key(KeyTone { twist_db: -x, ..PLAIN }))
    });
    row("level a tone below 0 dBm0, dB", "≤ 25 heard", steps(0.0, 50.0, 0.5), |x| {
        heard(&key(KeyTone { low_dbm0: -x, ..PLAIN }))
    });
    row("shorter than, ms", "40 heard, 23 refused", (0..60).rev().map(|x| x as f32), |x| {
        heard(&key(KeyTone { on_millis: x as u32, ..PLAIN }))
    });
    row("interruption that parts not, ms", "≤ 10 bridged, 40 parts", steps(0.0, 60.0, 1.0), |x| {
        let twice = |once: Vec<i16>| {
            let begin = once.iter().position(|sample| *sample != 0).unwrap_or(0);
            [&once[..], &vec![0; x as usize * 8], &once[begin..]].concat()
        };
        heard(&key(PLAIN).into_iter().map(twice).collect::<Vec<_>>())
    });
    row("white noise below the key, dB", "15 heard", steps(0.0, 25.0, 0.5).into_iter().rev(), |x| {
        let power = 10_f32.powf((-12.0 + 3.0 - x) / 20.0);
        let width = amplitude(0.0) * power * 6_f32.sqrt();
        let mut samples = key(KeyTone { on_millis: 40, ..PLAIN });
        let mut state = 1_u32;
        for sample in samples.iter_mut().flatten() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *sample += (((state >> 8) as f32 / (1 << 24) as f32 - 0.5) * width) as i16;
        }
        heard(&samples)
    });
}

fn steps(from: f32, to: f32, step: f32) -> Vec<f32> {
    (0..=((to - from) / step).round() as usize).map(|n| from + n as f32 * step).collect()
}

/// All keys with 40 leads, a detector's hop apart at most.
fn key(tone: KeyTone) -> Vec<Vec<i16>> {
    let mut all = Vec::new();
    for key in KEYS.chars() {
        for lead in 0..LEADS {
            let mut samples = vec![0; 400 + lead + tone.on_millis as usize * 8];
            DtmfGenerator::new(key, tone).expect("a key").fill(&mut samples[400 + lead..]);
            all.push(samples);
        }
    }
    all
}

/// How many of the samples hold exactly one key, the right one.
fn heard(all: &[Vec<i16>]) -> (usize, usize) {
    let mut right = 0;
    for (index, samples) in all.iter().enumerate() {
        let mut found = String::new();
        let mut detector = DtmfDetector::default();
        detector.hear(samples, |press| found.push(press.digit.digit));
        detector.hear(&[0; 4_000], |press| found.push(press.digit.digit));
        right += usize::from(found.len() == 1 && found.chars().next() == KEYS.chars().nth(index / LEADS));
    }
    (right, all.len())
}

fn row(what: &str, q24: &str, values: impl IntoIterator<Item = f32>, heard: impl Fn(f32) -> (usize, usize)) {
    let (mut all_heard, mut none_heard) = (None, None);
    let mut is_whole = true;
    for value in values {
        let (right, all) = heard(value);
        is_whole &= right == all;
        if is_whole {
            all_heard = Some(value);
        }
        if right > 0 {
            none_heard = None;
        } else if none_heard.is_none() {
            none_heard = Some(value);
        }
    }
    let show = |value: Option<f32>| value.map_or("–".to_owned(), |value| format!("{value:.2}"));
    println!("| {what} | {q24} | {} | {} |", show(all_heard), show(none_heard));
}
