//! What an administrator has written of queues and agents, merged over all clients.

use clock::Duration;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::BitOr;
use std::sync::Arc;

/// Skills with their levels, 1 to 10.
pub type Skills = BTreeMap<Arc<str>, u8>;

/// All queues and agents of a node. Names are unique on it: queue `acme/support`, agent `alice`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The queues, each name once.
    pub queues: Vec<QueuePlan>,
    /// The agents, each name once.
    pub agents: Vec<AgentPlan>,
}

/// One agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentPlan {
    /// Its name, unique on the node.
    pub name: Arc<str>,
    /// What it can do, and how well.
    pub skills: Skills,
}

/// An agent in a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its name; a name that no agent has is passed over.
    pub agent: Arc<str>,
    /// Its rank, 1 first; the next tier is open to a caller after [`Tiers::next_after`].
    pub tier: u8,
    /// How often it is drawn by [`Strategy::Weighted`], beside the others; 0 is never.
    pub weight: u32,
}

/// Which of the agents that are free and able is offered a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Strategy {
    /// All of them at once, of every open tier; the first who answers has the caller.
    RingAll,
    /// One in the order of the members, another one after each `every`; the earlier ones keep ringing.
    RingProgressive {
        /// How long until one more is rung.
        every: Duration,
    },
    /// Who has been free for the longest time.
    LongestIdle,
    /// Who has answered the fewest callers of queues since it logged in, then the longest idle.
    FewestCalls,
    /// Who has talked least with callers of queues since it logged in, then the longest idle.
    LeastTalk,
    /// The next in the order of the members after the one of its tier that was offered last.
    RoundRobin,
    /// The first in the order of the members.
    Linear,
    /// In the order of the members, for each caller after the one that it was offered to last.
    TopDown,
    /// Anybody, by lot.
    Random,
    /// Anybody, by lots as many as the member's weight.
    Weighted,
}

/// How long an agent is not offered again after an offer that it did not take. Less than a second counts as one,
/// so that a phone which refuses at once cannot keep the queue busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// It rang out.
    pub no_answer: Duration,
    /// Its phone was busy.
    pub busy: Duration,
    /// It refused.
    pub declined: Duration,
    /// Its phone could not be reached.
    pub unreachable: Duration,
}

/// States in which an agent counts as not there; a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Absence(u8);

impl Absence {
    /// No state at all: the rule never applies.
    pub const NEVER: Self = Self(0);
    /// Not logged in.
    pub const LOGGED_OUT: Self = Self(1);
    /// Paused.
    pub const PAUSED: Self = Self(2);
    /// Its phone is not there.
    pub const UNREACHABLE: Self = Self(4);
    /// In a call, of a queue or not.
    pub const TALKING: Self = Self(8);
    /// In wrap-up.
    pub const WRAP_UP: Self = Self(16);

    /// Whether any state is in both.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether no state is in it.
    pub const fn is_never(self) -> bool {
        self.0 == 0
    }
}

impl BitOr for Absence {
    type Output = Self;

    fn bitor(self, rhs: Self) -> Self {
        Self(self.0 | rhs.0)
    }
}

/// When agents of the next tier are open to a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tiers {
    /// After so long for each tier that goes before it and has somebody logged in and reachable. A tier that has nobody is
    /// passed over at once. Zero opens all.
    pub next_after: Duration,
}

/// What a caller is told while it waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnouncePlan {
    /// When it is told its position for the first time, after it came into the queue.
    pub first: Option<Duration>,
    /// How long after that it is told again, and again. Without `first` the first time is after this, too.
    pub every: Option<Duration>,
}

/// How those are called back who did not wait on the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackPlan {
    /// How long an agent is kept for one who is being called.
    pub ring: Duration,
    /// How often it is called in all, at least once.
    pub tries: u32,
    /// How long after one that failed.
    pub again: Duration,
}

/// One queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuePlan {
    /// Its name, unique on the node.
    pub name: Arc<str>,
    /// Who is offered a caller.
    pub strategy: Strategy,
    /// Its agents, in the order that counts for some strategies. An agent is in it once; further ones are passed over.
    pub members: Vec<Member>,
    /// How long an agent is rung.
    pub ring: Duration,
    /// How long an agent has after each call; zero is no wrap-up.
    pub wrap_up: Duration,
    /// How long wrap-up may be in all when it is extended.
    pub wrap_up_max: Duration,
    /// An agent that let so many offers in a row ring out is paused for [`crate::NOT_ANSWERING`]. `None` never.
    pub misses: Option<u32>,
    /// When an agent is offered again.
    pub retry: Retry,
    /// How many may wait; one more leaves with [`crate::Exit::Full`].
    pub max_length: Option<u32>,
    /// How long a caller may wait in it, from when it came in; it leaves with [`crate::Exit::MaxWait`]. Agents that ring for it
    /// then ring on, and it leaves when none of them has answered.
    pub max_wait: Option<Duration>,
    /// How long callers wait while nobody is there by `leave_if`; `None` is not at all. They leave with [`crate::Exit::NoAgents`].
    pub no_agents_wait: Option<Duration>,
    /// A caller may not come in while each of its agents is in one of these states.
    pub join_unless: Absence,
    /// Callers leave while each of its agents is in one of these states.
    pub leave_if: Absence,
    /// Which queue goes first if callers of two are alike, the greater first.
    pub weight: i32,
    /// Points of priority that a caller gains each minute.
    pub ageing: u32,
    /// When further tiers are open.
    pub tiers: Tiers,
    /// After so long, the required levels of skills are so much lower than what was asked for. In ascending order.
    pub relax: Vec<(Duration, u8)>,
    /// What is told to those who wait.
    pub announce: AnnouncePlan,
    /// How those are called back who did not wait on the line.
    pub callback: CallbackPlan,
    /// A caller who hung up while waiting and comes again within this has its old place. `None` never.
    pub returning: Option<Duration>,
}

impl QueuePlan {
    /// A queue of that name without agents: longest idle first, ringing 20 s, no wrap-up, no limits, all tiers at once; an
    /// agent is offered again after 10 s, 30 s if it was unreachable.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        let ten = Duration::from_secs(10);
        let thirty = Duration::from_secs(30);
        Self {
            name: name.into(),
            strategy: Strategy::LongestIdle,
            members: Vec::new(),
            ring: Duration::from_secs(20),
            wrap_up: Duration::ZERO,
            wrap_up_max: Duration::from_secs(600),
            misses: None,
            retry: Retry { no_answer: ten, busy: ten, declined: ten, unreachable: thirty },
            max_length: None,
            max_wait: None,
            no_agents_wait: None,
            join_unless: Absence::NEVER,
            leave_if: Absence::NEVER,
            weight: 0,
            ageing: 1,
            tiers: Tiers { next_after: Duration::ZERO },
            relax: Vec::new(),
            announce: AnnouncePlan::default(),
            callback: CallbackPlan {
                ring: Duration::from_secs(40),
                tries: 3,
                again: Duration::from_secs(300),
            },
            returning: None,
        }
    }
}
