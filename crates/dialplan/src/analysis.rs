//! What is wrong with flows that are well written step by step: steps that nobody reaches, prompts before
//! the call is answered, loops without end.

use crate::FlowIndex;
use crate::compile::Compiled;
use crate::faults::Faults;
use crate::program::{Pc, Program};
use crate::verb::Verb;
use std::collections::HashSet;

/// Whether a call may be at an instruction unanswered, and answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Reached {
    unanswered: bool,
    answered: bool,
}

/// Notes what is wrong. `entered` are the flows that a number leads to.
pub(crate) fn analyse(compiled: &Compiled, entered: &HashSet<FlowIndex>, faults: &mut Faults<'_>) {
    let program = &compiled.program;
    let reached = reach(program, entered);
    unreachable(compiled, &reached, faults);
    unanswered(program, &reached, faults);
    endless(program, &reached, faults);
}

/// Walks from every flow's beginning. A flow that no number and no `goto` leads to is walked as if one did.
fn reach(program: &Program, entered: &HashSet<FlowIndex>) -> Vec<Reached> {
    let mut reached = vec![Reached::default(); program.code.len()];
    let is_entered = |index: usize| entered.contains(&FlowIndex(index));
    for (_, flow) in program.flows.iter().enumerate().filter(|(index, _)| is_entered(*index)) {
        walk(program, flow.entry, &mut reached);
    }
    for flow in &program.flows {
        if reached[flow.entry.0] == Reached::default() {
            walk(program, flow.entry, &mut reached);
        }
    }
    reached
}

fn walk(program: &Program, entry: Pc, reached: &mut [Reached]) {
    let mut pending = vec![(entry, false)];
    while let Some((pc, answered)) = pending.pop() {
        let seen = &mut reached[pc.0];
        let seen = if answered { &mut seen.answered } else { &mut seen.unanswered };
        if std::mem::replace(seen, true) {
            continue;
        }
        match &program.instruction(pc).verb {
            Verb::Dial(dial) => {
                pending.push((dial.done(), true));
                pending.extend(dial.failures().map(|pc| (pc, answered)));
            }
            // A prompt before the answer is noted once, not again for each step behind it.
            verb => {
                let answers = matches!(verb, Verb::Answer(_)) || verb.needs_answer();
                pending.extend(verb.exits().into_iter().map(|pc| (pc, answered || answers)));
            }
        }
    }
}

fn unreachable(compiled: &Compiled, reached: &[Reached], faults: &mut Faults<'_>) {
    let is_reached = |pc: Pc| reached[pc.0] != Reached::default();
    for (before, after) in &compiled.followers {
        if is_reached(*before) && !is_reached(*after) {
            let before = &compiled.program.instruction(*before).step;
            let verb = before.split(' ').next().unwrap_or_default();
            let step = &compiled.program.instruction(*after);
            let hint =
                format!("every way through the `{verb}` above leads elsewhere; a `label` makes a way in");
            faults.hinted(step.at, "no call ever reaches this step", hint);
        }
    }
}

/// Waits until every step is understood: a misspelt `answer`, or the `goto` that leads here, would be blamed twice.
fn unanswered(program: &Program, reached: &[Reached], faults: &mut Faults<'_>) {
    if program.code.iter().any(|instruction| matches!(instruction.verb, Verb::Faulty(_))) {
        return;
    }
    for (instruction, reached) in program.code.iter().zip(reached) {
        let name = instruction.verb.name();
        if instruction.verb.needs_answer() && reached.unanswered {
            let message = format!("`{name}` needs an answered call, and this one may not be answered yet");
            faults.hinted(instruction.at, message, "put `- answer` before it");
        }
        if let (Verb::Reject(_), Reached { unanswered: false, answered: true }) = (&instruction.verb, reached)
        {
            faults.hinted(instruction.at, "an answered call cannot be rejected", "use `hangup`");
        }
    }
}

/// A step from which neither an end nor a step that takes time can be reached is in a loop for ever.
fn endless(program: &Program, reached: &[Reached], faults: &mut Faults<'_>) {
    let mut comes_out: Vec<bool> = program
        .code
        .iter()
        .map(|instruction| instruction.verb.waits() || instruction.verb.exits().is_empty())
        .collect();
    loop {
        let mut grown = false;
        for (place, instruction) in program.code.iter().enumerate() {
            if !comes_out[place] && instruction.verb.exits().iter().any(|pc| comes_out[pc.0]) {
                comes_out[place] = true;
                grown = true;
            }
        }
        if !grown {
            break;
        }
    }
    let endless = program
        .code
        .iter()
        .enumerate()
        .filter(|(place, _)| !comes_out[*place] && reached[*place] != Reached::default());
    let mut noted = HashSet::new();
    let mut found: Vec<_> = endless.map(|(_, instruction)| instruction).collect();
    found.sort_by_key(|instruction| instruction.at);
    for instruction in found {
        if noted.insert(instruction.flow) {
            let hint = "let the caller hear or press something in the loop, or leave it";
            faults.hinted(instruction.at, "from here the flow runs in circles for ever", hint);
        }
    }
}
