//! STIR/SHAKEN (RFC 8224) as the node file has it.

use clock::Duration;
use ipnet::IpNet;
use shaken::Attestation;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whose word counts for a caller, and where the certificates of those are who give it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stir {
    /// PEM: the roots that are trusted, relative to the node file.
    pub trust: Arc<str>,
    /// PEM files of certificates that are never fetched, by the URL that tokens name.
    pub certificates: Vec<(Arc<str>, Arc<str>)>,
    /// How the others are fetched, if they are.
    pub fetch: Option<Fetch>,
    /// How old a token may be; 60 seconds (RFC 8224 section 4.1).
    pub max_age: Duration,
}

/// How certificates are fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// How long a call waits for one.
    pub within: Duration,
    /// Networks of servers that may be asked although they are private.
    pub allow: Vec<IpNet>,
    /// PEM: who certifies the web servers, instead of the usual roots.
    pub roots: Option<Arc<str>>,
}

impl Default for Fetch {
    fn default() -> Self {
        Self { within: Duration::from_secs(2), allow: Vec::new(), roots: None }
    }
}

/// What a trunk's calls have to do with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrunkStir {
    /// What becomes of the tokens of its calls.
    pub receive: Receive,
    /// How the node answers for callers to it.
    pub sign: Option<Sign>,
}

/// What becomes of tokens that come in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Receive {
    /// Nothing.
    #[default]
    Ignore,
    /// The flow is told what they are worth.
    Verify,
    /// A call without a good one is refused.
    Require,
}

/// How the node answers for callers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sign {
    /// PEM: the private key, relative to the node file.
    pub key: Arc<str>,
    /// Where others find the certificate, an `https` URL.
    pub certificate: Arc<str>,
    /// For the numbers that are not listed.
    pub attest: Attestation,
    /// By canonical number.
    pub numbers: BTreeMap<Box<str>, Attestation>,
}

impl Sign {
    /// How well a number is known that the client owns.
    pub fn attestation(&self, number: &shaken::Number) -> Attestation {
        self.numbers.get(number.as_str()).copied().unwrap_or(self.attest)
    }
}
