//! A report as people read it on a terminal.

use super::json::axis;
use super::{Asked, clock_face, on_the_wall, service_level};
use figures::{Axis, Figure, Formula, Level, Report, Row, Tally, Unit, figure};
use std::collections::BTreeMap;

/// Cells of the bar of a service level.
const BAR: usize = 10;

/// A table with a line for each row and, where several are of one time, one for all of them.
pub(crate) fn table(asked: &Asked, report: &Report) -> String {
    let text = title(asked);
    if report.rows.is_empty() {
        return text + "nothing was counted\n";
    }
    let columns = Column::of(asked.selection.axis);
    let mut lines = vec![head(asked, columns)];
    lines.extend(report.rows.iter().map(|row| line(asked, columns, row, service_level(asked, row))));
    let mut names: Vec<_> = report.rows.iter().map(|row| &row.name).collect();
    names.dedup();
    if report.rows.len() > 1 {
        lines.push(all(asked, columns, report, names.len()));
    }
    text + &aligned(&lines) + &levels(asked, &names)
}

/// A column: a figure, or the service level with its bar.
#[derive(Clone, Copy)]
enum Column {
    Figure(&'static str),
    ServiceLevel,
    /// Pauses by reason.
    Pauses,
}

impl Column {
    fn of(axis: Axis) -> &'static [Self] {
        use Column::{Figure as F, Pauses, ServiceLevel};
        match axis {
            Axis::Queues => &[
                F("offered"),
                F("answered"),
                F("abandoned"),
                F("short_abandoned"),
                F("flow_out"),
                F("waiting"),
                ServiceLevel,
                F("asa"),
                F("longest_wait"),
                F("aht"),
                F("abandonment"),
                F("transferred"),
                F("callbacks_asked"),
                F("callbacks_done"),
            ],
            Axis::Agents => &[
                F("offers"),
                F("accepted"),
                F("missed"),
                F("non_response"),
                F("aht"),
                F("talk"),
                F("hold"),
                F("wrap_up"),
                F("transferred"),
                F("logged_in"),
                F("ready"),
                F("paused"),
                F("occupancy"),
                Pauses,
            ],
            Axis::Clients | Axis::Numbers | Axis::Trunks => &[
                F("contacts"),
                F("unqueued"),
                F("self_service"),
                F("offered"),
                F("answered"),
                F("abandoned"),
                F("flow_out"),
                ServiceLevel,
                F("asa"),
                F("aht"),
                F("abandonment"),
            ],
        }
    }
}

fn title(asked: &Asked) -> String {
    let selection = &asked.selection;
    let zone = &selection.grid.zone;
    let moment = |at| on_the_wall(zone, at, "%Y-%m-%d %H:%M");
    let client = selection.client.as_ref().map_or(String::new(), |client| format!(" of {client}"));
    let (from, to) = (moment(selection.from), moment(selection.to));
    format!("{}{client}, {from} to {to} {}\n\n", axis(selection.axis), zone.iana_name().unwrap_or("UTC"))
}

fn head(asked: &Asked, columns: &[Column]) -> Vec<String> {
    let mut cells = vec!["NAME".to_owned()];
    if asked.selection.grid.every.is_some() {
        cells.push("FROM".to_owned());
    }
    cells.extend(columns.iter().map(|column| match column {
        Column::Figure(name) => figure(name).map_or("", |figure| figure.head).to_owned(),
        Column::ServiceLevel => "SERVICE LEVEL".to_owned(),
        Column::Pauses => "PAUSES".to_owned(),
    }));
    cells
}

fn line(asked: &Asked, columns: &[Column], row: &Row, level: Option<f64>) -> Vec<String> {
    let mut cells = vec![row.name.to_string()];
    if asked.selection.grid.every.is_some() {
        cells.push(on_the_wall(&asked.selection.grid.zone, row.from, "%a %d %b %H:%M"));
    }
    let target = asked.level_of(&row.name).target;
    cells.extend(columns.iter().map(|column| cell(*column, &row.tally, level, target)));
    cells
}

/// All rows in one. Queues of several formulas have no service level in common.
fn all(asked: &Asked, columns: &[Column], report: &Report, names: usize) -> Vec<String> {
    let total = report.total();
    let mut formulas: Vec<Formula> =
        report.rows.iter().map(|row| asked.level_of(&row.name).formula).collect();
    formulas.sort_by_key(ToString::to_string);
    formulas.dedup();
    let level = match formulas[..] {
        [formula] => formula.value(&total),
        _ => None,
    };
    let target = asked.level_of(&report.rows[0].name).target;
    let mut cells = vec![if names > 1 { format!("all {names}") } else { "all".to_owned() }];
    if asked.selection.grid.every.is_some() {
        cells.push(String::new());
    }
    cells.extend(columns.iter().map(|column| cell(*column, &total, level, target)));
    cells
}

fn cell(column: Column, tally: &Tally, level: Option<f64>, target: f64) -> String {
    match column {
        Column::Figure(name) => figure(name).map_or(String::new(), |figure| shown(figure, tally)),
        Column::ServiceLevel => level.map_or("–".to_owned(), |level| bar(level, target)),
        Column::Pauses => tally.time.as_ref().map_or(String::new(), |time| pauses(&time.paused)),
    }
}

fn pauses(paused: &BTreeMap<std::sync::Arc<str>, u64>) -> String {
    let each = paused.iter().map(|(reason, millis)| format!("{reason} {}", clock_face(*millis)));
    each.collect::<Vec<_>>().join(", ")
}

/// A figure in its unit; a dash where it has no base.
pub(super) fn shown(figure: &Figure, tally: &Tally) -> String {
    let Some(value) = (figure.value)(tally) else { return "–".to_owned() };
    match figure.unit {
        Unit::Count => format!("{value}"),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "times of calls, not negative"
        )]
        Unit::Seconds => clock_face((value * 1_000.0) as u64),
        Unit::Share => percent(value),
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// `82.5 % ████████░░`, with a mark where the target is missed.
fn bar(level: f64, target: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of ten cells"
    )]
    let full = (level * BAR as f64).round() as usize;
    let mark = if level < target { "▼" } else { " " };
    format!("{:>7} {}{} {mark}", percent(level), "█".repeat(full), "░".repeat(BAR - full.min(BAR)))
}

/// What each service level is, once.
fn levels(asked: &Asked, names: &[&std::sync::Arc<str>]) -> String {
    let mut known: Vec<(Level, Vec<&str>)> = Vec::new();
    for name in names {
        let level = asked.level_of(name);
        match known.iter_mut().find(|(other, _)| other == level) {
            Some((_, names)) => names.push(name),
            None => known.push((*level, vec![name])),
        }
    }
    if asked.selection.axis == Axis::Agents {
        known.clear();
    }
    let is_one = known.len() == 1;
    let lines = known.iter().map(|(level, names)| {
        let Level { within, target, formula, short_abandon } = level;
        let of = if is_one { String::new() } else { format!(" of {}", names.join(", ")) };
        let short = match short_abandon {
            0 => String::new(),
            millis => format!("; short abandons: sooner than {} s", seconds(*millis)),
        };
        format!(
            "service level{of}: {} % within {} s, {formula}: {}{short}\n",
            target * 100.0,
            seconds(*within),
            formula.text()
        )
    });
    format!(
        "\n{}visits are counted when they arrived, agents' time when it was; `ringdown report --explain` has the formulas\n",
        lines.collect::<String>()
    )
}

#[expect(clippy::cast_precision_loss, reason = "thousands of seconds at most")]
fn seconds(millis: u64) -> f64 {
    millis as f64 / 1_000.0
}

/// Columns as wide as their widest cell; the first and those of letters to the left, numbers to the right.
pub(crate) fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let is_text: Vec<bool> = (0..columns)
        .map(|column| {
            let is_number =
                |text: &str| text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit() || c == '–');
            column == 0 || !lines.iter().skip(1).all(|line| is_number(&line[column]))
        })
        .collect();
    let mut text = String::new();
    for line in lines {
        let cells = line.iter().zip(&widths).zip(&is_text).map(|((cell, width), is_text)| {
            let gap = " ".repeat(width - cell.chars().count());
            if *is_text { format!("{cell}{gap}") } else { format!("{gap}{cell}") }
        });
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}
