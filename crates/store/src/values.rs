//! What flows remember, from the journal.

use events::{Event, Kind, StoredValue};
use std::sync::Arc;

/// A row of the table of values, or the end of one.
#[derive(Debug)]
pub(crate) struct ValueRow {
    pub(crate) client: Arc<str>,
    pub(crate) key: Arc<str>,
    /// `None`: it is forgotten.
    pub(crate) value: Option<Arc<str>>,
    pub(crate) until: Option<i64>,
}

impl ValueRow {
    /// What an event tells of a value.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        let Kind::ValueChanged { client, key, value, until } = &event.kind else { return None };
        let (client, key) = (Arc::clone(client), Arc::clone(key));
        Some(Self { client, key, value: value.clone(), until: *until })
    }

    /// As it is read back.
    pub(crate) fn stored(client: String, key: String, value: String, until: Option<i64>) -> StoredValue {
        StoredValue { client: client.into(), key: key.into(), value: value.into(), until }
    }
}
