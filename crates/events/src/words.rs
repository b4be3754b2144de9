//! The words of events: who, how it ended, what was wished.

use crate::{ContactId, LegId};
use clock::Time;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Seen from the switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Called us.
    Inbound,
    /// We call.
    Outbound,
}

/// Whether a message came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SipDirection {
    /// Received by the switch.
    Received,
    /// Sent by the switch.
    Sent,
}

/// Who is at the other end of a leg.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// A trunk by name.
    Trunk(Arc<str>),
    /// A user by name.
    User(Arc<str>),
    /// A plain SIP URI of the dialplan.
    Uri,
}

/// Why a leg or a contact ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// Who ended it.
    pub by: EndedBy,
    /// SIP status, where there was one.
    pub status: Option<u16>,
    /// One word or short phrase: `normal`, `busy`, `no answer`, `cancelled`, `answered elsewhere`, …
    pub reason: Arc<str>,
}

/// Who ended a leg or a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// The calling party.
    Caller,
    /// The called party.
    Callee,
    /// The dialplan.
    Flow,
    /// The switch itself: a timeout, an error, a shutdown.
    Switch,
}

/// How a dial ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DialOutcome {
    /// Answered by this leg.
    Answered(LegId),
    /// Nobody answered, and at least one destination was busy or declined.
    Busy,
    /// Nobody answered in time.
    NoAnswer,
    /// Nobody could be reached; the best SIP status heard.
    Failed(u16),
    /// The caller hung up first.
    CallerGone,
}

/// How an offer to an agent ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferOutcome {
    /// The agent has the call.
    Answered,
    /// It did not answer in time (RONA).
    NoAnswer,
    /// Its phone is busy.
    Busy,
    /// It declined.
    Declined,
    /// Its phone could not be reached.
    Unreachable,
    /// Another agent was faster.
    AnotherAgent,
    /// The caller waits no longer.
    CallerGone,
    /// The agent has logged out or paused meanwhile.
    AgentGone,
}

/// Who is to be called back, from where, and as whom.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CallbackOrder {
    /// The client's folder.
    pub client: Arc<str>,
    /// The queue's name within the client.
    pub queue: Arc<str>,
    /// The number, in E.164 or as the trunk has it.
    pub number: Arc<str>,
    /// What the customer had called: it is shown the same if that is the client's.
    pub called: Arc<str>,
    /// Since when it counts as waiting.
    pub entered: Time,
    /// Points; 0 is usual.
    pub priority: i32,
    /// The skills that its agent needs, with their levels; of each list one.
    pub required: Vec<Vec<(Arc<str>, u8)>>,
    /// Those of which more is better.
    pub preferred: Vec<Arc<str>>,
    /// In which language it is spoken to.
    pub language: Arc<str>,
}

/// Why somebody is to be called back no longer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackOutcome {
    /// It has answered, and waits in this contact for the agent that is kept.
    Reached(ContactId),
    /// It was called as often as the queue calls.
    NotReached,
    /// It has called again itself.
    CalledAgain,
    /// The queue is no longer, or takes nobody.
    Refused,
}

/// Why a caller waits in a queue no longer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueOutcome {
    /// This agent has it.
    Answered(Arc<str>),
    /// Another user has picked it up.
    PickedUp,
    /// The caller hung up.
    Abandoned,
    /// Its flow has taken it out: by a key, mostly.
    Flow,
    /// The queue is full.
    Full,
    /// No agent is there.
    NoAgents,
    /// It has waited as long as anybody may.
    TimedOut,
    /// It waits in another contact from now on, with its place.
    Moved,
}

/// What an agent is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentWish {
    /// Take calls at the phone of this user.
    LogIn(Arc<str>),
    /// Take no more.
    LogOut,
    /// Take none for a while, for this reason.
    Pause(Arc<str>),
    /// Take calls again.
    Ready,
}

/// What an agent does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentActivity {
    /// It takes no calls.
    LoggedOut,
    /// It may be offered a call.
    Ready,
    /// It takes none for a while, for this reason.
    Paused(Arc<str>),
    /// This contact is offered to it.
    Ringing(ContactId),
    /// It speaks with the caller of this contact.
    Talking(ContactId),
    /// Its phone is in a call that is of no queue.
    Busy,
    /// It writes up its last call.
    WrapUp,
    /// Its phone is not registered.
    Unreachable,
}

/// Whose wish changes how somebody speaks in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomBy {
    /// Its own, by keys.
    Keys,
    /// An operator's.
    Api,
}

/// Who wants something of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordBy {
    /// The flow, by a step.
    Flow,
    /// An operator.
    Api,
    /// A question whose keys nobody may know.
    Secret,
    /// What the client says of its calls, or its number, queue or agent does.
    Rule,
}

/// To whom a supervisor speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuperviseMode {
    /// To nobody.
    Listen,
    /// To the agent alone.
    Whisper,
    /// To both.
    Barge,
    /// The agent is let go, and it has the call.
    TakeOver,
}

impl SuperviseMode {
    /// As commands and the API have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Listen => "listen",
            Self::Whisper => "whisper",
            Self::Barge => "barge",
            Self::TakeOver => "take_over",
        }
    }
}

/// How a transfer was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferBy {
    /// REFER of a phone or trunk.
    Refer,
    /// Keys pressed in the call.
    Keys,
    /// The HTTP interface.
    Api,
}

/// How a transfer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferOutcome {
    /// The target has the call.
    Done,
    /// The target could not be had; the SIP status that says why.
    Failed(u16),
    /// Whoever began it took the call back.
    Cancelled,
}
