//! Mailboxes in a simulated call: the script says whether there is room, and what is in them.

use super::{Due, Note, Simulation};
use crate::machine::{LeftMessage, MailboxOrder, MailboxResult};
use std::sync::Arc;

impl Simulation<'_> {
    /// A mailbox is asked, or a message is heard or deleted.
    pub(super) fn mailbox(&mut self, order: MailboxOrder) {
        let result = match order {
            MailboxOrder::Look { .. } => {
                self.spoken = self.answers.leave();
                if self.spoken.is_some() { MailboxResult::Room } else { MailboxResult::Full }
            }
            MailboxOrder::Open { .. } => match self.answers.listen() {
                None => MailboxResult::Refused,
                Some(count) => MailboxResult::Messages(self.messages(count)),
            },
            MailboxOrder::Heard { .. } => return,
            MailboxOrder::Delete { message } => return self.note(Note::Deletes { message }),
        };
        self.agenda.add(self.now, Due::MailboxDone(result));
    }

    /// So many messages of whoever calls.
    fn messages(&self, count: u32) -> Vec<LeftMessage> {
        let message = |number: u32| LeftMessage {
            message: number.into(),
            from: Arc::clone(&self.from),
            at: self.at,
            heard: false,
            file: format!("message-{number}.wav").into(),
        };
        (1..=count).map(message).collect()
    }
}
