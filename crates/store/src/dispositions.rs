//! What agents have noted of contacts, from the journal.

use crate::Reader;
use crate::error::StoreError;
use crate::journal::from_i64;
use events::{ContactId, Event, Kind, WallClock};
use figures::Millis;
use sqlx::Row;
use std::sync::Arc;

/// A row of the table of dispositions, of which each contact has one.
#[derive(Debug)]
pub(crate) struct DispositionRow {
    pub(crate) contact: ContactId,
    pub(crate) client: Arc<str>,
    /// Milliseconds since 1970.
    pub(crate) at: Millis,
    pub(crate) disposition: Arc<str>,
    pub(crate) by: Arc<str>,
}

/// The disposition of a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disposed {
    /// The contact.
    pub contact: ContactId,
    /// When it was noted first, in milliseconds since 1970.
    pub at: Millis,
    /// As it was noted last.
    pub disposition: Arc<str>,
    /// The agent, or the account, that has noted it last.
    pub by: Arc<str>,
}

impl DispositionRow {
    /// What an event tells of it.
    pub(crate) fn of(event: &Event, wall: WallClock) -> Option<Self> {
        let (Kind::DispositionNoted { client, disposition, by }, Some(contact)) =
            (&event.kind, event.contact)
        else {
            return None;
        };
        let at = wall.moment(event.at).utc.as_millisecond();
        let [client, disposition, by] = [client, disposition, by].map(Arc::clone);
        Some(Self { contact, client, at, disposition, by })
    }
}

impl Reader {
    /// Those of a client that were noted first from one moment on and before another one, in that order.
    ///
    /// # Errors
    /// What the database says.
    pub async fn dispositions(
        &self,
        client: &str,
        (from, to): (Millis, Millis),
    ) -> Result<Vec<Disposed>, StoreError> {
        let sql = "SELECT contact, at, disposition, noted_by FROM disposition \
                   WHERE client = ? AND at >= ? AND at < ? ORDER BY at, contact";
        let query = sqlx::query(sql).bind(client).bind(from).bind(to);
        let rows = query.fetch_all(&mut *self.connection().await?).await;
        let rows = rows.map_err(|source| self.explain(source))?;
        let disposed = |row: &sqlx::sqlite::SqliteRow| Disposed {
            contact: ContactId(from_i64(row.get(0))),
            at: row.get(1),
            disposition: row.get::<&str, _>(2).into(),
            by: row.get::<&str, _>(3).into(),
        };
        Ok(rows.iter().map(disposed).collect())
    }
}
