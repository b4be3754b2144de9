//! The files of recordings once they are complete: as ciphertext by their client's key, read again, erased, and what is attested
//! of that.

mod certificate;
mod keys;
mod length;
mod seal;

pub(crate) use certificate::{Certificate, Erased, Signed, verify};
pub(crate) use length::length;

use crate::{hex, random};
use keys::Keys;
use seal::{Opener, Random};
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use store::Recording;

/// Ends the names of files that are ciphertext.
const SEALED: &str = ".sealed";
/// And of those that are to become so.
const DRAFT: &str = ".sealing";
/// What is read of a file at once.
const CHUNK: usize = 1 << 20;

/// The files of a node's recordings.
#[derive(Clone, Debug)]
pub(crate) struct Vault {
    keys: Keys,
    state: PathBuf,
}

/// A recording that is read, piece by piece.
pub(crate) enum Sound {
    Plain(BufReader<File>),
    Sealed(Box<Opener<BufReader<File>>>),
}

impl Vault {
    /// That of a state directory.
    pub(crate) fn new(state: &Path) -> Self {
        Self { keys: Keys::new(state), state: state.to_owned() }
    }

    /// Replaces the file of a recording by ciphertext, and gives its new path; `None` if there is no file. Until the new one can
    /// be read the old one stays; what a crash has left half done is done again.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn seal(&self, recording: &Recording) -> io::Result<Option<PathBuf>> {
        let key = self.keys.of_or_new(&recording.client)?;
        let about = about(recording.recording);
        let plain = Path::new(&recording.path);
        let [sealed, draft] = [SEALED, DRAFT].map(|ending| with_ending(plain, ending));
        let mut from = match File::open(plain) {
            Ok(file) => BufReader::new(file),
            // The process ended before it could say so.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Some(sealed).filter(|path| path.is_file()));
            }
            Err(error) => return Err(error),
        };
        let seed = random::seed()?;
        let mut prefix = [0; 7];
        prefix.copy_from_slice(&random::seed()?[..7]);
        let random = Random { salt: seed, prefix };
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        let mut to = BufWriter::with_capacity(CHUNK, file);
        let hash = seal::seal((&key, &about), &random, &mut from, &mut to)?;
        to.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        let mut opener = Opener::new((&key, &about), BufReader::new(File::open(&draft)?))?;
        let mut read = Sha256::new();
        while let Some(segment) = opener.next_segment()? {
            read.update(&segment);
        }
        if <[u8; 32]>::from(read.finalize()) != hash {
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                "what was encrypted is not what is read again",
            ));
        }
        fs::rename(&draft, &sealed)?;
        sync_folder(&sealed)?;
        fs::remove_file(plain)?;
        Ok(Some(sealed))
    }

    /// Reads a recording, which has so many bytes.
    ///
    /// # Errors
    /// What the system says: `NotFound` without the file, or the key.
    pub(crate) fn open(&self, recording: &Recording) -> io::Result<(Sound, u64)> {
        let file = File::open(&recording.path)?;
        let length = file.metadata()?.len();
        let file = BufReader::new(file);
        if !recording.sealed {
            return Ok((Sound::Plain(file), length));
        }
        let key = self.keys.of(&recording.client)?;
        let key = key.ok_or_else(|| {
            let error = format!("the key of `{}` is gone, and with it its recordings", recording.client);
            io::Error::new(ErrorKind::NotFound, error)
        })?;
        let opener = Opener::new((&key, &about(recording.recording)), file)?;
        Ok((Sound::Sealed(Box::new(opener)), seal::plain_length(length)))
    }

    /// Removes the files that a recording or message has under a path, whatever has become of it, and gives what was in it, by
    /// SHA-256 in hexadecimal digits; `None` if there was none.
    ///
    /// # Errors
    /// What the system says; then it is still there.
    pub(crate) fn erase(path: &Path) -> io::Result<Option<String>> {
        let plain = match path.to_str().and_then(|path| path.strip_suffix(SEALED)) {
            Some(plain) => PathBuf::from(plain),
            None => path.to_owned(),
        };
        let mut hash = None;
        for file in [with_ending(&plain, SEALED), plain.clone(), with_ending(&plain, DRAFT)] {
            let found = match File::open(&file) {
                Ok(found) => found,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let mut digest = Sha256::new();
            let mut from = Sound::Plain(BufReader::new(found));
            while let Some(piece) = from.next_piece()? {
                digest.update(&piece);
            }
            hash.get_or_insert_with(|| hex::hex(&digest.finalize()));
            fs::remove_file(&file)?;
        }
        if hash.is_some() {
            sync_folder(&plain)?;
        }
        Ok(hash)
    }

    /// Destroys the key of a client; whether it had one.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn destroy_key(&self, client: &str) -> io::Result<bool> {
        self.keys.destroy(client)
    }

    /// Signs a certificate, and keeps it in the state directory.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn attest(&self, certificate: Certificate) -> io::Result<Signed> {
        certificate::sign(&self.state, certificate)
    }
}

impl Sound {
    /// What comes next of it; `None` at its end.
    ///
    /// # Errors
    /// What reading says, or that the file was changed.
    pub(crate) fn next_piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        match self {
            Self::Plain(file) => {
                let mut piece = Vec::new();
                let limit = u64::try_from(CHUNK).expect("it is small");
                file.by_ref().take(limit).read_to_end(&mut piece)?;
                Ok(Some(piece).filter(|piece| !piece.is_empty()))
            }
            Self::Sealed(opener) => opener.next_segment(),
        }
    }
}

/// What a file of ciphertext is bound to: none can take another one's place.
fn about(recording: u64) -> String {
    format!("ringdown recording {recording}")
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn sync_folder(file: &Path) -> io::Result<()> {
    file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::ContactId;

    fn recording(path: &Path, sealed: bool) -> Recording {
        Recording {
            recording: 4711,
            contact: ContactId(7),
            client: "acme".into(),
            from: None,
            to: None,
            at: jiff::Timestamp::UNIX_EPOCH,
            path: path.display().to_string(),
            millis: Some(1_000),
            sealed,
            held: None,
            erased: None,
        }
    }

    fn read((mut sound, length): (Sound, u64)) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        while let Some(piece) = sound.next_piece()? {
            bytes.extend(piece);
        }
        assert_eq!(bytes.len() as u64, length);
        Ok(bytes)
    }

    #[test]
    fn a_recording_is_ciphertext_alone_and_can_be_read_until_its_key_is_destroyed() {
        let home = tempfile::tempdir().expect("a directory");
        let vault = Vault::new(home.path());
        let plain = home.path().join("7.wav");
        let sound = b"what was said".repeat(200_000);
        fs::write(&plain, &sound).expect("written");
        assert_eq!(read(vault.open(&recording(&plain, false)).expect("open")).expect("read"), sound);

        let sealed = vault.seal(&recording(&plain, false)).expect("sealed").expect("there is a file");
        assert!(!plain.exists());
        let on_disk = fs::read(&sealed).expect("read");
        assert!(!on_disk.windows(13).any(|it| it == b"what was said"));
        assert_eq!(read(vault.open(&recording(&sealed, true)).expect("open")).expect("read"), sound);
        // The process was killed before the log had it.
        assert_eq!(vault.seal(&recording(&plain, false)).expect("sealed"), Some(sealed.clone()));

        assert!(vault.destroy_key("acme").expect("destroyed"));
        assert!(!vault.destroy_key("acme").expect("no more"));
        let error = vault.open(&recording(&sealed, true)).err().expect("no key");
        assert!(error.to_string().contains("the key of `acme` is gone"), "{error}");
        // A new key is another one.
        vault.keys.of_or_new("acme").expect("a key");
        assert!(read(vault.open(&recording(&sealed, true)).expect("open")).is_err());
    }

    #[test]
    fn what_is_erased_is_gone_whatever_has_become_of_it() {
        let home = tempfile::tempdir().expect("a directory");
        let plain = home.path().join("7.wav");
        for endings in [&[""][..], &[SEALED], &["", DRAFT], &["", SEALED]] {
            for ending in endings {
                fs::write(with_ending(&plain, ending), "what was said").expect("written");
            }
            let hash = Vault::erase(&with_ending(&plain, endings[0])).expect("erased");
            assert_eq!(hash.as_deref(), Some(&*hex::hex(&Sha256::digest("what was said"))), "{endings:?}");
            assert_eq!(fs::read_dir(home.path()).expect("read").count(), 0, "{endings:?}");
        }
        assert_eq!(Vault::erase(&plain).expect("nothing"), None);
    }
}
