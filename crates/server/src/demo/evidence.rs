//! Whether what was said is what was heard.

use super::DemoError;
use crate::phone::{find, level, read_wav};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Samples a second.
const RATE: usize = 8_000;
/// What is compared piece by piece, in samples: half a second.
const PIECE: usize = RATE / 2;
/// G.711 leaves speech 99% alike; a lost packet in a piece costs some 5%.
const ALIKE: f64 = 0.9;
/// Pieces quieter than this (dBFS) are pauses, which all look alike.
const PAUSE: f64 = -50.0;
/// How far a piece may lie from its place, in samples: 20 ms.
const SHIFT: usize = RATE / 50;

/// Speech that is said, and looked for.
pub(super) struct Speech {
    /// At 8 kHz.
    pub(super) samples: Arc<[i16]>,
}

impl Speech {
    /// Reads a WAV.
    pub(super) fn read(path: &Path) -> Result<Self, DemoError> {
        let samples = read_wav(path)
            .map_err(|error| DemoError::Missing(format!("{} cannot be read: {error}", path.display())))?;
        Ok(Self { samples: samples.into() })
    }

    pub(super) fn seconds(&self) -> f64 {
        self.duration().as_secs_f64()
    }

    pub(super) fn duration(&self) -> Duration {
        Duration::from_secs(self.samples.len() as u64) / RATE as u32
    }

    /// The first part of it, from its first sound on.
    pub(super) fn beginning(&self, length: Duration) -> Vec<i16> {
        let wanted = (length.as_secs_f64() * RATE as f64) as usize;
        let loud = |part: &[i16]| level(part).is_some_and(|level| level > PAUSE);
        let start = self.samples.chunks(RATE / 100).position(loud).unwrap_or(0) * (RATE / 100);
        self.samples.iter().copied().skip(start).take(wanted).collect()
    }
}

/// Whether speech is somewhere in what was heard.
pub(super) fn is_heard(speech: &[i16], heard: &[i16]) -> bool {
    find(speech, heard).is_some_and(|(_, likeness)| likeness > ALIKE)
}

/// Whether all of the speech was heard once, without a gap: each half second is in its place. The likeness
/// of the least alike one, or what is wrong.
pub(super) fn same_speech(speech: &Speech, heard: &[i16]) -> Result<f64, String> {
    let beginning = speech.beginning(Duration::from_secs(1));
    let (found, likeness) = find(&beginning, heard).ok_or("nothing was heard")?;
    if likeness < ALIKE {
        return Err(format!("other audio was heard ({:.0}% alike)", likeness * 100.0));
    }
    let (lead, _) = find(&beginning, &speech.samples).ok_or("the speech is silent")?;
    let mut worst = likeness;
    for (number, piece) in speech.samples.chunks_exact(PIECE).enumerate() {
        if level(piece).is_none_or(|level| level < PAUSE) {
            continue;
        }
        let place = (found + number * PIECE).saturating_sub(lead);
        let around = place.saturating_sub(SHIFT)..(place + PIECE + SHIFT).min(heard.len());
        let alike = heard.get(around).and_then(|window| find(piece, window)).map_or(0.0, |found| found.1);
        if alike < ALIKE {
            let second = (number * PIECE) as f64 / RATE as f64;
            return Err(format!("at {second:.1} s it is only {:.0}% alike", alike * 100.0));
        }
        worst = worst.min(alike);
    }
    Ok(worst)
}

#[cfg(test)]
mod tests {
    use super::*;
    use audio::Law;

    fn speech(name: &str) -> Speech {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dialplans/acme/demo").join(name);
        Speech::read(&path).expect("the demo's speech")
    }

    /// As a telephone line passes it on, after some silence.
    fn over_the_line(samples: &[i16]) -> Vec<i16> {
        let mut encoded = vec![0; samples.len()];
        Law::Mu.encode(samples, &mut encoded);
        let mut heard = vec![0; RATE + samples.len()];
        Law::Mu.decode(&encoded, &mut heard[RATE..]);
        heard
    }

    #[test]
    fn speech_is_known_again_after_the_line() {
        let said = speech("caller.wav");
        let likeness = same_speech(&said, &over_the_line(&said.samples)).expect("the same speech");
        assert!(likeness > 0.97, "{likeness}");
    }

    #[test]
    fn other_speech_a_gap_and_a_doubling_are_told() {
        let said = speech("caller.wav");
        let other = over_the_line(&speech("agent.wav").samples);
        assert!(same_speech(&said, &other).is_err());
        let whole = over_the_line(&said.samples);
        let middle = RATE + said.samples.len() / 2;
        let shorter = [&whole[..middle], &whole[middle + RATE / 5..]].concat();
        assert!(same_speech(&said, &shorter).is_err(), "a fifth of a second is missing");
        let longer = [&whole[..middle], &whole[middle - RATE / 5..]].concat();
        assert!(same_speech(&said, &longer).is_err(), "a fifth of a second came twice");
    }
}
