//! The event journal of a node and its projections, in SQLite.
//!
//! One process owns a state directory: [`Store::open`] locks it, brings the schema up to date and
//! closes what a crash interrupted; [`Store::into_writer`] then appends events in batches. Any
//! process may read beside it with a [`Reader`]. The journal is the truth; the other tables are folds of
//! it that [`Store::rebuild`] makes anew.

mod agents;
mod batch;
mod callbacks;
mod database;
mod dispositions;
mod error;
mod figured;
mod journal;
mod reader;
mod recordings;
mod recovery;
mod registrations;
mod values;
mod voicemail;
mod writer;

pub use dispositions::Disposed;
pub use error::StoreError;
pub use reader::{Filter, Reader};
pub use recordings::{Number, Recording, Recordings};
pub use writer::Writer;

use clock::Time;
use database::Lock;
use events::{AgentSeat, Callback, Registration, StoredMessage, StoredValue, WallClock};
use journal::Journal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// A state directory that this process owns and does not serve from yet.
#[derive(Debug)]
pub struct Store {
    journal: Journal,
    lock: Lock,
    figures: figures::Fold,
}

/// Where a restart continues: pass it on to the switch before it handles anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The log's time at the moment of the call; never before its last event.
    pub now: Time,
    /// The wall clock of this run.
    pub wall: WallClock,
    /// The number of the next event.
    pub first_seq: u64,
    /// The number of the next contact.
    pub first_contact: u64,
}

impl Store {
    /// Opens or makes `dir/ringdown.db` and takes the directory for this process.
    ///
    /// Contacts that a crash left open are closed here, by the switch with reason `interrupted`, so
    /// that every contact ends once.
    ///
    /// # Errors
    /// Each names the path and what to do: no directory, not writable, taken by another process,
    /// written by a newer version, damaged, full.
    pub async fn open(dir: &Path) -> Result<Self, StoreError> {
        let lock = database::lock(dir)?;
        let mut journal = Journal::new(database::open(dir).await?, database::file(dir));
        let figures = recovery::close_interrupted(&mut journal).await?;
        Ok(Self { journal, lock, figures })
    }

    /// Opens `dir/ringdown.db` for reading, beside a running server or without one.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub async fn open_read(dir: &Path) -> Result<Reader, StoreError> {
        Reader::open(dir).await
    }

    /// Where the numbering and the time of the log continue.
    ///
    /// Time goes on by the wall clock since the log began, so that it tells how long the node was
    /// down; a wall clock that was set back does not turn it back.
    ///
    /// # Errors
    /// What the database says.
    pub async fn origin(&mut self) -> Result<Origin, StoreError> {
        let tail = self.journal.tail().await?;
        let unix_micros = wall_micros();
        let began = self.journal.began(unix_micros).await?;
        let elapsed = u64::try_from(unix_micros.saturating_sub(began)).unwrap_or(0);
        let now = Time::from_micros(elapsed).max(tail.last_at);
        Ok(Origin {
            now,
            wall: WallClock::from_start(now, unix_micros),
            first_seq: tail.last_seq + 1,
            first_contact: tail.last_contact + 1,
        })
    }

    /// Where the agents of queues were when the log ends: they go on there.
    ///
    /// # Errors
    /// What the database says.
    pub async fn agents(&mut self) -> Result<Vec<AgentSeat>, StoreError> {
        self.journal.agents().await
    }

    /// What flows remembered when the log ended, but for what is over by then, in microseconds since 1970.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn values(&mut self, unix_micros: i64) -> Result<Vec<StoredValue>, StoreError> {
        self.journal.values(unix_micros).await
    }

    /// The messages of callers, those included that were being left when the log ended.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn messages(&mut self) -> Result<Vec<StoredMessage>, StoreError> {
        self.journal.messages().await
    }

    /// Who is to be called back, as a restart goes on with it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn callbacks(&mut self) -> Result<Vec<Callback>, StoreError> {
        self.journal.callbacks().await
    }

    /// The contacts that were registered when the log ends.
    ///
    /// # Errors
    /// What the database says.
    pub async fn registrations(&mut self) -> Result<Vec<Registration>, StoreError> {
        self.journal.registrations().await
    }

    /// Makes the tables beside the journal anew from it, in one transaction.
    ///
    /// # Errors
    /// What the database says; the tables are then as they were.
    pub async fn rebuild(&mut self) -> Result<(), StoreError> {
        recovery::rebuild(&mut self.journal).await
    }

    /// Begins to serve: appends events from a task of the current tokio runtime.
    ///
    /// `alarm` gets one line when writing begins to fail, one when it works again, and one if it has
    /// ended for good. It is called on the runtime and by [`Writer::append`] and must not block.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn into_writer(self, origin: &Origin, alarm: impl Fn(&str) + Send + Sync + 'static) -> Writer {
        Writer::start(self, (origin.wall, origin.first_seq - 1), writer::QUEUE_EVENTS, Arc::new(alarm))
    }

    /// The database file.
    pub fn path(&self) -> PathBuf {
        self.journal.path().to_owned()
    }
}

fn wall_micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
