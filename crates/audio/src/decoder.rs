use crate::conceal::Concealer;
use crate::{AudioError, Doubler, Halver, Law, MAX_SAMPLES, Rate};
use audio_codec::Decoder as _;
use audio_codec::g722::{Bitrate, G722Decoder};
use opusic_c::{Channels, SampleRate};
use rtp::Codec;
use std::fmt;

/// One direction of sound, decoded packet by packet, and made up where packets are missing.
pub struct Decoder {
    codec: Codec,
    rate: Rate,
    kind: Kind,
}

enum Kind {
    G711 { law: Law, up: Option<Doubler>, concealer: Concealer },
    G722 { inner: Box<G722Decoder>, concealer: Concealer },
    L16 { down: Option<Halver>, concealer: Concealer },
    Opus(opusic_c::Decoder),
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder").field("codec", &self.codec).field("rate", &self.rate).finish()
    }
}

impl Decoder {
    /// A decoder of `codec` to samples at `rate`.
    ///
    /// # Errors
    /// [`AudioError::Opus`].
    pub fn new(codec: Codec, rate: Rate) -> Result<Self, AudioError> {
        let concealer = || Concealer::new(rate);
        let law =
            |law| Kind::G711 { law, up: (rate == Rate::Wide).then(Doubler::default), concealer: concealer() };
        let kind = match codec {
            Codec::Pcmu => law(Law::Mu),
            Codec::Pcma => law(Law::A),
            Codec::G722 => {
                let narrow = rate == Rate::Narrow;
                let inner = Box::new(G722Decoder::with_options(Bitrate::Mode1_64000, false, narrow));
                Kind::G722 { inner, concealer: concealer() }
            }
            Codec::L16 => {
                Kind::L16 { down: (rate == Rate::Narrow).then(Halver::default), concealer: concealer() }
            }
            Codec::Opus => {
                let inner = opusic_c::Decoder::new(Channels::Mono, opus_rate(rate));
                Kind::Opus(inner.map_err(|error| AudioError::Opus(error.message()))?)
            }
        };
        Ok(Self { codec, rate, kind })
    }

    /// What is decoded.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// How many samples a payload holds, at this decoder's rate.
    ///
    /// # Errors
    /// [`AudioError::Payload`].
    pub fn samples(&self, payload: &[u8]) -> Result<usize, AudioError> {
        let count = match &self.kind {
            Kind::G711 { .. } | Kind::G722 { .. } => payload.len() * self.rate.per_milli() / 8,
            Kind::L16 { .. } => payload.len() / 2 * self.rate.per_milli() / 16,
            Kind::Opus(inner) => inner.get_nb_samples(payload).unwrap_or(0),
        };
        if (1..=MAX_SAMPLES).contains(&count) { Ok(count) } else { Err(self.malformed()) }
    }

    /// Decodes a payload into the start of `out`, which should hold [`MAX_SAMPLES`]; how many samples.
    ///
    /// # Errors
    /// [`AudioError::Payload`]; nothing has been heard then.
    pub fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> Result<usize, AudioError> {
        let count = self.samples(payload)?;
        let malformed = self.malformed();
        let out = out.get_mut(..count).ok_or(malformed)?;
        let concealer = match &mut self.kind {
            Kind::Opus(inner) => {
                let decoded = inner.decode_to_slice(payload, bytemuck::cast_slice_mut(out), false);
                return decoded.map_err(|_| malformed);
            }
            Kind::G711 { law, up: None, concealer } => {
                law.decode(payload, out);
                concealer
            }
            Kind::G711 { law, up: Some(up), concealer } => {
                let mut narrow = [0; MAX_SAMPLES / 2];
                let narrow = &mut narrow[..payload.len()];
                law.decode(payload, narrow);
                up.run(narrow, out);
                concealer
            }
            Kind::G722 { inner, concealer } => {
                inner.decode_into(payload, out).map_err(|_| malformed)?;
                concealer
            }
            Kind::L16 { down: None, concealer } => {
                read_l16(payload, out);
                concealer
            }
            Kind::L16 { down: Some(down), concealer } => {
                let mut wide = [0; MAX_SAMPLES];
                let wide = wide.get_mut(..2 * count).ok_or(malformed)?;
                read_l16(payload, wide);
                down.run(wide, out);
                concealer
            }
        };
        concealer.heard(out);
        Ok(count)
    }

    /// Makes up the sound of a packet that is missing; it fades within 60 ms.
    pub fn conceal(&mut self, out: &mut [i16]) {
        match &mut self.kind {
            Kind::G711 { concealer, .. } | Kind::G722 { concealer, .. } | Kind::L16 { concealer, .. } => {
                concealer.conceal(out);
            }
            Kind::Opus(inner) => conceal_opus(inner, &[], out),
        }
    }

    /// Makes up the sound of a packet that is missing while the one after it has come: Opus may carry a copy
    /// in it (in-band FEC, RFC 6716 2.1.7).
    pub fn recover(&mut self, following: &[u8], out: &mut [i16]) {
        match &mut self.kind {
            Kind::Opus(inner) => conceal_opus(inner, following, out),
            _ => self.conceal(out),
        }
    }

    const fn malformed(&self) -> AudioError {
        AudioError::Payload(self.codec.name())
    }
}

/// Silence if libopus refuses, which it does only for lengths that are no multiple of 2.5 ms.
fn conceal_opus(inner: &mut opusic_c::Decoder, following: &[u8], out: &mut [i16]) {
    let has_copy = !following.is_empty();
    let done = inner.decode_to_slice(following, bytemuck::cast_slice_mut(out), has_copy).unwrap_or(0);
    out[done..].fill(0);
}

fn read_l16(payload: &[u8], out: &mut [i16]) {
    for (sample, bytes) in out.iter_mut().zip(payload.as_chunks::<2>().0) {
        *sample = i16::from_be_bytes(*bytes);
    }
}

pub(crate) const fn opus_rate(rate: Rate) -> SampleRate {
    match rate {
        Rate::Narrow => SampleRate::Hz8000,
        Rate::Wide => SampleRate::Hz16000,
    }
}
