//! CSV (RFC 4180): a line of names, then rows. Commas or semicolons part the cells, as the first line shows.

use crate::faults::{Faults, Span};

/// A file of rows.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    /// The names of the first line.
    pub(crate) columns: Vec<String>,
    /// The others, each as long as the first.
    pub(crate) rows: Vec<(Vec<String>, Span)>,
}

/// Reads a file; a row of another length is a fault, and so is a quote without an end.
pub(crate) fn read(file: usize, text: &str, faults: &mut Faults<'_>) -> Sheet {
    let text = text.strip_prefix('\u{feff}').map_or((text, 0), |rest| (rest, text.len() - rest.len()));
    let (text, skipped) = text;
    let first = text.lines().next().unwrap_or_default();
    let separator = if first.contains(';') && !first.contains(',') { ';' } else { ',' };
    let mut sheet = Sheet::default();
    let mut start = 0;
    while start < text.len() {
        let at = |len| Span { file, start: skipped + start, len };
        let Some((cells, length)) = record(&text[start..], separator) else {
            faults.hinted(
                at(1),
                "a quote has no end",
                "a quote within a cell is written twice: \"5\"\" pipe\"",
            );
            return sheet;
        };
        let line = text[start..start + length].trim_end_matches(['\r', '\n']).len();
        match cells.as_slice() {
            [empty] if empty.is_empty() => {}
            _ if sheet.columns.is_empty() => sheet.columns = cells,
            _ if cells.len() != sheet.columns.len() => {
                let (has, columns) = (cells.len(), sheet.columns.len());
                faults.error(at(line), format!("this row has {has} cells, and the first line {columns}"));
            }
            _ => sheet.rows.push((cells, at(line))),
        }
        start += length;
    }
    if sheet.columns.len() < 2 {
        let at = Span { file, start: skipped, len: 0 };
        faults.hinted(at, "a table has a key and a column at least", "write their names into the first line");
    }
    sheet
}

/// The cells of the record that a text begins with, and how long it is with its end of line; `None` if a quote has no end.
fn record(text: &str, separator: char) -> Option<(Vec<String>, usize)> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut chars = text.char_indices().peekable();
    while let Some((place, c)) = chars.next() {
        let begins = cells.last().is_some_and(String::is_empty);
        let next = chars.peek().map(|(_, next)| *next);
        match c {
            '"' if quoted && next == Some('"') => {
                chars.next();
                push(&mut cells, '"');
            }
            '"' if quoted => quoted = false,
            '"' if begins => quoted = true,
            _ if quoted => push(&mut cells, c),
            '\n' => return Some((cells, place + 1)),
            '\r' if next == Some('\n') || next.is_none() => {}
            _ if c == separator => cells.push(String::new()),
            _ => push(&mut cells, c),
        }
    }
    (!quoted).then_some((cells, text.len()))
}

fn push(cells: &mut [String], c: char) {
    if let Some(cell) = cells.last_mut() {
        cell.push(c);
    }
}
