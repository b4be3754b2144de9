//! `label`: a place that `goto` can name.

use super::{Step, Verb};
use crate::compile::Compiler;
use crate::machine::Next;
use crate::program::Pc;

#[derive(Debug)]
pub(crate) struct Label {
    next: Pc,
}

impl Label {
    pub(super) fn parse(
        step: &Step<'_>,
        own: Pc,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        let argument = step.argument(compiler)?;
        let name = argument.text("a label", compiler.faults)?.to_owned();
        compiler.label(&name, own, argument.span);
        Some((Verb::Label(Self { next }), name))
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        vec![self.next]
    }

    pub(super) fn begin(&self) -> Next {
        Next::Go(self.next)
    }
}
