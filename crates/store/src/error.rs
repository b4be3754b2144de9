use std::io;
use std::path::{Path, PathBuf};

/// Why the store cannot do what it was asked. Each message names the path and what to do.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what each means; the fields are what they name")]
pub enum StoreError {
    #[error("{path} is not a directory; name another state directory with --state")]
    NotADirectory { path: PathBuf },
    #[error(
        "{path} cannot be used as the state directory: {source}; give this user the right to write there or name another with --state"
    )]
    Directory { path: PathBuf, source: io::Error },
    #[error(
        "{path} is in use by another ringdown; stop that one or name another state directory with --state"
    )]
    Locked { path: PathBuf },
    #[error("{path} does not exist; has a server ever run with this state directory? Name it with --state")]
    Missing { path: PathBuf },
    #[error("{path} cannot be opened; give this user the right to read and write the file and its directory")]
    NoAccess { path: PathBuf },
    #[error("{path}: the disk is full; free some space there")]
    Full { path: PathBuf },
    #[error(
        "{path}: another program holds a lock on the database; close it (an open sqlite3 shell, a backup)"
    )]
    Busy { path: PathBuf },
    #[error(
        "{path} was written by a newer ringdown (schema {found}, this one knows {known}); run that version or restore an older copy"
    )]
    NewerSchema { path: PathBuf, found: i64, known: i64 },
    #[error(
        "{path} has figures of another version of ringdown; start a node of this version there once: it makes them anew"
    )]
    OtherFigures { path: PathBuf },
    #[error("{path} is damaged ({detail}); restore it from a backup or move it away to begin a new log")]
    Damaged { path: PathBuf, detail: String },
    #[error("{path}: {source}")]
    Database { path: PathBuf, source: sqlx::Error },
    #[error("{path}: the writer of the event log has ended; what was appended since is lost")]
    WriterGone { path: PathBuf },
}

impl StoreError {
    /// What SQLite's primary result code means for whoever runs the node.
    pub(crate) fn from_sqlx(path: &Path, source: sqlx::Error) -> Self {
        let path = path.to_owned();
        let code = source.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
        match code.map(|extended| extended & 0xff) {
            Some(5 | 6) => Self::Busy { path },
            Some(8 | 14) => Self::NoAccess { path },
            Some(11 | 26) => Self::Damaged { path, detail: source.to_string() },
            Some(13) => Self::Full { path },
            _ => Self::Database { path, source },
        }
    }
}
