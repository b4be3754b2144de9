//! ICE lite (RFC 8445 2.5): a host with a public address answers the checks of its peer and makes none of its own.

use crate::stun::{Check, LONGEST_ANSWER};
use clock::{Duration, Time};
use std::net::SocketAddr;

/// Addresses that a peer may have checked; a browser has one or two for each of its networks.
const MOST: usize = 8;

/// So long after a peer's last check it may be sent to (RFC 7675 5.1). A lite agent makes no checks by which it could ask.
const CONSENT: Duration = Duration::from_secs(30);

/// The lite agent of one stream.
#[derive(Debug)]
pub struct IceLite {
    /// `local:remote`, as the peer's checks name us.
    username: String,
    password: String,
    /// Where checks with the right credentials have come from, the oldest first.
    verified: Vec<SocketAddr>,
    nominated: Option<SocketAddr>,
    checked: Option<Time>,
}

/// The answer to a check.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    bytes: [u8; LONGEST_ANSWER],
    length: usize,
}

impl Answer {
    /// The datagram to be sent to where the check came from.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl IceLite {
    /// An agent with its own credentials and the peer's username fragment.
    pub fn new(local_ufrag: &str, local_password: &str, remote_ufrag: &str) -> Self {
        Self {
            username: format!("{local_ufrag}:{remote_ufrag}"),
            password: local_password.to_owned(),
            verified: Vec::with_capacity(MOST),
            nominated: None,
            checked: None,
        }
    }

    /// Takes a STUN message; `None` if it is no check with our credentials.
    pub fn check(&mut self, now: Time, from: SocketAddr, datagram: &[u8]) -> Option<Answer> {
        let check = Check::read(datagram, &self.username, &self.password)?;
        if !self.is_verified(from) {
            if self.verified.len() == MOST {
                self.verified.remove(0);
            }
            self.verified.push(from);
        }
        if check.nominates {
            self.nominated = Some(from);
        }
        self.checked = Some(now);
        let mut answer = Answer { bytes: [0; LONGEST_ANSWER], length: 0 };
        answer.length = check.answer(from, &self.password, &mut answer.bytes);
        Some(answer)
    }

    /// Whether the peer has proved to be at that address.
    pub fn is_verified(&self, address: SocketAddr) -> bool {
        self.verified.contains(&address)
    }

    /// Where the peer wants to be sent to: where it has nominated a pair, else where its first check came from. `None`
    /// without a check within the last 30 seconds.
    pub fn target(&self, now: Time) -> Option<SocketAddr> {
        self.checked.filter(|checked| now - *checked < CONSENT)?;
        self.nominated.or(self.verified.first().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stun::testing::check;

    fn at(seconds: u64) -> Time {
        Time::ZERO + Duration::from_secs(seconds)
    }

    fn address(last: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], 4_000))
    }

    #[test]
    fn a_peer_is_where_its_checks_come_from_and_goes_where_it_nominates() {
        let mut ice = IceLite::new("ours", "secret", "theirs");
        assert_eq!(ice.target(at(0)), None);
        assert!(ice.check(at(0), address(1), &check("ours:theirs", "secret", false)).is_some());
        assert!(ice.check(at(1), address(2), &check("ours:theirs", "secret", false)).is_some());
        assert_eq!(ice.target(at(1)), Some(address(1)));
        assert!(ice.check(at(1), address(2), &check("ours:theirs", "secret", true)).is_some());
        assert_eq!(ice.target(at(1)), Some(address(2)));
        assert!(ice.is_verified(address(1)) && !ice.is_verified(address(3)));
    }

    #[test]
    fn a_stranger_gets_no_answer_and_is_not_verified() {
        let mut ice = IceLite::new("ours", "secret", "theirs");
        for (name, password) in
            [("ours:theirs", "guess"), ("theirs:ours", "secret"), ("ours:other", "secret")]
        {
            assert!(ice.check(at(0), address(1), &check(name, password, true)).is_none());
        }
        assert!(ice.check(at(0), address(1), b"\0\x01\0\0").is_none());
        assert!(!ice.is_verified(address(1)));
        assert_eq!(ice.target(at(0)), None);
    }

    /// RFC 7675 5.1.
    #[test]
    fn consent_ends_thirty_seconds_after_the_last_check() {
        let mut ice = IceLite::new("ours", "secret", "theirs");
        let check = check("ours:theirs", "secret", true);
        assert!(ice.check(at(0), address(1), &check).is_some());
        assert_eq!(ice.target(at(29)), Some(address(1)));
        assert_eq!(ice.target(at(30)), None);
        assert!(ice.check(at(40), address(1), &check).is_some());
        assert_eq!(ice.target(at(41)), Some(address(1)));
    }

    #[test]
    fn the_addresses_of_a_peer_are_bounded() {
        let mut ice = IceLite::new("ours", "secret", "theirs");
        for last in 0..20 {
            assert!(ice.check(at(0), address(last), &check("ours:theirs", "secret", false)).is_some());
        }
        assert!(!ice.is_verified(address(11)) && ice.is_verified(address(12)));
    }
}
