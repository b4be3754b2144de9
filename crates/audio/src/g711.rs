//! ITU-T G.711: tables built at compile time, on 16-bit samples.
//!
//! G.711 defines its codes on 14 (µ-law) and 13 bits (A-law); these are the upper bits of a 16-bit
//! sample, as in ITU-T G.191. The lower bits are cut off, also below zero: −1 has the magnitude 0.

use rtp::Codec;

/// The 16-bit sample of each µ-law byte (G.711 tables 2a and 2b, times 4).
pub static MULAW_DECODE: [i16; 256] = build_mulaw_decode();
/// The 16-bit sample of each A-law byte (G.711 tables 1a and 1b, times 8).
pub static ALAW_DECODE: [i16; 256] = build_alaw_decode();
/// The A-law byte nearest to each µ-law byte's value.
pub static MULAW_TO_ALAW: [u8; 256] = build_mulaw_to_alaw();
/// The µ-law byte nearest to each A-law byte's value.
pub static ALAW_TO_MULAW: [u8; 256] = build_alaw_to_mulaw();

/// The µ-law byte of each 14-bit sample, the negative ones in the upper half.
static MULAW_ENCODE: [u8; 1 << 14] = build_mulaw_encode();
/// The A-law byte of each 12-bit sample (the 13th bit decides nothing), the negative ones in the
/// upper half.
static ALAW_ENCODE: [u8; 1 << 12] = build_alaw_encode();

/// G.711 adds it to a 14-bit magnitude, so that each segment begins at a power of two.
const MULAW_BIAS: i32 = 33;
const MULAW_MAX: i32 = 8_158;
/// A-law inverts every other bit on the line.
const ALAW_MASK: u8 = 0x55;

/// Which of G.711's two codings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// µ-law, North America and Japan.
    Mu,
    /// A-law, elsewhere.
    A,
}

impl Law {
    /// The law of a codec, if it is G.711.
    pub const fn of(codec: Codec) -> Option<Self> {
        match codec {
            Codec::Pcmu => Some(Self::Mu),
            Codec::Pcma => Some(Self::A),
            Codec::G722 | Codec::Opus | Codec::L16 => None,
        }
    }

    /// The byte that decodes to silence.
    pub const fn silence(self) -> u8 {
        match self {
            Self::Mu => 0xFF,
            Self::A => 0xD5,
        }
    }

    /// Decodes one sample a byte, as many as the shorter slice holds; how many.
    pub fn decode(self, encoded: &[u8], samples: &mut [i16]) -> usize {
        let table = match self {
            Self::Mu => &MULAW_DECODE,
            Self::A => &ALAW_DECODE,
        };
        for (sample, byte) in samples.iter_mut().zip(encoded) {
            *sample = table[usize::from(*byte)];
        }
        samples.len().min(encoded.len())
    }

    /// Encodes one byte a sample, as many as the shorter slice holds; how many.
    pub fn encode(self, samples: &[i16], encoded: &mut [u8]) -> usize {
        let encode = match self {
            Self::Mu => encode_mulaw,
            Self::A => encode_alaw,
        };
        for (byte, sample) in encoded.iter_mut().zip(samples) {
            *byte = encode(*sample);
        }
        samples.len().min(encoded.len())
    }

    /// What each byte of this law is in another; `None` where they are the same.
    pub const fn table_to(self, other: Self) -> Option<&'static [u8; 256]> {
        match (self, other) {
            (Self::Mu, Self::A) => Some(&MULAW_TO_ALAW),
            (Self::A, Self::Mu) => Some(&ALAW_TO_MULAW),
            (Self::Mu, Self::Mu) | (Self::A, Self::A) => None,
        }
    }
}

/// The µ-law byte of a sample.
#[inline]
pub fn encode_mulaw(sample: i16) -> u8 {
    MULAW_ENCODE[usize::from(sample.cast_unsigned() >> 2)]
}

/// The A-law byte of a sample.
#[inline]
pub fn encode_alaw(sample: i16) -> u8 {
    ALAW_ENCODE[usize::from(sample.cast_unsigned() >> 4)]
}

const fn mulaw(sample14: i32) -> u8 {
    let magnitude = if sample14 < 0 { !sample14 } else { sample14 };
    let biased = if magnitude > MULAW_MAX { MULAW_MAX } else { magnitude } + MULAW_BIAS;
    let segment = biased.ilog2() - 5;
    let step = (biased >> (segment + 1)) & 0x0F;
    // Sent inverted, so that silence has many ones.
    let code = !((segment as u8) << 4 | step as u8) & 0x7F;
    if sample14 < 0 { code } else { code | 0x80 }
}

const fn alaw(sample12: i32) -> u8 {
    let magnitude = if sample12 < 0 { !sample12 } else { sample12 };
    let code = if magnitude < 32 {
        magnitude as u8
    } else {
        let segment = magnitude.ilog2() - 3;
        (segment as u8) << 4 | ((magnitude >> (segment - 1)) & 0x0F) as u8
    };
    (if sample12 < 0 { code } else { code | 0x80 }) ^ ALAW_MASK
}

const fn build_mulaw_encode() -> [u8; 1 << 14] {
    let mut table = [0; 1 << 14];
    let mut sample = -(1 << 13);
    while sample < 1 << 13 {
        table[(sample & 0x3FFF) as usize] = mulaw(sample);
        sample += 1;
    }
    table
}

const fn build_alaw_encode() -> [u8; 1 << 12] {
    let mut table = [0; 1 << 12];
    let mut sample = -(1 << 11);
    while sample < 1 << 11 {
        table[(sample & 0xFFF) as usize] = alaw(sample);
        sample += 1;
    }
    table
}

const fn build_mulaw_decode() -> [i16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let code = !(byte as u8);
        let step = (code & 0x0F) as i32;
        let segment = (code >> 4) & 0x07;
        let magnitude = (((2 * step + MULAW_BIAS) << segment) - MULAW_BIAS) as i16 * 4;
        table[byte] = if code & 0x80 != 0 { -magnitude } else { magnitude };
        byte += 1;
    }
    table
}

const fn build_alaw_decode() -> [i16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let code = byte as u8 ^ ALAW_MASK;
        let step = (code & 0x0F) as i16;
        let segment = (code >> 4) & 0x07;
        // The middle of the step; each segment but the first begins at 16 steps of its own.
        let magnitude = match segment {
            0 => (step << 4) + 8,
            _ => ((step << 4) + 0x108) << (segment - 1),
        };
        table[byte] = if code & 0x80 != 0 { magnitude } else { -magnitude };
        byte += 1;
    }
    table
}

const fn build_mulaw_to_alaw() -> [u8; 256] {
    let decoded = build_mulaw_decode();
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = alaw(decoded[byte] as i32 >> 4);
        byte += 1;
    }
    table
}

const fn build_alaw_to_mulaw() -> [u8; 256] {
    let decoded = build_alaw_decode();
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = mulaw(decoded[byte] as i32 >> 2);
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// G.711 table 2a column 3: where each µ-law segment ends, on 14 bits, and the width of its steps.
    const MULAW_SEGMENTS: [(i32, i32); 8] =
        [(31, 2), (95, 4), (223, 8), (479, 16), (991, 32), (2015, 64), (4063, 128), (8159, 256)];
    /// G.711 table 1a: the same for A-law, on 13 bits.
    const ALAW_SEGMENTS: [(i32, i32); 7] =
        [(64, 2), (128, 4), (256, 8), (512, 16), (1024, 32), (2048, 64), (4096, 128)];

    /// The decision values of a table: each step's lower end. In µ-law the first step is half as
    /// wide, since the one below zero has the other half.
    fn decision_values(segments: &[(i32, i32)], first_step: i32) -> Vec<i32> {
        let mut values = vec![0];
        let mut at = first_step;
        for (end, width) in segments {
            while at < *end {
                values.push(at);
                at += width;
            }
        }
        values
    }

    /// The number of the step that a magnitude lies in.
    fn step_of(values: &[i32], magnitude: i32) -> u8 {
        u8::try_from(values.partition_point(|value| *value <= magnitude) - 1).unwrap()
    }

    #[test]
    fn g711_table_2_encodes_every_sample() {
        let values = decision_values(&MULAW_SEGMENTS, 1);
        assert_eq!(values.len(), 128);
        for sample in i16::MIN..=i16::MAX {
            let sample14 = i32::from(sample) >> 2;
            let sign = if sample14 < 0 { 0x00 } else { 0x80 };
            let step = step_of(&values, if sample14 < 0 { -1 - sample14 } else { sample14 });
            assert_eq!(encode_mulaw(sample), sign | (0x7F - step), "sample {sample}");
        }
    }

    #[test]
    fn g711_table_1_encodes_every_sample() {
        let values = decision_values(&ALAW_SEGMENTS, 2);
        assert_eq!(values.len(), 128);
        for sample in i16::MIN..=i16::MAX {
            let sample13 = i32::from(sample) >> 3;
            let sign = if sample13 < 0 { 0x00 } else { 0x80 };
            let step = step_of(&values, if sample13 < 0 { -1 - sample13 } else { sample13 });
            assert_eq!(encode_alaw(sample), (sign | step) ^ 0x55, "sample {sample}");
        }
    }

    #[test]
    fn g711_decodes_to_the_middle_of_each_step() {
        let mut mulaw_ends = decision_values(&MULAW_SEGMENTS, 1);
        mulaw_ends.push(8159);
        let mut alaw_ends = decision_values(&ALAW_SEGMENTS, 2);
        alaw_ends.push(4096);
        for step in 0..128_u8 {
            let index = usize::from(step);
            // The first µ-law step reaches from −1 to 1.
            let middle = if step == 0 { 0 } else { (mulaw_ends[index] + mulaw_ends[index + 1]) * 2 };
            assert_eq!(i32::from(MULAW_DECODE[usize::from(0xFF - step)]), middle);
            assert_eq!(i32::from(MULAW_DECODE[usize::from(0x7F - step)]), -middle);
            let middle = (alaw_ends[index] + alaw_ends[index + 1]) * 4;
            assert_eq!(i32::from(ALAW_DECODE[usize::from((0x80 | step) ^ 0x55)]), middle);
            assert_eq!(i32::from(ALAW_DECODE[usize::from(step ^ 0x55)]), -middle);
        }
    }

    #[test]
    fn g711_every_byte_survives_decoding_and_encoding() {
        for byte in 0..=255_u8 {
            // µ-law has two zeros; the negative one comes back as the positive.
            let expected = if byte == 0x7F { 0xFF } else { byte };
            assert_eq!(encode_mulaw(MULAW_DECODE[usize::from(byte)]), expected);
            assert_eq!(encode_alaw(ALAW_DECODE[usize::from(byte)]), byte);
        }
    }

    #[test]
    fn the_direct_tables_are_decoding_and_encoding_in_one() {
        for byte in 0..=255_u8 {
            let index = usize::from(byte);
            assert_eq!(MULAW_TO_ALAW[index], encode_alaw(MULAW_DECODE[index]));
            assert_eq!(ALAW_TO_MULAW[index], encode_mulaw(ALAW_DECODE[index]));
        }
    }
}
