use super::{CallInfo, ConferenceResult, DialResult, Effect, StepIndex};
use crate::expression::{Expression, Type, Value, Variables};
use crate::hours::Hours;
use crate::program::{Pc, Program};
use crate::verb::{Ask, Typed};
use clock::{Duration, Time};
use shaken::{Attestation, Verstat};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

/// A call that takes more steps than that without a pause runs in circles: whatever it waits for (a dial to a
/// user who is not registered, a prompt that is missing) comes back at once.
const STEPS_AT_ONCE: u32 = 1_000;

/// The allowance grows by one step in that time, up to [`STEPS_AT_ONCE`]. A caller who listens and presses keys
/// needs less; redialling one that is busy at once needs more.
const A_STEP_EACH: Duration = Duration::from_millis(100);

/// What a call has gathered on its way.
#[derive(Debug)]
pub(crate) struct Call {
    info: CallInfo,
    /// By the place of the variable in the program.
    values: Vec<Value>,
    pub(crate) answered: bool,
    /// Keys that no step has asked for yet.
    pub(crate) typed_ahead: VecDeque<char>,
    /// The step that records, and where to break off to when the recording fails.
    pub(crate) recording_failed: Option<(Pc, Pc)>,
    /// Failed attempts of the questions under way.
    pub(crate) attempts: BTreeMap<Pc, u32>,
    /// When call time will have made up for every step taken so far.
    steps_made_up: Time,
    plays: u32,
}

impl Call {
    pub(crate) fn new(program: &Program, info: CallInfo) -> Self {
        let empty = |kind: &Type| match kind {
            Type::Bool => Value::Bool(false),
            Type::Int => Value::Int(0),
            Type::Decimal => Value::Decimal(0.0),
            Type::Text => Value::Text("".into()),
        };
        Self {
            info,
            values: program.variables.iter().map(|(_, kind)| empty(kind)).collect(),
            answered: false,
            typed_ahead: VecDeque::new(),
            recording_failed: None,
            attempts: BTreeMap::new(),
            steps_made_up: Time::ZERO,
            plays: 0,
        }
    }

    pub(crate) fn learn(&mut self, verstat: Verstat, attestation: Option<Attestation>) {
        (self.info.verstat, self.info.attestation) = (verstat, attestation);
    }

    /// What a variable holds, as text.
    pub(crate) fn variable(&self, program: &Program, name: &str) -> Option<String> {
        program.variable(name).map(|place| self.values[place].to_string())
    }

    pub(crate) fn info(&self) -> &CallInfo {
        &self.info
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
    Ask(Ask),
    Dial,
    Conference(Typed),
}

/// What happened to a waiting step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Answered,
    Digit(char),
    PlayEnded { failed: bool },
    DialEnded(DialResult),
    ConferenceEnded(ConferenceResult),
    Timeout,
}

impl Wait {
    /// When the wait is over at the latest.
    pub(crate) fn until(&self) -> Option<Time> {
        match self {
            Self::Answer { until } => Some(*until),
            Self::Ask(ask) => ask.until(),
            Self::Conference(typed) => typed.until(),
            Self::Play { .. } | Self::Dial => None,
        }
    }

    /// The play that is under way.
    pub(crate) fn playing(&self) -> Option<u32> {
        match self {
            Self::Play { play } => Some(*play),
            Self::Ask(ask) => ask.playing(),
            Self::Answer { .. } | Self::Dial | Self::Conference(_) => None,
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
        let play = self.call.plays;
        self.call.plays = self.call.plays.wrapping_add(1);
        self.out.push(Effect::Play { play, files, times });
        play
    }

    /// Counts a failed attempt of this step.
    pub(crate) fn attempt(&mut self) -> u32 {
        let attempts = self.call.attempts.entry(self.at).or_default();
        *attempts += 1;
        *attempts
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
        if self.call.answered {
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
        if let Some(place) = self.program.variable(name) {
            self.call.values[place] = value;
        }
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
                ("attest", attestation.map_or("", Attestation::as_str)),
            ];
            let map: HashMap<String, cel::Value> = fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), cel::Value::String(Arc::new(value.to_owned()))))
                .collect();
            return Some(map.into());
        }
        self.program.variable(name).map(|place| (&self.call.values[place]).into())
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
