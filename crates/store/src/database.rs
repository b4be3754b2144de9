//! The file: its lock, its connections and its schema.

use crate::error::StoreError;
use crate::journal::PREPARED_STATEMENTS;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row};
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Each brings the schema from its index to the next version (`PRAGMA user_version`).
const MIGRATIONS: [&str; 10] = [
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
    include_str!("schema/7.sql"),
    include_str!("schema/8.sql"),
    include_str!("schema/9.sql"),
    include_str!("schema/10.sql"),
];

/// How long a statement waits for another program's lock.
const BUSY_TIMEOUT: Duration = Duration::from_millis(250);

/// Bytes a page: the events of a call in one batch seldom fit in SQLite's 4 KiB with others.
const PAGE_BYTES: u32 = 8_192;

/// Pages that the write-ahead log gathers (16 MiB) before they are copied into the database: pages
/// that change often are then copied once.
const CHECKPOINT_PAGES: &str = "2000";

/// SQLite's own cache of pages, 512 KiB (its default is 2 MB): rows are added at the end of tables and indexes, a few pages
/// of each, and what is older the system has in its cache of files.
const CACHE: &str = "-512";

/// Held for as long as this process owns the state directory.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// The database file of a state directory.
pub(crate) fn file(dir: &Path) -> PathBuf {
    dir.join("ringdown.db")
}

/// Makes the directory if it is missing and takes it for this process.
pub(crate) fn lock(dir: &Path) -> Result<Lock, StoreError> {
    let path = || dir.to_owned();
    fs::create_dir_all(dir).map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => StoreError::NotADirectory { path: path() },
        _ => StoreError::Directory { path: path(), source },
    })?;
    let directory = |source| StoreError::Directory { path: path(), source };
    let lock = dir.join("ringdown.lock");
    let file = File::options().create(true).truncate(false).write(true).open(lock).map_err(directory)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: path() }),
        Err(TryLockError::Error(source)) => Err(directory(source)),
    }
}

/// Opens the database for writing and brings its schema up to date.
pub(crate) async fn open(dir: &Path) -> Result<SqliteConnection, StoreError> {
    let path = file(dir);
    let options = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true)
        .page_size(PAGE_BYTES)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("cache_size", CACHE)
        .busy_timeout(BUSY_TIMEOUT)
        .statement_cache_capacity(PREPARED_STATEMENTS)
        .disable_statement_logging();
    let fail = |source| StoreError::from_sqlx(&path, source);
    let mut connection = options.connect().await.map_err(fail)?;
    migrate(&mut connection, &path).await?;
    Ok(connection)
}

/// How to open the database for reading only.
///
/// # Errors
/// `Missing` before a server has made it.
pub(crate) fn read_options(dir: &Path) -> Result<SqliteConnectOptions, StoreError> {
    let path = file(dir);
    if !path.is_file() {
        return Err(StoreError::Missing { path });
    }
    let options = SqliteConnectOptions::new().filename(&path).read_only(true);
    Ok(options.busy_timeout(BUSY_TIMEOUT).disable_statement_logging())
}

/// Refuses a schema that this version does not know.
pub(crate) async fn check_schema(
    connection: &mut SqliteConnection,
    path: &Path,
) -> Result<usize, StoreError> {
    let row = sqlx::query("PRAGMA user_version").fetch_one(connection).await;
    let row = row.map_err(|source| StoreError::from_sqlx(path, source))?;
    let found: i64 = row.get(0);
    match usize::try_from(found) {
        Ok(version) if version <= MIGRATIONS.len() => Ok(version),
        _ => {
            let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
            Err(StoreError::NewerSchema { path: path.to_owned(), found, known })
        }
    }
}

async fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let fail = |source| StoreError::from_sqlx(path, source);
    let version = check_schema(connection, path).await?;
    for migration in &MIGRATIONS[version..] {
        let mut transaction = connection.begin().await.map_err(fail)?;
        sqlx::raw_sql(*migration).execute(&mut *transaction).await.map_err(fail)?;
        transaction.commit().await.map_err(fail)?;
    }
    Ok(())
}
