use rtp::Codec;

/// Samples a second: that of the telephone, or that of wideband speech.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rate {
    /// 8 kHz.
    Narrow,
    /// 16 kHz.
    Wide,
}

impl Rate {
    /// What a codec holds at best.
    pub const fn of(codec: Codec) -> Self {
        match codec {
            Codec::Pcmu | Codec::Pcma => Self::Narrow,
            Codec::G722 | Codec::Opus | Codec::L16 => Self::Wide,
        }
    }

    /// Samples a second.
    pub const fn hz(self) -> u32 {
        match self {
            Self::Narrow => 8_000,
            Self::Wide => 16_000,
        }
    }

    /// Samples a millisecond.
    pub const fn per_milli(self) -> usize {
        self.hz() as usize / 1_000
    }
}
