//! What a final response to a call that the switch placed must lead to, in the very same turn.

use super::{History, Turns};
use crate::wire::{self, Read};
use events::{ContactId, LegId};
use std::net::SocketAddr;

/// What must have happened when the turn is over.
#[derive(Clone, Debug)]
pub(crate) enum Consequence {
    /// The first phone to answer is bridged with the caller, or told whose call it gets.
    Bridged(ContactId, LegId),
    /// A reliable response gets its PRACK (RFC 3262 section 4).
    Acknowledged { call_id: String, rack: String },
    /// The caller hears the first ringing.
    Ringing { call_id: String },
    /// The caller of the one-phone number `desk` hears why not.
    Refused { call_id: String, status: u16 },
}

impl Consequence {
    /// What follows from a message that the switch is about to take.
    pub(crate) fn after(history: &History, turns: &Turns, came: &Read) -> Vec<Self> {
        let acknowledged = came.rseq.filter(|_| history.ringing(&came.call_id).is_some()).map(|rseq| {
            let rack = format!("{rseq} {} INVITE", came.cseq);
            Self::Acknowledged { call_id: came.call_id.clone(), rack }
        });
        acknowledged.into_iter().chain(Self::of_call(history, turns, came)).collect()
    }

    /// What a call comes to by it.
    fn of_call(history: &History, turns: &Turns, came: &Read) -> Option<Self> {
        let status = came.status.filter(|status| *status >= 180 && came.cseq_method == "INVITE")?;
        let (contact, leg) = history.ringing(&came.call_id)?;
        if status < 200 {
            let call_id = history.awaits_ringing(contact)?.to_owned();
            return (!turns.is_silent(&call_id)).then_some(Self::Ringing { call_id });
        }
        if status < 300 {
            return wire::audio_port(&came.body).map(|_| Self::Bridged(contact, leg));
        }
        let call_id = history.unanswered(contact)?.to_owned();
        let alone = turns.dialled(&call_id) == Some("desk");
        alone.then(|| Self::Refused { call_id, status: told(status) })
    }

    /// Whether it has happened.
    ///
    /// # Errors
    /// It has not.
    pub(crate) fn check(
        &self,
        history: &History,
        turns: &Turns,
        went: &[(SocketAddr, Read)],
    ) -> Result<(), String> {
        let met = match self {
            Self::Acknowledged { call_id, rack } => turns.has_acknowledged(call_id, rack),
            Self::Bridged(contact, leg) => {
                history.bridged(*contact) == Some(*leg) || history.is_briefed(*contact)
            }
            Self::Ringing { call_id } => went
                .iter()
                .any(|(_, sent)| sent.call_id == *call_id && matches!(sent.status, Some(180 | 183))),
            Self::Refused { call_id, status } => {
                went.iter().any(|(_, sent)| sent.call_id == *call_id && sent.status == Some(*status))
            }
        };
        if met { Ok(()) } else { Err(format!("it must lead to {self:?}")) }
    }
}

/// The status that stands for a callee's failure towards its caller.
fn told(status: u16) -> u16 {
    match status {
        // Redirects are not followed, and say nothing without their Contact.
        300..=399 | 408 | 480 | 487 => 480,
        486 | 600 | 603 => 486,
        // The challenge was for the switch; and a 503 would take all of the switch out of service.
        401 | 407 | 503 => 500,
        other => other,
    }
}
