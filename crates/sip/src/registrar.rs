//! The registrar: which contacts an address-of-record has (RFC 3261 section 10.3).

use crate::{Flow, Message};
use clock::{Duration, Time};
use std::collections::BTreeMap;

/// What a registrar accepts.
#[derive(Clone, Debug)]
pub struct RegistrarConfig {
    /// Contacts that one address-of-record may have.
    pub max_contacts: usize,
    /// The expiry given to a contact that asks for none.
    pub default_expires: Duration,
    /// A shorter expiry is refused with 423.
    pub min_expires: Duration,
    /// A longer one is shortened to this.
    pub max_expires: Duration,
}

impl Default for RegistrarConfig {
    fn default() -> Self {
        Self {
            max_contacts: 10,
            default_expires: Duration::from_secs(3600),
            min_expires: Duration::from_secs(60),
            max_expires: Duration::from_secs(7200),
        }
    }
}

/// One contact of an address-of-record.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// The contact's URI, as given.
    pub uri: String,
    /// The way that the REGISTER came by; calls go there.
    pub flow: Flow,
    /// When it ends.
    pub expires_at: Time,
    /// Preference in thousandths, 0 to 1000.
    pub q: u16,
    /// The Path header field's values (RFC 3327): the Route of requests to this contact.
    pub path: Vec<String>,
}

/// Why a REGISTER is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The status to answer with.
    pub status: u16,
    /// Header fields to add to the answer.
    pub headers: Vec<(&'static str, String)>,
}

/// The bindings of all addresses-of-record. Authentication is the caller's.
#[derive(Debug)]
pub struct Registrar {
    config: RegistrarConfig,
    bindings: BTreeMap<String, Vec<Binding>>,
}

impl Registrar {
    /// No bindings.
    pub fn new(config: RegistrarConfig) -> Self {
        Self { config, bindings: BTreeMap::new() }
    }

    /// Carries out an authenticated REGISTER for `aor` and returns the bindings that it leaves.
    ///
    /// # Errors
    /// What to answer instead of 200.
    pub fn register(
        &mut self,
        now: Time,
        aor: &str,
        request: &Message,
        flow: Flow,
    ) -> Result<Vec<Binding>, Reject> {
        let _ = (now, aor, request, flow, &self.config);
        Err(Reject { status: 501, headers: Vec::new() })
    }

    /// The bindings of `aor` that have not expired, best `q` first.
    pub fn lookup(&self, now: Time, aor: &str) -> impl Iterator<Item = &Binding> {
        self.bindings.get(aor).into_iter().flatten().filter(move |binding| binding.expires_at > now)
    }

    /// How many bindings there are, over all addresses-of-record.
    pub fn len(&self) -> usize {
        self.bindings.values().map(Vec::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes what has expired and names it: address-of-record and contact URI.
    pub fn expire(&mut self, now: Time) -> Vec<(String, String)> {
        let _ = now;
        Vec::new()
    }

    /// When the next binding expires.
    pub fn next_timeout(&self) -> Option<Time> {
        self.bindings.values().flatten().map(|binding| binding.expires_at).min()
    }

    /// Removes the bindings of a stream that has closed and names them.
    pub fn flow_closed(&mut self, connection: u64) -> Vec<(String, String)> {
        let _ = connection;
        Vec::new()
    }
}
