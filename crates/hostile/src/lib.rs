//! What must hold of every input from the network, whoever sends it.
//!
//! One function for each kind of input; each panics where something does not hold, and returns for what is merely
//! broken. The fuzz targets in `fuzz/` call them with what the fuzzer finds, `tests/` with the corpora.

mod datagrams;
mod frames;
mod message;
mod node;
mod sdp;
mod stun;
mod uri;
mod wave;

pub use datagrams::{check, dtls, events, rtcp, rtp, udptl};
pub use frames::frames;
pub use message::message;
pub use sdp::sdp;
pub use stun::stun;
pub use uri::uri;
pub use wave::wave;
