//! Two parties in one Opus packet, each a stream of its own (RFC 7845 section 5.1.1).

use crate::decoder::opus_rate;
use crate::{AudioError, Rate};
use opusic_c::multistream::{Config, Decoder, Encoder};
use opusic_c::{Application, Bitrate};
use std::fmt;

/// Of both parties together.
const BITRATE: u32 = 48_000;

/// Two streams, none of them coupled: a channel is a stream.
const fn config() -> Config<2> {
    Config::new(2, 0, [0, 1])
}

const fn opus(error: opusic_c::ErrorCode) -> AudioError {
    AudioError::Opus(error.message())
}

/// Encodes the two channels of a recording.
pub struct StereoEncoder(Encoder);

impl StereoEncoder {
    /// From samples at that rate.
    ///
    /// # Errors
    /// [`AudioError::Opus`].
    pub fn new(rate: Rate) -> Result<Self, AudioError> {
        let mut encoder = Encoder::new(config(), opus_rate(rate), Application::Voip).map_err(opus)?;
        encoder.set_bitrate(Bitrate::Value(BITRATE)).map_err(opus)?;
        Ok(Self(encoder))
    }

    /// Samples of a channel by which the sound comes later than it was.
    pub fn look_ahead(&mut self) -> u32 {
        self.0.get_look_ahead().unwrap_or(0)
    }

    /// Encodes a packet of left and right in turn; how many bytes.
    ///
    /// # Errors
    /// [`AudioError::Opus`] for a duration that is none of Opus.
    pub fn encode(&mut self, samples: &[i16], out: &mut [u8]) -> Result<usize, AudioError> {
        self.0.encode_to_slice(bytemuck::cast_slice(samples), out).map_err(opus)
    }
}

impl fmt::Debug for StereoEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StereoEncoder")
    }
}

/// Decodes what [`StereoEncoder`] made.
pub struct StereoDecoder(Decoder);

impl StereoDecoder {
    /// To samples at that rate.
    ///
    /// # Errors
    /// [`AudioError::Opus`].
    pub fn new(rate: Rate) -> Result<Self, AudioError> {
        Decoder::new(config(), opus_rate(rate)).map(Self).map_err(opus)
    }

    /// Decodes a packet to left and right in turn; how many samples a channel.
    ///
    /// # Errors
    /// [`AudioError::Opus`].
    pub fn decode(&mut self, packet: &[u8], out: &mut [i16]) -> Result<usize, AudioError> {
        self.0.decode_to_slice(packet, bytemuck::cast_slice_mut(out), false).map_err(opus)
    }
}

impl fmt::Debug for StereoDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StereoDecoder")
    }
}
