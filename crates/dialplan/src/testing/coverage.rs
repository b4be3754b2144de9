//! Which branches of which steps tests have taken.

use crate::program::{Pc, Program};
use crate::simulate::Path;
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
        for Point { flow, step, line, branch, also } in points(program) {
            let coverage = &mut flows[flow.0];
            coverage.branches += 1;
            let taken = |branch: Option<&str>| self.0.contains(&(StepIndex(step.0), branch.map(Arc::from)));
            if taken(branch.as_deref()) || also.is_some_and(|also| taken(Some(also))) {
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
    /// Another name by which it is taken.
    also: Option<&'static str>,
}

fn points(program: &Program) -> Vec<Point> {
    let entries = program.flows.iter().enumerate().map(|(index, flow)| {
        let line = program.instruction(flow.entry).line;
        Point { flow: FlowIndex(index), step: flow.entry, line, branch: None, also: None }
    });
    let written = program.branches.iter().map(|branch| {
        let flow = program.instruction(branch.step).flow;
        Point {
            flow,
            step: branch.step,
            line: branch.line,
            branch: Some(Arc::clone(&branch.name)),
            also: None,
        }
    });
    let mut points: Vec<Point> = entries.chain(written).collect();
    let known: HashSet<_> = points.iter().map(|point| (point.step, point.branch.clone())).collect();
    for (place, instruction) in program.code.iter().enumerate() {
        let of = |name: &str| known.contains(&(Pc(place), Some(name.into())));
        // A switch over both truths has no other value.
        let is_complete = instruction.verb.name() == "switch" && of("true") && of("false");
        let implied = implied(instruction.verb.name()).iter().filter(|name| !of(name) && !is_complete);
        points.extend(implied.map(|name| Point {
            flow: instruction.flow,
            step: Pc(place),
            line: instruction.line,
            branch: Some((*name).into()),
            also: None,
        }));
    }
    // Without a branch of their own, holidays take that of closed days.
    for point in &mut points {
        let is_closed = program.instruction(point.step).verb.name() == "hours"
            && point.branch.as_deref() == Some("closed");
        if is_closed && !known.contains(&(point.step, Some("holiday".into()))) {
            point.also = Some("holiday");
        }
    }
    points
}

/// Ways through a step that are there whether they are written or not.
pub(crate) fn implied(verb: &str) -> &'static [&'static str] {
    match verb {
        "if" => &["then", "else"],
        "switch" => &["default"],
        "hours" => &["open", "closed"],
        "dial" => &["done"],
        "gather" => &["collected"],
        _ => &[],
    }
}
