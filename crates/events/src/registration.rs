//! Contacts that phones have registered, as a restart goes on with them.

use clock::Time;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::sync::Arc;

/// How a registered contact is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// As a Via header field names it: `UDP`.
    pub transport: Arc<str>,
    /// Our address.
    pub local: SocketAddr,
    /// Where the REGISTER came from.
    pub peer: SocketAddr,
    /// Preference in thousandths, 0 to 1000.
    pub q: u16,
    /// The values of the Path header field (RFC 3327).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
}

/// A contact that was registered when the log ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// `user@client`.
    pub user: String,
    /// The Contact URI.
    pub contact: String,
    /// When it ends, since the log began.
    pub expires_at: Time,
    /// `None` if the log does not say: a version that did not write it is the last to have heard of it.
    pub reach: Option<Reach>,
}
