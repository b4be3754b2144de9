//! What figures are made of, as it is read back.

use crate::Reader;
use crate::batch::DAY;
use crate::error::StoreError;
use crate::journal::{FIGURES_VERSION, damaged_row};
use events::{ContactId, Kind};
use figures::{Millis, Timeline, Unpacker, Visit};
use sqlx::Row;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::Sqlite;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Visits are read in pieces of so many milliseconds: a week.
const PIECE: Millis = 7 * DAY;

/// A piece comes as one value: SQLite hands over a million small ones in seconds, and a few large ones at once. It calls it a text.
const VISITS: &str = "SELECT group_concat(visit, '') FROM \
    (SELECT visit FROM visit WHERE arrived >= ?1 AND arrived < ?2 AND (?3 IS NULL OR client = ?3))";

/// The days from ?1 to ?2, and of each agent the last one before.
const DAYS: &str = "SELECT agent, day, changes FROM agent_day \
    JOIN (SELECT agent AS of, MAX(day) AS latest FROM agent_day WHERE day < ?1 GROUP BY agent) \
    ON agent = of AND (day = latest OR day BETWEEN ?1 AND ?2) \
    UNION ALL SELECT agent, day, changes FROM agent_day WHERE day BETWEEN ?1 AND ?2 \
    AND agent NOT IN (SELECT agent FROM agent_day WHERE day < ?1)";

impl Reader {
    /// Shows `each` the visits that arrived from one moment on and before another one, those of one client or of all, in
    /// the order in which they arrived.
    ///
    /// # Errors
    /// What the database says; that its rows are of another version.
    pub async fn visits(
        &self,
        (from, to): (Millis, Millis),
        client: Option<&str>,
        mut each: impl FnMut(&Visit),
    ) -> Result<(), StoreError> {
        let mut connection = self.figures().await?;
        let bounds = sqlx::query("SELECT (SELECT MIN(arrived) FROM visit), (SELECT MAX(arrived) FROM visit)");
        let bounds = bounds.fetch_one(&mut *connection).await.map_err(|source| self.explain(source))?;
        let (Some(first), Some(last)) =
            (bounds.get::<Option<Millis>, _>(0), bounds.get::<Option<Millis>, _>(1))
        else {
            return Ok(());
        };
        let (mut begins, to) = (from.max(first), to.min(last + 1));
        let mut unpacker = Unpacker::default();
        while begins < to {
            let ends = to.min(begins + PIECE);
            let piece = sqlx::query(VISITS).bind(begins).bind(ends).bind(client);
            let piece = piece.fetch_one(&mut *connection).await.map_err(|source| self.explain(source))?;
            let mut bytes = piece.get_unchecked::<Option<&[u8]>, _>(0).unwrap_or_default();
            while !bytes.is_empty() {
                each(unpacker.next(&mut bytes).map_err(|error| damaged_row(&self.path, error))?);
            }
            begins = ends;
        }
        Ok(())
    }

    /// The visits of one contact.
    ///
    /// # Errors
    /// What the database says.
    pub async fn visits_of(&self, contact: ContactId) -> Result<Vec<Visit>, StoreError> {
        let Some(wall) = self.wall_of(contact).await? else { return Ok(Vec::new()) };
        // They lie within the contact, whose events say how long it lasted. What becomes of its recordings comes months later.
        let events = self.events_of(contact).await?;
        let end =
            events.iter().find(|event| matches!(event.kind, Kind::ContactEnded { .. })).or(events.last());
        let (Some(first), Some(last)) = (events.first(), end) else { return Ok(Vec::new()) };
        let [from, to] = [first, last].map(|event| wall.moment(event.at).utc.as_millisecond());
        let mut visits = Vec::new();
        let of_contact =
            |visit: &Visit| visits.extend(Some(visit).filter(|visit| visit.contact == contact).cloned());
        self.visits((from, to + 1), None, of_contact).await?;
        Ok(visits)
    }

    /// What each agent did from one moment on until another one, with the state that it was in at the first.
    ///
    /// # Errors
    /// What the database says; that its rows are of another version.
    pub async fn timelines(
        &self,
        (from, to): (Millis, Millis),
    ) -> Result<BTreeMap<Arc<str>, Timeline>, StoreError> {
        let (first, last) = (from.div_euclid(DAY), to.div_euclid(DAY));
        let mut connection = self.figures().await?;
        let rows = sqlx::query(DAYS).bind(first).bind(last).fetch_all(&mut *connection).await;
        let mut timelines: BTreeMap<Arc<str>, Timeline> = BTreeMap::new();
        let mut unpacker = Unpacker::default();
        for row in rows.map_err(|source| self.explain(source))? {
            let agent: &str = row.get(0);
            let timeline = match timelines.get_mut(agent) {
                Some(timeline) => timeline,
                None => timelines.entry(agent.into()).or_default(),
            };
            let unpacked = unpacker.changes(row.get(1), row.get(2), &mut timeline.changes);
            unpacked.map_err(|error| damaged_row(&self.path, error))?;
        }
        for timeline in timelines.values_mut() {
            timeline.changes.sort_by_key(|(at, _)| *at);
        }
        Ok(timelines)
    }

    /// The moment of the log's last event, in milliseconds since 1970; 0 if there is none.
    ///
    /// # Errors
    /// What the database says.
    pub async fn last(&self) -> Result<Millis, StoreError> {
        let row =
            sqlx::query("SELECT last FROM projection").fetch_optional(&mut *self.connection().await?).await;
        Ok(row.map_err(|source| self.explain(source))?.map_or(0, |row| row.get(0)))
    }

    /// A connection to rows that this version can read.
    async fn figures(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        let mut connection = self.connection().await?;
        let row = sqlx::query("SELECT version FROM projection").fetch_optional(&mut *connection).await;
        match row.map_err(|source| self.explain(source))? {
            Some(row) if row.get::<i64, _>(0) != FIGURES_VERSION => {
                Err(StoreError::OtherFigures { path: self.path.clone() })
            }
            _ => Ok(connection),
        }
    }
}
