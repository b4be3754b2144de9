//! `staffing`: how many agents a queue needs, from what was measured of it.

use super::Failed;
use super::history::{print_json, read};
use super::output::print;
use super::report::{as_of, settings};
use crate::report::{Asked, Question, aligned, answer, clock_face, on_the_wall};
use acd::erlang::{Demand, agents_a, agents_c, level_a, level_c};
use clap::Args;
use figures::{Axis, Millis, Report, Tally};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use store::Store;

/// What is asked.
#[derive(Args)]
pub(super) struct Arguments {
    /// The queue: `support`, or `acme/support`
    #[arg(value_name = "QUEUE")]
    queue: String,
    #[command(flatten)]
    question: Question,
    /// The node file or client folder that says how soon the queue is to be answered
    #[arg(long, value_name = "PATH", default_value = "ringdown.yaml")]
    config: PathBuf,
    /// A JSON array, a weekday and time each
    #[arg(long)]
    json: bool,
}

/// An interval of a weekday, in the mean of all of them in the period.
#[derive(Debug, Serialize)]
struct Need {
    weekday: String,
    from: String,
    /// Callers, without short abandons.
    calls: f64,
    /// Seconds.
    aht: f64,
    /// Calls that are there at once.
    erlangs: f64,
    /// Agents by Erlang C: callers wait as long as it takes.
    erlang_c: u32,
    level_c: f64,
    /// By Erlang A: callers lose patience as those of the period did; `None` if none did.
    erlang_a: Option<u32>,
    level_a: Option<f64>,
}

pub(super) fn staffing(state: &Path, arguments: &Arguments) -> Result<(), Failed> {
    let now = read(as_of(state))?;
    let mut question = arguments.question.clone();
    question.every.get_or_insert_with(|| "30m".to_owned());
    let named = (Axis::Queues, Some(arguments.queue.clone()));
    let asked = question.understand(named, &settings(&arguments.config)?, now).map_err(Failed::because)?;
    let report = read(async { answer(&Store::open_read(state).await?, &asked).await })?;
    let names: BTreeSet<_> = report.rows.iter().map(|row| &row.name).collect();
    let name = match names.len() {
        1 => names.first().map_or(String::new(), |name| name.to_string()),
        0 => return Err(Failed::because(format!("nobody came to the queue {} then", arguments.queue))),
        _ => {
            return Err(Failed::because(
                "several clients have a queue of that name: name it like acme/support",
            ));
        }
    };
    let patience = patience(&report.total());
    let needs = needs(&asked, &report, &name, patience);
    if arguments.json {
        return print_json(&needs);
    }
    let level = asked.level_of(&name);
    let tells = match patience {
        Some(seconds) => format!(
            "callers lose patience after {seconds:.0} s in the mean (waits of answered and abandoned / abandoned)"
        ),
        None => "nobody has lost patience: no Erlang A".to_owned(),
    };
    print(&format!(
        "{name}: agents for {} % within {} s\n\n{}\n{tells}\nin the mean of each weekday of the period; \
         agents who are paused or away come on top\n",
        level.target * 100.0,
        level.within / 1_000,
        table(&needs)
    ))
}

#[expect(clippy::cast_precision_loss, reason = "counts of calls and milliseconds are far below 2^52")]
fn number(count: u64) -> f64 {
    count as f64
}

/// Mean patience in seconds, as exponential patience that is cut off by an answer is estimated.
fn patience(total: &Tally) -> Option<f64> {
    let waited = number(total.wait_answered + total.wait_abandoned) / 1_000.0;
    (total.abandoned > 0).then(|| waited / number(total.abandoned)).filter(|patience| *patience > 0.0)
}

fn needs(asked: &Asked, report: &Report, name: &str, patience: Option<f64>) -> Vec<Need> {
    let zone = &asked.selection.grid.zone;
    let level = asked.level_of(name);
    let total = report.total();
    let mut slots: BTreeMap<(String, String), (Millis, Tally)> = BTreeMap::new();
    for row in &report.rows {
        let (weekday, from) = (on_the_wall(zone, row.from, "%u %A"), on_the_wall(zone, row.from, "%H:%M"));
        let slot = slots.entry((weekday, from)).or_insert_with(|| (row.to - row.from, Tally::default()));
        slot.1.merge(&row.tally);
    }
    let days = weekdays(asked);
    let needed = slots.into_iter().filter_map(|((weekday, from), (lasts, tally))| {
        let counted = if tally.handled > 0 { &tally } else { &total };
        let aht = number(counted.handling()) / 1_000.0 / number(counted.handled);
        let calls = number(tally.offered - tally.short_abandoned) / number(*days.get(&weekday).unwrap_or(&1));
        let erlangs = calls * aht / (number(lasts.unsigned_abs()) / 1_000.0);
        // Nothing handled, nothing known.
        if !erlangs.is_finite() || aht <= 0.0 {
            return None;
        }
        let demand =
            Demand { offered: erlangs, within: number(level.within) / 1_000.0 / aht, target: level.target };
        let patience = patience.map(|patience| patience / aht);
        let erlang_c = agents_c(&demand);
        let erlang_a = patience.map(|patience| agents_a(&demand, patience));
        Some(Need {
            weekday: weekday[2..].to_owned(),
            from,
            calls,
            aht,
            erlangs,
            erlang_c,
            level_c: level_c(erlang_c, erlangs, demand.within),
            erlang_a,
            level_a: erlang_a
                .zip(patience)
                .map(|(agents, patience)| level_a(agents, erlangs, patience, demand.within)),
        })
    });
    needed.collect()
}

/// How often each weekday is in the period.
fn weekdays(asked: &Asked) -> BTreeMap<String, u64> {
    let selection = &asked.selection;
    let mut seen = BTreeSet::new();
    let mut at = selection.from;
    while at < selection.to {
        seen.insert(on_the_wall(&selection.grid.zone, at, "%F %u %A"));
        at += 6 * 3_600_000;
    }
    let mut days = BTreeMap::new();
    for day in seen {
        *days.entry(day[11..].to_owned()).or_default() += 1;
    }
    days
}

fn table(needs: &[Need]) -> String {
    let head = ["WEEKDAY", "FROM", "CALLS", "AHT", "ERLANGS", "ERLANG C", "LEVEL", "ERLANG A", "LEVEL", ""];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let none = || "–".to_owned();
    lines.extend(needs.iter().map(|need| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time, not negative")]
        let aht = (need.aht * 1_000.0) as u64;
        let agents = need.erlang_a.unwrap_or(need.erlang_c);
        vec![
            need.weekday.clone(),
            need.from.clone(),
            format!("{:.1}", need.calls),
            clock_face(aht),
            format!("{:.2}", need.erlangs),
            need.erlang_c.to_string(),
            percent(need.level_c),
            need.erlang_a.map_or_else(none, |agents| agents.to_string()),
            need.level_a.map_or_else(none, percent),
            // As wide as a terminal has place for.
            "▪".repeat(agents.min(30) as usize),
        ]
    }));
    aligned(&lines)
}
