//! Keys as sound: dual-tone multi-frequency signalling (ITU-T Q.23), made and heard at 8 kHz.

mod bank;
mod detector;
mod generator;

pub use detector::{DtmfDetector, KeyPress};
pub use generator::{DtmfGenerator, KeyTone, NotAKey};

/// Q.23 clause 6: the low group and the high group, in Hz.
const LOW_GROUP: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
const HIGH_GROUP: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
/// The keys, a row for each frequency of the low group, a column for each of the high one.
const KEYS: [[char; 4]; 4] =
    [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// The row and the column of a key.
fn place_of(key: char) -> Option<(usize, usize)> {
    KEYS.iter().enumerate().find_map(|(row, keys)| {
        let column = keys.iter().position(|it| *it == key.to_ascii_uppercase())?;
        Some((row, column))
    })
}

#[cfg(test)]
mod tests;
