//! The files of messages in mailboxes.

use crate::vault::length;
use events::StoredMessage;
use std::io::ErrorKind;
use std::path::Path;

/// Each message with how long its file is in milliseconds, if it is there.
pub(super) fn with_lengths(messages: Vec<StoredMessage>) -> Vec<(StoredMessage, Option<u64>)> {
    let with_length = |message: StoredMessage| {
        let length = length(Path::new(&message.path));
        (message, length)
    };
    messages.into_iter().map(with_length).collect()
}

/// Removes the file of a message that is not kept.
pub(super) fn remove_file(path: &Path) {
    match std::fs::remove_file(path) {
        Ok(()) => {}
        // It was never begun.
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => tracing::warn!("{} cannot be removed: {error}", path.display()),
    }
}
