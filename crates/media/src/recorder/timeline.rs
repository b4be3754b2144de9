use super::{Side, Stamp};
use audio::Rate;
use clock::Time;
use std::collections::VecDeque;

/// Audio that is held back from the file, so that a late packet still finds its place, in milliseconds.
pub(super) const HOLD_MILLIS: u64 = 1_000;

/// By how much a packet may be ahead of the clock before it is taken for nonsense.
const AHEAD_MILLIS: u64 = 5_000;

/// By how much the place by timestamp and the place by arrival may differ at the beginning of a talkspurt; beyond that
/// the sender has begun a new time line.
const TALKSPURT_MILLIS: u64 = 60;

/// One stereo sample: left, right.
pub(super) type Pair = [i16; 2];

/// Lays the packets of two directions onto one clock that starts with the recording.
#[derive(Debug)]
pub(super) struct Timeline {
    start: Time,
    /// Since when the time stands still.
    stopped: Option<Time>,
    /// Samples a second.
    rate: u32,
    received: Track,
    sent: Track,
    /// What is not yet written; the first pair is number `written`.
    window: VecDeque<Pair>,
    written: u64,
}

/// One direction's sender, as far as its timestamps are understood.
#[derive(Debug, Default)]
struct Track {
    last: Option<Placed>,
}

#[derive(Clone, Copy, Debug)]
struct Placed {
    ssrc: u32,
    timestamp: u32,
    position: u64,
}

impl Timeline {
    /// A clock that starts at `start` and counts samples.
    pub(super) fn new(start: Time, rate: Rate) -> Self {
        Self {
            start,
            stopped: None,
            rate: rate.hz(),
            received: Track::default(),
            sent: Track::default(),
            window: VecDeque::with_capacity(2 * rate.hz() as usize),
            written: 0,
        }
    }

    /// The number of the sample that belongs to that moment.
    pub(super) fn position(&self, at: Time) -> u64 {
        let at = self.stopped.map_or(at, |stopped| stopped.min(at));
        at.since(self.start).as_micros() as u64 * u64::from(self.rate) / 1_000_000
    }

    /// Lets the time go on after it stood still, or stand still from now on.
    pub(super) fn run(&mut self, at: Time, runs: bool) {
        match (self.stopped, runs) {
            (Some(stopped), true) => {
                self.start += at.since(stopped);
                self.stopped = None;
                // Timestamps have run on: both sides are placed anew by their arrival.
                (self.received, self.sent) = (Track::default(), Track::default());
            }
            (None, false) => self.stopped = Some(at),
            _ => {}
        }
    }

    /// So many milliseconds in samples.
    pub(super) fn samples(&self, millis: u64) -> u64 {
        millis * u64::from(self.rate) / 1_000
    }

    /// How much has been taken, in milliseconds.
    pub(super) fn taken_millis(&self) -> u64 {
        self.written * 1_000 / u64::from(self.rate)
    }

    /// The number of the first sample of a packet that has come, whose timestamps count `clock_rate` units a second;
    /// `None` for nonsense.
    pub(super) fn locate(&mut self, side: Side, stamp: Stamp, clock_rate: u32) -> Option<u64> {
        let arrival = self.position(stamp.at);
        let track = match side {
            Side::Received => &mut self.received,
            Side::Sent => &mut self.sent,
        };
        let tolerance = if stamp.marker { TALKSPURT_MILLIS } else { HOLD_MILLIS };
        let (tolerance, ahead) =
            (tolerance * u64::from(self.rate) / 1_000, AHEAD_MILLIS * u64::from(self.rate) / 1_000);
        let position = track.place(arrival, stamp, tolerance, (self.rate, clock_rate));
        (position <= arrival + ahead).then_some(position)
    }

    /// Lays samples where they belong. What comes after its place was taken is dropped.
    pub(super) fn lay(&mut self, side: Side, position: u64, samples: &[i16]) {
        let channel = match side {
            Side::Received => 0,
            Side::Sent => 1,
        };
        let late = self.written.saturating_sub(position).min(samples.len() as u64) as usize;
        let Some(samples) = samples.get(late..).filter(|rest| !rest.is_empty()) else { return };
        let first = (position + late as u64 - self.written) as usize;
        if self.window.len() < first + samples.len() {
            self.window.resize(first + samples.len(), [0; 2]);
        }
        for (pair, sample) in self.window.range_mut(first..).zip(samples) {
            pair[channel] = *sample;
        }
    }

    /// Takes everything before `position`: silence where nothing came.
    pub(super) fn take_until(&mut self, position: u64) -> impl ExactSizeIterator<Item = Pair> + '_ {
        let count = position.saturating_sub(self.written) as usize;
        if self.window.len() < count {
            self.window.resize(count, [0; 2]);
        }
        self.written += count as u64;
        self.window.drain(..count)
    }

    /// The number of the first sample after everything that is known.
    pub(super) fn end(&self) -> u64 {
        self.written + self.window.len() as u64
    }
}

impl Track {
    /// Where a packet belongs: by its timestamp while the sender's time line holds, else by its arrival.
    /// `rates` are the samples and the timestamp units of a second.
    fn place(&mut self, arrival: u64, stamp: Stamp, tolerance: u64, rates: (u32, u32)) -> u64 {
        let by_timestamp = self.last.filter(|last| last.ssrc == stamp.ssrc).and_then(|last| {
            let elapsed = i64::from(stamp.timestamp.wrapping_sub(last.timestamp).cast_signed());
            let (rate, clock_rate) = (i64::from(rates.0), i64::from(rates.1));
            last.position.checked_add_signed(elapsed * rate / clock_rate)
        });
        let position = by_timestamp.filter(|place| place.abs_diff(arrival) <= tolerance).unwrap_or(arrival);
        self.last = Some(Placed { ssrc: stamp.ssrc, timestamp: stamp.timestamp, position });
        position
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: usize = 160;

    fn stamp(millis: u64, timestamp: u32) -> Stamp {
        Stamp { at: Time::from_millis(1_000 + millis), sequence: 0, timestamp, ssrc: 7, marker: false }
    }

    fn timeline() -> Timeline {
        Timeline::new(Time::from_millis(1_000), Rate::Narrow)
    }

    fn place(line: &mut Timeline, side: Side, stamp: Stamp, clock_rate: u32, samples: &[i16]) {
        if let Some(position) = line.locate(side, stamp, clock_rate) {
            line.lay(side, position, samples);
        }
    }

    fn left(timeline: &mut Timeline) -> Vec<i16> {
        let end = timeline.end();
        timeline.take_until(end).map(|pair| pair[0]).collect()
    }

    #[test]
    fn jitter_neither_doubles_nor_tears_speech() {
        let mut line = timeline();
        for (index, jitter) in [0, 13, 2, 19, 5, 0, 11].into_iter().enumerate() {
            let at = 40 + 20 * index as u64 + jitter;
            place(
                &mut line,
                Side::Received,
                stamp(at, 5_000 + 160 * index as u32),
                8_000,
                &[index as i16 + 1; FRAME],
            );
        }
        let got = left(&mut line);
        assert_eq!(got[..320], [0; 320]);
        for (index, frame) in got[320..].chunks(FRAME).enumerate() {
            assert_eq!(frame, [index as i16 + 1; FRAME]);
        }
        assert_eq!(got.len(), 320 + 7 * FRAME);
    }

    #[test]
    fn a_lost_packet_is_silence_and_a_late_one_finds_its_place() {
        let mut line = timeline();
        let start = u32::MAX - 200;
        let stamp_of = |at, index: u32| stamp(at, start.wrapping_add(160 * index));
        for (at, index) in [(0, 0), (60, 3), (65, 1)] {
            place(&mut line, Side::Received, stamp_of(at, index), 8_000, &[index as i16 + 1; FRAME]);
        }
        let frames: Vec<i16> = left(&mut line).chunks(FRAME).map(|frame| frame[80]).collect();
        assert_eq!(frames, [1, 2, 0, 4]);
    }

    #[test]
    fn a_new_source_is_placed_by_its_arrival() {
        let mut line = timeline();
        place(&mut line, Side::Received, stamp(0, 1_000), 8_000, &[1; FRAME]);
        place(&mut line, Side::Received, Stamp { ssrc: 8, ..stamp(100, 77_000_000) }, 8_000, &[2; FRAME]);
        place(
            &mut line,
            Side::Received,
            Stamp { ssrc: 8, marker: true, ..stamp(200, 5) },
            8_000,
            &[3; FRAME],
        );
        let frames: Vec<i16> = left(&mut line).chunks(FRAME).map(|frame| frame[80]).collect();
        assert_eq!(frames, [1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 3]);
    }

    #[test]
    fn both_sides_share_one_clock_and_what_is_too_late_is_dropped() {
        let mut line = timeline();
        place(&mut line, Side::Sent, stamp(20, 0), 8_000, &[9; FRAME]);
        place(&mut line, Side::Received, stamp(40, 0), 8_000, &[5; FRAME]);
        assert_eq!(
            line.take_until(240).collect::<Vec<_>>(),
            [[[0, 0]; 160].as_slice(), &[[0, 9]; 80]].concat()
        );
        place(&mut line, Side::Received, stamp(45, u32::MAX - 319), 8_000, &[7; FRAME]);
        let rest: Vec<_> = line.take_until(480).collect();
        assert_eq!(rest, [[[0, 9]; 80].as_slice(), &[[5, 0]; 160]].concat());
        assert_eq!(line.taken_millis(), 60);
    }

    #[test]
    fn what_is_said_while_the_time_stands_still_takes_none() {
        let mut line = timeline();
        place(&mut line, Side::Received, stamp(0, 0), 8_000, &[1; FRAME]);
        line.run(Time::from_millis(1_020), false);
        assert_eq!(line.position(Time::from_millis(9_000)), 160);
        line.run(Time::from_millis(6_020), true);
        place(&mut line, Side::Received, stamp(5_020, 40_160), 8_000, &[2; FRAME]);
        let heard = left(&mut line);
        assert_eq!((heard.len(), heard[80], heard[240]), (320, 1, 2));
    }

    #[test]
    fn a_timestamp_from_nowhere_does_not_grow_the_window() {
        let mut line = timeline();
        place(&mut line, Side::Received, stamp(0, 0), 8_000, &[1; FRAME]);
        place(&mut line, Side::Received, stamp(20, 1 << 30), 8_000, &[2; FRAME]);
        assert_eq!(line.end(), 320);
    }
}
