//! Reports: a question in words, its answer out of the event log, and how that is shown.

mod contacts;
mod csv;
mod json;
mod question;
mod queue_log;
mod table;

pub(crate) use contacts::{Contacts, segments};
pub(crate) use csv::{csv, quoted};
pub(crate) use json::json;
pub(crate) use question::{Asked, Question, Settings};
pub(crate) use queue_log::queue_log;
pub(crate) use table::{aligned, table};

use figures::{Axis, Counter, FIGURES, Figure, Formula, Millis, Report, Row, Unit, figure};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use store::{Reader, StoreError};

/// The service level by the formula of each queue: what has no figure of its own.
pub(crate) const SERVICE_LEVEL: &str = "service_level";

/// Counts what is asked for.
///
/// # Errors
/// What the store says.
pub(crate) async fn answer(reader: &Reader, asked: &Asked) -> Result<Report, StoreError> {
    let Asked { selection, levels } = asked;
    let period = (selection.from, selection.to);
    let mut counter = Counter::new(selection, levels);
    reader.visits(period, selection.client.as_deref(), |visit| counter.visit(visit)).await?;
    if selection.axis == Axis::Agents && selection.client.is_none() {
        for (agent, timeline) in reader.timelines(period).await? {
            counter.timeline(&agent, &timeline);
        }
    }
    Ok(counter.report())
}

/// How a figure is computed; `None` for one that there is not.
pub(crate) fn explain(name: &str) -> Option<String> {
    if name == SERVICE_LEVEL {
        let formulas = Formula::NAMES.iter().filter_map(|name| name.parse::<Formula>().ok());
        let lines = formulas.map(|formula| format!("  {:<10} {}\n", formula.to_string(), formula.text()));
        return Some(format!(
            "service_level: by the formula of the queue (service_level: {{formula: …}}), neutral if it says nothing\n{}  \
             A answered, A_t of those within the time, B abandoned, B_t within it, S short abandons, F flow-out\n  \
             genesys also with +f (F is added), -s (S is left out), -b (B and S are left out): genesys+f-s\n",
            lines.collect::<String>()
        ));
    }
    figure(name).map(|figure| format!("{}: {}{}\n", figure.name, figure.formula, unit(figure)))
}

/// All figures with their formulas.
pub(crate) fn explain_all() -> String {
    let others: String = FIGURES.iter().filter_map(|figure| explain(figure.name)).collect();
    explain(SERVICE_LEVEL).unwrap_or_default() + &others
}

fn unit(figure: &Figure) -> &'static str {
    match figure.unit {
        Unit::Count => "",
        Unit::Seconds => "; in seconds",
        Unit::Share => "; 0 to 1",
    }
}

/// The service level of a row by the formula of its queue, or by that of all others.
pub(crate) fn service_level(asked: &Asked, row: &Row) -> Option<f64> {
    asked.level_of(&row.name).formula.value(&row.tally)
}

/// A moment as the clock of a zone shows it.
pub(crate) fn on_the_wall(zone: &TimeZone, at: Millis, format: &str) -> String {
    let utc = Timestamp::from_millisecond(at).unwrap_or(Timestamp::MAX);
    utc.to_zoned_datetime(zone.clone()).strftime(format).to_string()
}

/// With its offset, for machines.
pub(crate) fn stamp(zone: &TimeZone, at: Millis) -> String {
    on_the_wall(zone, at, "%Y-%m-%dT%H:%M:%S%:z")
}

/// Milliseconds as minutes and seconds, with hours where there are any.
pub(crate) fn clock_face(millis: u64) -> String {
    let seconds = (millis + 500) / 1_000;
    match seconds / 3_600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}
