//! `switch`: a branch for each value.

use super::{Step, Verb};
use crate::compile::Compiler;
use crate::expression::{Expression, Scope, Type, never};
use crate::faults::{Faults, Span};
use crate::fields::Fields;
use crate::machine::{Next, Turn};
use crate::program::Pc;

#[derive(Debug)]
pub(crate) struct Switch {
    on: Option<Expression>,
    cases: Vec<Case>,
    default: Pc,
}

#[derive(Debug)]
struct Case {
    value: String,
    at: Span,
    branch: Pc,
}

impl Switch {
    pub(super) fn parse(
        step: &Step<'_>,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        let argument = step.argument(compiler)?;
        let fields = Fields::of(argument, step.at, "`switch`", &["on", "cases", "default"], compiler.faults)?;
        let on = fields.require("on", compiler.faults);
        let mut cases = Vec::new();
        if let Some(node) = fields.require("cases", compiler.faults) {
            let entries = node.entries("`cases`", compiler.faults);
            if entries.is_empty() {
                compiler.faults.error(node.place_or(step.at), "a switch without cases");
            }
            for (key, branch) in entries {
                let branch = compiler.branch(Some(branch), next).unwrap_or(next);
                cases.push(Case { value: key.text.clone(), at: key.span, branch });
            }
        }
        let target = on.map_or(String::new(), |node| node.describe_short());
        let on = on.and_then(|node| Expression::parse(node, "`on`", compiler.faults));
        let default = compiler.branch(fields.get("default"), next).unwrap_or(next);
        Some((Verb::Switch(Self { on, cases, default }), target))
    }

    pub(super) fn check(&self, scope: &Scope, faults: &mut Faults<'_>) {
        let Some(found) = self.on.as_ref().and_then(|on| on.check(scope, faults)) else { return };
        let words = self.on.as_ref().and_then(Expression::words);
        for Case { value, at, .. } in &self.cases {
            if let Some((field, words)) = words.filter(|(_, words)| !words.contains(&value.as_str())) {
                let (message, hint) = never(field, value, words);
                faults.hinted(*at, message, hint);
            }
            let fits = match found {
                Type::Text => true,
                Type::Bool => matches!(value.as_str(), "true" | "false"),
                Type::Int => value.parse::<i64>().is_ok_and(|number| number.to_string() == *value),
                Type::Decimal => false,
            };
            if !fits {
                let message = format!("`on` is {found}, and can never be `{value}`");
                match found {
                    Type::Decimal => faults.hinted(*at, message, "use `if` with < and >"),
                    _ => faults.error(*at, message),
                }
            }
        }
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        self.cases.iter().map(|case| case.branch).chain([self.default]).collect()
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        let value = self.on.as_ref().map(|on| turn.value(on));
        let Some(Ok(value)) = value else {
            turn.branch("switch", "error");
            return Next::Go(self.default);
        };
        let value = value.to_string();
        match self.cases.iter().find(|case| case.value == value) {
            Some(case) => {
                turn.branch("switch", &case.value);
                Next::Go(case.branch)
            }
            None => {
                turn.branch("switch", "default");
                Next::Go(self.default)
            }
        }
    }
}
