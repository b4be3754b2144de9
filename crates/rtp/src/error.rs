use thiserror::Error;

/// What cannot be done with a datagram or a digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RtpError {
    /// A packet is shorter than its header says.
    #[error("the packet is cut short")]
    Truncated,
    /// A datagram is not version 2.
    #[error("the datagram is not RTP version 2")]
    Version,
    /// The padding is longer than the packet, or zero.
    #[error("the packet's padding is impossible")]
    Padding,
    /// A datagram, or a part of it, is longer than any that a gateway sends.
    #[error("the datagram has more than a gateway sends")]
    TooLong,
    /// A datagram is not UDPTL.
    #[error("the datagram is not UDPTL")]
    NotUdptl,
    /// A digit cannot wait to be sent: too many are waiting.
    #[error("too many digits are waiting to be sent")]
    TooManyDigits,
    /// A digit cannot be sent: the peer has no telephone-event, or nothing is agreed yet.
    #[error("the peer takes no telephone-events")]
    NoTelephoneEvent,
    /// A fingerprint cannot be read, or its hash is none that is safe.
    #[error("the certificate's fingerprint cannot be read")]
    Fingerprint,
    /// A character is no digit.
    #[error("{0:?} is not one of 0-9, *, #, A-D")]
    NotADigit(char),
}
