//! Where the command line finds a running node: a file in the state directory.

use super::error::ServeError;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The file's name in the state directory.
const NAME: &str = "http.address";

/// The HTTP address of the node that runs on a state directory, if it has one.
pub fn http_address(state: &Path) -> Option<SocketAddr> {
    std::fs::read_to_string(state.join(NAME)).ok()?.trim().parse().ok()
}

/// The file, while the node serves.
pub(super) struct AddressFile(PathBuf);

impl AddressFile {
    /// Writes it. The state directory must be this process's own by now.
    ///
    /// # Errors
    /// [`ServeError::State`] names the file.
    pub(super) fn write(state: &Path, address: SocketAddr) -> Result<Self, ServeError> {
        let path = state.join(NAME);
        match std::fs::write(&path, format!("{address}\n")) {
            Ok(()) => Ok(Self(path)),
            Err(error) => Err(ServeError::State { path, error }),
        }
    }
}

impl Drop for AddressFile {
    fn drop(&mut self) {
        // One that stays behind names an address where nobody answers, which is what the reader is told.
        let _ = std::fs::remove_file(&self.0);
    }
}
