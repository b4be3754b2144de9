use std::f32::consts::PI;

/// Taps a filter has for each unit of its factor: enough for 60 dB at half a kilohertz beyond the edge.
const TAPS_PER_FACTOR: usize = 24;

/// The highest frequency that is kept, in Hz: the edge of the telephone band.
const EDGE_HZ: f32 = 3_600.0;

/// Brings samples from `factor` × 8 kHz down to 8 kHz through a windowed-sinc low-pass filter.
///
/// The filter is centred, so nothing is delayed; `factor` 1 changes nothing.
pub fn decimate(samples: &[i16], factor: usize) -> Vec<i16> {
    if factor <= 1 {
        return samples.to_vec();
    }
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
            sum.round().clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16
        })
        .collect()
}

/// The filter's taps: a sinc under a Blackman window, with a gain of 1 at 0 Hz.
fn low_pass(factor: usize) -> Vec<f32> {
    let count = TAPS_PER_FACTOR * factor + 1;
    let cutoff = EDGE_HZ / (8_000.0 * factor as f32);
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
        for factor in [2, 6] {
            let out = decimate(&sine(1_000.0, 8_000.0 * factor as f32, 8_000 * factor), factor);
            let expected = sine(1_000.0, 8_000.0, 8_000);
            assert_eq!(out.len(), expected.len());
            for (got, want) in out[100..7_900].iter().zip(&expected[100..7_900]) {
                assert!((got - want).abs() < 60, "{got} instead of {want}");
            }
        }
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
    fn an_empty_or_short_file_is_no_special_case() {
        assert!(decimate(&[], 6).is_empty());
        assert_eq!(decimate(&[0, 0, 0], 6), [0]);
        assert_eq!(decimate(&[1, 2, 3], 1), [1, 2, 3]);
    }
}
