use crate::batch::search_key;
use crate::database;
use crate::error::StoreError;
use crate::journal::{BATCH_EVENTS, decode, events_of, from_i64, to_i64, wall_of};
use events::cdr::Cdr;
use events::{ContactId, Event, Kind, WallClock};
use jiff::Timestamp;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use sqlx::{Row, Sqlite};
use std::path::{Path, PathBuf};

/// Questions asked at the same time; more wait.
const CONNECTIONS: u32 = 4;

/// The fewest digits without a `+` that are taken for a telephone number.
const NUMBER_DIGITS: usize = 5;

/// The contacts whose caller's or called number has a key from ?1 to before ?2.
macro_rules! of_number {
    () => {
        "(SELECT contact FROM contact WHERE caller >= ?1 AND caller < ?2 \
         UNION ALL SELECT contact FROM contact WHERE called >= ?1 AND called < ?2)"
    };
}
pub(crate) use of_number;

macro_rules! latest_first {
    () => {
        "started >= ?3 AND (?4 = '[]' OR client IN (SELECT value FROM json_each(?4))) \
         AND (started, contact) < (?6, ?7) AND cdr IS NOT NULL \
         ORDER BY started DESC, contact DESC LIMIT ?5"
    };
}

const CALLS: &str = concat!("SELECT cdr FROM contact WHERE ", latest_first!());

/// The `+` keeps SQLite from fetching and sorting all calls of a number before it takes the latest.
const CALLS_OF_NUMBER: &str =
    concat!("SELECT cdr FROM contact WHERE +contact IN ", of_number!(), " AND ", latest_first!());

const FIND: &str = concat!(
    "SELECT COALESCE((SELECT contact FROM contact WHERE contact = ?3), (SELECT MAX(contact) FROM ",
    of_number!(),
    "))"
);

/// Reads a state directory, beside a running server or without one. Writes nothing.
#[derive(Clone, Debug)]
pub struct Reader {
    pool: SqlitePool,
    pub(crate) path: PathBuf,
}

/// Which contacts [`Reader::calls`] lists; each `None` lets all pass.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// That began then or later.
    pub since: Option<Timestamp>,
    /// From or to this number, with or without the country code: the stored number ends with it.
    pub number: Option<String>,
    /// Of one of these client companies; of any if there are none.
    pub clients: Vec<String>,
    /// That come after this one in the order in which they are listed.
    pub before: Option<(Timestamp, ContactId)>,
}

impl Reader {
    /// Opens `dir/ringdown.db` read-only.
    ///
    /// # Errors
    /// No database there, one of a newer version, or one that cannot be read.
    pub async fn open(dir: &Path) -> Result<Self, StoreError> {
        let options = database::read_options(dir)?;
        let path = database::file(dir);
        let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_lazy_with(options);
        let reader = Self { pool, path };
        let mut connection = reader.connection().await?;
        database::check_schema(&mut connection, &reader.path).await?;
        drop(connection);
        Ok(reader)
    }

    /// The CDRs of contacts that have ended, the latest begun first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn calls(&self, limit: u32, filter: &Filter) -> Result<Vec<Cdr>, StoreError> {
        let number = filter.number.as_deref().map(key_range);
        let sql = if number.is_some() { CALLS_OF_NUMBER } else { CALLS };
        let (low, high) = number.unzip();
        let clients = serde_json::to_string(&filter.clients).expect("a list of texts has a JSON form");
        let before = filter.before.map(|(started, contact)| (started.as_microsecond(), to_i64(contact.0)));
        let (started, contact) = before.unwrap_or((i64::MAX, i64::MAX));
        let query = sqlx::query(sql)
            .bind(low)
            .bind(high)
            .bind(filter.since.map_or(i64::MIN, Timestamp::as_microsecond))
            .bind(clients)
            .bind(limit)
            .bind(started)
            .bind(contact);
        let rows = query.fetch_all(&self.pool).await.map_err(|source| self.explain(source))?;
        rows.iter().map(|row| self.decode(row.get(0))).collect()
    }

    /// The CDR of one contact; `None` if it is unknown or has not ended.
    ///
    /// # Errors
    /// What the database says.
    pub async fn call(&self, contact: ContactId) -> Result<Option<Cdr>, StoreError> {
        let sql = "SELECT cdr FROM contact WHERE contact = ? AND cdr IS NOT NULL";
        let row = sqlx::query(sql).bind(to_i64(contact.0)).fetch_optional(&self.pool).await;
        let row = row.map_err(|source| self.explain(source))?;
        row.map(|row| self.decode(row.get(0))).transpose()
    }

    /// All events of a contact in order, whether it has ended or not; empty if it is unknown.
    ///
    /// # Errors
    /// What the database says.
    pub async fn events_of(&self, contact: ContactId) -> Result<Vec<Event>, StoreError> {
        let mut connection = self.connection().await?;
        events_of(&mut connection, &self.path, contact).await
    }

    /// The events with the numbers from `first` to `last`, in order; none beyond the end of the log.
    ///
    /// # Errors
    /// What the database says.
    pub async fn events(&self, first: u64, last: u64) -> Result<Vec<Event>, StoreError> {
        // A row begins at most a transaction before its last event, and other rows' events lie between.
        let sql =
            "SELECT contact, events FROM journal WHERE first_seq > ? AND first_seq <= ? AND last_seq >= ?";
        let query = sqlx::query(sql)
            .bind(to_i64(first.saturating_sub(BATCH_EVENTS as u64)))
            .bind(to_i64(last))
            .bind(to_i64(first));
        let rows = query.fetch_all(&self.pool).await.map_err(|source| self.explain(source))?;
        let mut events = decode(&self.path, rows.iter().map(|row| (row.get(0), row.get(1))))?;
        events.retain(|event| (first..=last).contains(&event.seq));
        events.sort_by_key(|event| event.seq);
        Ok(events)
    }

    /// Each start of the node by its number, with the wall clock from there on. Reads all that is of no contact.
    ///
    /// # Errors
    /// What the database says.
    pub async fn starts(&self) -> Result<Vec<(u64, WallClock)>, StoreError> {
        let sql = "SELECT contact, events FROM journal WHERE contact IS NULL \
                   AND instr(events, '\"node_started\"') > 0 ORDER BY first_seq";
        let rows = sqlx::query(sql).fetch_all(&self.pool).await;
        let rows = rows.map_err(|source| self.explain(source))?;
        let events = decode(&self.path, rows.iter().map(|row| (row.get(0), row.get(1))))?;
        let starts = events.into_iter().filter_map(|event| match event.kind {
            Kind::NodeStarted { unix_micros, .. } => {
                Some((event.seq, WallClock::from_start(event.at, unix_micros)))
            }
            _ => None,
        });
        Ok(starts.collect())
    }

    /// The client of a contact, as soon as the log has its beginning.
    ///
    /// # Errors
    /// What the database says.
    pub async fn client_of(&self, contact: ContactId) -> Result<Option<String>, StoreError> {
        let sql = "SELECT client FROM contact WHERE contact = ?";
        let row = sqlx::query(sql).bind(to_i64(contact.0)).fetch_optional(&self.pool).await;
        Ok(row.map_err(|source| self.explain(source))?.map(|row| row.get(0)))
    }

    /// The wall clock under which a contact was recorded, as the ladder shows it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn wall_of(&self, contact: ContactId) -> Result<Option<WallClock>, StoreError> {
        let sql = "SELECT at, started FROM contact WHERE contact = ?";
        let row = sqlx::query(sql).bind(to_i64(contact.0)).fetch_optional(&self.pool).await;
        let row = row.map_err(|source| self.explain(source))?;
        Ok(row.map(|row| wall_of(row.get(0), row.get(1))))
    }

    /// The contact with this id, or else the latest from or to this number. Up to four digits are an id
    /// and nothing else: with them so many numbers end that the answer would be of somebody else's call.
    ///
    /// # Errors
    /// What the database says.
    pub async fn find(&self, id_or_number: &str) -> Result<Option<ContactId>, StoreError> {
        let text = id_or_number.trim();
        let only_id = text.len() < NUMBER_DIGITS && text.chars().all(|c| c.is_ascii_digit());
        let (low, high) = key_range(if only_id { "" } else { text });
        let id = text.parse::<i64>().ok().filter(|_| !text.starts_with('+'));
        let query = sqlx::query(FIND).bind(low).bind(high).bind(id);
        let row = query.fetch_one(&self.pool).await.map_err(|source| self.explain(source))?;
        let found: Option<i64> = row.get(0);
        Ok(found.map(|contact| ContactId(from_i64(contact))))
    }

    pub(crate) async fn connection(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        self.pool.acquire().await.map_err(|source| self.explain(source))
    }

    pub(crate) fn explain(&self, source: sqlx::Error) -> StoreError {
        StoreError::from_sqlx(&self.path, source)
    }

    fn decode(&self, cdr: &str) -> Result<Cdr, StoreError> {
        let damaged = |detail| StoreError::Damaged { path: self.path.clone(), detail };
        serde_json::from_str(cdr).map_err(|error| damaged(error.to_string()))
    }
}

/// The search keys of all numbers that end with this one. The `0` or `00` before a national or an
/// international number is not part of it. An empty number finds nothing.
pub(crate) fn key_range(number: &str) -> (String, String) {
    let key = search_key(number);
    let digits = key.chars().all(|c| c.is_ascii_digit());
    let low = if digits { key.trim_end_matches('0') } else { key.as_str() };
    let high = if low.is_empty() { String::new() } else { format!("{low}{}", char::MAX) };
    (low.to_owned(), high)
}
