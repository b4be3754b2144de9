use crate::Rate;
use std::f32::consts::PI;
use std::sync::LazyLock;

/// Taps a filter has for each unit of its factor: enough for 60 dB at half a kilohertz beyond the edge.
const TAPS_PER_FACTOR: usize = 24;

/// The highest frequency that is kept, of half the rate: 3.6 of 4 kHz, the edge of the telephone band.
const EDGE: f32 = 0.9;

/// Samples that a filter between 8 and 16 kHz remembers, at 16 kHz: its length less one.
const MEMORY: usize = 2 * TAPS_PER_FACTOR;

/// The filter between 8 and 16 kHz.
static HALF_BAND: LazyLock<[f32; MEMORY + 1]> = LazyLock::new(|| {
    let mut taps = [0.0; MEMORY + 1];
    taps.copy_from_slice(&low_pass(2));
    taps
});

/// Brings sound from 16 to 8 kHz, piece by piece, 1.5 ms later.
#[derive(Clone, Debug)]
pub(crate) struct Halver {
    memory: [f32; MEMORY],
}

impl Default for Halver {
    fn default() -> Self {
        Self { memory: [0.0; MEMORY] }
    }
}

impl Halver {
    /// Halves `samples`, an even number of them, into `out`; how many there are then.
    pub(crate) fn run(&mut self, samples: &[i16], out: &mut [i16]) -> usize {
        let taps = &*HALF_BAND;
        for (out, pair) in out.iter_mut().zip(samples.chunks_exact(2)) {
            let (first, second) = (f32::from(pair[0]), f32::from(pair[1]));
            let past: f32 = self.memory.iter().zip(&taps[..MEMORY]).map(|(sample, tap)| sample * tap).sum();
            *out = rounded(past + first * taps[MEMORY]);
            self.memory.copy_within(2.., 0);
            self.memory[MEMORY - 2..].copy_from_slice(&[first, second]);
        }
        out.len().min(samples.len() / 2)
    }
}

/// Brings sound from 8 to 16 kHz, piece by piece, 1.5 ms later.
#[derive(Clone, Debug)]
pub(crate) struct Doubler {
    memory: [f32; TAPS_PER_FACTOR],
}

impl Default for Doubler {
    fn default() -> Self {
        Self { memory: [0.0; TAPS_PER_FACTOR] }
    }
}

impl Doubler {
    /// Doubles `samples` into `out`; how many there are then.
    pub(crate) fn run(&mut self, samples: &[i16], out: &mut [i16]) -> usize {
        let taps = &*HALF_BAND;
        for (pair, sample) in out.chunks_exact_mut(2).zip(samples) {
            let sample = f32::from(*sample);
            // Of two neighbouring outputs one falls on the even taps, the other on the odd ones.
            let mut even = self.memory[0] * taps[0] + sample * taps[MEMORY];
            let mut odd = sample * taps[MEMORY - 1];
            for (sample, taps) in self.memory[1..].iter().zip(taps[1..].chunks_exact(2)) {
                odd += sample * taps[0];
                even += sample * taps[1];
            }
            self.memory.copy_within(1.., 0);
            self.memory[TAPS_PER_FACTOR - 1] = sample;
            // The zeros between the samples take half of the power of each.
            pair.copy_from_slice(&[rounded(2.0 * even), rounded(2.0 * odd)]);
        }
        out.len().min(2 * samples.len())
    }
}

fn rounded(sample: f32) -> i16 {
    sample.round().clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16
}

/// Brings whole recordings from `hz` to `rate`, nothing delayed; `None` where `hz` is neither a multiple of that
/// rate nor its half.
pub fn resample(samples: &[i16], hz: u32, rate: Rate) -> Option<Vec<i16>> {
    if hz == rate.hz() {
        return Some(samples.to_vec());
    }
    if 2 * hz == rate.hz() {
        return Some(double(samples));
    }
    let factor = (hz / rate.hz()) as usize;
    (factor > 0 && hz.is_multiple_of(rate.hz())).then(|| decimate(samples, factor))
}

/// As [`Doubler`] does, without its delay.
fn double(samples: &[i16]) -> Vec<i16> {
    const DELAY: usize = MEMORY / 2;
    let padded = [samples, &[0; DELAY / 2]].concat();
    let mut out = vec![0; 2 * padded.len()];
    Doubler::default().run(&padded, &mut out);
    out.split_off(DELAY)
}

/// Leaves one sample of `factor`, through a windowed-sinc low-pass filter.
fn decimate(samples: &[i16], factor: usize) -> Vec<i16> {
    let taps = low_pass(factor);
    let half = taps.len() / 2;
    (0..samples.len().div_ceil(factor))
        .map(|index| {
            let centre = index * factor;
            let first = centre.saturating_sub(half);
            let last = (centre + half).min(samples.len() - 1);
            let skipped = first + half - centre;
            let sum: f32 = samples[first..=last]
                .iter()
                .zip(&taps[skipped..])
                .map(|(sample, tap)| f32::from(*sample) * tap)
                .sum();
            rounded(sum)
        })
        .collect()
}

/// The filter's taps: a sinc under a Blackman window, with a gain of 1 at 0 Hz.
fn low_pass(factor: usize) -> Vec<f32> {
    let count = TAPS_PER_FACTOR * factor + 1;
    let cutoff = EDGE / 2.0 / factor as f32;
    let middle = (count / 2) as f32;
    let mut taps: Vec<f32> = (0..count)
        .map(|index| {
            let x = index as f32 - middle;
            let sinc = if x == 0.0 { 2.0 * cutoff } else { (2.0 * PI * cutoff * x).sin() / (PI * x) };
            let phase = 2.0 * PI * index as f32 / (count - 1) as f32;
            sinc * (0.42 - 0.5 * phase.cos() + 0.08 * (2.0 * phase).cos())
        })
        .collect();
    let gain: f32 = taps.iter().sum();
    taps.iter_mut().for_each(|tap| *tap /= gain);
    taps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(frequency: f32, rate: f32, count: usize) -> Vec<i16> {
        (0..count).map(|n| (10_000.0 * (2.0 * PI * frequency * n as f32 / rate).sin()) as i16).collect()
    }

    fn power(samples: &[i16]) -> f32 {
        samples.iter().map(|s| f32::from(*s).powi(2)).sum::<f32>() / samples.len() as f32
    }

    #[test]
    fn speech_passes_unchanged_and_in_step() {
        for (hz, rate) in [
            (8_000, Rate::Narrow),
            (16_000, Rate::Narrow),
            (48_000, Rate::Narrow),
            (8_000, Rate::Wide),
            (16_000, Rate::Wide),
            (48_000, Rate::Wide),
        ] {
            let out = resample(&sine(1_000.0, hz as f32, hz as usize), hz, rate).expect("a rate of prompts");
            let expected = sine(1_000.0, rate.hz() as f32, rate.hz() as usize);
            assert_eq!(out.len(), expected.len());
            for (got, want) in out[100..7_900].iter().zip(&expected[100..7_900]) {
                assert!((got - want).abs() < 100, "{hz}: {got} instead of {want}");
            }
        }
        assert_eq!(resample(&[0; 100], 44_100, Rate::Narrow), None);
    }

    #[test]
    fn what_would_alias_into_the_band_is_gone() {
        for (factor, frequency) in [(2, 5_000.0), (6, 7_000.0), (6, 20_000.0)] {
            let loud = sine(frequency, 8_000.0 * factor as f32, 8_000 * factor);
            let out = decimate(&loud, factor);
            assert!(power(&out[100..7_900]) < power(&loud) / 100_000.0, "{frequency} Hz passed");
        }
    }

    #[test]
    fn doubling_and_halving_keep_speech_and_leave_nothing_else() {
        let said = sine(1_000.0, 8_000.0, 1_600);
        let (mut doubler, mut halver) = (Doubler::default(), Halver::default());
        let (mut wide, mut narrow) = (vec![0; 3_200], vec![0; 1_600]);
        for (wide, said) in wide.chunks_mut(320).zip(said.chunks(160)) {
            assert_eq!(doubler.run(said, wide), 320);
        }
        // The image of 1 kHz is at 7 kHz: what differs from a sine of 1 kHz is below a hundredth of it.
        let expected = sine(1_000.0, 16_000.0, 3_200);
        for (got, want) in wide[200..].iter().zip(&expected[200 - MEMORY / 2..]) {
            assert!((got - want).abs() < 100, "{got} instead of {want}");
        }
        for (narrow, wide) in narrow.chunks_mut(80).zip(wide.chunks(160)) {
            assert_eq!(halver.run(wide, narrow), 80);
        }
        for (got, want) in narrow[200..].iter().zip(&said[200 - MEMORY / 2..]) {
            assert!((got - want).abs() < 100, "{got} instead of {want}");
        }
        let hiss = sine(6_000.0, 16_000.0, 3_200);
        halver.run(&hiss, &mut narrow);
        assert!(power(&narrow[100..]) < power(&hiss) / 10_000.0);
    }

    #[test]
    fn an_empty_or_short_file_is_no_special_case() {
        assert_eq!(resample(&[], 48_000, Rate::Narrow), Some(vec![]));
        assert_eq!(resample(&[0, 0, 0], 48_000, Rate::Narrow), Some(vec![0]));
        assert_eq!(resample(&[1, 2, 3], 8_000, Rate::Narrow), Some(vec![1, 2, 3]));
    }
}
