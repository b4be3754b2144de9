//! Messages that callers leave, and what is done with those that were left.

use clock::Duration;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A message that is to be left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewMessage {
    /// The mailbox's name within the client.
    pub mailbox: Arc<str>,
    /// One with less speech is not kept.
    pub min: Duration,
    /// After how long of silence it ends.
    pub silence: Duration,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MessageResult {
    /// It is in the mailbox.
    Left,
    /// Too little was said.
    TooShort,
    /// Others have filled the mailbox meanwhile.
    Full,
    /// It could not be written.
    Failed,
}

/// What is asked of a mailbox of the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MailboxOrder {
    /// Whether it has room for one message more; [`MailboxResult::Room`] or [`MailboxResult::Full`].
    Look {
        /// Its name.
        mailbox: Arc<str>,
    },
    /// What is in it, for one of its users or whoever knows its PIN; [`MailboxResult::Messages`] or
    /// [`MailboxResult::Refused`].
    Open {
        /// Its name.
        mailbox: Arc<str>,
        /// What proves that the caller may.
        pin: Option<Arc<str>>,
    },
    /// A message has been heard. It is not answered.
    Heard {
        /// Its number.
        message: u64,
    },
    /// A message is not to be kept. It is not answered.
    Delete {
        /// Its number.
        message: u64,
    },
}

/// The answer to a [`MailboxOrder`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MailboxResult {
    /// There is room.
    Room,
    /// There is none.
    Full,
    /// The caller may not listen.
    Refused,
    /// What is in it: first what nobody has heard, the oldest first.
    Messages(Vec<LeftMessage>),
}

/// A message as its owner hears it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftMessage {
    /// Its number.
    pub message: u64,
    /// Who has left it, as normalised.
    pub from: Arc<str>,
    /// When, in microseconds since 1970.
    pub at: i64,
    /// Whether somebody has heard it.
    pub heard: bool,
    /// A WAV path.
    pub file: Arc<str>,
}
