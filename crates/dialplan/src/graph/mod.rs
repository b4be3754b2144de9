//! A flow as a picture: its steps, the branches between them, and the flows that it goes to.

mod layout;
mod mermaid;
mod svg;

use crate::faults::nearest;
use crate::program::{Pc, Program};
use crate::testing::implied;
use crate::verb::Verb;
use crate::{Client, Config};
use std::collections::HashMap;

/// Steps and branches that a call can take from the beginning of a flow. Jumps and labels are edges, not steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    pub(crate) vertices: Vec<Vertex>,
    pub(crate) edges: Vec<Edge>,
}

/// What stands at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vertex {
    pub(crate) kind: Kind,
    /// The flow's name, or the verb with its target; empty for an end.
    pub(crate) text: String,
    /// `file:line` of a step.
    pub(crate) place: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// The beginning of a flow.
    Flow,
    Step,
    /// Behind the last step.
    End,
}

/// One way from a step to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// The branches that lead there; empty for what simply follows.
    pub(crate) label: String,
    /// Whether they are failures.
    pub(crate) is_failure: bool,
}

/// Branches by which something has not gone as meant.
const FAILURES: [&str; 12] = [
    "busy",
    "no_answer",
    "failed",
    "error",
    "invalid",
    "no_input",
    "max_tries",
    "timeout",
    "full",
    "no_agents",
    "too_deep",
    "missing",
];

impl Graph {
    /// The graph of a flow, `main`, or `acme/main` where several clients have one of that name.
    ///
    /// # Errors
    /// There is no such flow; with the nearest. Or several clients have it.
    pub fn of(config: &Config, flow: &str) -> Result<Self, String> {
        let (client, name) = flow.split_once('/').map_or((None, flow), |(client, name)| (Some(client), name));
        let clients = || config.clients.iter().filter(|it| client.is_none_or(|client| *it.id == *client));
        let found = clients().filter_map(|client| Some((client, entry(client, name)?))).collect::<Vec<_>>();
        match found.as_slice() {
            [(client, entry)] => Ok(Builder::new(&client.program).build(*entry)),
            [] => {
                let names = || config.clients.iter().flat_map(|it| &it.program.flows).map(|flow| &*flow.name);
                Err(match nearest(name, names()) {
                    Some(known) => format!("there is no flow {flow}; did you mean {known}?"),
                    None => format!(
                        "there is no flow {flow}; there are {}",
                        names().collect::<Vec<_>>().join(", ")
                    ),
                })
            }
            [(client, _), ..] => {
                Err(format!("several clients have a flow {name}: write {}/{name}", client.id))
            }
        }
    }

    /// As a Mermaid flowchart, which many editors and wikis draw.
    pub fn mermaid(&self) -> String {
        mermaid::write(self)
    }

    /// As an SVG picture, laid out from top to bottom.
    pub fn svg(&self) -> String {
        svg::write(self)
    }
}

fn entry(client: &Client, flow: &str) -> Option<Pc> {
    client.program.flows.iter().find(|it| *it.name == *flow).map(|flow| flow.entry)
}

struct Builder<'p> {
    program: &'p Program,
    graph: Graph,
    /// The beginnings of flows, and steps.
    places: HashMap<(Kind, Pc), usize>,
    /// Steps whose edges are not drawn yet.
    pending: Vec<(usize, Pc)>,
}

impl<'p> Builder<'p> {
    fn new(program: &'p Program) -> Self {
        let graph = Graph { vertices: Vec::new(), edges: Vec::new() };
        Self { program, graph, places: HashMap::new(), pending: Vec::new() }
    }

    fn build(mut self, entry: Pc) -> Graph {
        self.flow(entry);
        while let Some((from, pc)) = self.pending.pop() {
            for (label, to) in self.ways(pc) {
                let to = self.target(to);
                self.edge(from, to, &label);
            }
        }
        self.graph
    }

    /// The vertex of a flow's beginning.
    fn flow(&mut self, entry: Pc) -> usize {
        if let Some(known) = self.places.get(&(Kind::Flow, entry)) {
            return *known;
        }
        let flow = self.program.flows.iter().find(|flow| flow.entry == entry);
        let name = flow.map_or(String::new(), |flow| flow.name.to_string());
        let vertex = self.vertex(Kind::Flow, name, String::new());
        self.places.insert((Kind::Flow, entry), vertex);
        let first = self.follow(entry, false);
        let first = self.step(first);
        self.edge(vertex, first, "");
        vertex
    }

    fn step(&mut self, pc: Pc) -> usize {
        let instruction = self.program.instruction(pc);
        if instruction.step.is_empty() {
            // Each end is its own, so that no edge crosses the picture for it.
            return self.vertex(Kind::End, String::new(), String::new());
        }
        if let Some(known) = self.places.get(&(Kind::Step, pc)) {
            return *known;
        }
        let place = format!("{}:{}", instruction.file, instruction.line);
        let vertex = self.vertex(Kind::Step, instruction.step.to_string(), place);
        self.places.insert((Kind::Step, pc), vertex);
        self.pending.push((vertex, pc));
        vertex
    }

    /// What an edge leads to: a flow's beginning, or a step.
    fn target(&mut self, pc: Pc) -> usize {
        let pc = self.follow(pc, true);
        if self.is_entry(pc) { self.flow(pc) } else { self.step(pc) }
    }

    /// Goes along jumps and labels, up to the beginning of a flow if it is to stop there.
    fn follow(&self, mut pc: Pc, stops: bool) -> Pc {
        // No file that checks has a circle of jumps alone.
        for _ in 0..self.program.code.len() {
            match &self.program.instruction(pc).verb {
                _ if stops && self.is_entry(pc) => return pc,
                verb @ (Verb::Goto(_) | Verb::Label(_) | Verb::Again(_)) => {
                    pc = verb.exits().first().copied().unwrap_or(Pc::END);
                }
                _ => return pc,
            }
        }
        Pc::END
    }

    fn is_entry(&self, pc: Pc) -> bool {
        self.program.flows.iter().any(|flow| flow.entry == pc)
    }

    /// The ways on from a step: what is written, and then what the verb does besides.
    fn ways(&self, pc: Pc) -> Vec<(String, Pc)> {
        let verb = &self.program.instruction(pc).verb;
        let mut rest = verb.exits();
        let mut ways = Vec::new();
        for branch in self.program.branches.iter().filter(|branch| branch.step == pc) {
            if let Some(place) = rest.iter().position(|exit| *exit == branch.to) {
                rest.remove(place);
            }
            ways.push((branch.name.to_string(), branch.to));
        }
        let written: Vec<String> = ways.iter().map(|(name, _)| name.clone()).collect();
        // Behind a talk with an agent the call ends unless that branch is written.
        let implied = if matches!(verb, Verb::Enqueue(_)) { &[] } else { implied(verb.name()) };
        let mut names = implied.iter().filter(|name| !written.iter().any(|it| it == *name));
        for exit in rest {
            match names.next() {
                Some(name) => ways.push(((*name).to_owned(), exit)),
                None if ways.iter().any(|(_, to)| *to == exit) => {}
                None => ways.push((String::new(), exit)),
            }
        }
        ways
    }

    fn vertex(&mut self, kind: Kind, text: String, place: String) -> usize {
        self.graph.vertices.push(Vertex { kind, text, place });
        self.graph.vertices.len() - 1
    }

    /// Adds a way, or its label to one of its kind that leads there already.
    fn edge(&mut self, from: usize, to: usize, label: &str) {
        let is_failure = FAILURES.contains(&label) || label.ends_with("xx");
        // A step has room for one way back to itself.
        let alike = |edge: &Edge| from == to || edge.is_failure == is_failure;
        let same = |edge: &&mut Edge| (edge.from, edge.to) == (from, to) && alike(edge);
        match self.graph.edges.iter_mut().find(same) {
            Some(edge) => {
                if !label.is_empty() {
                    edge.label += if edge.label.is_empty() { "" } else { ", " };
                    edge.label += label;
                }
                edge.is_failure &= is_failure;
            }
            None => self.graph.edges.push(Edge { from, to, label: label.to_owned(), is_failure }),
        }
    }
}
