//! What protects one stream, without I/O: SRTP by AES-CM with HMAC-SHA1 (RFC 3711) and by AES-GCM (RFC 7714).
//!
//! [`Outbound`] protects what goes to a peer, [`Inbound`] unprotects what comes from it. Nothing here allocates per
//! packet, and nothing is kept of a packet before its tag has proved whose it is.

mod derivation;
mod sources;
mod srtp;
mod transform;

pub use srtp::{Inbound, MAX_OVERHEAD, Outbound, Refused};
