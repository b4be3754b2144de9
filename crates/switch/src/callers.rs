//! What a supervisor does with a caller that waits in a queue.

use crate::contact::Contact;
use crate::core::Core;
use crate::{Output, Switch};
use clock::Time;
use events::ContactId;
use std::fmt;
use std::sync::Arc;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallerOrder {
    /// It waits in another queue of its client, with the time that it has waited.
    Move {
        /// That queue's name within the client.
        queue: Arc<str>,
    },
    /// It has other points of priority.
    Prioritise {
        /// The greater first.
        points: i32,
    },
    /// A user of its client is rung for it; if that one does not answer, it waits on at its place.
    Pull {
        /// The user.
        user: Arc<str>,
    },
}

impl fmt::Display for CallerOrder {
    /// As the log has it: `move to sales`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Move { queue } => write!(f, "move to {queue}"),
            Self::Prioritise { points } => write!(f, "priority {points}"),
            Self::Pull { user } => write!(f, "pull to {user}"),
        }
    }
}

/// Why nothing was done with a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallerRefused {
    /// There is no such contact, or it waits in no queue.
    #[error("that contact waits in no queue")]
    NotWaiting,
    /// The client has no such queue.
    #[error("the client has no such queue")]
    UnknownQueue,
    /// The client has no such user.
    #[error("the client has no such user")]
    UnknownUser,
    /// No phone of the user is registered.
    #[error("the user cannot be reached")]
    Unreachable,
    /// The user is rung or speaks.
    #[error("the user has a call already")]
    Busy,
}

impl Switch {
    /// Does something with a caller that waits; the log says who wanted it. What follows is appended to `out`.
    ///
    /// # Errors
    /// Why not; nothing is changed then.
    pub fn direct_caller(
        &mut self,
        now: Time,
        contact: ContactId,
        (order, by): (&CallerOrder, &Arc<str>),
        out: &mut Vec<Output>,
    ) -> Result<(), CallerRefused> {
        self.within_turn(now, out, |switch| {
            let mut done = Err(CallerRefused::NotWaiting);
            switch.with_contact(contact, |contact: &mut Contact, core: &mut Core| {
                done = contact.direct_in_queue(core, order, by);
            });
            done
        })
    }
}
