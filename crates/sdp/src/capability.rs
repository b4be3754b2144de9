use crate::session::Encoding;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// One audio format that our side speaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capability {
    /// The encoding name of `a=rtpmap`, compared without case.
    pub encoding: Cow<'static, str>,
    /// Timestamp units a second.
    pub clock_rate: u32,
    /// Audio channels.
    pub channels: u8,
    /// The payload type that RFC 3551 assigns, if it assigns one.
    pub static_type: Option<u8>,
    /// Our `a=fmtp` parameters.
    pub fmtp: Option<Cow<'static, str>>,
}

impl Capability {
    /// G.711 µ-law.
    pub const PCMU: Self = Self::g711("PCMU", 0);
    /// G.711 A-law.
    pub const PCMA: Self = Self::g711("PCMA", 8);
    /// Digits as RFC 4733 events (0–9, *, #, A–D, flash) at the clock of G.711.
    pub const TELEPHONE_EVENT: Self = Self::telephone_event(8_000);

    /// Digits as RFC 4733 events at the clock of a codec.
    pub const fn telephone_event(clock_rate: u32) -> Self {
        Self {
            encoding: Cow::Borrowed("telephone-event"),
            clock_rate,
            channels: 1,
            static_type: None,
            fmtp: Some(Cow::Borrowed("0-16")),
        }
    }

    /// Whether this is RFC 4733's telephone-event rather than a codec.
    pub fn is_telephone_event(&self) -> bool {
        self.encoding.eq_ignore_ascii_case("telephone-event")
    }

    pub(crate) fn is(&self, encoding: &Encoding<'_>) -> bool {
        self.encoding.eq_ignore_ascii_case(encoding.name)
            && self.clock_rate == encoding.clock_rate
            && self.channels == encoding.channels
    }

    const fn g711(encoding: &'static str, static_type: u8) -> Self {
        Self {
            encoding: Cow::Borrowed(encoding),
            clock_rate: 8000,
            channels: 1,
            static_type: Some(static_type),
            fmtp: None,
        }
    }
}
