use audio::{Encoder, Law, MAX_SAMPLES, Rate};
use rtp::Codec;
use rtp::control::OpusFormat;

/// What one packet of a codec holds whose length depends on the sound, in milliseconds.
pub(crate) const PACKET_MILLIS: u8 = 20;

/// A prompt as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Encoded {
    codec: Codec,
    bytes: Box<[u8]>,
    /// Where each packet ends, where packets are of different lengths.
    ends: Box<[u32]>,
}

impl Encoded {
    /// Encodes sound at [`Rate::of`] the codec.
    pub(crate) fn new(samples: &[i16], codec: Codec) -> Result<Self, audio::AudioError> {
        let rate = Rate::of(codec);
        let mut encoder = Encoder::new(codec, rate, OpusFormat::default())?;
        let frame = usize::from(PACKET_MILLIS) * rate.per_milli();
        let mut packet = [0; 2 * MAX_SAMPLES];
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for chunk in samples.chunks(frame) {
            let mut padded = [0; MAX_SAMPLES];
            padded[..chunk.len()].copy_from_slice(chunk);
            // G.722 takes samples by twos, Opus by whole packets.
            let (count, is_packet) = match codec.bytes_per_milli() {
                Some(_) => (chunk.len().next_multiple_of(2), false),
                None => (frame, true),
            };
            let length = encoder.encode(&padded[..count], &mut packet)?;
            bytes.extend_from_slice(&packet[..length]);
            ends.extend(is_packet.then_some(bytes.len() as u32));
        }
        Ok(Self { codec, bytes: bytes.into(), ends: ends.into() })
    }

    /// What it is encoded with.
    pub(crate) fn codec(&self) -> Codec {
        self.codec
    }

    /// What it takes of memory.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() + 4 * self.ends.len()
    }

    /// How many positions there are: bytes, or packets.
    pub(crate) fn end(&self) -> usize {
        if self.codec.bytes_per_milli().is_some() { self.bytes.len() } else { self.ends.len() }
    }

    /// The position after so many milliseconds.
    pub(crate) fn position(&self, millis: u32) -> usize {
        let position = match self.codec.bytes_per_milli() {
            Some(bytes) => millis as usize * bytes,
            None => (millis / u32::from(PACKET_MILLIS)) as usize,
        };
        position.min(self.end())
    }

    /// How many milliseconds lie before a position.
    pub(crate) fn millis(&self, position: usize) -> u32 {
        match self.codec.bytes_per_milli() {
            Some(bytes) => (position / bytes) as u32,
            None => position as u32 * u32::from(PACKET_MILLIS),
        }
    }

    /// All bytes, where a packet may begin and end anywhere.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// One packet, where they are of different lengths.
    pub(crate) fn packet(&self, number: usize) -> Option<&[u8]> {
        let end = *self.ends.get(number)? as usize;
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.bytes.get(start..end)
    }
}

/// Whether sound in one codec becomes sound in another byte by byte, and by which table if they differ.
pub(crate) fn translation(from: Codec, to: Codec) -> Option<Option<&'static [u8; 256]>> {
    if from == to {
        return Some(None);
    }
    Some(Law::of(from)?.table_to(Law::of(to)?))
}

/// Fills with what a codec sends of silence.
pub(crate) fn fill_silence(codec: Codec, bytes: &mut [u8]) {
    // The quietest code of both bands of G.722; L16 has zeros.
    let byte = match codec {
        Codec::Pcmu | Codec::Pcma => Law::of(codec).map_or(0, Law::silence),
        Codec::G722 => 0xFA,
        Codec::L16 | Codec::Opus => 0,
    };
    bytes.fill(byte);
}
