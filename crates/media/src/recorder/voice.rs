//! How much of a message is speech, and when its speaker has nothing more to say.

use audio::Rate;
use audio::mix::SPEECH;
use clock::Duration;

/// Sound is looked at in frames of that length.
const FRAME_MILLIS: usize = 20;

/// One party's sound, frame by frame.
#[derive(Debug)]
pub(super) struct Voice {
    /// What is not yet a frame.
    frame: Vec<i16>,
    samples: usize,
    /// After how many silent frames that is told.
    most_quiet: u64,
    spoken: u64,
    quiet: u64,
    told: bool,
}

impl Voice {
    /// Of somebody who has not spoken yet.
    pub(super) fn new(rate: Rate, quiet: Duration) -> Self {
        let samples = FRAME_MILLIS * rate.per_milli();
        let most_quiet = u64::try_from(quiet.as_millis()).unwrap_or(u64::MAX) / FRAME_MILLIS as u64;
        Self {
            frame: Vec::with_capacity(samples),
            samples,
            most_quiet: most_quiet.max(1),
            spoken: 0,
            quiet: 0,
            told: false,
        }
    }

    /// Hears what follows.
    pub(super) fn hear(&mut self, samples: impl Iterator<Item = i16>) {
        for sample in samples {
            self.frame.push(sample);
            if self.frame.len() == self.samples {
                // By itself: what follows a loud frame is no speech, and a click is no word.
                let power = self.frame.iter().map(|sample| f32::from(*sample).powi(2)).sum::<f32>();
                let is_speech = power / self.samples as f32 > SPEECH;
                self.frame.clear();
                if is_speech {
                    (self.spoken, self.quiet, self.told) = (self.spoken + 1, 0, false);
                } else {
                    self.quiet += 1;
                }
            }
        }
    }

    /// Whether it has been silent for long enough; once per silence.
    pub(super) fn take_quiet(&mut self) -> bool {
        self.quiet >= self.most_quiet && !std::mem::replace(&mut self.told, true)
    }

    /// How long it has spoken, in milliseconds.
    pub(super) fn spoken_millis(&self) -> u64 {
        self.spoken * FRAME_MILLIS as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hum of that height for so many milliseconds.
    fn hum(height: f32, millis: usize) -> impl Iterator<Item = i16> {
        (0..8 * millis).map(move |n| (height * (n as f32 * 0.2).sin()) as i16)
    }

    #[test]
    fn silence_is_told_once_and_again_after_more_speech() {
        let mut voice = Voice::new(Rate::Narrow, Duration::from_secs(2));
        voice.hear(hum(3_000.0, 1_000));
        voice.hear(hum(30.0, 1_500));
        assert!(!voice.take_quiet());
        voice.hear(hum(3_000.0, 500));
        voice.hear(hum(30.0, 1_900));
        assert!(!voice.take_quiet(), "it has spoken meanwhile");
        voice.hear(hum(30.0, 600));
        assert!(voice.take_quiet() && !voice.take_quiet());
        voice.hear(hum(3_000.0, 100));
        voice.hear(hum(0.0, 2_600));
        assert!(voice.take_quiet());
        let spoken = voice.spoken_millis();
        assert_eq!(spoken, 1_600);
    }

    #[test]
    fn a_line_that_hisses_says_nothing() {
        let mut voice = Voice::new(Rate::Narrow, Duration::from_secs(1));
        voice.hear(hum(60.0, 5_000));
        assert_eq!((voice.spoken_millis(), voice.take_quiet()), (0, true));
    }
}
