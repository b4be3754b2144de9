//! How a stream's packets are protected.

use crate::RtpError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// What protects a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Security {
    /// Nothing: RTP as it is.
    #[default]
    Plain,
    /// SRTP by keys that the signalling has carried (RFC 4568).
    Srtp(Box<SrtpKeys>),
    /// SRTP by the keys of a DTLS handshake (RFC 5764) with a peer that ICE has found.
    Dtls(Box<DtlsParameters>),
}

/// With whom to make a DTLS handshake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DtlsParameters {
    /// Who we are in it.
    pub role: DtlsRole,
    /// What the peer's certificate has to be.
    pub fingerprint: Fingerprint,
    /// By what its checks are told from a stranger's.
    pub ice: IceCredentials,
}

/// Who begins a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DtlsRole {
    /// We do (`a=setup:active`).
    Client,
    /// The peer does (`a=setup:passive`).
    Server,
}

/// What names the two agents of ICE in their checks (RFC 8445 7.1.2), as far as a lite one needs it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IceCredentials {
    /// Our username fragment.
    pub local_ufrag: Box<str>,
    /// Our password, under which the peer signs.
    pub local_password: Box<str>,
    /// The peer's username fragment.
    pub remote_ufrag: Box<str>,
}

/// The digest of a certificate (RFC 8122 5). `Display` and `FromStr` are the value of `a=fingerprint`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Of what kind.
    pub hash: Hash,
    /// The digest.
    pub digest: Arc<[u8]>,
}

/// A hash function of fingerprints that is still safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hash {
    /// `sha-256`
    Sha256,
    /// `sha-384`
    Sha384,
    /// `sha-512`
    Sha512,
}

impl Hash {
    const ALL: [(Self, &'static str, usize); 3] =
        [(Self::Sha256, "sha-256", 32), (Self::Sha384, "sha-384", 48), (Self::Sha512, "sha-512", 64)];
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Hash::ALL.iter().find(|(hash, ..)| *hash == self.hash).map_or("", |(_, name, _)| name);
        f.write_str(name)?;
        for (byte, before) in self.digest.iter().zip([' '].into_iter().chain(std::iter::repeat(':'))) {
            write!(f, "{before}{byte:02X}")?;
        }
        Ok(())
    }
}

impl FromStr for Fingerprint {
    type Err = RtpError;

    fn from_str(text: &str) -> Result<Self, RtpError> {
        let (name, digits) = text.trim().split_once(' ').ok_or(RtpError::Fingerprint)?;
        let known = Hash::ALL.iter().find(|(_, known, _)| known.eq_ignore_ascii_case(name));
        let (hash, _, length) = *known.ok_or(RtpError::Fingerprint)?;
        // `from_str_radix` would take a sign, too.
        let is_byte = |pair: &str| pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit());
        let byte = |pair: &str| u8::from_str_radix(pair, 16).ok().filter(|_| is_byte(pair));
        let digest: Option<Arc<[u8]>> = digits.trim().split(':').take(length + 1).map(byte).collect();
        let digest = digest.filter(|digest| digest.len() == length).ok_or(RtpError::Fingerprint)?;
        Ok(Self { hash, digest })
    }
}

impl fmt::Debug for IceCredentials {
    /// Without the password: debug output ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { local_ufrag, remote_ufrag, .. } = self;
        f.debug_struct("IceCredentials")
            .field("local_ufrag", local_ufrag)
            .field("remote_ufrag", remote_ufrag)
            .finish_non_exhaustive()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc8122_5_a_fingerprint_is_read_as_it_is_written() {
        let text = format!("sha-256 0A{}", ":F0".repeat(31));
        let fingerprint: Fingerprint = text.parse().unwrap();
        assert_eq!((fingerprint.hash, fingerprint.digest[..2].to_vec()), (Hash::Sha256, vec![0x0A, 0xF0]));
        assert_eq!(fingerprint.to_string(), text);
        let lower: Fingerprint = text.to_lowercase().replace("sha", "SHA").parse().unwrap();
        assert_eq!(lower, fingerprint);
    }

    #[test]
    fn a_fingerprint_that_is_short_long_weak_or_none_is_refused() {
        for text in [
            format!("sha-256 0A{}", ":F0".repeat(30)),
            format!("sha-256 0A{}", ":F0".repeat(32)),
            format!("sha-512 0A{}", ":F0".repeat(31)),
            format!("sha-1 0A{}", ":F0".repeat(19)),
            format!("sha-256 0A{}", ":+F".repeat(31)),
            format!("sha-256 {}", ":".repeat(60_000)),
            "sha-256".to_owned(),
            String::new(),
        ] {
            assert!(text.parse::<Fingerprint>().is_err(), "{text:.80}");
        }
    }
}
