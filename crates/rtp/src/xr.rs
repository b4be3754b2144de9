//! The VoIP metrics of RTCP extended reports (RFC 3611 4.7).

use crate::rtcp::write_packet;
use crate::{Bursts, Concealment, GMIN, LossPattern, Mos, Rating};
use clock::Duration;

pub(crate) const EXTENDED_REPORT: u8 = 207;
const VOIP_METRICS: u8 = 7;
/// With the header of the block.
const BLOCK_LEN: usize = 36;
/// A level, a rating or a score that was not measured.
const UNAVAILABLE: u8 = 127;

/// What the writer of a report thinks of what it hears of one source. `None` means not measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct VoipMetrics {
    /// Whose packets.
    pub ssrc: u32,
    /// Lost, in 256ths.
    pub loss_rate: u8,
    /// Thrown away as too late or too early, in 256ths.
    pub discard_rate: u8,
    /// Lost or thrown away within bursts, in 256ths.
    pub burst_density: u8,
    /// Between them.
    pub gap_density: u8,
    /// The mean length of a burst, in milliseconds.
    pub burst_millis: u16,
    /// The mean length of a gap, in milliseconds.
    pub gap_millis: u16,
    /// Between the RTP interfaces, in milliseconds.
    pub round_trip_millis: Option<u16>,
    /// `R`, 0 to 100.
    pub rating: Option<u8>,
    /// What is heard.
    pub listening: Option<Mos>,
    /// And what it does to a talk.
    pub conversational: Option<Mos>,
    /// Whether what is missing is made up; `None` if that is not told.
    pub concealment: Option<Concealment>,
}

impl VoipMetrics {
    /// Of a source whose packets are so long; `None` if nothing should have come of it.
    pub fn of(
        ssrc: u32,
        losses: &LossPattern,
        packet_millis: u16,
        round_trip: Option<Duration>,
    ) -> Option<Self> {
        let listening = Rating::listening(losses, Concealment::On)?;
        let talk = round_trip.map(|time| listening.conversational(time / 2));
        let millis = |packets: f64| (packets * f64::from(packet_millis)).round() as u16;
        let has_bursts = losses.bursts() != Bursts::default();
        Some(Self {
            ssrc,
            loss_rate: in_256ths(losses.loss()?),
            discard_rate: 0,
            burst_density: in_256ths(losses.burst_density()),
            gap_density: in_256ths(losses.gap_density()),
            burst_millis: if has_bursts { millis(losses.burst_length()) } else { 0 },
            gap_millis: millis(losses.gap_length()),
            round_trip_millis: round_trip.map(|time| u16::try_from(time.as_millis()).unwrap_or(u16::MAX)),
            rating: talk.map(|rating| rating.0.round().clamp(0.0, 100.0) as u8),
            listening: Some(listening.mos()),
            conversational: talk.map(Rating::mos),
            concealment: None,
        })
    }

    /// Reads the first block of its kind among the blocks of a report, which begin after the writer's SSRC.
    pub(crate) fn find(mut blocks: &[u8]) -> Option<Self> {
        loop {
            let &[kind, _, high, low, ..] = blocks else { return None };
            let length = (usize::from(u16::from_be_bytes([high, low])) + 1) * 4;
            let (block, rest) = blocks.split_at_checked(length)?;
            match <&[u8; BLOCK_LEN]>::try_from(block) {
                Ok(block) if kind == VOIP_METRICS => return Some(Self::read(block)),
                _ => blocks = rest,
            }
        }
    }

    fn read(block: &[u8; BLOCK_LEN]) -> Self {
        let short = |at: usize| u16::from_be_bytes([block[at], block[at + 1]]);
        let known = |value: u8| (value != UNAVAILABLE).then_some(value);
        // A score that cannot be is none.
        let score = |value: u8| (10..=50).contains(&value).then(|| Mos(u16::from(value) * 10));
        Self {
            ssrc: u32::from_be_bytes([block[4], block[5], block[6], block[7]]),
            loss_rate: block[8],
            discard_rate: block[9],
            burst_density: block[10],
            gap_density: block[11],
            burst_millis: short(12),
            gap_millis: short(14),
            // Zero says that it is not known.
            round_trip_millis: Some(short(16)).filter(|millis| *millis != 0),
            rating: known(block[24]).filter(|rating| *rating <= 100),
            listening: score(block[26]),
            conversational: score(block[27]),
            concealment: match block[28] >> 6 {
                0b01 => Some(Concealment::Off),
                0b10 | 0b11 => Some(Concealment::On),
                _ => None,
            },
        }
    }

    /// Adds a report with this one block to a compound.
    pub(crate) fn write(&self, out: &mut Vec<u8>, ssrc: u32) {
        let score = |mos: Option<Mos>| mos.map_or(UNAVAILABLE, |mos| (mos.0 / 10) as u8);
        let concealment: u8 = match self.concealment {
            None => 0b00,
            Some(Concealment::Off) => 0b01,
            Some(Concealment::On) => 0b11,
        };
        write_packet(out, EXTENDED_REPORT, 0, |out| {
            out.extend(ssrc.to_be_bytes());
            out.extend([VOIP_METRICS, 0, 0, (BLOCK_LEN / 4 - 1) as u8]);
            out.extend(self.ssrc.to_be_bytes());
            out.extend([self.loss_rate, self.discard_rate, self.burst_density, self.gap_density]);
            // The delay of the end system is not measured, and so zero.
            let times = [self.burst_millis, self.gap_millis, self.round_trip_millis.unwrap_or(0), 0];
            out.extend(times.into_iter().flat_map(u16::to_be_bytes));
            // Levels of signal and noise and the echo's, which a relay does not look at.
            out.extend([UNAVAILABLE, UNAVAILABLE, UNAVAILABLE, GMIN]);
            out.extend([self.rating.unwrap_or(UNAVAILABLE), UNAVAILABLE]);
            out.extend([score(self.listening), score(self.conversational)]);
            // No word of a jitter buffer.
            out.extend([concealment << 6, 0, 0, 0, 0, 0, 0, 0]);
        });
    }
}

fn in_256ths(share: f64) -> u8 {
    (share * 256.0).min(255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::{Rtcp, packets};
    use proptest::prelude::*;

    fn losses() -> LossPattern {
        let mut losses = LossPattern::default();
        for packet in 0..100 {
            if [40, 45, 46, 90].contains(&packet) { losses.lost() } else { losses.received() }
        }
        losses
    }

    fn read(bytes: &[u8]) -> Option<VoipMetrics> {
        match packets(bytes).next() {
            Some(Ok(Rtcp::ExtendedReport { ssrc: 5, voip })) => voip,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rfc3611_4_7_metrics_are_read_as_they_were_written() {
        let round_trip = Some(Duration::from_millis(60));
        let metrics = VoipMetrics::of(9, &losses(), 20, round_trip).expect("packets came");
        let mut out = Vec::new();
        metrics.write(&mut out, 5);
        assert_eq!(out[..8], [0x80, 207, 0, 10, 0, 0, 0, 5]);
        assert_eq!(out[8..12], [7, 0, 0, 8]);
        let again = read(&out).expect("the block is there");
        // Scores go out in tenths.
        let coarse = |mos: Option<Mos>| mos.map(|mos| Mos(mos.0 / 10 * 10));
        let (listening, conversational) = (coarse(metrics.listening), coarse(metrics.conversational));
        assert_eq!(again, VoipMetrics { listening, conversational, ..metrics });
    }

    #[test]
    fn rfc3611_4_7_2_bursts_and_gaps_are_mean_lengths() {
        let metrics = VoipMetrics::of(9, &losses(), 20, None).expect("packets came");
        assert_eq!((metrics.loss_rate, metrics.burst_density, metrics.gap_density), (10, 109, 2));
        // One burst of 7 packets, and two gaps of 93 together.
        assert_eq!((metrics.burst_millis, metrics.gap_millis), (140, 930));
        assert_eq!((metrics.round_trip_millis, metrics.rating, metrics.conversational), (None, None, None));
        assert!(metrics.listening.is_some());
        assert_eq!(VoipMetrics::of(9, &LossPattern::default(), 20, None), None);
    }

    #[test]
    fn rfc3611_4_1_blocks_of_another_kind_are_passed_over() {
        let mut out = vec![0x80, 207, 0, 0, 0, 0, 0, 5, 4, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8];
        let mut block = Vec::new();
        VoipMetrics::of(9, &losses(), 20, None).expect("packets came").write(&mut block, 5);
        out.extend(&block[8..]);
        out[3] = (out.len() / 4 - 1) as u8;
        assert_eq!(read(&out).map(|metrics| metrics.ssrc), Some(9));
        assert_eq!(read(&[0x80, 207, 0, 1, 0, 0, 0, 5]), None);
        assert_eq!(read(&[0x80, 207, 0, 2, 0, 0, 0, 5, 7, 0, 0, 8]), None, "a block beyond the packet");
    }

    proptest! {
        #[test]
        fn any_blocks_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
            let _any = VoipMetrics::find(&bytes);
        }
    }
}
