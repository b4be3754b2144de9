//! What protects one stream, without I/O: SRTP by AES-CM with HMAC-SHA1 (RFC 3711) and by AES-GCM (RFC 7714), and for
//! browsers DTLS-SRTP (RFC 5764) between addresses that ICE (RFC 8445) has checked.
//!
//! [`IceLite`] answers a peer's checks, [`Dtls`] makes keys with it. [`Outbound`] protects what goes to a peer, [`Inbound`] unprotects what comes from it. Nothing here allocates per
//! packet, and nothing is kept of a packet before its tag has proved whose it is.

mod derivation;
mod dtls;
mod ice;
mod sources;
mod srtp;
mod stun;
mod transform;

pub use dtls::{Dtls, DtlsError, Identity};
pub use ice::{Answer, IceLite};
pub use srtp::{Inbound, MAX_OVERHEAD, Outbound, Refused};
