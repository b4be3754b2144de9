//! The way of a call through its flows, as text for people and as data.

use super::texts::Texts;
use crate::{AgentAction, KvOrder, MessageResult, StepIndex};
use clock::Time;
use serde::Serialize;
use std::fmt::Write as _;
use std::sync::Arc;

/// The way of one call.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Path {
    /// Step by step.
    pub lines: Vec<Line>,
    /// How it ended; `None` while it has not.
    pub ended: Option<Ended>,
    /// How long it took, in microseconds.
    pub took: Time,
    /// What the variables hold that its flows set, by name.
    pub variables: Vec<(Arc<str>, String)>,
    /// Steps and branches taken, for coverage.
    #[serde(skip)]
    pub(crate) taken: Vec<(StepIndex, Option<Arc<str>>)>,
}

/// A step, and what came of it. A step that a menu's own branch leads back to has a line for each time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// When it began, in microseconds into the call.
    pub at: Time,
    /// Its flow.
    pub flow: Arc<str>,
    /// The verb with its target, `menu choose`.
    pub step: Arc<str>,
    /// Its file.
    pub file: Arc<str>,
    /// From 1.
    pub line: u32,
    /// What happened there.
    pub notes: Vec<Note>,
    /// Which step it is.
    #[serde(skip)]
    pub(crate) place: StepIndex,
}

/// What happens in a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Note {
    /// The caller is answered.
    Answered,
    /// It hears a prompt, or begins to.
    Hears {
        /// Without `.wav`.
        prompt: Arc<str>,
    },
    /// A prompt cannot be played.
    Broken {
        /// Without `.wav`.
        prompt: Arc<str>,
    },
    /// The caller presses a key.
    Presses {
        /// Which; `•` when the step is secret.
        key: char,
    },
    /// A target is rung.
    Rings {
        /// As the flow names it, a number with its trunk.
        target: Arc<str>,
        /// What becomes of it.
        answer: &'static str,
    },
    /// The caller and whoever answered have spoken.
    Spoke {
        /// How long.
        seconds: u64,
    },
    /// The caller hears ringing before it is answered.
    HearsRinging,
    /// It hears what comes now before it is answered.
    HearsUnanswered,
    /// It waits in a queue.
    Waits {
        /// Its name.
        queue: Arc<str>,
    },
    /// An agent of the queue has it.
    Served {
        /// How long it has waited.
        seconds: u64,
    },
    /// It leaves the queue.
    LeavesQueue,
    /// It is to be called back.
    CallsBack {
        /// From which queue.
        queue: Arc<str>,
        /// At which number.
        number: Arc<str>,
        /// Whether it is.
        kept: bool,
    },
    /// It does something as an agent.
    Agent {
        /// What.
        action: AgentAction,
        /// Whether it may.
        done: bool,
    },
    /// It has left a message, or tried to.
    Leaves {
        /// What became of it.
        result: MessageResult,
    },
    /// It deletes a message.
    Deletes {
        /// Its number.
        message: u64,
    },
    /// Something is done with a value that is kept.
    Keeps {
        /// What.
        order: KvOrder,
    },
    /// A server is asked.
    Asks {
        /// The request in a line, `GET https://api.example.com/orders/4711`.
        request: String,
        /// The status, `timeout` or `failed`.
        reply: String,
    },
    /// The caller is in a room.
    Room {
        /// Its name.
        room: Arc<str>,
    },
    /// It is muted there, or heard again.
    Mutes,
    /// It leaves the room.
    LeavesRoom,
    /// The recording begins.
    Records,
    /// The recording ends.
    StopsRecording,
    /// The caller has said whether it may be recorded.
    Consents {
        /// Whether it may.
        given: bool,
    },
    /// It passes over what is said, or does not any more.
    HushesRecording {
        /// Whether it does from here.
        hushed: bool,
    },
    /// The step goes on by a branch.
    Branch {
        /// `no_input`, or the key pressed.
        branch: Arc<str>,
    },
    /// The caller hangs up.
    HangsUp,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Ended {
    /// The flow hung up.
    Flow,
    /// The flow refused the call.
    Rejected {
        /// 400–699.
        status: u16,
        /// The reason phrase.
        reason: Arc<str>,
    },
    /// The caller hung up.
    Caller,
}

impl Path {
    /// Every prompt that the caller heard, in order.
    pub fn heard(&self) -> impl Iterator<Item = &Arc<str>> {
        self.notes().filter_map(|note| match note {
            Note::Hears { prompt } => Some(prompt),
            _ => None,
        })
    }

    /// Everybody who was rung, in order.
    pub fn rung(&self) -> impl Iterator<Item = &Arc<str>> {
        self.notes().filter_map(|note| match note {
            Note::Rings { target, .. } => Some(target),
            _ => None,
        })
    }

    /// The queues that it waited in, in order.
    pub fn queues(&self) -> impl Iterator<Item = &Arc<str>> {
        self.notes().filter_map(|note| match note {
            Note::Waits { queue } => Some(queue),
            _ => None,
        })
    }

    /// Every request that was made, in order.
    pub fn requests(&self) -> impl Iterator<Item = &String> {
        self.notes().filter_map(|note| match note {
            Note::Asks { request, .. } => Some(request),
            _ => None,
        })
    }

    /// The flows that the call came to, in order.
    pub fn flows(&self) -> Vec<&Arc<str>> {
        let mut flows: Vec<_> = self.lines.iter().map(|line| &line.flow).collect();
        flows.dedup();
        flows
    }

    /// The last line, for people.
    pub fn end(&self) -> String {
        let how = match &self.ended {
            Some(Ended::Flow) => "the flow hangs up".to_owned(),
            Some(Ended::Rejected { status, reason }) => format!("the call is refused: {status} {reason}"),
            Some(Ended::Caller) => "the caller hangs up".to_owned(),
            None => "the call goes on".to_owned(),
        };
        format!("{}  {how}", clock_face(self.took))
    }

    fn notes(&self) -> impl Iterator<Item = &Note> {
        self.lines.iter().flat_map(|line| &line.notes)
    }
}

impl Line {
    /// For people: the time, `file:line`, the step, and what came of it; prompts with what they say. `width` is that of the
    /// places, so that the steps of a call stand below each other.
    pub fn text(&self, width: usize, texts: &Texts) -> String {
        let mut text =
            format!("{}  {:<width$}  {}: {}", clock_face(self.at), self.place(), self.flow, self.step);
        text.push_str(&self.notes_from(0, texts));
        text
    }

    /// What came of it but for the first notes, behind a gap.
    pub fn notes_from(&self, first: usize, texts: &Texts) -> String {
        let mut text = String::new();
        let mut gap = "   ";
        let mut keys = false;
        for note in self.notes.iter().skip(first) {
            if let (true, Note::Presses { key }) = (keys, note) {
                text.push(*key);
                continue;
            }
            keys = matches!(note, Note::Presses { .. });
            // Writing to a String cannot fail.
            let _ = write!(text, "{gap}{}", note.text(texts));
            gap = ", ";
        }
        text
    }

    /// `file:line`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

impl Note {
    fn text(&self, texts: &Texts) -> String {
        match self {
            Self::Answered => "the caller is answered".to_owned(),
            Self::Hears { prompt } => match texts.of(prompt) {
                Some(text) => format!("hears {prompt} “{text}”"),
                None => format!("hears {prompt}"),
            },
            Self::Broken { prompt } => format!("{prompt} cannot be played"),
            Self::Presses { key } => format!("presses {key}"),
            Self::Rings { target, answer } => format!("rings {target}: {answer}"),
            Self::Spoke { seconds } => format!("they speak for {seconds} s"),
            Self::HearsRinging => "hears ringing".to_owned(),
            Self::HearsUnanswered => "is not answered yet".to_owned(),
            Self::Waits { queue } => format!("waits in the queue {queue}"),
            Self::Served { seconds } => format!("an agent has it after {seconds} s"),
            Self::LeavesQueue => "leaves the queue".to_owned(),
            Self::CallsBack { queue, number, kept } => {
                let refused = if *kept { "" } else { ": refused" };
                format!("is to be called back at {number} from the queue {queue}{refused}")
            }
            Self::Agent { action, done } => {
                let word = match action {
                    AgentAction::LogIn => "logs in",
                    AgentAction::LogOut => "logs out",
                    AgentAction::Pause { .. } => "pauses",
                    AgentAction::Ready => "is ready",
                    AgentAction::FinishWrapUp => "has wrapped up",
                };
                format!("the agent {word}{}", if *done { "" } else { ": refused" })
            }
            Self::Leaves { result: MessageResult::Left } => "a message is left".to_owned(),
            Self::Leaves { result: MessageResult::TooShort } => "says too little for a message".to_owned(),
            Self::Leaves { result: MessageResult::Full } => "the mailbox is full".to_owned(),
            Self::Leaves { result: MessageResult::Failed } => "the message cannot be written".to_owned(),
            Self::Deletes { message } => format!("message {message} is deleted"),
            Self::Keeps { order } => match order {
                KvOrder::Get { key } => format!("looks {key} up"),
                KvOrder::Set { key, value, .. } => format!("keeps {key}: {value}"),
                KvOrder::Add { key, by, .. } => format!("adds {by} to {key}"),
                KvOrder::Delete { key } => format!("forgets {key}"),
            },
            Self::Asks { request, reply } => format!("asks {request}: {reply}"),
            Self::Room { room } => format!("is in the room {room}"),
            Self::Mutes => "is muted, or heard again".to_owned(),
            Self::LeavesRoom => "leaves the room".to_owned(),
            Self::Records => "the recording begins".to_owned(),
            Self::StopsRecording => "the recording ends".to_owned(),
            Self::Consents { given: true } => "the caller may be recorded".to_owned(),
            Self::Consents { given: false } => "the caller may not be recorded".to_owned(),
            Self::HushesRecording { hushed: true } => "the recording passes over this".to_owned(),
            Self::HushesRecording { hushed: false } => "the recording goes on".to_owned(),
            Self::Branch { branch } => format!("→ {branch}"),
            Self::HangsUp => "the caller hangs up".to_owned(),
        }
    }
}

/// Time into the call as minutes, seconds and tenths, seven wide.
fn clock_face(at: Time) -> String {
    let tenths = at.since(Time::ZERO).as_millis() / 100;
    format!("{:>3}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
}
