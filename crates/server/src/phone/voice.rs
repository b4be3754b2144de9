//! Speech as samples: reading it, and finding it again in what was heard.

use std::path::Path;

/// Samples a second.
const RATE: usize = 8_000;
/// Every so many samples a coarse search looks: speech keeps its shape over half a millisecond.
const STEP: usize = 4;

/// Reads a mono WAV of 8 kHz, 16 bit.
///
/// # Errors
/// What is wrong with the file.
pub fn read_wav(path: &Path) -> Result<Vec<i16>, hound::Error> {
    let mut reader = hound::WavReader::open(path)?;
    let spec = reader.spec();
    if (spec.sample_rate as usize, spec.channels, spec.bits_per_sample) != (RATE, 1, 16) {
        return Err(hound::Error::Unsupported);
    }
    reader.samples().collect()
}

/// The level of samples in dBFS (RMS); `None` for digital silence.
pub fn level(samples: &[i16]) -> Option<f64> {
    let power = energy(samples) / samples.len().max(1) as f64;
    (power > 0.0).then(|| 10.0 * (power / f64::from(i16::MAX).powi(2)).log10())
}

/// Where `sought` lies in `heard`, in samples, and how alike they are there: 1 is the same shape, 0 nothing
/// in common. `None` if `heard` is the shorter one or either is silent.
pub fn find(sought: &[i16], heard: &[i16]) -> Option<(usize, f64)> {
    let last = heard.len().checked_sub(sought.len())?;
    let wanted = energy(sought).sqrt();
    if wanted == 0.0 {
        return None;
    }
    let likeness = |offset: usize, step: usize| {
        let window = &heard[offset..offset + sought.len()];
        let power: f64 = window.iter().step_by(step).map(|it| f64::from(*it).powi(2)).sum();
        let product: f64 = (sought.iter().step_by(step))
            .zip(window.iter().step_by(step))
            .map(|(a, b)| f64::from(*a) * f64::from(*b))
            .sum();
        let norm = wanted * (power * step as f64).sqrt();
        if norm == 0.0 { 0.0 } else { product * step as f64 / norm }
    };
    let best = |offsets: &mut dyn Iterator<Item = usize>, step| {
        offsets.map(|at| (at, likeness(at, step))).max_by(|a, b| a.1.total_cmp(&b.1))
    };
    let (near, _) = best(&mut (0..=last).step_by(STEP), STEP * 4)?;
    best(&mut (near.saturating_sub(STEP)..=(near + STEP).min(last)), 1)
}

fn energy(samples: &[i16]) -> f64 {
    samples.iter().map(|sample| f64::from(*sample).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise with the slow spectrum of speech.
    fn voice(seed: u64, length: usize) -> Vec<i16> {
        let mut state = seed;
        let mut smooth = 0.0;
        (0..length)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                smooth = 0.9 * smooth + f64::from((state >> 48) as i16) * 0.1;
                smooth as i16
            })
            .collect()
    }

    #[test]
    fn speech_is_found_where_it_lies() {
        let speech = voice(1, RATE);
        let heard = [voice(2, 3_003), speech.clone(), voice(3, 500)].concat();
        let (offset, likeness) = find(&speech, &heard).expect("both have energy");
        assert_eq!(offset, 3_003);
        assert!(likeness > 0.99, "{likeness}");
    }

    #[test]
    fn other_speech_and_silence_are_not_found() {
        let (_, likeness) = find(&voice(1, RATE), &voice(2, RATE * 2)).expect("both have energy");
        assert!(likeness < 0.3, "{likeness}");
        let (_, likeness) = find(&voice(1, 100), &[0; 200]).expect("the sought has energy");
        assert!(likeness.abs() < f64::EPSILON);
        assert!(find(&[0; 100], &voice(1, 200)).is_none());
        assert!(find(&voice(1, 200), &voice(1, 100)).is_none());
    }

    #[test]
    fn a_full_scale_square_has_0_dbfs_and_silence_has_none() {
        assert!(level(&[i16::MAX, -i16::MAX]).expect("loud").abs() < 0.01);
        assert!(level(&[0; 10]).is_none());
    }
}
