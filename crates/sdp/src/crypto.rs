//! Keys in the description: `a=crypto` (RFC 4568).

use crate::handshake::Terms;
use crate::{LocalHandshake, SdpError};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use rtp::{MasterKey, Security, SrtpKeys, Suite};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// Lines that are read of a section; phones offer up to eight.
const MAX_LINES: usize = 16;

/// What we offer, best first. Every line has some 90 bytes, and a request has to fit into a datagram.
const OFFERED: [Suite; 2] = [Suite::AeadAes128Gcm, Suite::AesCm128Sha1Tag80];

/// The bytes of the master keys and salts of all suites.
const KEYING_LEN: usize = 30 + 30 + 28 + 44;

/// Padding at the end of a key is left out by some.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The value of `a=crypto` (RFC 4568 9.1).
#[derive(Clone, PartialEq, Eq)]
pub struct Crypto<'a> {
    /// Tells the lines of a section apart; the answer has that of the line that it takes.
    pub tag: u32,
    /// The name of the crypto suite.
    pub suite: &'a str,
    /// `inline:` and the keys.
    pub keys: Cow<'a, str>,
    /// Session parameters, separated by spaces.
    pub parameters: &'a str,
}

/// What a leg wants of encryption, and what it has for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    /// How much it is wanted.
    pub need: Need,
    /// Our keys for `a=crypto`; `None` if no description may carry keys.
    pub keys: Option<LocalKeys>,
    /// For DTLS; `None` if the node has no certificate.
    pub handshake: Option<LocalHandshake>,
    /// Whether the peer is a browser, which knows nothing but DTLS.
    pub is_browser: bool,
}

/// How much encryption is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Need {
    /// It is not offered. Who offers nothing else is answered with it.
    Unasked,
    /// Offered within RTP/AVP, so that a peer without it answers all the same; taken wherever it is offered.
    Optional,
    /// There is no audio without.
    Required,
}

/// Our master keys, one a suite, for the life of a session: so that a new offer keeps them, and with them the peer's
/// rollover counter (RFC 4568 7.1.4).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalKeys(Box<[u8]>);

/// A line of our own description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LocalCrypto {
    tag: u32,
    suite: Suite,
}

/// What we take of the peer's: ours in answer, and what protects the media.
pub(crate) struct Pair {
    pub(crate) ours: Ours,
    pub(crate) security: Security,
}

/// What our section says of it.
pub(crate) enum Ours {
    /// A line of `a=crypto`.
    Line(LocalCrypto),
    /// DTLS and ICE.
    Handshake(Terms),
}

impl LocalKeys {
    /// `fill` fills a slice with random bytes.
    pub fn new(fill: impl FnOnce(&mut [u8])) -> Self {
        let mut bytes = vec![0; KEYING_LEN];
        fill(&mut bytes);
        Self(bytes.into())
    }

    fn keying(&self, suite: Suite) -> &[u8] {
        match suite {
            Suite::AesCm128Sha1Tag80 => &self.0[..30],
            Suite::AesCm128Sha1Tag32 => &self.0[30..60],
            Suite::AeadAes128Gcm => &self.0[60..88],
            Suite::AeadAes256Gcm => &self.0[88..],
        }
    }
}

impl fmt::Debug for LocalKeys {
    /// Without the keys: debug output ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKeys").finish_non_exhaustive()
    }
}

impl fmt::Debug for Crypto<'_> {
    /// Without the keys, as there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tag, suite, parameters, .. } = self;
        f.debug_struct("Crypto")
            .field("tag", tag)
            .field("suite", suite)
            .field("parameters", parameters)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Crypto<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tag, suite, keys, parameters } = self;
        write!(f, "a=crypto:{tag} {suite} {keys}")?;
        if parameters.is_empty() { Ok(()) } else { write!(f, " {parameters}") }
    }
}

impl<'a> Crypto<'a> {
    /// Reads the value of the attribute into a section's lines; what cannot be read is passed over.
    pub(crate) fn read(value: &'a str, lines: &mut Vec<Self>) {
        let mut words = value.trim().splitn(4, ' ');
        let tag = words.next().filter(|tag| tag.len() <= 9).and_then(|tag| tag.parse().ok());
        if let (Some(tag), Some(suite), Some(keys)) = (tag, words.next(), words.next())
            && lines.len() < MAX_LINES
        {
            let parameters = words.next().unwrap_or_default().trim();
            lines.push(Self { tag, suite, keys: keys.into(), parameters });
        }
    }

    /// The suite and key, if we know and can serve all that the line says.
    fn key(&self) -> Option<MasterKey> {
        let suite = Suite::ALL.into_iter().find(|suite| name(*suite).eq_ignore_ascii_case(self.suite))?;
        // Weaker than we would have it: UNENCRYPTED_SRTP and its kin; or not served: KDR, FEC_ORDER. Parameters with a
        // minus may be passed over (RFC 4568 6.3.7), and the window of replays is ours.
        let is_served = |word: &str| word.starts_with('-') || word.starts_with("WSH=");
        if !self.parameters.split_ascii_whitespace().all(is_served) {
            return None;
        }
        let (method, key) = self.keys.split_once(':')?;
        // Several keys, and one with an identifier in every packet (`|1:4`), are not served. No call lives as long as a key.
        let (key, lifetime) = key.split_once('|').unwrap_or((key, ""));
        if !method.eq_ignore_ascii_case("inline") || lifetime.contains([':', ';', '|']) || key.len() > 64 {
            return None;
        }
        MasterKey::new(suite, &BASE64.decode(key).ok()?)
    }
}

impl Protection {
    /// The lines of our first offer.
    pub(crate) fn offered(&self) -> Vec<LocalCrypto> {
        if self.need == Need::Unasked || self.keys.is_none() || self.is_browser {
            return Vec::new();
        }
        (1..).zip(OFFERED).map(|(tag, suite)| LocalCrypto { tag, suite }).collect()
    }

    /// What our first offer to a browser says.
    pub(crate) fn offered_handshake(&self) -> Option<Box<Terms>> {
        self.handshake.as_ref().filter(|_| self.is_browser).map(|local| Box::new(Terms::first(local)))
    }

    /// Our line as it is written.
    pub(crate) fn write(&self, line: LocalCrypto) -> Option<Crypto<'static>> {
        let keying = BASE64.encode(self.keys.as_ref()?.keying(line.suite));
        let keys = format!("inline:{keying}").into();
        Some(Crypto { tag: line.tag, suite: name(line.suite), keys, parameters: "" })
    }

    /// The peer's first line that we know.
    fn pair(&self, lines: &[Crypto<'_>]) -> Option<(LocalCrypto, Security)> {
        let keys = self.keys.as_ref()?;
        let mut usable = lines.iter().filter_map(|line| Some((line.tag, line.key()?)));
        let (tag, receive) = usable.next()?;
        let suite = receive.suite();
        let send = MasterKey::new(suite, keys.keying(suite))?;
        let security = Security::Srtp(Box::new(SrtpKeys { receive, send }));
        Some((LocalCrypto { tag, suite }, security))
    }
}

/// What we take of an offer's section; `None`: it stays in the clear.
pub(crate) fn take(
    protection: Option<&Protection>,
    is_secure: bool,
    lines: &[Crypto<'_>],
) -> Result<Option<Pair>, SdpError> {
    let need = protection.map_or(Need::Unasked, |protection| protection.need);
    let pair = protection.and_then(|protection| protection.pair(lines));
    match (is_secure, need, pair) {
        (true, _, None) => Err(SdpError::NoCommonSuite),
        (false, Need::Required, None) => Err(SdpError::Unprotected),
        (false, Need::Unasked, _) => Ok(None),
        (_, _, pair) => Ok(pair.map(|(line, security)| Pair { ours: Ours::Line(line), security })),
    }
}

/// What the answer to our lines says. `has_to` be: the section cannot do without.
pub(crate) fn taken(
    protection: Option<&Protection>,
    ours: &[LocalCrypto],
    has_to: bool,
    lines: &[Crypto<'_>],
) -> Result<Security, SdpError> {
    // Keys that nobody asked for are as good as none.
    if lines.is_empty() || ours.is_empty() {
        return if has_to { Err(SdpError::Unprotected) } else { Ok(Security::Plain) };
    }
    let pair = protection.and_then(|protection| protection.pair(lines));
    // RFC 4568 7.1.3: the answer takes one of our lines, with its tag.
    let pair = pair.filter(|(line, _)| ours.contains(line)).ok_or(SdpError::NoCommonSuite)?;
    Ok(pair.1)
}

/// RFC 4568 6.2, RFC 7714 14.2.
const fn name(suite: Suite) -> &'static str {
    match suite {
        Suite::AesCm128Sha1Tag80 => "AES_CM_128_HMAC_SHA1_80",
        Suite::AesCm128Sha1Tag32 => "AES_CM_128_HMAC_SHA1_32",
        Suite::AeadAes128Gcm => "AEAD_AES_128_GCM",
        Suite::AeadAes256Gcm => "AEAD_AES_256_GCM",
    }
}
