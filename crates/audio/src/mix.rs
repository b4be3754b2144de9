//! Many voices in one, and each listener's without its own.

use crate::Rate;

/// What is loud enough to be speech, as the mean of the squares of its samples: −50 dB below the loudest.
pub const SPEECH: f32 = 10_700.0;
/// How much of a level is left after 20 ms.
const MEMORY: f32 = 0.8;
/// Somebody else is the speaker once so much louder, in power: 3 dB.
const LOUDER: f32 = 2.0;
/// And for so many frames of 20 ms, so that a cough does not count.
const FRAMES: u32 = 10;

/// The sum of many voices, kept wide enough that none is lost before each listener's own is taken out again.
///
/// Mixing once and subtracting is what makes the cost of a listener independent of how many speak.
#[derive(Clone, Debug)]
pub struct Mix {
    total: Vec<i32>,
}

impl Mix {
    /// Silence of so many samples.
    pub fn new(samples: usize) -> Self {
        Self { total: vec![0; samples] }
    }

    /// Silence again.
    pub fn clear(&mut self) {
        self.total.fill(0);
    }

    /// One more voice.
    pub fn add(&mut self, voice: &[i16]) {
        for (sum, sample) in self.total.iter_mut().zip(voice) {
            *sum += i32::from(*sample);
        }
    }

    /// What a listener hears whose own `voice` is in the mix, if it is, and to whom `others` speak besides.
    pub fn without<'v>(
        &self,
        voice: Option<&[i16]>,
        others: impl Iterator<Item = &'v [i16]>,
        out: &mut [i16],
    ) {
        let mut sums = [0; 20 * Rate::Wide.per_milli()];
        let sums = &mut sums[..self.total.len().min(out.len())];
        sums.copy_from_slice(&self.total[..sums.len()]);
        for (sum, sample) in sums.iter_mut().zip(voice.unwrap_or_default()) {
            *sum -= i32::from(*sample);
        }
        for other in others {
            for (sum, sample) in sums.iter_mut().zip(other) {
                *sum += i32::from(*sample);
            }
        }
        for (sample, sum) in out.iter_mut().zip(sums) {
            *sample = (*sum).clamp(i16::MIN.into(), i16::MAX.into()) as i16;
        }
    }
}

/// Makes a voice louder or quieter by decibels.
pub fn amplify(voice: &mut [i16], decibels: i8) {
    if decibels == 0 {
        return;
    }
    let factor = 10_f32.powf(f32::from(decibels) / 20.0);
    for sample in voice {
        // A cast of a float that is too large gives the largest sample.
        *sample = (f32::from(*sample) * factor) as i16;
    }
}

/// Who of many speaks, one frame of 20 ms after the other.
#[derive(Clone, Debug, Default)]
pub struct Speaker<Id> {
    current: Option<Id>,
    rival: Option<(Id, u32)>,
}

impl<Id: Copy + PartialEq> Speaker<Id> {
    /// Nobody has spoken.
    pub fn new() -> Self {
        Self { current: None, rival: None }
    }

    /// Takes everybody's level; who speaks from now on, if that has changed.
    pub fn frame(&mut self, levels: impl Iterator<Item = (Id, f32)> + Clone) -> Option<Option<Id>> {
        let loudest = levels.clone().filter(|(_, level)| *level > SPEECH).max_by(|a, b| a.1.total_cmp(&b.1));
        let current = self.current.and_then(|id| levels.clone().find(|(other, _)| *other == id));
        if current.is_none() && self.current.take().is_some() {
            self.rival = None;
            return Some(None);
        }
        let (loudest, level) = loudest?;
        if self.current == Some(loudest) || current.is_some_and(|(_, own)| level < own * LOUDER) {
            self.rival = None;
            return None;
        }
        let frames = match self.rival {
            Some((rival, frames)) if rival == loudest => frames + 1,
            _ => 1,
        };
        self.rival = Some((loudest, frames));
        (frames >= FRAMES).then(|| {
            self.rival = None;
            self.current = Some(loudest);
            self.current
        })
    }
}

/// A level that follows a voice: the mean of the squares of its samples, `before` being that of the frames before.
pub fn level(before: f32, voice: &[i16]) -> f32 {
    let power: f32 = voice.iter().map(|sample| f32::from(*sample).powi(2)).sum();
    before * MEMORY + power / voice.len().max(1) as f32 * (1.0 - MEMORY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn everybody_hears_all_others_and_never_itself(
            voices in proptest::collection::vec(proptest::collection::vec(-800_i16..800, 160), 2..30),
        ) {
            let mut mix = Mix::new(160);
            voices.iter().for_each(|voice| mix.add(voice));
            for (listener, own) in voices.iter().enumerate() {
                let mut heard = [0; 160];
                mix.without(Some(own), std::iter::empty(), &mut heard);
                for (n, sample) in heard.iter().enumerate() {
                    let others = voices.iter().enumerate().filter(|(speaker, _)| *speaker != listener);
                    prop_assert_eq!(*sample, others.map(|(_, voice)| voice[n]).sum::<i16>());
                }
            }
        }
    }

    #[test]
    fn what_is_too_loud_is_clipped_and_does_not_wrap() {
        let mut mix = Mix::new(2);
        (0..200).for_each(|_| mix.add(&[i16::MAX, i16::MIN]));
        let mut heard = [0; 2];
        mix.without(None, [&[1_i16, -1][..]].into_iter(), &mut heard);
        assert_eq!(heard, [i16::MAX, i16::MIN]);
        mix.clear();
        mix.without(None, std::iter::empty(), &mut heard);
        assert_eq!(heard, [0, 0]);
    }

    #[test]
    fn gain_is_decibels() {
        let mut voice = [1_000, -2_000, 30_000];
        amplify(&mut voice, 6);
        assert_eq!(voice, [1_995, -3_990, i16::MAX]);
        amplify(&mut voice, -20);
        assert_eq!(voice[0], 199);
    }

    #[test]
    fn the_speaker_changes_when_somebody_is_louder_for_a_while() {
        let mut speaker = Speaker::new();
        let mut frames = |levels: [f32; 2], count: usize| -> Vec<Option<usize>> {
            (0..count).filter_map(|_| speaker.frame(levels.into_iter().enumerate())).collect()
        };
        assert_eq!(frames([20_000.0, 100.0], 9), []);
        assert_eq!(frames([20_000.0, 100.0], 9), [Some(0)]);
        assert_eq!(frames([20_000.0, 30_000.0], 50), [], "not 3 dB louder");
        assert_eq!(frames([20_000.0, 90_000.0], 9), [], "a cough");
        assert_eq!(frames([20_000.0, 100.0], 9), []);
        assert_eq!(frames([100.0, 90_000.0], 30), [Some(1)]);
        assert_eq!(frames([100.0, 100.0], 30), [], "who spoke last still has the word");
    }
}
