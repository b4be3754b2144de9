//! What a final response to a call that the switch placed must lead to, in the very same turn.

use super::{History, Turns};
use crate::wire::{self, Read};
use events::{ContactId, LegId};
use std::net::SocketAddr;

/// What must have happened when the turn is over.
#[derive(Clone, Debug)]
pub(crate) enum Consequence {
    /// The first phone to answer is bridged with the caller.
    Bridged(ContactId, LegId),
    /// The caller hears the first ringing.
    Ringing { call_id: String },
    /// The caller of the one-phone number `desk` hears why not.
    Refused { call_id: String, status: u16 },
}

impl Consequence {
    /// What follows from a message that the switch is about to take.
    pub(crate) fn after(history: &History, turns: &Turns, came: &Read) -> Option<Self> {
        let status = came.status.filter(|status| *status >= 180 && came.cseq_method == "INVITE")?;
        let (contact, leg) = history.ringing(&came.call_id)?;
        if status < 200 {
            let call_id = history.awaits_ringing(contact)?.to_owned();
            return Some(Self::Ringing { call_id });
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
    pub(crate) fn check(&self, history: &History, went: &[(SocketAddr, Read)]) -> Result<(), String> {
        let met = match self {
            Self::Bridged(contact, leg) => history.bridged(*contact) == Some(*leg),
            Self::Ringing { call_id } => {
                went.iter().any(|(_, sent)| sent.call_id == *call_id && sent.status == Some(180))
            }
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
