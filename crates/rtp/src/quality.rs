//! What a listener thinks of the sound: the E-model (ITU-T G.107) with its defaults for all that a switch cannot
//! measure, and what it says of a codec and of loss (ITU-T G.113 appendix I).
//!
//! All is on the scale of narrow-band telephony, on which G.711 without loss has 93.2 and MOS 4.41.

use crate::LossPattern;
use clock::Duration;
use serde::{Deserialize, Serialize};
use std::fmt;

/// `Ro − Is` with the default values of G.107 table 3, before any delay: with the listener's echo at no delay,
/// 0.15, it comes to 93.2.
const BASE: f64 = 93.355;
/// `Ro` by those values.
const SIGNAL_TO_NOISE: f64 = 94.768;
/// `TELR`, the loudness of the talker's echo, and `WEPL`, the loss of the path around, in dB (G.107 table 3).
const TALKER_ECHO: f64 = 65.0;
const ECHO_PATH_LOSS: f64 = 110.0;
/// The ratios that G.107 takes.
const BURST_RATIO: std::ops::RangeInclusive<f64> = 1.0..=8.0;

/// A mean opinion score, 1 (bad) to 4.5 on the scale of the E-model, in hundredths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mos(pub u16);

/// The rating of a transmission (`R`), 0 to 100; below 50 nearly all users are dissatisfied (G.107 annex B).
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Rating(pub f64);

/// Whether the listener makes up what is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Concealment {
    /// As by G.711 appendix I. Taken for granted unless the listener says otherwise.
    #[default]
    On,
    /// What is missing is silence.
    Off,
}

/// How the sound of a codec is by itself, and how well it bears loss.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Equipment {
    /// `Ie`.
    impairment: f64,
    /// `Bpl`.
    robustness: f64,
}

impl Equipment {
    /// G.711's (G.113 table I.4). Appendix I has no values on this scale for the codecs of a wider band, none of
    /// which sounds worse on it: they count as G.711.
    const fn of(concealment: Concealment) -> Self {
        match concealment {
            Concealment::On => Self { impairment: 0.0, robustness: 25.1 },
            Concealment::Off => Self { impairment: 0.0, robustness: 4.3 },
        }
    }

    /// `Ie,eff` (G.107 clause 7.5); `loss` is a share.
    fn under(self, loss: f64, burst_ratio: f64) -> f64 {
        let percent = 100.0 * loss;
        let burst_ratio = burst_ratio.clamp(*BURST_RATIO.start(), *BURST_RATIO.end());
        let hurt = percent / (percent / burst_ratio + self.robustness);
        self.impairment + (95.0 - self.impairment) * hurt
    }
}

impl Rating {
    /// What is heard, whatever the delay; `None` if nothing should have come.
    pub fn listening(losses: &LossPattern, concealment: Concealment) -> Option<Self> {
        Some(Self::of_loss(losses.loss()?, losses.burst_ratio(), concealment))
    }

    /// What is heard with that share of loss, 0 to 1, in runs that are `burst_ratio` times as long as by chance.
    pub fn of_loss(loss: f64, burst_ratio: f64, concealment: Concealment) -> Self {
        Self(BASE - listener_echo(0.0) - Equipment::of(concealment).under(loss, burst_ratio))
    }

    /// What both parties of a talk think of it, with so much delay one way (`Ta`, G.107 clause 7.4).
    #[must_use]
    pub fn conversational(self, delay: Duration) -> Self {
        let millis = delay.as_secs_f64() * 1_000.0;
        let delayed = talker_echo(millis) + listener_echo(2.0 * millis) + too_long(millis);
        Self(self.0 + listener_echo(0.0) - delayed)
    }

    /// Annex B, equation B-4. Below 6.5 the curve would rise again: there it is 1.
    pub fn mos(self) -> Mos {
        let r = self.0;
        let score = match r {
            _ if r <= 6.5 => 1.0,
            _ if r >= 100.0 => 4.5,
            _ => 1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6,
        };
        Mos((score * 100.0).round() as u16)
    }
}

impl fmt::Display for Mos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

/// `Idte`: the talker hears itself.
fn talker_echo(millis: f64) -> f64 {
    let masked = TALKER_ECHO - 40.0 * ((1.0 + millis / 10.0) / (1.0 + millis / 150.0)).log10()
        + 6.0 * (-0.3 * millis * millis).exp();
    let echo = 80.0 + 2.5 * (masked - 14.0);
    // Roe = −1.5 (No − RLR) with the default values.
    let half = (94.77 - echo) / 2.0;
    (half + half.mul_add(half, 100.0).sqrt() - 1.0) * (1.0 - (-millis).exp())
}

/// `Idle`: the listener hears the talker twice, so many milliseconds apart.
fn listener_echo(millis: f64) -> f64 {
    let rating = 10.5 * (ECHO_PATH_LOSS + 7.0) * (millis + 1.0).powf(-0.25);
    let half = (SIGNAL_TO_NOISE - rating) / 2.0;
    half + half.mul_add(half, 169.0).sqrt()
}

/// `Idd`: even without any echo, parties talk at once.
fn too_long(millis: f64) -> f64 {
    if millis <= 100.0 {
        return 0.0;
    }
    let x = (millis / 100.0).log2();
    25.0 * ((1.0 + x.powi(6)).powf(1.0 / 6.0) - 3.0 * (1.0 + (x / 3.0).powi(6)).powf(1.0 / 6.0) + 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rating(loss: f64, burst_ratio: f64, concealment: Concealment) -> f64 {
        Rating::of_loss(loss, burst_ratio, concealment).0
    }

    fn near(value: f64, expected: f64, within: f64) {
        assert!((value - expected).abs() <= within, "{value} is not {expected}");
    }

    #[test]
    fn g107_table_3_the_default_values_give_93_2() {
        near(rating(0.0, 1.0, Concealment::On), 93.2, 0.05);
        near(Rating::of_loss(0.0, 1.0, Concealment::On).conversational(Duration::ZERO).0, 93.2, 0.05);
        assert_eq!(Rating(93.2).mos(), Mos(441));
    }

    #[test]
    fn g107_annex_b_table_b_1_ratings_as_mos() {
        for (r, mos) in [(90.0, 434), (80.0, 403), (70.0, 360), (60.0, 310), (50.0, 258)] {
            // The table rounds 4.024 up.
            assert!(Rating(r).mos().0.abs_diff(mos) <= 1, "{r}: {}", Rating(r).mos());
        }
        assert_eq!(
            [Rating(-4.0).mos(), Rating(3.0).mos(), Rating(100.0).mos()],
            [Mos(100), Mos(100), Mos(450)]
        );
        assert_eq!(Mos(405).to_string(), "4.05");
    }

    #[test]
    fn g113_table_i_4_concealment_makes_g711_bear_loss() {
        // 95 · 3 / (3 + 25.1) and 95 · 3 / (3 + 4.3).
        near(rating(0.03, 1.0, Concealment::On), 93.2 - 10.14, 0.05);
        near(rating(0.03, 1.0, Concealment::Off), 93.2 - 39.04, 0.05);
        assert!(rating(0.03, 2.0, Concealment::On) < rating(0.03, 1.0, Concealment::On), "bursts hurt more");
        assert_eq!(rating(0.03, 0.5, Concealment::On), rating(0.03, 1.0, Concealment::On));
    }

    #[test]
    fn g107_7_4_delay_begins_to_hurt_beyond_a_tenth_of_a_second() {
        let with = |millis| Rating(93.2).conversational(Duration::from_millis(millis)).0;
        // G.107 figure 1 (and G.114): 150 ms cost little, 400 ms are the most that planning allows.
        assert!(with(50) > 90.0 && with(150) > 87.0, "{} {}", with(50), with(150));
        assert!((55.0..75.0).contains(&with(400)), "{}", with(400));
        assert!(with(400) > with(800));
    }

    #[test]
    fn unmeasured_is_none() {
        assert_eq!(Rating::listening(&LossPattern::default(), Concealment::On), None);
    }
}
