//! The one history of a node: numbered events, and the folds that everything else is made of.

pub mod cdr;
pub mod ladder;
pub mod trunks;

mod kind;
mod names;
mod plain;
mod quality;
pub mod queues;
mod registration;
mod wall;
mod words;

pub use kind::Kind;
pub use names::KINDS;
pub use quality::{AtParty, FaxCount, Missing, Quality};
pub use registration::{Reach, Registration};
pub use wall::{Moment, WallClock};
pub use words::{
    AgentActivity, AgentWish, CallbackOrder, CallbackOutcome, Cause, DialOutcome, Direction, EndedBy,
    OfferOutcome, Party, QueueOutcome, RecordBy, RoomBy, SipDirection, SuperviseMode, TransferBy,
    TransferOutcome,
};

use clock::Time;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A customer's whole journey: everything from its first message to the end of its last leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContactId(pub u64);

/// One SIP leg of a contact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LegId(pub u64);

/// Where an agent of queues is, as a restart goes on with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentSeat {
    /// The agent.
    pub agent: Arc<str>,
    /// Whether it takes calls at all.
    pub is_logged_in: bool,
    /// Why it pauses, if it does.
    pub paused: Option<Arc<str>>,
    /// The user whose phone rings for it.
    pub phone: Option<Arc<str>>,
}

/// Somebody that is to be called back, as a restart goes on with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// The contact that has asked for it.
    pub asked: ContactId,
    /// What is to be done.
    pub order: CallbackOrder,
}

/// A value that flows of a client remember, as a restart goes on with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredValue {
    /// Whose.
    pub client: Arc<str>,
    /// Its name, and after a stroke what that is of.
    pub key: Arc<str>,
    /// What it is.
    pub value: Arc<str>,
    /// When it is over, in microseconds since 1970.
    pub until: Option<i64>,
}

/// A message of a caller, as a restart goes on with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredMessage {
    /// Its number.
    pub message: u64,
    /// The contact in which it was left.
    pub contact: ContactId,
    /// Whose mailbox it is in.
    pub client: Arc<str>,
    /// The mailbox's name within the client.
    pub mailbox: Arc<str>,
    /// The caller as normalised.
    pub from: Arc<str>,
    /// When it began, in microseconds since 1970.
    pub at: i64,
    /// The file.
    pub path: String,
    /// Its length; `None` while it is being left.
    pub millis: Option<u64>,
    /// Whether somebody has heard it.
    pub heard: bool,
}

/// One step of the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Numbered from 1 without a gap over the life of the log, restarts included.
    pub seq: u64,
    /// When, since the log began.
    pub at: Time,
    /// Whose; `None` for what belongs to the node (start, reload, registration, alarm).
    pub contact: Option<ContactId>,
    /// What.
    pub kind: Kind,
}
