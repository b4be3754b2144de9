//! `confirm`: reads keys back, and asks whether they are right: 1 is yes, 2 is no.

use super::ask::{self, Ask, Judge, Question, Verdict};
use super::{Step, Verb};
use crate::compile::Compiler;
use crate::expression::{Expression, Scope, Type};
use crate::faults::Faults;
use crate::fields::Fields;
use crate::machine::{Event, Next, Turn};
use crate::program::Pc;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Confirm {
    question: Question,
    /// What is read back behind the prompt, and the prompts of the digits, which are those of `say`.
    read: Option<(Expression, Vec<Arc<str>>)>,
    /// What is said behind that.
    choice: Vec<Arc<str>>,
    yes: Pc,
    no: Pc,
}

impl Confirm {
    pub(super) fn parse(
        step: &Step<'_>,
        own: Pc,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        let argument = step.argument(compiler)?;
        let known = [&["prompt", "read", "choice", "yes", "no"], &ask::FIELDS[1..]].concat();
        let fields = Fields::of(argument, step.at, "`confirm`", &known, compiler.faults)?;
        fields.require("prompt", compiler.faults);
        if fields.get("yes").is_none() && fields.get("no").is_none() {
            compiler.faults.hinted(step.at, "`confirm` needs a `yes` or a `no`", "write no: {goto: .again}");
        }
        let (question, target) = Question::parse("confirm", step, &fields, own, next, compiler);
        let read = fields.get("read").and_then(|node| {
            let expression = Expression::parse(node, "`read`", compiler.faults)?;
            let digits: Option<Vec<_>> =
                (0..10).map(|digit| compiler.prompt(&digit.to_string(), node.span)).collect();
            Some((expression, digits?))
        });
        let choice = fields.get("choice").map_or(Vec::new(), |node| compiler.prompts(node).0);
        let yes = compiler.branch(fields.get("yes"), next).unwrap_or(next);
        let no = compiler.branch(fields.get("no"), next).unwrap_or(next);
        Some((Verb::Confirm(Self { question, read, choice, yes, no }), target))
    }

    pub(super) fn check(&self, scope: &Scope, faults: &mut Faults<'_>) {
        let Some((read, _)) = &self.read else { return };
        if let Some(found) = read.check(scope, faults).filter(|it| !matches!(it, Type::Text | Type::Int)) {
            let message = format!("`read` is {found}, which has no digits to read");
            faults.hinted(read.span(), message, "a text or a whole number has: read: account");
        }
    }

    /// Whether it says more than its prompts.
    pub(super) fn reads(&self) -> bool {
        self.read.is_some()
    }

    pub(super) fn may_fail(&self) -> bool {
        self.question.may_fail()
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        let mut exits = self.question.exits();
        exits.extend([self.yes, self.no]);
        exits
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        self.question.ask(turn, self)
    }

    pub(super) fn resume(&self, ask: Ask, event: Event, turn: &mut Turn<'_>) -> Next {
        self.question.resume(ask, event, turn, self)
    }
}

impl Judge for Confirm {
    fn judge(&self, digits: &str, _: bool) -> Verdict {
        if matches!(digits, "1" | "2") { Verdict::Accept } else { Verdict::Invalid }
    }

    fn accept(&self, digits: &str, turn: &mut Turn<'_>) -> Next {
        let (branch, to) = if digits == "1" { ("yes", self.yes) } else { ("no", self.no) };
        turn.branch("confirm", branch);
        Next::Go(to)
    }

    fn behind_prompt(&self, turn: &Turn<'_>) -> Vec<Arc<str>> {
        let read = self.read.iter().flat_map(|(expression, prompts)| {
            let text = turn.value(expression).map_or(String::new(), |value| value.to_string());
            let digits: Vec<usize> = text.chars().filter_map(|c| Some(c.to_digit(10)? as usize)).collect();
            digits.into_iter().filter_map(|digit| prompts.get(digit).cloned())
        });
        read.chain(self.choice.iter().cloned()).collect()
    }
}
