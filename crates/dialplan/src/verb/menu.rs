//! `menu`: a prompt, and a branch for each key or key sequence.

use super::ask::{self, Ask, Judge, Question, Verdict};
use super::{Step, Verb};
use crate::compile::Compiler;
use crate::fields::Fields;
use crate::machine::{Event, Next, Turn};
use crate::program::Pc;
use crate::yaml::{Key, Node};

#[derive(Debug)]
pub(crate) struct Menu {
    question: Question,
    keys: Vec<(String, Pc)>,
}

/// Longer is no menu.
const LONGEST_KEY: usize = 8;

impl Menu {
    pub(super) fn parse(
        step: &Step<'_>,
        own: Pc,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        let argument = step.argument(compiler)?;
        let known = [&["prompt", "keys"], &ask::FIELDS[1..]].concat();
        let fields = Fields::of(argument, step.at, "`menu`", &known, compiler.faults)?;
        fields.require("prompt", compiler.faults);
        let (question, target) = Question::parse("menu", step, &fields, own, next, compiler);
        let mut keys = Vec::new();
        if let Some(node) = fields.require("keys", compiler.faults) {
            let entries = node.entries("`keys`", compiler.faults);
            if entries.is_empty() {
                compiler.faults.hinted(
                    node.place_or(step.at),
                    "a menu without keys",
                    "write keys: {\"1\": …, \"2\": …}",
                );
            }
            for (key, branch) in entries {
                keys.extend(parse_key(key, branch, next, compiler));
            }
        }
        if keys.is_empty() {
            return Some((Verb::Faulty(vec![next]), target));
        }
        Some((Verb::Menu(Self { question, keys }), target))
    }

    pub(super) fn may_fail(&self) -> bool {
        self.question.may_fail()
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        self.keys.iter().map(|(_, pc)| *pc).chain(self.question.exits()).collect()
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        self.question.ask(turn, self)
    }

    pub(super) fn resume(&self, ask: Ask, event: Event, turn: &mut Turn<'_>) -> Next {
        self.question.resume(ask, event, turn, self)
    }
}

impl Judge for Menu {
    fn judge(&self, digits: &str, finished: bool) -> Verdict {
        let exact = self.keys.iter().any(|(key, _)| key == digits);
        let longer = self.keys.iter().any(|(key, _)| key.len() > digits.len() && key.starts_with(digits));
        match (exact, longer) {
            (true, false) => Verdict::Accept,
            (true, true) if finished => Verdict::Accept,
            (_, true) if !finished => Verdict::More,
            _ => Verdict::Invalid,
        }
    }

    fn accept(&self, digits: &str, turn: &mut Turn<'_>) -> Next {
        turn.branch("menu", digits);
        match self.keys.iter().find(|(key, _)| key == digits) {
            Some((_, branch)) => Next::Go(*branch),
            None => turn.hang_up(),
        }
    }
}

fn parse_key(key: &Key, branch: &Node, next: Pc, compiler: &mut Compiler<'_, '_>) -> Option<(String, Pc)> {
    let is_dtmf = |c: char| matches!(c, '0'..='9' | '*' | '#' | 'A'..='D');
    let branch = compiler.branch(Some(branch), next).unwrap_or(next);
    if key.text.is_empty() || key.text.len() > LONGEST_KEY || !key.text.chars().all(is_dtmf) {
        let message = match key.text.as_str() {
            "" => "an empty key".to_owned(),
            text => format!("`{text}` is not a key that a caller can press"),
        };
        compiler.faults.hinted(key.span, message, "keys are made of 0 to 9, * and #, at most 8 of them");
        return None;
    }
    Some((key.text.clone(), branch))
}
