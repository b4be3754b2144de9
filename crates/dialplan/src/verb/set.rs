//! `set`: variables, each from an expression, in the order in which they are written.

use super::{Step, Verb};
use crate::compile::Compiler;
use crate::expression::{CALL_LANGUAGE, Expression, Scope};
use crate::faults::{Faults, Span};
use crate::machine::{Next, Turn};
use crate::program::Pc;
use crate::types::{Source, Write};

#[derive(Debug)]
pub(crate) struct Set {
    assignments: Vec<Assignment>,
    next: Pc,
}

/// One variable and its value.
#[derive(Debug)]
struct Assignment {
    name: String,
    at: Span,
    /// `None` when it could not be read: the name exists, and its type is not known.
    value: Option<Expression>,
}

impl Set {
    pub(super) fn parse(
        step: &Step<'_>,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        let argument = step.argument(compiler)?;
        let entries = argument.entries("`set`", compiler.faults);
        if entries.is_empty() {
            compiler.faults.hinted(step.at, "`set` sets nothing", "write set: {vip: account == '1234'}");
        }
        let mut assignments = Vec::new();
        for (key, node) in entries {
            let value = Expression::parse(node, "a value", compiler.faults);
            let name = if key.text == CALL_LANGUAGE {
                known_language(value.as_ref(), compiler);
                Some(key.text.clone())
            } else {
                compiler.variable(&key.text, key.span)
            };
            assignments.extend(name.map(|name| Assignment { name, at: key.span, value }));
        }
        let target = assignments.iter().map(|a| a.name.as_str()).collect::<Vec<_>>().join(",");
        Some((Verb::Set(Self { assignments, next }), target))
    }

    pub(super) fn writes(&self) -> Vec<Write<'_>> {
        let assignments = self.assignments.iter();
        assignments
            .map(|Assignment { name, at, value }| Write {
                name,
                at: *at,
                source: Source::Value(value.as_ref()),
            })
            .collect()
    }

    pub(super) fn check(&self, scope: &Scope, faults: &mut Faults<'_>) {
        for assignment in &self.assignments {
            let Some(value) = &assignment.value else { continue };
            let Some(found) = value.check(scope, faults) else { continue };
            let holds = scope.variables.get(&assignment.name).copied().flatten();
            if let Some(holds) = holds.filter(|holds| *holds != found) {
                let name = &assignment.name;
                faults.hinted(
                    value.span(),
                    format!("`{name}` is {holds} elsewhere, and this is {found}"),
                    "a variable keeps one type: use another name",
                );
            }
        }
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        vec![self.next]
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        for Assignment { name, value, .. } in &self.assignments {
            match value.as_ref().map(|value| turn.value(value)) {
                Some(Ok(value)) if name != CALL_LANGUAGE => turn.set(name, value),
                Some(Ok(value)) if turn.speak(&value) => {}
                // The variable keeps what it had.
                _ => {
                    turn.branch("set", "error");
                    if let Some(handler) = turn.last_resort() {
                        return handler;
                    }
                }
            }
        }
        Next::Go(self.next)
    }
}

/// Notes a language that no call of the client is in.
fn known_language(value: Option<&Expression>, compiler: &mut Compiler<'_, '_>) {
    let Some((value, language)) = value.and_then(|value| Some((value, value.literal()?))) else { return };
    let known = compiler.prompt_sets().languages.clone();
    if !known.iter().any(|known| &**known == language) {
        let hint = format!("add it in client: {{languages: [{}, {language}]}}", known.join(", "));
        compiler.faults.hinted(value.span(), format!("the client has no language `{language}`"), hint);
    }
}
