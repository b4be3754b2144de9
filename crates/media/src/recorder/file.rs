//! A recording's file, by the ending of its name: WAV, or Opus in Ogg.

use super::ogg::OpusFile;
use super::timeline::Pair;
use audio::Rate;
use hound::{SampleFormat, WavSpec, WavWriter};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind};
use std::path::{Path, PathBuf};

/// How many recordings may ask for the same name.
const MAX_NAMES: u32 = 1_000;

/// What a WAV has of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channels {
    /// What is received.
    Left = 1,
    /// That, and what is sent.
    Both = 2,
}

/// A file that is being written. It can be played up to its last [`flush`](Self::flush), whatever happens then.
pub(super) enum RecordingFile {
    Wav(WavWriter<BufWriter<File>>),
    Opus(Box<OpusFile<BufWriter<File>>>),
}

impl RecordingFile {
    /// A new file, in a directory that is made if it is missing; and its name, which differs if there was one already.
    pub(super) fn create(path: &Path, rate: Rate, channels: Channels) -> io::Result<(PathBuf, Self)> {
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        let (path, file) = create_beside(path)?;
        let is_opus = path.extension().is_some_and(|extension| extension == "opus");
        let file = BufWriter::new(file);
        let mut file = if is_opus {
            Self::Opus(Box::new(OpusFile::new(file, rate)?))
        } else {
            let sample_format = SampleFormat::Int;
            let spec = WavSpec {
                channels: channels as u16,
                sample_rate: rate.hz(),
                bits_per_sample: 16,
                sample_format,
            };
            Self::Wav(WavWriter::new(file, spec).map_err(system)?)
        };
        file.flush()?;
        Ok((path, file))
    }

    /// Appends samples.
    pub(super) fn write(&mut self, pairs: impl ExactSizeIterator<Item = Pair>) -> io::Result<()> {
        match self {
            Self::Wav(file) => {
                let channels = usize::from(file.spec().channels);
                let mut samples = file.get_i16_writer((channels * pairs.len()) as u32);
                for pair in pairs {
                    pair.into_iter().take(channels).for_each(|sample| samples.write_sample(sample));
                }
                samples.flush().map_err(system)
            }
            Self::Opus(file) => file.write(pairs),
        }
    }

    /// Makes all that was written playable.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Wav(file) => file.flush().map_err(system),
            Self::Opus(file) => file.flush(),
        }
    }

    /// Writes what is left, and the file's end.
    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            Self::Wav(file) => file.finalize().map_err(system),
            Self::Opus(file) => file.finish(),
        }
    }
}

/// Of what was written here nothing but the system can complain.
fn system(error: hound::Error) -> io::Error {
    match error {
        hound::Error::IoError(error) => error,
        other => io::Error::other(other),
    }
}

/// A new file under that name or, since no recording may overwrite another, under the first free one of
/// `NAME.2.wav`, `NAME.3.wav` and so on.
fn create_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let taken = |error: &io::Error| error.kind() == ErrorKind::AlreadyExists;
    match File::create_new(path) {
        Err(error) if taken(&error) && path.is_file() => {}
        // A device has nothing that could be lost.
        Err(error) if taken(&error) && !path.is_dir() => {
            return Ok((path.to_owned(), OpenOptions::new().write(true).open(path)?));
        }
        created => return Ok((path.to_owned(), created?)),
    }
    let ending = path.extension().unwrap_or_default().display().to_string();
    for number in 2..=MAX_NAMES {
        let name = path.with_extension(format!("{number}.{ending}"));
        match File::create_new(&name) {
            Err(error) if taken(&error) => {}
            created => return Ok((name, created?)),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}
