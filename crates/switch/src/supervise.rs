//! What an operator asks of supervisors: that one of a client's users is with a call.

use crate::contact::Contact;
use crate::core::Core;
use crate::{Output, Switch};
use clock::Time;
use events::{ContactId, EndedBy, SuperviseMode};
use std::sync::Arc;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SuperviseOrder {
    /// Rings a user, who is with the call once it answers.
    Begin {
        /// A user of the client.
        user: Arc<str>,
        /// To whom it speaks.
        mode: SuperviseMode,
    },
    /// The supervisor speaks to others from now on, or takes the call over.
    Change(SuperviseMode),
    /// Lets the supervisor go; the call goes on.
    End,
}

/// Why a call is not supervised, or nothing is changed of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SuperviseRefused {
    /// There is no such contact, or nobody speaks in it.
    #[error("there is no such call, or its caller speaks with nobody")]
    NoCall,
    /// It has a supervisor already.
    #[error("this call has a supervisor already")]
    UnderWay,
    /// It has none.
    #[error("this call has no supervisor")]
    NothingUnderWay,
    /// The client has no such user.
    #[error("the client has no such user")]
    UnknownUser,
    /// No phone of the user is registered, or there is no room for a call to it.
    #[error("the user cannot be reached")]
    Unreachable,
    /// The user is rung or speaks.
    #[error("the user has a call already")]
    Busy,
    /// None of the two is a user of the client.
    #[error("there is no agent in this call: whisper and takeover need one")]
    NoAgent,
}

impl Switch {
    /// Lets a user of the client supervise a call, or changes or ends that. What follows is appended to `out`.
    ///
    /// # Errors
    /// Why not; nothing is changed then.
    pub fn supervise(
        &mut self,
        now: Time,
        contact: ContactId,
        order: &SuperviseOrder,
        out: &mut Vec<Output>,
    ) -> Result<(), SuperviseRefused> {
        self.within_turn(now, out, |switch| {
            let mut done = Err(SuperviseRefused::NoCall);
            switch.with_contact(contact, |contact: &mut Contact, core: &mut Core| {
                done = match order {
                    SuperviseOrder::Begin { user, mode } => contact.begin_supervision(core, user, *mode),
                    SuperviseOrder::Change(mode) => contact.change_supervision(core, *mode),
                    SuperviseOrder::End => contact
                        .end_supervision(core, EndedBy::Switch, "ended by the operator")
                        .then_some(())
                        .ok_or(SuperviseRefused::NothingUnderWay),
                };
            });
            done
        })
    }
}
