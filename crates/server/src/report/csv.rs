use super::{Asked, service_level, stamp};
use figures::{FIGURES, Report};

/// A report as comma-separated values (RFC 4180), with a head: each figure by name, nothing where there is none.
pub(crate) fn csv(asked: &Asked, report: &Report) -> String {
    let zone = &asked.selection.grid.zone;
    let names = FIGURES.iter().map(|figure| figure.name);
    let head = ["name", "from", "to", "service_level"].into_iter().chain(names).collect::<Vec<_>>();
    let mut text = head.join(",") + "\r\n";
    for row in &report.rows {
        let mut cells = vec![quoted(&row.name), stamp(zone, row.from), stamp(zone, row.to)];
        cells.push(number(service_level(asked, row)));
        cells.extend(FIGURES.iter().map(|figure| number((figure.value)(&row.tally))));
        text += &cells.join(",");
        text += "\r\n";
    }
    text
}

fn number(value: Option<f64>) -> String {
    value.map_or(String::new(), |value| value.to_string())
}

/// A text that may have commas, and that no spreadsheet may take for a formula: a caller can choose it.
pub(crate) fn quoted(text: &str) -> String {
    let safe =
        if text.starts_with(['=', '@', '-', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if safe.contains([',', '"', '\n', '\r']) { format!("\"{}\"", safe.replace('"', "\"\"")) } else { safe }
}
