//! Sines and their levels, at 8 kHz.

use crate::Rate;
use std::f64::consts::TAU;

/// All tones are made and heard at this rate.
pub(crate) const SAMPLE_RATE: u32 = Rate::Narrow.hz();
/// The level of the loudest sine that µ-law holds, and its amplitude on 16 bits (G.711 table 2a, note 2;
/// that of A-law is 0.03 dB away).
const FULL_SCALE_DBM0: f32 = 3.17;
const FULL_SCALE: f32 = 32_636.0;
/// How long a tone takes to come and to go, in samples: 2.5 ms, which is heard as no click.
pub(crate) const EDGE: u32 = SAMPLE_RATE / 400;

/// The amplitude of a sine of a level in dBm0.
pub fn amplitude(dbm0: f32) -> f32 {
    FULL_SCALE * 10_f32.powf((dbm0 - FULL_SCALE_DBM0) / 20.0)
}

/// The level in dBm0 of a mean square of samples: that of a sine with the same power.
pub(crate) fn dbm0_of_power(mean_square: f32) -> f32 {
    10.0 * (2.0 * mean_square.max(1e-3) / FULL_SCALE.powi(2)).log10() + FULL_SCALE_DBM0
}

/// The level in dBm0 of samples: that of a sine with the same power. Silence is far below −80.
pub fn dbm0(samples: &[i16]) -> f32 {
    let sum: f32 = samples.iter().map(|sample| f32::from(*sample).powi(2)).sum();
    dbm0_of_power(sum / samples.len().max(1) as f32)
}

/// The gain of a sample in a tone of `length` samples that comes and goes without a click.
pub(crate) fn edge(at: u32, length: u32) -> f32 {
    let near = at.min(length.saturating_sub(at + 1));
    if near >= EDGE {
        return 1.0;
    }
    // Half a sample off, so that coming and going mirror each other.
    let part = (near as f32 + 0.5) / EDGE as f32;
    0.5 - 0.5 * (std::f32::consts::PI * part).cos()
}

/// A sine from its phase 0, by the recurrence s[n] = 2 cos ω s[n−1] − s[n−2]. In 64 bits it keeps its
/// level for hours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Oscillator {
    twice_cosine: f64,
    next: f64,
    previous: f64,
}

impl Oscillator {
    pub(crate) const SILENT: Self = Self { twice_cosine: 0.0, next: 0.0, previous: 0.0 };

    pub(crate) fn new(hz: f32, amplitude: f32) -> Self {
        let step = TAU * f64::from(hz) / f64::from(SAMPLE_RATE);
        Self { twice_cosine: 2.0 * step.cos(), next: 0.0, previous: -f64::from(amplitude) * step.sin() }
    }

    pub(crate) fn next(&mut self) -> f32 {
        let now = self.next;
        self.next = self.twice_cosine * now - self.previous;
        self.previous = now;
        now as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_oscillator_is_a_sine_for_an_hour() {
        let mut oscillator = Oscillator::new(2_100.0, 1_000.0);
        let mut worst = 0.0_f64;
        for n in 0..3_600_u64 * 8_000 {
            let got = f64::from(oscillator.next());
            // Looked at for a second in each hundred.
            if n % 800_000 < 8_000 {
                let want = 1_000.0 * (TAU * 2_100.0 * (n % 8_000) as f64 / 8_000.0).sin();
                worst = worst.max((got - want).abs());
            }
        }
        assert!(worst < 0.01, "{worst} of 1000");
    }

    #[test]
    fn g711_full_scale_is_3_17_dbm0() {
        assert!((amplitude(3.17) - 32_636.0).abs() < 1.0);
        let mut oscillator = Oscillator::new(1_000.0, amplitude(-10.0));
        let samples: Vec<i16> = (0..8_000).map(|_| oscillator.next().round() as i16).collect();
        assert!((dbm0(&samples) + 10.0).abs() < 0.01);
        assert!(dbm0(&[0; 80]) < -80.0);
        assert!(dbm0(&[]) < -80.0);
    }
}
