//! What callers and those who are rung do in a simulated call.

use super::Reply;
use crate::fields::length_of_time;
use crate::machine::{
    CallbackResult, ConferenceResult, DialMode, DialResult, MessageResult, QueueResult, Target,
};
use acd::QueuePlan;
use clock::Duration;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::str::FromStr;
use std::sync::Arc;

/// How long a target rings before it answers.
const RINGS: Duration = Duration::from_secs(5);
/// How long it takes to be refused.
const REFUSES: Duration = Duration::from_secs(1);
/// How long a caller waits in a queue before an agent has it.
const WAITS: Duration = Duration::from_secs(10);
/// After which time nobody is waited for any longer in a queue that says nothing of it.
const WAITS_IN_VAIN: Duration = Duration::from_secs(60);
/// What a script calls the steps of agents.
pub(crate) const AGENT: &str = "agent";
/// What a script calls the steps `callback`.
pub(crate) const CALLBACK: &str = "callback";
/// What a script calls the steps `voicemail`.
pub(crate) const VOICEMAIL: &str = "voicemail";
/// What it calls the steps `mailbox`.
pub(crate) const MAILBOX: &str = "mailbox";
/// How long a message is.
const MESSAGE: Duration = Duration::from_secs(10);
/// How many messages are in a mailbox.
const MESSAGES: u32 = 1;
/// How long two parties speak where nothing else is said.
const TALK: Duration = Duration::from_secs(30);

/// What happens to a call that no flow decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// What becomes of each target, room and queue, in order; the last one stays. A target that is not named answers and
    /// speaks for 30 seconds, and so does the agent of a queue; a room that is not named has room. `agent`, `callback`,
    /// `voicemail` and `mailbox` stand for all steps of these verbs, which are done otherwise; a message is 10 seconds
    /// long, and a mailbox has one.
    pub answers: BTreeMap<String, Vec<Answer>>,
    /// What flows remember when the call begins, by key: `visits/+34600111222`.
    pub values: BTreeMap<String, String>,
    /// What servers answer to the requests of the call, one after the other; the last one stays. Without any, they say
    /// 200 and nothing else.
    pub replies: Vec<Reply>,
    /// Prompts that cannot be played.
    pub broken: BTreeSet<String>,
    /// After which time a recording breaks, if it does.
    pub recording_breaks: Option<Duration>,
    /// After which time the caller hangs up, if it does not wait for the end.
    pub hangs_up: Option<Duration>,
}

/// What becomes of a target that is rung, of a room or a queue that is entered, or of what an agent does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// `busy`: a target is, or declines.
    Busy,
    /// `no-answer`: it rings until the time is up.
    NoAnswer,
    /// `failed:503`: it cannot be reached, with this SIP status.
    Failed(u16),
    /// `answered`, `answered:30s`: it answers after 5 seconds, an agent of a queue after 10, or at the end of a shorter
    /// time-out, speaks for so long, and hangs up.
    Answered(Duration),
    /// `full`: the room, the queue or the mailbox is.
    Full,
    /// `no_agents`: nobody serves the queue.
    NoAgents,
    /// `timeout`: the caller has waited in the queue as long as it may.
    Timeout,
    /// `refused`: the agent may not, the number cannot be called back, or the caller may not listen.
    Refused,
    /// `duplicate`: the number is to be called back already.
    Duplicate,
    /// `ended:30s`: the caller is taken out of the room after that time.
    Ended(Duration),
    /// `left`, `left:20s`: the caller leaves a message of that length.
    Left(Duration),
    /// `too_short`: it says too little.
    TooShort,
    /// `messages:3`: so many are in the mailbox.
    Messages(u32),
}

/// What a caller does when it is asked for keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Press {
    /// Presses these, one after the other.
    Keys(String),
    /// `-` or `nothing`, until the time is up.
    Nothing,
    /// `hangup`.
    HangUp,
}

/// How answers are written, for messages.
pub(crate) const ANSWERS: &str = "busy, no-answer, failed:503, answered:30s; of a room full, ended:30s; of a queue \
                                  answered:30s, full, no_agents, timeout; of `agent` refused; of `callback` duplicate, refused; of \
                                  `voicemail` left:10s, too_short, full, failed:500; of `mailbox` messages:3, refused";

impl FromStr for Answer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, rest) = text.split_once(':').map_or((text, None), |(word, rest)| (word, Some(rest)));
        let found = match (word, rest) {
            ("busy", None) => Some(Self::Busy),
            ("no-answer", None) => Some(Self::NoAnswer),
            ("answered", None) => Some(Self::Answered(TALK)),
            ("full", None) => Some(Self::Full),
            ("no_agents", None) => Some(Self::NoAgents),
            ("timeout", None) => Some(Self::Timeout),
            ("refused", None) => Some(Self::Refused),
            ("duplicate", None) => Some(Self::Duplicate),
            ("left", None) => Some(Self::Left(MESSAGE)),
            ("left", Some(length)) => length_of_time(length).map(Self::Left),
            ("too_short", None) => Some(Self::TooShort),
            ("messages", Some(count)) => count.parse().ok().filter(|count| *count <= 100).map(Self::Messages),
            ("answered", Some(length)) => length_of_time(length).map(Self::Answered),
            ("ended", Some(length)) => length_of_time(length).map(Self::Ended),
            ("failed", Some(status)) => {
                status.parse().ok().filter(|status| (300..700).contains(status)).map(Self::Failed)
            }
            _ => None,
        };
        found.ok_or_else(|| format!("`{text}` is no answer: write one of {ANSWERS}"))
    }
}

impl FromStr for Press {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "-" | "nothing" | "" => Ok(Self::Nothing),
            "hangup" => Ok(Self::HangUp),
            keys if keys.chars().all(|c| matches!(c, '0'..='9' | '*' | '#' | 'A'..='D')) => {
                Ok(Self::Keys(keys.to_owned()))
            }
            _ => Err(format!("`{text}` are no keys: write 0 to 9, * and #, `nothing`, or `hangup`")),
        }
    }
}

/// How a dial goes.
pub(super) struct Rings {
    /// Who rang, and what became of each.
    pub(super) rung: Vec<(Arc<str>, &'static str)>,
    /// After which time one answered.
    pub(super) answered: Option<Duration>,
    /// After which time it was over.
    pub(super) over: Duration,
    pub(super) result: DialResult,
}

/// What becomes of a caller in a queue.
pub(super) enum Waits {
    /// An agent has it after that time.
    Served { after: Duration, talk: Duration },
    /// Nobody has it.
    InVain { after: Duration, result: QueueResult },
}

/// Takes the answers of a script one after the other.
pub(super) struct Answers {
    script: BTreeMap<String, Vec<Answer>>,
    used: HashMap<String, usize>,
}

impl Answers {
    pub(super) fn new(script: BTreeMap<String, Vec<Answer>>) -> Self {
        Self { script, used: HashMap::new() }
    }

    /// What becomes of a room that is entered: the end of the caller's time there, if the room makes one.
    pub(super) fn enter(&mut self, room: &str) -> Option<(Duration, ConferenceResult)> {
        match self.next(room)? {
            Answer::Full => Some((Duration::ZERO, ConferenceResult::Full)),
            Answer::Ended(after) => Some((after, ConferenceResult::Ended)),
            _ => None,
        }
    }

    /// What becomes of a caller in a queue.
    pub(super) fn wait(&mut self, queue: &str, plan: Option<&QueuePlan>) -> Waits {
        let longest = plan.and_then(|plan| plan.max_wait).unwrap_or(WAITS_IN_VAIN);
        let in_vain = |after, result| Waits::InVain { after, result };
        match self.next(queue) {
            Some(Answer::Full) => in_vain(Duration::ZERO, QueueResult::Full),
            Some(Answer::NoAgents) => {
                let after = plan.and_then(|plan| plan.no_agents_wait).unwrap_or(Duration::ZERO);
                in_vain(after.min(longest), QueueResult::NoAgents)
            }
            Some(Answer::Timeout | Answer::NoAnswer) => in_vain(longest, QueueResult::TimedOut),
            Some(Answer::Answered(talk)) => Waits::Served { after: WAITS.min(longest), talk },
            _ => Waits::Served { after: WAITS.min(longest), talk: TALK },
        }
    }

    /// Whether an agent may do what it wants to.
    pub(super) fn agent(&mut self) -> bool {
        self.next(AGENT) != Some(Answer::Refused)
    }

    /// Whether a caller is called back.
    pub(super) fn call_back(&mut self) -> CallbackResult {
        match self.next(CALLBACK) {
            Some(Answer::Refused) => CallbackResult::Failed,
            Some(Answer::Duplicate) => CallbackResult::Duplicate,
            _ => CallbackResult::Kept,
        }
    }

    /// Whether a mailbox has room, how long the caller speaks there, and what becomes of it.
    pub(super) fn leave(&mut self) -> Option<(Duration, MessageResult)> {
        match self.next(VOICEMAIL) {
            Some(Answer::Full) => None,
            Some(Answer::Left(length)) => Some((length, MessageResult::Left)),
            Some(Answer::TooShort) => Some((Duration::from_secs(1), MessageResult::TooShort)),
            Some(Answer::Failed(_)) => Some((Duration::from_secs(1), MessageResult::Failed)),
            _ => Some((MESSAGE, MessageResult::Left)),
        }
    }

    /// How many messages there are for a caller that may listen.
    pub(super) fn listen(&mut self) -> Option<u32> {
        match self.next(MAILBOX) {
            Some(Answer::Refused) => None,
            Some(Answer::Messages(count)) => Some(count),
            _ => Some(MESSAGES),
        }
    }

    /// Rings targets as [`crate::Effect::Dial`] says.
    pub(super) fn ring(&mut self, targets: &[Target], mode: DialMode, timeout: Duration) -> Rings {
        let mut rings =
            Rings { rung: Vec::new(), answered: None, over: Duration::ZERO, result: DialResult::Failed(480) };
        for target in targets {
            let begins = if mode == DialMode::Sequential { rings.over } else { Duration::ZERO };
            let (word, ends) = self.ring_one(target, timeout, &mut rings, begins);
            rings.rung.push((target.to_string().into(), word));
            if rings.answered.is_some() && mode == DialMode::Sequential {
                break;
            }
            if rings.answered.is_none() {
                rings.over = rings.over.max(begins + ends);
            }
        }
        rings
    }

    /// Rings one target from `begins` on, and tells what became of it and how long it rang. Of several at once the first
    /// that is written has the call, since all of them answer at the same time.
    fn ring_one(
        &mut self,
        target: &Target,
        timeout: Duration,
        rings: &mut Rings,
        begins: Duration,
    ) -> (&'static str, Duration) {
        let (word, ends, result) = match self.next(&name(target)).unwrap_or(Answer::Answered(TALK)) {
            Answer::Busy => ("busy", REFUSES, DialResult::Busy),
            Answer::Failed(status) => ("failed", REFUSES, DialResult::Failed(status)),
            Answer::Answered(_) if rings.answered.is_some() => return ("too late", RINGS),
            Answer::Answered(talk) => {
                let after = begins + RINGS.min(timeout);
                (rings.answered, rings.over) = (Some(after), after + talk);
                ("answered", after, DialResult::Done)
            }
            Answer::NoAnswer
            | Answer::Full
            | Answer::Ended(_)
            | Answer::NoAgents
            | Answer::Timeout
            | Answer::Duplicate
            | Answer::Left(_)
            | Answer::TooShort
            | Answer::Messages(_)
            | Answer::Refused => ("no answer", timeout, DialResult::NoAnswer),
        };
        rings.result = better(rings.result, result, rings.rung.is_empty());
        (word, ends.min(timeout))
    }

    fn next(&mut self, name: &str) -> Option<Answer> {
        let answers = self.script.get(name)?;
        let used = self.used.entry(name.to_owned()).or_default();
        let answer = answers.get(*used).or(answers.last()).copied();
        *used += 1;
        answer
    }
}

/// What a script calls a target: numbers without their trunks.
pub(crate) fn name(target: &Target) -> String {
    match target {
        Target::User(name) | Target::Uri(name) => name.to_string(),
        Target::Number { number, .. } => crate::normalized(number),
        Target::Dialled { .. } => "dialled".to_owned(),
    }
}

/// What a dial tells of two targets: one that answered, was busy, did not answer, and of failures the lowest status.
fn better(before: DialResult, found: DialResult, is_first: bool) -> DialResult {
    let rank = |result: &DialResult| match result {
        DialResult::Done => (0, 0),
        DialResult::Busy => (1, 0),
        DialResult::NoAnswer => (2, 0),
        DialResult::Failed(status) => (3, *status),
    };
    if is_first || rank(&found) < rank(&before) { found } else { before }
}
