//! `if`: one of two branches.

use super::{Step, Verb};
use crate::compile::Compiler;
use crate::expression::{Expression, Scope, Type, Value};
use crate::faults::Faults;
use crate::fields::Fields;
use crate::machine::{Next, Turn};
use crate::program::Pc;

#[derive(Debug)]
pub(crate) struct If {
    when: Option<Expression>,
    then: Pc,
    otherwise: Pc,
}

impl If {
    pub(super) fn parse(
        step: &Step<'_>,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        let argument = step.argument(compiler)?;
        let fields = Fields::of(argument, step.at, "`if`", &["when", "then", "else"], compiler.faults)?;
        let when = fields.require("when", compiler.faults);
        if fields.get("then").is_none() && fields.get("else").is_none() {
            compiler.faults.error(step.at, "`if` needs a `then` or an `else`");
        }
        let branch = Self {
            when: when.and_then(|node| Expression::parse(node, "`when`", compiler.faults)),
            then: compiler.branch(fields.get("then"), next).unwrap_or(next),
            otherwise: compiler.branch(fields.get("else"), next).unwrap_or(next),
        };
        let target = when.map_or(String::new(), |node| node.describe_short());
        Some((Verb::If(branch), target))
    }

    pub(super) fn check(&self, scope: &Scope, faults: &mut Faults<'_>) {
        let Some(when) = &self.when else { return };
        if let Some(found) = when.check(scope, faults).filter(|found| *found != Type::Bool) {
            faults.hinted(
                when.span(),
                format!("`when` is a condition, and this is {found}"),
                "compare it with something: … == '1234'",
            );
        }
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        vec![self.then, self.otherwise]
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        let holds = self.when.as_ref().map(|when| turn.value(when));
        let (name, next) = match holds {
            Some(Ok(Value::Bool(true))) => ("then", self.then),
            Some(Ok(_)) => ("else", self.otherwise),
            _ => ("error", self.otherwise),
        };
        turn.branch("if", name);
        Next::Go(next)
    }
}
