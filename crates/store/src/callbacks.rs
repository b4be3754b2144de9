//! Who is to be called back, from the journal.

use events::{ContactId, Event, Kind};

/// A change of the table of callbacks.
#[derive(Debug)]
pub(crate) enum CallbackRow {
    /// A contact's customer is to be called back: as JSON, how.
    Kept(ContactId, String),
    /// It is no longer.
    Ended(ContactId),
}

impl CallbackRow {
    /// What an event tells of a callback.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        let contact = event.contact?;
        match &event.kind {
            Kind::CallbackKept { order } => Some(Self::Kept(contact, serde_json::to_string(order).ok()?)),
            Kind::CallbackEnded { .. } => Some(Self::Ended(contact)),
            _ => None,
        }
    }
}
