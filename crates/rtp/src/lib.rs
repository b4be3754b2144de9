//! RTP without I/O: packets, codecs, digits and stream state, and the vocabulary between the switch
//! and the media engine ([`control`]).

pub mod control;

use serde::{Deserialize, Serialize};

/// A codec that the engine speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Codec {
    /// G.711 µ-law, static payload type 0.
    Pcmu,
    /// G.711 A-law, static payload type 8.
    Pcma,
}
