//! Keys of parties that know no telephone-events: heard in their sound, and sent as sound.

use audio::dtmf::{DtmfDetector, DtmfGenerator, KeyTone};
use audio::{Law, MAX_SAMPLES, Rate};
use rtp::Codec;
use std::collections::VecDeque;

/// What one command may ask for; a minute and a half of tones.
const MAX_WAITING: usize = 512;

/// What is listened to and sent of a party's keys in band.
#[derive(Debug, Default)]
pub(super) struct InBand {
    detector: Option<Box<DtmfDetector>>,
    tones: VecDeque<DtmfGenerator>,
}

impl InBand {
    /// Whether keys are listened for: a party that sends telephone-events does not send them as sound too.
    pub(super) fn listen(&mut self, wanted: bool) {
        if wanted != self.detector.is_some() {
            self.detector = wanted.then(|| Box::new(DtmfDetector::default()));
        }
    }

    /// Listens to a packet of G.711, and tells each key that ended in it. Who speaks another codec knows
    /// telephone-events.
    pub(super) fn hear(&mut self, codec: Codec, payload: &[u8], tell: impl FnMut(audio::dtmf::KeyPress)) {
        let (Some(detector), Some(law)) = (&mut self.detector, Law::of(codec)) else { return };
        let mut samples = [0; MAX_SAMPLES];
        let count = law.decode(payload, &mut samples);
        detector.hear(&samples[..count], tell);
    }

    /// Queues a key that sounds for so many milliseconds and is followed by so many of silence; whether it is one, and
    /// there was room for it.
    #[must_use]
    pub(super) fn press(&mut self, key: char, on_millis: u32, off_millis: u32) -> bool {
        let tone = KeyTone { on_millis, off_millis, ..KeyTone::default() };
        let Some(tone) = DtmfGenerator::new(key, tone).ok().filter(|_| self.tones.len() < MAX_WAITING) else {
            return false;
        };
        self.tones.push_back(tone);
        true
    }

    /// Sends no more of the keys that wait.
    pub(super) fn release(&mut self) {
        self.tones.clear();
    }

    /// Whether keys are being sent.
    pub(super) fn is_sending(&self) -> bool {
        !self.tones.is_empty()
    }

    /// The sound of the keys, at [`Rate::Narrow`]; whether there is any.
    pub(super) fn fill(&mut self, sound: &mut [i16]) -> bool {
        let mut filled = 0;
        while let Some(tone) = self.tones.front_mut().filter(|_| filled < sound.len()) {
            filled += tone.fill(&mut sound[filled..]);
            if tone.is_over() {
                self.tones.pop_front();
            }
        }
        filled > 0
    }

    /// The rate of [`fill`](Self::fill).
    pub(super) const RATE: Rate = Rate::Narrow;
}
