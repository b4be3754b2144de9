//! What is heard at each of the eight frequencies, in windows of 10 ms that overlap by half.

use super::{HIGH_GROUP, LOW_GROUP};
use crate::wave::SAMPLE_RATE;
use std::f64::consts::TAU;
use std::sync::LazyLock;

pub(super) const LANES: usize = 8;
/// Windows begin every 5 ms.
pub(super) const HOP: usize = 40;
pub(super) const WINDOW: usize = 2 * HOP;

/// The eight frequencies, the low group first.
pub(super) const FREQUENCIES: [f32; LANES] = frequencies();

/// What one window holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spectrum {
    /// The correlation with each frequency, phases relative to the window's centre; scaled so that the
    /// square of its magnitude is the tone's mean square.
    pub(super) real: [f32; LANES],
    pub(super) imaginary: [f32; LANES],
    /// The mean square of all that is in the window, weighted like the tones.
    pub(super) power: f32,
}

/// Eight complex correlations side by side. About the centre of a window cosines are even and sines are odd, so that
/// two samples share a tap; a Goertzel filter of each frequency takes as many multiplications, but each of its
/// steps waits for the one before, and sums in lanes do not.
struct Bank {
    /// For each pair of samples, from the centre outwards, the weighted cosines, then the weighted sines.
    taps: [[f32; 2 * LANES]; HOP],
    /// The weight of each sample's square.
    squares: [f32; WINDOW],
}

static BANK: LazyLock<Bank> = LazyLock::new(Bank::new);

impl Spectrum {
    pub(super) const SILENCE: Self = Self { real: [0.0; LANES], imaginary: [0.0; LANES], power: 0.0 };

    /// What a window holds; nothing is looked for in one that is quieter than `floor` (mean square).
    pub(super) fn of(window: &[f32; WINDOW], floor: f32) -> Self {
        let bank = &*BANK;
        let power = bank.power(window);
        if power < floor {
            return Self::SILENCE;
        }
        let mut sums = [0.0; 2 * LANES];
        let (before, after) = window.split_at(HOP);
        for ((a, b), taps) in before.iter().rev().zip(after).zip(&bank.taps) {
            let (even, odd) = (b + a, b - a);
            for lane in 0..LANES {
                sums[lane] += even * taps[lane];
                sums[LANES + lane] += odd * taps[LANES + lane];
            }
        }
        let mut spectrum = Self { power, ..Self::SILENCE };
        spectrum.real.copy_from_slice(&sums[..LANES]);
        spectrum.imaginary.copy_from_slice(&sums[LANES..]);
        spectrum
    }

    /// The mean square at a frequency.
    pub(super) fn tone(&self, lane: usize) -> f32 {
        self.real[lane].powi(2) + self.imaginary[lane].powi(2)
    }
}

impl Bank {
    fn new() -> Self {
        let mut bank = Self { taps: [[0.0; 2 * LANES]; HOP], squares: [0.0; WINDOW] };
        let hann = |n: usize| 0.5 - 0.5 * (TAU * (n as f64 + 0.5) / WINDOW as f64).cos();
        let sum: f64 = (0..WINDOW).map(hann).sum();
        let sum_of_squares: f64 = (0..WINDOW).map(|n| hann(n).powi(2)).sum();
        for (n, weight) in bank.squares.iter_mut().enumerate() {
            *weight = (hann(n).powi(2) / sum_of_squares) as f32;
        }
        for (n, taps) in bank.taps.iter_mut().enumerate() {
            let weight = hann(HOP + n) * std::f64::consts::SQRT_2 / sum;
            for (lane, hz) in FREQUENCIES.iter().enumerate() {
                let phase = TAU * f64::from(*hz) * (n as f64 + 0.5) / f64::from(SAMPLE_RATE);
                taps[lane] = (weight * phase.cos()) as f32;
                taps[LANES + lane] = (-weight * phase.sin()) as f32;
            }
        }
        bank
    }

    fn power(&self, window: &[f32; WINDOW]) -> f32 {
        let mut sums = [0.0; LANES];
        for (samples, weights) in window.chunks_exact(LANES).zip(self.squares.chunks_exact(LANES)) {
            for lane in 0..LANES {
                sums[lane] += samples[lane] * samples[lane] * weights[lane];
            }
        }
        sums.iter().sum()
    }
}

const fn frequencies() -> [f32; LANES] {
    let mut all = [0.0; LANES];
    let mut index = 0;
    while index < 4 {
        all[index] = LOW_GROUP[index];
        all[4 + index] = HIGH_GROUP[index];
        index += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_seen_with_its_power_in_its_lane() {
        for (lane, hz) in FREQUENCIES.iter().enumerate() {
            let window =
                std::array::from_fn(|n| 1_000.0 * (TAU as f32 * hz * n as f32 / 8_000.0 + 0.3).sin());
            let spectrum = Spectrum::of(&window, 0.0);
            assert!((spectrum.tone(lane) / 500_000.0 - 1.0).abs() < 0.01, "{hz}: {}", spectrum.tone(lane));
            assert!((spectrum.power / 500_000.0 - 1.0).abs() < 0.01, "{hz}: {}", spectrum.power);
            // The other group is more than 30 dB away.
            let other = if lane < 4 { 4..8 } else { 0..4 };
            assert!(other.into_iter().all(|far| spectrum.tone(far) < 500.0), "{hz}: {spectrum:?}");
        }
    }
}
