//! The one connection that writes.

use crate::agents::AgentRow;
use crate::batch::{Batch, Chunk, ContactRow, pack, parse_chunk};
use crate::callbacks::CallbackRow;
use crate::dispositions::DispositionRow;
use crate::error::StoreError;
use crate::registrations::RegistrationRow;
use crate::values::ValueRow;
use crate::voicemail::VoicemailRow;
use clock::Time;
use events::{
    AgentSeat, AgentWish, Callback, ContactId, Event, Registration, StoredMessage, StoredValue, WallClock,
};
use figures::{Damaged, Millis, Unpacker, Visit};
use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments, AssertSqlSafe, Row};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The most events that one transaction holds, so also the most rows of the journal.
pub(crate) const BATCH_EVENTS: usize = 2_000;

/// The most rows of one insert statement.
const STATEMENT_ROWS: usize = 64;

/// Statements that stay prepared: an insert of any number of rows into any table, and the rest.
pub(crate) const PREPARED_STATEMENTS: usize = 4 * STATEMENT_ROWS + 16;

/// Counts up whenever `figures::Fold` makes other rows of the same events, or writes them otherwise: they are made anew then.
pub(crate) const FIGURES_VERSION: i64 = figures::VERSION as i64;

/// The journal and its projection, open for writing.
#[derive(Debug)]
pub(crate) struct Journal {
    pub(crate) connection: SqliteConnection,
    path: PathBuf,
    chunks: Insert,
    contacts: Insert,
    visits: Insert,
    days: Insert,
}

/// How far the journal goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tail {
    pub(crate) last_seq: u64,
    pub(crate) last_at: Time,
    pub(crate) last_contact: u64,
}

/// Insert statements: the first for one row, the next for two, and so on.
#[derive(Debug)]
struct Insert(Vec<Arc<str>>);

impl Journal {
    pub(crate) fn new(connection: SqliteConnection, path: PathBuf) -> Self {
        Self {
            connection,
            path,
            chunks: Insert::new("journal (first_seq, last_seq, last_at, contact, events)", 5, ""),
            contacts: Insert::new(
                "contact (contact, at, started, caller, called, client, cdr)",
                7,
                "ON CONFLICT (contact) DO UPDATE SET cdr = excluded.cdr",
            ),
            visits: Insert::new(
                "visit (arrived, id, client, open, visit)",
                5,
                "ON CONFLICT (arrived, id) DO UPDATE SET open = excluded.open, visit = excluded.visit",
            ),
            days: Insert::new(
                "agent_day (agent, day, changes)",
                3,
                "ON CONFLICT (agent, day) DO UPDATE SET changes = CAST(changes || excluded.changes AS BLOB)",
            ),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes all rows of a batch, or none.
    pub(crate) async fn write(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.begin().await?;
        match self.write_rows(batch).await {
            Ok(()) => self.commit().await,
            Err(error) => Err(self.roll_back(error).await),
        }
    }

    /// Writes the rows of a batch into the transaction that is open.
    pub(crate) async fn write_rows(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let written = insert(&mut self.connection, &self.chunks, &batch.chunks, bind_chunk).await;
        written.map_err(|source| self.explain(source))?;
        let written = insert(&mut self.connection, &self.contacts, &batch.contacts, bind_contact).await;
        written.map_err(|source| self.explain(source))?;
        for row in &batch.agents {
            self.write_agent(row).await.map_err(|source| self.explain(source))?;
        }
        for row in &batch.callbacks {
            self.write_callback(row).await.map_err(|source| self.explain(source))?;
        }
        for row in &batch.registrations {
            self.write_registration(row).await.map_err(|source| self.explain(source))?;
        }
        for row in &batch.values {
            self.write_value(row).await.map_err(|source| self.explain(source))?;
        }
        for row in &batch.voicemail {
            self.write_message(row).await.map_err(|source| self.explain(source))?;
        }
        for row in &batch.recordings {
            self.write_recording(row).await.map_err(|source| self.explain(source))?;
        }
        for row in &batch.dispositions {
            self.write_disposition(row).await.map_err(|source| self.explain(source))?;
        }
        self.write_figures(batch).await.map_err(|source| self.explain(source))
    }

    async fn write_figures(&mut self, batch: &Batch) -> Result<(), sqlx::Error> {
        insert(&mut self.connection, &self.visits, &batch.visits, bind_visit).await?;
        let days: Vec<_> = batch.days.iter().collect();
        insert(&mut self.connection, &self.days, &days, bind_day).await?;
        let sql = "INSERT OR REPLACE INTO projection (id, version, last) VALUES (1, ?, ?)";
        let query = sqlx::query(sql).bind(FIGURES_VERSION).bind(batch.last);
        query.execute(&mut self.connection).await.map(|_| ())
    }

    /// The moment of the last event as figures know it; `None` if they were made by another version, or never.
    pub(crate) async fn figured(&mut self) -> Result<Option<Millis>, StoreError> {
        let sql = "SELECT last FROM projection WHERE version = ?";
        let row = sqlx::query(sql).bind(FIGURES_VERSION).fetch_optional(&mut self.connection).await;
        Ok(row.map_err(|source| self.explain(source))?.map(|row| row.get(0)))
    }

    /// The visits that are open.
    pub(crate) async fn open_visits(&mut self) -> Result<Vec<Visit>, StoreError> {
        let sql = "SELECT visit FROM visit WHERE open = 1 ORDER BY id";
        let rows = sqlx::query(sql).fetch_all(&mut self.connection).await;
        let rows = rows.map_err(|source| self.explain(source))?;
        let mut unpacker = Unpacker::default();
        let mut visit = |mut bytes: &[u8]| unpacker.next(&mut bytes).cloned();
        rows.iter().map(|row| visit(row.get(0)).map_err(|error| damaged_row(&self.path, error))).collect()
    }

    async fn write_disposition(&mut self, row: &DispositionRow) -> Result<(), sqlx::Error> {
        let DispositionRow { contact, client, at, disposition, by } = row;
        let sql = "INSERT INTO disposition (contact, client, at, disposition, noted_by) VALUES (?1, ?2, ?3, ?4, ?5) \
                   ON CONFLICT (contact) DO UPDATE SET disposition = ?4, noted_by = ?5";
        let query = sqlx::query(sql).bind(to_i64(contact.0)).bind(&**client).bind(*at);
        query.bind(&**disposition).bind(&**by).execute(&mut self.connection).await.map(|_| ())
    }

    async fn write_value(&mut self, row: &ValueRow) -> Result<(), sqlx::Error> {
        let ValueRow { client, key, value, until } = row;
        let query = match value {
            None => {
                sqlx::query("DELETE FROM value WHERE client = ?1 AND key = ?2").bind(&**client).bind(&**key)
            }
            Some(value) => {
                let sql = "INSERT INTO value (client, key, value, until) VALUES (?1, ?2, ?3, ?4) \
                           ON CONFLICT (client, key) DO UPDATE SET value = ?3, until = ?4";
                sqlx::query(sql).bind(&**client).bind(&**key).bind(&**value).bind(*until)
            }
        };
        query.execute(&mut self.connection).await.map(|_| ())
    }

    /// What flows remembered last and is not over at that moment, in microseconds since 1970; what is over is forgotten.
    pub(crate) async fn values(&mut self, unix_micros: i64) -> Result<Vec<StoredValue>, StoreError> {
        let expired = sqlx::query("DELETE FROM value WHERE until <= ?1").bind(unix_micros);
        let forgotten = expired.execute(&mut self.connection).await;
        forgotten.map_err(|source| self.explain(source))?;
        let sql = "SELECT client, key, value, until FROM value ORDER BY client, key";
        let rows = sqlx::query(sql).fetch_all(&mut self.connection).await;
        let value = |row: &sqlx::sqlite::SqliteRow| {
            Ok(ValueRow::stored(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?))
        };
        let values = rows.and_then(|rows| rows.iter().map(value).collect());
        values.map_err(|source| self.explain(source))
    }

    async fn write_message(&mut self, row: &VoicemailRow) -> Result<(), sqlx::Error> {
        let query = match row {
            VoicemailRow::Started(started) => {
                let StoredMessage { message, contact, client, mailbox, from, at, path, .. } = started;
                let sql = "INSERT OR REPLACE INTO voicemail \
                           (message, contact, client, mailbox, caller, at, path, heard) \
                           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)";
                let query = sqlx::query(sql).bind(to_i64(*message)).bind(to_i64(contact.0));
                query.bind(&**client).bind(&**mailbox).bind(&**from).bind(*at).bind(path)
            }
            VoicemailRow::Left { message, path, millis } => {
                let sql = "UPDATE voicemail SET path = ?2, millis = ?3 WHERE message = ?1";
                sqlx::query(sql).bind(to_i64(*message)).bind(path).bind(to_i64(*millis))
            }
            VoicemailRow::Heard { message, heard } => {
                let sql = "UPDATE voicemail SET heard = ?2 WHERE message = ?1";
                sqlx::query(sql).bind(to_i64(*message)).bind(*heard)
            }
            VoicemailRow::Gone(message) => {
                sqlx::query("DELETE FROM voicemail WHERE message = ?1").bind(to_i64(*message))
            }
        };
        query.execute(&mut self.connection).await.map(|_| ())
    }

    /// All messages of callers.
    pub(crate) async fn messages(&mut self) -> Result<Vec<StoredMessage>, StoreError> {
        let sql = "SELECT message, contact, client, mailbox, caller, at, path, millis, heard \
                   FROM voicemail ORDER BY message";
        let rows = sqlx::query(sql).fetch_all(&mut self.connection).await;
        let message = |row: &sqlx::sqlite::SqliteRow| {
            let text = |column| row.try_get::<&str, _>(column).map(Arc::from);
            Ok(StoredMessage {
                message: from_i64(row.try_get(0)?),
                contact: ContactId(from_i64(row.try_get(1)?)),
                client: text(2)?,
                mailbox: text(3)?,
                from: text(4)?,
                at: row.try_get(5)?,
                path: row.try_get(6)?,
                millis: row.try_get::<Option<i64>, _>(7)?.map(from_i64),
                heard: row.try_get(8)?,
            })
        };
        let messages = rows.and_then(|rows| rows.iter().map(message).collect());
        messages.map_err(|source| self.explain(source))
    }

    async fn write_wish(&mut self, agent: &str, wish: &AgentWish) -> Result<(), sqlx::Error> {
        let query = match wish {
            AgentWish::LogIn(phone) => {
                let sql = "INSERT INTO agent (agent, logged_in, paused, phone) VALUES (?1, 1, NULL, ?2) \
                           ON CONFLICT (agent) DO UPDATE SET logged_in = 1, phone = ?2";
                sqlx::query(sql).bind(agent).bind(&**phone)
            }
            AgentWish::LogOut => {
                let sql = "INSERT INTO agent (agent, logged_in, paused, phone) VALUES (?1, 0, NULL, NULL) \
                           ON CONFLICT (agent) DO UPDATE SET logged_in = 0, paused = NULL";
                sqlx::query(sql).bind(agent)
            }
            AgentWish::Pause(reason) => {
                sqlx::query("UPDATE agent SET paused = ?2 WHERE agent = ?1").bind(agent).bind(&**reason)
            }
            AgentWish::Ready => sqlx::query("UPDATE agent SET paused = NULL WHERE agent = ?1").bind(agent),
        };
        query.execute(&mut self.connection).await.map(|_| ())
    }

    async fn write_agent(&mut self, row: &AgentRow) -> Result<(), sqlx::Error> {
        let sql = "INSERT INTO agent (agent, logged_in, paused, phone) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (agent) DO UPDATE SET logged_in = ?2, phone = ?4, \
                   paused = CASE WHEN ?5 THEN paused ELSE ?3 END";
        let (agent, is_logged_in, paused, hides_pause, phone) = match row {
            AgentRow::Does { agent, is_logged_in, paused, hides_pause, phone } => {
                (agent, is_logged_in, paused, hides_pause, phone)
            }
            AgentRow::Wishes { agent, wish } => return self.write_wish(agent, wish).await,
        };
        let query = sqlx::query(sql).bind(&**agent).bind(*is_logged_in);
        let query = query.bind(paused.as_deref()).bind(phone.as_deref()).bind(*hides_pause);
        query.execute(&mut self.connection).await.map(|_| ())
    }

    async fn write_callback(&mut self, row: &CallbackRow) -> Result<(), sqlx::Error> {
        let query = match row {
            CallbackRow::Kept(contact, content) => {
                let sql = "INSERT OR REPLACE INTO callback (contact, content) VALUES (?, ?)";
                sqlx::query(sql).bind(to_i64(contact.0)).bind(content.as_str())
            }
            CallbackRow::Ended(contact) => {
                sqlx::query("DELETE FROM callback WHERE contact = ?").bind(to_i64(contact.0))
            }
        };
        query.execute(&mut self.connection).await.map(|_| ())
    }

    async fn write_registration(&mut self, row: &RegistrationRow) -> Result<(), sqlx::Error> {
        let query = match row {
            RegistrationRow::Set { user, contact, expires_at, reach } => {
                let sql = "INSERT OR REPLACE INTO registration (user, contact, expires_at, reach) \
                           VALUES (?1, ?2, ?3, ?4)";
                let query = sqlx::query(sql).bind(user).bind(contact);
                query.bind(to_i64(expires_at.micros())).bind(reach.as_deref())
            }
            RegistrationRow::Delete { user, contact } => {
                let sql = "DELETE FROM registration WHERE user = ?1 AND contact = ?2";
                sqlx::query(sql).bind(user).bind(contact)
            }
        };
        query.execute(&mut self.connection).await.map(|_| ())
    }

    /// Who is to be called back.
    pub(crate) async fn callbacks(&mut self) -> Result<Vec<Callback>, StoreError> {
        let sql = "SELECT contact, content FROM callback ORDER BY contact";
        let rows = sqlx::query(sql).fetch_all(&mut self.connection).await;
        let rows = rows.map_err(|source| self.explain(source))?;
        let callback = |row: &sqlx::sqlite::SqliteRow| {
            let order = serde_json::from_str(row.get(1)).map_err(|error| StoreError::Damaged {
                path: self.path.clone(),
                detail: error.to_string(),
            })?;
            Ok(Callback { asked: ContactId(from_i64(row.get(0))), order })
        };
        rows.iter().map(callback).collect()
    }

    /// All contacts that are registered.
    pub(crate) async fn registrations(&mut self) -> Result<Vec<Registration>, StoreError> {
        let sql = "SELECT user, contact, expires_at, reach FROM registration ORDER BY user, contact";
        let rows = sqlx::query(sql).fetch_all(&mut self.connection).await;
        let registration = |row: &sqlx::sqlite::SqliteRow| {
            let reach: Option<&str> = row.try_get(3)?;
            Ok(RegistrationRow::registration(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, reach))
        };
        let registrations = rows.and_then(|rows| rows.iter().map(registration).collect());
        registrations.map_err(|source| self.explain(source))
    }

    /// Where all agents were last.
    pub(crate) async fn agents(&mut self) -> Result<Vec<AgentSeat>, StoreError> {
        let sql = "SELECT agent, logged_in, paused, phone FROM agent ORDER BY agent";
        let rows = sqlx::query(sql).fetch_all(&mut self.connection).await;
        let seat = |row: &sqlx::sqlite::SqliteRow| {
            Ok(AgentRow::seat(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?))
        };
        let seats = rows.and_then(|rows| rows.iter().map(seat).collect());
        seats.map_err(|source| self.explain(source))
    }

    /// Begins a transaction. What fails until its end goes through [`Journal::roll_back`].
    pub(crate) async fn begin(&mut self) -> Result<(), StoreError> {
        self.execute("BEGIN IMMEDIATE").await
    }

    /// Ends the transaction; rolls it back if that fails.
    pub(crate) async fn commit(&mut self) -> Result<(), StoreError> {
        match self.execute("COMMIT").await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.roll_back(error).await),
        }
    }

    /// Undoes the transaction and hands `error` back.
    pub(crate) async fn roll_back(&mut self, error: StoreError) -> StoreError {
        // SQLite itself rolls back on a full disk; that there is nothing left to undo is no error.
        let _ = self.execute("ROLLBACK").await;
        error
    }

    /// Runs one statement without arguments.
    pub(crate) async fn execute(&mut self, sql: &'static str) -> Result<(), StoreError> {
        match sqlx::query(sql).execute(&mut self.connection).await {
            Ok(_) => Ok(()),
            Err(source) => Err(self.explain(source)),
        }
    }

    /// How far the journal goes; zeros if it is empty.
    pub(crate) async fn tail(&mut self) -> Result<Tail, StoreError> {
        // The rows of the last transaction interleave: its last event may be in any of them.
        let sql = "SELECT COALESCE(MAX(last_seq), 0), COALESCE(MAX(last_at), 0), \
                   (SELECT COALESCE(MAX(contact), 0) FROM contact) \
                   FROM (SELECT last_seq, last_at FROM journal ORDER BY first_seq DESC LIMIT ?)";
        let row = sqlx::query(sql).bind(to_i64(BATCH_EVENTS as u64)).fetch_one(&mut self.connection).await;
        let row = row.map_err(|source| self.explain(source))?;
        let [seq, at, last_contact] = [0, 1, 2].map(|column| from_i64(row.get(column)));
        Ok(Tail { last_seq: seq, last_at: Time::from_micros(at), last_contact })
    }

    /// The wall clock at the log's time zero, in microseconds since 1970; `now` if this is its first run.
    pub(crate) async fn began(&mut self, now: i64) -> Result<i64, StoreError> {
        let insert = sqlx::query("INSERT OR IGNORE INTO log (id, began) VALUES (1, ?)").bind(now);
        insert.execute(&mut self.connection).await.map_err(|source| self.explain(source))?;
        let row = sqlx::query("SELECT began FROM log").fetch_one(&mut self.connection).await;
        Ok(row.map_err(|source| self.explain(source))?.get(0))
    }

    /// Contacts that have begun and not ended, and the wall clock of each.
    pub(crate) async fn live_contacts(&mut self) -> Result<Vec<(ContactId, WallClock)>, StoreError> {
        let sql = "SELECT contact, at, started FROM contact WHERE cdr IS NULL ORDER BY contact";
        let rows = sqlx::query(sql).fetch_all(&mut self.connection).await;
        let rows = rows.map_err(|source| self.explain(source))?;
        Ok(rows
            .iter()
            .map(|row| (ContactId(from_i64(row.get(0))), wall_of(row.get(1), row.get(2))))
            .collect())
    }

    /// All events of a contact, in order.
    pub(crate) async fn events_of(&mut self, contact: ContactId) -> Result<Vec<Event>, StoreError> {
        events_of(&mut self.connection, &self.path, contact).await
    }

    /// The events of up to `rows` rows of the journal after the row that begins with `after`, and
    /// the first number of the last of these rows. Events of one contact are in order.
    pub(crate) async fn page(
        &mut self,
        after: u64,
        rows: u32,
    ) -> Result<Option<(u64, Vec<Event>)>, StoreError> {
        let sql =
            "SELECT first_seq, contact, events FROM journal WHERE first_seq > ? ORDER BY first_seq LIMIT ?";
        let page = sqlx::query(sql).bind(to_i64(after)).bind(rows).fetch_all(&mut self.connection).await;
        let page = page.map_err(|source| self.explain(source))?;
        let Some(last) = page.last() else { return Ok(None) };
        let last = from_i64(last.get(0));
        Ok(Some((last, decode(&self.path, page.iter().map(|row| (row.get(1), row.get(2))))?)))
    }

    fn explain(&self, source: sqlx::Error) -> StoreError {
        StoreError::from_sqlx(&self.path, source)
    }
}

/// What a row says cannot be read.
pub(crate) fn damaged(path: &Path, error: &serde_json::Error) -> StoreError {
    StoreError::Damaged { path: path.to_owned(), detail: error.to_string() }
}

/// A row of figures cannot be read.
pub(crate) fn damaged_row(path: &Path, error: Damaged) -> StoreError {
    StoreError::Damaged { path: path.to_owned(), detail: error.to_string() }
}

/// All events of a contact, in order.
pub(crate) async fn events_of(
    connection: &mut SqliteConnection,
    path: &Path,
    contact: ContactId,
) -> Result<Vec<Event>, StoreError> {
    let sql = "SELECT contact, events FROM journal WHERE contact = ? ORDER BY first_seq";
    let rows = sqlx::query(sql).bind(to_i64(contact.0)).fetch_all(connection).await;
    let rows = rows.map_err(|source| StoreError::from_sqlx(path, source))?;
    decode(path, rows.iter().map(|row| (row.get(0), row.get(1))))
}

/// The wall clock under which a contact's row was written.
pub(crate) fn wall_of(at: i64, started: i64) -> WallClock {
    WallClock::from_start(Time::from_micros(from_i64(at)), started)
}

/// SQLite's integers are signed; numbers beyond them would take 292,000 years of microseconds.
pub(crate) fn to_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn from_i64(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// The events of rows of the journal, row by row.
pub(crate) fn decode<'a>(
    path: &Path,
    rows: impl Iterator<Item = (Option<i64>, &'a str)>,
) -> Result<Vec<Event>, StoreError> {
    let mut events = Vec::new();
    for (contact, json) in rows {
        let contact = contact.map(|contact| ContactId(from_i64(contact)));
        let chunk = parse_chunk(contact, json).map_err(|error| damaged(path, &error))?;
        events.extend(chunk);
    }
    Ok(events)
}

impl Insert {
    fn new(table: &str, columns: usize, conflict: &str) -> Self {
        let row = format!("({})", vec!["?"; columns].join(","));
        let values = |rows| vec![row.as_str(); rows].join(",");
        let sql = |rows| format!("INSERT OR ROLLBACK INTO {table} VALUES {} {conflict}", values(rows));
        Self((1..=STATEMENT_ROWS).map(|rows| sql(rows).into()).collect())
    }
}

async fn insert<R>(
    connection: &mut SqliteConnection,
    insert: &Insert,
    rows: &[R],
    bind: fn(&R, &mut SqliteArguments) -> Result<(), BoxDynError>,
) -> Result<(), sqlx::Error> {
    for rows in rows.chunks(STATEMENT_ROWS) {
        let mut arguments = SqliteArguments::default();
        for row in rows {
            bind(row, &mut arguments).map_err(sqlx::Error::Encode)?;
        }
        let sql = AssertSqlSafe(insert.0[rows.len() - 1].clone());
        sqlx::query_with(sql, arguments).execute(&mut *connection).await?;
    }
    Ok(())
}

fn bind_chunk(chunk: &Chunk, arguments: &mut SqliteArguments) -> Result<(), BoxDynError> {
    arguments.add(to_i64(chunk.first_seq))?;
    arguments.add(to_i64(chunk.last_seq))?;
    arguments.add(to_i64(chunk.last_at.micros()))?;
    arguments.add(chunk.contact.map(|contact| to_i64(contact.0)))?;
    arguments.add(chunk.json())
}

fn bind_contact(row: &ContactRow, arguments: &mut SqliteArguments) -> Result<(), BoxDynError> {
    arguments.add(to_i64(row.contact.0))?;
    arguments.add(to_i64(row.started.at.micros()))?;
    arguments.add(row.started.utc.as_microsecond())?;
    arguments.add(row.caller.as_str())?;
    arguments.add(row.called.as_str())?;
    arguments.add(row.client.as_str())?;
    arguments.add(row.cdr.as_deref())
}

fn bind_visit(visit: &Visit, arguments: &mut SqliteArguments) -> Result<(), BoxDynError> {
    arguments.add(visit.arrived)?;
    arguments.add(to_i64(visit.id))?;
    arguments.add(&*visit.client)?;
    arguments.add(visit.is_open())?;
    arguments.add(pack(visit))
}

fn bind_day(
    ((agent, day), changes): &(&(Arc<str>, Millis), &Vec<u8>),
    arguments: &mut SqliteArguments,
) -> Result<(), BoxDynError> {
    arguments.add(&**agent)?;
    arguments.add(*day)?;
    arguments.add(changes.as_slice())
}
