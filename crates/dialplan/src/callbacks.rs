//! How a queue calls those back who do not wait on the line.

use crate::FlowIndex;
use crate::faults::Faults;
use crate::fields::Fields;
use crate::names::Names;
use crate::program::{Pc, Program};
use crate::queues::LONGEST_WAIT;
use crate::verb::Verb;
use crate::yaml::{Key, Node, Value};
use acd::CallbackPlan;
use clock::Duration;
use std::collections::HashSet;
use std::sync::Arc;

/// How long an agent is kept, beyond the ringing, for what the flow says to the one who has answered.
const WORDS: Duration = Duration::from_secs(30);
const MOST_TRIES: u32 = 20;

/// How a queue calls back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callbacks {
    /// By which trunks, one at least: each attempt takes the next.
    pub trunks: Vec<Arc<str>>,
    /// What the one who has answered hears: it comes to an `enqueue` of the queue, where its agent is kept for it.
    pub flow: FlowIndex,
    /// How long it is rung.
    pub ring: Duration,
}

/// The section of a queue that says how it calls back.
pub(crate) fn section(queue: &Node) -> Option<(&Key, &Node)> {
    let Value::Map(entries) = &queue.value else { return None };
    entries.iter().find(|(key, _)| key.text == "callback").map(|(key, node)| (key, node))
}

/// Reads `{trunk: carrier, flow: called-back, ring: 30s, tries: 3, again: 5m}`; `flow_of` finds a flow by its name.
pub(crate) fn read(
    queue: &str,
    (key, node): (&Key, &Node),
    names: &Names<'_>,
    program: &Program,
    flow_of: impl FnOnce(&Node, &mut Faults<'_>) -> Option<FlowIndex>,
    faults: &mut Faults<'_>,
) -> Option<(Callbacks, CallbackPlan)> {
    const KNOWN: [&str; 5] = ["trunk", "flow", "ring", "tries", "again"];
    let fields = Fields::of(node, key.span, "`callback`", &KNOWN, faults)?;
    let trunks = fields.require("trunk", faults).map(|named| names.trunks(named, key.span, faults));
    let named = fields.require("flow", faults);
    let flow = named.and_then(|named| flow_of(named, faults));
    let ring = fields.get("ring").and_then(|it| it.duration("`ring`", faults));
    let tries = fields.get("tries").and_then(|it| it.number("`tries`", 1, MOST_TRIES, faults));
    let again = fields.get("again").and_then(|it| it.duration_up_to("`again`", LONGEST_WAIT, faults));
    let (flow, named) = (flow?, named?);
    if !comes_to(program, flow, queue) {
        let name = &program.flows[flow.0].name;
        let hint = format!("write `- enqueue: {queue}` in it: there the agent has the call");
        faults.hinted(named.span, format!("the flow `{name}` never comes to the queue `{queue}`"), hint);
    }
    let ring = ring.unwrap_or(Duration::from_secs(30));
    let plan = CallbackPlan {
        ring: ring + WORDS,
        tries: tries.unwrap_or(3),
        again: again.unwrap_or(Duration::from_secs(300)),
    };
    Some((Callbacks { trunks: trunks.filter(|trunks| !trunks.is_empty())?, flow, ring }, plan))
}

/// Whether there is a way from a flow's first step to an `enqueue` of a queue.
fn comes_to(program: &Program, flow: FlowIndex, queue: &str) -> bool {
    let mut ahead = vec![program.flows[flow.0].entry];
    let mut seen: HashSet<Pc> = HashSet::new();
    while let Some(pc) = ahead.pop() {
        if !seen.insert(pc) {
            continue;
        }
        let verb = &program.instruction(pc).verb;
        if matches!(verb, Verb::Enqueue(enqueue) if enqueue.queue() == queue) {
            return true;
        }
        ahead.extend(verb.exits());
    }
    false
}
