//! `call`: a sub-flow with arguments, which comes back with its result.

use super::{Step, Verb};
use crate::FlowIndex;
use crate::compile::Compiler;
use crate::expression::{Expression, Scope, Type, Value};
use crate::faults::{Faults, Span};
use crate::fields::Fields;
use crate::flow::Input;
use crate::machine::{Next, Turn};
use crate::program::Pc;
use crate::types::{Source, Write};
use crate::yaml::{Node, Value as NodeValue};

#[derive(Debug)]
pub(crate) struct Call {
    flow: FlowIndex,
    with: Vec<Argument>,
    into: Option<(String, Span)>,
    next: Pc,
    /// Sub-flows have called each other too often.
    too_deep: Option<Pc>,
    /// An argument or the result could not be reckoned.
    error: Option<Pc>,
}

#[derive(Debug)]
struct Argument {
    name: String,
    /// What the flow takes; `None` when that could not be read.
    kind: Option<Type>,
    /// `None` when it could not be read.
    value: Option<Expression>,
}

impl Call {
    pub(super) fn parse(
        step: &Step<'_>,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        const KNOWN: [&str; 5] = ["flow", "with", "into", "too_deep", "error"];
        let argument = step.argument(compiler)?;
        if !matches!(argument.value, NodeValue::Map(_)) {
            let name = argument.text("the flow", compiler.faults)?;
            let (flow, inputs) = compiler.sub_flow(name, argument.span)?;
            let with = arguments(None, step.at, &inputs, compiler);
            let call = Self { flow, with, into: None, next, too_deep: None, error: None };
            return Some((Verb::Call(call), name.to_owned()));
        }
        let fields = Fields::of(argument, step.at, "`call`", &KNOWN, compiler.faults)?;
        let too_deep = compiler.branch(fields.get("too_deep"), next);
        let error = compiler.branch(fields.get("error"), next);
        let into = fields.get("into").and_then(|node| {
            let name = node.text("`into`", compiler.faults)?;
            compiler.variable(name, node.span).map(|name| (name, node.span))
        });
        let node = fields.require("flow", compiler.faults)?;
        let name = node.text("`flow`", compiler.faults)?;
        let (flow, inputs) = compiler.sub_flow(name, node.span)?;
        let with = arguments(fields.get("with"), step.at, &inputs, compiler);
        Some((Verb::Call(Self { flow, with, into, next, too_deep, error }), name.to_owned()))
    }

    pub(crate) fn flow(&self) -> FlowIndex {
        self.flow
    }

    /// Where the call goes on when the flow has come back.
    pub(crate) fn next(&self) -> Pc {
        self.next
    }

    /// Where it goes when the flow could not be called, or brought no result.
    pub(crate) fn failures(&self) -> impl Iterator<Item = Pc> {
        [self.too_deep, self.error].into_iter().flatten()
    }

    pub(super) fn writes(&self) -> Vec<Write<'_>> {
        let into = self.into.iter();
        into.map(|(name, at)| Write { name, at: *at, source: Source::Result(self.flow) }).collect()
    }

    pub(super) fn check(&self, scope: &Scope, faults: &mut Faults<'_>) {
        for Argument { name, kind, value } in &self.with {
            let Some(value) = value else { continue };
            let found = value.check(scope, faults);
            if let (Some(kind), Some(found)) = (kind, found)
                && *kind != found
            {
                let message = format!("`{name}` is {kind}, and this is {found}");
                let hint = "the flow says under `inputs` what it takes; string(…) and int(…) make one of \
                            the other";
                faults.hinted(value.span(), message, hint);
            }
        }
    }

    pub(super) fn may_fail(&self) -> bool {
        self.too_deep.is_none() || self.error.is_none()
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        std::iter::once(self.next).chain(self.failures()).collect()
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        let mut inputs = Vec::new();
        for Argument { name, value, .. } in &self.with {
            match value.as_ref().map(|value| turn.value(value)) {
                Some(Ok(value)) => inputs.push((name.as_str(), value)),
                _ => return self.failed("error", self.error, turn),
            }
        }
        match turn.enter(self.flow, inputs) {
            Some(entry) => Next::Go(entry),
            None => self.failed("too_deep", self.too_deep, turn),
        }
    }

    /// Goes on with what the flow has returned: nothing, a value, or none that could be reckoned.
    pub(super) fn returned(&self, value: Option<Result<Value, String>>, turn: &mut Turn<'_>) -> Next {
        if let Some(Err(_)) = value {
            return self.failed("error", self.error, turn);
        }
        turn.branch("call", "returned");
        if let Some((name, _)) = &self.into {
            match value {
                Some(Ok(value)) => turn.set(name, value),
                _ => turn.clear(name),
            }
        }
        Next::Go(self.next)
    }

    fn failed(&self, branch: &'static str, to: Option<Pc>, turn: &mut Turn<'_>) -> Next {
        turn.branch("call", branch);
        to.map_or_else(|| turn.give_up(), Next::Go)
    }
}

/// The arguments of the inputs, as `with` gives them.
fn arguments(
    with: Option<&Node>,
    at: Span,
    inputs: &[Input],
    compiler: &mut Compiler<'_, '_>,
) -> Vec<Argument> {
    let given = with.map_or(&[][..], |node| node.entries("`with`", compiler.faults));
    let mut arguments = Vec::new();
    for (key, node) in given {
        let value = Expression::parse(node, "an argument", compiler.faults);
        match inputs.iter().find(|input| input.name == key.text) {
            Some(Input { name, kind }) => {
                arguments.push(Argument { name: name.clone(), kind: *kind, value });
            }
            None => {
                let known = inputs.iter().map(|input| input.name.as_str());
                compiler.faults.unknown(key.span, "the flow has no input {}", &key.text, known);
            }
        }
    }
    for Input { name, .. } in inputs {
        if !given.iter().any(|(key, _)| key.text == *name) {
            let hint = format!("write with: {{{name}: …}}");
            compiler.faults.hinted(at, format!("the flow needs `{name}`"), hint);
        }
    }
    arguments
}
