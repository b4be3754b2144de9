use super::{Algorithm, Challenge, Credentials, push_hex, response};
use crate::{Method, Uri};
use clock::{Duration, Time};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

/// Issues nonces and judges the answers.
///
/// A nonce is its time and number, sealed with a secret, so that one that was never answered rightly costs
/// no memory. What is kept is the counts of those that were.
pub struct Verifier {
    config: VerifierConfig,
    issued: u64,
    used: BTreeMap<NonceId, Window>,
    /// Nonces up to this one have been forgotten and count as stale, lest they be used again.
    floor: NonceId,
}

/// How a [`Verifier`] works.
#[derive(Clone)]
pub struct VerifierConfig {
    /// Seals the nonces: random, and another at each start, for a new process has forgotten the counts.
    pub secret: [u8; 32],
    /// How long a nonce may be used.
    pub lifetime: Duration,
    /// The most nonces whose counts are remembered.
    pub max_nonces: usize,
}

/// The request whose credentials are judged.
#[derive(Clone, Copy, Debug)]
pub struct DigestRequest<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its Request-URI.
    pub request_uri: &'a str,
    /// Where it came from, as its challenge was told.
    pub peer: Option<IpAddr>,
    /// The realm that its sender must have the password of.
    pub realm: &'a str,
    /// The user whose password was looked up.
    pub username: &'a str,
    /// [`ha1`](crate::ha1) of that user by the credentials' algorithm; `None` if there is no such user,
    /// which takes as long to refuse as a wrong password does.
    pub ha1: Option<&'a str>,
}

/// What credentials are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The sender knows the password.
    Valid,
    /// The sender knows the password, but the nonce is too old, not ours, or was sent to somebody else:
    /// challenge again, stale.
    Stale,
    /// The sender knows the password, or has seen it used, but to reach another user or number.
    Elsewhere,
    /// The sender knows the password, or has seen it used: this nonce and count came before. Challenge
    /// again, stale: an honest client that counts badly then succeeds.
    Replayed,
    /// Wrong password, or another user or realm.
    Wrong,
}

/// When a nonce was issued, in microseconds, and its number.
type NonceId = (u64, u64);

/// Which counts of a nonce have been used: the highest, and a bit for each of the 64 before it, so that
/// requests may overtake each other.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    highest: u32,
    before: u64,
}

const SEAL_BYTES: usize = 16;
const NONCE_HEX: usize = (8 + 8 + SEAL_BYTES) * 2;

impl VerifierConfig {
    /// Nonces that live five minutes; counts of 65,536 of them.
    pub const fn new(secret: [u8; 32]) -> Self {
        Self { secret, lifetime: Duration::from_secs(300), max_nonces: 65_536 }
    }
}

impl Verifier {
    /// A verifier that has issued nothing.
    pub const fn new(config: VerifierConfig) -> Self {
        Self { config, issued: 0, used: BTreeMap::new(), floor: (0, 0) }
    }

    /// A challenge with a fresh nonce. With a `peer` the nonce is good from that address alone: what was
    /// overheard elsewhere, or asked for by somebody else, serves nobody. `None` for proxies, which may have
    /// several addresses.
    pub fn challenge(
        &mut self,
        now: Time,
        (realm, peer): (&str, Option<IpAddr>),
        algorithm: Algorithm,
        stale: bool,
    ) -> Challenge {
        self.issued += 1;
        let id = (now.micros(), self.issued);
        let nonce = self.nonce(id, realm, peer);
        Challenge { realm: realm.to_owned(), nonce, opaque: None, algorithm, qop_auth: true, stale }
    }

    /// Judges credentials. Only rightful ones leave a trace.
    ///
    /// The digest's `uri` must name the same user or number as the Request-URI (RFC 7616 section 3.4.6), so that
    /// a digest that was coaxed out of a phone places no call of another's choice. Host, port, scheme and
    /// parameters may differ: proxies, ALGs and phones behind them rewrite those (RFC 3261 section 22.4). Without
    /// a `peer`, by a proxy of our own, the number may be rewritten too. In a REGISTER the Request-URI names no
    /// user, and is not compared. A nonce answered without `qop` has no count and serves once.
    pub fn check(&mut self, now: Time, request: &DigestRequest<'_>, given: &Credentials) -> Verdict {
        const NOBODY: &str = "00000000000000000000000000000000";
        let expected = response(
            given.algorithm,
            request.ha1.unwrap_or(NOBODY),
            request.method,
            &given.uri,
            &given.nonce,
            given.protection.as_ref(),
        );
        let right = same(expected.as_bytes(), given.response.to_ascii_lowercase().as_bytes());
        if !right
            || request.ha1.is_none()
            || given.username != request.username
            || given.realm != request.realm
        {
            return Verdict::Wrong;
        }
        let compares = request.peer.is_some() && *request.method != Method::Register;
        if compares && user_of(&given.uri) != user_of(request.request_uri) {
            return Verdict::Elsewhere;
        }
        let Some(id) = self.read_nonce(&given.nonce, request) else { return Verdict::Stale };
        self.forget_expired(now);
        let age = now.since(Time::from_micros(id.0));
        if id <= self.floor || age > self.config.lifetime {
            return Verdict::Stale;
        }
        let count = match &given.protection {
            Some(protection) => u32::from_str_radix(&protection.nc, 16).unwrap_or(0),
            None => u32::MAX,
        };
        if !self.used.entry(id).or_default().take(count) {
            return Verdict::Replayed;
        }
        while self.used.len() > self.config.max_nonces {
            self.forget_first();
        }
        Verdict::Valid
    }

    /// Whether credentials carry a nonce that was sent to the request's peer and is not too old: then whoever
    /// sent them is really there, right or wrong as they may be.
    pub fn reached(&self, now: Time, request: &DigestRequest<'_>, given: &Credentials) -> bool {
        let id = request.peer.and_then(|_| self.read_nonce(&given.nonce, request));
        id.is_some_and(|id| now.since(Time::from_micros(id.0)) <= self.config.lifetime)
    }

    fn forget_expired(&mut self, now: Time) {
        while let Some((id, _)) = self.used.first_key_value()
            && now.since(Time::from_micros(id.0)) > self.config.lifetime
        {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((id, _)) = self.used.pop_first() {
            self.floor = self.floor.max(id);
        }
    }

    fn nonce(&self, id: NonceId, realm: &str, peer: Option<IpAddr>) -> String {
        let mut text = String::with_capacity(NONCE_HEX);
        push_hex(&mut text, &id.0.to_be_bytes());
        push_hex(&mut text, &id.1.to_be_bytes());
        push_hex(&mut text, &self.seal(id, realm, peer));
        text
    }

    fn read_nonce(&self, nonce: &str, request: &DigestRequest<'_>) -> Option<NonceId> {
        let number = |from: usize| u64::from_str_radix(nonce.get(from..from + 16)?, 16).ok();
        let id = (number(0)?, number(16)?);
        same(self.nonce(id, request.realm, request.peer).as_bytes(), nonce.as_bytes()).then_some(id)
    }

    /// Half of a hash: what is left out keeps the hash from being extended.
    fn seal(&self, id: NonceId, realm: &str, peer: Option<IpAddr>) -> [u8; SEAL_BYTES] {
        let hash = Sha256::new()
            .chain_update(self.config.secret)
            .chain_update(id.0.to_be_bytes())
            .chain_update(id.1.to_be_bytes())
            .chain_update(peer.map_or([0; 8], scope))
            .chain_update(realm)
            .finalize();
        std::array::from_fn(|at| hash[at])
    }
}

impl Window {
    /// Marks a count as used; whether it was free.
    fn take(&mut self, count: u32) -> bool {
        if count == 0 {
            return false;
        }
        if count > self.highest {
            let step = count - self.highest;
            let shifted = self.before.checked_shl(step).unwrap_or(0);
            let previous = if self.highest == 0 { 0 } else { 1_u64.checked_shl(step - 1).unwrap_or(0) };
            *self = Self { highest: count, before: shifted | previous };
            return true;
        }
        let back = self.highest - count;
        if back == 0 || back > 64 {
            return false;
        }
        let bit = 1 << (back - 1);
        let free = self.before & bit == 0;
        self.before |= bit;
        free
    }
}

impl fmt::Debug for Verifier {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("issued", &self.issued).field("used", &self.used.len()).finish()
    }
}

/// What stays the same of a peer's address: a phone changes the last 64 bits of an IPv6 address as it likes.
fn scope(peer: IpAddr) -> [u8; 8] {
    match peer.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            [0, 0, 0, 4, a, b, c, d]
        }
        IpAddr::V6(v6) => std::array::from_fn(|at| v6.octets()[at]),
    }
}

/// The user or number that a URI names, unescaped.
fn user_of(uri: &str) -> Option<String> {
    Uri::parse(uri).ok()?.user().map(std::borrow::Cow::into_owned)
}

/// Whether two texts are the same, in a time that tells nothing of where they differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_takes_each_count_once_in_any_order() {
        let mut window = Window::default();
        for count in [5, 3, 4, 70, 6, 200, u32::MAX, u32::MAX - 64] {
            assert!(window.take(count), "{count}");
            assert!(!window.take(count), "{count} again");
        }
        assert!(!window.take(0));
        assert!(!window.take(u32::MAX - 65), "too far back to be remembered");
    }

    #[test]
    fn secrets_are_not_printed() {
        let verifier = Verifier::new(VerifierConfig::new([0xab; 32]));
        assert!(!format!("{verifier:?}").contains("171"));
    }
}
