//! What was lost is made up from what was heard before, as ITU-T G.711 Appendix I has it.

use crate::Rate;
use crate::pitch::{cross_fade, period};

/// How much of the past is kept.
const HISTORY_MILLIS: usize = 50;
/// How much of it is compared to find the period.
const TEMPLATE_MILLIS: usize = 20;
/// Periods from 200 Hz down to 66 Hz. A shorter one is found as its multiple.
const SHORTEST_MILLIS: usize = 5;
const LONGEST_MILLIS: usize = 15;
/// The first so much sounds as loud as what came before; what follows fades.
const LOUD_MILLIS: usize = 10;
/// After so much there is silence: nobody sings one note for longer in the middle of a word.
const SILENT_MILLIS: usize = 60;
/// Every so much one more period is repeated, so that it does not buzz.
const PERIOD_MILLIS: usize = 10;
const MAX_PERIODS: usize = 3;
/// How long the made-up sound fades into the real one.
const MERGE_MILLIS: usize = 5;

/// The sound so far, and what it would go on like.
#[derive(Clone, Debug)]
pub(crate) struct Concealer {
    rate: Rate,
    /// Oldest first.
    history: Box<[i16]>,
    /// Samples made up since a packet was heard.
    made_up: usize,
    period: usize,
}

impl Concealer {
    /// Nothing was heard yet.
    pub(crate) fn new(rate: Rate) -> Self {
        let history = vec![0; HISTORY_MILLIS * rate.per_milli()].into();
        Self { rate, history, made_up: 0, period: 0 }
    }

    /// Takes note of decoded samples; what was made up before them fades into their beginning.
    pub(crate) fn heard(&mut self, samples: &mut [i16]) {
        if self.made_up > 0 {
            let mut tail = [0; MERGE_MILLIS * Rate::Wide.per_milli()];
            let count = (MERGE_MILLIS * self.rate.per_milli()).min(samples.len());
            let tail = &mut tail[..count];
            self.conceal(tail);
            let mut real = [0; MERGE_MILLIS * Rate::Wide.per_milli()];
            real[..count].copy_from_slice(&samples[..count]);
            cross_fade(&mut samples[..count], |index| tail[index], |index| real[index]);
            self.made_up = 0;
        }
        let kept = samples.len().min(self.history.len());
        self.history.copy_within(kept.., 0);
        let start = self.history.len() - kept;
        self.history[start..].copy_from_slice(&samples[samples.len() - kept..]);
    }

    /// Makes up what comes next.
    pub(crate) fn conceal(&mut self, out: &mut [i16]) {
        let milli = self.rate.per_milli();
        if self.made_up == 0 {
            let (shortest, longest) = (SHORTEST_MILLIS * milli, LONGEST_MILLIS * milli);
            self.period = period(&self.history, TEMPLATE_MILLIS * milli, shortest, longest);
        }
        for sample in out {
            *sample = self.next_sample();
            self.made_up += 1;
        }
    }

    fn next_sample(&self) -> i16 {
        let milli = self.rate.per_milli();
        let (loud, silent) = (LOUD_MILLIS * milli, SILENT_MILLIS * milli);
        if self.made_up >= silent {
            return 0;
        }
        let periods = (1 + self.made_up / (PERIOD_MILLIS * milli)).min(MAX_PERIODS);
        let repeated = self.repeated(periods) + self.step_at_the_seam();
        let left = (silent - self.made_up.max(loud)) as i32;
        (repeated * left / (silent - loud) as i32).clamp(i16::MIN.into(), i16::MAX.into()) as i16
    }

    /// The sample of the last so many periods, again and again; the end of each round fades into what came
    /// before its beginning.
    fn repeated(&self, periods: usize) -> i32 {
        let (end, round) = (self.history.len(), periods * self.period);
        if round > end {
            return 0;
        }
        let place = self.made_up % round;
        let sample = i32::from(self.history[end - round + place]);
        let fade = self.period / 4;
        let into = (place + fade).saturating_sub(round);
        match (end + place).checked_sub(2 * round) {
            Some(before) if into > 0 => {
                let before = i32::from(self.history[before]);
                (sample * (fade - into) as i32 + before * into as i32) / fade as i32
            }
            _ => sample,
        }
    }

    /// What bends the beginning of the first round to where the real sound ended.
    fn step_at_the_seam(&self) -> i32 {
        let (end, fade) = (self.history.len(), self.period / 4);
        let Some(left) = fade.checked_sub(self.made_up) else { return 0 };
        let last = i32::from(self.history[end - 1]);
        let before_round = i32::from(self.history[end - 1 - self.period]);
        (last - before_round) * left as i32 / (fade + 1) as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::PI;

    fn tone(from: usize, count: usize) -> Vec<i16> {
        let hum = |n: usize| {
            let x = 2.0 * PI * 125.0 * n as f32 / 8_000.0;
            6_000.0 * (x.sin() + 0.4 * (3.0 * x).sin())
        };
        (from..from + count).map(|n| hum(n) as i16).collect()
    }

    fn steepest(samples: &[i16]) -> i32 {
        samples.windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs()).max().expect("samples")
    }

    #[test]
    fn a_lost_packet_of_a_voice_goes_on_in_step_and_without_a_click() {
        let mut concealer = Concealer::new(Rate::Narrow);
        let mut line = Vec::new();
        for frame in 0..10 {
            let mut samples = tone(frame * 160, 160);
            if frame == 6 {
                concealer.conceal(&mut samples);
            } else {
                concealer.heard(&mut samples);
            }
            line.extend(samples);
        }
        let real = tone(0, 1_600);
        assert!(steepest(&line) <= steepest(&real) * 11 / 10, "{} {}", steepest(&line), steepest(&real));
        let error = |range: std::ops::Range<usize>| {
            line[range.clone()].iter().zip(&real[range]).map(|(a, b)| (a - b).abs()).max().expect("samples")
        };
        assert!(error(960..1_040) < 800, "the first 10 ms are off by {}", error(960..1_040));
        assert_eq!(line[1_200..], real[1_200..]);
    }

    #[test]
    fn a_long_loss_fades_to_silence() {
        let mut concealer = Concealer::new(Rate::Wide);
        concealer.heard(&mut tone(0, 1_600));
        let mut lost = [0; 1_600];
        concealer.conceal(&mut lost);
        let loudest = |millis: usize| lost[millis * 16..(millis + 10) * 16].iter().map(|s| s.abs()).max();
        assert!(loudest(0) > Some(5_000));
        assert!((2_000..5_000).contains(&loudest(30).expect("samples")), "{:?}", loudest(30));
        assert_eq!(loudest(60), Some(0));
    }

    #[test]
    fn nothing_heard_is_silence() {
        let mut lost = [7; 320];
        Concealer::new(Rate::Narrow).conceal(&mut lost);
        assert_eq!(lost, [0; 320]);
    }
}
