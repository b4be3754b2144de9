//! Opus in Ogg (RFC 7845), a stream of its own for each party, so that neither is heard in the other's channel.

use super::timeline::Pair;
use audio::{MAX_SAMPLES, Rate, StereoEncoder};
use ogg::{PacketWriteEndInfo, PacketWriter};
use std::io::{self, Write};

/// Ogg numbers the streams of a file; there is one.
const SERIAL: u32 = 1;
/// Granule positions count 48,000 a second, whatever the rate (RFC 7845 section 4).
const GRANULE_RATE: u64 = 48_000;
const PACKET_MILLIS: usize = 20;

/// A file that is being written.
pub(super) struct OpusFile<W: Write> {
    pages: PacketWriter<'static, W>,
    encoder: StereoEncoder,
    rate: Rate,
    /// Samples of the packet that is not full yet, left and right in turn.
    filling: Vec<i16>,
    /// The packet that is to be written next: it may have to end a page.
    waiting: Option<Vec<u8>>,
    /// Samples of each channel that are encoded, and that the decoder has to drop at the start.
    encoded: u64,
    skipped: u64,
}

impl<W: Write> OpusFile<W> {
    /// Writes the two headers.
    pub(super) fn new(to: W, rate: Rate) -> io::Result<Self> {
        let mut encoder = StereoEncoder::new(rate).map_err(io::Error::other)?;
        let skipped = u64::from(encoder.look_ahead());
        let mut pages = PacketWriter::new(to);
        let skip = (skipped * GRANULE_RATE / u64::from(rate.hz())) as u16;
        pages.write_packet(head(skip, rate), SERIAL, PacketWriteEndInfo::EndPage, 0)?;
        pages.write_packet(tags(), SERIAL, PacketWriteEndInfo::EndPage, 0)?;
        Ok(Self { pages, encoder, rate, filling: Vec::new(), waiting: None, encoded: 0, skipped })
    }

    /// Appends samples.
    pub(super) fn write(&mut self, pairs: impl Iterator<Item = Pair>) -> io::Result<()> {
        let full = 2 * PACKET_MILLIS * self.rate.per_milli();
        for pair in pairs {
            self.filling.extend(pair);
            if self.filling.len() == full {
                self.encode(PacketWriteEndInfo::NormalPacket)?;
            }
        }
        Ok(())
    }

    /// Ends the page, so that all packets so far can be played.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.write_waiting(PacketWriteEndInfo::EndPage, self.granule(self.encoded))?;
        self.pages.inner_mut().flush()
    }

    /// Encodes what is left, as much as the encoder holds back, and ends the stream where the sound ends.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let end = self.encoded + self.filling.len() as u64 / 2 + self.skipped;
        while self.encoded < end {
            self.filling.resize(2 * PACKET_MILLIS * self.rate.per_milli(), 0);
            self.encode(PacketWriteEndInfo::NormalPacket)?;
        }
        if self.waiting.is_none() {
            self.waiting = Some(Vec::new());
        }
        self.write_waiting(PacketWriteEndInfo::EndStream, self.granule(end))?;
        self.pages.inner_mut().flush()
    }

    /// Encodes the packet that is full, and writes the one before.
    fn encode(&mut self, end: PacketWriteEndInfo) -> io::Result<()> {
        let mut packet = [0; 2 * MAX_SAMPLES];
        let bytes = self.encoder.encode(&self.filling, &mut packet).map_err(io::Error::other)?;
        self.write_waiting(end, self.granule(self.encoded))?;
        self.encoded += self.filling.len() as u64 / 2;
        self.filling.clear();
        self.waiting = Some(packet[..bytes].to_vec());
        Ok(())
    }

    fn write_waiting(&mut self, end: PacketWriteEndInfo, granule: u64) -> io::Result<()> {
        match self.waiting.take() {
            Some(packet) => self.pages.write_packet(packet, SERIAL, end, granule),
            None => Ok(()),
        }
    }

    fn granule(&self, samples: u64) -> u64 {
        samples * GRANULE_RATE / u64::from(self.rate.hz())
    }
}

/// The identification header (RFC 7845 section 5.1): two channels, two streams, none of them coupled.
fn head(skip: u16, rate: Rate) -> Vec<u8> {
    let mut head = b"OpusHead\x01\x02".to_vec();
    head.extend(skip.to_le_bytes());
    head.extend(rate.hz().to_le_bytes());
    head.extend([0, 0]);
    // Channel mapping family 1: as many streams, coupled ones, and which stream each channel is.
    head.extend([1, 2, 0, 0, 1]);
    head
}

/// The comment header (RFC 7845 section 5.2), without comments.
fn tags() -> Vec<u8> {
    const VENDOR: &[u8] = b"Ringdown";
    let mut tags = b"OpusTags".to_vec();
    tags.extend((VENDOR.len() as u32).to_le_bytes());
    tags.extend(VENDOR);
    tags.extend(0_u32.to_le_bytes());
    tags
}

#[cfg(test)]
mod tests {
    use super::*;
    use ogg::PacketReader;
    use std::io::Cursor;

    /// Left a tone, right nothing, for so many milliseconds; flushed once a second.
    fn file(millis: usize, is_finished: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut file = OpusFile::new(&mut bytes, Rate::Narrow).expect("memory");
        let tone = |n: usize| [(8_000.0 * (n as f32 * 0.3).sin()) as i16, 0];
        for start in (0..millis * 8).step_by(8_000) {
            file.write((start..(start + 8_000).min(millis * 8)).map(tone)).expect("memory");
            file.flush().expect("memory");
        }
        if is_finished {
            file.finish().expect("memory");
        }
        bytes
    }

    /// The packets of sound, and the last granule position.
    fn packets(bytes: &[u8]) -> (Vec<Vec<u8>>, u64) {
        let mut reader = PacketReader::new(Cursor::new(bytes));
        let mut packets = Vec::new();
        let mut last = 0;
        while let Ok(Some(packet)) = reader.read_packet() {
            last = packet.absgp_page();
            packets.push(packet.data);
        }
        assert!(packets[0].starts_with(b"OpusHead") && packets[1].starts_with(b"OpusTags"));
        (packets.split_off(2), last)
    }

    #[test]
    fn rfc7845_4_the_last_granule_position_is_the_length_with_what_is_skipped() {
        let bytes = file(1_234, true);
        let skip = u64::from(u16::from_le_bytes([bytes[28 + 10], bytes[28 + 11]]));
        let (_, last) = packets(&bytes);
        assert_eq!(last - skip, 1_234 * 48);
    }

    #[test]
    fn a_party_is_not_heard_in_the_others_channel() {
        let (packets, _) = packets(&file(1_000, true));
        let mut decoder = audio::StereoDecoder::new(Rate::Narrow).expect("memory");
        let mut power = [0.0_f64; 2];
        for packet in &packets {
            let mut samples = [0; 2 * MAX_SAMPLES];
            let count = decoder.decode(packet, &mut samples).expect("a packet");
            for pair in samples[..2 * count].as_chunks::<2>().0 {
                (0..2).for_each(|channel| power[channel] += f64::from(pair[channel]).powi(2));
            }
        }
        assert!(power[0] > 1e10 && power[1] < power[0] / 1e6, "{power:?}");
    }

    #[test]
    fn a_file_that_was_cut_off_plays_up_to_its_last_second() {
        let whole = file(3_500, false);
        let (packets, last) = packets(&whole[..whole.len() - 7]);
        assert!(packets.len() >= 150, "{} packets", packets.len());
        assert!(last >= 3 * 48_000);
    }
}
