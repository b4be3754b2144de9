//! One direction of a recording: its packets put in order and decoded, and made up where they are missing.

use super::Frame;
use super::timeline::Timeline;
use audio::{Decoder, MAX_SAMPLES, Rate};
use std::collections::VecDeque;

/// Pieces of packets that may wait to be decoded: more than come in the time by which a file is behind.
const MAX_WAITING: usize = 1_024;

/// What came of one direction, decoded once nothing can come before it any more. A codec that goes by what it decoded
/// before makes noise of packets in the wrong order.
#[derive(Debug)]
pub(super) struct Track {
    rate: Rate,
    /// With the number of its first sample, in their order.
    waiting: VecDeque<(u64, Frame)>,
    decoder: Option<Decoder>,
    last: Option<Decoded>,
}

/// What was decoded last.
#[derive(Clone, Copy, Debug)]
struct Decoded {
    ssrc: u32,
    sequence: u16,
    /// The number of the sample after it.
    end: u64,
}

impl Track {
    /// A direction of which nothing has come, to be decoded at `rate`.
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, waiting: VecDeque::new(), decoder: None, last: None }
    }

    /// Keeps a piece of a packet until its turn. One that came twice is kept once.
    pub(super) fn keep(&mut self, position: u64, frame: Frame) {
        let place = self.waiting.partition_point(|(other, _)| *other < position);
        let is_there = self
            .waiting
            .get(place)
            .is_some_and(|(other, there)| (*other, there.stamp.sequence) == (position, frame.stamp.sequence));
        if !is_there && self.waiting.len() < MAX_WAITING {
            self.waiting.insert(place, (position, frame));
        }
    }

    /// Decodes what begins before `position` onto the time line, and so far beyond it as a loss before it that is made up
    /// may reach back.
    pub(super) fn decode_until(&mut self, position: u64, timeline: &mut Timeline) {
        let beyond = position.saturating_add(MAX_SAMPLES as u64);
        while let Some((begin, frame)) = self.waiting.pop_front_if(|(begin, _)| *begin < beyond) {
            self.make_up(begin, &frame, timeline);
            self.decode(begin, &frame, timeline);
        }
    }

    /// Makes up what was lost before a piece that begins at `begin`: as the party's phone would have, since a hole is heard
    /// as a click.
    fn make_up(&mut self, begin: u64, frame: &Frame, timeline: &mut Timeline) {
        let Some(last) = self.last.filter(|last| last.ssrc == frame.stamp.ssrc) else { return };
        let lost = frame.stamp.sequence.wrapping_sub(last.sequence).wrapping_sub(1);
        let missing = usize::try_from(begin.saturating_sub(last.end)).unwrap_or(usize::MAX);
        let decoder = self.decoder.as_mut().filter(|decoder| decoder.codec() == frame.codec);
        let (Some(decoder), 1.., 1..=MAX_SAMPLES) = (decoder, lost, missing) else { return };
        let mut room = [0; MAX_SAMPLES];
        let made_up = &mut room[..missing];
        if lost == 1 {
            decoder.recover(frame.payload(), made_up);
        } else {
            decoder.conceal(made_up);
        }
        timeline.lay(frame.side, last.end, made_up);
    }

    /// What its codec does not understand is silence.
    fn decode(&mut self, begin: u64, frame: &Frame, timeline: &mut Timeline) {
        if self.decoder.as_ref().is_none_or(|decoder| decoder.codec() != frame.codec) {
            self.decoder = Decoder::new(frame.codec, self.rate).ok();
        }
        let mut samples = [0; MAX_SAMPLES];
        let decoded = self.decoder.as_mut().map(|decoder| decoder.decode(frame.payload(), &mut samples));
        if let Some(Ok(count)) = decoded {
            timeline.lay(frame.side, begin, &samples[..count]);
            let end = begin + count as u64;
            self.last = Some(Decoded { ssrc: frame.stamp.ssrc, sequence: frame.stamp.sequence, end });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FRAME_BYTES, Side, Stamp};
    use super::*;
    use audio::Encoder;
    use clock::Time;
    use rtp::Codec;
    use rtp::control::{OpusFormat, RecordingId};
    use std::f32::consts::TAU;

    const MILLIS: usize = 20;

    /// Packets of a hum, with the number of their first sample.
    fn hum(codec: Codec, rate: Rate, count: usize) -> Vec<(u64, Frame)> {
        let format = OpusFormat { fec: true, ..OpusFormat::default() };
        let mut encoder = Encoder::new(codec, rate, format).expect("Opus");
        let samples = MILLIS * rate.per_milli();
        let x = |n: usize| TAU * 150.0 * n as f32 / rate.hz() as f32;
        let beat = |n: usize| (6_000.0 * (x(n).sin() + 0.4 * (3.0 * x(n)).sin())) as i16;
        let packet = |number: usize| {
            let sound: Vec<i16> = (number * samples..(number + 1) * samples).map(beat).collect();
            let mut bytes = [0; FRAME_BYTES];
            let length = encoder.encode(&sound, &mut bytes).expect("20 ms") as u8;
            let stamp = Stamp {
                at: Time::ZERO,
                sequence: 65_530_u16.wrapping_add(number as u16),
                timestamp: 0,
                ssrc: 7,
                marker: false,
            };
            let frame =
                Frame { recording: RecordingId(1), side: Side::Received, codec, stamp, length, bytes };
            ((number * samples) as u64, frame)
        };
        (0..count).map(packet).collect()
    }

    /// The left channel of packets that come in that order.
    fn recorded(rate: Rate, packets: impl IntoIterator<Item = (u64, Frame)>) -> Vec<i16> {
        let (mut track, mut timeline) = (Track::new(rate), Timeline::new(Time::ZERO, rate));
        packets.into_iter().for_each(|(position, frame)| track.keep(position, frame));
        track.decode_until(u64::MAX, &mut timeline);
        let end = timeline.end();
        timeline.take_until(end).map(|pair| pair[0]).collect()
    }

    #[test]
    fn packets_that_overtake_each_other_or_come_twice_are_decoded_in_their_order() {
        for codec in [Codec::Opus, Codec::G722] {
            let expected = recorded(Rate::Wide, hum(codec, Rate::Wide, 30));
            let mut shuffled = hum(codec, Rate::Wide, 30);
            shuffled.chunks_mut(3).for_each(<[_]>::reverse);
            shuffled.extend(hum(codec, Rate::Wide, 20).split_off(10));
            assert!(recorded(Rate::Wide, shuffled) == expected, "{codec:?}");
        }
    }

    #[test]
    fn a_lost_packet_is_made_up_where_it_is_missing() {
        for codec in [Codec::Pcmu, Codec::Opus] {
            let rate = Rate::of(codec);
            let mut packets = hum(codec, rate, 30);
            let whole = recorded(rate, hum(codec, rate, 30)).len();
            packets.remove(15);
            let heard = recorded(rate, packets);
            assert_eq!(heard.len(), whole);
            let made_up = &heard[15 * MILLIS * rate.per_milli()..][..MILLIS * rate.per_milli()];
            for piece in made_up.chunks(made_up.len() / 2) {
                let loudest = piece.iter().map(|sample| sample.unsigned_abs()).max();
                assert!(loudest > Some(3_000), "{codec:?}: {loudest:?}");
            }
        }
    }

    #[test]
    fn a_loss_is_made_up_before_its_place_is_written() {
        let mut packets = hum(Codec::Pcmu, Rate::Narrow, 30);
        packets.remove(15);
        let expected = recorded(Rate::Narrow, packets);
        let mut packets = hum(Codec::Pcmu, Rate::Narrow, 30);
        packets.remove(15);
        let (mut track, mut timeline) = (Track::new(Rate::Narrow), Timeline::new(Time::ZERO, Rate::Narrow));
        packets.into_iter().for_each(|(position, frame)| track.keep(position, frame));
        let mut written = Vec::new();
        for until in (0..=expected.len() as u64).step_by(80) {
            track.decode_until(until, &mut timeline);
            written.extend(timeline.take_until(until).map(|pair| pair[0]));
        }
        assert!(written == expected);
    }

    #[test]
    fn what_was_never_said_stays_silent() {
        let mut packets = hum(Codec::Pcmu, Rate::Narrow, 30);
        // The numbers go on, and the time line jumps.
        packets[20..].iter_mut().for_each(|(position, _)| *position += 800);
        let heard = recorded(Rate::Narrow, packets);
        assert_eq!(heard[3_200..4_000], [0; 800]);
    }
}
