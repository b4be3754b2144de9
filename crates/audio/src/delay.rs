//! How late a party's packets come, and so how long each should wait for those behind it.

/// Packets among which the fastest is looked for: 2.5 s of 20 ms. A clock that drifts by 200 ppm moves half a
/// millisecond in it.
const WINDOW: usize = 128;
/// Lateness is counted in steps of so much.
const STEP_MICROS: i64 = 5_000;
/// Up to 300 ms.
const STEPS: usize = 60;
/// The share of packets that may come too late.
const TOO_LATE: f32 = 0.01;
/// How much of what was counted is left after one packet more: a second of silence on the network is
/// forgotten after ten seconds.
const MEMORY: f32 = 0.998;
/// A transit that differs by more from the fastest is another time line of the sender.
const NEW_TIME_LINE: i64 = 2_000_000;
/// Before anything was measured packets wait so much.
const FIRST_GUESS: usize = 4;

/// Measures transit times: arrival by our clock less media time by the sender's, in microseconds. Only their
/// differences mean anything.
#[derive(Clone, Debug)]
pub(crate) struct Delay {
    transits: [i64; WINDOW],
    measured: usize,
    fastest: i64,
    /// The share of packets that were so late, step by step; together 1.
    lateness: [f32; STEPS],
}

impl Delay {
    /// Nothing measured.
    pub(crate) fn new() -> Self {
        let mut lateness = [0.0; STEPS];
        lateness[FIRST_GUESS] = 1.0;
        Self { transits: [0; WINDOW], measured: 0, fastest: 0, lateness }
    }

    /// Takes a packet's transit time.
    pub(crate) fn packet(&mut self, transit: i64) {
        if self.measured > 0 && (transit - self.fastest).abs() > NEW_TIME_LINE {
            self.measured = 0;
        }
        self.transits[self.measured % WINDOW] = transit;
        self.measured += 1;
        let known = self.measured.min(WINDOW);
        self.fastest = self.transits[..known].iter().copied().min().unwrap_or(transit);
        // The first packets of a call count more, so that a good guess comes soon: the first guess counts as one packet,
        // and is one in a hundred after two seconds.
        let kept = MEMORY.min(1.0 - 1.0 / (self.measured as f32 + 1.0));
        self.lateness.iter_mut().for_each(|share| *share *= kept);
        let step = usize::try_from((transit - self.fastest) / STEP_MICROS).unwrap_or(0);
        self.lateness[step.min(STEPS - 1)] += 1.0 - kept;
    }

    /// How much a transit is longer than that of the fastest packet of late, in microseconds.
    pub(crate) fn behind_fastest(&self, transit: i64) -> i64 {
        transit - self.fastest
    }

    /// How long the fastest packet should wait so that all but one in a hundred come in time, in microseconds.
    pub(crate) fn target(&self) -> i64 {
        let mut later = 1.0;
        for (step, share) in (1..).zip(&self.lateness) {
            later -= share;
            if later < TOO_LATE {
                return step * STEP_MICROS;
            }
        }
        STEPS as i64 * STEP_MICROS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_that_of_all_but_the_latest_hundredth() {
        let mut delay = Delay::new();
        for number in 0..2_000_i64 {
            delay.packet(1_000_000 + number * 37 % 40 * 1_000);
        }
        assert!((35_000..=45_000).contains(&delay.target()), "{}", delay.target());
        for _ in 0..3_000 {
            delay.packet(1_000_000);
        }
        assert!(delay.target() <= 10_000, "{}", delay.target());
    }

    #[test]
    fn a_new_time_line_begins_anew() {
        let mut delay = Delay::new();
        (0..100).for_each(|_| delay.packet(5_000));
        delay.packet(90_000_000);
        assert_eq!(delay.behind_fastest(90_000_000), 0);
    }
}
