use super::{
    HttpRequest, HttpResult, KvOrder, KvResult, MailboxOrder, MailboxResult, MessageResult, NewMessage,
};
use crate::CallerId;
use acd::Wants;
use clock::Duration;
use rtp::control::Hush;
use serde::{Deserialize, Serialize};
use shaken::{Attestation, Verstat};
use std::fmt;
use std::sync::Arc;

/// What a flow may know of its call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallInfo {
    /// The caller as normalised.
    pub from: Arc<str>,
    /// The number dialled.
    pub to: Arc<str>,
    /// Trunk or user by name.
    pub source: Arc<str>,
    /// The number that has passed the call on to the one dialled; empty if none did.
    pub diverted_by: Arc<str>,
    /// Whether somebody answers for the caller.
    pub verstat: Verstat,
    /// How well whoever is believed to answer for it knows it.
    pub attestation: Option<Attestation>,
    /// Wall clock at [`clock::Time::ZERO`], microseconds since 1970: what `hours` reckons with.
    pub unix_micros_at_zero: i64,
    /// What `percent` draws its lots by: the same seed draws the same.
    pub seed: u64,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MachineInput {
    /// The call is there and unanswered: take the first step.
    Start,
    /// The 200 to [`Effect::Answer`] is out, or a dialled party answered and the caller with it.
    Answered,
    /// The caller pressed a key, `0`–`9`, `*`, `#`, `A`–`D`.
    Digit(char),
    /// A play ended by itself; one that was stopped is not reported.
    PlayEnded {
        /// Which.
        play: u32,
        /// Why it broke off, if it did.
        failed: Option<String>,
    },
    /// Answer to [`Effect::Dial`].
    DialEnded(DialResult),
    /// Answer to [`Effect::Conference`].
    ConferenceEnded(ConferenceResult),
    /// Answer to [`Effect::Enqueue`].
    QueueEnded(QueueResult),
    /// An agent has the caller of [`Effect::Enqueue`]: from now on it is as if it had been dialled.
    Served,
    /// The agent who served it is lost, and the caller waits in the queue again: [`MachineInput::Served`] or
    /// [`MachineInput::QueueEnded`] follows. Without an agent that served it nothing changes.
    WaitsAgain,
    /// Answer to [`Effect::CallBack`].
    CallbackDone(CallbackResult),
    /// Answer to [`Effect::Agent`]: whether it was done.
    AgentDone(bool),
    /// Answer to [`Effect::Http`] where the flow waits for it.
    HttpEnded {
        /// Which.
        number: u32,
        /// What came of it.
        result: HttpResult,
    },
    /// Answer to [`Effect::Kv`].
    KvDone(KvResult),
    /// Answer to [`Effect::Mailbox`], where that has one.
    MailboxDone(MailboxResult),
    /// What became of the message of [`Effect::TakeMessage`].
    MessageEnded(MessageResult),
    /// The recording cannot go on. The call does.
    RecordFailed(String),
    /// The caller has gone.
    HungUp,
}

/// How a dial ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DialResult {
    /// Nobody answered, and at least one target was busy or declined.
    Busy,
    /// Nobody answered in time.
    NoAnswer,
    /// No target could be reached; the best SIP status.
    Failed(u16),
    /// Was answered, and the callee has hung up.
    Done,
}

/// Why a caller is in no conference, or in none any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConferenceResult {
    /// The room has as many parties as it may.
    Full,
    /// It was taken out of the room by an operator.
    Ended,
}

/// Why a caller waits in no queue any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum QueueResult {
    /// As many wait as may.
    Full,
    /// No agent is there, or has been for too long.
    NoAgents,
    /// It has waited as long as anybody may.
    TimedOut,
}

/// Whether a caller will be called back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallbackResult {
    /// It will.
    Kept,
    /// That number is to be called back from that queue already.
    Duplicate,
    /// That is no number that the client may call, or the queue takes nobody.
    Failed,
}

/// What an agent does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AgentAction {
    /// It takes calls at the phone that calls.
    LogIn,
    /// It takes none any more.
    LogOut,
    /// It takes none for a while.
    Pause {
        /// Why, as the figures have it.
        reason: Arc<str>,
    },
    /// It takes calls again.
    Ready,
    /// Its wrap-up is over.
    FinishWrapUp,
}

/// A place in a queue that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enqueue {
    /// Its name within the client.
    pub queue: Arc<str>,
    /// Points; 0 is usual.
    pub priority: i32,
    /// What its agent has to know.
    pub wants: Wants,
    /// The agent that is waited for first, and how long.
    pub last_agent: Option<(Arc<str>, Duration)>,
    /// In which language its caller hears what the queue tells.
    pub language: Arc<str>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// Answer the caller and report [`MachineInput::Answered`].
    Answer,
    /// Tell a caller who is not answered that it rings (180).
    Ring,
    /// Let a caller who is not answered hear what is played from here (183, RFC 3960).
    EarlyMedia,
    /// Refuse the call; the machine is over.
    Reject {
        /// 400–699.
        status: u16,
        /// The reason phrase.
        reason: Arc<str>,
    },
    /// End the call; the machine is over.
    Hangup,
    /// Play files one after the other to the caller and report [`MachineInput::PlayEnded`].
    Play {
        /// Numbered by the machine, counts up.
        play: u32,
        /// WAV paths.
        files: Vec<Arc<str>>,
        /// How often the whole list; `None` is for ever.
        times: Option<u32>,
    },
    /// Stop a play. It does not report its end.
    StopPlay {
        /// Which.
        play: u32,
    },
    /// Ring targets, bridge the first that answers, and report [`MachineInput::DialEnded`] once that failed
    /// or the answered callee has gone. On an unanswered call the caller hears ringing, and is answered when
    /// a target answers.
    Dial {
        /// Whom.
        targets: Vec<Target>,
        /// All at once or one after the other.
        mode: DialMode,
        /// Until an answer; of each target when sequential.
        timeout: Duration,
        /// What the caller hears until then.
        ringback: Ringback,
        /// What it shows on trunks, if not what the caller's calls do.
        caller_id: Option<CallerId>,
    },
    /// Stop a dial that has not ended. It does not report its end.
    CancelDial,
    /// Bring the answered caller into a room of its client, and report [`MachineInput::ConferenceEnded`] if it has no
    /// place there, or when it has lost it.
    Conference {
        /// Its name within the client.
        room: Arc<str>,
        /// With how many parties in it nobody else comes in by this step.
        max: u32,
        /// Whether it only listens at first.
        muted: bool,
        /// What it hears over and over while it is alone; without it, the music of holds.
        music: Option<Arc<str>>,
        /// What the others hear when it comes.
        enter: Option<Arc<str>>,
        /// What they hear when it goes.
        leave: Option<Arc<str>>,
    },
    /// Let the answered caller wait for an agent of a queue, and report [`MachineInput::QueueEnded`] if none has it;
    /// else [`MachineInput::Served`], and [`MachineInput::DialEnded`] when that one has hung up.
    Enqueue(Box<Enqueue>),
    /// Take the caller out of its queue, or from its agent. It does not report its end.
    LeaveQueue,
    /// Keep the place that the caller had in that queue, or a new one, call the number when it is its turn, and report
    /// [`MachineInput::CallbackDone`] at once.
    CallBack {
        /// The queue's name within the client.
        queue: Arc<str>,
        /// As it was shown or typed; it may be none.
        number: Arc<str>,
        /// In which language the call goes on then.
        language: Arc<str>,
    },
    /// Do something as an agent, and report [`MachineInput::AgentDone`].
    Agent {
        /// What.
        action: AgentAction,
        /// Which agent; without it, the one whose phone calls.
        agent: Option<Arc<str>>,
        /// What proves that it is that one.
        pin: Option<Arc<str>>,
    },
    /// Send a request and report [`MachineInput::HttpEnded`], within [`HttpRequest::within`].
    Http {
        /// Numbered by the machine, counts up.
        number: u32,
        /// What.
        request: Arc<HttpRequest>,
        /// Whether the flow waits for it. If not, nothing is reported, and it goes on when the caller has gone.
        waits: bool,
    },
    /// Nobody waits for a request any more. It does not report its end.
    CancelHttp {
        /// Which.
        number: u32,
    },
    /// Do something with a value of the client, and report [`MachineInput::KvDone`] at once, be the caller gone or not.
    Kv(KvOrder),
    /// Ask something of a mailbox, or do something with a message, and report [`MachineInput::MailboxDone`] at once if it is
    /// a question.
    Mailbox(MailboxOrder),
    /// Record what the answered caller says as a message, and report [`MachineInput::MessageEnded`] once it is over: it has
    /// been silent for too long, or [`Effect::EndMessage`]. What was said is kept if it hangs up.
    TakeMessage(NewMessage),
    /// The message is over.
    EndMessage,
    /// Mute the caller in its room, or let it be heard again.
    ToggleMute,
    /// Take the caller out of its room. It does not report its end.
    LeaveConference,
    /// Record the call from here.
    Record,
    /// End the recording.
    StopRecording,
    /// Let the recording pass over what is said from here; `None` goes on with it.
    HushRecording {
        /// What stands in its place.
        how: Option<Hush>,
    },
    /// The caller has said whether it may be recorded.
    RecordConsent {
        /// Whether it may.
        given: bool,
    },
    /// For the event log: a step begins. Before what it causes.
    Step {
        /// The flow.
        flow: Arc<str>,
        /// The verb with its target, `menu choose`.
        step: Arc<str>,
        /// The file, as the administrator knows it.
        file: Arc<str>,
        /// From 1.
        line: u32,
        /// The same step among all of its client's, however many stand in one line.
        place: StepIndex,
    },
    /// For the event log: a step goes on by a branch. Before what it causes.
    Branch {
        /// The verb.
        verb: Arc<str>,
        /// The branch, `no_input`, or the key pressed.
        branch: Arc<str>,
        /// Whose branch it is; `None` for a recording that fails and that no step speaks for.
        place: Option<StepIndex>,
    },
    /// For the event log: the flow took a key.
    Digit {
        /// The key; `•` when the step is secret.
        digit: char,
    },
}

/// Which step of a client's flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StepIndex(pub(crate) usize);

/// What a caller hears while targets ring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ringback {
    /// What the far end sends before it answers: its ringing, or an announcement. A tone as long as it sends nothing.
    Far,
    /// Always a tone: that of its own phone while the call is not answered.
    Tone,
    /// A file, over and over.
    Prompt(Arc<str>),
}

/// How several targets ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DialMode {
    /// All at once; the first to answer has the call.
    Parallel,
    /// One after the other, as written.
    Sequential,
}

/// Whom to ring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// A user: each of its registered contacts.
    User(Arc<str>),
    /// A SIP URI.
    Uri(Arc<str>),
    /// A number over the first trunk that takes the call.
    Number {
        /// As it is to be sent.
        number: Arc<str>,
        /// The trunks' names, one at least, in the order to be tried; each has a `to`.
        trunks: Vec<Arc<str>>,
    },
    /// The number that the call dialled, likewise. A machine's effects have it as a [`Target::Number`].
    Dialled {
        /// As of [`Target::Number`].
        trunks: Vec<Arc<str>>,
    },
}

impl fmt::Display for Target {
    /// In a line: `alice`, `sip:a@example.com`, `+34911@carrier`, `+34911@carrier|backup`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => f.write_str(name),
            Self::Uri(uri) => f.write_str(uri),
            Self::Number { number, trunks } => write!(f, "{number}@{}", trunks.join("|")),
            Self::Dialled { trunks } => write!(f, "dialled@{}", trunks.join("|")),
        }
    }
}
