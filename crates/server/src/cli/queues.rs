//! `queues`, `agents` and `why`: who waits, who takes calls, and why it is as it is.

use super::Failed;
use super::client::{fault, get, request};
use super::output::print;
use clap::Subcommand;
use serde_json::{Value, json};
use std::path::Path;

/// What is done with an agent.
#[derive(Subcommand)]
pub(super) enum Action {
    /// It takes calls
    Login {
        /// Its name
        agent: String,
        /// The user at whose phone it sits, if not its own
        #[arg(long, value_name = "USER")]
        phone: Option<String>,
    },
    /// It takes no calls any more; one that it is in goes on
    Logout {
        /// Its name
        agent: String,
    },
    /// It takes no calls for a while
    Pause {
        /// Its name
        agent: String,
        /// Why, as the figures have it
        #[arg(long, default_value = "pause")]
        reason: String,
    },
    /// It takes calls again
    Ready {
        /// Its name
        agent: String,
    },
    /// Its wrap-up is over
    Finish {
        /// Its name
        agent: String,
    },
    /// Its wrap-up lasts longer
    Extend {
        /// Its name
        agent: String,
        /// How much longer
        #[arg(value_name = "SECONDS", default_value_t = 60)]
        seconds: u64,
    },
}

/// What is done with a caller that waits.
#[derive(Subcommand)]
pub(super) enum CallerAction {
    /// It waits in another queue of its client, with its time
    Move {
        /// The number of its contact
        contact: u64,
        /// The queue
        queue: String,
    },
    /// It has other points of priority
    Priority {
        /// The number of its contact
        contact: u64,
        /// The greater first
        #[arg(allow_negative_numbers = true)]
        points: i32,
    },
    /// A user of its client is rung for it at once
    Pull {
        /// The number of its contact
        contact: u64,
        /// The user
        user: String,
    },
}

/// Does something with a caller that waits; the log says who wanted it.
pub(super) fn direct_caller(state: &Path, action: CallerAction, by: &str) -> Result<(), Failed> {
    let (contact, what, body) = match action {
        CallerAction::Move { contact, queue } => (contact, "move", json!({"queue": queue, "by": by})),
        CallerAction::Priority { contact, points } => {
            (contact, "priority", json!({"points": points, "by": by}))
        }
        CallerAction::Pull { contact, user } => (contact, "pull", json!({"user": user, "by": by})),
    };
    let path = format!("/queues/contacts/{contact}/{what}");
    let (status, answer) = request(state, "POST", &path, Some(&body))?;
    if status != 200 {
        return Err(Failed::because(fault(&answer)));
    }
    print(&format!("contact {contact}: {what}\n"))
}

pub(super) fn agents(state: &Path, action: Option<Action>, (by, json): (&str, bool)) -> Result<(), Failed> {
    let (agent, what, body) = match action {
        None => return list_agents(state, json),
        Some(Action::Login { agent, phone }) => (agent, "login", json!({"phone": phone, "by": by})),
        Some(Action::Logout { agent }) => (agent, "logout", json!({"by": by})),
        Some(Action::Pause { agent, reason }) => (agent, "pause", json!({"reason": reason, "by": by})),
        Some(Action::Ready { agent }) => (agent, "ready", json!({"by": by})),
        Some(Action::Finish { agent }) => (agent, "finish", json!({"by": by})),
        Some(Action::Extend { agent, seconds }) => (agent, "extend", json!({"seconds": seconds, "by": by})),
    };
    let (status, answer) = request(state, "POST", &format!("/agents/{agent}/{what}"), Some(&body))?;
    if status != 200 {
        return Err(Failed::because(fault(&answer)));
    }
    print(&format!("{agent}: {what}\n"))
}

fn list_agents(state: &Path, json: bool) -> Result<(), Failed> {
    let answer = get(state, "/agents")?;
    if json {
        return print(&format!("{answer:#}\n"));
    }
    let agents: Vec<_> = answer.as_array().into_iter().flatten().collect();
    if agents.is_empty() {
        return print("there are no agents: write them under `agents` of a client\n");
    }
    let mut table = format!(
        "{:<16} {:<28} {:>8}  {:<12} {:>7} {:>8}  {}\n",
        "AGENT", "STATE", "FOR", "PHONE", "HANDLED", "TALKED", "QUEUES"
    );
    for agent in agents {
        table += format!(
            "{:<16} {:<28} {:>8}  {:<12} {:>7} {:>8}  {}",
            text(agent, "agent"),
            activity(agent),
            minutes(&agent["seconds"]),
            agent["phone"].as_str().unwrap_or("-"),
            agent["handled"],
            minutes(&agent["talked_seconds"]),
            list(&agent["queues"]),
        )
        .trim_end();
        table.push('\n');
    }
    print(&table)
}

/// `paused: lunch`, `talking with 17`.
fn activity(agent: &Value) -> String {
    let state = text(agent, "state").replace('_', " ");
    match (agent["reason"].as_str(), agent["contact"].as_u64(), agent["seconds_left"].as_u64()) {
        (Some(reason), ..) => format!("{state}: {reason}"),
        (None, Some(contact), _) => format!("{state}, contact {contact}"),
        (None, None, Some(left)) => format!("{state}, {left} s left"),
        _ => state,
    }
}

pub(super) fn queues(state: &Path, json: bool) -> Result<(), Failed> {
    let answer = get(state, "/queues")?;
    if json {
        return print(&format!("{answer:#}\n"));
    }
    let queues: Vec<_> = answer.as_array().into_iter().flatten().collect();
    if queues.is_empty() {
        return print("there are no queues: write them under `queues` of a client\n");
    }
    print(&queues.into_iter().map(queue).collect::<String>())
}

/// A queue, and a line for each caller that waits.
fn queue(queue: &Value) -> String {
    let waiting: Vec<_> = queue["waiting"].as_array().into_iter().flatten().collect();
    let agents = &queue["agents"];
    let counted = ["ready", "ringing", "talking", "wrap_up", "paused", "busy", "unreachable", "logged_out"];
    let counts: Vec<_> = counted
        .into_iter()
        .filter(|name| agents[name] != 0)
        .map(|name| format!("{} {}", agents[name], name.replace('_', " ")))
        .collect();
    let agents = if counts.is_empty() { "no agents".to_owned() } else { counts.join(", ") };
    let longest = minutes(&queue["longest_seconds"]);
    let mut lines = format!("{}: {} waiting", text(queue, "queue"), waiting.len());
    if !waiting.is_empty() {
        lines += &format!(", the longest {longest}");
    }
    lines += &format!("; agents: {agents}\n");
    for call in waiting {
        let estimate = match call["estimate_seconds"].as_u64() {
            Some(_) => format!("about {} more", minutes(&call["estimate_seconds"])),
            None => "no estimate yet".to_owned(),
        };
        let offered = list(&call["offered"]);
        let offered = if offered.is_empty() { String::new() } else { format!("  rings {offered}") };
        let callback = if call["callback"] == true { "  to be called back" } else { "" };
        let priority = match call["priority"].as_i64() {
            Some(0) | None => String::new(),
            Some(points) => format!("  priority {points}"),
        };
        lines += &format!(
            "  {:>3}. contact {:<8} {:>7}  {estimate}{priority}{callback}{offered}\n",
            call["position"],
            call["contact"],
            minutes(&call["seconds"]),
        );
    }
    lines
}

/// Why an agent is offered nothing, as the node knows it now.
pub(super) fn why_agent(state: &Path, agent: &str, json: bool) -> Result<(), Failed> {
    tell(state, &format!("/why/agents/{agent}"), json)
}

/// Why a caller waits; false if it does not.
pub(super) fn why_waiting(state: &Path, contact: u64) -> Option<String> {
    let (status, answer) = request(state, "GET", &format!("/why/contacts/{contact}"), None).ok()?;
    (status == 200).then(|| text(&answer, "why").to_owned())
}

fn tell(state: &Path, path: &str, json: bool) -> Result<(), Failed> {
    let (status, answer) = request(state, "GET", path, None)?;
    if status != 200 {
        return Err(Failed::because(fault(&answer)));
    }
    if json {
        return print(&format!("{answer:#}\n"));
    }
    print(&format!("{}\n", text(&answer, "why").trim_end()))
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn list(value: &Value) -> String {
    let items: Vec<_> = value.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    items.join(", ")
}

fn minutes(seconds: &Value) -> String {
    let seconds = seconds.as_u64().unwrap_or_default();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
