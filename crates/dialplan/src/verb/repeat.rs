//! `loop`: steps that are taken several times.

use super::{Step, Verb};
use crate::compile::Compiler;
use crate::fields::Fields;
use crate::machine::{Next, Turn};
use crate::program::Pc;

/// More rounds than that are a flow that goes back by `goto`.
const MOST_ROUNDS: u32 = 100;

#[derive(Debug)]
pub(crate) struct Loop {
    times: u32,
    body: Pc,
    next: Pc,
}

impl Loop {
    pub(super) fn parse(
        step: &Step<'_>,
        own: Pc,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        let argument = step.argument(compiler)?;
        let fields = Fields::of(argument, step.at, "`loop`", &["times", "do"], compiler.faults)?;
        let times = fields.require("times", compiler.faults);
        let times = times.and_then(|node| node.number("`times`", 1, MOST_ROUNDS, compiler.faults));
        let again = compiler.emit(Verb::Again(own), step.at, String::new());
        let body = match fields.require("do", compiler.faults) {
            Some(node) if node.items().is_empty() => {
                compiler.faults.error(node.place_or(step.at), "a loop without steps");
                again
            }
            node => compiler.branch(node, again).unwrap_or(again),
        };
        let times = times.unwrap_or(1);
        Some((Verb::Loop(Self { times, body, next }), times.to_string()))
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        vec![self.body, self.next]
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        let round = turn.attempt();
        if round > self.times {
            turn.branch("loop", "done");
            return Next::Go(self.next);
        }
        turn.branch("loop", &round.to_string());
        Next::Go(self.body)
    }
}
