//! The keys of clients' recordings: one file each, which only the node's own user reads. Without it nobody ever reads them again.

use super::seal::KEY_LEN;
use crate::hex::{hex, unhex};
use crate::{private, random};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The folder of keys.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    folder: PathBuf,
}

impl Keys {
    pub(crate) fn new(state: &Path) -> Self {
        Self { folder: state.join("keys") }
    }

    /// The key of a client; `None` if it has none.
    ///
    /// # Errors
    /// What the system says, or that the file has no key.
    pub(crate) fn of(&self, client: &str) -> io::Result<Option<[u8; KEY_LEN]>> {
        let path = self.path(client);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let key = unhex(text.trim()).and_then(|bytes| bytes.try_into().ok());
        let wrong = || io::Error::new(ErrorKind::InvalidData, format!("{} has no key", path.display()));
        key.map(Some).ok_or_else(wrong)
    }

    /// The key of a client, which is made if it has none.
    ///
    /// # Errors
    /// What the system says, or that the file has no key.
    pub(crate) fn of_or_new(&self, client: &str) -> io::Result<[u8; KEY_LEN]> {
        if let Some(key) = self.of(client)? {
            return Ok(key);
        }
        fs::create_dir_all(&self.folder)?;
        let key = random::seed()?;
        private::write(&self.path(client), format!("{}\n", hex(&key)).as_bytes())?;
        // A key that a power cut takes back is the loss of what was encrypted by it.
        File::open(&self.folder)?.sync_all()?;
        Ok(key)
    }

    /// Destroys the key of a client; whether it had one.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn destroy(&self, client: &str) -> io::Result<bool> {
        let path = self.path(client);
        match File::options().write(true).open(&path) {
            Ok(mut file) => {
                // What the disk keeps of it elsewhere nobody knows; the file at least does not have it, and is no key if this
                // is as far as it gets.
                file.write_all(&[b'-'; 2 * KEY_LEN])?;
                file.sync_all()?;
                fs::remove_file(&path)?;
                File::open(&self.folder)?.sync_all()?;
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn path(&self, client: &str) -> PathBuf {
        self.folder.join(format!("{client}.key"))
    }
}
