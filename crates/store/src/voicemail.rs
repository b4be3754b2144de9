//! Messages of callers, from the journal.

use events::{Event, Kind, StoredMessage, WallClock};

/// A change of the table of messages.
#[derive(Debug)]
pub(crate) enum VoicemailRow {
    /// A message is being left.
    Started(StoredMessage),
    /// It is in its mailbox.
    Left { message: u64, path: String, millis: u64 },
    /// Whether somebody has heard it.
    Heard { message: u64, heard: bool },
    /// It is no longer, or never was.
    Gone(u64),
}

impl VoicemailRow {
    /// What an event tells of a message.
    pub(crate) fn of(event: &Event, wall: WallClock) -> Option<Self> {
        Some(match &event.kind {
            Kind::VoicemailStarted { message, client, mailbox, from, path, .. } => {
                Self::Started(StoredMessage {
                    message: *message,
                    contact: event.contact?,
                    client: client.clone(),
                    mailbox: mailbox.clone(),
                    from: from.clone(),
                    at: wall.moment(event.at).utc.as_microsecond(),
                    path: path.clone(),
                    millis: None,
                    heard: false,
                })
            }
            Kind::VoicemailLeft { message, path, millis } => {
                Self::Left { message: *message, path: path.clone(), millis: *millis }
            }
            Kind::VoicemailHeard { message, heard, .. } => Self::Heard { message: *message, heard: *heard },
            Kind::VoicemailDropped { message, .. } | Kind::VoicemailDeleted { message, .. } => {
                Self::Gone(*message)
            }
            _ => return None,
        })
    }
}
