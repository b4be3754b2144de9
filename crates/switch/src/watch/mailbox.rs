//! Messages that wait for a user (RFC 3842).

use sip::Body;
use std::collections::HashMap;
use std::sync::Arc;

/// The media type of a summary.
pub(super) const SUMMARY: &str = "application/simple-message-summary";

/// How many voice messages a user has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mailbox {
    /// Not heard yet.
    pub new: u32,
    /// Heard, and kept.
    pub old: u32,
}

/// The mailboxes of users that have messages. Whatever takes messages tells it by `Input::Mailbox`; nothing does yet.
#[derive(Default)]
pub(super) struct Mailboxes(HashMap<Arc<str>, Mailbox>);

impl Mailboxes {
    pub(super) fn of(&self, user: &str) -> Mailbox {
        self.0.get(user).copied().unwrap_or_default()
    }

    pub(super) fn set(&mut self, user: &Arc<str>, mailbox: Mailbox) {
        if mailbox == Mailbox::default() {
            self.0.remove(user);
        } else {
            self.0.insert(Arc::clone(user), mailbox);
        }
    }
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

    #[test]
    fn a_mailbox_without_messages_is_not_kept() {
        let mut mailboxes = Mailboxes::default();
        let alice = Arc::from("alice");
        mailboxes.set(&alice, Mailbox { new: 1, old: 0 });
        assert_eq!(mailboxes.of("alice").new, 1);
        mailboxes.set(&alice, Mailbox::default());
        assert!(mailboxes.0.is_empty() && mailboxes.of("alice") == Mailbox::default());
    }
}
