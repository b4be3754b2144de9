//! What became of one caller in one queue.

use events::cdr::Disposition;
use events::{ContactId, EndedBy, OfferOutcome};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Milliseconds since 1970, UTC.
pub type Millis = i64;

/// A stay of a contact's caller in a queue with the talk that followed, a contact by a trunk that came to no queue, or a
/// callback that a contact has asked for.
///
/// It is only ever added to: what was known once stays as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Number of the event that it began with; of the contact's end if there is no queue.
    pub id: u64,
    /// The contact.
    pub contact: ContactId,
    /// Whether nothing of this contact is counted before it.
    pub is_first: bool,
    /// Whether its caller is a customer who is called back, as another contact has asked for.
    pub is_callback: bool,
    /// The client company.
    pub client: Arc<str>,
    /// The queue's name within the client.
    pub queue: Option<Arc<str>>,
    /// The number called; of a callback the one that the customer had called.
    pub number: Arc<str>,
    /// The trunk that the contact came by; `None` for one of a user.
    pub trunk: Option<Arc<str>>,
    /// The caller's number; of a callback the one that is to be called.
    pub caller: Arc<str>,
    /// When it came into the queue; when the contact began if there is none; when a callback was asked for. Milliseconds
    /// since 1970.
    pub arrived: Millis,
    /// How long it had waited there before, as its kept place says. Milliseconds.
    pub waited_before: u64,
    /// When it left the queue, in milliseconds after `arrived`; of a callback when it ended. `None` while it waits.
    pub left: Option<u64>,
    /// What came of its waiting.
    pub outcome: Outcome,
    /// Whether its agent has handed it on.
    pub is_transferred: bool,
    /// Which party ended the call of its agent; `None` if neither did.
    pub ended_by: Option<EndedBy>,
    /// To whom it was offered, in order.
    pub offers: Vec<Offer>,
    /// What its agent did then, and since when, in milliseconds after `arrived`. The last is `End` once all is over.
    pub stages: Vec<(Stage, u64)>,
}

/// What came of waiting.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It still waits.
    Waiting,
    /// This agent has taken it.
    Answered(Arc<str>),
    /// Another user has picked it up.
    PickedUp,
    /// The caller hung up.
    Abandoned,
    /// Its flow has taken it out: by a key, mostly.
    Key,
    /// The queue was full.
    Full,
    /// No agent was there.
    NoAgents,
    /// It has waited as long as anybody may.
    TimedOut,
    /// It waits on in another contact, and is counted there.
    Moved,
    /// The node has ended.
    Interrupted,
    /// The contact came to no queue.
    NoQueue(Disposition),
    /// It is no stay, but a callback that was asked for.
    Callback(Callback),
}

/// What has become of a callback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Callback {
    /// How often an agent was kept and the customer called.
    pub tries: u32,
    /// How often that came to nothing.
    pub failed: u32,
    /// Why the customer is called no more; `None` while it is to be called.
    pub end: Option<CallbackEnd>,
}

/// Why a customer is to be called back no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackEnd {
    /// It was reached: a visit of its own says what came of that.
    Reached,
    /// It was called as often as the queue calls.
    NotReached,
    /// It has called again itself.
    CalledAgain,
    /// The queue takes nobody any more.
    Refused,
}

/// A call offered to an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The agent.
    pub agent: Arc<str>,
    /// When, in milliseconds after the visit's arrival.
    pub at: u64,
    /// For how long it rang, in milliseconds.
    pub rang: u64,
    /// How it ended; `None` while it rings, or if the node has ended.
    pub outcome: Option<OfferOutcome>,
}

/// What an agent does with a caller that it has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// They speak.
    Talk,
    /// The agent holds the call.
    Hold,
    /// The agent writes up.
    WrapUp,
    /// It is over.
    End,
}

/// How long an agent was busy with a visit, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handling {
    /// Speaking, without holds.
    pub talk: u64,
    /// Holding.
    pub hold: u64,
    /// Writing up.
    pub wrap_up: u64,
}

/// One thing that happened to a caller, from when to when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// `waits`, `rings`, `talk`, `hold`, `wrap_up`, `no_queue`, `callback`.
    pub what: &'static str,
    /// The queue, or the agent.
    pub who: Option<Arc<str>>,
    /// Milliseconds since 1970.
    pub from: Millis,
    /// Milliseconds since 1970; `None` while it lasts.
    pub to: Option<Millis>,
    /// How it ended, where that is not the next segment.
    pub ended: Option<Arc<str>>,
}

impl Visit {
    /// Whether anything may still be added.
    pub fn is_open(&self) -> bool {
        match self.outcome {
            Outcome::Waiting => true,
            Outcome::Answered(_) => !matches!(self.stages.last(), Some((Stage::End, _))),
            Outcome::Callback(Callback { end, .. }) => end.is_none(),
            _ => false,
        }
    }

    /// Its agent, if one has taken it.
    pub fn agent(&self) -> Option<&Arc<str>> {
        match &self.outcome {
            Outcome::Answered(agent) => Some(agent),
            _ => None,
        }
    }

    /// How long the caller has waited in all, in milliseconds, as of `now`.
    pub fn waited(&self, now: Millis) -> u64 {
        let so_far = || u64::try_from(now.saturating_sub(self.arrived)).unwrap_or(0);
        self.waited_before + self.left.unwrap_or_else(so_far)
    }

    /// How long its agent was busy with it; `None` until that is over.
    pub fn handling(&self) -> Option<Handling> {
        self.agent().filter(|_| !self.is_open())?;
        let mut sums = Handling::default();
        for pair in self.stages.windows(2) {
            let ((stage, from), (_, to)) = (pair[0], pair[1]);
            let sum = match stage {
                Stage::Talk => &mut sums.talk,
                Stage::Hold => &mut sums.hold,
                Stage::WrapUp => &mut sums.wrap_up,
                Stage::End => continue,
            };
            *sum += to.saturating_sub(from);
        }
        Some(sums)
    }

    /// All that happened, in order. What an agent's phone did while the caller waited lies within `waits`.
    pub fn segments(&self) -> Vec<Segment> {
        let moment = |after: u64| self.arrived.saturating_add_unsigned(after);
        let what = match (&self.outcome, &self.queue) {
            (Outcome::Callback(_), _) => "callback",
            (_, Some(_)) => "waits",
            (_, None) => "no_queue",
        };
        let mut segments = vec![Segment {
            what,
            who: self.queue.clone(),
            from: self.arrived,
            to: self.left.map(moment),
            ended: self.left.map(|_| self.outcome.name().into()),
        }];
        segments.extend(self.offers.iter().map(|offer| Segment {
            what: "rings",
            who: Some(Arc::clone(&offer.agent)),
            from: moment(offer.at),
            to: offer.outcome.map(|_| moment(offer.at + offer.rang)),
            ended: offer.outcome.map(|outcome| offer_name(outcome).into()),
        }));
        segments.extend(self.stages.iter().enumerate().filter_map(|(index, (stage, from))| {
            let next = self.stages.get(index + 1).map(|(_, at)| moment(*at));
            let what = match stage {
                Stage::Talk => "talk",
                Stage::Hold => "hold",
                Stage::WrapUp => "wrap_up",
                Stage::End => return None,
            };
            Some(Segment { what, who: self.agent().cloned(), from: moment(*from), to: next, ended: None })
        }));
        segments
    }

    /// Begins a stage, if it is another one than before.
    pub(crate) fn enter(&mut self, stage: Stage, now: Millis) {
        let last = self.stages.last().map(|(stage, _)| *stage);
        if last != Some(stage) && last != Some(Stage::End) {
            self.stages.push((stage, self.after(now)));
        }
    }

    /// The time since it arrived.
    pub(crate) fn after(&self, now: Millis) -> u64 {
        u64::try_from(now.saturating_sub(self.arrived)).unwrap_or(0)
    }
}

impl Outcome {
    /// As tables and JSON have it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Answered(_) => "answered",
            Self::PickedUp => "picked_up",
            Self::Abandoned => "abandoned",
            Self::Key => "key",
            Self::Full => "full",
            Self::NoAgents => "no_agents",
            Self::TimedOut => "timed_out",
            Self::Moved => "moved",
            Self::Interrupted => "interrupted",
            Self::NoQueue(disposition) => disposition.name(),
            Self::Callback(callback) => match callback.end {
                None => "to_be_called",
                Some(CallbackEnd::Reached) => "reached",
                Some(CallbackEnd::NotReached) => "not_reached",
                Some(CallbackEnd::CalledAgain) => "called_again",
                Some(CallbackEnd::Refused) => "refused",
            },
        }
    }
}

/// As tables and JSON have it.
pub fn offer_name(outcome: OfferOutcome) -> &'static str {
    match outcome {
        OfferOutcome::Answered => "answered",
        OfferOutcome::NoAnswer => "no_answer",
        OfferOutcome::Busy => "busy",
        OfferOutcome::Declined => "declined",
        OfferOutcome::Unreachable => "unreachable",
        OfferOutcome::AnotherAgent => "another_agent",
        OfferOutcome::CallerGone => "caller_gone",
        OfferOutcome::AgentGone => "agent_gone",
    }
}
