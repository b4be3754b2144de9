//! Sound as samples, without I/O.
//!
//! `rtp` knows packets and what codecs are called; here is what they sound like. A sample is 16 bits and
//! one channel, everywhere. Time and randomness are arguments.

pub mod amd;
pub mod dtmf;
pub mod g711;
pub mod progress;
mod resample;
mod spectrum;
pub mod tone;
mod wave;

pub use g711::Law;
pub use resample::decimate;
pub use wave::{amplitude, dbm0};
