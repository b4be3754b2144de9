//! What answering-machine detection says of greetings: `cargo run --release -p audio --example answers -- FILE.wav…`
//!
//! Files are 8 kHz, 16 bits, mono, and begin with the answer; four seconds of silence are put behind each. The table
//! at the end counts verdicts by folder, so keep people and machines apart.

use audio::amd::{AmdEvent, AmdParams, AnswerDetector, Answerer};
use std::collections::BTreeMap;
use std::path::Path;

fn main() {
    let mut table: BTreeMap<(String, Answerer), usize> = BTreeMap::new();
    for file in std::env::args().skip(1) {
        let mut reader = hound::WavReader::open(&file).expect("a WAV file");
        assert_eq!((reader.spec().sample_rate, reader.spec().channels), (8_000, 1), "{file}");
        let mut samples: Vec<i16> =
            reader.samples::<i16>().collect::<Result<_, _>>().expect("16-bit samples");
        samples.extend([0; 32_000]);
        let mut detector = AnswerDetector::new(AmdParams::default());
        let folder = Path::new(&file).parent().unwrap_or(Path::new("")).display().to_string();
        detector.hear(&samples, |event| match event {
            AmdEvent::Verdict(verdict) => {
                let at = f64::from(verdict.millis) / 1_000.0;
                println!(
                    "{file} {at:.2} s: {:?} {:.2}: {}",
                    verdict.answerer, verdict.confidence, verdict.cause
                );
                *table.entry((folder.clone(), verdict.answerer)).or_default() += 1;
            }
            AmdEvent::Tone(tone) => println!("{file}: then {tone}"),
        });
    }
    for ((folder, answerer), count) in table {
        println!("{folder}: {count} times {answerer:?}");
    }
}
