use super::KEYS;
use super::bank::{FREQUENCIES, HOP, LANES, Spectrum, WINDOW};
use crate::wave::SAMPLE_RATE;
use rtp::Digit;
use std::f32::consts::TAU;

/// Windows that are looked at together: 20 ms. A burst of 23 ms fills that once, a key of 40 ms at least four
/// times.
const VIEW: usize = 3;
/// Windows that are kept to look back where a tone began.
const KEPT: usize = 6;
/// A tone is not heard below this: −33 dBm0, as a mean square. Q.24 asks for −25 dBm at most.
const FLOOR: f32 = 128_600.0;
/// The share by which a frequency may be off; Q.24 takes 1.5% and refuses 3.5%.
const OFF_FREQUENCY: f32 = 0.02;
/// By how much the high group may be louder or quieter than the low one, as ratios of power. Q.24 takes 4 dB
/// and −8 dB; there is 1 dB of room for noise.
const MOST_TWIST: f32 = 3.2;
const LEAST_TWIST: f32 = 0.126;
/// Which share of a view's power the two tones have at least: 0.97 with a signal-to-noise ratio of 15 dB, 0.88 with 8.7 dB. Speech that comes
/// near two of the frequencies has other harmonics.
const PURITY: f32 = 0.88;
/// The least share of a tone's power that is heard in its lane, as far as it may be off.
const LEAST_HEARD: f32 = 0.7;
/// How alike the windows of a view are in level and in the steps of phase, 1 for a steady tone.
const STEADINESS: f32 = 0.97;
/// Views of the same key that it takes.
const VIEWS: u32 = 3;
/// For how long a key must have sounded, in windows; Q.24 takes 40 ms and refuses 23 ms.
const LONG_ENOUGH: f32 = 31.0 / 5.0;
/// So many silent windows end a key: Q.24 bridges 10 ms and parts at 40 ms.
const GAP: u32 = 5;

/// A key that was pressed and let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPress {
    /// Which, and for how long it sounded.
    pub digit: Digit,
    /// Where it began, in samples since the detector was made; exact to about a millisecond.
    pub begin: u64,
    /// Where it ended.
    pub end: u64,
}

/// Hears keys in samples at 8 kHz, to the limits of ITU-T Q.24; frames may have any length.
///
/// Eight correlations are made of each 10 ms. Which key it is, and by how much its frequencies are off, is
/// told by how far the phase of the strongest one in each group goes from window to window: that tells
/// 10 Hz from 25 Hz within 20 ms. That nothing else sounds is told by their share of all power; it is what speech
/// and music fail.
#[derive(Clone, Debug)]
pub struct DtmfDetector {
    window: [f32; WINDOW],
    /// Samples of the window's second half that have come.
    filled: usize,
    /// Samples up to the end of the last whole window.
    position: u64,
    /// The last windows, the newest last.
    recent: [Spectrum; KEPT],
    key: Option<Key>,
}

/// A key that may be one.
#[derive(Clone, Copy, Debug)]
struct Key {
    lanes: Lanes,
    begin: u64,
    /// Where it fell silent last.
    end: u64,
    /// Views in which it was seen.
    views: u32,
    /// The amplitude of the stronger tone, summed up over windows, and its largest; windows overlap so that their quotient
    /// is how long the tone was, in windows.
    sum: f32,
    largest: f32,
    /// Silent windows since it was last heard.
    silent: u32,
}

/// The frequencies of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lanes {
    low: usize,
    high: usize,
    /// Which of both is louder.
    stronger: usize,
}

/// One of the tones in a view.
struct Tone {
    lane: usize,
    /// Mean square.
    power: f32,
    /// Off its frequency, as a share of it.
    off: f32,
    steadiness: f32,
}

impl Default for DtmfDetector {
    fn default() -> Self {
        Self { window: [0.0; WINDOW], filled: 0, position: 0, recent: [Spectrum::SILENCE; KEPT], key: None }
    }
}

impl DtmfDetector {
    /// Hears a frame; each key is told when it has been let go for 25 ms.
    pub fn hear(&mut self, mut frame: &[i16], mut told: impl FnMut(KeyPress)) {
        while !frame.is_empty() {
            let free = &mut self.window[HOP + self.filled..];
            let count = free.len().min(frame.len());
            for (slot, sample) in free.iter_mut().zip(frame) {
                *slot = f32::from(*sample);
            }
            frame = &frame[count..];
            self.filled += count;
            if self.filled == HOP {
                self.filled = 0;
                self.position += HOP as u64;
                self.recent.rotate_left(1);
                self.recent[KEPT - 1] = Spectrum::of(&self.window, FLOOR);
                self.window.copy_within(HOP.., 0);
                if let Some(press) = self.step() {
                    told(press);
                }
            }
        }
    }

    /// The key that sounds now, and where it began in samples; known about 35 ms later. What is passed on meanwhile can be
    /// muted by it.
    pub fn sounding(&self) -> Option<(char, u64)> {
        let key = self.key.filter(Key::is_one)?;
        Some((key.lanes.key(), key.begin))
    }

    /// Tells the key that sounds while the stream ends.
    pub fn flush(&mut self) -> Option<KeyPress> {
        let mut key = self.key.take()?;
        if key.silent == 0 {
            key.end = self.position - HOP as u64;
        }
        key.press()
    }

    /// Goes on by a window.
    fn step(&mut self) -> Option<KeyPress> {
        let seen = View { windows: &self.recent[KEPT - VIEW..] }.key();
        let Some(mut key) = self.key else {
            self.key = seen.map(|lanes| self.begin(lanes));
            return None;
        };
        if let Some(other) = seen.filter(|lanes| !lanes.is_same(key.lanes)) {
            if key.silent == 0 {
                // The views of both overlap.
                key.end = self.position - (VIEW * HOP) as u64;
            }
            let ended = key.press();
            self.key = Some(self.begin(other));
            return ended;
        }
        key.views += u32::from(seen.is_some());
        self.go_on(&mut key);
        self.key = (key.silent < GAP).then_some(key);
        if self.key.is_some() { None } else { key.press() }
    }

    /// A key whose first view the newest windows are.
    fn begin(&self, lanes: Lanes) -> Key {
        let amplitudes = self.recent.map(|window| window.tone(lanes.stronger).sqrt());
        let largest = amplitudes[KEPT - VIEW..].iter().copied().fold(0.0, f32::max);
        let half = largest / 2.0;
        // Back from the newest window to the first that is loud without a pause.
        let first = (0..KEPT).rev().take_while(|index| amplitudes[*index] >= half).last().unwrap_or(KEPT - 1);
        let before = if first == 0 { 0.0 } else { amplitudes[first - 1] };
        let centre = self.position as i64 - (KEPT - first) as i64 * HOP as i64;
        let into = crossing(amplitudes[first], before, half);
        let begin = (centre - into as i64).max(0) as u64;
        let sum = amplitudes[first..].iter().sum::<f32>() + before;
        Key { lanes, begin, end: begin, views: 1, sum, largest, silent: 0 }
    }

    fn go_on(&self, key: &mut Key) {
        let [before, now] =
            [KEPT - 2, KEPT - 1].map(|index| self.recent[index].tone(key.lanes.stronger).sqrt());
        key.largest = key.largest.max(now);
        let half = key.largest / 2.0;
        if now >= half {
            key.silent = 0;
        } else {
            if key.silent == 0 {
                let centre = self.position - 2 * HOP as u64;
                key.end = centre + crossing(before, now, half) as u64;
            }
            key.silent += 1;
        }
        // A window that an edge lies in has a part of the amplitude; what is less is noise.
        if now >= half / 2.0 {
            key.sum += now;
        }
    }
}

impl Key {
    fn is_one(&self) -> bool {
        self.views >= VIEWS && self.sum >= LONG_ENOUGH * self.largest
    }

    fn press(&self) -> Option<KeyPress> {
        let samples = self.end.saturating_sub(self.begin);
        let millis = u32::try_from(samples / u64::from(SAMPLE_RATE / 1_000)).unwrap_or(u32::MAX);
        let digit = Digit { digit: self.lanes.key(), millis };
        self.is_one().then_some(KeyPress { digit, begin: self.begin, end: self.end })
    }
}

impl Lanes {
    fn key(self) -> char {
        KEYS[self.low][self.high - LANES / 2]
    }

    fn is_same(self, other: Self) -> bool {
        (self.low, self.high) == (other.low, other.high)
    }
}

/// Windows that are looked at together.
struct View<'a> {
    windows: &'a [Spectrum],
}

impl View<'_> {
    fn key(&self) -> Option<Lanes> {
        let power: f32 = self.windows.iter().map(|window| window.power).sum::<f32>() / VIEW as f32;
        if power < 2.0 * FLOOR {
            return None;
        }
        let mut lanes = [0.0; LANES];
        for window in self.windows {
            for (lane, sum) in lanes.iter_mut().enumerate() {
                *sum += window.tone(lane) / VIEW as f32;
            }
        }
        let (low_group, high_group) = lanes.split_at(LANES / 2);
        let (low, high) = (strongest(low_group), LANES / 2 + strongest(high_group));
        // Most of what is no key ends here, before a phase is looked at.
        if (lanes[low] + lanes[high]) < PURITY * LEAST_HEARD * power {
            return None;
        }
        let [low, high] = [low, high].map(|lane| self.tone(lane, lanes[lane]));
        let both = low.power + high.power;
        let twist = high.power / low.power;
        let is_key = low.power >= FLOOR
            && high.power >= FLOOR
            && both >= PURITY * power
            && (LEAST_TWIST..=MOST_TWIST).contains(&twist)
            && [&low, &high]
                .iter()
                .all(|tone| tone.off.abs() <= OFF_FREQUENCY && tone.steadiness >= STEADINESS);
        let stronger = if twist > 1.0 { high.lane } else { low.lane };
        is_key.then_some(Lanes { low: low.lane, high: high.lane, stronger })
    }

    /// The tone of a lane in which a mean square is heard.
    fn tone(&self, lane: usize, power: f32) -> Tone {
        let (mut real, mut imaginary, mut mean) = (0.0, 0.0, 0.0);
        for pair in self.windows.windows(2) {
            let [a, b] = [pair[0], pair[1]];
            real += b.real[lane] * a.real[lane] + b.imaginary[lane] * a.imaginary[lane];
            imaginary += b.imaginary[lane] * a.real[lane] - b.real[lane] * a.imaginary[lane];
            mean += (a.tone(lane) + b.tone(lane)) / 2.0;
        }
        // The phase that the tone is ahead of the frequency after one step.
        let turn = TAU * (FREQUENCIES[lane] * HOP as f32 / SAMPLE_RATE as f32).fract();
        let ahead = (imaginary.atan2(real) - turn + TAU + TAU / 2.0) % TAU - TAU / 2.0;
        let off = ahead / TAU * SAMPLE_RATE as f32 / HOP as f32;
        // A window of 10 ms hears a tone that is some ten hertz beside its frequency a little less.
        let heard = (1.0 - 1.3 * (off / 100.0).powi(2)).max(LEAST_HEARD);
        Tone {
            lane,
            power: power / heard,
            off: off / FREQUENCIES[lane],
            steadiness: (real * real + imaginary * imaginary).sqrt() / mean.max(f32::MIN_POSITIVE),
        }
    }
}

fn strongest(group: &[f32]) -> usize {
    group.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(lane, _)| lane)
}

/// How many samples from the centre of a loud window towards that of a quiet one the amplitude is half.
fn crossing(loud: f32, quiet: f32, half: f32) -> f32 {
    let part = (loud - half) / (loud - quiet).max(f32::MIN_POSITIVE);
    part.clamp(0.0, 1.0) * HOP as f32
}
