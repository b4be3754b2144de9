//! The call detail record: one a contact, folded from the events and never counted beside them.

mod draft;
mod fold;
mod queue;
mod text;

pub use fold::{CdrFold, fold};

use crate::{
    Cause, ContactId, Direction, FaxCount, LegId, Moment, Party, Quality, QueueOutcome, TransferBy,
    TransferOutcome,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What became of a contact, from its first message to the end of its last leg.
///
/// As JSON the fields have these names; durations end in `_millis`, moments are [`Moment`]s.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cdr {
    /// The contact.
    pub contact: ContactId,
    /// Trunk or user by name.
    pub source: Arc<str>,
    /// The client company whose number was called.
    pub client: Arc<str>,
    /// The caller as normalised.
    pub from: Arc<str>,
    /// The number called.
    pub to: Arc<str>,
    /// The flow that it began with.
    pub flow: Arc<str>,
    /// Whether somebody answers for the caller: `passed`, `failed` or `none`; `None` where nobody looked.
    #[serde(default)]
    pub verstat: Option<Arc<str>>,
    /// How well the signer knows the caller: `A`, `B` or `C`.
    #[serde(default)]
    pub attestation: Option<Arc<str>>,
    /// When it began.
    pub started: Moment,
    /// When the caller's leg was answered, by the flow or by a party.
    pub answered: Option<Moment>,
    /// When caller and another party first heard each other.
    pub bridged: Option<Moment>,
    /// When its last leg ended.
    pub ended: Moment,
    /// How long destinations were rung in total.
    pub ring_millis: u64,
    /// From the start to the first bridge, or to the end of the caller's leg if there was none.
    pub wait_millis: u64,
    /// How long two parties were bridged, holding included.
    pub talk_millis: u64,
    /// From the answer of the caller's leg to its end: what a carrier charges. 0 if never answered.
    pub billable_millis: u64,
    /// What became of it.
    pub disposition: Disposition,
    /// Who ended it, with the SIP status and the reason.
    pub cause: Cause,
    /// Its legs in the order in which they began or joined, the caller's first: exactly one record a leg. One that
    /// left for another contact has its end there.
    pub legs: Vec<LegRecord>,
    /// Its recordings in the order in which they began.
    pub recordings: Vec<Recording>,
    /// Messages that its caller has left, in their order.
    #[serde(default)]
    pub messages: Vec<MessageRecord>,
    /// Its stays in rooms, in their order.
    #[serde(default)]
    pub rooms: Vec<RoomStay>,
    /// Its stays in queues, in their order.
    #[serde(default)]
    pub queues: Vec<QueueStay>,
    /// Callbacks that it asked for, and the one that it is.
    #[serde(default)]
    pub callbacks: Vec<CallbackRecord>,
    /// Its transfers in the order in which they began.
    #[serde(default)]
    pub transfers: Vec<Transfer>,
}

/// What a contact has to do with a callback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackRecord {
    /// Its customer is to be called back.
    Asked {
        /// From which queue.
        queue: Arc<str>,
        /// At which number.
        number: Arc<str>,
    },
    /// It calls back the customer of another contact.
    Made {
        /// That one.
        asked: ContactId,
        /// From which queue.
        queue: Arc<str>,
    },
}

/// What became of a contact. A caller who left counts apart from one who could not be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// Caller and another party were bridged, or met in a room.
    Answered,
    /// The caller left a message, and spoke with nobody.
    Voicemail,
    /// The flow answered and ended the call; nobody was rung.
    SelfService,
    /// The caller left before anything answered and before anybody was rung.
    Abandoned,
    /// The flow answered; the caller left before anybody was rung.
    AbandonedInFlow,
    /// The caller left while it waited in a queue.
    AbandonedInQueue,
    /// The caller left while destinations were rung.
    AbandonedRinging,
    /// Nobody was reached: busy or declined.
    Busy,
    /// Nobody was reached: no answer in time.
    NoAnswer,
    /// Nobody was reached: a destination or the switch failed.
    Failed,
    /// Refused before it was answered, by the flow or by the switch; the cause has the status.
    Rejected,
}

impl Disposition {
    /// The name that JSON uses, `abandoned_in_flow`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Voicemail => "voicemail",
            Self::SelfService => "self_service",
            Self::Abandoned => "abandoned",
            Self::AbandonedInFlow => "abandoned_in_flow",
            Self::AbandonedInQueue => "abandoned_in_queue",
            Self::AbandonedRinging => "abandoned_ringing",
            Self::Busy => "busy",
            Self::NoAnswer => "no_answer",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
        }
    }
}

/// One leg of a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegRecord {
    /// The leg.
    pub leg: LegId,
    /// Seen from the switch.
    pub direction: Direction,
    /// Who was at its other end.
    pub party: Party,
    /// The URI called (outbound) or calling (inbound).
    pub uri: Arc<str>,
    /// SIP Call-ID.
    pub call_id: Arc<str>,
    /// When it began.
    pub started: Moment,
    /// When the far end first rang.
    pub ringing: Option<Moment>,
    /// When it was answered.
    pub answered: Option<Moment>,
    /// When it ended.
    pub ended: Moment,
    /// Why it ended.
    pub cause: Cause,
    /// The codec agreed, `PCMU`.
    pub codec: Option<Arc<str>>,
    /// How long the party held the call.
    pub hold_millis: u64,
    /// What the media engine counted; `None` if nothing was measured.
    pub media: Option<LegMedia>,
}

/// What was counted on a leg's RTP stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegMedia {
    /// Packets received from the party.
    pub received: u64,
    /// Packets sent to the party.
    pub sent: u64,
    /// Packets from the party that are missing.
    pub lost: u64,
    /// Interarrival jitter in microseconds (RFC 3550 6.4.1); `None` if it was not measured.
    pub jitter_micros: Option<u32>,
    /// How it sounded.
    #[serde(default)]
    pub quality: Quality,
    /// What there was of fax by T.38.
    #[serde(default)]
    pub fax: Option<FaxCount>,
}

/// One recording of a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// Whose leg.
    pub leg: LegId,
    /// The file.
    pub path: String,
    /// Its length; `None` if it was never completed (the process ended).
    pub millis: Option<u64>,
    /// Why it ended early.
    pub error: Option<String>,
}

/// A message that the caller has left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRecord {
    /// Its number.
    pub message: u64,
    /// The mailbox's name within the client.
    pub mailbox: Arc<str>,
    /// Its length; `None` if the process ended in the middle of it.
    pub millis: Option<u64>,
}

/// One stay of the caller in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomStay {
    /// The room's name.
    pub room: Arc<str>,
    /// When it came.
    pub entered: Moment,
    /// How long it stayed.
    pub millis: u64,
}

/// One stay of the caller in a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueStay {
    /// The queue's name.
    pub queue: Arc<str>,
    /// When it came.
    pub entered: Moment,
    /// How long it waited, without what it had waited before.
    pub millis: u64,
    /// To how many agents it was offered.
    pub offers: u32,
    /// Why it waits no longer; `None` if the process ended.
    pub outcome: Option<QueueOutcome>,
}

/// One transfer of a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// When it began.
    pub started: Moment,
    /// The leg of who transferred.
    pub leg: LegId,
    /// How it was asked for.
    pub by: TransferBy,
    /// Whether who transferred spoke with the target first.
    pub consult: bool,
    /// The number or name of the target.
    pub to: Arc<str>,
    /// How it ended; `None` if the contact ended before.
    pub outcome: Option<TransferOutcome>,
}
