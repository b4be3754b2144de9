//! What is wrong with flows that are well written step by step: steps that nobody reaches, prompts before
//! the call is answered, loops and sub-flows without end.

use crate::FlowIndex;
use crate::compile::Compiled;
use crate::faults::Faults;
use crate::program::{Flow, Pc, Program};
use crate::verb::Verb;
use std::collections::{BTreeSet, HashSet};

/// Whether a call may be at an instruction unanswered, and answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Reached {
    unanswered: bool,
    answered: bool,
}

impl Reached {
    fn is(self, answered: bool) -> bool {
        if answered { self.answered } else { self.unanswered }
    }
}

/// Notes what is wrong. `entered` are the flows that a number leads to.
pub(crate) fn analyse(compiled: &Compiled, entered: &HashSet<FlowIndex>, faults: &mut Faults<'_>) {
    let program = &compiled.program;
    let reached = reach(program, entered);
    unreachable(compiled, &reached, faults);
    unanswered(program, &reached, faults);
    endless(program, &reached, faults);
    bottomless(program, faults);
    after_the_end(program, faults);
}

/// Walks from every flow's beginning. A flow that no number and no `goto` leads to is walked as if one did, and a sub-flow
/// that no step calls as if an answered call did.
fn reach(program: &Program, entered: &HashSet<FlowIndex>) -> Vec<Reached> {
    let mut reached = vec![Reached::default(); program.code.len()];
    let is_entered = |index: usize| entered.contains(&FlowIndex(index));
    for (_, flow) in program.flows.iter().enumerate().filter(|(index, _)| is_entered(*index)) {
        walk(program, (flow.entry, false), &mut reached);
    }
    let on_hangup = program.flows.iter().filter_map(|flow| flow.handlers.on_hangup);
    for handler in on_hangup.chain(program.handlers.on_hangup) {
        walk(program, (handler, true), &mut reached);
    }
    let (called, others): (Vec<_>, Vec<_>) = program.flows.iter().partition(|flow| flow.inputs.is_some());
    for (flow, answered) in
        others.into_iter().map(|it| (it, false)).chain(called.into_iter().map(|it| (it, true)))
    {
        if reached[flow.entry.0] == Reached::default() {
            walk(program, (flow.entry, answered), &mut reached);
        }
    }
    reached
}

/// Walks on from a place, until sub-flows have come back to all steps that call them.
fn walk(program: &Program, entry: (Pc, bool), reached: &mut [Reached]) {
    let mut pending = vec![entry];
    let last_resorts = last_resorts(program);
    while !pending.is_empty() {
        step_on(program, &last_resorts, pending, reached);
        pending = come_back(program, reached);
        pending.retain(|(pc, answered)| !reached[pc.0].is(*answered));
    }
}

/// Where calls go on behind a `call`: answered if the sub-flow ends answered, unanswered if it can be gone through so.
fn come_back(program: &Program, reached: &[Reached]) -> Vec<(Pc, bool)> {
    let mut ends = vec![Reached::default(); program.flows.len()];
    for (instruction, reached) in program.code.iter().zip(reached) {
        if let Verb::Return(_) = &instruction.verb {
            let end = &mut ends[instruction.flow.0];
            end.unanswered |= reached.unanswered;
            end.answered |= reached.answered;
        }
    }
    let mut back = Vec::new();
    for (instruction, reached) in program.code.iter().zip(reached) {
        let Verb::Call(call) = &instruction.verb else { continue };
        let end = ends[call.flow().0];
        if reached.unanswered && end.unanswered {
            back.push((call.next(), false));
        }
        if (reached.unanswered || reached.answered) && end.answered {
            back.push((call.next(), true));
        }
    }
    back
}

/// For each flow, where failures without a branch may lead: to its own handler, or to those of the flows that call it, or to
/// that of the client.
fn last_resorts(program: &Program) -> Vec<BTreeSet<Pc>> {
    let own = |flow: &Flow| match (flow.handlers.on_error, &flow.inputs) {
        (Some(own), _) => BTreeSet::from([own]),
        (None, None) => program.handlers.on_error.into_iter().collect(),
        (None, Some(_)) => BTreeSet::new(),
    };
    let mut found: Vec<BTreeSet<Pc>> = program.flows.iter().map(own).collect();
    loop {
        let mut grown = false;
        for instruction in &program.code {
            let Verb::Call(call) = &instruction.verb else { continue };
            if program.flows[call.flow().0].handlers.on_error.is_none() {
                let handlers = found[instruction.flow.0].clone();
                let before = found[call.flow().0].len();
                found[call.flow().0].extend(handlers);
                grown |= found[call.flow().0].len() > before;
            }
        }
        if !grown {
            return found;
        }
    }
}

fn step_on(
    program: &Program,
    last_resorts: &[BTreeSet<Pc>],
    mut pending: Vec<(Pc, bool)>,
    reached: &mut [Reached],
) {
    while let Some((pc, answered)) = pending.pop() {
        let seen = &mut reached[pc.0];
        let seen = if answered { &mut seen.answered } else { &mut seen.unanswered };
        if std::mem::replace(seen, true) {
            continue;
        }
        let instruction = program.instruction(pc);
        if instruction.verb.may_fail() {
            let answered = answered || instruction.verb.needs_answer();
            pending.extend(last_resorts[instruction.flow.0].iter().map(|pc| (*pc, answered)));
        }
        match &instruction.verb {
            Verb::Dial(dial) => {
                pending.push((dial.done(), true));
                pending.extend(dial.failures().map(|pc| (pc, answered)));
            }
            Verb::Call(call) => {
                pending.push((program.flows[call.flow().0].entry, answered));
                pending.extend(call.failures().map(|pc| (pc, answered)));
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
    let slow = slow_flows(program);
    let comes_out = closure(program, |verb, comes_out| {
        let takes_time = match verb {
            Verb::Call(call) => slow.contains(&call.flow()),
            verb => verb.waits(),
        };
        takes_time || leads_out(verb, comes_out)
    });
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

/// Flows in which time may pass, be it in one that they call.
fn slow_flows(program: &Program) -> HashSet<FlowIndex> {
    let mut slow = HashSet::new();
    loop {
        let before = slow.len();
        for instruction in &program.code {
            let is_slow = match &instruction.verb {
                Verb::Call(call) => slow.contains(&call.flow()),
                verb => verb.waits(),
            };
            if is_slow {
                slow.insert(instruction.flow);
            }
        }
        if slow.len() == before {
            return slow;
        }
    }
}

/// A sub-flow that always calls itself, or another that calls it, ends only because it is too deep.
fn bottomless(program: &Program, faults: &mut Faults<'_>) {
    let ends = closure(program, leads_out);
    let ends_called = closure(program, |verb, ends| match verb {
        Verb::Call(call) => ends[program.flows[call.flow().0].entry.0] && ends[call.next().0],
        verb => leads_out(verb, ends),
    });
    let mut found: Vec<_> = program.code.iter().enumerate().collect();
    found.sort_by_key(|(_, instruction)| instruction.at);
    let mut noted = HashSet::new();
    for (place, instruction) in found {
        let flow = &program.flows[instruction.flow.0];
        // A flow that cannot be called is not the one to blame.
        let is_bottomless = flow.inputs.is_some() && ends[flow.entry.0] && !ends_called[flow.entry.0];
        if let Verb::Call(call) = &instruction.verb
            && is_bottomless
            && !ends_called[place]
            && !ends_called[program.flows[call.flow().0].entry.0]
            && noted.insert(instruction.flow)
        {
            let hint = "let there be a way through that flow without a call of it";
            faults.hinted(instruction.at, "from here flows call each other for ever", hint);
        }
    }
}

fn leads_out(verb: &Verb, comes_out: &[bool]) -> bool {
    let exits = verb.exits();
    exits.is_empty() || exits.iter().any(|pc| comes_out[pc.0])
}

/// For each instruction whether `holds`, which depends on what holds for others.
fn closure(program: &Program, holds: impl Fn(&Verb, &[bool]) -> bool) -> Vec<bool> {
    let mut held = vec![false; program.code.len()];
    loop {
        let mut grown = false;
        for (place, instruction) in program.code.iter().enumerate() {
            if !held[place] && holds(&instruction.verb, &held) {
                held[place] = true;
                grown = true;
            }
        }
        if !grown {
            return held;
        }
    }
}

/// Notes steps of `on_hangup` that need a caller.
fn after_the_end(program: &Program, faults: &mut Faults<'_>) {
    let flows = program.flows.iter().filter_map(|flow| flow.handlers.on_hangup);
    // Each with whether it is in the handler itself, and not in a sub-flow that this calls.
    let mut pending: Vec<(Pc, bool)> = flows.chain(program.handlers.on_hangup).map(|pc| (pc, true)).collect();
    let mut seen = HashSet::new();
    while let Some((pc, own)) = pending.pop() {
        if !seen.insert((pc, own)) {
            continue;
        }
        let instruction = program.instruction(pc);
        match &instruction.verb {
            verb if verb.needs_caller() => {
                let message = format!("the caller has gone: `{}` can do nothing any more", verb.name());
                let hint = "what is done then reckons and branches: set, if, switch, hours, lookup, kv, percent, loop, call, and \
                     http with `wait: false`";
                faults.hinted(instruction.at, message, hint);
                continue;
            }
            Verb::Return(_) if own => {
                let message = "the caller has gone: nobody goes on behind this";
                faults.hinted(instruction.at, message, "leave it out, or write `- hangup`");
            }
            Verb::Call(call) => pending.push((program.flows[call.flow().0].entry, false)),
            _ => {}
        }
        pending.extend(instruction.verb.exits().into_iter().map(|pc| (pc, own)));
    }
}
