use hound::WavReader;
use std::path::Path;

/// Samples a second, everywhere in the tests.
const RATE: usize = 8000;
/// Sounds are compared in pieces of half a second.
const WINDOW: usize = RATE / 2;
/// How far a piece may lie from where the pieces before it put it: 40 ms.
const SLACK: usize = RATE * 40 / 1000;
/// A piece quieter than this RMS (about -46 dBFS) is silence and says nothing.
const SILENCE: f64 = 160.0;

/// Mono sound at 8 kHz.
#[derive(Clone, Debug)]
pub struct Sound(Vec<f64>);

/// How one sound is found again in another.
#[derive(Debug)]
pub struct Heard {
    /// Pieces of half a second that were loud enough to compare.
    pub windows: usize,
    /// The lowest correlation of a piece, 1 being the same.
    pub worst: f64,
    /// The highest one.
    pub best: f64,
    /// Between the earliest and the latest position of a piece against its expected one, in milliseconds.
    /// What was left out or came twice moves all that follows it, and shows here.
    pub drift_ms: f64,
}

impl Sound {
    /// Reads one channel of a WAV file.
    ///
    /// # Panics
    /// When it is no 16-bit WAV at a multiple of 8 kHz, or has no such channel.
    pub fn read(path: &Path, channel: usize) -> Self {
        let mut file = WavReader::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let spec = file.spec();
        assert!(channel < usize::from(spec.channels), "{} has no channel {channel}", path.display());
        let samples = file.samples::<i16>().map(|sample| f64::from(sample.expect("a 16-bit WAV")));
        let samples: Vec<f64> = samples.skip(channel).step_by(usize::from(spec.channels)).collect();
        Self::at(spec.sample_rate, &samples)
    }

    /// Samples at a multiple of 8 kHz. What that has more is averaged away, which is good enough to be known again.
    ///
    /// # Panics
    /// When it is no multiple.
    pub fn at(rate: u32, samples: &[f64]) -> Self {
        let factor = rate as usize / RATE;
        assert_eq!(rate as usize, factor * RATE, "the rate of a sound");
        Self(samples.chunks(factor).map(|chunk| chunk.iter().sum::<f64>() / factor as f64).collect())
    }

    /// Samples from -32768 to 32767.
    pub fn of(samples: Vec<f64>) -> Self {
        Self(samples)
    }

    /// Several files, one after the other.
    pub fn join<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Self {
        Self(paths.into_iter().flat_map(|path| Self::read(path, 0).0).collect())
    }

    /// Writes it as a mono 16-bit WAV.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 8000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut file = hound::WavWriter::create(path, spec).expect("a temporary folder");
        for &sample in &self.0 {
            let sample = sample.round().clamp(f64::from(i16::MIN), f64::from(i16::MAX));
            #[expect(clippy::cast_possible_truncation, reason = "clamped to the range of i16 above")]
            file.write_sample(sample as i16).expect("a temporary folder");
        }
        file.finalize().expect("a temporary folder");
    }

    /// Its length in seconds.
    pub fn seconds(&self) -> f64 {
        self.0.len() as f64 / RATE as f64
    }

    /// Its last `seconds`.
    pub fn last(&self, seconds: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds")]
        let samples = (seconds * RATE as f64) as usize;
        Self(self.0[self.0.len().saturating_sub(samples)..].to_vec())
    }

    /// Finds `sent` in this sound, half a second by half a second.
    ///
    /// # Panics
    /// When nothing of it is found at all.
    pub fn compare(&self, sent: &Sound) -> Heard {
        let (begin, end) = self.active().expect("something was heard");
        let offset = self.offset(sent, begin, end);
        let mut heard = Heard { windows: 0, worst: 1.0, best: 0.0, drift_ms: 0.0 };
        let (mut earliest, mut latest) = (isize::MAX, isize::MIN);
        for (index, piece) in sent.0.chunks_exact(WINDOW).enumerate() {
            let Some(at) = (index * WINDOW).checked_add_signed(offset) else { continue };
            let inside = at >= begin + SLACK && at + WINDOW + SLACK < end;
            if !inside || rms(piece) < SILENCE {
                continue;
            }
            let (found, likeness) = best(piece, &self.0[at - SLACK..at + WINDOW + SLACK]);
            let moved = found.cast_signed() - SLACK.cast_signed();
            (earliest, latest) = (earliest.min(moved), latest.max(moved));
            heard.windows += 1;
            heard.worst = heard.worst.min(likeness);
            heard.best = heard.best.max(likeness);
            heard.drift_ms = (latest - earliest) as f64 * 1000.0 / RATE as f64;
        }
        heard
    }

    /// The highest correlation of some pieces of what was heard with anything of `sent`: low if none of it was heard.
    pub fn likeness(&self, sent: &Sound) -> f64 {
        /// All would take minutes.
        const PIECES: usize = 8;
        let loud: Vec<&[f64]> = self.0.chunks_exact(WINDOW).filter(|piece| rms(piece) >= SILENCE).collect();
        let some = loud.iter().step_by(loud.len().div_ceil(PIECES).max(1));
        some.map(|piece| best(piece, &sent.0).1).fold(0.0, f64::max)
    }

    /// How many samples later than in `sent` its sound comes here: by the piece that is most like it of the loudest that
    /// were heard, in the first half, since `sent` may say the same again later. A phone that hid a loss in one piece has
    /// heard the others.
    fn offset(&self, sent: &Sound, begin: usize, end: usize) -> isize {
        let half = begin + (end - begin) / 2;
        let pieces = (begin..half.min(end.saturating_sub(WINDOW))).step_by(WINDOW / 2);
        let mut loudest: Vec<usize> = pieces.collect();
        loudest.sort_by(|&a, &b| rms(&self.0[b..b + WINDOW]).total_cmp(&rms(&self.0[a..a + WINDOW])));
        let compared = loudest.into_iter().take(3).map(|at| (at, best(&self.0[at..at + WINDOW], &sent.0)));
        let (at, (found, likeness)) =
            compared.max_by(|a, b| a.1.1.total_cmp(&b.1.1)).expect("more than half a second was heard");
        assert!(likeness > 0.6, "what was heard is not what was sent: correlation {likeness:.2} at best");
        at.cast_signed() - found.cast_signed()
    }

    fn active(&self) -> Option<(usize, usize)> {
        let frame = RATE / 50;
        let loud = |chunk: &[f64]| rms(chunk) >= SILENCE;
        let begin = self.0.chunks(frame).position(loud)?;
        let end = self.0.chunks(frame).rposition(loud)?;
        Some((begin * frame, ((end + 1) * frame).min(self.0.len())))
    }
}

fn rms(samples: &[f64]) -> f64 {
    (energy(samples) / samples.len().max(1) as f64).sqrt()
}

fn energy(samples: &[f64]) -> f64 {
    samples.iter().map(|sample| sample * sample).sum()
}

/// Where in `within` the piece fits best, and its normalised correlation there.
fn best(piece: &[f64], within: &[f64]) -> (usize, f64) {
    let own = energy(piece);
    let mut other = energy(&within[..piece.len()]);
    let mut found = (0, f64::MIN);
    for at in 0..=within.len() - piece.len() {
        let product: f64 = piece.iter().zip(&within[at..]).map(|(a, b)| a * b).sum();
        let likeness = product / (own * other).sqrt().max(1.0);
        if likeness > found.1 {
            found = (at, likeness);
        }
        if let Some(&next) = within.get(at + piece.len()) {
            other = (other + next * next - within[at] * within[at]).max(0.0);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise that is the same every time: a linear congruence.
    fn noise(seconds: usize) -> Sound {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 16) / 4.0 - 8192.0
        };
        Sound((0..seconds * RATE).map(|_| next()).collect())
    }

    #[test]
    fn the_same_sound_later_is_found_without_drift() {
        let sent = noise(6);
        let mut late = vec![0.0; 1000];
        late.extend(&sent.0);
        let heard = Sound(late).compare(&sent);
        assert!(heard.windows >= 9 && heard.worst > 0.99 && heard.drift_ms == 0.0, "{heard:?}");
    }

    #[test]
    fn a_packet_left_out_shows_as_drift() {
        let sent = noise(6);
        let mut cut = sent.clone();
        cut.0.drain(3 * RATE..3 * RATE + 160);
        let heard = cut.compare(&sent);
        assert!(heard.drift_ms >= 20.0, "{heard:?}");
    }

    #[test]
    fn a_packet_twice_shows_as_drift() {
        let sent = noise(6);
        let mut doubled = sent.clone();
        let again = sent.0[3 * RATE..3 * RATE + 160].to_vec();
        doubled.0.splice(3 * RATE..3 * RATE, again);
        let heard = doubled.compare(&sent);
        assert!(heard.drift_ms >= 20.0, "{heard:?}");
    }

    #[test]
    fn a_silent_gap_shows_in_the_correlation() {
        let sent = noise(6);
        let mut gap = sent.clone();
        gap.0[3 * RATE..3 * RATE + 2000].fill(0.0);
        let heard = gap.compare(&sent);
        assert!(heard.worst < 0.8, "{heard:?}");
    }
}
