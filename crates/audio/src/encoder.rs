use crate::decoder::opus_rate;
use crate::{AudioError, Doubler, Halver, Law, MAX_SAMPLES, Rate};
use audio_codec::Encoder as _;
use audio_codec::g722::G722Encoder;
use opusic_c::{Application, Channels, InbandFec};
use rtp::Codec;
use rtp::control::OpusFormat;
use std::fmt;

/// The bit rate of Opus where the peer sets no lower limit: speech is not told from the original above it.
const OPUS_BITRATE: u32 = 24_000;

/// How hard libopus tries, 0 to 10: beyond 5 it costs more than it gains for speech.
const OPUS_COMPLEXITY: u8 = 5;

/// The loss that the copies of in-band FEC are made for, in percent.
const OPUS_LOSS: u8 = 5;

/// One direction of sound, encoded packet by packet.
pub struct Encoder {
    codec: Codec,
    rate: Rate,
    opus: OpusFormat,
    kind: Kind,
}

enum Kind {
    G711 { law: Law, down: Option<Halver> },
    G722 { inner: Box<G722Encoder>, up: Option<Doubler> },
    L16(Option<Doubler>),
    Opus(opusic_c::Encoder),
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").field("codec", &self.codec).field("rate", &self.rate).finish()
    }
}

impl Encoder {
    /// An encoder from samples at `rate`; `opus` is what the peer asks of Opus.
    ///
    /// # Errors
    /// [`AudioError::Opus`].
    pub fn new(codec: Codec, rate: Rate, opus: OpusFormat) -> Result<Self, AudioError> {
        let law = |law| Kind::G711 { law, down: (rate == Rate::Wide).then(Halver::default) };
        let kind = match codec {
            Codec::Pcmu => law(Law::Mu),
            Codec::Pcma => law(Law::A),
            // The library's own way from 8 kHz gives a code that nobody understands.
            Codec::G722 => {
                Kind::G722 { inner: Box::default(), up: (rate == Rate::Narrow).then(Doubler::default) }
            }
            Codec::L16 => Kind::L16((rate == Rate::Narrow).then(Doubler::default)),
            Codec::Opus => {
                Kind::Opus(opus_encoder(rate, opus).map_err(|error| AudioError::Opus(error.message()))?)
            }
        };
        Ok(Self { codec, rate, opus, kind })
    }

    /// Whether it was made for that.
    pub fn is(&self, codec: Codec, rate: Rate, opus: OpusFormat) -> bool {
        (self.codec, self.rate, self.opus) == (codec, rate, opus)
    }

    /// Encodes samples of one packet (10, 20, 40 or 60 ms) into the start of `out`; how many bytes. A byte or
    /// two of Opus mean that nothing needs to be sent (DTX).
    ///
    /// # Errors
    /// [`AudioError::Opus`] for another duration, or an `out` that is too short; [`AudioError::Payload`] for
    /// more than [`MAX_SAMPLES`].
    pub fn encode(&mut self, samples: &[i16], out: &mut [u8]) -> Result<usize, AudioError> {
        let too_long = AudioError::Payload(self.codec.name());
        match &mut self.kind {
            Kind::G711 { law, down: None } => Ok(law.encode(samples, out)),
            Kind::G711 { law, down: Some(down) } => {
                let mut narrow = [0; MAX_SAMPLES];
                let count = down.run(samples, &mut narrow);
                Ok(law.encode(&narrow[..count], out))
            }
            Kind::G722 { inner, up: None } => inner.encode_into(samples, out).map_err(|_| too_long),
            Kind::G722 { inner, up: Some(up) } => {
                let mut wide = [0; MAX_SAMPLES];
                let count = up.run(samples, &mut wide);
                inner.encode_into(&wide[..count], out).map_err(|_| too_long)
            }
            Kind::L16(None) => Ok(write_l16(samples, out)),
            Kind::L16(Some(up)) => {
                let mut wide = [0; MAX_SAMPLES];
                let count = up.run(samples, &mut wide);
                Ok(write_l16(&wide[..count], out))
            }
            Kind::Opus(inner) => inner
                .encode_to_slice(bytemuck::cast_slice(samples), out)
                .map_err(|error| AudioError::Opus(error.message())),
        }
    }
}

fn opus_encoder(rate: Rate, format: OpusFormat) -> Result<opusic_c::Encoder, opusic_c::ErrorCode> {
    let mut inner = opusic_c::Encoder::new(Channels::Mono, opus_rate(rate), Application::Voip)?;
    let limit = format.max_bitrate.unwrap_or(OPUS_BITRATE);
    inner.set_bitrate(opusic_c::Bitrate::Value(limit.clamp(6_000, OPUS_BITRATE)))?;
    inner.set_complexity(OPUS_COMPLEXITY)?;
    inner.set_dtx(format.dtx)?;
    if format.fec {
        inner.set_inband_fec(InbandFec::Mode1)?;
        inner.set_packet_loss(OPUS_LOSS)?;
    }
    Ok(inner)
}

fn write_l16(samples: &[i16], out: &mut [u8]) -> usize {
    let pairs = out.as_chunks_mut::<2>().0;
    for (bytes, sample) in pairs.iter_mut().zip(samples) {
        *bytes = sample.to_be_bytes();
    }
    2 * pairs.len().min(samples.len())
}
