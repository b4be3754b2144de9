use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Bytes before the samples in the files that this engine writes.
const HEADER: usize = 44;

/// Bytes of the RIFF header that its own length field does not count.
const RIFF_PREFIX: u64 = 8;

/// How deep below the directory recordings are looked for.
const DEPTH: usize = 8;

/// What [`repair`] did.
#[derive(Debug, Default)]
pub struct Repair {
    /// Files that it mended.
    pub mended: Vec<PathBuf>,
    /// Files and directories that could not be looked at or mended, and why.
    pub skipped: Vec<(PathBuf, io::Error)>,
}

/// Mends the WAV headers below `directory` that a killed process left behind, from the files' lengths.
/// A file that is no recording of this engine, or is whole, is left alone.
///
/// To be called before the engine starts: a recording under way looks unfinished.
pub fn repair(directory: &Path) -> Repair {
    let mut repair = Repair::default();
    let mut open = vec![(directory.to_path_buf(), DEPTH)];
    while let Some((directory, depth)) = open.pop() {
        let entries = match std::fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) => {
                repair.skipped.push((directory, error));
                continue;
            }
        };
        for entry in entries {
            match entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))) {
                Ok((path, kind)) if kind.is_dir() && depth > 0 => open.push((path, depth - 1)),
                Ok((path, kind)) if kind.is_file() => repair.file(path),
                Ok(_) => {}
                Err(error) => repair.skipped.push((directory.clone(), error)),
            }
        }
    }
    repair
}

impl Repair {
    fn file(&mut self, path: PathBuf) {
        if path.extension().is_none_or(|extension| extension != "wav") {
            return;
        }
        match mend(&path) {
            Ok(true) => self.mended.push(path),
            Ok(false) => {}
            Err(error) => self.skipped.push((path, error)),
        }
    }
}

/// Mends one file; whether there was something to mend.
fn mend(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut header = [0; HEADER];
    if let Err(error) = file.read_exact(&mut header) {
        return if error.kind() == io::ErrorKind::UnexpectedEof { Ok(false) } else { Err(error) };
    }
    let Some(frame) = frame_bytes(&header) else { return Ok(false) };
    let length = file.metadata()?.len();
    let samples = length - HEADER as u64;
    let whole = samples - samples % frame;
    let (Ok(data), Ok(riff)) = (u32::try_from(whole), u32::try_from(whole + HEADER as u64 - RIFF_PREFIX))
    else {
        return Ok(false);
    };
    if header[40..44] == data.to_le_bytes() && header[4..8] == riff.to_le_bytes() {
        return Ok(false);
    }
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.set_len(HEADER as u64 + whole)?;
    file.seek(SeekFrom::Start(4))?;
    file.write_all(&riff.to_le_bytes())?;
    file.seek(SeekFrom::Start(40))?;
    file.write_all(&data.to_le_bytes())?;
    Ok(true)
}

/// The bytes of one stereo sample, if this is the header of 16-bit PCM as the engine writes it.
fn frame_bytes(header: &[u8; HEADER]) -> Option<u64> {
    let is = |at: usize, bytes: &[u8]| header[at..at + bytes.len()] == *bytes;
    let ours = is(0, b"RIFF") && is(8, b"WAVEfmt ") && is(16, &[16, 0, 0, 0, 1, 0]) && is(36, b"data");
    let frame = u64::from(u16::from_le_bytes([header[32], header[33]]));
    (ours && frame > 0).then_some(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(path: &Path, pairs: usize) {
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: 8_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(path, spec).expect("a new file");
        (0..2 * pairs).for_each(|n| writer.write_sample(n as i16).expect("disk space"));
        writer.finalize().expect("disk space");
    }

    #[test]
    fn a_header_that_lags_behind_its_file_is_mended() {
        let directory = tempfile::tempdir().expect("a directory");
        let deep = directory.path().join("2026/11");
        std::fs::create_dir_all(&deep).expect("a directory");
        let (torn, whole) = (deep.join("torn.wav"), directory.path().join("whole.wav"));
        recording(&torn, 100);
        recording(&whole, 10);
        let mut bytes = std::fs::read(&torn).expect("just written");
        bytes[4..8].copy_from_slice(&36_u32.to_le_bytes());
        bytes[40..44].copy_from_slice(&0_u32.to_le_bytes());
        bytes.extend([1, 2, 3]);
        std::fs::write(&torn, bytes).expect("disk space");

        assert_eq!(repair(directory.path()).mended, std::slice::from_ref(&torn));
        let mut reader = hound::WavReader::open(&torn).expect("mended");
        let samples: Vec<i16> = reader.samples().map(|s| s.expect("a sample")).collect();
        assert_eq!(samples, (0..200).collect::<Vec<i16>>());
        assert!(repair(directory.path()).mended.is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_named_and_skipped() {
        let directory = tempfile::tempdir().expect("a directory");
        let gone = directory.path().join("gone");
        let repair = repair(&gone);
        assert!(repair.mended.is_empty());
        assert_eq!(repair.skipped.into_iter().map(|(path, _)| path).collect::<Vec<_>>(), [gone]);
    }

    #[test]
    fn what_is_no_recording_is_left_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, content) in [("short.wav", &b"RIFF"[..]), ("other.wav", &[b'x'; 100]), ("empty.wav", b"")]
        {
            std::fs::write(directory.path().join(name), content).expect("disk space");
        }
        assert!(repair(directory.path()).mended.is_empty());
        assert_eq!(std::fs::read(directory.path().join("other.wav")).expect("there"), [b'x'; 100]);
    }
}
