//! Why a caller is offered to whom, as data and in plain sentences.

use crate::plan::Strategy;
use crate::words::{AgentState, Outcome};
use clock::Duration;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Why an agent was chosen for a caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Which queue.
    pub queue: Arc<str>,
    /// By which rule.
    pub strategy: Strategy,
    /// How long the caller has waited.
    pub waited: Duration,
    /// How many in this queue go before it.
    pub ahead: u32,
    /// The agent chosen.
    pub agent: Arc<str>,
    /// What decided.
    pub score: Score,
    /// The others, and why not they.
    pub others: Vec<Candidate>,
    /// How many others there are beside those listed.
    pub unlisted: u32,
}

/// An agent who might be offered a caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Which.
    pub agent: Arc<str>,
    /// Its score, or why it is passed over.
    pub verdict: Verdict,
}

/// How an agent stands for a caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// It may be offered the caller.
    Able(Score),
    /// It may not.
    Skipped(Skip),
}

/// What decides among those who may be offered a caller: tier, then preferred skills, then the strategy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// Its tier, the lower first.
    pub tier: u8,
    /// The sum of its levels in the skills that the caller prefers, the greater first.
    pub preferred: u32,
    /// How long it has been free.
    pub idle: Duration,
    /// How many callers it has answered since it logged in.
    pub handled: u32,
    /// How long it has talked with them.
    pub talked: Duration,
    /// Its place among the members of the queue, from 0.
    pub place: u32,
    /// Its lots.
    pub weight: u32,
}

/// Why an agent is not offered a caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Skip {
    /// It is no member of the queue.
    NotInQueue,
    /// It is not logged in.
    LoggedOut,
    /// Its phone cannot be reached.
    Unreachable,
    /// It is paused.
    Paused {
        /// Why.
        reason: Arc<str>,
    },
    /// It is rung for a caller.
    Ringing {
        /// Which.
        call: u64,
    },
    /// It is kept for one who is being called back.
    Reserved {
        /// Which.
        call: u64,
    },
    /// It talks with a caller.
    Talking {
        /// Which.
        call: u64,
    },
    /// Its phone is in a call that is no queue's.
    Busy,
    /// It is in wrap-up.
    WrapUp {
        /// For how long yet.
        left: Duration,
    },
    /// It did not take an offer a short while ago.
    Retry {
        /// How that ended.
        outcome: Outcome,
        /// When it is offered again.
        left: Duration,
    },
    /// It cannot do what is required.
    Skill {
        /// Which skill, the first of those of which one would do.
        skill: Arc<str>,
        /// Its level; 0 is not at all.
        has: u8,
        /// The least level.
        needs: u8,
    },
    /// Its tier is not open to the caller.
    Tier {
        /// Which.
        tier: u8,
        /// When it will be.
        opens: Duration,
    },
    /// The caller waits for the agent with whom it spoke last.
    LastAgent {
        /// That agent.
        agent: Arc<str>,
        /// For how long yet.
        left: Duration,
    },
    /// Its lots are 0.
    NoWeight,
}

/// How a caller stands in its queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// Which caller.
    pub call: u64,
    /// In which queue.
    pub queue: Arc<str>,
    /// By which rule.
    pub strategy: Strategy,
    /// 1 is next.
    pub position: u32,
    /// How long it has waited.
    pub waited: Duration,
    /// Its priority with what it has gained by waiting, in points.
    pub priority: i64,
    /// Whom it is offered to.
    pub offered: Vec<Arc<str>>,
    /// All agents of the queue.
    pub candidates: Vec<Candidate>,
}

/// How an agent stands for those who wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentExplanation {
    /// Which agent.
    pub agent: Arc<str>,
    /// What it does.
    pub state: AgentState,
    /// For how long.
    pub since: Duration,
    /// Why it is offered nobody at all. `None` is that it may be.
    pub blocked: Option<Skip>,
    /// Its queues.
    pub queues: Vec<Prospect>,
}

/// Who is next for an agent in one of its queues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prospect {
    /// Which queue.
    pub queue: Arc<str>,
    /// The caller who is next there. `None` is that nobody waits.
    pub next: Option<u64>,
    /// Why the agent is not offered that caller.
    pub skip: Option<Skip>,
}

fn seconds(duration: Duration) -> u64 {
    // Rounded up: "0 s left" would be no reason.
    duration.as_micros().div_ceil(1_000_000).try_into().unwrap_or(u64::MAX)
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInQueue => f.write_str("not in the queue"),
            Self::LoggedOut => f.write_str("not logged in"),
            Self::Unreachable => f.write_str("its phone cannot be reached"),
            Self::Paused { reason } => write!(f, "paused: {reason}"),
            Self::Ringing { call } => write!(f, "rung for call {call}"),
            Self::Reserved { call } => write!(f, "kept for the callback of call {call}"),
            Self::Talking { call } => write!(f, "talks with call {call}"),
            Self::Busy => f.write_str("in another call"),
            Self::WrapUp { left } => write!(f, "wrap-up, {} s left", seconds(*left)),
            Self::Retry { outcome, left } => write!(f, "{outcome}, offered again in {} s", seconds(*left)),
            Self::Skill { skill, has, needs } => write!(f, "skill {skill} {has} < {needs}"),
            Self::Tier { tier, opens } => write!(f, "tier {tier} opens in {} s", seconds(*opens)),
            Self::LastAgent { agent, left } => write!(f, "kept for {agent}, {} s left", seconds(*left)),
            Self::NoWeight => f.write_str("its weight is 0"),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Answered => "answered",
            Self::NoAnswer => "did not answer",
            Self::Busy => "was busy",
            Self::Declined => "declined",
            Self::Unreachable => "could not be reached",
        })
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RingAll => f.write_str("ring all"),
            Self::RingProgressive { every } => write!(f, "one more every {} s", seconds(*every)),
            Self::LongestIdle => f.write_str("longest idle"),
            Self::FewestCalls => f.write_str("fewest calls"),
            Self::LeastTalk => f.write_str("least talk"),
            Self::RoundRobin => f.write_str("round robin"),
            Self::Linear => f.write_str("linear"),
            Self::TopDown => f.write_str("top down"),
            Self::Random => f.write_str("random"),
            Self::Weighted => f.write_str("weighted"),
        }
    }
}

/// A score in the words of a strategy.
struct Told<'a>(&'a Score, Strategy);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(score, strategy) = self;
        match strategy {
            Strategy::LongestIdle => write!(f, "idle for {} s", score.idle.as_secs())?,
            Strategy::FewestCalls => {
                write!(f, "{} calls, idle for {} s", score.handled, score.idle.as_secs())?;
            }
            Strategy::LeastTalk => {
                write!(f, "talked {} s, idle for {} s", score.talked.as_secs(), score.idle.as_secs())?;
            }
            Strategy::Weighted => write!(f, "{} lots", score.weight)?,
            Strategy::Random => f.write_str("1 lot")?,
            _ => write!(f, "place {}", score.place.saturating_add(1))?,
        }
        if score.preferred > 0 {
            write!(f, ", preferred skills {}", score.preferred)?;
        }
        if score.tier > 1 {
            write!(f, ", tier {}", score.tier)?;
        }
        Ok(())
    }
}

fn list(f: &mut fmt::Formatter<'_>, candidates: &[Candidate], strategy: Strategy) -> fmt::Result {
    for Candidate { agent, verdict } in candidates {
        match verdict {
            Verdict::Able(score) => write!(f, "\n  {agent}: free, {}", Told(score, strategy))?,
            Verdict::Skipped(skip) => write!(f, "\n  {agent}: {skip}")?,
        }
    }
    Ok(())
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { queue, strategy, waited, ahead, agent, score, others, unlisted } = self;
        write!(
            f,
            "{agent} by {strategy} in {queue} ({}), for a caller who waited {} s",
            Told(score, *strategy),
            waited.as_secs()
        )?;
        match ahead {
            0 => {}
            1 => f.write_str(" behind 1 other")?,
            n => write!(f, " behind {n} others")?,
        }
        list(f, others, *strategy)?;
        if *unlisted > 0 {
            let are = if *unlisted == 1 {
                "1 other agent of the queue is"
            } else {
                &format!("{unlisted} other agents of the queue are")
            };
            write!(f, "\n  {are} not listed here")?;
        }
        Ok(())
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, queue, strategy, position, waited, priority, offered, candidates } = self;
        write!(
            f,
            "call {call} is number {position} in {queue} ({strategy}), has waited {} s and has priority {priority}",
            waited.as_secs()
        )?;
        if !offered.is_empty() {
            write!(f, "; it rings {}", offered.join(", "))?;
        }
        list(f, candidates, *strategy)
    }
}

impl fmt::Display for AgentExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.blocked {
            Some(skip) => write!(f, "{} is offered nobody: {skip}", self.agent)?,
            None => write!(f, "{} is free for {} s", self.agent, self.since.as_secs())?,
        }
        for Prospect { queue, next, skip } in &self.queues {
            match (next, skip) {
                (None, _) => write!(f, "\n  {queue}: nobody waits")?,
                (Some(call), None) => write!(f, "\n  {queue}: call {call} is next")?,
                (Some(call), Some(skip)) => write!(f, "\n  {queue}: not call {call}: {skip}")?,
            }
        }
        Ok(())
    }
}
