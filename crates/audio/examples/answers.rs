//! What answering-machine detection says of greetings: `cargo run --release -p audio --example answers -- FILE.wav…`
//!
//! Files are 8 kHz, 16 bits, mono, and begin with the answer; four seconds of silence are put behind each. The table
//! at the end counts verdicts by folder for several longest greetings, so keep people and machines apart.

use audio::amd::{AmdEvent, AmdParams, AnswerDetector, Answerer};
use std::collections::BTreeMap;
use std::path::Path;

const LONGEST_GREETINGS: [u32; 6] = [1_500, 1_900, 2_400, 2_800, 3_200, 4_000];

fn main() {
    let mut table: BTreeMap<(String, u32, Answerer), usize> = BTreeMap::new();
    for file in std::env::args().skip(1) {
        let mut reader = hound::WavReader::open(&file).expect("a WAV file");
        assert_eq!((reader.spec().sample_rate, reader.spec().channels), (8_000, 1), "{file}");
        let mut samples: Vec<i16> =
            reader.samples::<i16>().collect::<Result<_, _>>().expect("16-bit samples");
        samples.extend([0; 32_000]);
        let folder = Path::new(&file).parent().unwrap_or(Path::new("")).display().to_string();
        listen(&samples, AmdParams::default(), |event| match event {
            AmdEvent::Verdict(verdict) => {
                let at = f64::from(verdict.millis) / 1_000.0;
                println!(
                    "{file} {at:.2} s: {:?} {:.2}: {}",
                    verdict.answerer, verdict.confidence, verdict.cause
                );
            }
            AmdEvent::Tone(tone) => println!("{file}: then {tone}"),
        });
        for longest_greeting in LONGEST_GREETINGS {
            listen(&samples, AmdParams { longest_greeting, ..AmdParams::default() }, |event| {
                if let AmdEvent::Verdict(verdict) = event {
                    *table.entry((folder.clone(), longest_greeting, verdict.answerer)).or_default() += 1;
                }
            });
        }
    }
    for ((folder, longest_greeting, answerer), count) in table {
        println!("{folder}: with a longest greeting of {longest_greeting} ms {count} times {answerer:?}");
    }
}

fn listen(samples: &[i16], params: AmdParams, told: impl FnMut(AmdEvent)) {
    AnswerDetector::new(params).hear(samples, told);
}
