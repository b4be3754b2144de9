//! `dial`: rings users, SIP addresses and numbers, and bridges the first that answers.

use super::{Step, Verb};
use crate::CallerId;
use crate::compile::Compiler;
use crate::fields::Fields;
use crate::machine::{DialMode, DialResult, Effect, Next, Ringback, Target, Turn, Wait};
use crate::program::Pc;
use crate::yaml::{Node, Value};
use clock::Duration;

#[derive(Debug)]
pub(crate) struct Dial {
    targets: Vec<Target>,
    mode: DialMode,
    timeout: Duration,
    ringback: Ringback,
    caller_id: Option<CallerId>,
    done: Pc,
    /// A failure without a branch ends the call: rejected with its status, or hung up if it is answered.
    busy: Option<Pc>,
    no_answer: Option<Pc>,
    failed: Option<Pc>,
}

/// More legs for one call than that is a mistake.
const MOST_TARGETS: usize = 32;

impl Dial {
    pub(super) fn parse(
        step: &Step<'_>,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        const KNOWN: [&str; 9] =
            ["to", "mode", "timeout", "ringback", "caller_id", "busy", "no_answer", "failed", "done"];
        let argument = step.argument(compiler)?;
        let is_short = match &argument.value {
            Value::Map(entries) => entries.iter().any(|(key, _)| key.text == "number"),
            _ => true,
        };
        if is_short {
            let (targets, text) = targets(argument, step, compiler);
            return Some((Verb::Dial(Self::plain(targets, next)), text));
        }
        let fields = Fields::of(argument, step.at, "`dial`", &KNOWN, compiler.faults)?;
        let (targets, text) = match fields.require("to", compiler.faults) {
            Some(node) => targets(node, step, compiler),
            None => (Vec::new(), String::new()),
        };
        let mode = fields.get("mode").and_then(|node| mode(node, compiler));
        let timeout = fields.get("timeout").and_then(|node| node.duration("`timeout`", compiler.faults));
        let ringback = fields.get("ringback").and_then(|node| ringback(node, compiler));
        let plain = Self::plain(targets, next);
        let dial = Self {
            mode: mode.unwrap_or(plain.mode),
            timeout: timeout.unwrap_or(plain.timeout),
            ringback: ringback.unwrap_or(Ringback::Far),
            caller_id: fields.get("caller_id").and_then(|node| compiler.caller_id(node)),
            done: compiler.branch(fields.get("done"), next).unwrap_or(next),
            busy: compiler.branch(fields.get("busy"), next),
            no_answer: compiler.branch(fields.get("no_answer"), next),
            failed: compiler.branch(fields.get("failed"), next),
            ..plain
        };
        Some((Verb::Dial(dial), text))
    }

    fn plain(targets: Vec<Target>, next: Pc) -> Self {
        Self {
            targets,
            mode: DialMode::Parallel,
            timeout: Duration::from_secs(30),
            ringback: Ringback::Far,
            caller_id: None,
            done: next,
            busy: None,
            no_answer: None,
            failed: None,
        }
    }

    /// The successors, the one after an answered call first.
    pub(super) fn exits(&self) -> Vec<Pc> {
        [Some(self.done), self.busy, self.no_answer, self.failed].into_iter().flatten().collect()
    }

    pub(super) fn may_fail(&self) -> bool {
        [self.busy, self.no_answer, self.failed].contains(&None)
    }

    /// Whom it rings.
    pub(crate) fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Where the call goes once it was answered by a target.
    pub(crate) fn done(&self) -> Pc {
        self.done
    }

    /// Where it goes when no target answered.
    pub(crate) fn failures(&self) -> impl Iterator<Item = Pc> {
        [self.busy, self.no_answer, self.failed].into_iter().flatten()
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        // What is pressed from here on is meant for the other party.
        turn.call.typed_ahead.clear();
        let targets = self.targets.iter().map(|target| match target {
            Target::Dialled { trunks } => Target::Number {
                number: crate::normalized(&turn.call.info().to).into(),
                trunks: trunks.clone(),
            },
            target => target.clone(),
        });
        let targets = targets.collect();
        turn.out.push(Effect::Dial {
            targets,
            mode: self.mode,
            timeout: self.timeout,
            ringback: match &self.ringback {
                Ringback::Prompt(file) => Ringback::Prompt(turn.translated(std::sync::Arc::clone(file))),
                other => other.clone(),
            },
            caller_id: self.caller_id.clone(),
        });
        Next::Wait(Wait::Dial)
    }

    pub(super) fn resume(&self, result: DialResult, turn: &mut Turn<'_>) -> Next {
        let (name, branch, status) = match result {
            DialResult::Done => {
                turn.call.answered = true;
                turn.branch("dial", "done");
                return Next::Go(self.done);
            }
            DialResult::Busy => ("busy", self.busy, 486),
            DialResult::NoAnswer => ("no_answer", self.no_answer, 480),
            DialResult::Failed(status) => ("failed", self.failed, status),
        };
        turn.branch("dial", name);
        match branch {
            Some(branch) => Next::Go(branch),
            None => turn.last_resort().unwrap_or_else(|| turn.end(status)),
        }
    }
}

fn mode(node: &Node, compiler: &mut Compiler<'_, '_>) -> Option<DialMode> {
    match node.text("`mode`", compiler.faults)? {
        "parallel" => Some(DialMode::Parallel),
        "sequential" => Some(DialMode::Sequential),
        other => {
            compiler.faults.unknown(
                node.span,
                "unknown mode {}",
                other,
                ["parallel", "sequential"].into_iter(),
            );
            None
        }
    }
}

/// `far`, `tone`, or a prompt.
fn ringback(node: &Node, compiler: &mut Compiler<'_, '_>) -> Option<Ringback> {
    match &node.value {
        Value::Scalar { text, .. } if text == "far" => Some(Ringback::Far),
        Value::Scalar { text, .. } if text == "tone" => Some(Ringback::Tone),
        Value::Scalar { .. } => compiler.prompts(node).0.pop().map(Ringback::Prompt),
        _ => {
            let message = format!("`ringback` is {}", node.describe());
            compiler.faults.hinted(node.span, message, "write `far`, `tone`, or the name of one prompt");
            None
        }
    }
}

fn targets(node: &Node, step: &Step<'_>, compiler: &mut Compiler<'_, '_>) -> (Vec<Target>, String) {
    let items = node.items();
    if items.is_empty() || items.len() > MOST_TARGETS {
        let message = format!("`dial` needs 1 to {MOST_TARGETS} targets, and this has {}", items.len());
        compiler.faults.error(node.place_or(step.at), message);
    }
    let targets: Vec<Target> = items.iter().filter_map(|item| compiler.target(item)).collect();
    let text = targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    (targets, text)
}
