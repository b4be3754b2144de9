//! `agent`: whoever calls logs in as an agent, pauses, is ready again.

use super::{Step, Verb};
use crate::compile::Compiler;
use crate::expression::{Expression, Scope, Type};
use crate::faults::Faults;
use crate::fields::Fields;
use crate::machine::{AgentAction, Effect, Event, Next, Turn, Wait};
use crate::program::Pc;
use crate::yaml::Value;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Agent {
    action: AgentAction,
    /// Which agent; without it, the one whose phone calls.
    number: Option<Expression>,
    pin: Option<Expression>,
    done: Pc,
    failed: Pc,
}

impl Agent {
    pub(super) fn parse(
        step: &Step<'_>,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        const KNOWN: [&str; 5] = ["do", "number", "pin", "reason", "failed"];
        let argument = step.argument(compiler)?;
        if let Value::Scalar { text, .. } = &argument.value {
            let action = action(text, argument, None, compiler)?;
            let plain = Self { action, number: None, pin: None, done: next, failed: next };
            return Some((Verb::Agent(plain), text.clone()));
        }
        let fields = Fields::of(argument, step.at, "`agent`", &KNOWN, compiler.faults)?;
        let node = fields.require("do", compiler.faults)?;
        let word = node.text("`do`", compiler.faults)?;
        let reason = fields.get("reason").and_then(|node| node.text("`reason`", compiler.faults));
        let action = action(word, node, reason, compiler)?;
        let number = fields.get("number").and_then(|it| Expression::parse(it, "`number`", compiler.faults));
        let pin = fields.get("pin").and_then(|it| Expression::parse(it, "`pin`", compiler.faults));
        if number.is_some() != pin.is_some() {
            compiler.faults.error(step.at, "`number` and `pin` go together: who says who it is proves it");
        }
        let failed = compiler.branch(fields.get("failed"), next).unwrap_or(next);
        Some((Verb::Agent(Self { action, number, pin, done: next, failed }), word.to_owned()))
    }

    pub(super) fn check(&self, scope: &Scope, faults: &mut Faults<'_>) {
        for (name, expression) in [("number", &self.number), ("pin", &self.pin)] {
            let Some(expression) = expression else { continue };
            if let Some(found) = expression.check(scope, faults).filter(|found| *found != Type::Text) {
                faults.error(expression.span(), format!("`{name}` is {found}, and has to be {}", Type::Text));
            }
        }
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        vec![self.done, self.failed]
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        let text = |expression: &Option<Expression>| -> Option<Arc<str>> {
            Some(turn.value(expression.as_ref()?).ok()?.to_string().into())
        };
        let (agent, pin) = (text(&self.number), text(&self.pin));
        turn.out.push(Effect::Agent { action: self.action.clone(), agent, pin });
        Next::Wait(Wait::Agent)
    }

    pub(super) fn resume(&self, event: Event, turn: &mut Turn<'_>) -> Next {
        match event {
            Event::AgentDone(true) => Next::Go(self.done),
            Event::AgentDone(false) => {
                turn.branch("agent", "failed");
                Next::Go(self.failed)
            }
            _ => Next::Wait(Wait::Agent),
        }
    }
}

fn action(
    word: &str,
    node: &crate::yaml::Node,
    reason: Option<&str>,
    compiler: &mut Compiler<'_, '_>,
) -> Option<AgentAction> {
    const WORDS: [&str; 5] = ["login", "logout", "pause", "ready", "finish"];
    Some(match word {
        "login" => AgentAction::LogIn,
        "logout" => AgentAction::LogOut,
        "pause" => AgentAction::Pause { reason: reason.unwrap_or("pause").into() },
        "ready" => AgentAction::Ready,
        "finish" => AgentAction::FinishWrapUp,
        other => {
            compiler.faults.unknown(node.span, "agents cannot {}", other, WORDS.into_iter());
            return None;
        }
    })
}
