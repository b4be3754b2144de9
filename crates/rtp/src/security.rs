//! How a stream's packets are protected.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What protects a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Security {
    /// Nothing: RTP as it is.
    #[default]
    Plain,
    /// SRTP by keys that the signalling has carried (RFC 4568).
    Srtp(Box<SrtpKeys>),
}

/// The keys of both directions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SrtpKeys {
    /// What the peer's packets are protected with.
    pub receive: MasterKey,
    /// What ours are.
    pub send: MasterKey,
}

/// An SRTP crypto suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Suite {
    /// AES-128 in counter mode with an HMAC-SHA1 of 80 bits (RFC 3711).
    AesCm128Sha1Tag80,
    /// The same with 32 bits; RTCP keeps 80 (RFC 4568 6.2.2).
    AesCm128Sha1Tag32,
    /// AES-128 in Galois/counter mode (RFC 7714).
    AeadAes128Gcm,
    /// AES-256 in Galois/counter mode (RFC 7714).
    AeadAes256Gcm,
}

impl Suite {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::AesCm128Sha1Tag80, Self::AesCm128Sha1Tag32, Self::AeadAes128Gcm, Self::AeadAes256Gcm];

    /// The bytes of a master key.
    pub const fn key_len(self) -> usize {
        match self {
            Self::AeadAes256Gcm => 32,
            _ => 16,
        }
    }

    /// The bytes of a master salt.
    pub const fn salt_len(self) -> usize {
        match self {
            Self::AesCm128Sha1Tag80 | Self::AesCm128Sha1Tag32 => 14,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
        }
    }
}

/// A master key and its master salt.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MasterKey {
    suite: Suite,
    /// The key, then the salt.
    keying: Box<[u8]>,
}

impl MasterKey {
    /// From the key with the salt behind it; `None` if it is not as long as the suite wants.
    pub fn new(suite: Suite, keying: &[u8]) -> Option<Self> {
        let fits = keying.len() == suite.key_len() + suite.salt_len();
        fits.then(|| Self { suite, keying: keying.into() })
    }

    /// For which suite it is.
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// The key.
    pub fn key(&self) -> &[u8] {
        &self.keying[..self.suite.key_len()]
    }

    /// The salt.
    pub fn salt(&self) -> &[u8] {
        &self.keying[self.suite.key_len()..]
    }
}

impl fmt::Debug for MasterKey {
    /// Without the key: debug output ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey").field("suite", &self.suite).finish_non_exhaustive()
    }
}
