//! Where the command line finds a running node, and what lets it in: two files in the state directory.

use super::error::ServeError;
use crate::access::Token;
use crate::private;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The file's name in the state directory.
const NAME: &str = "http.address";

/// The file with the token, which the owner of the state directory alone can read.
const TOKEN: &str = "http.token";

/// What lets commands in at the node that runs on a state directory, if whoever gives them may read it.
pub(crate) fn http_token(state: &Path) -> Option<String> {
    std::fs::read_to_string(state.join(TOKEN)).ok().map(|token| token.trim().to_owned())
}

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
    pub(super) fn write(state: &Path, address: SocketAddr, token: &Token) -> Result<Self, ServeError> {
        let path = state.join(TOKEN);
        private::write(&path, format!("{}\n", token.reveal()).as_bytes())
            .map_err(|error| ServeError::State { path, error })?;
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
