//! What goes in and what comes out.

use crate::why::Choice;
use clock::{Duration, Time};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The reason of the pause of an agent who let too many offers ring out.
pub const NOT_ANSWERING: &str = "not answering";

/// Who comes into a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, unique among those who wait.
    pub call: u64,
    /// Which queue.
    pub queue: Arc<str>,
    /// Since when it counts as waiting: earlier than now if it keeps a place that it had.
    pub entered: Time,
    /// Points; the greater first.
    pub priority: i32,
    /// What its agent must be able to do.
    pub wants: Wants,
    /// With whom it spoke last, and how long only that agent is offered it.
    pub last_agent: Option<(Arc<str>, Duration)>,
    /// Its telephone number, for [`crate::QueuePlan::returning`] and callbacks. `None` is unknown.
    pub number: Option<Arc<str>>,
    /// Nobody is on the line: the number is called when its turn comes. One a number and queue.
    pub callback: bool,
}

/// What a caller's agent must be able to do, and what it had better be able to.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Wants {
    /// Of each list one must be met.
    pub required: Vec<Vec<Need>>,
    /// Skills of which more is better: the sum of an agent's levels decides before the strategy does.
    pub preferred: Vec<Arc<str>>,
}

/// A skill with the least level.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Need {
    /// Its name.
    pub skill: Arc<str>,
    /// From 1 to 10. Relaxed steps lower it, never below 1.
    pub level: u8,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// A caller comes in.
    Enter(Entry),
    /// A caller is taken out of its queue, by its flow or by somebody.
    Leave {
        /// Which.
        call: u64,
    },
    /// A waiting caller has hung up: its place is kept as [`crate::QueuePlan::returning`] says.
    Abandon {
        /// Which.
        call: u64,
    },
    /// A waiting caller goes to another queue, where it keeps its time.
    Move {
        /// Which.
        call: u64,
        /// Where to.
        queue: Arc<str>,
    },
    /// A waiting caller gets another priority.
    Prioritise {
        /// Which.
        call: u64,
        /// Points; the greater first.
        priority: i32,
    },
    /// Something changed with an agent.
    Agent {
        /// Which.
        agent: Arc<str>,
        /// What.
        change: AgentChange,
    },
    /// An agent's phone has said something final to an offer. Of an offer that is no longer, nothing follows.
    OfferEnded {
        /// Which.
        offer: u64,
        /// What.
        outcome: Outcome,
    },
    /// The one who was called back has answered: its agent may be rung.
    CalledBack {
        /// The offer of [`Output::CallBack`].
        offer: u64,
        /// Its number from now on, unique among those who wait.
        call: u64,
    },
    /// The one who was called back could not be reached: it is tried again as [`crate::CallbackPlan`] says.
    CallBackFailed {
        /// The offer of [`Output::CallBack`].
        offer: u64,
    },
    /// The one who is to be called back was not called at all, for a reason that is not its own: it is tried again after
    /// [`crate::CallbackPlan::again`], and that does not count.
    CallBackPostponed {
        /// The offer of [`Output::CallBack`].
        offer: u64,
    },
    /// An agent no longer speaks with the caller of a queue.
    TalkEnded {
        /// Which agent.
        agent: Arc<str>,
    },
    /// [`crate::Acd::next_timeout`] has come.
    Timeout,
}

/// What changed with an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AgentChange {
    /// It begins its shift: ready, with nothing counted yet.
    LogIn,
    /// It ends its shift. A call that it is in goes on.
    LogOut,
    /// It takes no offers. A call that it is in, or that rings, goes on.
    Pause {
        /// Why.
        reason: Arc<str>,
    },
    /// It takes offers again.
    Ready,
    /// Whether its phone can be reached; it can until something else is said.
    Reachable(bool),
    /// Whether its phone is in a call that is no queue's.
    Busy(bool),
    /// Its wrap-up ends so much later, within [`crate::QueuePlan::wrap_up_max`].
    ExtendWrapUp(Duration),
    /// Its wrap-up ends now.
    FinishWrapUp,
}

/// How an offer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The agent speaks with the caller.
    Answered,
    /// It rang out.
    NoAnswer,
    /// Its phone was busy.
    Busy,
    /// It refused.
    Declined,
    /// Its phone could not be reached.
    Unreachable,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Output {
    /// An agent is to be rung for a caller.
    Offer {
        /// Its number, never used again.
        offer: u64,
        /// Which caller.
        call: u64,
        /// Which agent.
        agent: Arc<str>,
        /// How long it may ring. A second later the offer ends by itself.
        until: Time,
        /// Why this agent.
        why: Choice,
    },
    /// An agent is kept for one who is to be called back now: its number is to be called.
    CallBack {
        /// Its number, never used again.
        offer: u64,
        /// Who is called.
        call: u64,
        /// Who is kept.
        agent: Arc<str>,
        /// How long it may ring. A second later the offer ends by itself.
        until: Time,
        /// Why this agent.
        why: Choice,
    },
    /// An offer is no longer: an agent that rings is to stop, one who is being called back as well.
    Withdraw {
        /// Which.
        offer: u64,
        /// Of which caller.
        call: u64,
        /// Of which agent.
        agent: Arc<str>,
        /// Why.
        because: Withdrawn,
    },
    /// A caller is no longer in its queue, and nobody has answered it.
    Exit {
        /// Which.
        call: u64,
        /// Why.
        why: Exit,
    },
    /// A caller may be told where it is.
    Announce {
        /// Which.
        call: u64,
        /// 1 is next.
        position: u32,
        /// How long it will wait yet. `None` is unknown.
        estimate: Option<Duration>,
    },
    /// An agent's state has changed.
    Agent {
        /// Which.
        agent: Arc<str>,
        /// To what.
        state: AgentState,
        /// By what.
        why: AgentWhy,
    },
}

/// Why an offer was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Withdrawn {
    /// Another agent has answered.
    AnotherAgent,
    /// The caller has left.
    CallerGone,
    /// Nobody said how it ended.
    Lease,
    /// The caller is in another queue now.
    Moved,
    /// The agent has logged out, cannot be reached, or is no longer in the queue.
    AgentGone,
}

/// Why a caller has left its queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// As many wait as may.
    Full,
    /// Nobody is there who could take it.
    NoAgents,
    /// It has waited for as long as it may.
    MaxWait,
    /// There is no such queue, or no longer.
    UnknownQueue,
    /// A callback for a number that has one in this queue, or without a number.
    Duplicate,
    /// A callback whose number could not be reached as often as it was tried.
    NotReached,
    /// A callback whose number has called again, and has its place.
    CalledAgain,
}

/// What an agent does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AgentState {
    /// Not logged in.
    LoggedOut,
    /// Free.
    Ready,
    /// Takes no offers.
    Paused {
        /// Why.
        reason: Arc<str>,
    },
    /// Rung for a caller.
    Ringing {
        /// Which.
        call: u64,
    },
    /// Kept for one who is being called back.
    Reserved {
        /// Which.
        call: u64,
    },
    /// In a call of a queue.
    Talking {
        /// With which caller.
        call: u64,
    },
    /// In a call that is no queue's.
    Busy,
    /// After a call.
    WrapUp {
        /// When it ends by itself.
        until: Time,
    },
    /// Its phone cannot be reached; what it was before goes on underneath.
    Unreachable,
}

/// What changed an agent's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AgentWhy {
    /// It, or somebody for it, by [`Input::Agent`].
    Change,
    /// It is offered a caller.
    Offered,
    /// Its offer has ended so.
    OfferEnded(Outcome),
    /// Its offer was taken back.
    Withdrawn(Withdrawn),
    /// It has let too many offers in a row ring out.
    Misses(u32),
    /// The one who was called back has answered.
    CalledBack,
    /// The one who was called back could not be reached.
    CallBackFailed,
    /// Its call has ended.
    TalkEnded,
    /// Its wrap-up is over.
    WrapUpEnded,
    /// A new plan.
    Configured,
}
