//! Who takes the calls of queues.

use crate::ClientIndex;
use crate::faults::{Faults, Span, nearest};
use crate::fields::Fields;
use crate::recording::{self, RecordRule};
use crate::to_agent::{self, AutoAnswer};
use crate::users::{self, Users};
use crate::yaml::{Key, Node, Scalar, Value};
use acd::AgentPlan;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A level of a skill is from 1 to that.
const HIGHEST_LEVEL: u32 = 10;
/// A range has no more agents than that.
const MOST_IN_A_RANGE: u64 = 10_000;

/// Who takes the calls of queues, at the phone of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Its key under `agents`; an agent is one over all clients of the node.
    pub name: Arc<str>,
    /// Whose agent it is.
    pub client: ClientIndex,
    /// The user that is rung unless it logs in elsewhere.
    pub phone: Option<Arc<str>>,
    /// What it has to dial where it logs in at a phone that is not its own.
    pub pin: Option<Arc<str>>,
    /// Whether it is logged in as long as its phone is registered.
    pub is_automatic: bool,
    /// How its phone is asked to answer by itself, whatever its queues say; nothing is never. `None` is as they say.
    pub auto_answer: Option<Vec<AutoAnswer>>,
    /// From 1 to 10.
    pub skills: BTreeMap<Arc<str>, u8>,
    /// When its talks are recorded, if it says so.
    pub record: Option<RecordRule>,
}

impl Agent {
    pub(crate) fn plan(&self) -> AgentPlan {
        AgentPlan { name: Arc::clone(&self.name), skills: self.skills.clone() }
    }
}

/// The agents of all clients.
#[derive(Debug, Default)]
pub(crate) struct Agents {
    pub(crate) all: Vec<Agent>,
    places: HashMap<Arc<str>, (usize, Span)>,
}

impl Agents {
    /// Reads the agents of one client.
    pub(crate) fn read(
        &mut self,
        client: ClientIndex,
        entries: &[(Key, Node)],
        (users, complete): (&Users, bool),
        faults: &mut Faults<'_>,
    ) {
        const KNOWN: [&str; 6] = ["phone", "pin", "login", "skills", "auto_answer", "record"];
        for (key, node) in entries {
            let mut agent = Agent {
                client,
                name: key.text.as_str().into(),
                phone: None,
                pin: None,
                is_automatic: false,
                auto_answer: None,
                skills: BTreeMap::new(),
                record: None,
            };
            let fields = match &node.value {
                Value::Null => None,
                _ => Fields::of(node, key.span, "an agent", &KNOWN, faults),
            };
            let mut phone = None;
            if let Some(fields) = fields {
                phone = fields.get("phone");
                agent.pin = fields.get("pin").and_then(|node| pin(node, faults));
                agent.is_automatic =
                    fields.get("login").and_then(|node| login(node, faults)).unwrap_or(false);
                agent.auto_answer =
                    fields.get("auto_answer").and_then(|node| to_agent::auto_answer(node, faults));
                agent.record =
                    fields.get("record").and_then(|node| recording::rule(node, "`record`", faults));
                agent.skills = fields.get("skills").map(|node| skills(node, faults)).unwrap_or_default();
            }
            for name in self::names(key, faults) {
                let own = match phone {
                    Some(node) => user(node, client, users, complete, faults),
                    None => users.find(&name).filter(|user| user.client == client).map(|user| user.name),
                };
                let agent = Agent { name, phone: own, ..agent.clone() };
                if agent.phone.is_none() && phone.is_none() && agent.pin.is_none() && complete {
                    let message = format!("the agent `{}` has no phone", agent.name);
                    let hint = "name it like a user of this client, give it `phone: USER`, or a `pin` with which it \
                                logs in at any phone";
                    faults.hinted(key.span, message, hint);
                }
                self.add(agent, key.span, faults);
            }
        }
    }

    fn add(&mut self, agent: Agent, at: Span, faults: &mut Faults<'_>) {
        if let Some((_, first)) = self.places.get(&agent.name) {
            return faults.twice(*first, at, &format!("the agent `{}`", agent.name));
        }
        self.places.insert(Arc::clone(&agent.name), (self.all.len(), at));
        self.all.push(agent);
    }

    /// The agent of that name.
    pub(crate) fn find(&self, name: &str) -> Option<&Agent> {
        self.places.get(name).map(|(place, _)| &self.all[*place])
    }

    /// The agents of a client.
    pub(crate) fn of(&self, client: ClientIndex) -> impl Iterator<Item = &Agent> {
        self.all.iter().filter(move |agent| agent.client == client)
    }

    /// An agent of this client by name.
    pub(crate) fn named(
        &self,
        client: ClientIndex,
        (name, complete): (&str, bool),
        at: Span,
        faults: &mut Faults<'_>,
    ) -> Option<Arc<str>> {
        match self.find(name) {
            Some(agent) if agent.client == client => Some(Arc::clone(&agent.name)),
            Some(_) => {
                faults.error(at, format!("the agent `{name}` is of another client"));
                None
            }
            None => {
                let known = || self.of(client).map(|agent| &*agent.name);
                let hint = match nearest(name, known()) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("write it under `agents`: agents: {{{name}: {{login: automatic}}}}"),
                };
                if complete {
                    faults.hinted(at, format!("unknown agent `{name}`"), hint);
                }
                None
            }
        }
    }
}

/// The name of a key, or those of a range of numbers.
fn names(key: &Key, faults: &mut Faults<'_>) -> Vec<Arc<str>> {
    match users::range(key, faults) {
        None => {
            let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.+".contains(&b);
            if key.text.is_empty() || !key.text.bytes().all(fits) {
                let hint = "agents are named with letters, digits and - _ . +";
                faults.hinted(key.span, format!("`{}` cannot be an agent", key.text), hint);
                return Vec::new();
            }
            vec![key.text.as_str().into()]
        }
        Some(range) => {
            let names: Vec<Arc<str>> = range.names().take(MOST_IN_A_RANGE as usize + 1).collect();
            if names.len() > MOST_IN_A_RANGE as usize {
                faults.error(key.span, format!("a range has at most {MOST_IN_A_RANGE} agents"));
                return Vec::new();
            }
            names
        }
    }
}

fn user(
    node: &Node,
    client: ClientIndex,
    users: &Users,
    complete: bool,
    faults: &mut Faults<'_>,
) -> Option<Arc<str>> {
    let name = node.text("`phone`", faults)?;
    match users.find(name) {
        Some(user) if user.client == client => Some(user.name),
        Some(_) => {
            faults.error(node.span, format!("the user `{name}` is of another client"));
            None
        }
        None => {
            if complete {
                faults.unknown(node.span, "unknown user {}", name, users.names(client));
            }
            None
        }
    }
}

/// 4 to 12 digits.
pub(crate) fn pin(node: &Node, faults: &mut Faults<'_>) -> Option<Arc<str>> {
    let text = node.text("`pin`", faults)?;
    if !(4..=12).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_digit()) {
        faults.hinted(
            node.span,
            format!("`{text}` is no PIN"),
            "a PIN is 4 to 12 digits in quotes: \"4711\"",
        );
        return None;
    }
    Some(text.into())
}

fn login(node: &Node, faults: &mut Faults<'_>) -> Option<bool> {
    match node.text("`login`", faults)? {
        "automatic" => Some(true),
        "manual" => Some(false),
        other => {
            faults.unknown(node.span, "unknown login {}", other, ["automatic", "manual"].into_iter());
            None
        }
    }
}

/// `{fr: 3}`, or `[fr, de]`, which are of the highest level.
fn skills(node: &Node, faults: &mut Faults<'_>) -> BTreeMap<Arc<str>, u8> {
    let highest = u8::try_from(HIGHEST_LEVEL).unwrap_or(u8::MAX);
    let mut skills = BTreeMap::new();
    match &node.value {
        Value::Map(entries) => {
            for (key, level) in entries {
                let level = level.number("a level", 1, HIGHEST_LEVEL, faults);
                let level = level.and_then(|level| u8::try_from(level).ok()).unwrap_or(highest);
                if is_skill(&key.text, key.span, faults) {
                    skills.insert(key.text.as_str().into(), level);
                }
            }
        }
        Value::List(_) | Value::Scalar { kind: Scalar::Text, .. } => {
            for item in node.items() {
                if let Some(name) = item.text("a skill", faults)
                    && is_skill(name, item.span, faults)
                {
                    skills.insert(name.into(), highest);
                }
            }
        }
        _ => {
            let message = format!("`skills` is {}", node.describe());
            faults.hinted(node.span, message, "write {fr: 3, billing: 5}, or [fr, billing]");
        }
    }
    skills
}

/// Whether that can be the name of a skill.
pub(crate) fn is_skill(name: &str, at: Span, faults: &mut Faults<'_>) -> bool {
    let fits =
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if !fits {
        let hint = "skills are named with letters, digits, `-` and `_`";
        faults.hinted(at, format!("`{name}` cannot be a skill"), hint);
    }
    fits
}
