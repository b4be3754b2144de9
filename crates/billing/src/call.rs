//! Calls by trunks, out of what is recorded of contacts.

use events::cdr::Cdr;
use events::{ContactId, Direction, Party};
use figures::Millis;
use std::collections::HashMap;
use std::sync::Arc;

/// A leg by a trunk that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its contact.
    pub contact: ContactId,
    /// Which way.
    pub way: Way,
    /// The number called, in E.164 with `+` if it is one.
    pub number: Arc<str>,
    /// When its contact began, in milliseconds since 1970: the whole call is of that month.
    pub at: Millis,
    /// From its answer to its end, in milliseconds.
    pub millis: u64,
}

/// Which way a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To a number of the client.
    Inbound,
    /// To a number of somebody else.
    Outbound,
}

/// The calls of a period. A leg that an attended transfer has handed from contact to contact is one call, from its answer to its
/// end: that of the contact in which it began.
#[derive(Debug, Default)]
pub struct Ledger(HashMap<Arc<str>, Part>);

/// What one contact has had of a call.
#[derive(Debug)]
struct Part {
    began: Millis,
    call: Call,
}

impl Ledger {
    /// Adds those of a contact. `number` makes E.164 of a trunk's name and the user part of a URI that it was sent.
    pub fn add(&mut self, cdr: &Cdr, number: impl Fn(&str, &str) -> String) {
        for (id, part) in parts(cdr, number) {
            match self.0.get_mut(&id) {
                None => drop(self.0.insert(id, part)),
                Some(known) => {
                    let millis = known.call.millis + part.call.millis;
                    if part.began < known.began {
                        *known = part;
                    }
                    known.call.millis = millis;
                }
            }
        }
    }

    /// All of them, in the order in which they began.
    pub fn into_sorted(self) -> Vec<Call> {
        let mut calls: Vec<_> = self.0.into_values().map(|part| part.call).collect();
        calls.sort_by(|a, b| (a.at, a.contact, &a.number).cmp(&(b.at, b.contact, &b.number)));
        calls
    }
}

/// What a contact has had of calls, by their Call-ID.
fn parts(cdr: &Cdr, number: impl Fn(&str, &str) -> String) -> impl Iterator<Item = (Arc<str>, Part)> {
    let at = cdr.started.utc.as_millisecond();
    cdr.legs.iter().filter_map(move |leg| {
        let Party::Trunk(trunk) = &leg.party else { return None };
        let answered = leg.answered?;
        let lasted = leg.ended.utc.as_millisecond() - answered.utc.as_millisecond();
        let (way, number) = match leg.direction {
            Direction::Inbound => (Way::Inbound, Arc::clone(&cdr.to)),
            Direction::Outbound => (Way::Outbound, number(trunk, user(&leg.uri)).into()),
        };
        let millis = u64::try_from(lasted).unwrap_or(0);
        let call = Call { contact: cdr.contact, way, number, at, millis };
        Some((Arc::clone(&leg.call_id), Part { began: leg.started.utc.as_millisecond(), call }))
    })
}

/// The user part of a SIP URI (RFC 3261 section 19.1.1), or the number of a `tel:` one.
fn user(uri: &str) -> &str {
    let rest = uri.split_once(':').map_or(uri, |(_, rest)| rest);
    let user = rest.split_once('@').map_or(rest, |(user, _)| user);
    user.split([';', ':']).next().unwrap_or(user)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clock::Time;
    use events::cdr::fold;
    use events::{Cause, EndedBy, Event, Kind, LegId, WallClock};

    /// The CDR of a contact of which this was logged, with the seconds.
    fn cdr(contact: u64, kinds: Vec<(u64, Kind)>) -> Cdr {
        let (source, client) = ("carrier".into(), "acme".into());
        let started =
            Kind::ContactStarted { source, client, from: "1".into(), to: "2".into(), flow: "f".into() };
        let cause = Cause { by: EndedBy::Caller, status: None, reason: "normal".into() };
        let first = kinds.first().map_or(0, |(at, _)| *at);
        let last = kinds.last().map_or(0, |(at, _)| *at);
        let kinds = [(first, started)].into_iter().chain(kinds).chain([(last, Kind::ContactEnded { cause })]);
        let events: Vec<_> = kinds
            .zip(1..)
            .map(|((at, kind), seq)| {
                let at = Time::from_micros(at * 1_000_000);
                Event { seq, at, contact: Some(ContactId(contact)), kind }
            })
            .collect();
        fold(&events, WallClock::new(0)).expect("it has ended")
    }

    #[test]
    fn a_leg_that_a_transfer_hands_on_is_one_call() {
        let (leg, party) = (LegId(3), Party::Trunk("carrier".into()));
        let (uri, call_id): (Arc<str>, Arc<str>) = ("sip:+34600111222@192.0.2.1".into(), "c3".into());
        let direction = Direction::Outbound;
        let cause = Cause { by: EndedBy::Callee, status: None, reason: "normal".into() };
        let begun = Kind::LegStarted {
            leg,
            direction,
            party: party.clone(),
            uri: uri.clone(),
            call_id: call_id.clone(),
        };
        let joined =
            Kind::LegJoined { leg, from: ContactId(8), direction, party, uri, call_id, answered: true };
        let consulted = cdr(
            8,
            vec![
                (100, begun),
                (110, Kind::LegAnswered { leg, codec: None }),
                (130, Kind::LegLeft { leg, to: ContactId(7) }),
            ],
        );
        // The customer's contact is the older one.
        let customers = cdr(
            7,
            vec![
                (50, Kind::Alarm { text: String::new() }),
                (130, joined),
                (150, Kind::LegEnded { leg, cause }),
            ],
        );
        for order in [[&consulted, &customers], [&customers, &consulted]] {
            let mut calls = Ledger::default();
            order.into_iter().for_each(|cdr| calls.add(cdr, |_, user| user.to_owned()));
            let call = Call {
                contact: ContactId(8),
                way: Way::Outbound,
                number: "+34600111222".into(),
                at: 100_000,
                millis: 40_000,
            };
            assert_eq!(calls.into_sorted(), [call]);
        }
    }

    #[test]
    fn the_number_is_the_user_part_of_the_uri() {
        for (uri, user) in [
            ("sip:+34600111222@192.0.2.1:5060;user=phone", "+34600111222"),
            ("sips:600111222;phone-context=+34@example.com", "600111222"),
            ("tel:+34600111222;ext=1", "+34600111222"),
            ("sip:alice:secret@example.com", "alice"),
        ] {
            assert_eq!(super::user(uri), user, "{uri}");
        }
    }
}
