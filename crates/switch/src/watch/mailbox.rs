//! Messages that wait for a user (RFC 3842).

use sip::Body;

/// The media type of a summary.
pub(super) const SUMMARY: &str = "application/simple-message-summary";

/// How many voice messages a user has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mailbox {
    /// Not heard yet.
    pub(crate) new: u32,
    /// Heard, and kept.
    pub(crate) old: u32,
}

impl Mailbox {
    /// As a phone is told (RFC 3842 section 5.2). `account` is the user's address-of-record.
    pub(super) fn summary(self, account: &str) -> Body {
        let Self { new, old } = self;
        let waits = if new > 0 { "yes" } else { "no" };
        let text = format!(
            "Messages-Waiting: {waits}\r\nMessage-Account: {account}\r\nVoice-Message: {new}/{old} (0/0)\r\n"
        );
        Body { content_type: SUMMARY.into(), bytes: text.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3842_5_2_the_lamp_is_lit_by_messages_that_are_not_heard() {
        let text = |new, old| {
            String::from_utf8(Mailbox { new, old }.summary("sip:a@h").bytes.to_vec()).expect("ASCII")
        };
        assert_eq!(
            text(0, 3),
            "Messages-Waiting: no\r\nMessage-Account: sip:a@h\r\nVoice-Message: 0/3 (0/0)\r\n"
        );
        assert!(text(2, 0).starts_with("Messages-Waiting: yes\r\n") && text(2, 0).contains(" 2/0 (0/0)"));
    }
}
