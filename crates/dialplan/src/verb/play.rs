//! `play`: prompts, one after the other.

use super::{Step, Verb};
use crate::compile::Compiler;
use crate::fields::Fields;
use crate::machine::{Event, Next, Turn, Wait};
use crate::program::Pc;
use crate::yaml::{Node, Value};
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Play {
    files: Vec<Arc<str>>,
    times: Option<u32>,
    next: Pc,
    error: Option<Pc>,
}

impl Play {
    /// Reads what is to be played; `what` names the verb in messages.
    pub(super) fn parse(
        step: &Step<'_>,
        what: &'static str,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Self, String)> {
        let argument = step.argument(compiler)?;
        if !matches!(argument.value, Value::Map(_)) {
            let (files, target) = compiler.prompts(argument);
            return Some((Self { files, times: Some(1), next, error: None }, target));
        }
        let fields = Fields::of(argument, step.at, what, &["prompts", "times", "error"], compiler.faults)?;
        let (files, target) = match fields.require("prompts", compiler.faults) {
            Some(node) => compiler.prompts(node),
            None => (Vec::new(), String::new()),
        };
        let times = fields.get("times").map_or(Some(1), |node| times(node, compiler));
        let error = compiler.branch(fields.get("error"), next);
        Some((Self { files, times, next, error }, target))
    }

    /// The beep of the system.
    pub(super) fn parse_beep(
        step: &Step<'_>,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        step.no_argument(compiler);
        let files = vec![compiler.prompt("beep", step.at)?];
        Some((Verb::Beep(Self { files, times: Some(1), next, error: None }), String::new()))
    }

    pub(super) fn may_fail(&self) -> bool {
        self.error.is_none()
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        match self.times {
            Some(_) => std::iter::once(self.next).chain(self.error).collect(),
            // Only a broken prompt ends it, and then the flow goes on as after any other failure.
            None => vec![self.error.unwrap_or(self.next)],
        }
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        let play = turn.play(self.files.clone(), self.times);
        Next::Wait(Wait::Play { play })
    }

    pub(super) fn resume(&self, verb: &'static str, event: Event, turn: &mut Turn<'_>) -> Next {
        match event {
            Event::PlayEnded { failed: true } => {
                turn.branch(verb, "error");
                turn.failed(self.error, self.next)
            }
            _ => Next::Go(self.next),
        }
    }
}

fn times(node: &Node, compiler: &mut Compiler<'_, '_>) -> Option<u32> {
    match &node.value {
        Value::Scalar { text, .. } if text == "forever" => None,
        Value::Scalar { text, .. } if text.parse::<u32>().is_err() => {
            compiler.faults.hinted(
                node.span,
                format!("`times` is a number or `forever`, and this is {}", node.describe()),
                "write times: 3 or times: forever",
            );
            Some(1)
        }
        _ => Some(node.number("`times`", 1, 1_000, compiler.faults).unwrap_or(1)),
    }
}
