//! Messages of callers: each that begins is left or dropped once, and only what was left is heard or deleted.

use crate::plan;
use events::{ContactId, Event, Kind};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// What is in mailboxes, by the log.
#[derive(Debug, Default)]
pub(super) struct Voicemail {
    /// Those that are being left.
    begun: BTreeMap<u64, ContactId>,
    /// Whether each has been heard, and its file.
    left: BTreeMap<u64, (bool, PathBuf)>,
    /// Files that are to be removed for what the log has told.
    unwanted: BTreeSet<PathBuf>,
}

/// Whether an event may come after the end of the contact in which the message was left.
pub(super) fn is_of_message(kind: &Kind) -> bool {
    matches!(kind, Kind::VoicemailHeard { .. } | Kind::VoicemailDeleted { .. })
}

impl Voicemail {
    pub(super) fn observe(&mut self, event: &Event) -> Result<(), String> {
        let wrong = |rule: &str| Err(format!("{rule}: {:?}", event.kind));
        match &event.kind {
            Kind::VoicemailStarted { message, .. } => {
                let Some(contact) = event.contact else { return wrong("in no contact") };
                if *message != event.seq || self.begun.insert(*message, contact).is_some() {
                    return wrong("another number than the event's");
                }
            }
            Kind::VoicemailLeft { message, path, .. } => {
                if self.begun.remove(message) != event.contact {
                    return wrong("it was not begun there");
                }
                self.left.insert(*message, (false, path.into()));
                if self.left.len() > plan::MESSAGES {
                    return wrong("more than the mailbox holds");
                }
            }
            Kind::VoicemailDropped { message, .. } if self.begun.remove(message) != event.contact => {
                return wrong("it was not begun there");
            }
            Kind::VoicemailHeard { message, heard, .. } => {
                let Some((before, _)) = self.left.get_mut(message) else { return wrong("it is not there") };
                if std::mem::replace(before, *heard) == *heard {
                    return wrong("nothing is changed");
                }
            }
            Kind::VoicemailDeleted { message, .. } => {
                let Some((_, path)) = self.left.remove(message) else { return wrong("it is not there") };
                self.unwanted.insert(path);
            }
            Kind::ContactEnded { .. } if self.begun.values().any(|it| Some(*it) == event.contact) => {
                return wrong("a message is neither left nor dropped");
            }
            _ => {}
        }
        Ok(())
    }

    /// How many messages wait for a user: new and old.
    pub(super) fn waiting_for(&self, user: &str) -> (usize, usize) {
        if !plan::LISTENERS.contains(&user) {
            return (0, 0);
        }
        let old = self.left.values().filter(|(heard, _)| *heard).count();
        (self.left.len() - old, old)
    }

    /// # Errors
    /// A file that is to be removed is that of a message that is kept.
    pub(super) fn remove_file(&mut self, path: &PathBuf) -> Result<(), String> {
        self.unwanted.remove(path);
        let is_kept = self.left.values().any(|(_, kept)| kept == path);
        if is_kept { Err(format!("{} is removed and its message kept", path.display())) } else { Ok(()) }
    }

    /// # Errors
    /// A deleted message's file is left behind.
    pub(super) fn check_files(&self) -> Result<(), String> {
        self.unwanted.first().map_or(Ok(()), |path| Err(format!("{} is left behind", path.display())))
    }
}
