//! A phone's registration: digest, refreshes, expiry, removal.

use super::transaction::Purpose;
use super::{Act, Out, Phone};
use crate::dice::Dice;
use crate::wire::{Draft, Read};
use clock::{Duration, Time};
use rsip::Header;
use rsip::headers::auth::{Algorithm, AuthQop};
use rsip::headers::untyped::UntypedHeader;
use rsip::services::DigestGenerator;
use std::str::FromStr as _;

/// Nothing is refreshed after this, so that every seed ends.
const LAST_REFRESH: Time = Time::from_secs(100);

/// What a phone remembers of its registration.
#[derive(Clone, Debug)]
pub(super) struct Registration {
    call_id: String,
    tag: String,
    cseq: u32,
    expires: u32,
    /// When it takes its contact back.
    leaves_at: Option<Time>,
    /// The credentials that the request under way carries were refused: once is enough.
    tried: bool,
}

/// A digest challenge, and how often it has been answered.
#[derive(Clone, Debug)]
pub(super) struct Challenge {
    realm: String,
    nonce: String,
    algorithm: &'static str,
    count: u8,
}

impl Phone {
    /// Gives it a user's registration to keep up.
    pub(crate) fn will_register(&mut self) {
        let call_id = format!("{}-register", self.token());
        let tag = self.token();
        let expires = self.rng.pick(&[10, 30, 45, 60, 300, 3600]);
        let leaves_at = self.rng.chance(300).then(|| Time::ZERO + self.rng.within(Duration::from_secs(90)));
        let at = Time::ZERO + self.rng.within(Duration::from_secs(4));
        self.registration = Some(Registration { call_id, tag, cseq: 0, expires, leaves_at, tried: false });
        self.timers.set((0, Act::Register), at);
    }

    pub(super) fn send_register(&mut self, now: Time, sent: &mut Vec<Out>) {
        if now > LAST_REFRESH {
            return;
        }
        let authorization = self.credentials("REGISTER", &self.registrar_uri());
        let Some(mut registration) = self.registration.take() else { return };
        registration.cseq += 1;
        let leaves = registration.leaves_at.is_some_and(|at| at <= now);
        let expires = if leaves { 0 } else { registration.expires };
        let (via, branch) = self.via();
        let of_record = format!("<sip:{}@{}>", self.name, self.switch.ip());
        let mut more: Vec<Header> = vec![rsip::headers::Expires::new(expires.to_string()).into()];
        more.extend(authorization);
        let contact =
            if leaves && self.rng.chance(300) { "*".to_owned() } else { format!("<{}>", self.contact_uri()) };
        let bytes = Draft {
            method: "REGISTER",
            uri: &self.registrar_uri(),
            via,
            from: &format!("{of_record};tag={}", registration.tag),
            to: &of_record,
            call_id: &registration.call_id,
            cseq: registration.cseq,
            contact: Some(contact),
            more,
            sdp: None,
        }
        .write();
        self.registration = Some(registration);
        self.begin(now, (Purpose::Register, 0, "REGISTER"), branch, bytes, sent);
    }

    pub(super) fn on_registered(&mut self, now: Time, read: &Read, status: u16, sent: &mut Vec<Out>) {
        let Some(registration) = &mut self.registration else { return };
        match status {
            200 => {
                registration.tried = false;
                let left = registration.leaves_at.is_some_and(|at| at <= now);
                if !left {
                    let refresh = now + Duration::from_secs(u64::from(registration.expires.min(300))) / 2;
                    let next = registration.leaves_at.map_or(refresh, |at| at.min(refresh).max(now));
                    self.timers.set((0, Act::Register), next);
                }
            }
            401 if !registration.tried || is_stale(read) => {
                registration.tried = true;
                self.learn_challenge(read);
                self.send_register(now, sent);
            }
            423 => {
                registration.expires = read.min_expires.unwrap_or(3600);
                self.send_register(now, sent);
            }
            _ => {}
        }
    }

    pub(super) fn registration_unanswered(&mut self, now: Time) {
        self.timers.set((0, Act::Register), now + Duration::from_secs(5));
    }

    /// Keeps one of the challenges: phones know MD5, SHA-256 or both.
    pub(super) fn learn_challenge(&mut self, read: &Read) {
        let wanted = if self.rng.chance(500) { "MD5" } else { "SHA-256" };
        let found = read.challenges.iter().find(|value| param(value, "algorithm") == Some(wanted));
        self.challenge = found.and_then(|value| {
            Some(Challenge {
                realm: param(value, "realm")?.to_owned(),
                nonce: param(value, "nonce")?.to_owned(),
                algorithm: wanted,
                count: 0,
            })
        });
    }

    /// The Authorization header field for a request, if there is a challenge to answer.
    pub(super) fn credentials(&mut self, method: &str, uri: &str) -> Option<Header> {
        let (password, challenge) = (self.password?, self.challenge.as_mut()?);
        if challenge.count == 9 {
            return None; // rsip writes the count in decimal
        }
        challenge.count += 1;
        let qop = AuthQop::Auth { cnonce: "c0ffee".into(), nc: challenge.count };
        let method = rsip::Method::from_str(method).ok()?;
        let response = DigestGenerator {
            username: self.name,
            password,
            nonce: &challenge.nonce,
            uri: &rsip::Uri::try_from(uri).ok()?,
            realm: &challenge.realm,
            method: &method,
            qop: Some(&qop),
            algorithm: if challenge.algorithm == "MD5" { Algorithm::Md5 } else { Algorithm::Sha256 },
        }
        .compute();
        let value = format!(
            "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{uri}\", response=\"{response}\", \
             algorithm={}, cnonce=\"c0ffee\", qop=auth, nc={:08}",
            self.name, challenge.realm, challenge.nonce, challenge.algorithm, challenge.count
        );
        Some(rsip::headers::Authorization::new(value).into())
    }

    fn registrar_uri(&self) -> String {
        format!("sip:{}", self.switch)
    }
}

/// Whether a response says that only the nonce was too old.
pub(super) fn is_stale(read: &Read) -> bool {
    read.challenges.iter().any(|value| param(value, "stale").is_some_and(|v| v.eq_ignore_ascii_case("true")))
}

/// A parameter of a challenge, unquoted.
pub(super) fn param<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let params = value.strip_prefix("Digest ")?;
    params.split(',').find_map(|param| {
        let (key, value) = param.trim().split_once('=')?;
        (key.eq_ignore_ascii_case(name)).then(|| value.trim_matches('"'))
    })
}
