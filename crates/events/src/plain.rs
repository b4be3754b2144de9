//! Words and numbers as people read them, shared by the CDR's text and the ladder.

use crate::{Cause, EndedBy, Party};

/// Text without control characters: what a peer sent must not steer a terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '·' } else { c }).collect()
}

/// `ended by the caller: normal (200)`.
pub(crate) fn ended_by(cause: &Cause) -> String {
    let status = cause.status.map_or(String::new(), |status| format!(" ({status})"));
    format!("ended by the {}: {}{status}", by(cause.by), plain(&cause.reason))
}

/// Who ended a leg or a contact, in a word.
pub(crate) fn by(by: EndedBy) -> &'static str {
    match by {
        EndedBy::Caller => "caller",
        EndedBy::Callee => "callee",
        EndedBy::Flow => "flow",
        EndedBy::Switch => "switch",
    }
}

/// A party by its name, or by its URI without scheme and parameters.
pub(crate) fn party_name(party: &Party, uri: &str) -> String {
    match party {
        Party::Trunk(name) | Party::User(name) => plain(name),
        Party::Uri => {
            let uri = uri.strip_prefix("sips:").or_else(|| uri.strip_prefix("sip:")).unwrap_or(uri);
            plain(uri.split([';', '?']).next().unwrap_or(uri))
        }
    }
}

/// Milliseconds as seconds with three digits, `1.250`.
pub(crate) fn seconds(millis: u64) -> String {
    format!("{}.{:03}", millis / 1_000, millis % 1_000)
}
