//! Speech made a little longer or shorter without changing its pitch: one period more, or one less.

use crate::Rate;
use crate::pitch::{cross_fade, period};

/// The longest period that is put in or left out.
const LONGEST_MILLIS: usize = 12;
/// The shortest one.
const SHORTEST_MILLIS: usize = 3;
/// How much is compared to find it.
const TEMPLATE_MILLIS: usize = 8;
/// What is like the period before it by so much, as the square of the correlation, is heard as one voice when they
/// are laid over each other.
const ALIKE: f32 = 0.8;
/// What is quieter than this is no speech, as the mean of the squares of its samples: −50 dB below the loudest.
const QUIET: f32 = 10_700.0;

/// How much it matters that the sound is stretched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Where nobody hears it: in a steady voice, and where nothing is said.
    Unheard,
    /// Now, whatever the sound is.
    Now,
}

/// What [`shorter`] and [`longer`] need at least.
pub(crate) const LEAST_MILLIS: usize = LONGEST_MILLIS + TEMPLATE_MILLIS;

/// Leaves one period out of the first `count` samples; how many are left. `samples` with fewer than
/// [`LEAST_MILLIS`] stay as they are.
pub(crate) fn shorter(samples: &mut [i16], count: usize, rate: Rate, need: Need) -> usize {
    let Some((lag, head)) = lag(&samples[..count], rate, need) else { return count };
    // The template is the end of `head`: it fades into its likeness, a period later.
    let start = head - TEMPLATE_MILLIS * rate.per_milli() - lag;
    let fade = lag.min(TEMPLATE_MILLIS * rate.per_milli());
    let mut faded = [0; LONGEST_MILLIS * Rate::Wide.per_milli()];
    let faded = &mut faded[..fade];
    cross_fade(faded, |index| samples[start + index], |index| samples[start + lag + index]);
    samples[start..start + fade].copy_from_slice(faded);
    samples.copy_within(start + lag + fade..count, start + fade);
    count - lag
}

/// Puts one period more into the first `count` samples; how many there are then, at most the length of
/// `samples`, without which they stay as they are.
pub(crate) fn longer(samples: &mut [i16], count: usize, rate: Rate, need: Need) -> usize {
    let Some((lag, head)) = lag(&samples[..count], rate, need) else { return count };
    if samples.len() < count + lag {
        return count;
    }
    let start = head - TEMPLATE_MILLIS * rate.per_milli() - lag;
    let fade = lag.min(TEMPLATE_MILLIS * rate.per_milli());
    let mut faded = [0; LONGEST_MILLIS * Rate::Wide.per_milli()];
    let faded = &mut faded[..fade];
    // After a period the sound falls back to its beginning, and goes on from there once more.
    cross_fade(faded, |index| samples[start + lag + index], |index| samples[start + index]);
    samples.copy_within(start + fade..count, start + lag + fade);
    samples[start + lag..start + lag + fade].copy_from_slice(faded);
    count + lag
}

/// The period, and the end of the samples in which it was looked for; `None` if they are too few, or it would be heard.
fn lag(samples: &[i16], rate: Rate, need: Need) -> Option<(usize, usize)> {
    let milli = rate.per_milli();
    let (head, template) = (LEAST_MILLIS * milli, TEMPLATE_MILLIS * milli);
    let past = samples.get(..head)?;
    let lag = period(past, template, SHORTEST_MILLIS * milli, LONGEST_MILLIS * milli);
    let (newest, older) = (&past[head - template..], &past[head - template - lag..head - lag]);
    (need == Need::Now || is_unheard(newest, older)).then_some((lag, head))
}

/// Whether nobody hears it when one is laid over the other.
fn is_unheard(newest: &[i16], older: &[i16]) -> bool {
    let product =
        |a: &[i16], b: &[i16]| -> f32 { a.iter().zip(b).map(|(a, b)| f32::from(*a) * f32::from(*b)).sum() };
    let (power, before, both) = (product(newest, newest), product(older, older), product(newest, older));
    let is_alike = both > 0.0 && both * both > ALIKE * power * before;
    is_alike || power.max(before) < QUIET * newest.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::PI;

    fn voice(count: usize) -> Vec<i16> {
        let x = |n: usize| 2.0 * PI * 160.0 * n as f32 / 8_000.0;
        (0..count).map(|n| (7_000.0 * (x(n).sin() + 0.3 * (2.0 * x(n)).sin())) as i16).collect()
    }

    fn steepest(samples: &[i16]) -> i32 {
        samples.windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs()).max().expect("samples")
    }

    #[test]
    fn a_voice_gets_a_period_shorter_or_longer_and_stays_one_voice() {
        let voice = voice(400);
        for change in [shorter, longer] {
            let mut samples = voice.clone();
            let count = change(&mut samples, 240, Rate::Narrow, Need::Unheard);
            let difference = count.abs_diff(240);
            assert!(difference > 0 && difference.is_multiple_of(50), "by {difference} samples");
            assert!(steepest(&samples[..count]) <= steepest(&voice) * 105 / 100);
            for (got, want) in samples[..count].iter().zip(&voice) {
                assert!((got - want).abs() < 100, "{got} instead of {want}");
            }
        }
    }

    #[test]
    fn what_is_too_short_or_has_no_room_stays() {
        let mut samples = voice(240);
        assert_eq!(longer(&mut samples, 240, Rate::Narrow, Need::Now), 240);
        assert_eq!(shorter(&mut samples, 80, Rate::Narrow, Need::Now), 80);
        assert_eq!(samples, voice(240));
    }

    /// Between two sounds, where a voice begins or ends, a period more or less is a stumble.
    #[test]
    fn what_is_unlike_what_came_before_is_stretched_in_need_alone() {
        let mut state = 1_u32;
        let mut noise = |loudest: i16| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 16) as i16) % loudest
        };
        let (loud, quiet): (Vec<i16>, Vec<i16>) = (0..400).map(|_| (noise(8_000), noise(90))).unzip();
        for change in [shorter, longer] {
            assert_eq!(change(&mut loud.clone(), 240, Rate::Narrow, Need::Unheard), 240);
            assert_ne!(change(&mut loud.clone(), 240, Rate::Narrow, Need::Now), 240);
            assert_ne!(change(&mut quiet.clone(), 240, Rate::Narrow, Need::Unheard), 240);
        }
    }
}
