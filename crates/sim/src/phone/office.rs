//! A trunk where the switch registers: it challenges, grants, refuses, stalls, and calls the contact that it has.

use super::register::param;
use super::{Out, Phone};
use crate::dice::Dice;
use crate::wire::{self, Read, uri_in};
use clock::{Duration, Time};
use rsip::Header;
use rsip::headers::auth::{Algorithm, AuthQop};
use rsip::headers::untyped::UntypedHeader;
use rsip::services::DigestGenerator;
use std::str::FromStr as _;

/// A registrar with one subscriber: the switch.
#[derive(Clone, Debug)]
pub(super) struct Office {
    user: &'static str,
    password: &'static str,
    nonce: String,
    /// Chance that a REGISTER is not heard, in thousandths.
    deaf: u32,
    /// Chance that one is put off by 503, in thousandths.
    busy: u32,
    /// The least expiry that it grants.
    min_expires: u32,
    /// It wants nothing of the switch.
    refuses: bool,
    /// The switch's contact, and until when it holds.
    contact: Option<(String, Time)>,
}

impl Phone {
    /// Lets the switch register here.
    pub(crate) fn will_take_registrations(&mut self, user: &'static str, password: &'static str) {
        let nonce = self.token();
        let deaf = self.rng.pick(&[0, 0, 300, 800]);
        let busy = self.rng.pick(&[0, 0, 200]);
        let min_expires = self.rng.pick(&[10, 90, 200]);
        let refuses = self.rng.chance(100);
        self.office = Some(Office { user, password, nonce, deaf, busy, min_expires, refuses, contact: None });
    }

    /// Where it reaches the switch: at the contact that the switch has registered, or else like anybody.
    pub(super) fn way_in(&self, now: Time, number: &str) -> String {
        let contact = self.office.as_ref().and_then(|office| office.contact.as_ref());
        match contact.filter(|(_, until)| *until > now) {
            Some((uri, _)) => uri.clone(),
            None => format!("sip:{number}@{}", self.switch),
        }
    }

    pub(super) fn on_register(&mut self, now: Time, read: &Read, sent: &mut Vec<Out>) {
        let Some(mut office) = self.office.take() else { return self.respond(read, 405, sent) };
        if !self.rng.chance(office.deaf) {
            let busy = self.rng.chance(office.busy);
            let (status, more) = office.judge(now, read, busy);
            let response = wire::response_with(read, status, "office", None, more, None);
            self.remember(read, &response);
            sent.push(Out::Send(response));
        }
        self.office = Some(office);
    }
}

impl Office {
    fn judge(&mut self, now: Time, read: &Read, busy: bool) -> (u16, Vec<Header>) {
        let expires = read.expires.unwrap_or(3600);
        if self.refuses {
            return (403, Vec::new());
        }
        if busy {
            return (503, vec![Header::Other("Retry-After".into(), "7".into())]);
        }
        if !read.authorization.as_ref().is_some_and(|given| self.is_right(given)) {
            let challenge = format!("Digest realm=\"office\", nonce=\"{}\", qop=\"auth\"", self.nonce);
            return (401, vec![rsip::headers::WwwAuthenticate::new(challenge).into()]);
        }
        if expires > 0 && expires < self.min_expires {
            let least = rsip::headers::MinExpires::new(self.min_expires.to_string());
            return (423, vec![least.into()]);
        }
        let uri = read.contact.as_deref().map_or("", uri_in).to_owned();
        let granted = expires.min(300);
        let held = Header::Other("Contact".into(), format!("<{uri}>;expires={granted}"));
        self.contact = (granted > 0).then(|| (uri, now + Duration::from_secs(granted.into())));
        (200, if granted > 0 { vec![held] } else { Vec::new() })
    }

    /// Whether the credentials are those of its one user.
    fn is_right(&self, given: &str) -> bool {
        let read = || {
            let (uri, cnonce) = (param(given, "uri")?, param(given, "cnonce")?);
            let qop = AuthQop::Auth { cnonce: cnonce.into(), nc: param(given, "nc")?.parse().ok()? };
            let response = DigestGenerator {
                username: self.user,
                password: self.password,
                nonce: &self.nonce,
                uri: &rsip::Uri::try_from(uri).ok()?,
                realm: "office",
                method: &rsip::Method::from_str("REGISTER").ok()?,
                qop: Some(&qop),
                algorithm: Algorithm::Md5,
            }
            .compute();
            Some(param(given, "username")? == self.user && param(given, "response")? == response)
        };
        read().unwrap_or(false)
    }
}
