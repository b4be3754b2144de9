//! `pin`: goes on only for who types what an expression says. The keys are in no log.

use super::ask::{self, Ask, Judge, Question, Verdict};
use super::{Step, Verb};
use crate::compile::Compiler;
use crate::expression::{Expression, Scope, Type};
use crate::faults::Faults;
use crate::fields::Fields;
use crate::machine::{Event, Next, Turn};
use crate::program::Pc;

#[derive(Debug)]
pub(crate) struct Pin {
    question: Question,
    /// `None` when it could not be read.
    is: Option<Expression>,
    next: Pc,
}

/// Who types more types no PIN.
const MOST_DIGITS: usize = 64;

/// A PIN and what it has to be.
struct Expected<'p> {
    pin: &'p Pin,
    /// Empty when it could not be reckoned: then nothing is right.
    digits: String,
}

impl Pin {
    pub(super) fn parse(
        step: &Step<'_>,
        own: Pc,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        let argument = step.argument(compiler)?;
        let known = [&["prompt", "is"], &ask::FIELDS[1..]].concat();
        let fields = Fields::of(argument, step.at, "`pin`", &known, compiler.faults)?;
        fields.require("prompt", compiler.faults);
        let (question, target) = Question::parse("pin", step, &fields, own, next, compiler);
        let is = fields.require("is", compiler.faults);
        let is = is.and_then(|node| Expression::parse(node, "`is`", compiler.faults));
        Some((Verb::Pin(Self { question: question.secret(true), is, next }), target))
    }

    pub(super) fn check(&self, scope: &Scope, faults: &mut Faults<'_>) {
        let Some(is) = &self.is else { return };
        if let Some(found) = is.check(scope, faults).filter(|found| *found != Type::Text) {
            let hint = "keys are a text, in quotes: 0042 is not 42";
            faults.hinted(is.span(), format!("a PIN is a text, and this is {found}"), hint);
        }
    }

    pub(super) fn may_fail(&self) -> bool {
        self.question.may_fail()
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        let mut exits = self.question.exits();
        exits.push(self.next);
        exits
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        let expected = self.expected(turn);
        self.question.ask(turn, &expected)
    }

    pub(super) fn resume(&self, ask: Ask, event: Event, turn: &mut Turn<'_>) -> Next {
        let expected = self.expected(turn);
        self.question.resume(ask, event, turn, &expected)
    }

    fn expected(&self, turn: &Turn<'_>) -> Expected<'_> {
        let value = self.is.as_ref().and_then(|is| turn.value(is).ok());
        Expected { pin: self, digits: value.map_or(String::new(), |value| value.to_string()) }
    }
}

impl Judge for Expected<'_> {
    fn judge(&self, digits: &str, finished: bool) -> Verdict {
        // When it is judged does not tell how long the right one is.
        let typed = digits.strip_suffix('#');
        if typed.is_none() && !finished && digits.len() < MOST_DIGITS {
            Verdict::More
        } else if !self.digits.is_empty() && typed.unwrap_or(digits) == self.digits {
            Verdict::Accept
        } else {
            Verdict::Invalid
        }
    }

    fn accept(&self, _: &str, turn: &mut Turn<'_>) -> Next {
        turn.branch("pin", "right");
        Next::Go(self.pin.next)
    }
}
