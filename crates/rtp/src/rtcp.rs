//! RTCP (RFC 3550 6): sender and receiver reports, and the end of a source.

use crate::xr::EXTENDED_REPORT;
use crate::{RtpError, VoipMetrics};

const VERSION: u8 = 2;
const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const BYE: u8 = 203;
const CNAME: u8 = 1;
const BLOCK_LEN: usize = 24;
const SENDER_INFO_LEN: usize = 20;

/// One packet of a compound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rtcp<'a> {
    /// From one who sends (RFC 3550 6.4.1).
    SenderReport {
        /// Whose report it is.
        ssrc: u32,
        /// What was sent.
        sender: SenderInfo,
        /// What was received.
        blocks: Blocks<'a>,
    },
    /// From one who only receives (RFC 3550 6.4.2).
    ReceiverReport {
        /// Whose report it is.
        ssrc: u32,
        /// What was received.
        blocks: Blocks<'a>,
    },
    /// A source has ended (RFC 3550 6.6); `None` if it names none.
    Bye(Option<u32>),
    /// What the sender of the report thinks of what it hears (RFC 3611).
    ExtendedReport {
        /// Whose report it is.
        ssrc: u32,
        /// The first block of VoIP metrics.
        voip: Option<VoipMetrics>,
    },
    /// Another packet type.
    Other(u8),
}

/// What the writer of a report has sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderInfo {
    /// The wall clock in NTP's format: seconds since 1900 in the upper half, fractions in the lower.
    pub ntp: u64,
    /// The same moment in RTP's timestamps.
    pub timestamp: u32,
    /// Packets sent.
    pub packets: u32,
    /// Payload bytes sent.
    pub octets: u32,
}

/// What the writer of a report has received of one source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportBlock {
    /// Whose packets.
    pub ssrc: u32,
    /// Lost since the last report, in 256ths.
    pub fraction_lost: u8,
    /// Lost in all, 24 bits; negative if repeated packets outweigh the lost ones.
    pub lost: i32,
    /// The highest extended sequence number.
    pub highest: u32,
    /// Interarrival jitter in timestamp units.
    pub jitter: u32,
    /// The middle 32 bits of the last sender report's NTP time.
    pub last_report: u32,
    /// Since that report came, in 65,536ths of a second.
    pub delay: u32,
}

/// The report blocks of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocks<'a>(&'a [u8]);

/// Reads a compound packet. The walk ends after the first packet that is cut short.
pub fn packets(datagram: &[u8]) -> impl Iterator<Item = Result<Rtcp<'_>, RtpError>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let split = split_packet(rest);
        rest = split.as_ref().map_or(&[], |(_, rest)| rest);
        Some(split.and_then(|(packet, _)| parse(packet)))
    })
}

/// Writes a compound of a report and the source's name (RFC 3550 6.1) in place of what `out` holds;
/// a sender report if there is something to say of sending, and metrics, if any, after it. A name is cut after 255 bytes.
pub fn write_report(
    out: &mut Vec<u8>,
    ssrc: u32,
    sender: Option<&SenderInfo>,
    block: Option<&ReportBlock>,
    metrics: Option<&VoipMetrics>,
    cname: &str,
) {
    out.clear();
    let kind = if sender.is_some() { SENDER_REPORT } else { RECEIVER_REPORT };
    write_packet(out, kind, u8::from(block.is_some()), |out| {
        out.extend(ssrc.to_be_bytes());
        if let Some(sender) = sender {
            out.extend(sender.ntp.to_be_bytes());
            out.extend(
                [sender.timestamp, sender.packets, sender.octets].into_iter().flat_map(u32::to_be_bytes),
            );
        }
        if let Some(block) = block {
            let lost = block.lost.clamp(-0x80_0000, 0x7F_FFFF).cast_unsigned() & 0xFF_FFFF;
            let lost = u32::from(block.fraction_lost) << 24 | lost;
            let words = [block.ssrc, lost, block.highest, block.jitter, block.last_report, block.delay];
            out.extend(words.into_iter().flat_map(u32::to_be_bytes));
        }
    });
    write_packet(out, SOURCE_DESCRIPTION, 1, |out| {
        let name = &cname.as_bytes()[..cname.len().min(255)];
        out.extend(ssrc.to_be_bytes());
        out.extend([CNAME, name.len() as u8]);
        out.extend(name);
        // The list of items ends with at least one zero.
        out.push(0);
    });
    if let Some(metrics) = metrics {
        metrics.write(out, ssrc);
    }
}

impl<'a> Blocks<'a> {
    /// Each block in its order.
    pub fn iter(&self) -> impl Iterator<Item = ReportBlock> + use<'a> {
        self.0.as_chunks::<BLOCK_LEN>().0.iter().map(|bytes| {
            let word = |index: usize| word_at(bytes, index * 4);
            ReportBlock {
                ssrc: word(0),
                fraction_lost: bytes[4],
                // Shifted up and down to extend the sign of 24 bits.
                lost: (word(1) << 8).cast_signed() >> 8,
                highest: word(2),
                jitter: word(3),
                last_report: word(4),
                delay: word(5),
            }
        })
    }
}

/// The first packet of a compound with its header, and the rest.
fn split_packet(bytes: &[u8]) -> Result<(&[u8], &[u8]), RtpError> {
    let [first, _, high, low, ..] = bytes else { return Err(RtpError::Truncated) };
    if first >> 6 != VERSION {
        return Err(RtpError::Version);
    }
    let len = (usize::from(u16::from_be_bytes([*high, *low])) + 1) * 4;
    bytes.split_at_checked(len).ok_or(RtpError::Truncated)
}

fn parse(packet: &[u8]) -> Result<Rtcp<'_>, RtpError> {
    let (&[first, kind, ..], body) = packet.split_first_chunk::<4>().ok_or(RtpError::Truncated)?;
    let count = usize::from(first & 0x1F);
    let ssrc = || body.first_chunk().map(|bytes| u32::from_be_bytes(*bytes)).ok_or(RtpError::Truncated);
    let blocks =
        |from: usize| body.get(from..from + count * BLOCK_LEN).map(Blocks).ok_or(RtpError::Truncated);
    Ok(match kind {
        SENDER_REPORT => {
            let blocks = blocks(4 + SENDER_INFO_LEN)?;
            let sender = SenderInfo {
                ntp: u64::from(word_at(body, 4)) << 32 | u64::from(word_at(body, 8)),
                timestamp: word_at(body, 12),
                packets: word_at(body, 16),
                octets: word_at(body, 20),
            };
            Rtcp::SenderReport { ssrc: ssrc()?, sender, blocks }
        }
        RECEIVER_REPORT => Rtcp::ReceiverReport { ssrc: ssrc()?, blocks: blocks(4)? },
        BYE if count == 0 => Rtcp::Bye(None),
        BYE => Rtcp::Bye(Some(ssrc()?)),
        EXTENDED_REPORT => Rtcp::ExtendedReport { ssrc: ssrc()?, voip: VoipMetrics::find(&body[4..]) },
        other => Rtcp::Other(other),
    })
}

/// Four bytes that are known to be there.
fn word_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

pub(crate) fn write_packet(out: &mut Vec<u8>, kind: u8, count: u8, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend([VERSION << 6 | count, kind, 0, 0]);
    body(out);
    while !(out.len() - start).is_multiple_of(4) {
        out.push(0);
    }
    // At most a header, a sender's part, one block and one name: far below 16 bits of words.
    let words = ((out.len() - start) / 4 - 1) as u16;
    out[start + 2..start + 4].copy_from_slice(&words.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SENDER: SenderInfo = SenderInfo { ntp: 0x1122_3344_5566_7788, timestamp: 9, packets: 8, octets: 7 };
    const BLOCK: ReportBlock = ReportBlock {
        ssrc: 0xAABB_CCDD,
        fraction_lost: 64,
        lost: -2,
        highest: 0x0001_0005,
        jitter: 12,
        last_report: 0x3344_5566,
        delay: 65_536,
    };

    #[test]
    fn rfc3550_6_4_reports_are_read_as_they_were_written() {
        let mut out = Vec::new();
        write_report(&mut out, 5, Some(&SENDER), Some(&BLOCK), None, "leg@ringdown");
        assert_eq!(out[..4], [0x81, 200, 0, 12]);
        assert!(crate::is_rtcp(&out));
        let read: Vec<_> = packets(&out).collect::<Result<_, _>>().unwrap();
        let [Rtcp::SenderReport { ssrc: 5, sender, blocks }, Rtcp::Other(SOURCE_DESCRIPTION)] = read[..]
        else {
            panic!("{read:?}");
        };
        assert_eq!(sender, SENDER);
        assert_eq!(blocks.iter().collect::<Vec<_>>(), [BLOCK]);

        write_report(&mut out, 5, None, None, None, "leg@ringdown");
        assert_eq!(out[..8], [0x80, 201, 0, 1, 0, 0, 0, 5]);
        // SSRC, item, length, 12 bytes of name, end, filled up to whole words.
        assert_eq!(out[8..12], [0x81, 202, 0, 5]);
        assert_eq!(out.len(), 32);
    }

    #[test]
    fn rfc3550_6_4_1_lost_packets_are_24_bits_with_a_sign() {
        for lost in [0, 1, -1, 0x7F_FFFF, -0x80_0000] {
            let mut out = Vec::new();
            write_report(&mut out, 5, None, Some(&ReportBlock { lost, ..BLOCK }), None, "x");
            let Some(Ok(Rtcp::ReceiverReport { blocks, .. })) = packets(&out).next() else { panic!() };
            assert_eq!(blocks.iter().next().unwrap().lost, lost);
            assert_eq!(blocks.iter().next().unwrap().fraction_lost, 64);
        }
    }

    #[test]
    fn rfc3550_6_6_bye_names_its_source_or_none() {
        assert_eq!(packets(&[0x81, 203, 0, 1, 0, 0, 0, 9]).next(), Some(Ok(Rtcp::Bye(Some(9)))));
        assert_eq!(packets(&[0x80, 203, 0, 0]).next(), Some(Ok(Rtcp::Bye(None))));
        assert_eq!(packets(&[0x81, 203, 0, 0]).next(), Some(Err(RtpError::Truncated)));
    }

    #[test]
    fn ast_2017_012_counts_and_lengths_beyond_the_packet_are_refused() {
        // 31 blocks promised, none there.
        assert_eq!(packets(&[0x9F, 201, 0, 1, 0, 0, 0, 5]).next(), Some(Err(RtpError::Truncated)));
        // A length beyond the datagram.
        assert_eq!(packets(&[0x80, 201, 0, 9, 0, 0, 0, 5]).next(), Some(Err(RtpError::Truncated)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let count = packets(&bytes).take(bytes.len() + 1).count();
            prop_assert!(count <= bytes.len());
        }

        #[test]
        fn a_damaged_report_is_read_without_a_panic(at in 0_usize..76, byte in any::<u8>()) {
            let mut out = Vec::new();
            write_report(&mut out, 5, Some(&SENDER), Some(&BLOCK), None, "leg@ringdown");
            prop_assert!(at < out.len());
            out[at] = byte;
            prop_assert!(packets(&out).count() <= out.len() / 4 + 1);
        }
    }
}
