//! Speech is no key and no tone (talk-off).

use audio::Law;
use audio::dtmf::DtmfDetector;
use audio::progress::{ProgressDetector, Stage};
use std::path::{Path, PathBuf};

/// Pieces of half a second that come near to keys, made by speech/make.
const NEAR_KEYS: &[u8] = include_bytes!("speech/talk-off.ulaw");

/// Keys and tones that are heard at several levels, as `millisecond: what`.
fn hits(samples: &[i16]) -> Vec<String> {
    let mut all = Vec::new();
    for gain in [1.0, 0.5, 0.2, 0.05] {
        let quieter: Vec<i16> = samples.iter().map(|sample| (f32::from(*sample) * gain) as i16).collect();
        let mut keys = DtmfDetector::default();
        let mut stages = [Stage::Ringing, Stage::Answered].map(|stage| ProgressDetector::new(None, stage));
        for (index, frame) in quieter.chunks(160).enumerate() {
            let millis = index * 20;
            keys.hear(frame, |press| all.push(format!("{millis}: {press:?} at {gain}")));
            for tones in &mut stages {
                tones.hear(frame, |progress| all.push(format!("{millis}: {progress:?} at {gain}")));
            }
        }
    }
    all
}

fn wav_files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in folder.read_dir().expect("a folder of the repository") {
        let path = entry.expect("a file of the repository").path();
        if path.is_dir() {
            wav_files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "wav") {
            into.push(path);
        }
    }
}

#[test]
fn q24_talk_off_no_speech_of_the_repository_is_a_key_or_a_tone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for folder in ["dialplans", "prompts", "tests"] {
        wav_files(&root.join(folder), &mut files);
    }
    assert!(files.len() >= 10, "{files:?}");
    for file in files {
        let mut reader = hound::WavReader::open(&file).expect("a WAV file");
        let hz = reader.spec().sample_rate;
        let samples: Vec<i16> = reader.samples::<i16>().collect::<Result<_, _>>().expect("16 bits");
        let samples = audio::resample(&samples, hz, audio::Rate::Narrow).expect("a rate of speech");
        let hits = hits(&samples);
        // Those that are tones.
        let wanted: &[&str] = match file.file_name().and_then(|name| name.to_str()) {
            Some("ringback.wav") => &["Ringback", "Beep"],
            Some("beep.wav") => &["Beep"],
            _ => &[],
        };
        let is_wanted = |hit: &String| wanted.iter().any(|it| hit.contains(it));
        assert!(hits.iter().all(is_wanted), "{}: {hits:#?}", file.display());
        assert_eq!(hits.is_empty(), wanted.is_empty(), "{}", file.display());
    }
}

#[test]
fn q24_talk_off_speech_that_comes_near_to_keys_is_none() {
    let mut samples = vec![0; NEAR_KEYS.len()];
    Law::Mu.decode(NEAR_KEYS, &mut samples);
    assert_eq!(hits(&samples), Vec::<String>::new());
}

/// Vowels of a harder kind than any voice's: pulses at a pitch that moves, through three narrow resonances that move, which often
/// let two lone harmonics pass. Here a few are keys, 26 in half an hour when this was written; real speech had none
/// in hours (examples/talk_off.rs). No tone is heard in them at all.
#[test]
fn q24_talk_off_made_vowels_have_less_than_a_key_a_minute() {
    const SECONDS: usize = 1_800;
    let mut voice = Voice::new(7);
    let mut samples = Vec::with_capacity(8_000);
    let mut keys = DtmfDetector::default();
    let mut stages = [Stage::Ringing, Stage::Answered].map(|stage| ProgressDetector::new(None, stage));
    let mut hits = Vec::new();
    for second in 0..SECONDS {
        samples.clear();
        samples.extend((0..8_000).map(|_| voice.next()));
        keys.hear(&samples, |press| hits.push(format!("{second} s: {press:?}")));
        for tones in &mut stages {
            tones.hear(&samples, |progress| panic!("{second} s: {progress:?}"));
        }
    }
    assert!(hits.len() < SECONDS / 60, "{} in {SECONDS} s: {hits:#?}", hits.len());
}

struct Voice {
    random: u64,
    /// Samples until the next pulse, and until the next vowel.
    pulse: f32,
    vowel: u32,
    pitch: Glide,
    formants: [(Glide, f32, f32); 3],
}

/// A frequency on its way to another.
#[derive(Clone, Copy)]
struct Glide {
    hz: f32,
    towards: f32,
}

impl Voice {
    fn new(seed: u64) -> Self {
        let still = Glide { hz: 500.0, towards: 500.0 };
        Self { random: seed, pulse: 0.0, vowel: 0, pitch: still, formants: [(still, 0.0, 0.0); 3] }
    }

    fn between(&mut self, low: f32, high: f32) -> f32 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        low + (high - low) * ((self.random >> 40) as f32 / (1 << 24) as f32)
    }

    fn next(&mut self) -> i16 {
        if self.vowel == 0 {
            self.vowel = self.between(600.0, 3_200.0) as u32;
            self.pitch.towards = self.between(80.0, 300.0);
            let ranges = [(250.0, 900.0), (800.0, 2_200.0), (2_000.0, 3_200.0)];
            for (index, (low, high)) in ranges.into_iter().enumerate() {
                self.formants[index].0.towards = self.between(low, high);
            }
        }
        self.vowel -= 1;
        self.pitch.step();
        self.pulse -= 1.0;
        let mut sample = 0.0;
        if self.pulse <= 0.0 {
            // No voice keeps its pitch to less than half a percent, nor is it without breath.
            self.pulse += 8_000.0 / self.pitch.hz * self.between(0.995, 1.005);
            sample = 6_000.0;
        }
        sample += self.between(-150.0, 150.0);
        // Resonances of 60 to 120 Hz, one behind the other.
        for (index, (glide, last, before)) in self.formants.iter_mut().enumerate() {
            glide.step();
            let radius = (-std::f32::consts::PI * (60.0 + 30.0 * index as f32) / 8_000.0).exp();
            let turn = std::f32::consts::TAU * glide.hz / 8_000.0;
            let gain = 1.0 - 2.0 * radius * turn.cos() + radius * radius;
            let out = gain * sample + 2.0 * radius * turn.cos() * *last - radius * radius * *before;
            (*before, *last) = (*last, out);
            sample = out;
        }
        (4.0 * sample) as i16
    }
}

impl Glide {
    fn step(&mut self) {
        self.hz += (self.towards - self.hz) * 0.002;
    }
}
