//! `goto`: another flow, or a label. There is no way back.

use super::{Step, Verb};
use crate::compile::Compiler;
use crate::machine::{Next, Turn};
use crate::program::Pc;

#[derive(Debug)]
pub(crate) struct Goto {
    /// The end, until every flow and label is known.
    pub(super) to: Pc,
    /// Whether that is in another flow, so that whoever called this one is never come back to.
    pub(super) leaves: bool,
}

impl Goto {
    pub(super) fn parse(step: &Step<'_>, own: Pc, compiler: &mut Compiler<'_, '_>) -> Option<(Verb, String)> {
        let argument = step.argument(compiler)?;
        let target = argument.text("the target of `goto`", compiler.faults)?.to_owned();
        compiler.jump(own, &target, argument.span);
        Some((Verb::Goto(Self { to: Pc::END, leaves: false }), target))
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        vec![self.to]
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        if self.leaves {
            turn.call.frames.unwind();
        }
        Next::Go(self.to)
    }
}
