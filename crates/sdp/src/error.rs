use thiserror::Error;

/// Why a description or a step of offer/answer was refused. The state before the step stands.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SdpError {
    /// The body does not begin with `v=`.
    #[error("the body is not a session description: it does not begin with v=")]
    NotSdp,
    /// A line that offer/answer needs cannot be read.
    #[error("line {line} of the session description is malformed")]
    Malformed {
        /// Counted from 1.
        line: usize,
    },
    /// More of something than is ever reasonable.
    #[error("the session description has too many {what}: more than {limit}")]
    TooMany {
        /// Bytes, lines, media or formats.
        what: &'static str,
        /// How many are read.
        limit: usize,
    },
    /// No audio over RTP in a profile that we speak.
    #[error("the session description has no audio over RTP")]
    NoAudio,
    /// Audio, but no codec of ours.
    #[error("no common codec")]
    NoCommonCodec,
    /// Encrypted audio, but no crypto suite of ours with a whole key and no more conditions than we can meet.
    #[error("no common crypto suite with a usable key")]
    NoCommonSuite,
    /// Audio with keys by DTLS, but without a fingerprint that we know, a role or ICE; or this node has no certificate.
    #[error("no DTLS handshake can be made by what the description says")]
    NoHandshake,
    /// Fax that cannot be had: no T.38 over UDPTL that is switched on, or there is no audio yet, or an encrypted one, whose
    /// place nothing in the clear may take.
    #[error("no T.38 can take the place of the audio")]
    NoFax,
    /// Audio in the clear where it has to be encrypted.
    #[error("the audio is not encrypted, and it has to be")]
    Unprotected,
    /// The chosen audio has no unicast IP address: no `c=`, a host name, or multicast.
    #[error("the audio has no unicast IP address in c=")]
    NoAddress,
    /// An offer came while ours was unanswered (glare).
    #[error("an offer came while ours is unanswered")]
    OfferPending,
    /// An answer came without an offer of ours.
    #[error("an answer came without an offer")]
    UnexpectedAnswer,
}

impl SdpError {
    /// The SIP status that refuses a request with such a description.
    pub const fn status(&self) -> u16 {
        match self {
            Self::NotSdp | Self::Malformed { .. } | Self::TooMany { .. } | Self::UnexpectedAnswer => 400,
            // RFC 3261 21.4.26
            Self::NoAudio
            | Self::NoCommonCodec
            | Self::NoCommonSuite
            | Self::NoHandshake
            | Self::NoFax
            | Self::Unprotected
            | Self::NoAddress => 488,
            // RFC 3261 14.2
            Self::OfferPending => 491,
        }
    }
}
