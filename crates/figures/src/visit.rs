//! What became of one caller in one queue.

use events::cdr::Disposition;
use events::{ContactId, EndedBy, OfferOutcome};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

/// Milliseconds since 1970, UTC.
pub type Millis = i64;

/// A stay of a contact's caller in a queue with the talk that followed, or a contact by a trunk that came to no queue.
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
    /// The client company.
    pub client: Arc<str>,
    /// The queue's name within the client.
    pub queue: Option<Arc<str>>,
    /// The number called.
    pub number: Arc<str>,
    /// The trunk that the contact came by; `None` for one of a user.
    pub trunk: Option<Arc<str>>,
    /// The caller's number.
    pub caller: Arc<str>,
    /// When it came into the queue; when the contact began if there is none. Milliseconds since 1970.
    pub arrived: Millis,
    /// How long it had waited there before, as its kept place says. Milliseconds.
    pub waited_before: u64,
    /// When it left the queue, in milliseconds after `arrived`; `None` while it waits.
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
    /// `waits`, `rings`, `talk`, `hold`, `wrap_up`, `no_queue`.
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
        let is_queue = self.queue.is_some();
        let mut segments = vec![Segment {
            what: if is_queue { "waits" } else { "no_queue" },
            who: self.queue.clone(),
            from: self.arrived,
            to: self.left.map(moment),
            ended: Some(self.outcome.name().into()).filter(|_| self.outcome != Outcome::Waiting),
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

/// A [`Visit`] as a store keeps it: its fields without their names, in their order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Packed<'a>(
    u64,
    ContactId,
    bool,
    #[serde(borrow)] Text<'a>,
    #[serde(borrow)] Option<Text<'a>>,
    #[serde(borrow)] Text<'a>,
    #[serde(borrow)] Option<Text<'a>>,
    #[serde(borrow)] Text<'a>,
    Millis,
    u64,
    Option<u64>,
    Outcome,
    bool,
    Option<EndedBy>,
    #[serde(borrow)] Vec<(Text<'a>, u64, u64, Option<OfferOutcome>)>,
    Vec<(Stage, u64)>,
);

/// A text that is not copied where it can be read in its place.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Names that come again and again, each kept once.
#[derive(Debug, Default)]
pub struct Names(HashSet<Arc<str>>);

impl Names {
    /// The name, as it is kept.
    fn get(&mut self, text: Text<'_>) -> Arc<str> {
        if let Some(known) = self.0.get(&*text.0) {
            return Arc::clone(known);
        }
        let name: Arc<str> = text.0.into();
        self.0.insert(Arc::clone(&name));
        name
    }
}

impl<'a> Packed<'a> {
    /// A visit on its way to a store.
    pub fn of(visit: &'a Visit) -> Self {
        let text = |text: &'a Arc<str>| Text(Cow::Borrowed(text));
        let offer = |offer: &'a Offer| (text(&offer.agent), offer.at, offer.rang, offer.outcome);
        Self(
            visit.id,
            visit.contact,
            visit.is_first,
            text(&visit.client),
            visit.queue.as_ref().map(text),
            text(&visit.number),
            visit.trunk.as_ref().map(text),
            text(&visit.caller),
            visit.arrived,
            visit.waited_before,
            visit.left,
            visit.outcome.clone(),
            visit.is_transferred,
            visit.ended_by,
            visit.offers.iter().map(offer).collect(),
            visit.stages.clone(),
        )
    }

    /// The visit again; all names but the caller's are kept in `names`.
    pub fn unpack(self, names: &mut Names) -> Visit {
        let Packed(id, contact, is_first, client, queue, number, trunk, caller, arrived, ..) = self;
        let Packed(.., waited_before, left, outcome, is_transferred, ended_by, offers, stages) = self;
        Visit {
            id,
            contact,
            is_first,
            client: names.get(client),
            queue: queue.map(|queue| names.get(queue)),
            number: names.get(number),
            trunk: trunk.map(|trunk| names.get(trunk)),
            caller: caller.0.into(),
            arrived,
            waited_before,
            left,
            outcome,
            is_transferred,
            ended_by,
            offers: offers
                .into_iter()
                .map(|(agent, at, rang, outcome)| Offer { agent: names.get(agent), at, rang, outcome })
                .collect(),
            stages,
        }
    }
}
