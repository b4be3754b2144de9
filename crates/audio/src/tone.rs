//! Tones of the telephone network: sums of sines with a cadence, at 8 kHz.
//!
//! What sounds in which country is in [`network`]; here is how it is made.

use crate::wave::{EDGE, Oscillator, SAMPLE_RATE, amplitude, edge};

pub mod network;

const SAMPLES_PER_MILLI: u32 = SAMPLE_RATE / 1_000;

/// What sounds in a section of a tone; frequencies in Hz.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wave {
    /// Nothing.
    Silence,
    /// One sine.
    Sine(u16),
    /// Two sines of the same level (`f1+f2` in E.180 supplement 2).
    Pair(u16, u16),
    /// A carrier that is modulated in amplitude, to its full depth, by a lower frequency
    /// (`f1×f2` in E.180 supplement 2).
    Modulated {
        /// The carrier.
        carrier: u16,
        /// What it is modulated by.
        by: u16,
    },
}

/// A part of a tone's cadence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Section {
    /// What sounds.
    pub wave: Wave,
    /// How loud, in dBm0, all sines together.
    pub dbm0: f32,
    /// For how long.
    pub millis: u32,
}

/// A tone: what sounds, when, and whether it begins again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tone {
    /// One round of the cadence. A tone without pauses is one section of whole seconds, so that each
    /// of its sines ends where it began.
    pub sections: &'static [Section],
    /// Whether the cadence begins again when it is over.
    pub loops: bool,
}

/// A round of a tone's cadence as samples, to be played like a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// 8 kHz, one channel.
    pub samples: Vec<i16>,
    /// Whether playing goes on with the first sample after the last one; there is no click there.
    pub loops: bool,
}

/// Makes a tone in frames of any length; nothing is allocated.
#[derive(Clone, Debug)]
pub struct ToneGenerator {
    tone: Tone,
    section: usize,
    /// Samples of the section that were made.
    at: u32,
    sines: [Oscillator; 3],
}

impl Tone {
    /// One round of the cadence.
    pub fn render(self) -> Rendered {
        let length: u32 = self.sections.iter().map(|section| section.samples()).sum();
        let mut samples = vec![0; length as usize];
        ToneGenerator::new(self).fill(&mut samples);
        Rendered { samples, loops: self.loops }
    }

    /// Whether it sounds without a pause or a change: no section has edges then.
    const fn is_continuous(&self) -> bool {
        self.loops && self.sections.len() == 1
    }
}

impl Section {
    const fn samples(&self) -> u32 {
        self.millis * SAMPLES_PER_MILLI
    }

    /// The sines that the section is a sum of, each at its phase 0: full modulation of a sine by a
    /// cosine is that sine and two of half its amplitude beside it.
    fn sines(&self) -> [Oscillator; 3] {
        let all = amplitude(self.dbm0);
        let [a, b, c] = match self.wave {
            Wave::Silence => [(0, 0.0); 3],
            Wave::Sine(hz) => [(hz, 1.0), (0, 0.0), (0, 0.0)],
            Wave::Pair(low, high) => [(low, 0.5_f32.sqrt()), (high, 0.5_f32.sqrt()), (0, 0.0)],
            Wave::Modulated { carrier, by } => {
                // One and a half times the power of the carrier alone.
                let part = 1.5_f32.sqrt().recip();
                [(carrier, part), (carrier - by, part / 2.0), (carrier + by, part / 2.0)]
            }
        };
        [a, b, c].map(|(hz, part)| Oscillator::new(f32::from(hz), all * part))
    }
}

impl ToneGenerator {
    /// Begins a tone.
    pub fn new(tone: Tone) -> Self {
        let sines = tone.sections.first().map_or([Oscillator::SILENT; 3], Section::sines);
        Self { tone, section: 0, at: 0, sines }
    }

    /// Fills a frame; how many of its samples belong to the tone. Those behind the end of a tone that
    /// does not loop are silence.
    pub fn fill(&mut self, frame: &mut [i16]) -> usize {
        for done in 0..frame.len() {
            match self.next() {
                Some(sample) => frame[done] = sample,
                None => {
                    frame[done..].fill(0);
                    return done;
                }
            }
        }
        frame.len()
    }

    fn next(&mut self) -> Option<i16> {
        let mut section = self.tone.sections.get(self.section)?;
        // A loop of sections without length would never end.
        for _ in 0..=self.tone.sections.len() {
            if self.at < section.samples() {
                break;
            }
            section = self.enter_next()?;
        }
        let sum: f32 = self.sines.iter_mut().map(Oscillator::next).sum();
        let gain = if self.tone.is_continuous() { 1.0 } else { edge(self.at, section.samples()) };
        self.at += 1;
        Some((sum * gain).round() as i16)
    }

    fn enter_next(&mut self) -> Option<&'static Section> {
        self.section += 1;
        if self.section >= self.tone.sections.len() && self.tone.loops {
            self.section = 0;
        }
        let section = self.tone.sections.get(self.section)?;
        self.at = 0;
        self.sines = section.sines();
        Some(section)
    }
}

const _: () = assert!(EDGE < 10 * SAMPLES_PER_MILLI, "the shortest section has room for both edges");

#[cfg(test)]
mod tests {
    use super::network::{self, NETWORKS, NetworkTones};
    use super::*;
    use crate::wave::dbm0;

    fn tones(row: &NetworkTones) -> [Tone; 5] {
        [row.dial, row.ringback, row.busy, row.congestion, row.call_waiting]
    }

    fn all_tones() -> impl Iterator<Item = Tone> {
        let common = [
            network::SPECIAL_INFORMATION,
            network::RECORD_BEEP,
            network::RECORDER_WARNING,
            network::CNG,
            network::CED,
        ];
        NETWORKS.iter().flat_map(tones).chain(common)
    }

    #[test]
    fn each_sounding_section_has_its_level() {
        for tone in all_tones() {
            let samples = tone.render().samples;
            let mut begin = 0;
            for section in tone.sections {
                let end = begin + section.samples() as usize;
                let edge = EDGE as usize;
                match section.wave {
                    Wave::Silence => assert!(samples[begin..end].iter().all(|s| *s == 0), "{tone:?}"),
                    // A whole period of a modulation, or of a beat, of at least 10 Hz.
                    _ if section.millis >= 120 => {
                        let steady = &samples[begin + edge..begin + edge + 800];
                        let level = dbm0(steady);
                        assert!((level - section.dbm0).abs() < 0.6, "{level} instead of {section:?}");
                    }
                    _ => {}
                }
                begin = end;
            }
        }
    }

    #[test]
    fn nothing_clicks_at_an_edge_nor_where_a_loop_begins_again() {
        for tone in all_tones() {
            let Rendered { mut samples, loops } = tone.render();
            if loops {
                samples.extend_from_within(..8.min(samples.len()));
            }
            let loudest = tone.sections.iter().map(|section| section.dbm0).fold(f32::MIN, f32::max);
            let highest = tone.sections.iter().map(|section| section.highest_hz()).max().unwrap();
            // How fast a sine of this frequency changes at most; the sum of two has 3 dB more, a
            // modulated carrier 4.3.
            let steepest = std::f32::consts::TAU * f32::from(highest) / 8_000.0 * amplitude(loudest) * 1.65;
            for pair in samples.windows(2) {
                let jump = f32::from(pair[1]) - f32::from(pair[0]);
                assert!(jump.abs() <= steepest + 2.0, "{jump} in {tone:?}, at most {steepest}");
            }
        }
    }

    #[test]
    fn each_section_comes_and_goes_softly() {
        for tone in all_tones().filter(|tone| !tone.is_continuous()) {
            let samples = tone.render().samples;
            let mut begin = 0;
            for section in tone.sections {
                let end = begin + section.samples() as usize;
                // A twentieth of the edge's way up within its first three samples.
                let most = 0.08 * amplitude(section.dbm0) + 1.0;
                for sample in samples[begin..begin + 3].iter().chain(&samples[end - 3..end]) {
                    assert!(f32::from(*sample).abs() <= most, "{sample} of {most} in {tone:?}");
                }
                begin = end;
            }
        }
    }

    #[test]
    fn frames_of_any_length_make_the_same_samples() {
        for tone in all_tones() {
            let whole = tone.render().samples;
            let mut generator = ToneGenerator::new(tone);
            let mut pieces = vec![0; whole.len() + 100];
            for (index, frame) in pieces.chunks_mut(97).enumerate() {
                let made = generator.fill(frame);
                let wanted = if tone.loops { 97 } else { whole.len().saturating_sub(index * 97) };
                assert_eq!(made, wanted.min(frame.len()));
            }
            assert_eq!(pieces[..whole.len()], whole[..]);
            let after = if tone.loops { whole[..100].to_vec() } else { vec![0; 100] };
            assert_eq!(pieces[whole.len()..], after[..], "{tone:?}");
        }
    }

    #[test]
    fn a_tone_without_length_is_silence() {
        const NOTHING: Section = Section { wave: Wave::Sine(425), dbm0: -10.0, millis: 0 };
        let mut frame = [1; 4];
        assert_eq!(ToneGenerator::new(Tone { sections: &[], loops: true }).fill(&mut frame), 0);
        assert_eq!(frame, [0; 4]);
        assert_eq!(ToneGenerator::new(Tone { sections: &[NOTHING], loops: false }).fill(&mut frame), 0);
        ToneGenerator::new(Tone { sections: &[NOTHING], loops: true }).fill(&mut frame);
    }

    impl Section {
        fn highest_hz(&self) -> u16 {
            match self.wave {
                Wave::Silence => 0,
                Wave::Sine(hz) => hz,
                Wave::Pair(low, high) => low.max(high),
                Wave::Modulated { carrier, by } => carrier + by,
            }
        }
    }
}
