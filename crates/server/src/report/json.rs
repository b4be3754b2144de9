use super::{Asked, on_the_wall, service_level, stamp};
use figures::{Axis, FIGURES, Figure, Report, Row, Unit};
use serde_json::{Map, Value, json as value};

/// A report as one JSON object: the rows with each figure by name, `null` where there is none, and what they were
/// counted by.
pub(crate) fn json(asked: &Asked, report: &Report) -> Value {
    let selection = &asked.selection;
    let zone = &selection.grid.zone;
    value!({
        "report": axis(selection.axis),
        "zone": zone.iana_name(),
        "from": stamp(zone, selection.from),
        "to": stamp(zone, selection.to),
        "as_of": stamp(zone, selection.now),
        "counted": "visits in the interval of their arrival; agents' time cut at the borders of intervals",
        "rows": report.rows.iter().map(|row| one(asked, row)).collect::<Vec<_>>(),
    })
}

fn one(asked: &Asked, row: &Row) -> Value {
    let zone = &asked.selection.grid.zone;
    let level = asked.level_of(&row.name);
    let values = FIGURES.iter().map(|figure| (figure.name.to_owned(), number(figure, row)));
    let mut object = value!({
        "name": row.name,
        "from": stamp(zone, row.from),
        "to": stamp(zone, row.to),
        "weekday": on_the_wall(zone, row.from, "%A"),
        "service_level": {
            "value": service_level(asked, row),
            "target": level.target,
            "within_seconds": level.within / 1_000,
            "short_abandon_seconds": level.short_abandon / 1_000,
            "formula": level.formula,
            "means": level.formula.text(),
        },
        "figures": values.collect::<Map<_, _>>(),
    });
    if let Some(time) = &row.tally.time {
        object["pauses_millis"] = value!(time.paused);
    }
    object
}

/// `null` where there is none.
fn number(figure: &Figure, row: &Row) -> Value {
    match ((figure.value)(&row.tally), figure.unit) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        (Some(count), Unit::Count) => value!(count as u64),
        (other, _) => value!(other),
    }
}

/// As it is asked for.
pub(super) fn axis(axis: Axis) -> &'static str {
    match axis {
        Axis::Queues => "queues",
        Axis::Agents => "agents",
        Axis::Clients => "clients",
        Axis::Numbers => "numbers",
        Axis::Trunks => "trunks",
    }
}
