//! Transfers that an operator or another program asks for, on behalf of a user.

use crate::contact::{Contact, Wish};
use crate::{Output, Switch};
use clock::Time;
use events::{ContactId, LegId, TransferBy};
use std::sync::Arc;

/// What is to be done with the call of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferOrder {
    /// Hands the other party on.
    Begin {
        /// A number of the user's client, or one of its users.
        to: Arc<str>,
        /// Whether the user speaks with the target first: `to` is a user then, or a number whose flow dials at once.
        consult: bool,
    },
    /// Ends the word before it: the other party gets the target now, or as soon as it answers.
    Complete,
    /// Takes the other party back.
    Cancel,
}

/// Why a transfer is not begun, completed or taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransferRefused {
    /// The user has no call in which it speaks with somebody.
    #[error("the user speaks with nobody")]
    NoCall,
    /// A transfer of this call is under way already.
    #[error("a transfer of this call is under way")]
    UnderWay,
    /// There is none under way.
    #[error("no transfer of this user's call is under way")]
    NothingUnderWay,
    /// The client has no such number or user.
    #[error("the client has no such number or user")]
    UnknownTarget,
    /// There is nobody to have a word with.
    #[error(
        "a number whose flow does not dial at once cannot be consulted; transfer to it without `consult`"
    )]
    NobodyToConsult,
}

impl Switch {
    /// Transfers the call of a user, or goes on with its transfer. What follows is appended to `out`.
    ///
    /// # Errors
    /// Why not; nothing is changed then.
    pub fn transfer(
        &mut self,
        now: Time,
        user: &str,
        order: &TransferOrder,
        out: &mut Vec<Output>,
    ) -> Result<ContactId, TransferRefused> {
        self.within_turn(now, out, |switch| match order {
            TransferOrder::Begin { to, consult } => switch.begin_transfer(user, to, *consult),
            TransferOrder::Complete => switch.go_on(user, Contact::complete_transfer),
            TransferOrder::Cancel => switch.go_on(user, Contact::cancel_transfer),
        })
    }

    fn begin_transfer(
        &mut self,
        user: &str,
        to: &Arc<str>,
        consult: bool,
    ) -> Result<ContactId, TransferRefused> {
        let (id, leg) = self.call_of(user, |contact, leg| contact.may_transfer(leg) != Err(603))?;
        let contact = self.contacts.get(&id).ok_or(TransferRefused::NoCall)?;
        contact.may_transfer(leg).map_err(|_| TransferRefused::UnderWay)?;
        let to = Arc::clone(to);
        let wish = Wish { leg, by: TransferBy::Api, consult, to, told: None, referred_by: None };
        let mut begun = Ok(());
        self.with_contact(id, |contact, core| begun = contact.try_transfer(core, wish));
        begun.map(|()| id)
    }

    fn go_on(
        &mut self,
        user: &str,
        how: impl FnOnce(&mut Contact, &mut crate::core::Core) -> bool,
    ) -> Result<ContactId, TransferRefused> {
        let found = self.call_of(user, Contact::is_transferred_by);
        let (id, _) = found.map_err(|_| TransferRefused::NothingUnderWay)?;
        self.with_contact(id, |contact, core| {
            how(contact, core);
        });
        Ok(id)
    }

    /// The call of a user, and its leg in it, that fits.
    fn call_of(
        &self,
        user: &str,
        fits: impl Fn(&Contact, LegId) -> bool,
    ) -> Result<(ContactId, LegId), TransferRefused> {
        let mut calls = self.core.users.contacts_of(user).iter().filter_map(|id| {
            let contact = self.contacts.get(id)?;
            Some((*id, contact.answered_leg_of(user).filter(|leg| fits(contact, *leg))?))
        });
        calls.next().ok_or(TransferRefused::NoCall)
    }
}
