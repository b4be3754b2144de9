use serde::{Deserialize, Serialize};

/// A codec that the engine speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Codec {
    /// G.711 µ-law, static payload type 0.
    Pcmu,
    /// G.711 A-law, static payload type 8.
    Pcma,
    /// G.722 at 64 kbit/s, static payload type 9.
    G722,
    /// Opus (RFC 6716, RFC 7587), sent and heard as one channel.
    Opus,
    /// 16-bit samples in network order (RFC 3551 4.5.11) at 16 kHz, one channel.
    L16,
}

impl Codec {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Pcmu, Self::Pcma, Self::G722, Self::Opus, Self::L16];

    /// The encoding name of SDP.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::G722 => "G722",
            Self::Opus => "opus",
            Self::L16 => "L16",
        }
    }

    /// Timestamp units a second. G.722 counts 8,000 although it has 16,000 samples (RFC 3551 4.5.2), and
    /// Opus 48,000 whatever it carries (RFC 7587 4.1).
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => 8_000,
            Self::L16 => 16_000,
            Self::Opus => 48_000,
        }
    }

    /// The channels of `a=rtpmap`: RFC 7587 7 has Opus always say two.
    pub const fn channels(self) -> u8 {
        match self {
            Self::Opus => 2,
            Self::Pcmu | Self::Pcma | Self::G722 | Self::L16 => 1,
        }
    }

    /// The payload type that RFC 3551 assigns, if it assigns one.
    pub const fn static_type(self) -> Option<u8> {
        match self {
            Self::Pcmu => Some(0),
            Self::Pcma => Some(8),
            Self::G722 => Some(9),
            Self::Opus | Self::L16 => None,
        }
    }

    /// Bytes a millisecond, where that does not depend on the sound.
    pub const fn bytes_per_milli(self) -> Option<usize> {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => Some(8),
            Self::L16 => Some(32),
            Self::Opus => None,
        }
    }
}
