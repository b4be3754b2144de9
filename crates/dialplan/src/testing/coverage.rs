//! Which branches of which steps tests have taken.

use crate::program::{Flow, Handlers, Pc, Program};
use crate::simulate::Path;
use crate::verb::Verb;
use crate::{Client, FlowIndex, StepIndex};
use serde::Serialize;
use std::collections::HashSet;
use std::sync::Arc;

/// What the calls of one client have taken.
#[derive(Clone, Debug, Default)]
pub struct Coverage(HashSet<(StepIndex, Option<Arc<str>>)>);

/// How much of a flow was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FlowCoverage {
    /// Its name.
    pub flow: Arc<str>,
    /// How many branches it has; that a call comes to it counts as one.
    pub branches: usize,
    /// How many of them were taken.
    pub taken: usize,
    /// The others.
    pub missed: Vec<Missed>,
}

/// A branch that no call has taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missed {
    /// Its file.
    pub file: Arc<str>,
    /// Its line, or that of its step where it is not written.
    pub line: u32,
    /// The step, `menu choose`; the flow's first one if no call came to it.
    pub step: Arc<str>,
    /// The branch; `None`: no call came to the flow.
    pub branch: Option<Arc<str>>,
}

impl Coverage {
    /// Takes a call's way.
    pub fn add(&mut self, path: &Path) {
        self.0.extend(path.taken.iter().cloned());
    }

    /// What was taken of each flow, in the order in which they are written.
    pub fn of(&self, client: &Client) -> Vec<FlowCoverage> {
        let program = &client.program;
        let mut flows: Vec<FlowCoverage> = program
            .flows
            .iter()
            .map(|flow| FlowCoverage {
                flow: Arc::clone(&flow.name),
                branches: 0,
                taken: 0,
                missed: Vec::new(),
            })
            .collect();
        for Point { flow, step, line, branch, by } in points(program) {
            let coverage = &mut flows[flow.0];
            coverage.branches += 1;
            if by.into_iter().any(|branch| self.0.contains(&(StepIndex(step.0), branch))) {
                coverage.taken += 1;
                continue;
            }
            let instruction = program.instruction(step);
            let (file, step) = (Arc::clone(&instruction.file), Arc::clone(&instruction.step));
            coverage.missed.push(Missed { file, line, step, branch });
        }
        flows.iter_mut().for_each(|flow| flow.missed.sort_by_key(|missed| missed.line));
        flows
    }
}

/// What can be taken.
struct Point {
    flow: FlowIndex,
    step: Pc,
    line: u32,
    branch: Option<Arc<str>>,
    /// The branches of the step by which it is taken, each enough; `None` is that a call comes to the step.
    by: Vec<Option<Arc<str>>>,
}

impl Point {
    fn branch(program: &Program, step: Pc, line: u32, name: &str) -> Self {
        let branch: Option<Arc<str>> = Some(name.into());
        Self { flow: program.instruction(step).flow, step, line, by: vec![branch.clone()], branch }
    }
}

fn points(program: &Program) -> Vec<Point> {
    let written = program.branches.iter();
    let mut points: Vec<Point> = written
        .map(|branch| Point::branch(program, branch.step, branch.line, &branch.name))
        .chain(entries(program))
        .collect();
    let known: HashSet<_> = points.iter().map(|point| (point.step, point.branch.clone())).collect();
    for (place, instruction) in program.code.iter().enumerate() {
        let of = |name: &str| known.contains(&(Pc(place), Some(name.into())));
        let implied = implied(instruction.verb.name()).iter().filter(|name| !of(name));
        let possible = implied.filter(|_| !is_complete(program, Pc(place)));
        points.extend(possible.map(|name| Point::branch(program, Pc(place), instruction.line, name)));
    }
    for point in &mut points {
        match (program.instruction(point.step).verb.name(), point.branch.as_deref()) {
            // Without a branch of their own, holidays take that of closed days.
            ("hours", Some("closed")) if !known.contains(&(point.step, Some("holiday".into()))) => {
                point.by.push(Some("holiday".into()));
            }
            // Each round has its number in the log.
            ("loop", Some("do")) => point.by.push(Some("1".into())),
            _ => {}
        }
    }
    points
}

/// That a call comes to a flow, and to what it has for failures and for the end.
fn entries(program: &Program) -> impl Iterator<Item = Point> {
    program.flows.iter().enumerate().flat_map(move |(index, flow)| {
        let Handlers { on_error, on_hangup } = flow.handlers;
        let named = |step: Option<Pc>, name: &str| step.map(|step| (step, Some(name.into())));
        [Some((flow.entry, None)), named(on_error, "on_error"), named(on_hangup, "on_hangup")]
            .into_iter()
            .flatten()
            // One without steps does nothing.
            .filter(|(step, _)| !program.instruction(*step).step.is_empty())
            .map(move |(step, branch)| {
                let line = program.instruction(step).line;
                Point { flow: FlowIndex(index), step, line, branch, by: vec![None] }
            })
    })
}

/// Whether the written branches of a step leave nothing for those that are implied.
fn is_complete(program: &Program, step: Pc) -> bool {
    let written = || program.branches.iter().filter(|branch| branch.step == step).map(|branch| &*branch.name);
    match &program.instruction(step).verb {
        // A switch over both truths has no other value.
        Verb::Switch(_) => ["true", "false"].iter().all(|truth| written().any(|name| name == *truth)),
        Verb::Percent(_) => written().filter_map(|share| share.parse::<u32>().ok()).sum::<u32>() == 100,
        Verb::Http(http) => !http.waits(),
        Verb::Call(call) => !comes_back(program, &program.flows[call.flow().0]),
        _ => false,
    }
}

/// Whether a way leads through a sub-flow.
fn comes_back(program: &Program, flow: &Flow) -> bool {
    let mut pending: Vec<Pc> = flow.handlers.on_error.into_iter().chain([flow.entry]).collect();
    let mut seen = HashSet::new();
    while let Some(step) = pending.pop() {
        let verb = &program.instruction(step).verb;
        if matches!(verb, Verb::Return(_)) {
            return true;
        }
        if seen.insert(step) {
            pending.extend(verb.exits());
        }
    }
    false
}

/// Ways through a step that are there whether they are written or not.
pub(crate) fn implied(verb: &str) -> &'static [&'static str] {
    match verb {
        "if" => &["then", "else"],
        "switch" => &["default"],
        "hours" => &["open", "closed"],
        "dial" | "enqueue" | "loop" => &["done"],
        "gather" => &["collected"],
        "call" => &["returned"],
        "http" => &["ok"],
        "lookup" => &["found"],
        "percent" => &["rest"],
        "pin" => &["right"],
        "callback" => &["kept"],
        "voicemail" => &["left"],
        "mailbox" => &["opened"],
        "confirm" => &["yes", "no"],
        _ => &[],
    }
}
