//! `gather`: keys into a variable.

use super::ask::{self, Ask, Judge, Question, Verdict};
use super::{Step, Verb};
use crate::compile::Compiler;
use crate::expression::Value;
use crate::faults::Span;
use crate::fields::Fields;
use crate::machine::{Event, Next, Turn};
use crate::program::Pc;
use crate::types::{Source, Write};
use crate::yaml::Node;

#[derive(Debug)]
pub(crate) struct Gather {
    question: Question,
    /// `None` when it could not be read.
    into: Option<(String, Span)>,
    min: usize,
    max: usize,
    terminator: Option<char>,
    next: Pc,
}

/// More than anybody types.
const MOST_DIGITS: u32 = 64;

impl Gather {
    pub(super) fn parse(
        step: &Step<'_>,
        own: Pc,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        let argument = step.argument(compiler)?;
        let known = [&["into", "prompt", "min", "max", "terminator", "secret"], &ask::FIELDS[1..]].concat();
        let fields = Fields::of(argument, step.at, "`gather`", &known, compiler.faults)?;
        let (question, _) = Question::parse("gather", step, &fields, own, next, compiler);
        let secret = fields.get("secret").and_then(|node| node.flag("`secret`", compiler.faults));
        let into = fields.require("into", compiler.faults);
        let name = into.and_then(|node| {
            let name = node.text("`into`", compiler.faults)?;
            compiler.variable(name, node.span).map(|name| (name, node.span))
        });
        let mut count = |name: &str, from: u32, default: u32| {
            let node = fields.get(name);
            node.and_then(|node| node.number(&format!("`{name}`"), from, MOST_DIGITS, compiler.faults))
                .unwrap_or(default)
        };
        let (min, max) = (count("min", 0, 1), count("max", 1, MOST_DIGITS));
        if let (true, Some(node)) = (min > max, fields.get("min").or(fields.get("max"))) {
            compiler.faults.error(node.span, format!("`min` is {min} and `max` is only {max}"));
        }
        let gather = Self {
            question: question.secret(secret.unwrap_or(false)),
            min: min as usize,
            max: max as usize,
            terminator: fields.get("terminator").map_or(Some('#'), |node| terminator(node, compiler)),
            next,
            into: name,
        };
        let target = gather.into.as_ref().map_or(String::new(), |(name, _)| name.clone());
        Some((Verb::Gather(gather), target))
    }

    pub(super) fn writes(&self) -> Vec<Write<'_>> {
        let into = self.into.iter();
        into.map(|(name, at)| Write { name, at: *at, source: Source::Keys }).collect()
    }

    pub(super) fn may_fail(&self) -> bool {
        self.question.may_fail()
    }

    /// Whether nobody may know its keys.
    pub(super) fn is_secret(&self) -> bool {
        self.question.is_secret()
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        let mut exits = self.question.exits();
        exits.push(self.next);
        exits
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        self.question.ask(turn, self)
    }

    pub(super) fn resume(&self, ask: Ask, event: Event, turn: &mut Turn<'_>) -> Next {
        self.question.resume(ask, event, turn, self)
    }

    /// The keys without the terminator, and whether it was pressed.
    fn strip<'d>(&self, digits: &'d str) -> (&'d str, bool) {
        let stripped = self.terminator.and_then(|terminator| digits.strip_suffix(terminator));
        (stripped.unwrap_or(digits), stripped.is_some())
    }
}

impl Judge for Gather {
    fn judge(&self, digits: &str, finished: bool) -> Verdict {
        let (digits, terminated) = self.strip(digits);
        if digits.len() < self.max && !terminated && !finished {
            Verdict::More
        } else if (self.min..=self.max).contains(&digits.len()) {
            Verdict::Accept
        } else {
            Verdict::Invalid
        }
    }

    fn accept(&self, digits: &str, turn: &mut Turn<'_>) -> Next {
        let (digits, _) = self.strip(digits);
        if let Some((name, _)) = &self.into {
            turn.set(name, Value::Text(digits.into()));
        }
        turn.branch("gather", "collected");
        Next::Go(self.next)
    }
}

/// The key that ends the input; `none` for no such key.
fn terminator(node: &Node, compiler: &mut Compiler<'_, '_>) -> Option<char> {
    let text = node.text("`terminator`", compiler.faults)?;
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(key @ ('0'..='9' | '*' | '#')), None) => Some(key),
        _ if text == "none" => None,
        _ => {
            compiler.faults.hinted(
                node.span,
                format!("`{text}` is not a key that a caller can press"),
                "write terminator: \"#\", or none",
            );
            None
        }
    }
}
