//! `return`: ends a sub-flow, with a result or without; its last step does so, too.

use super::{Step, Verb};
use crate::compile::Compiler;
use crate::expression::Expression;
use crate::machine::{Next, Turn};
use crate::yaml::Value;

#[derive(Debug)]
pub(crate) struct Return {
    value: Option<Expression>,
}

impl Return {
    /// Behind the last step of a sub-flow.
    pub(crate) const END: Self = Self { value: None };

    pub(super) fn parse(step: &Step<'_>, compiler: &mut Compiler<'_, '_>) -> Option<(Verb, String)> {
        if !compiler.in_sub_flow() {
            let hint = "only a flow with `inputs` is called and comes back; `hangup` ends the call";
            compiler.faults.hinted(step.at, "there is nothing to return to", hint);
        }
        let node = step.argument.filter(|node| !matches!(node.value, Value::Null));
        let value = match node {
            Some(node) => Some(Expression::parse(node, "`return`", compiler.faults)?),
            None => None,
        };
        Some((Verb::Return(Self { value }), node.map_or(String::new(), |node| node.describe_short())))
    }

    pub(crate) fn value(&self) -> Option<&Expression> {
        self.value.as_ref()
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        let value = self.value.as_ref().map(|value| turn.value(value));
        // That nobody has called the flow, `check` lets nobody write.
        let Some(by) = turn.leave() else { return turn.hang_up() };
        turn.at = by;
        match &turn.program.instruction(by).verb {
            Verb::Call(call) => call.returned(value, turn),
            _ => turn.hang_up(),
        }
    }
}
