//! Which contacts phones have registered, from the journal.

use clock::{Duration, Time};
use events::{Event, Kind, Reach, Registration};

/// What an event does to the table of registrations.
#[derive(Debug)]
pub(crate) enum RegistrationRow {
    /// Registered or refreshed.
    Set {
        user: String,
        contact: String,
        expires_at: Time,
        /// JSON of [`Reach`].
        reach: Option<String>,
    },
    /// Gone.
    Delete { user: String, contact: String },
}

impl RegistrationRow {
    /// What an event tells of a registration.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        match &event.kind {
            Kind::Registered { user, contact, expires, reach } => Some(Self::Set {
                user: user.clone(),
                contact: contact.clone(),
                expires_at: event.at + Duration::from_secs(u64::from(*expires)),
                reach: reach.as_ref().map(|reach| {
                    serde_json::to_string(reach).expect("a way is plain data: it has a JSON form")
                }),
            }),
            Kind::Unregistered { user, contact } => {
                Some(Self::Delete { user: user.clone(), contact: contact.clone() })
            }
            _ => None,
        }
    }

    /// As it is read back. What cannot be read as a [`Reach`] counts as none: the phone registers again.
    pub(crate) fn registration(
        user: String,
        contact: String,
        expires_at: i64,
        reach: Option<&str>,
    ) -> Registration {
        let reach: Option<Reach> = reach.and_then(|json| serde_json::from_str(json).ok());
        let expires_at = Time::from_micros(u64::try_from(expires_at).unwrap_or(0));
        Registration { user, contact, expires_at, reach }
    }
}
