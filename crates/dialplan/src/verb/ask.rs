//! What `menu`, `gather`, `pin` and `confirm` share: prompt, keys, time, attempts.

use super::Step;
use crate::compile::Compiler;
use crate::fields::Fields;
use crate::machine::{Effect, Event, Next, Turn, Wait};
use crate::program::Pc;
use crate::verb::Verb;
use clock::{Duration, Time};
use std::sync::Arc;

/// A question to the caller.
#[derive(Debug)]
pub(crate) struct Question {
    verb: &'static str,
    files: Vec<Arc<str>>,
    first_timeout: Duration,
    digit_timeout: Duration,
    tries: u32,
    secret: bool,
    /// `None` asks again at once.
    no_input: Option<Pc>,
    invalid: Option<Pc>,
    /// `None` hangs up.
    max_tries: Option<Pc>,
}

/// A question being asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    phase: Phase,
    digits: String,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The prompt is heard; a key stops it.
    Prompt { play: u32 },
    /// The prompt is over and no key was pressed.
    First { until: Time },
    /// At least one key was pressed.
    Between { until: Time },
}

/// What the keys so far amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Wait for more.
    More,
    /// They are an answer.
    Accept,
    Invalid,
}

/// Who knows which keys are an answer.
pub(super) trait Judge {
    /// Judges the keys so far; `finished` when the caller presses no more.
    fn judge(&self, digits: &str, finished: bool) -> Verdict;

    /// Goes on with keys that were judged an answer.
    fn accept(&self, digits: &str, turn: &mut Turn<'_>) -> Next;

    /// What is played behind the prompt.
    fn behind_prompt(&self, _turn: &Turn<'_>) -> Vec<Arc<str>> {
        Vec::new()
    }
}

/// Fields that all of them have, the prompt first.
pub(super) const FIELDS: [&str; 7] =
    ["prompt", "timeout", "digit_timeout", "tries", "no_input", "invalid", "max_tries"];

impl Question {
    /// Reads the shared fields, and gives the prompts' names as the target.
    pub(super) fn parse(
        verb: &'static str,
        step: &Step<'_>,
        fields: &Fields<'_>,
        own: Pc,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> (Self, String) {
        let (files, target) =
            fields.get("prompt").map_or((Vec::new(), String::new()), |node| compiler.prompts(node));
        let mut seconds = |name: &'static str, default: u64| {
            let node = fields.get(name);
            let read = node.and_then(|node| node.duration(&format!("`{name}`"), compiler.faults));
            read.unwrap_or(Duration::from_secs(default))
        };
        let (first_timeout, digit_timeout) = (seconds("timeout", 5), seconds("digit_timeout", 2));
        let tries = fields.get("tries").and_then(|node| node.number("`tries`", 1, 20, compiler.faults));
        let tries = tries.unwrap_or(3);
        for name in ["no_input", "invalid"] {
            if let (1, Some((key, _))) = (tries, fields.entry(name)) {
                compiler.faults.hinted(
                    key.span,
                    format!("`{name}` never runs: with `tries: 1` the first failure is the last"),
                    "use `max_tries`, or allow more tries",
                );
            }
        }
        let again = compiler.emit(Verb::Again(own), step.at, String::new());
        let no_input = compiler.branch(fields.get("no_input"), again);
        let invalid = compiler.branch(fields.get("invalid"), again);
        let max_tries = compiler.branch(fields.get("max_tries"), next);
        let question = Self {
            verb,
            files,
            first_timeout,
            digit_timeout,
            tries,
            secret: false,
            no_input,
            invalid,
            max_tries,
        };
        (question, target)
    }

    /// Whether a failure may have no branch.
    pub(super) fn may_fail(&self) -> bool {
        self.max_tries.is_none()
    }

    pub(super) fn secret(self, secret: bool) -> Self {
        Self { secret, ..self }
    }

    pub(super) fn is_secret(&self) -> bool {
        self.secret
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        // With a single try the retry branches are never taken.
        let retries = [self.no_input, self.invalid].into_iter().flatten().filter(|_| self.tries > 1);
        retries.chain(self.max_tries).collect()
    }

    /// Asks: by the keys that were typed ahead, or else by the prompt.
    pub(super) fn ask(&self, turn: &mut Turn<'_>, judge: &impl Judge) -> Next {
        let mut ask =
            Ask { phase: Phase::First { until: turn.now + self.first_timeout }, digits: String::new() };
        if self.secret {
            // They have been recorded already: whoever pressed them is to press them again.
            turn.call.typed_ahead.clear();
        }
        while let Some(digit) = turn.call.typed_ahead.pop_front() {
            match self.digit(ask, digit, turn, judge) {
                Next::Wait(Wait::Ask(more)) => ask = more,
                next => return next,
            }
        }
        if ask.digits.is_empty() && !self.files.is_empty() {
            let files = [self.files.clone(), judge.behind_prompt(turn)].concat();
            ask.phase = Phase::Prompt { play: turn.play(files, Some(1)) };
        }
        Next::Wait(Wait::Ask(ask))
    }

    /// Goes on after a key, the end of the prompt, or the end of the time.
    pub(super) fn resume(&self, mut ask: Ask, event: Event, turn: &mut Turn<'_>, judge: &impl Judge) -> Next {
        match (event, ask.phase) {
            (Event::Digit(digit), _) => self.digit(ask, digit, turn, judge),
            (Event::PlayEnded { failed }, Phase::Prompt { .. }) => {
                if failed {
                    turn.branch(self.verb, "error");
                }
                ask.phase = Phase::First { until: turn.now + self.first_timeout };
                Next::Wait(Wait::Ask(ask))
            }
            (Event::Timeout, Phase::First { .. }) => self.failed("no_input", self.no_input, turn, judge),
            (Event::Timeout, Phase::Between { .. }) => match judge.judge(&ask.digits, true) {
                Verdict::Accept => judge.accept(&ask.digits, turn),
                Verdict::More | Verdict::Invalid => self.failed("invalid", self.invalid, turn, judge),
            },
            _ => Next::Wait(Wait::Ask(ask)),
        }
    }

    fn digit(&self, mut ask: Ask, digit: char, turn: &mut Turn<'_>, judge: &impl Judge) -> Next {
        if let Phase::Prompt { play } = ask.phase {
            turn.out.push(Effect::StopPlay { play });
        }
        turn.out.push(Effect::Digit { digit: if self.secret { '•' } else { digit } });
        ask.digits.push(digit);
        ask.phase = Phase::Between { until: turn.now + self.digit_timeout };
        let verdict = judge.judge(&ask.digits, false);
        if self.secret && verdict != Verdict::More {
            turn.call.expect_surplus(turn.now);
        }
        match verdict {
            Verdict::More => Next::Wait(Wait::Ask(ask)),
            Verdict::Accept => judge.accept(&ask.digits, turn),
            Verdict::Invalid => self.failed("invalid", self.invalid, turn, judge),
        }
    }

    fn failed(
        &self,
        kind: &'static str,
        branch: Option<Pc>,
        turn: &mut Turn<'_>,
        judge: &impl Judge,
    ) -> Next {
        turn.call.typed_ahead.clear();
        turn.branch(self.verb, kind);
        if turn.attempt() >= self.tries {
            turn.branch(self.verb, "max_tries");
            return self.max_tries.map_or_else(|| turn.give_up(), Next::Go);
        }
        match branch {
            Some(branch) => Next::Go(branch),
            None => self.ask(turn, judge),
        }
    }
}

impl Ask {
    /// When time is up.
    pub(crate) fn until(&self) -> Option<Time> {
        match self.phase {
            Phase::Prompt { .. } => None,
            Phase::First { until } | Phase::Between { until } => Some(until),
        }
    }

    /// The prompt that is heard.
    pub(crate) fn playing(&self) -> Option<u32> {
        match self.phase {
            Phase::Prompt { play } => Some(play),
            Phase::First { .. } | Phase::Between { .. } => None,
        }
    }
}
