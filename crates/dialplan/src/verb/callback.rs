//! `callback`: the caller is called back when it is its turn in a queue, and need not wait on the line.

use super::{Step, Verb};
use crate::compile::Compiler;
use crate::expression::{Expression, Scope, Type};
use crate::faults::Faults;
use crate::fields::Fields;
use crate::machine::{CallbackResult, Effect, Event, Next, Turn, Wait};
use crate::program::Pc;
use crate::yaml::Value;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Callback {
    /// Its name within the client.
    queue: Arc<str>,
    /// The number to be called; the caller's without it.
    number: Option<Expression>,
    kept: Pc,
    duplicate: Pc,
    failed: Option<Pc>,
}

impl Callback {
    pub(super) fn parse(
        step: &Step<'_>,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        const KNOWN: [&str; 4] = ["queue", "number", "duplicate", "failed"];
        let argument = step.argument(compiler)?;
        if let Value::Scalar { .. } = argument.value {
            let queue = compiler.callback_queue(argument)?;
            let target = queue.to_string();
            let plain = Self { queue, number: None, kept: next, duplicate: next, failed: None };
            return Some((Verb::Callback(plain), target));
        }
        let fields = Fields::of(argument, step.at, "`callback`", &KNOWN, compiler.faults)?;
        let named = fields.require("queue", compiler.faults)?;
        let queue = compiler.callback_queue(named)?;
        let target = queue.to_string();
        let number = fields.get("number").and_then(|it| Expression::parse(it, "`number`", compiler.faults));
        let duplicate = compiler.branch(fields.get("duplicate"), next).unwrap_or(next);
        let failed = compiler.branch(fields.get("failed"), next);
        Some((Verb::Callback(Self { queue, number, kept: next, duplicate, failed }), target))
    }

    pub(super) fn check(&self, scope: &Scope, faults: &mut Faults<'_>) {
        let Some(number) = &self.number else { return };
        if let Some(found) = number.check(scope, faults).filter(|found| *found != Type::Text) {
            faults.error(number.span(), format!("`number` is {found}, and has to be {}", Type::Text));
        }
    }

    pub(super) fn may_fail(&self) -> bool {
        self.failed.is_none()
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        [self.kept, self.duplicate].into_iter().chain(self.failed).collect()
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        let number = match &self.number {
            Some(number) => turn.value(number).map_or_else(|_| "".into(), |value| value.to_string().into()),
            None => Arc::clone(&turn.call.info().from),
        };
        let (queue, language) = (Arc::clone(&self.queue), turn.language());
        turn.out.push(Effect::CallBack { queue, number, language });
        Next::Wait(Wait::Callback)
    }

    pub(super) fn resume(&self, event: Event, turn: &mut Turn<'_>) -> Next {
        match event {
            Event::CallbackDone(CallbackResult::Kept) => {
                turn.branch("callback", "kept");
                Next::Go(self.kept)
            }
            Event::CallbackDone(CallbackResult::Duplicate) => {
                turn.branch("callback", "duplicate");
                Next::Go(self.duplicate)
            }
            Event::CallbackDone(CallbackResult::Failed) => {
                turn.branch("callback", "failed");
                turn.failed(self.failed, self.kept)
            }
            _ => Next::Wait(Wait::Callback),
        }
    }
}
