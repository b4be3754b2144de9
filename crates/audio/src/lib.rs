//! Sound as samples, without I/O.
//!
//! `rtp` knows packets and what codecs are called; here is what they sound like. A sample is 16 bits and
//! one channel, everywhere, at one of two [`Rate`]s. Time and randomness are arguments, and nothing
//! allocates for a packet.
//!
//! [`Playout`] turns a party's packets into sound without holes; [`Encoder`] turns sound into packets.

pub mod amd;
mod conceal;
mod decoder;
mod delay;
pub mod dtmf;
mod encoder;
pub mod g711;
pub mod mix;
mod pitch;
mod playout;
pub mod progress;
mod rate;
mod resample;
mod spectrum;
mod stereo;
mod stretch;
pub mod tone;
mod wave;

pub use decoder::Decoder;
pub use encoder::Encoder;
pub use g711::Law;
pub use playout::{Playout, PlayoutStats};
pub use rate::Rate;
pub use resample::resample;
pub(crate) use resample::{Doubler, Halver};
pub use stereo::{StereoDecoder, StereoEncoder};
pub use wave::{amplitude, dbm0};

use thiserror::Error;

/// The most samples that one packet holds: 120 ms (RFC 7587 4.2) at 16 kHz.
pub const MAX_SAMPLES: usize = 120 * 16;

/// What could not be done with sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AudioError {
    /// A payload that its codec does not understand, or that is longer than [`MAX_SAMPLES`].
    #[error("a payload that is no {0}")]
    Payload(&'static str),
    /// libopus refused its settings or had no memory.
    #[error("Opus: {0}")]
    Opus(&'static str),
}
