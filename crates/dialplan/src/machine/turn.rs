use super::frames::Frames;
use super::{
    CallInfo, CallbackResult, ConferenceResult, DialResult, Effect, HttpResult, KvResult, MailboxResult,
    MessageResult, QueueResult, StepIndex,
};
use crate::FlowIndex;
use crate::expression::{Expression, Value, Variables};
use crate::hours::Hours;
use crate::lot::lot;
use crate::program::{Handlers, Pc, Program};
use crate::verb::{Ask, Asked, Leaving, Listening, Typed};
use clock::{Duration, Time};
use shaken::{Attestation, Verstat};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// A call that takes more steps than that without a pause runs in circles: whatever it waits for (a dial to a
/// user who is not registered, a prompt that is missing) comes back at once.
const STEPS_AT_ONCE: u32 = 1_000;

/// The allowance grows by one step in that time, up to [`STEPS_AT_ONCE`]. A caller who listens and presses keys
/// needs less; redialling one that is busy at once needs more.
const A_STEP_EACH: Duration = Duration::from_millis(100);

/// Keys that follow the last of a secret question so soon belong to it: whoever types more than is asked for is not
/// done yet.
const SURPLUS: Duration = Duration::from_millis(800);

/// What a call has gathered on its way.
#[derive(Debug)]
pub(crate) struct Call {
    info: CallInfo,
    pub(crate) frames: Frames,
    pub(crate) answered: bool,
    /// Keys that no step has asked for yet.
    pub(crate) typed_ahead: VecDeque<char>,
    /// Until when keys are still of a secret question that is over.
    surplus_until: Option<Time>,
    /// The step that records, and where to break off to when the recording fails.
    pub(crate) recording_failed: Option<(Pc, Pc)>,
    /// When call time will have made up for every step taken so far.
    steps_made_up: Time,
    plays: u32,
    /// Requests that it has made.
    asked: u32,
    /// The step that was taken last.
    pub(crate) last: Option<Pc>,
    /// Whether the handler of last resort has been taken: what fails in it ends the call.
    failing: bool,
    /// Whether the caller has gone: nothing can be done to its call.
    pub(crate) gone: bool,
    /// How often lots were drawn.
    lots: u64,
    /// The place of its language in the program.
    pub(crate) language: usize,
}

impl Call {
    pub(crate) fn new(program: &Program, info: CallInfo) -> Self {
        Self {
            info,
            frames: Frames::new(program),
            answered: false,
            typed_ahead: VecDeque::new(),
            surplus_until: None,
            recording_failed: None,
            steps_made_up: Time::ZERO,
            plays: 0,
            asked: 0,
            last: None,
            failing: false,
            gone: false,
            lots: 0,
            language: 0,
        }
    }

    pub(crate) fn learn(&mut self, verstat: Verstat, attestation: Option<Attestation>) {
        (self.info.verstat, self.info.attestation) = (verstat, attestation);
    }

    pub(crate) fn info(&self) -> &CallInfo {
        &self.info
    }

    /// The handler of the flow that a step is in, or of the flows that have called it, or of the client. The call leaves
    /// every sub-flow on the way to it.
    pub(crate) fn handler(
        &mut self,
        program: &Program,
        at: Pc,
        which: impl Fn(&Handlers) -> Option<Pc>,
    ) -> Option<Pc> {
        let mut at = Some(at);
        while let Some(pc) = at {
            let found = which(&program.flows[program.instruction(pc).flow.0].handlers);
            if found.is_some() {
                return found;
            }
            at = self.frames.pop();
        }
        which(&program.handlers)
    }

    /// Begins what is done once the caller has gone, with an allowance of its own; `None` where there is nothing to do.
    pub(crate) fn bury(&mut self, program: &Program) -> Option<Pc> {
        let last = self.last.filter(|_| !self.gone)?;
        (self.gone, self.failing, self.steps_made_up) = (true, true, Time::ZERO);
        self.handler(program, last, |handlers| handlers.on_hangup)
    }

    /// A secret question has just ended with a key.
    pub(crate) fn expect_surplus(&mut self, now: Time) {
        self.surplus_until = Some(now + SURPLUS);
    }

    /// Whether a key is still of a secret question that is over.
    pub(crate) fn is_surplus(&mut self, now: Time) -> bool {
        let is_surplus = self.surplus_until.is_some_and(|until| now < until);
        self.surplus_until = is_surplus.then_some(now + SURPLUS);
        is_surplus
    }

    /// Takes one step from the call's allowance; false when nothing of it is left.
    pub(crate) fn may_step(&mut self, now: Time) -> bool {
        let made_up = self.steps_made_up.max(now) + A_STEP_EACH;
        let may = made_up - now <= A_STEP_EACH * STEPS_AT_ONCE;
        if may {
            self.steps_made_up = made_up;
        }
        may
    }
}

/// One input being handled.
pub(crate) struct Turn<'t> {
    pub(crate) now: Time,
    pub(crate) at: Pc,
    pub(crate) program: &'t Program,
    pub(crate) call: &'t mut Call,
    pub(crate) out: &'t mut Vec<Effect>,
}

/// What a step wants next.
#[derive(Debug)]
pub(crate) enum Next {
    /// The step at that place.
    Go(Pc),
    /// The question at that place once more, its attempts counting on.
    Again(Pc),
    /// Nothing until something happens.
    Wait(Wait),
    /// Nothing ever.
    Over,
}

/// What a step waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    Answer { until: Time },
    Play { play: u32 },
    Pause { until: Time, play: Option<u32> },
    Ask(Ask),
    Dial,
    Conference(Typed),
    Queue(Typed),
    Callback,
    Agent,
    Http(Asked),
    Kv,
    Voicemail(Leaving),
    Mailbox(Listening),
}

/// What happened to a waiting step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Answered,
    Digit(char),
    PlayEnded { failed: bool },
    DialEnded(DialResult),
    ConferenceEnded(ConferenceResult),
    QueueEnded(QueueResult),
    CallbackDone(CallbackResult),
    AgentDone(bool),
    HttpEnded(HttpResult),
    KvDone(KvResult),
    MailboxDone(MailboxResult),
    MessageEnded(MessageResult),
    Timeout,
}

impl Wait {
    /// When the wait is over at the latest.
    pub(crate) fn until(&self) -> Option<Time> {
        match self {
            Self::Answer { until } | Self::Pause { until, .. } => Some(*until),
            Self::Ask(ask) => ask.until(),
            Self::Conference(typed) | Self::Queue(typed) => typed.until(),
            Self::Http(asked) => asked.until(),
            Self::Voicemail(leaving) => leaving.until(),
            Self::Mailbox(listening) => listening.until(),
            Self::Play { .. } | Self::Dial | Self::Callback | Self::Agent | Self::Kv => None,
        }
    }

    /// Whether keys are told to the step; those that are pressed in other waits are kept for the next question.
    pub(crate) fn takes_keys(&self) -> bool {
        matches!(
            self,
            Self::Ask(_) | Self::Conference(_) | Self::Queue(_) | Self::Voicemail(_) | Self::Mailbox(_)
        )
    }

    /// The play that is under way.
    pub(crate) fn playing(&self) -> Option<u32> {
        match self {
            Self::Play { play } => Some(*play),
            Self::Pause { play, .. } => *play,
            Self::Ask(ask) => ask.playing(),
            Self::Http(asked) => asked.playing(),
            Self::Voicemail(leaving) => leaving.playing(),
            Self::Mailbox(listening) => listening.playing(),
            Self::Answer { .. }
            | Self::Dial
            | Self::Conference(_)
            | Self::Queue(_)
            | Self::Callback
            | Self::Agent
            | Self::Kv => None,
        }
    }
}

impl Turn<'_> {
    /// Notes the branch that is taken.
    pub(crate) fn branch(&mut self, verb: &'static str, branch: &str) {
        let place = Some(StepIndex(self.at.0));
        self.out.push(Effect::Branch { verb: verb.into(), branch: branch.into(), place });
    }

    /// Starts a play and gives its number.
    pub(crate) fn play(&mut self, files: Vec<Arc<str>>, times: Option<u32>) -> u32 {
        let files = files.into_iter().map(|file| self.translated(file)).collect();
        let play = self.call.plays;
        self.call.plays = self.call.plays.wrapping_add(1);
        self.out.push(Effect::Play { play, files, times });
        play
    }

    /// The file that a prompt is in the language of the call.
    pub(crate) fn translated(&self, file: Arc<str>) -> Arc<str> {
        let known = self.program.translations.get(&file).and_then(|files| files.get(self.call.language));
        known.cloned().unwrap_or(file)
    }

    /// Changes the language of the call; whether the client has it.
    pub(crate) fn speak(&mut self, value: &Value) -> bool {
        let Value::Text(language) = value else { return false };
        let found = self.program.languages.iter().position(|known| known == language);
        self.call.language = found.unwrap_or(self.call.language);
        found.is_some()
    }

    /// Gives a request its number.
    pub(crate) fn ask(&mut self) -> u32 {
        let number = self.call.asked;
        self.call.asked = number.wrapping_add(1);
        number
    }

    /// The language of the call.
    pub(crate) fn language(&self) -> Arc<str> {
        self.program.languages.get(self.call.language).cloned().unwrap_or_default()
    }

    /// Counts a failed attempt of this step.
    pub(crate) fn attempt(&mut self) -> u32 {
        let attempts = self.call.frames.top_mut().attempts.entry(self.at).or_default();
        *attempts += 1;
        *attempts
    }

    /// Draws a number below `of`, which follows from the call's seed and from how many were drawn before.
    pub(crate) fn lot(&mut self, of: u32) -> u32 {
        self.call.lots += 1;
        lot(self.call.info.seed, self.call.lots, of)
    }

    /// Where a failure leads that has no branch of its own: to the handler of last resort, once in a call.
    pub(crate) fn last_resort(&mut self) -> Option<Next> {
        if std::mem::replace(&mut self.call.failing, true) {
            return None;
        }
        let handler = self.call.handler(self.program, self.at, |handlers| handlers.on_error)?;
        self.call.steps_made_up = Time::ZERO;
        self.branch("flow", "on_error");
        Some(Next::Go(handler))
    }

    /// Goes to the handler of last resort, or ends the call.
    pub(crate) fn give_up(&mut self) -> Next {
        self.last_resort().unwrap_or_else(|| self.hang_up())
    }

    /// Goes by the branch of a failure, or to the handler of last resort, or else on as if there were no failure.
    pub(crate) fn failed(&mut self, branch: Option<Pc>, next: Pc) -> Next {
        match branch {
            Some(branch) => Next::Go(branch),
            None => self.last_resort().unwrap_or(Next::Go(next)),
        }
    }

    /// Ends the call as a hang-up does.
    pub(crate) fn hang_up(&mut self) -> Next {
        self.end(480)
    }

    /// Ends the call: rejects it with a status if it was never answered.
    pub(crate) fn end(&mut self, status: u16) -> Next {
        self.reject(status, None)
    }

    /// Rejects the call; an answered one can only be hung up.
    pub(crate) fn reject(&mut self, status: u16, reason: Option<Arc<str>>) -> Next {
        if self.call.gone {
            // There is nobody to hang up on.
        } else if self.call.answered {
            self.out.push(Effect::Hangup);
        } else {
            let status = if (400..700).contains(&status) { status } else { 500 };
            let reason = reason.unwrap_or_else(|| phrase(status).into());
            self.out.push(Effect::Reject { status, reason });
        }
        Next::Over
    }

    /// The value of an expression.
    pub(crate) fn value(&self, expression: &Expression) -> Result<Value, String> {
        expression.value(&Names { program: self.program, call: self.call })
    }

    /// Sets a variable.
    pub(crate) fn set(&mut self, name: &str, value: Value) {
        self.call.frames.top_mut().set(self.program, name, value);
    }

    /// Makes a variable as if no step had set it yet.
    pub(crate) fn clear(&mut self, name: &str) {
        self.call.frames.top_mut().clear(self.program, name);
    }

    /// Calls a sub-flow for this step, and gives where it begins; `None` if it is too deep for that.
    pub(crate) fn enter(&mut self, flow: FlowIndex, inputs: Vec<(&str, Value)>) -> Option<Pc> {
        let flow = &self.program.flows[flow.0];
        if !self.call.frames.push(self.program, flow.scope, self.at) {
            return None;
        }
        for (name, value) in inputs {
            self.set(name, value);
        }
        Some(flow.entry)
    }

    /// Comes back from a sub-flow, and gives the step that called it.
    pub(crate) fn leave(&mut self) -> Option<Pc> {
        self.call.frames.pop()
    }

    /// What a calendar says of now.
    pub(crate) fn hours(&self, calendar: usize) -> Hours {
        let elapsed = i64::try_from(self.now.micros()).unwrap_or(i64::MAX);
        self.program.calendars[calendar].at(self.call.info.unix_micros_at_zero.saturating_add(elapsed))
    }
}

/// What names in expressions stand for.
struct Names<'t> {
    program: &'t Program,
    call: &'t Call,
}

impl Variables for Names<'_> {
    fn variable(&self, name: &str) -> Option<cel::Value> {
        if name == "call" {
            let CallInfo { from, to, source, diverted_by, verstat, attestation, .. } = &self.call.info;
            let fields = [
                ("from", &**from),
                ("to", to),
                ("source", source),
                ("diverted_by", diverted_by),
                ("verstat", verstat.as_str()),
                ("language", self.program.languages.get(self.call.language).map_or("", |it| &**it)),
                ("attest", attestation.map_or("", Attestation::as_str)),
            ];
            let map: HashMap<String, cel::Value> = fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), cel::Value::String(Arc::new(value.to_owned()))))
                .collect();
            return Some(map.into());
        }
        self.call.frames.top().get(self.program, name).map(Into::into)
    }
}

/// The reason phrase of a status (RFC 3261 section 21).
fn phrase(status: u16) -> &'static str {
    match status {
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        410 => "Gone",
        480 => "Temporarily Unavailable",
        484 => "Address Incomplete",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        503 => "Service Unavailable",
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        400..500 => "Request Failure",
        500..600 => "Server Failure",
        _ => "Global Failure",
    }
}
