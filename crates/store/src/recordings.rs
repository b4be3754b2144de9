//! Recordings of calls, from the journal: where they are, and what became of them.

use crate::batch::search_key;
use crate::error::StoreError;
use crate::journal::{Journal, from_i64, to_i64};
use crate::reader::{Reader, key_range, of_number};
use events::{ContactId, Event, Kind, WallClock};
use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// A change of the table of recordings.
#[derive(Debug)]
pub(crate) enum RecordingRow {
    Started {
        recording: u64,
        contact: ContactId,
        at: i64,
        path: String,
    },
    /// The one of that contact which runs under this path, or else the first that runs: its name may have been taken.
    Ended {
        contact: ContactId,
        path: String,
        millis: u64,
    },
    Sealed {
        recording: u64,
        path: String,
    },
    Held {
        recording: u64,
        why: Option<String>,
    },
    Erased {
        recording: u64,
        at: i64,
    },
}

/// A recording of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Its number: that of the event with which it began.
    pub recording: u64,
    /// Of which call.
    pub contact: ContactId,
    /// Whose call that is.
    pub client: String,
    /// Its caller's number; `None` until the call is over, as for the number called.
    pub from: Option<String>,
    /// The number called.
    pub to: Option<String>,
    /// When it began.
    pub at: Timestamp,
    /// The file.
    pub path: String,
    /// Its length; `None` while it runs.
    pub millis: Option<u64>,
    /// Whether the file is ciphertext.
    pub sealed: bool,
    /// Why it is kept, whatever else is wanted.
    pub held: Option<String>,
    /// When its file was erased.
    pub erased: Option<Timestamp>,
}

/// Which recordings; what is `None`, empty or false lets all pass.
#[derive(Clone, Debug, Default)]
pub struct Recordings {
    /// Of calls from or to a number.
    pub number: Option<Number>,
    /// Of this call.
    pub contact: Option<ContactId>,
    /// Of calls of one of these clients.
    pub clients: Vec<String>,
    /// Only those whose file is not erased.
    pub kept: bool,
    /// Only those with a number below this one.
    pub before: Option<u64>,
}

/// How a telephone number is meant.
#[derive(Clone, Debug)]
pub enum Number {
    /// With or without its country code: numbers that end so.
    Ending(String),
    /// This one and no other, as the calls have it.
    Exactly(String),
}

impl RecordingRow {
    /// What an event tells of a recording.
    pub(crate) fn of(event: &Event, wall: WallClock) -> Option<Self> {
        let at = || wall.moment(event.at).utc.as_microsecond();
        Some(match &event.kind {
            Kind::RecordingStarted { path, .. } => {
                Self::Started { recording: event.seq, contact: event.contact?, at: at(), path: path.clone() }
            }
            Kind::RecordingEnded { path, millis, .. } => {
                Self::Ended { contact: event.contact?, path: path.clone(), millis: *millis }
            }
            Kind::RecordingSealed { recording, path } => {
                Self::Sealed { recording: *recording, path: path.clone() }
            }
            Kind::RecordingHeld { recording, why, .. } => {
                Self::Held { recording: *recording, why: why.as_deref().map(str::to_owned) }
            }
            Kind::RecordingErased { recording, .. } => Self::Erased { recording: *recording, at: at() },
            _ => return None,
        })
    }
}

impl Journal {
    pub(crate) async fn write_recording(&mut self, row: &RecordingRow) -> Result<(), sqlx::Error> {
        let query = match row {
            RecordingRow::Started { recording, contact, at, path } => {
                let sql = "INSERT OR REPLACE INTO recording (recording, contact, at, path, sealed) \
                           VALUES (?1, ?2, ?3, ?4, 0)";
                sqlx::query(sql).bind(to_i64(*recording)).bind(to_i64(contact.0)).bind(*at).bind(path)
            }
            RecordingRow::Ended { contact, path, millis } => {
                let sql = "UPDATE recording SET path = ?2, millis = ?3 WHERE recording = \
                           (SELECT recording FROM recording WHERE contact = ?1 AND millis IS NULL \
                           ORDER BY path = ?2 DESC, recording LIMIT 1)";
                sqlx::query(sql).bind(to_i64(contact.0)).bind(path).bind(to_i64(*millis))
            }
            RecordingRow::Sealed { recording, path } => {
                let sql = "UPDATE recording SET path = ?2, sealed = 1 WHERE recording = ?1";
                sqlx::query(sql).bind(to_i64(*recording)).bind(path)
            }
            RecordingRow::Held { recording, why } => {
                let sql = "UPDATE recording SET held = ?2 WHERE recording = ?1";
                sqlx::query(sql).bind(to_i64(*recording)).bind(why.as_deref())
            }
            RecordingRow::Erased { recording, at } => {
                let sql = "UPDATE recording SET erased = ?2 WHERE recording = ?1";
                sqlx::query(sql).bind(to_i64(*recording)).bind(*at)
            }
        };
        query.execute(&mut self.connection).await.map(|_| ())
    }
}

macro_rules! columns {
    () => {
        "SELECT recording, contact, client, json_extract(cdr, '$.from'), json_extract(cdr, '$.to'), \
         at, path, millis, sealed, held, erased FROM \
         (SELECT recording.*, contact.client, contact.cdr FROM recording JOIN contact USING (contact)) "
    };
}

const CHOSEN: &str = concat!(
    columns!(),
    "WHERE (?1 IS NULL OR contact IN ",
    of_number!(),
    ") AND (?3 IS NULL OR contact = ?3) \
     AND (?4 = '[]' OR client IN (SELECT value FROM json_each(?4))) \
     AND (NOT ?5 OR erased IS NULL) AND recording < ?6 \
     ORDER BY recording DESC LIMIT ?7"
);

impl Reader {
    /// Recordings, the latest begun first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn recordings(&self, limit: u32, which: &Recordings) -> Result<Vec<Recording>, StoreError> {
        let (low, high) = which.number.as_ref().map(Number::range).unzip();
        let clients = serde_json::to_string(&which.clients).expect("a list of texts has a JSON form");
        let query = sqlx::query(CHOSEN)
            .bind(low)
            .bind(high)
            .bind(which.contact.map(|contact| to_i64(contact.0)))
            .bind(clients)
            .bind(which.kept)
            .bind(which.before.map_or(i64::MAX, to_i64))
            .bind(limit);
        self.read_recordings(query).await
    }

    /// One recording; `None` if there never was one of that number.
    ///
    /// # Errors
    /// What the database says.
    pub async fn recording(&self, recording: u64) -> Result<Option<Recording>, StoreError> {
        let sql = concat!(columns!(), "WHERE recording = ?1");
        Ok(self.read_recordings(sqlx::query(sql).bind(to_i64(recording))).await?.pop())
    }

    /// Complete recordings of a client that began between two moments and are neither held nor erased, the first begun first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn old_recordings(
        &self,
        client: &str,
        (from, until): (Timestamp, Timestamp),
        limit: u32,
    ) -> Result<Vec<Recording>, StoreError> {
        let sql = concat!(
            columns!(),
            "WHERE at >= ?1 AND at < ?2 AND erased IS NULL AND held IS NULL AND millis IS NOT NULL \
             AND client = ?3 ORDER BY at LIMIT ?4"
        );
        let query = sqlx::query(sql).bind(from.as_microsecond()).bind(until.as_microsecond());
        self.read_recordings(query.bind(client.to_owned()).bind(limit)).await
    }

    /// Recordings of some clients that are not ciphertext and not erased, from this number on, in their order.
    ///
    /// # Errors
    /// What the database says.
    pub async fn open_recordings(
        &self,
        clients: &[&str],
        from: u64,
        limit: u32,
    ) -> Result<Vec<Recording>, StoreError> {
        let sql = concat!(
            columns!(),
            "WHERE recording >= ?1 AND NOT sealed AND erased IS NULL \
             AND client IN (SELECT value FROM json_each(?2)) ORDER BY recording LIMIT ?3"
        );
        let clients = serde_json::to_string(clients).expect("a list of texts has a JSON form");
        self.read_recordings(sqlx::query(sql).bind(to_i64(from)).bind(clients).bind(limit)).await
    }

    /// Recordings of calls that have ended, which nobody has seen the end of: the process was killed.
    ///
    /// # Errors
    /// What the database says.
    pub async fn cut_recordings(&self) -> Result<Vec<Recording>, StoreError> {
        let sql = concat!(columns!(), "WHERE millis IS NULL AND erased IS NULL AND cdr IS NOT NULL");
        self.read_recordings(sqlx::query(sql)).await
    }

    async fn read_recordings(
        &self,
        query: sqlx::query::Query<'_, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>,
    ) -> Result<Vec<Recording>, StoreError> {
        let mut connection = self.connection().await?;
        let rows = query.fetch_all(&mut *connection).await;
        rows.and_then(|rows| rows.iter().map(recording).collect()).map_err(|source| self.explain(source))
    }
}

impl Number {
    /// The keys from the first to before the second are its.
    fn range(&self) -> (String, String) {
        match self {
            Self::Ending(number) => key_range(number),
            Self::Exactly(number) => {
                let key = search_key(number);
                let next = format!("{key}\u{1}");
                (key, next)
            }
        }
    }
}

fn recording(row: &SqliteRow) -> Result<Recording, sqlx::Error> {
    let moment = |micros: i64| Timestamp::from_microsecond(micros).unwrap_or_default();
    Ok(Recording {
        recording: from_i64(row.try_get(0)?),
        contact: ContactId(from_i64(row.try_get(1)?)),
        client: row.try_get(2)?,
        from: row.try_get(3)?,
        to: row.try_get(4)?,
        at: moment(row.try_get(5)?),
        path: row.try_get(6)?,
        millis: row.try_get::<Option<i64>, _>(7)?.map(from_i64),
        sealed: row.try_get(8)?,
        held: row.try_get(9)?,
        erased: row.try_get::<Option<i64>, _>(10)?.map(moment),
    })
}
