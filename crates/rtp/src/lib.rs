//! RTP without I/O: packets, the names of codecs, digits and stream state, and the vocabulary between the switch
//! and the media engine ([`control`]).
//!
//! [`Stream`] is one leg's RTP in both directions. Nothing here allocates per packet, and time is an
//! argument.

mod codec;
pub mod control;
mod digits;
mod error;
mod loss;
mod packet;
mod quality;
mod reception;
mod reports;
mod rewriter;
pub mod rtcp;
mod security;
mod source;
mod stream;
pub mod udptl;
mod xr;

pub use codec::Codec;
pub use digits::{Digit, DigitDetector, DigitPacket, DigitSender};
pub use error::RtpError;
pub use loss::{Bursts, GMIN, LossPattern};
pub use packet::{HEADER_LEN, Header, Packet, header_len, is_rtcp};
pub use quality::{Concealment, Mos, Rating};
pub use reception::{Arrival, Reception};
pub use reports::Reports;
pub use rewriter::Rewriter;
pub use security::{
    DtlsParameters, DtlsRole, Fingerprint, Hash, IceCredentials, MasterKey, Security, SrtpKeys, Suite,
};
pub use source::{Source, Verdict};
pub use stream::{Content, DigitTick, Received, Stream};
pub use xr::VoipMetrics;
