//! What each detector costs per 20 ms: `cargo run --release -p audio --example cost`
//!
//! Speech is that of the tests, at −20 dBm0; silence is 16-bit zeros, where detectors need not look.

// A measurement needs a clock; the crate itself has none.
#![allow(clippy::disallowed_methods)]

use audio::Law;
use audio::amd::{AmdParams, AnswerDetector};
use audio::dtmf::DtmfDetector;
use audio::progress::{ProgressDetector, Stage};
use audio::tone::ToneGenerator;
use audio::tone::network::tones_of;
use std::hint::black_box;
use std::time::Instant;

const FRAME: usize = 160;
const ROUNDS: usize = 200;

fn main() {
    let bytes = include_bytes!("../tests/speech/machine-en.ulaw");
    let mut speech = vec![0; bytes.len() / FRAME * FRAME];
    Law::Mu.decode(bytes, &mut speech);
    let silence = vec![0; speech.len()];
    for (name, samples) in [("speech", &speech), ("silence", &silence)] {
        let mut keys = DtmfDetector::default();
        measure("DtmfDetector", name, samples, |frame| keys.hear(frame, |press| _ = black_box(press)));
        let mut tones = ProgressDetector::new(tones_of("US"), Stage::Ringing);
        measure("ProgressDetector", name, samples, |frame| tones.hear(frame, |tone| _ = black_box(tone)));
        let mut answer = AnswerDetector::new(AmdParams::default());
        measure("AnswerDetector", name, samples, |frame| answer.hear(frame, |event| _ = black_box(event)));
    }
    let mut ringback = ToneGenerator::new(tones_of("US").expect("a row").ringback);
    let mut out = [0; FRAME];
    measure("ToneGenerator", "440+480 Hz", &speech, |_| {
        ringback.fill(&mut out);
        black_box(out);
    });
}

/// The best of several runs, since others use the machine too.
fn measure(detector: &str, of: &str, samples: &[i16], mut hear: impl FnMut(&[i16])) {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        for frame in samples.chunks_exact(FRAME) {
            hear(black_box(frame));
        }
        best = best.min(begin.elapsed().as_secs_f64() / (samples.len() / FRAME) as f64);
    }
    println!("{detector:16} {of:10} {:6.2} µs per 20 ms", best * 1e6);
}
