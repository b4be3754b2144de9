//! Queues: who waits where, for whom, how long, and what it hears meanwhile.

use crate::ClientIndex;
use crate::agents::Agents;
use crate::callbacks::Callbacks;
use crate::faults::Faults;
use crate::fields::Fields;
use crate::heard::{self, Heard};
use crate::names::Names;
use crate::recording::{self, RecordRule};
use crate::to_agent::{self, ToAgent};
use crate::yaml::{Key, Node, Value};
use acd::{Absence, Member, QueuePlan, Retry, Strategy, Tiers};
use clock::Duration;
use figures::Level;
use std::sync::Arc;

/// Nobody waits longer than a day.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3_600);
const MOST_WAITING: u32 = 100_000;

/// A queue of a client.
#[derive(Clone, Debug, PartialEq)]
pub struct Queue {
    /// Whose it is.
    pub client: ClientIndex,
    /// Its key under `queues`.
    pub name: Arc<str>,
    /// What callers hear while they wait, by the languages of the client, its own first.
    heard: Vec<(Arc<str>, Heard)>,
    /// How it calls its agents.
    pub to_agent: ToAgent,
    /// How it calls back; `None` is not at all.
    pub callbacks: Option<Callbacks>,
    /// How it is served; its name is that of [`Queue::full_name`].
    pub plan: QueuePlan,
    /// How soon its callers are to be answered.
    pub level: Level,
    /// When the talks of its callers are recorded, if it says so.
    pub record: Option<RecordRule>,
}

impl Queue {
    /// The name of a queue over all clients: `acme/support`.
    pub fn full_name(client: &str, queue: &str) -> Arc<str> {
        format!("{client}/{queue}").into()
    }

    /// What a caller hears whose call is in that language: in the client's own if it has it not.
    pub fn heard(&self, language: &str) -> Option<&Heard> {
        let found = self.heard.iter().find(|(known, _)| **known == *language);
        found.or(self.heard.first()).map(|(_, heard)| heard)
    }
}

/// What the queues of a client are read with.
pub(crate) struct Around<'a> {
    pub(crate) client: ClientIndex,
    /// The client's folder.
    pub(crate) id: &'a str,
    pub(crate) agents: &'a Agents,
    pub(crate) names: &'a Names<'a>,
}

const KNOWN: [&str; 26] = [
    "strategy",
    "agents",
    "ring",
    "every",
    "wrap_up",
    "misses",
    "retry",
    "max_length",
    "max_wait",
    "no_agents_wait",
    "join_unless",
    "leave_if",
    "weight",
    "ageing",
    "next_tier",
    "relax",
    "announce",
    "music",
    "returning",
    "service_level",
    "short_abandon",
    "callback",
    "whisper",
    "display",
    "auto_answer",
    "record",
];

/// Reads the queues of one client.
pub(crate) fn read(around: &Around<'_>, entries: &[(Key, Node)], faults: &mut Faults<'_>) -> Vec<Queue> {
    entries.iter().filter_map(|(key, node)| queue(around, key, node, faults)).collect()
}

fn queue(around: &Around<'_>, key: &Key, node: &Node, faults: &mut Faults<'_>) -> Option<Queue> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if key.text.is_empty() || !key.text.bytes().all(fits) {
        let hint = "queues are named with letters, digits, `-` and `_`";
        faults.hinted(key.span, format!("`{}` cannot be a queue", key.text), hint);
    }
    let fields = Fields::of(node, key.span, "a queue", &KNOWN, faults)?;
    let mut plan = QueuePlan::new(Queue::full_name(around.id, &key.text));
    let time = |name: &str, faults: &mut Faults<'_>| {
        let node = fields.get(name)?;
        node.duration_up_to(&format!("`{name}`"), LONGEST_WAIT, faults)
    };
    if let Some(ring) = time("ring", faults) {
        plan.ring = ring;
    }
    plan.max_wait = time("max_wait", faults);
    plan.no_agents_wait = time("no_agents_wait", faults);
    plan.strategy = strategy(&fields, key, faults).unwrap_or(plan.strategy);
    if let Some(node) = fields.require("agents", faults) {
        plan.members = members(around, node, faults);
    }
    if let Some(node) = fields.get("wrap_up") {
        wrap_up(node, key, &mut plan, faults);
    }
    plan.misses =
        fields.get("misses").and_then(|node| node.number("`misses`", 1, 100, faults)).or(plan.misses);
    plan.max_length =
        fields.get("max_length").and_then(|it| it.number("`max_length`", 0, MOST_WAITING, faults));
    if let Some((key, node)) = fields.entry("retry") {
        retry(key, node, &mut plan.retry, faults);
    }
    plan.join_unless = fields.get("join_unless").map(|it| absence(it, faults)).unwrap_or(plan.join_unless);
    plan.leave_if = fields.get("leave_if").map(|it| absence(it, faults)).unwrap_or(plan.leave_if);
    let points = |name: &str, faults: &mut Faults<'_>| {
        fields.get(name)?.number(&format!("`{name}`"), 0, 1_000, faults)
    };
    plan.weight = points("weight", faults).and_then(|it| i32::try_from(it).ok()).unwrap_or(plan.weight);
    plan.ageing = points("ageing", faults).unwrap_or(plan.ageing);
    plan.returning = time("returning", faults);
    plan.tiers = Tiers { next_after: time("next_tier", faults).unwrap_or(plan.tiers.next_after) };
    plan.relax = fields.get("relax").map(|node| relax(node, faults)).unwrap_or_default();
    let (heard, announce) = heard::read(&fields, &around.names.prompts, faults);
    plan.announce = announce;
    let to_agent = to_agent::read(&fields, around.names, faults);
    let level = crate::levels::read(&fields, faults);
    let record = fields.get("record").and_then(|node| recording::rule(node, "`record`", faults));
    Some(Queue {
        client: around.client,
        name: key.text.as_str().into(),
        heard,
        to_agent,
        callbacks: None,
        plan,
        level,
        record,
    })
}

fn strategy(fields: &Fields<'_>, key: &Key, faults: &mut Faults<'_>) -> Option<Strategy> {
    const NAMES: [&str; 10] = [
        "ring-all",
        "ring-progressive",
        "longest-idle",
        "fewest-calls",
        "least-talk",
        "round-robin",
        "linear",
        "top-down",
        "random",
        "weighted",
    ];
    let every = fields.entry("every");
    let node = fields.get("strategy")?;
    let name = node.text("`strategy`", faults)?;
    if let Some((at, _)) = every.filter(|_| name != "ring-progressive") {
        faults.error(at.span, "`every` is for the strategy `ring-progressive` alone");
    }
    Some(match name {
        "ring-all" => Strategy::RingAll,
        "ring-progressive" => {
            let every = every.and_then(|(_, node)| node.duration("`every`", faults));
            if fields.get("every").is_none() {
                faults.hinted(key.span, "`ring-progressive` needs `every`", "write `every: 5s`");
            }
            Strategy::RingProgressive { every: every.unwrap_or(Duration::from_secs(5)) }
        }
        "longest-idle" => Strategy::LongestIdle,
        "fewest-calls" => Strategy::FewestCalls,
        "least-talk" => Strategy::LeastTalk,
        "round-robin" => Strategy::RoundRobin,
        "linear" => Strategy::Linear,
        "top-down" => Strategy::TopDown,
        "random" => Strategy::Random,
        "weighted" => Strategy::Weighted,
        other => {
            faults.unknown(node.span, "unknown strategy {}", other, NAMES.into_iter());
            return None;
        }
    })
}

/// `all`, or agents by name, some of them with a tier and a weight.
fn members(around: &Around<'_>, node: &Node, faults: &mut Faults<'_>) -> Vec<Member> {
    const KNOWN: [&str; 3] = ["agent", "tier", "weight"];
    let plain = |agent: Arc<str>| Member { agent, tier: 1, weight: 1 };
    if matches!(&node.value, Value::Scalar { text, .. } if text == "all") {
        let all: Vec<_> =
            around.agents.of(around.client).map(|agent| plain(Arc::clone(&agent.name))).collect();
        if all.is_empty() && around.names.complete {
            faults.hinted(node.span, "this client has no agents", "write them under `agents`");
        }
        return all;
    }
    let mut members: Vec<Member> = Vec::new();
    for item in node.items() {
        let mut found = Vec::new();
        if let Value::Map(_) = item.value {
            let Some(fields) = Fields::of(item, item.span, "an agent of a queue", &KNOWN, faults) else {
                continue;
            };
            let Some(agent) = fields.require("agent", faults) else { continue };
            let tier = fields.get("tier").and_then(|it| it.number("`tier`", 1, 99, faults)).unwrap_or(1);
            let weight =
                fields.get("weight").and_then(|it| it.number("`weight`", 1, 1_000, faults)).unwrap_or(1);
            let tier = u8::try_from(tier).unwrap_or(u8::MAX);
            found.extend(agents(around, agent, faults).into_iter().map(|agent| Member {
                agent,
                tier,
                weight,
            }));
        } else {
            found.extend(agents(around, item, faults).into_iter().map(plain));
        }
        for member in found {
            if members.iter().any(|known| known.agent == member.agent) {
                faults.error(item.span, format!("the agent `{}` is in the list already", member.agent));
            } else {
                members.push(member);
            }
        }
    }
    if node.items().is_empty() {
        faults.hinted(node.span, "`agents` names nobody", "write `all`, or names: [alice, bob]");
    }
    members
}

/// One agent, or those of a range that is one under `agents`.
fn agents(around: &Around<'_>, node: &Node, faults: &mut Faults<'_>) -> Vec<Arc<str>> {
    let Some(name) = node.text("an agent", faults) else { return Vec::new() };
    let key = Key { text: name.to_owned(), span: node.span };
    match crate::users::range(&key, faults) {
        Some(range) => {
            let own = around.agents.of(around.client).map(|agent| &agent.name);
            let found: Vec<_> = own.filter(|name| range.contains(name)).cloned().collect();
            if found.is_empty() && around.names.complete {
                faults.error(node.span, format!("no agent of this client is one of `{name}`"));
            }
            found
        }
        None => {
            let named = (name, around.names.complete);
            around.agents.named(around.client, named, node.span, faults).into_iter().collect()
        }
    }
}

/// A length of time, or `{time: 30s, max: 5m}`.
fn wrap_up(node: &Node, key: &Key, plan: &mut QueuePlan, faults: &mut Faults<'_>) {
    let Value::Map(_) = node.value else {
        if let Some(time) = node.duration("`wrap_up`", faults) {
            (plan.wrap_up, plan.wrap_up_max) = (time, time.max(plan.wrap_up_max));
        }
        return;
    };
    let Some(fields) = Fields::of(node, key.span, "`wrap_up`", &["time", "max"], faults) else { return };
    let time = fields.require("time", faults).and_then(|node| node.duration("`time`", faults));
    let max = fields.get("max").and_then(|node| node.duration("`max`", faults));
    plan.wrap_up = time.unwrap_or(plan.wrap_up);
    plan.wrap_up_max = max.unwrap_or(plan.wrap_up_max).max(plan.wrap_up);
    if let (Some(time), Some(max)) = (time, max)
        && max < time
    {
        faults.error(node.span, "`max` is shorter than `time`");
    }
}

fn retry(key: &Key, node: &Node, retry: &mut Retry, faults: &mut Faults<'_>) {
    const KNOWN: [&str; 4] = ["no_answer", "busy", "declined", "unreachable"];
    let Some(fields) = Fields::of(node, key.span, "`retry`", &KNOWN, faults) else { return };
    let places = [&mut retry.no_answer, &mut retry.busy, &mut retry.declined, &mut retry.unreachable];
    for (name, place) in KNOWN.into_iter().zip(places) {
        if let Some(time) = fields.get(name).and_then(|node| node.duration(&format!("`{name}`"), faults)) {
            *place = time;
        }
    }
}

/// States in which an agent counts as not there.
fn absence(node: &Node, faults: &mut Faults<'_>) -> Absence {
    const NAMES: [&str; 5] = ["logged_out", "paused", "unreachable", "talking", "wrap_up"];
    const STATES: [Absence; 5] =
        [Absence::LOGGED_OUT, Absence::PAUSED, Absence::UNREACHABLE, Absence::TALKING, Absence::WRAP_UP];
    let mut found = Absence::NEVER;
    for item in node.items() {
        let Some(text) = item.text("a state of agents", faults) else { continue };
        match NAMES.iter().position(|name| *name == text) {
            Some(place) => found = found | STATES[place],
            None if text == "never" => {}
            None => {
                let known = NAMES.into_iter().chain(["never"]);
                faults.unknown(item.span, "unknown state of agents {}", text, known);
            }
        }
    }
    found
}

/// `[{after: 30s, by: 1}]`.
fn relax(node: &Node, faults: &mut Faults<'_>) -> Vec<(Duration, u8)> {
    let mut steps: Vec<(Duration, u8)> = Vec::new();
    for item in node.items() {
        let Some(fields) = Fields::of(item, item.span, "a step of `relax`", &["after", "by"], faults) else {
            continue;
        };
        let after = fields
            .require("after", faults)
            .and_then(|node| node.duration_up_to("`after`", LONGEST_WAIT, faults));
        let by = fields.require("by", faults).and_then(|node| node.number("`by`", 1, 10, faults));
        let (Some(after), Some(by)) = (after, by.and_then(|by| u8::try_from(by).ok())) else { continue };
        if steps.last().is_some_and(|(before, less)| after <= *before || by <= *less) {
            faults.error(item.span, "each step of `relax` comes later than the one before, and relaxes more");
        }
        steps.push((after, by));
    }
    steps
}
