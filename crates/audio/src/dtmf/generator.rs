use super::{HIGH_GROUP, LOW_GROUP, place_of};
use crate::wave::{Oscillator, SAMPLE_RATE, amplitude, edge};

/// How a key sounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KeyTone {
    /// The level of the low group's tone, in dBm0.
    pub low_dbm0: f32,
    /// By how many dB the high group's tone is louder. Q.23 has networks ask for 1 to 3 dB, since a
    /// line takes more of it.
    pub twist_db: f32,
    /// For how long it sounds, in ms.
    pub on_millis: u32,
    /// The pause behind it, in ms.
    pub off_millis: u32,
    /// The share by which both tones are too high; 0 but in tests of receivers. 0.015 is what Q.23 allows
    /// a sender.
    pub detune: f32,
}

/// Not one of 0–9, *, #, A–D.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAKey(pub char);

/// Makes one key in frames of any length; nothing is allocated.
#[derive(Clone, Debug)]
pub struct DtmfGenerator {
    tones: [Oscillator; 2],
    at: u32,
    on: u32,
    all: u32,
}

impl Default for KeyTone {
    /// −9 dBm0 and −7 dBm0, 100 ms, then 80 ms of silence: what every receiver takes.
    fn default() -> Self {
        Self { low_dbm0: -9.0, twist_db: 2.0, on_millis: 100, off_millis: 80, detune: 0.0 }
    }
}

impl DtmfGenerator {
    /// Begins a key.
    ///
    /// # Errors
    /// [`NotAKey`].
    pub fn new(key: char, tone: KeyTone) -> Result<Self, NotAKey> {
        let (row, column) = place_of(key).ok_or(NotAKey(key))?;
        let detune = 1.0 + tone.detune;
        let low = Oscillator::new(LOW_GROUP[row] * detune, amplitude(tone.low_dbm0));
        let high = Oscillator::new(HIGH_GROUP[column] * detune, amplitude(tone.low_dbm0 + tone.twist_db));
        let on = tone.on_millis * (SAMPLE_RATE / 1_000);
        Ok(Self { tones: [low, high], at: 0, on, all: on + tone.off_millis * (SAMPLE_RATE / 1_000) })
    }

    /// Whether the key and its pause are over.
    pub fn is_over(&self) -> bool {
        self.at >= self.all
    }

    /// Fills a frame; how many of its samples belong to the key and its pause. The rest is silence.
    pub fn fill(&mut self, frame: &mut [i16]) -> usize {
        let mut made = 0;
        for sample in frame {
            *sample = 0;
            if self.at >= self.all {
                continue;
            }
            if self.at < self.on {
                let sum: f32 = self.tones.iter_mut().map(Oscillator::next).sum();
                // `as` saturates: two tones of 0 dBm0 are more than 16 bits hold.
                *sample = (sum * edge(self.at, self.on)).round() as i16;
            }
            self.at += 1;
            made += 1;
        }
        made
    }
}
