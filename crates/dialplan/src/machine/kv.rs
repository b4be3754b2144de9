//! What flows remember beyond a call.

use clock::Duration;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What is done with a value of the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KvOrder {
    /// Tell it.
    Get {
        /// Its name, and after a stroke what that is of.
        key: Arc<str>,
    },
    /// Keep it.
    Set {
        /// Likewise.
        key: Arc<str>,
        /// What is kept.
        value: Arc<str>,
        /// For how long; for ever without.
        keep: Option<Duration>,
    },
    /// Add to the whole number that it is, and tell the sum; one that is not there is 0.
    Add {
        /// Likewise.
        key: Arc<str>,
        /// How much.
        by: i64,
        /// For how long it is kept from now; for ever without.
        keep: Option<Duration>,
    },
    /// Forget it.
    Delete {
        /// Likewise.
        key: Arc<str>,
    },
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KvResult {
    /// The value, if there is one.
    Value(Option<Arc<str>>),
    /// It was kept or forgotten.
    Done,
    /// It is no whole number, or the client keeps as much as it may.
    Failed,
}

impl KvOrder {
    /// Which value is meant.
    pub fn key(&self) -> &Arc<str> {
        match self {
            Self::Get { key } | Self::Set { key, .. } | Self::Add { key, .. } | Self::Delete { key } => key,
        }
    }
}
