//! Calls by trunks, out of what is recorded of contacts.

use events::cdr::Cdr;
use events::{ContactId, Direction, Party};
use figures::Millis;
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

/// The calls of a contact. `number` makes E.164 of a trunk's name and the user part of a URI that it was sent.
pub fn calls<'c>(
    cdr: &'c Cdr,
    number: impl Fn(&str, &str) -> String + 'c,
) -> impl Iterator<Item = Call> + 'c {
    let at = cdr.started.utc.as_millisecond();
    cdr.legs.iter().filter_map(move |leg| {
        let Party::Trunk(trunk) = &leg.party else { return None };
        let answered = leg.answered?;
        let lasted = leg.ended.utc.as_millisecond() - answered.utc.as_millisecond();
        let (way, number) = match leg.direction {
            Direction::Inbound => (Way::Inbound, Arc::clone(&cdr.to)),
            Direction::Outbound => (Way::Outbound, number(trunk, user(&leg.uri)).into()),
        };
        Some(Call { contact: cdr.contact, way, number, at, millis: u64::try_from(lasted).unwrap_or(0) })
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
