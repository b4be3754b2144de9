//! `goto`: another flow, or a label. There is no way back and so no stack.

use super::{Step, Verb};
use crate::compile::Compiler;
use crate::machine::Next;
use crate::program::Pc;

#[derive(Debug)]
pub(crate) struct Goto {
    /// The end, until every flow and label is known.
    pub(super) to: Pc,
}

impl Goto {
    pub(super) fn parse(step: &Step<'_>, own: Pc, compiler: &mut Compiler<'_, '_>) -> Option<(Verb, String)> {
        let argument = step.argument(compiler)?;
        let target = argument.text("the target of `goto`", compiler.faults)?.to_owned();
        compiler.jump(own, &target, argument.span);
        Some((Verb::Goto(Self { to: Pc::END }), target))
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        vec![self.to]
    }

    pub(super) fn begin(&self) -> Next {
        Next::Go(self.to)
    }
}
