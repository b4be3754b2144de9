use super::{Burst, NETWORK_BAND, is_same};
use crate::spectrum::FRAME_MILLIS;
use crate::tone::Tone;
use crate::tone::network::NetworkTones;

/// Bursts that are remembered: more than the longest cadence has.
const BURSTS: usize = 6;
/// By how much a measured length may differ from another: frames are 20 ms, and exchanges are not exact.
const OFF_MILLIS: u32 = 45;
const OFF_SHARE: f32 = 0.1;
/// And a level from another, in dB: Australia has busy and congestion differ by nothing else.
const OFF_DB: f32 = 4.0;
/// A cadence that is shorter has to be heard three times, any other one twice.
const SHORT_MILLIS: u32 = 600;
/// What may be busy where the network is not known.
const BUSY_MILLIS: std::ops::RangeInclusive<u32> = 120..=800;
/// E.180 clause 5.6: 950, 1,400 and 1,800 Hz ± 50, 330 ms ± 70 (North America: from 270 ms), gaps of at most
/// 30 ms.
const SPECIAL_HZ: [f32; 3] = [950.0, 1_400.0, 1_800.0];
const SPECIAL_OFF_HZ: f32 = 55.0;
const SPECIAL_MILLIS: std::ops::RangeInclusive<u32> = 220..=440;
const SPECIAL_GAP_MILLIS: u32 = 80;

/// The bursts and pauses of the last seconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Cadence {
    /// The newest last.
    bursts: [Option<Past>; BURSTS],
    /// It was named, and is not again until something else sounds.
    is_told: bool,
}

/// What a cadence says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Busy,
    Congestion,
}

/// A burst and the pause behind it.
#[derive(Clone, Copy, Debug)]
struct Past {
    burst: Burst,
    pause: u32,
}

/// A burst and its pause as a cadence is compared with, in ms.
#[derive(Clone, Copy, Debug, Default)]
struct Step {
    on: u32,
    off: u32,
    dbm0: f32,
}

impl Cadence {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Adds a burst with the pause behind it, in frames. One of another tone begins a new cadence.
    pub(super) fn push(&mut self, burst: Burst, pause: u32) {
        if self.bursts[BURSTS - 1].is_some_and(|past| !is_same(past.burst.centre, burst.centre)) {
            self.is_told = false;
        }
        self.bursts.rotate_left(1);
        self.bursts[BURSTS - 1] = Some(Past { burst, pause });
    }

    /// Something that was no burst came before the pause that the newest one has.
    pub(super) fn lengthen_pause(&mut self, frames: u32) {
        if let Some(newest) = &mut self.bursts[BURSTS - 1] {
            newest.pause += frames;
        }
    }

    /// Whether a burst comes after one of the same tone and a pause of at most so many ms.
    pub(super) fn goes_on_with(&self, burst: &Burst, pause: u32) -> bool {
        self.bursts[BURSTS - 1].is_some_and(|past| {
            is_same(past.burst.centre, burst.centre) && past.pause * FRAME_MILLIS <= pause
        })
    }

    /// Whether a burst is the last of the special information tone.
    pub(super) fn is_special_information(&self, third: &Burst) -> bool {
        let [.., Some(first), Some(second)] = &self.bursts else { return false };
        let all = [&first.burst, &second.burst, third];
        let in_time = |past: &Past| past.pause * FRAME_MILLIS <= SPECIAL_GAP_MILLIS;
        all.iter()
            .zip(SPECIAL_HZ)
            .all(|(burst, hz)| burst.is_near(hz, SPECIAL_OFF_HZ) && SPECIAL_MILLIS.contains(&burst.millis()))
            && in_time(first)
            && in_time(second)
    }

    /// What the last bursts are, told once.
    pub(super) fn named(&mut self, network: Option<&NetworkTones>) -> Option<Named> {
        if self.is_told {
            return None;
        }
        let named = match network {
            Some(row) if self.is(row.busy) => Some(Named::Busy),
            Some(row) if self.is(row.congestion) => Some(Named::Congestion),
            _ => self.is_even().then_some(Named::Busy),
        };
        self.is_told = named.is_some();
        named
    }

    /// The newest bursts, the newest first, as long as they are of one tone in the band of networks.
    fn newest(&self) -> impl Iterator<Item = Step> {
        let centre = self.bursts[BURSTS - 1].map_or(0.0, |past| past.burst.centre);
        let is_one = move |past: &Past| {
            NETWORK_BAND.contains(&past.burst.centre) && is_same(centre, past.burst.centre)
        };
        self.bursts.iter().rev().map_while(|past| *past).take_while(is_one).map(|Past { burst, pause }| {
            Step { on: burst.millis(), off: pause * FRAME_MILLIS, dbm0: burst.loudest }
        })
    }

    /// Whether the newest bursts are those of a tone, wherever its cadence was entered.
    fn is(&self, tone: Tone) -> bool {
        let mut steps = [Step::default(); BURSTS];
        let mut count = 0;
        for (step, sections) in steps.iter_mut().zip(tone.sections.chunks_exact(2)) {
            *step = Step { on: sections[0].millis, off: sections[1].millis, dbm0: sections[0].dbm0 };
            count += 1;
        }
        if count == 0 {
            return false;
        }
        (0..count).any(|shift| {
            // The newest first, hence backwards through the cadence.
            self.follows(count, |back| steps[(shift + BURSTS * count - back) % count])
        })
    }

    /// Whether the newest bursts are alike, as those of busy are nearly everywhere.
    fn is_even(&self) -> bool {
        self.newest().next().is_some_and(|Step { on, off, dbm0 }| {
            BUSY_MILLIS.contains(&on)
                && BUSY_MILLIS.contains(&off)
                && on < 2 * off
                && off < 2 * on
                && self.follows(1, |_| Step { on, off, dbm0 })
        })
    }

    /// Whether the newest bursts are what is wanted of each, counted from the newest one back.
    fn follows(&self, count: usize, wanted: impl Fn(usize) -> Step) -> bool {
        let is_short = wanted(0).on + wanted(0).off < SHORT_MILLIS;
        let needed = count.max(if is_short { 3 } else { 2 });
        let mut heard = self.newest().take(needed);
        let Some(first) = heard.next().filter(|first| first.is_like(wanted(0))) else { return false };
        // Only how the levels differ is known of a network.
        let louder = first.dbm0 - wanted(0).dbm0;
        let mut found = 1;
        for (back, step) in heard.enumerate() {
            let wanted = wanted(back + 1);
            if !step.is_like(wanted) || (step.dbm0 - wanted.dbm0 - louder).abs() > OFF_DB {
                return false;
            }
            found += 1;
        }
        found == needed
    }
}

impl Step {
    fn is_like(self, wanted: Self) -> bool {
        let near = |a: u32, b: u32| a.abs_diff(b) <= OFF_MILLIS + (OFF_SHARE * b as f32) as u32;
        near(self.on, wanted.on) && near(self.off, wanted.off)
    }
}
