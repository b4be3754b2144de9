//! Digest access authentication: RFC 3261 section 22, RFC 7616, RFC 8760.
//!
//! Both sides: [`Credentials::answer`] for what we send, [`Verifier`] for what we are sent. `qop` is `auth`
//! or absent (RFC 2069 clients); `auth-int` and the session algorithms are not spoken.

mod verifier;

pub use verifier::{DigestRequest, Verdict, Verifier, VerifierConfig};

use crate::header::{Split, unquote};
use crate::{Method, Name, ParseError};
use md5::Md5;
use sha2::{Digest as _, Sha256};
use std::fmt;

/// A hash that digests are made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// What every phone speaks.
    Md5,
    /// RFC 8760.
    Sha256,
}

/// A WWW-Authenticate or Proxy-Authenticate value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Whose passwords count.
    pub realm: String,
    /// The server's nonce.
    pub nonce: String,
    /// To be returned unchanged.
    pub opaque: Option<String>,
    /// Which hash to use.
    pub algorithm: Algorithm,
    /// Whether `auth` is among the offered qualities of protection.
    pub qop_auth: bool,
    /// The last answer was right but for its nonce: the same password may be used again at once.
    pub stale: bool,
}

/// An Authorization or Proxy-Authorization value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Who.
    pub username: String,
    /// Of the challenge.
    pub realm: String,
    /// Of the challenge.
    pub nonce: String,
    /// The digest's URI: the Request-URI as the client wrote it.
    pub uri: String,
    /// The digest, in hexadecimal.
    pub response: String,
    /// The hash.
    pub algorithm: Algorithm,
    /// Of the challenge.
    pub opaque: Option<String>,
    /// With `qop=auth`: what the client added.
    pub protection: Option<Protection>,
}

/// The client's part of a digest with `qop=auth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protection {
    /// The client's nonce.
    pub cnonce: String,
    /// How often the client has used the server's nonce: eight hexadecimal digits, as written, since they
    /// are hashed as written.
    pub nc: String,
}

impl Algorithm {
    /// As a challenge names it: `SHA-256`.
    pub const fn token(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    fn from_token(token: &str) -> Option<Self> {
        [Self::Md5, Self::Sha256].into_iter().find(|algorithm| algorithm.token().eq_ignore_ascii_case(token))
    }

    fn hash(self, parts: &[&str]) -> String {
        let mut text = String::with_capacity(64);
        match self {
            Self::Md5 => {
                let hash = parts.iter().fold(Md5::new(), |hash, part| hash.chain_update(part));
                push_hex(&mut text, &hash.finalize());
            }
            Self::Sha256 => {
                let hash = parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part));
                push_hex(&mut text, &hash.finalize());
            }
        }
        text
    }
}

/// H(username:realm:password) in hexadecimal: what a password file may hold instead of the password.
pub fn ha1(algorithm: Algorithm, username: &str, realm: &str, password: &str) -> String {
    algorithm.hash(&[username, ":", realm, ":", password])
}

/// The digest of a request, in hexadecimal (RFC 7616 section 3.4.1; without `protection`, RFC 2069's).
pub fn response(
    algorithm: Algorithm,
    ha1: &str,
    method: &Method,
    uri: &str,
    nonce: &str,
    protection: Option<&Protection>,
) -> String {
    let ha2 = algorithm.hash(&[method.as_str(), ":", uri]);
    match protection {
        Some(Protection { cnonce, nc }) => {
            algorithm.hash(&[ha1, ":", nonce, ":", nc, ":", cnonce, ":auth:", &ha2])
        }
        None => algorithm.hash(&[ha1, ":", nonce, ":", &ha2]),
    }
}

impl Challenge {
    /// Reads one value.
    ///
    /// # Errors
    /// [`ParseError::Invalid`]: not `Digest`, no realm or nonce, or an algorithm or a `qop` list of which
    /// we speak none. A client passes over such a challenge and takes the next (RFC 8760 section 2.4).
    pub fn parse(value: &str) -> Result<Self, ParseError> {
        Self::read(value).ok_or(ParseError::Invalid(Name::WwwAuthenticate))
    }

    fn read(value: &str) -> Option<Self> {
        let params = AuthParams::of_digest(value)?;
        let qop_auth = match params.get("qop") {
            Some(offered) if offered.split(',').any(|qop| qop.trim_ascii().eq_ignore_ascii_case("auth")) => {
                true
            }
            Some(_) => return None,
            None => false,
        };
        Some(Self {
            realm: params.get("realm")?,
            nonce: params.get("nonce")?,
            opaque: params.get("opaque"),
            algorithm: params.algorithm()?,
            qop_auth,
            stale: params.get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }
}

impl Credentials {
    /// Answers a challenge. `cnonce` is fresh and unguessable; `count` says the how-manieth use of this
    /// nonce it is, from 1.
    pub fn answer(
        challenge: &Challenge,
        username: &str,
        password: &str,
        method: &Method,
        uri: &str,
        cnonce: &str,
        count: u32,
    ) -> Self {
        let algorithm = challenge.algorithm;
        let protection =
            challenge.qop_auth.then(|| Protection { cnonce: cnonce.to_owned(), nc: format!("{count:08x}") });
        let ha1 = ha1(algorithm, username, &challenge.realm, password);
        Self {
            username: username.to_owned(),
            realm: challenge.realm.clone(),
            nonce: challenge.nonce.clone(),
            uri: uri.to_owned(),
            response: response(algorithm, &ha1, method, uri, &challenge.nonce, protection.as_ref()),
            algorithm,
            opaque: challenge.opaque.clone(),
            protection,
        }
    }

    /// Reads one value.
    ///
    /// # Errors
    /// [`ParseError::Invalid`]: not `Digest`, a parameter missing, an algorithm or `qop` that we do not
    /// speak, or `qop` without its `cnonce` and `nc`.
    pub fn parse(value: &str) -> Result<Self, ParseError> {
        Self::read(value).ok_or(ParseError::Invalid(Name::Authorization))
    }

    fn read(value: &str) -> Option<Self> {
        let params = AuthParams::of_digest(value)?;
        let protection = match params.get("qop") {
            Some(qop) if qop.eq_ignore_ascii_case("auth") => {
                let nc = params.get("nc").filter(|nc| is_nonce_count(nc))?;
                Some(Protection { cnonce: params.get("cnonce")?, nc })
            }
            Some(_) => return None,
            None => None,
        };
        Some(Self {
            username: params.get("username")?,
            realm: params.get("realm")?,
            nonce: params.get("nonce")?,
            uri: params.get("uri")?,
            response: params.get("response")?,
            algorithm: params.algorithm()?,
            opaque: params.get("opaque"),
            protection,
        })
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest realm={}, nonce={}", Quoted(&self.realm), Quoted(&self.nonce))?;
        if let Some(opaque) = &self.opaque {
            write!(f, ", opaque={}", Quoted(opaque))?;
        }
        write!(f, ", algorithm={}", self.algorithm.token())?;
        if self.qop_auth {
            f.write_str(", qop=\"auth\"")?;
        }
        if self.stale {
            f.write_str(", stale=true")?;
        }
        Ok(())
    }
}

impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest username={}, realm={}", Quoted(&self.username), Quoted(&self.realm))?;
        write!(f, ", nonce={}, uri={}", Quoted(&self.nonce), Quoted(&self.uri))?;
        write!(f, ", response={}, algorithm={}", Quoted(&self.response), self.algorithm.token())?;
        if let Some(opaque) = &self.opaque {
            write!(f, ", opaque={}", Quoted(opaque))?;
        }
        if let Some(Protection { cnonce, nc }) = &self.protection {
            write!(f, ", qop=auth, nc={nc}, cnonce={}", Quoted(cnonce))?;
        }
        Ok(())
    }
}

/// The names and values of a challenge or of credentials.
struct AuthParams<'a>(Vec<(&'a str, &'a str)>);

impl<'a> AuthParams<'a> {
    fn of_digest(value: &'a str) -> Option<Self> {
        let (scheme, params) = value.trim_ascii().split_once([' ', '\t'])?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let params = Split::auth_params(params).filter_map(|param| param.split_once('='));
        let params = params.map(|(name, value)| (name.trim_ascii_end(), value.trim_ascii_start()));
        // All that are defined, so that one allocation is enough (RFC 7616 section 3.4).
        let mut found = Vec::with_capacity(12);
        found.extend(params);
        Some(Self(found))
    }

    fn get(&self, name: &str) -> Option<String> {
        let (_, value) = self.0.iter().find(|(have, _)| have.eq_ignore_ascii_case(name))?;
        Some(unquote(value).into_owned())
    }

    /// MD5 if none is named (RFC 7616 section 3.3).
    fn algorithm(&self) -> Option<Algorithm> {
        self.get("algorithm").map_or(Some(Algorithm::Md5), |token| Algorithm::from_token(&token))
    }
}

/// A quoted string.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for part in self.0.split_inclusive(['"', '\\']) {
            match part.strip_suffix(['"', '\\']) {
                Some(plain) => write!(f, "{plain}\\{}", &part[plain.len()..])?,
                None => f.write_str(part)?,
            }
        }
        f.write_str("\"")
    }
}

fn is_nonce_count(text: &str) -> bool {
    text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn push_hex(text: &mut String, octets: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for octet in octets {
        text.push(char::from(DIGITS[usize::from(octet >> 4)]));
        text.push(char::from(DIGITS[usize::from(octet & 15)]));
    }
}
