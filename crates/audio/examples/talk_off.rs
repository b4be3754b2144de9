//! How often speech is taken for keys and for tones: `cargo run --release -p audio --example talk_off -- FILE.wav…`
//!
//! Files are 8 kHz, 16 bits, mono. Each hit is printed with its place, then the hits of each kind per hour, for the files
//! as they are and at 10 dB less, since a detector may be fooled at any level.

use audio::dtmf::DtmfDetector;
use audio::progress::{ProgressDetector, Stage};
use std::collections::BTreeMap;

fn main() {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let mut hits: BTreeMap<String, usize> = BTreeMap::new();
    let mut samples_heard = 0;
    for file in &files {
        let mut reader = hound::WavReader::open(file).expect("a WAV file");
        assert_eq!((reader.spec().sample_rate, reader.spec().channels), (8_000, 1), "{file}");
        let samples: Vec<i16> = reader.samples::<i16>().collect::<Result<_, _>>().expect("16-bit samples");
        for attenuation_db in [0.0, 10.0] {
            let gain = 10_f32.powf(-attenuation_db / 20.0);
            let quieter: Vec<i16> = samples.iter().map(|sample| (f32::from(*sample) * gain) as i16).collect();
            for (at, hit) in heard(&quieter) {
                println!("{file} -{attenuation_db} dB {:.2} s: {hit}", at as f64 / 8_000.0);
                let kind = hit.split(['{', '(']).next().unwrap_or_default();
                *hits.entry(kind.trim().to_owned()).or_default() += 1;
            }
            samples_heard += samples.len();
        }
    }
    let hours = samples_heard as f64 / 8_000.0 / 3_600.0;
    println!("{hours:.2} h of {} files", files.len());
    for (kind, count) in hits {
        println!("{count} times {kind}: {:.2} an hour", count as f64 / hours);
    }
}

/// What was heard, and by which sample.
fn heard(samples: &[i16]) -> Vec<(usize, String)> {
    let mut all = Vec::new();
    let mut keys = DtmfDetector::default();
    let mut stages =
        [Stage::Ringing, Stage::Answered].map(|stage| (stage, ProgressDetector::new(None, stage)));
    for (index, frame) in samples.chunks(160).enumerate() {
        let at = index * 160;
        keys.hear(frame, |press| all.push((at, format!("key {{{:?}}}", press.digit))));
        for (stage, tones) in &mut stages {
            tones.hear(frame, |progress| all.push((at, format!("{stage:?}: {progress:?}"))));
        }
    }
    all
}
