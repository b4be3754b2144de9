//! Sound between parties whose codecs differ: decoded by way of a jitter buffer, and encoded on the listener's own
//! beat.

use super::MediaThread;
use super::leg::Beat;
use audio::{Encoder, MAX_SAMPLES, Playout, Rate};
use clock::{Duration, Time};
use rtp::control::OpusFormat;
use rtp::{Codec, Header};

/// A party that has said nothing for so long is not waited for.
const QUIET: Duration = Duration::from_millis(500);

/// Packet durations that every codec can be sent in.
const MILLIS: [u8; 4] = [10, 20, 40, 60];

/// So many bytes of Opus, or fewer, say that nothing needs to be sent (DTX).
const OPUS_SILENCE: usize = 2;

/// Who hears a packet of ours.
#[derive(Clone, Copy, Debug)]
pub(super) enum Hears {
    Party,
    /// Only a recording of the party, which has something else of it.
    Recording,
}

/// A party's ears and voice, as far as its packets are not passed on as they are. Boxed, since most have neither.
#[derive(Debug, Default)]
pub(super) struct Transcoder {
    /// The party's sound, for a partner whose codec is another.
    ears: Option<Box<Playout>>,
    /// Our sound for the party.
    voice: Option<Box<Encoder>>,
    /// What a recording has in place of it, while that is something else.
    aside: Option<Box<Encoder>>,
    /// Samples that former ears have decoded, and those that they made up.
    decoded: u64,
    concealed: u64,
}

impl Transcoder {
    /// Takes a packet of the party's voice, to be decoded at that rate.
    pub(super) fn hear(&mut self, now: Time, header: &Header, codec: Codec, payload: &[u8], rate: Rate) {
        if self.ears.as_ref().is_some_and(|ears| ears.rate() != rate) {
            self.stop_hearing();
        }
        let ears = self.ears.get_or_insert_with(|| Box::new(Playout::new(rate)));
        ears.insert(now, header, codec, payload);
    }

    /// What the party says from now on, at that rate: silence if it says nothing.
    pub(super) fn pull(&mut self, now: Time, rate: Rate, sound: &mut [i16]) {
        match &mut self.ears {
            Some(ears) if ears.rate() == rate => ears.pull(now, sound),
            _ => sound.fill(0),
        }
    }

    /// Takes note of a packet of a key of the party.
    pub(super) fn skip(&mut self, header: &Header) {
        if let Some(ears) = &mut self.ears {
            ears.skip(header);
        }
    }

    /// Whether the party is decoded.
    pub(super) fn is_hearing(&self) -> bool {
        self.ears.is_some()
    }

    /// The party is decoded for nobody.
    pub(super) fn stop_hearing(&mut self) {
        if let Some(ears) = self.ears.take() {
            self.decoded += ears.stats().decoded;
            self.concealed += ears.stats().concealed;
        }
    }

    /// The party has nobody to hear and nobody who hears it.
    pub(super) fn fall_silent(&mut self) {
        self.stop_hearing();
        (self.voice, self.aside) = (None, None);
    }

    /// How much of the sound of the party was made up, in thousandths; `None` if none was decoded.
    pub(super) fn concealed_permille(&self) -> Option<u16> {
        let now = self.ears.as_ref().map_or_else(Default::default, |ears| ears.stats());
        let (decoded, concealed) = (self.decoded + now.decoded, self.concealed + now.concealed);
        // At most a thousand.
        (concealed * 1_000).checked_div(decoded + concealed).map(|share| share as u16)
    }

    /// Encodes one packet; how many bytes, or `None` if none is worth sending.
    pub(super) fn encode(
        &mut self,
        to: Hears,
        sound: &[i16],
        rate: Rate,
        (codec, opus): (Codec, OpusFormat),
        out: &mut [u8],
    ) -> Option<usize> {
        let encoder = match to {
            Hears::Party => &mut self.voice,
            Hears::Recording => &mut self.aside,
        };
        if encoder.as_ref().is_none_or(|encoder| !encoder.is(codec, rate, opus)) {
            *encoder = Encoder::new(codec, rate, opus).ok().map(Box::new);
        }
        encoder.as_mut()?.encode(sound, out).ok().filter(|bytes| *bytes > OPUS_SILENCE)
    }
}

impl MediaThread {
    /// Sends the stream in that slot the next packet of what its partner says, if that is decoded for it.
    pub(super) fn speak(&mut self, now: Time, slot: usize) -> Beat {
        let Some(leg) = self.legs.get_mut(slot) else { return Beat::Rest };
        let (Some(partner), Some(setup)) = (leg.partner, leg.setup()) else { return Beat::Rest };
        let millis = if MILLIS.contains(&setup.ptime) { setup.ptime } else { 20 };
        let Some(speaker) = self.legs.get_mut(partner) else { return Beat::Rest };
        if speaker.is_quiet(now, QUIET) {
            speaker.transcoder.stop_hearing();
        }
        let Some(ears) = &mut speaker.transcoder.ears else { return Beat::Rest };
        let rate = ears.rate();
        let mut room = [0; MAX_SAMPLES];
        let sound = &mut room[..usize::from(millis) * rate.per_milli()];
        ears.pull(now, sound);
        if let Some(leg) = self.legs.get_mut(slot) {
            leg.say(now, sound, rate, millis, &mut self.around);
        }
        Beat::Next(Duration::from_millis(millis.into()))
    }
}
