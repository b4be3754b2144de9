//! What sounds in each 20 ms at 8 kHz: how loud it is, and whether it is a tone of one or two lines.

use crate::wave::{SAMPLE_RATE, dbm0_of_power};
use std::f32::consts::TAU;
use std::sync::LazyLock;

/// A frame is told each 20 ms, of the last 32 ms.
const HOP: usize = 160;
const WINDOW: usize = 256;
/// A window is transformed as so many complex numbers.
const POINTS: usize = WINDOW / 2;
const BIN_HZ: f32 = SAMPLE_RATE as f32 / WINDOW as f32;
/// Below 94 Hz there is hum.
const FIRST_BIN: usize = 3;
/// How far a line spreads under the window, in bins.
const LINE: usize = 2;
/// Nothing is looked for in frames below this, in dBm0.
const QUIET_DBM0: f32 = -50.0;

/// How long a frame is.
pub(crate) const FRAME_MILLIS: u32 = 20;

/// What sounds in 20 ms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Frame {
    pub(crate) dbm0: f32,
    /// The share of the two strongest lines in all power, 0 to 1; 0 in quiet frames.
    pub(crate) tonal: f32,
    /// Their mean frequency in Hz, weighted by power.
    pub(crate) centre: f32,
    /// How far they are from it, in Hz: about 20 for one line, 70 for 480 and 620 Hz.
    pub(crate) spread: f32,
}

/// Makes frames of samples.
#[derive(Clone, Debug)]
pub(crate) struct Framer {
    window: [f32; WINDOW],
    /// Samples of the frame that have come.
    filled: usize,
}

/// What the transform needs, made once.
struct Plan {
    hann: [f32; WINDOW],
    /// e^(−jτk/256).
    turns: [(f32, f32); POINTS],
    /// Where each point goes before the first stage.
    order: [u8; POINTS],
}

static PLAN: LazyLock<Plan> = LazyLock::new(Plan::new);

impl Default for Framer {
    fn default() -> Self {
        Self { window: [0.0; WINDOW], filled: 0 }
    }
}

impl Framer {
    /// Takes samples up to the end of a frame: how many, and the frame.
    pub(crate) fn take(&mut self, samples: &[i16]) -> (usize, Option<Frame>) {
        let free = &mut self.window[WINDOW - HOP + self.filled..];
        let count = free.len().min(samples.len());
        for (slot, sample) in free.iter_mut().zip(samples) {
            *slot = f32::from(*sample);
        }
        self.filled += count;
        if self.filled < HOP {
            return (count, None);
        }
        self.filled = 0;
        let frame = Frame::of(&self.window);
        self.window.copy_within(HOP.., 0);
        (count, Some(frame))
    }
}

impl Frame {
    fn of(window: &[f32; WINDOW]) -> Self {
        let newest = &window[WINDOW - HOP..];
        let dbm0 = dbm0_of_power(newest.iter().map(|sample| sample * sample).sum::<f32>() / HOP as f32);
        if dbm0 < QUIET_DBM0 {
            return Self { dbm0, tonal: 0.0, centre: 0.0, spread: 0.0 };
        }
        let mut powers = PLAN.powers(window);
        let total: f32 = powers[FIRST_BIN..].iter().sum();
        let (mut sum, mut first, mut second) = (f32::MIN_POSITIVE, 0.0, 0.0);
        for _ in 0..2 {
            let peak =
                (FIRST_BIN..POINTS).max_by(|a, b| powers[*a].total_cmp(&powers[*b])).unwrap_or(FIRST_BIN);
            let from = peak.saturating_sub(LINE).max(FIRST_BIN);
            let line = powers.iter_mut().enumerate().take(peak + LINE + 1).skip(from);
            for (bin, power) in line {
                let hz = bin as f32 * BIN_HZ;
                sum += *power;
                first += *power * hz;
                second += *power * hz * hz;
                *power = 0.0;
            }
        }
        let centre = first / sum;
        let spread = (second / sum - centre * centre).max(0.0).sqrt();
        Self { dbm0, tonal: sum / total.max(f32::MIN_POSITIVE), centre, spread }
    }
}

impl Plan {
    fn new() -> Self {
        Self {
            hann: std::array::from_fn(|n| 0.5 - 0.5 * (TAU * (n as f32 + 0.5) / WINDOW as f32).cos()),
            turns: std::array::from_fn(|k| {
                let (sine, cosine) = (TAU * k as f32 / WINDOW as f32).sin_cos();
                (cosine, -sine)
            }),
            order: std::array::from_fn(|n| (n as u8).reverse_bits() >> 1),
        }
    }

    /// The power of each bin under the window, up to 4 kHz.
    fn powers(&self, window: &[f32; WINDOW]) -> [f32; POINTS] {
        let mut points = [(0.0, 0.0); POINTS];
        for (n, place) in self.order.iter().enumerate() {
            // The even samples as real parts, the odd ones as imaginary parts.
            let even = window[2 * n] * self.hann[2 * n];
            let odd = window[2 * n + 1] * self.hann[2 * n + 1];
            points[usize::from(*place)] = (even, odd);
        }
        self.transform(&mut points);
        // The transforms of both kinds of samples are parted by their symmetry, then joined.
        std::array::from_fn(|k| {
            let (a, b) = points[k];
            let (c, d) = points[(POINTS - k) % POINTS];
            let even = ((a + c) / 2.0, (b - d) / 2.0);
            let odd = times(((b + d) / 2.0, (c - a) / 2.0), self.turns[k]);
            (even.0 + odd.0).powi(2) + (even.1 + odd.1).powi(2)
        })
    }

    /// Cooley and Tukey's transform, radix 2, in place.
    fn transform(&self, points: &mut [(f32, f32); POINTS]) {
        let mut half = 1;
        while half < POINTS {
            let stride = POINTS / half;
            for group in points.chunks_exact_mut(2 * half) {
                let (low, high) = group.split_at_mut(half);
                for (k, (a, b)) in low.iter_mut().zip(high).enumerate() {
                    let turned = times(*b, self.turns[k * stride]);
                    *b = (a.0 - turned.0, a.1 - turned.1);
                    *a = (a.0 + turned.0, a.1 + turned.1);
                }
            }
            half *= 2;
        }
    }
}

fn times(a: (f32, f32), b: (f32, f32)) -> (f32, f32) {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

const _: () = assert!(HOP as u32 == FRAME_MILLIS * SAMPLE_RATE / 1_000);

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(lines: &[f32]) -> [f32; WINDOW] {
        std::array::from_fn(|n| {
            lines.iter().map(|hz| 4_000.0 * (TAU * hz * n as f32 / 8_000.0 + hz).sin()).sum()
        })
    }

    #[test]
    fn the_transform_is_the_sum_that_defines_it() {
        let window = lines(&[440.0, 1_234.0, 3_000.0]);
        for (k, power) in PLAN.powers(&window).iter().enumerate() {
            let (mut real, mut imaginary) = (0.0, 0.0);
            for (n, sample) in window.iter().enumerate() {
                let angle = std::f64::consts::TAU * (k * n) as f64 / 256.0;
                real += f64::from(sample * PLAN.hann[n]) * angle.cos();
                imaginary -= f64::from(sample * PLAN.hann[n]) * angle.sin();
            }
            let want = real * real + imaginary * imaginary;
            assert!((f64::from(*power) - want).abs() < 1e5 + 1e-3 * want, "bin {k}: {power}, not {want}");
        }
    }

    #[test]
    fn one_line_and_two_are_tones_and_their_centre_is_exact() {
        for hz in [350.0, 425.0, 440.0, 950.0, 1_100.0, 1_400.0, 2_100.0, 2_987.0] {
            let frame = Frame::of(&lines(&[hz]));
            assert!(
                frame.tonal > 0.995 && (frame.centre - hz).abs() < 5.0 && frame.spread < 30.0,
                "{frame:?}"
            );
        }
        let frame = Frame::of(&lines(&[480.0, 620.0]));
        assert!(
            frame.tonal > 0.98 && (frame.centre - 550.0).abs() < 15.0 && frame.spread > 50.0,
            "{frame:?}"
        );
        let frame = Frame::of(&lines(&[300.0, 900.0, 1_700.0]));
        assert!(frame.tonal < 0.75, "{frame:?}");
    }

    #[test]
    fn a_frame_is_told_for_each_160_samples_however_they_come() {
        let samples: Vec<i16> = (0..1_600).map(|n| (n * 37 % 8_000) as i16).collect();
        let frames = |length: usize| {
            let mut framer = Framer::default();
            let mut all = Vec::new();
            for mut piece in samples.chunks(length) {
                while !piece.is_empty() {
                    let (taken, frame) = framer.take(piece);
                    piece = &piece[taken..];
                    all.extend(frame);
                }
            }
            all
        };
        assert_eq!(frames(160).len(), 10);
        assert_eq!(frames(160), frames(7));
        assert_eq!(frames(160), frames(1_000));
    }
}
