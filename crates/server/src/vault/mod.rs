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
/// Names that are tried for one.
const MOST_NAMES: u32 = 100;
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
    /// What the system says; also that the folder is not there, whose disk may come back.
    pub(crate) fn seal(&self, recording: &Recording) -> io::Result<Option<PathBuf>> {
        let key = self.keys.of_or_new(&recording.client)?;
        let about = about(recording.recording);
        let plain = Path::new(&recording.path);
        let file = match File::open(plain) {
            Ok(file) => file,
            // The process ended before it could say so.
            Err(error) if error.kind() == ErrorKind::NotFound && has_folder(plain) => {
                return Ok(self.sealed_names(plain).find(|path| self.is_of(recording, path)));
            }
            Err(error) => return Err(error),
        };
        let mut random = Random { salt: random::seed()?, prefix: [0; 7] };
        random.prefix.copy_from_slice(&random::seed()?[..7]);
        let draft = with_ending(plain, DRAFT);
        let to = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        let mut to = BufWriter::with_capacity(CHUNK, to);
        let hash = seal::seal((&key, &about), &random, &mut BufReader::new(file), &mut to)?;
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
        // No recording may overwrite another: numbers of calls come again where a database was brought back from a backup.
        let free = |path: &PathBuf| !path.exists() || self.is_of(recording, path);
        let sealed = self.sealed_names(plain).find(free).ok_or(ErrorKind::AlreadyExists)?;
        fs::rename(&draft, &sealed)?;
        sync_folder(&sealed)?;
        fs::remove_file(plain)?;
        sync_folder(plain)?;
        Ok(Some(sealed))
    }

    /// Reads a recording, which has so many bytes.
    ///
    /// # Errors
    /// What the system says: `NotFound` without the file, or the key.
    pub(crate) fn open(&self, recording: &Recording) -> io::Result<(Sound, u64)> {
        let path = Path::new(&recording.path);
        if !recording.sealed {
            match File::open(path) {
                Ok(file) => {
                    let length = file.metadata()?.len();
                    return Ok((Sound::Plain(BufReader::new(file)), length));
                }
                // It has become ciphertext, and the store does not know yet.
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    let sealed = self.sealed_names(path).find(|path| self.is_of(recording, path));
                    return self.open_sealed(recording, &sealed.ok_or(error)?);
                }
                Err(error) => return Err(error),
            }
        }
        self.open_sealed(recording, path)
    }

    fn open_sealed(&self, recording: &Recording, path: &Path) -> io::Result<(Sound, u64)> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let key = self.keys.of(&recording.client)?;
        let key = key.ok_or_else(|| {
            let error = format!("the key of `{}` is gone, and with it its recordings", recording.client);
            io::Error::new(ErrorKind::NotFound, error)
        })?;
        let opener = Opener::new((&key, &about(recording.recording)), BufReader::new(file))?;
        Ok((Sound::Sealed(Box::new(opener)), seal::plain_length(length)))
    }

    /// Removes the file of a recording, whatever has become of it, and gives what was in it, by SHA-256 in hexadecimal digits;
    /// `None` if there was none.
    ///
    /// # Errors
    /// What the system says; then it is still there.
    pub(crate) fn erase(&self, recording: &Recording) -> io::Result<Option<String>> {
        let path = Path::new(&recording.path);
        if recording.sealed {
            return erase_file(path);
        }
        let sealed = self.sealed_names(path).filter(|path| self.is_of(recording, path));
        let mut hash = None;
        for file in sealed.chain([path.to_owned(), with_ending(path, DRAFT)]) {
            let found = erase_file(&file)?;
            hash = hash.or(found);
        }
        Ok(hash)
    }

    /// The names that the ciphertext of a file may have.
    fn sealed_names(&self, plain: &Path) -> impl Iterator<Item = PathBuf> + use<> {
        let plain = plain.to_owned();
        (1..=MOST_NAMES).map(move |number| match number {
            1 => with_ending(&plain, SEALED),
            number => with_ending(&plain, &format!(".{number}{SEALED}")),
        })
    }

    /// Whether a file is the ciphertext of that recording.
    fn is_of(&self, recording: &Recording, path: &Path) -> bool {
        let opened = self.open_sealed(recording, path);
        opened.is_ok_and(|(mut sound, _)| sound.next_piece().is_ok())
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

/// Removes a file, and gives what was in it, by SHA-256 in hexadecimal digits; `None` if there was none.
///
/// # Errors
/// What the system says; also that its folder is not there, whose disk may come back.
pub(crate) fn erase_file(path: &Path) -> io::Result<Option<String>> {
    let found = match File::open(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound && has_folder(path) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut digest = Sha256::new();
    let mut from = Sound::Plain(BufReader::new(found));
    while let Some(piece) = from.next_piece()? {
        digest.update(&piece);
    }
    fs::remove_file(path)?;
    sync_folder(path)?;
    Ok(Some(hex::hex(&digest.finalize())))
}

fn has_folder(file: &Path) -> bool {
    file.parent().is_some_and(Path::is_dir)
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
        let folder = home.path().join("recordings");
        fs::create_dir(&folder).expect("made");
        let vault = Vault::new(home.path());
        let (plain, said) = (folder.join("7.wav"), "what was said");
        let write = |ending: &str| fs::write(with_ending(&plain, ending), said).expect("written");
        let hash = hex::hex(&Sha256::digest(said));
        // As it was recorded; with what a crash has left of its encryption; as ciphertext that the store does not know of.
        write("");
        assert_eq!(vault.erase(&recording(&plain, false)).expect("erased"), Some(hash.clone()));
        write("");
        write(DRAFT);
        assert_eq!(vault.erase(&recording(&plain, false)).expect("erased"), Some(hash));
        write("");
        vault.seal(&recording(&plain, false)).expect("sealed").expect("there is a file");
        assert!(vault.erase(&recording(&plain, false)).expect("erased").is_some());
        assert_eq!(fs::read_dir(&folder).expect("read").count(), 0);
        assert_eq!(vault.erase(&recording(&plain, false)).expect("nothing"), None);
        // A disk that is not there has lost nothing.
        fs::remove_dir(&folder).expect("removed");
        vault.erase(&recording(&plain, false)).expect_err("it may come back");
        vault.seal(&recording(&plain, false)).expect_err("it may come back");
    }

    #[test]
    fn no_ciphertext_takes_the_place_of_another_recording() {
        let home = tempfile::tempdir().expect("a directory");
        let vault = Vault::new(home.path());
        let plain = home.path().join("7.wav");
        let of = |number, path: &Path, sealed| Recording { recording: number, ..recording(path, sealed) };
        let seal = |number| {
            fs::write(&plain, format!("recording {number}")).expect("written");
            vault.seal(&of(number, &plain, false)).expect("sealed").expect("there is a file")
        };
        let [first, second] = [1, 2].map(seal);
        assert_ne!(first, second);
        vault.erase(&of(2, &plain, false)).expect("erased");
        assert!(!second.exists());
        assert_eq!(read(vault.open(&of(1, &first, true)).expect("open")).expect("read"), b"recording 1");
    }
}
