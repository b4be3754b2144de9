//! How often speech is taken for keys: `cargo run --release -p audio --example talk_off -- FILE.wav…`
//!
//! Files are 8 kHz, 16 bits, mono. Each hit is printed with its place, then hits per hour for the files as they
//! are and at 10 dB less, since a detector may be fooled at any level.

use audio::dtmf::DtmfDetector;
use std::collections::BTreeMap;

fn main() {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let mut hits: BTreeMap<char, usize> = BTreeMap::new();
    let mut samples_heard = 0;
    for file in &files {
        let mut reader = hound::WavReader::open(file).expect("a WAV file");
        assert_eq!((reader.spec().sample_rate, reader.spec().channels), (8_000, 1), "{file}");
        let samples: Vec<i16> = reader.samples::<i16>().collect::<Result<_, _>>().expect("16-bit samples");
        for attenuation_db in [0.0, 10.0] {
            let gain = 10_f32.powf(-attenuation_db / 20.0);
            let quieter: Vec<i16> = samples.iter().map(|sample| (f32::from(*sample) * gain) as i16).collect();
            let mut detector = DtmfDetector::default();
            for frame in quieter.chunks(160) {
                detector.hear(frame, |press| {
                    let at = press.begin as f64 / 8_000.0;
                    println!("{file} -{attenuation_db} dB {at:.2} s: {:?}", press.digit);
                    *hits.entry(press.digit.digit).or_default() += 1;
                });
            }
            samples_heard += samples.len();
        }
    }
    let hours = samples_heard as f64 / 8_000.0 / 3_600.0;
    let all: usize = hits.values().sum();
    println!("{all} hits in {hours:.2} h of {} files: {:.2} an hour {hits:?}", files.len(), all as f64 / hours);
}
