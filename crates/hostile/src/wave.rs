//! Files that administrators give for prompts, and what a disk may have made of them.

use audio::Rate;

/// A WAV as a prompt is read from it.
///
/// # Panics
/// If it is longer than what it was made of.
pub fn wave(input: &[u8]) {
    for rate in [Rate::Narrow, Rate::Wide] {
        if let Ok(samples) = media::read_prompt(input, rate) {
            // Mono of 16 bits at 8 kHz becomes at most twice as many at 16.
            assert!(!samples.is_empty() && samples.len() <= input.len(), "{} samples", samples.len());
        }
    }
}
