//! A registration of our own: when to send which REGISTER, and what the answers mean (RFC 3261 section 10.2).

use crate::message::{digits, leading_digits};
use crate::registrar::same_uri;
use crate::{Message, Name, Series, Uri};
use clock::{Duration, Time};

/// How a registration is kept up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegistrationConfig {
    /// The expiry to ask for, in seconds.
    pub expires: u32,
    /// The longest wait after the first failure; each further one doubles it.
    pub first_wait: Duration,
    /// The longest wait after any failure.
    pub longest_wait: Duration,
    /// A Retry-After beyond it is cut.
    pub longest_retry_after: Duration,
}

impl RegistrationConfig {
    /// The usual waits: 5 s, doubled up to 5 min; a Retry-After of at most an hour.
    pub const fn new(expires: u32) -> Self {
        Self {
            expires,
            first_wait: Duration::from_secs(5),
            longest_wait: Duration::from_secs(300),
            longest_retry_after: Duration::from_secs(3_600),
        }
    }
}

/// One contact of ours at one registrar.
///
/// It is told of time and answers, and says what to send; the digest is the endpoint's business.
#[derive(Debug)]
pub struct Registration {
    config: RegistrationConfig,
    series: Series,
    state: State,
    /// What is asked for: longer than configured once a registrar wants it so.
    expires: u32,
    /// Failures in a row.
    failures: u32,
    /// Connections in a row that were lost before a refresh went by them.
    losses: u32,
    /// Whether the last one is lost.
    is_lost: bool,
    /// Until when the registrar has our contact.
    bound_until: Option<Time>,
    leaving: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The next REGISTER goes out then.
    Waiting { at: Time },
    /// One is on its way; the expiry that it asks for.
    Asked { expires: u32 },
    /// The registrar wants us no more.
    Refused,
    /// The contact is removed, or never was there.
    Gone,
}

/// A REGISTER to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    /// Its Call-ID and CSeq.
    pub series: Series,
    /// The value of Expires; 0 removes the contact.
    pub expires: u32,
}

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registering {
    /// The registrar has our contact for so many seconds.
    Registered {
        /// As granted.
        expires: u32,
        /// Whether it had it before.
        again: bool,
    },
    /// It is tried again at once, with another expiry (423).
    Adjusted,
    /// It is tried again later.
    Failed {
        /// The status; 408 for no answer, 503 for what could not be delivered.
        status: u16,
        /// When.
        after: Duration,
    },
    /// It is not tried again: the credentials are wrong, or we are not wanted.
    Refused {
        /// 401, 403 or 407.
        status: u16,
    },
    /// Our contact is removed.
    Gone,
}

impl Registration {
    /// A registration that begins at `now`.
    pub const fn new(config: RegistrationConfig, call_id: String, now: Time) -> Self {
        Self {
            config,
            series: Series { call_id, cseq: 0 },
            state: State::Waiting { at: now },
            expires: config.expires,
            failures: 0,
            losses: 0,
            is_lost: false,
            bound_until: None,
            leaving: false,
        }
    }

    /// When to ask [`Registration::take_due`] and [`Registration::take_lapse`].
    pub fn next_timeout(&self) -> Option<Time> {
        let asks = match self.state {
            State::Waiting { at } => Some(at),
            State::Asked { .. } | State::Refused | State::Gone => None,
        };
        [asks, self.bound_until].into_iter().flatten().min()
    }

    /// When the next REGISTER goes out, if none is on its way.
    pub const fn next_try(&self) -> Option<Time> {
        match self.state {
            State::Waiting { at } => Some(at),
            State::Asked { .. } | State::Refused | State::Gone => None,
        }
    }

    /// Until when the registrar has our contact.
    pub const fn bound_until(&self) -> Option<Time> {
        self.bound_until
    }

    /// Failures in a row.
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether the registrar has refused us for good.
    pub fn is_refused(&self) -> bool {
        self.state == State::Refused
    }

    /// Whether nothing is left to do.
    pub fn is_gone(&self) -> bool {
        self.state == State::Gone
    }

    /// The REGISTER that is due. [`Registration::answered`] follows.
    pub fn take_due(&mut self, now: Time) -> Option<Register> {
        let State::Waiting { at } = self.state else { return None };
        if at > now {
            return None;
        }
        let expires = if self.leaving { 0 } else { self.expires };
        self.state = State::Asked { expires };
        self.series.cseq += 1;
        Some(Register { series: self.series.clone(), expires })
    }

    /// Whether the contact has just expired without a refresh.
    pub fn take_lapse(&mut self, now: Time) -> bool {
        let lapsed = self.bound_until.is_some_and(|until| until <= now);
        if lapsed {
            self.bound_until = None;
        }
        lapsed
    }

    /// The connection by which the registrar has our contact has closed: it may not reach us any more, and is told of us
    /// anew (RFC 5626 section 4.5). `random` is any number: others have lost theirs at the same time.
    pub fn connection_lost(&mut self, now: Time, random: u64) {
        let State::Waiting { at } = self.state else { return };
        if self.bound_until.is_none() || self.is_lost {
            return;
        }
        let wait = self.wait_after(self.losses, random);
        self.is_lost = true;
        self.losses += 1;
        self.state = State::Waiting { at: at.min(now + wait) };
    }

    /// Takes the final response to the last REGISTER: 408 or 503 without a message if there was none. `contact` is the
    /// URI that it named, `random` any number.
    pub fn answered(
        &mut self,
        now: Time,
        (status, message): (u16, Option<&Message>),
        contact: &str,
        random: u64,
    ) -> Registering {
        let State::Asked { expires: asked } = self.state else { return Registering::Gone };
        if let Some(Ok((cseq, _))) = message.map(Message::cseq) {
            // A challenge that was answered has taken a number.
            self.series.cseq = self.series.cseq.max(cseq);
        }
        if asked == 0 {
            self.bound_until = None;
            self.state = State::Gone;
            return Registering::Gone;
        }
        let granted = message.filter(|_| (200..300).contains(&status)).map(|ok| granted(ok, contact, asked));
        let outcome = match granted {
            Some(expires) if expires > 0 => self.registered(now, expires, random),
            // A success that grants nothing is none.
            _ => self.failed(now, status, message, random),
        };
        if self.leaving && outcome != Registering::Gone {
            self.leave(now);
        }
        outcome
    }

    /// Ends it: the contact is removed if the registrar has it, or may get it.
    pub fn leave(&mut self, now: Time) {
        self.leaving = true;
        self.state = match self.state {
            asked @ State::Asked { .. } => asked,
            _ if self.bound_until.is_some() => State::Waiting { at: now },
            _ => State::Gone,
        };
    }

    fn registered(&mut self, now: Time, expires: u32, random: u64) -> Registering {
        let again = self.bound_until.is_some();
        let whole = Duration::from_secs(expires.into());
        self.failures = 0;
        if !std::mem::take(&mut self.is_lost) && again {
            self.losses = 0;
        }
        self.bound_until = Some(now + whole);
        // Early enough for a request that nobody answers, and spread.
        let wait = whole / 2 + part(whole / 4, random);
        self.state = State::Waiting { at: now + wait };
        Registering::Registered { expires, again }
    }

    fn failed(&mut self, now: Time, status: u16, message: Option<&Message>, random: u64) -> Registering {
        match status {
            401 | 403 | 407 => {
                self.state = State::Refused;
                return Registering::Refused { status };
            }
            423 => {
                let least = message.and_then(|message| leading_digits(message.header(Name::MinExpires)?));
                let least = least.and_then(|least| u32::try_from(least).ok());
                if let Some(least) = least.filter(|least| *least > self.expires) {
                    self.expires = least;
                    self.state = State::Waiting { at: now };
                    return Registering::Adjusted;
                }
            }
            _ => {}
        }
        let wait = self.wait_after(self.failures, random);
        self.failures += 1;
        let after = match message.and_then(Message::retry_after) {
            Some(asked) => asked.min(self.config.longest_retry_after) + part(self.config.first_wait, random),
            None => wait,
        };
        self.state = State::Waiting { at: now + after };
        Registering::Failed { status, after }
    }

    /// How long to wait when it has gone wrong so often before: between half of an upper bound and the bound (RFC 5626
    /// section 4.5).
    fn wait_after(&self, before: u32, random: u64) -> Duration {
        let doubled = self.config.first_wait * 2_u32.saturating_pow(before.min(16));
        let bound = doubled.min(self.config.longest_wait);
        bound / 2 + part(bound / 2, random)
    }
}

/// For how long a 2xx grants our contact (10.2.4): its `expires`, else Expires, else what was asked for. Some registrars
/// write another contact than ours.
fn granted(ok: &Message, contact: &str, asked: u32) -> u32 {
    let ours = ok.contacts().flatten().find(|given| {
        given.uri().is_ok_and(|given| Uri::parse(contact).is_ok() && same_uri(contact, &given))
    });
    let only = || ok.contacts().flatten().next().filter(|_| ok.contacts().nth(1).is_none());
    let named = ours.or_else(only).and_then(|given| digits(given.param("expires")?));
    let named = named.map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX));
    named.or_else(|| ok.expires()).unwrap_or(asked)
}

/// Some part of a length of time, whole milliseconds.
fn part(whole: Duration, random: u64) -> Duration {
    let millis = u64::try_from(whole.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(random % (millis.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTACT: &str = "sip:x7@192.0.2.1:5060";

    fn new() -> Registration {
        Registration::new(RegistrationConfig::new(600), "call".into(), Time::ZERO)
    }

    fn response(status: u16, fields: &str) -> Message {
        let text = format!(
            "SIP/2.0 {status} x\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n\
             To: <sip:a@b>;tag=2\r\nCall-ID: call\r\nCSeq: 2 REGISTER\r\n{fields}\r\n"
        );
        Message::parse(text.into()).unwrap()
    }

    fn answer(it: &mut Registration, now: Time, status: u16, fields: &str, random: u64) -> Registering {
        let message = response(status, fields);
        it.answered(now, (status, Some(&message)), CONTACT, random)
    }

    #[test]
    fn rfc3261_10_2_4_it_is_refreshed_between_half_and_three_quarters_of_what_is_granted() {
        for (random, next) in [(0, 60), (29_999, 89)] {
            let mut it = new();
            let first = it.take_due(Time::ZERO).unwrap();
            assert_eq!((first.series.cseq, first.expires), (1, 600));
            let fields =
                format!("Contact: <sip:other@b>;expires=9, <{CONTACT}>;expires=120\r\nExpires: 5\r\n");
            let granted = answer(&mut it, Time::ZERO, 200, &fields, random);
            assert_eq!(granted, Registering::Registered { expires: 120, again: false });
            assert_eq!(it.next_timeout().unwrap().micros() / 1_000_000, next);
            assert_eq!(it.take_due(Time::from_secs(next - 1)), None);
            // The challenge took 2.
            let second = it.take_due(Time::from_secs(next + 1)).unwrap();
            assert_eq!((second.series.cseq, second.series.call_id.as_str()), (3, "call"));
        }
    }

    #[test]
    fn rfc3261_10_2_8_too_brief_an_interval_is_made_as_long_as_asked_once() {
        let mut it = new();
        it.take_due(Time::ZERO).unwrap();
        assert_eq!(answer(&mut it, Time::ZERO, 423, "Min-Expires: 1800\r\n", 0), Registering::Adjusted);
        assert_eq!(it.take_due(Time::ZERO).unwrap().expires, 1800);
        // A registrar that asks for no more than it got is broken.
        let broken = answer(&mut it, Time::ZERO, 423, "Min-Expires: 1800\r\n", 0);
        assert!(matches!(broken, Registering::Failed { status: 423, .. }), "{broken:?}");
    }

    #[test]
    fn rfc5626_4_5_waits_double_up_to_a_ceiling_and_a_success_forgets_them() {
        let mut it = new();
        let mut now = Time::ZERO;
        let mut waits = Vec::new();
        for _ in 0..9 {
            it.take_due(now).unwrap();
            let Registering::Failed { after, .. } = it.answered(now, (408, None), CONTACT, 0) else {
                panic!()
            };
            now += after;
            waits.push(after.as_millis());
        }
        assert_eq!(waits, [2_500, 5_000, 10_000, 20_000, 40_000, 80_000, 150_000, 150_000, 150_000]);
        it.take_due(now).unwrap();
        answer(&mut it, now, 200, "", 0);
        now = it.next_try().unwrap();
        it.take_due(now).unwrap();
        let failed = it.answered(now, (408, None), CONTACT, 2_499);
        assert_eq!(failed, Registering::Failed { status: 408, after: Duration::from_millis(4_999) });
    }

    #[test]
    fn rfc5626_4_5_a_registrar_whose_connection_is_lost_is_told_anew() {
        let mut it = new();
        let mut now = Time::ZERO;
        it.take_due(now).unwrap();
        it.connection_lost(now, 0);
        answer(&mut it, now, 200, "", 0);
        // Each is lost a second after it was opened.
        let mut waits = Vec::new();
        for _ in 0..8 {
            now += Duration::from_secs(1);
            it.connection_lost(now, 0);
            it.connection_lost(now, 9_999);
            waits.push((it.next_try().unwrap() - now).as_millis());
            now = it.next_try().unwrap();
            it.take_due(now).unwrap();
            let again = answer(&mut it, now, 200, "", 0);
            assert_eq!(again, Registering::Registered { expires: 600, again: true });
        }
        assert_eq!(waits, [2_500, 5_000, 10_000, 20_000, 40_000, 80_000, 150_000, 150_000]);
        // One that a refresh has gone by has lasted.
        now = it.next_try().unwrap();
        it.take_due(now).unwrap();
        answer(&mut it, now, 200, "", 0);
        it.connection_lost(now, 1);
        assert_eq!((it.next_try().unwrap() - now).as_millis(), 2_501);
    }

    #[test]
    fn a_lost_connection_delays_nothing_and_begins_nothing() {
        let mut it = new();
        it.take_due(Time::ZERO).unwrap();
        it.answered(Time::ZERO, (503, None), CONTACT, 0);
        let next = it.next_try();
        it.connection_lost(Time::ZERO, 0);
        assert_eq!(it.next_try(), next, "it is not registered");
        let now = next.unwrap();
        it.take_due(now).unwrap();
        answer(&mut it, now, 200, "Expires: 4\r\n", 0);
        let next = it.next_try();
        it.connection_lost(now, 0);
        assert_eq!(it.next_try(), next, "the refresh is sooner");
    }

    #[test]
    fn rfc3261_20_33_retry_after_is_obeyed_up_to_an_hour() {
        for (field, after) in [("30 (a while);duration=9", 30), ("999999999999999999999", 3_600)] {
            let mut it = new();
            it.take_due(Time::ZERO).unwrap();
            let failed = answer(&mut it, Time::ZERO, 503, &format!("Retry-After: {field}\r\n"), 0);
            assert_eq!(failed, Registering::Failed { status: 503, after: Duration::from_secs(after) });
        }
    }

    #[test]
    fn a_registrar_that_refuses_is_not_asked_again() {
        for status in [401, 403, 407] {
            let mut it = new();
            it.take_due(Time::ZERO).unwrap();
            assert_eq!(answer(&mut it, Time::ZERO, status, "", 0), Registering::Refused { status });
            assert_eq!(it.next_timeout(), None);
            it.leave(Time::ZERO);
            assert!(it.is_gone());
        }
    }

    #[test]
    fn a_contact_that_is_not_refreshed_lapses_and_is_tried_for_again() {
        let mut it = new();
        it.take_due(Time::ZERO).unwrap();
        answer(&mut it, Time::ZERO, 200, "Expires: 20\r\n", 0);
        it.take_due(Time::from_secs(10)).unwrap();
        assert_eq!(it.next_timeout(), Some(Time::from_secs(20)));
        assert!(it.take_lapse(Time::from_secs(20)));
        assert!(!it.take_lapse(Time::from_secs(20)));
        it.answered(Time::from_secs(42), (408, None), CONTACT, 0);
        it.take_due(Time::from_secs(60)).unwrap();
        let again = answer(&mut it, Time::from_secs(60), 200, "", 0);
        assert_eq!(again, Registering::Registered { expires: 600, again: false });
    }

    #[test]
    fn rfc3261_10_2_2_leaving_removes_what_is_there_or_on_its_way() {
        let mut it = new();
        it.take_due(Time::ZERO).unwrap();
        it.leave(Time::ZERO);
        assert!(!it.is_gone());
        answer(&mut it, Time::ZERO, 200, "", 0);
        assert_eq!(it.take_due(Time::ZERO).unwrap().expires, 0);
        assert_eq!(it.answered(Time::ZERO, (408, None), CONTACT, 0), Registering::Gone);
        assert!(it.is_gone());
        let mut unborn = new();
        unborn.leave(Time::ZERO);
        assert!(unborn.is_gone());
    }
}
