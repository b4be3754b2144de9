//! How long a recording is, by its file alone: that of one which nobody has seen the end of.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// No page of Ogg is longer (RFC 3533 section 6).
const LONGEST_PAGE: u64 = 65_307;
/// Granule positions of Opus count 48 in a millisecond (RFC 7845 section 4).
const PER_MILLI: u64 = 48;

/// The length of a WAV file, or of Opus in Ogg, in milliseconds; `None` if it is neither, or cannot be read.
pub(crate) fn length(path: &Path) -> Option<u64> {
    match path.extension()?.to_str()? {
        "opus" => of_ogg(path),
        _ => {
            let reader = hound::WavReader::open(path).ok()?;
            u64::from(reader.duration()).checked_mul(1_000)?.checked_div(reader.spec().sample_rate.into())
        }
    }
}

/// The granule position of the last page.
fn of_ogg(path: &Path) -> Option<u64> {
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LONGEST_PAGE))).ok()?;
    let mut end = Vec::new();
    file.read_to_end(&mut end).ok()?;
    let page = end.windows(14).rposition(|bytes| bytes.starts_with(b"OggS\0"))?;
    let position = end[page + 6..page + 14].try_into().ok()?;
    Some(u64::from_le_bytes(position) / PER_MILLI)
}
