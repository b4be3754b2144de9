use crate::g711;
use serde::{Deserialize, Serialize};

/// A codec that the engine speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Codec {
    /// G.711 µ-law, static payload type 0.
    Pcmu,
    /// G.711 A-law, static payload type 8.
    Pcma,
}

impl Codec {
    /// The encoding name of SDP.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
        }
    }

    /// Timestamp units a second.
    pub const fn clock_rate(self) -> u32 {
        crate::CLOCK_RATE
    }

    /// The payload type that RFC 3551 assigns.
    pub const fn static_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
        }
    }

    /// The byte that decodes to silence.
    pub const fn silence(self) -> u8 {
        match self {
            Self::Pcmu => 0xFF,
            Self::Pcma => 0xD5,
        }
    }

    /// Decodes one sample a byte, as many as the shorter slice holds; how many.
    pub fn decode(self, encoded: &[u8], samples: &mut [i16]) -> usize {
        let table = match self {
            Self::Pcmu => &g711::MULAW_DECODE,
            Self::Pcma => &g711::ALAW_DECODE,
        };
        for (sample, byte) in samples.iter_mut().zip(encoded) {
            *sample = table[usize::from(*byte)];
        }
        samples.len().min(encoded.len())
    }

    /// Encodes one byte a sample, as many as the shorter slice holds; how many.
    pub fn encode(self, samples: &[i16], encoded: &mut [u8]) -> usize {
        let encode = match self {
            Self::Pcmu => g711::encode_mulaw,
            Self::Pcma => g711::encode_alaw,
        };
        for (byte, sample) in encoded.iter_mut().zip(samples) {
            *byte = encode(*sample);
        }
        samples.len().min(encoded.len())
    }

    /// What each byte of one codec is in another; `None` where they are the same.
    pub const fn transcode_table(from: Self, to: Self) -> Option<&'static [u8; 256]> {
        match (from, to) {
            (Self::Pcmu, Self::Pcma) => Some(&g711::MULAW_TO_ALAW),
            (Self::Pcma, Self::Pcmu) => Some(&g711::ALAW_TO_MULAW),
            (Self::Pcmu, Self::Pcmu) | (Self::Pcma, Self::Pcma) => None,
        }
    }
}
