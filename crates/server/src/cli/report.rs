//! `report`: figures out of the event log, beside a running node or without one.

use super::Failed;
use super::history::{print_json, read};
use super::output::print;
use crate::load;
use crate::report::{
    Asked, Contacts, Question, Settings, answer, csv, explain, explain_all, json, queue_log, segments, table,
};
use clap::{Args, ValueEnum};
use figures::{Axis, Millis, Visit};
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use store::{Reader, Store, StoreError};

/// What is asked of the event log.
#[derive(Args)]
pub(super) struct Arguments {
    /// By what is counted, or `contact`, or `queue-log`
    #[arg(value_enum, required_unless_present = "explain")]
    what: Option<What>,
    /// Only this one: a queue (`support`, `acme/support`), an agent and so on; the contact's number
    #[arg(value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    question: Question,
    /// The node file or client folder that says how soon queues are to be answered, and the clients' time zones
    #[arg(long, value_name = "PATH", default_value = "ringdown.yaml")]
    config: PathBuf,
    /// How a figure is computed; all of them without a name
    #[arg(long, value_name = "FIGURE", num_args = 0..=1, default_missing_value = "")]
    explain: Option<String>,
    /// The contacts behind a figure
    #[arg(long, value_name = "FIGURE", conflicts_with = "csv")]
    contacts: Option<String>,
    /// A JSON object with every figure
    #[arg(long)]
    json: bool,
    /// Comma-separated values with every figure
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    Queues,
    Agents,
    Clients,
    Numbers,
    Trunks,
    /// What happened to one contact, segment by segment
    Contact,
    /// Asterisk's queue_log
    QueueLog,
}

pub(super) fn report(state: &Path, arguments: Arguments) -> Result<(), Failed> {
    if let Some(name) = &arguments.explain {
        let text = if name.is_empty() { Some(explain_all()) } else { explain(name) };
        return match text {
            Some(text) => print(&text),
            None => {
                Err(Failed::because(format!("there is no figure `{name}`: `--explain` alone lists them")))
            }
        };
    }
    let now = read(as_of(state))?;
    let axis = match arguments.what {
        Some(What::Contact) => return contact(state, &arguments),
        Some(What::QueueLog) => return print_queue_log(state, &arguments, now),
        Some(What::Agents) => Axis::Agents,
        Some(What::Clients) => Axis::Clients,
        Some(What::Numbers) => Axis::Numbers,
        Some(What::Trunks) => Axis::Trunks,
        Some(What::Queues) | None => Axis::Queues,
    };
    let asked = understand(&arguments, axis, now)?;
    if let Some(figure) = &arguments.contacts {
        let behind = Contacts::of(figure).map_err(Failed::because)?;
        let visits = read(async { behind.list(&Store::open_read(state).await?, &asked).await })?;
        let zone = &asked.selection.grid.zone;
        return if arguments.json {
            print_json(&visits)
        } else {
            print(&Contacts::table(&visits, zone, now))
        };
    }
    let counted = read(async { answer(&Store::open_read(state).await?, &asked).await })?;
    if arguments.json {
        print_json(&json(&asked, &counted))
    } else if arguments.csv {
        print(&csv(&asked, &counted))
    } else {
        print(&table(&asked, &counted))
    }
}

fn understand(arguments: &Arguments, axis: Axis, now: Millis) -> Result<Asked, Failed> {
    let settings = settings(&arguments.config)?;
    let name = arguments.name.clone();
    arguments.question.understand((axis, name), &settings, now).map_err(Failed::because)
}

/// Those of the configuration, if there is one where it is looked for.
pub(super) fn settings(config: &Path) -> Result<Settings, Failed> {
    if !config.exists() && config == Path::new("ringdown.yaml") {
        return Ok(Settings::default());
    }
    load::load_path(config).map(|plan| Settings::of(&plan)).map_err(Failed::because)
}

/// Now, if a node runs there; else the moment at which its log ends: nobody knows what was after.
pub(super) async fn as_of(state: &Path) -> Result<Millis, StoreError> {
    if super::client::runs(state) {
        return Ok(Timestamp::now().as_millisecond());
    }
    Store::open_read(state).await?.last().await
}

fn contact(state: &Path, arguments: &Arguments) -> Result<(), Failed> {
    let Some(number) = arguments.name.as_ref().and_then(|name| name.parse::<u64>().ok()) else {
        return Err(Failed::because("name the contact by its number, as `ringdown calls` shows it"));
    };
    let found = read(async { Store::open_read(state).await?.visits_of(events::ContactId(number)).await })?;
    if found.is_empty() {
        return Err(Failed::because(format!("contact {number} has come to no queue, or is not known")));
    }
    if arguments.json {
        let all: Vec<_> = found.iter().flat_map(Visit::segments).collect();
        return print_json(&all);
    }
    let asked =
        understand(arguments, Axis::Queues, found.iter().map(|visit| visit.arrived).max().unwrap_or(0))?;
    print(&segments(&found, &asked.selection.grid.zone))
}

fn print_queue_log(state: &Path, arguments: &Arguments, now: Millis) -> Result<(), Failed> {
    let asked = understand(arguments, Axis::Queues, now)?;
    let (visits, agents) = read(async {
        let reader: Reader = Store::open_read(state).await?;
        let period = (asked.selection.from, asked.selection.to);
        let mut visits = Vec::new();
        reader.visits(period, asked.selection.client.as_deref(), |visit| visits.push(visit.clone())).await?;
        Ok((visits, reader.timelines(period).await?))
    })?;
    print(&queue_log(&visits, &agents, (asked.selection.from, asked.selection.to)))
}
