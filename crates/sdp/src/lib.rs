//! Session descriptions (RFC 8866) and the offer/answer model (RFC 3264), without I/O.
//!
//! [`Session`] is a description read from or written to the wire, borrowed from its text;
//! [`Negotiation`] is one leg's side of offer/answer. Audio over RTP, plain, with keys from the
//! description (RFC 4568) or from a DTLS handshake (RFC 5763), is agreed on, or in its place fax by T.38, if the other
//! party of a call has it; every other media line is refused with port 0 in its place.

mod capability;
mod crypto;
mod description;
mod direction;
mod error;
mod handshake;
mod negotiation;
mod parse;
mod session;
mod t38;

pub use capability::Capability;
pub use crypto::{Crypto, LocalKeys, Need, Protection};
pub use direction::Direction;
pub use error::SdpError;
pub use handshake::{Handshake, LocalHandshake, LocalIce, Setup};
pub use negotiation::{Agreed, AgreedFormat, Negotiation};
pub use session::{Encoding, Format, Formats, Media, Origin, Rtcp, Session};
pub use t38::{ErrorCorrection, RateManagement, T38};
