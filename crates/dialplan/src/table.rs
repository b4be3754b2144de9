//! Tables of a client: a key, and typed values for it.

mod csv;

pub(crate) use csv::{Sheet, read as read_csv};

use crate::expression::{Type, Value};
use crate::faults::{Faults, Span};
use crate::fields::Fields;
use crate::yaml::{self, Key, Node, Scalar};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A table of more rows belongs into a server that is asked.
const MOST_ROWS: usize = 100_000;

/// The `*.csv` files of a client by name.
pub(crate) type Sheets = BTreeMap<String, Sheet>;

/// Rows by their key.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) columns: Vec<(String, Type)>,
    rows: HashMap<String, Vec<Value>>,
    /// Whether the longest key counts that a value begins with, instead of the one that it is.
    by_prefix: bool,
}

impl Table {
    /// The values of a key, in the order of the columns.
    pub(crate) fn find(&self, key: &str) -> Option<&[Value]> {
        if !self.by_prefix {
            return self.rows.get(key).map(Vec::as_slice);
        }
        let ends = (0..=key.len()).rev().filter(|end| key.is_char_boundary(*end));
        ends.filter_map(|end| self.rows.get(&key[..end])).map(Vec::as_slice).next()
    }

    /// A column's place and type.
    pub(crate) fn column(&self, name: &str) -> Option<(usize, Type)> {
        let place = self.columns.iter().position(|(known, _)| known == name)?;
        Some((place, self.columns[place].1))
    }
}

/// Reads `tables`; a faulty one has its name all the same.
pub(crate) fn read(
    entries: &[(Key, Node)],
    sheets: &Sheets,
    faults: &mut Faults<'_>,
) -> BTreeMap<String, Option<Arc<Table>>> {
    let read = |(key, node): &(Key, Node), faults: &mut Faults<'_>| {
        (key.text.clone(), table(key, node, sheets, faults).map(Arc::new))
    };
    entries.iter().map(|entry| read(entry, faults)).collect()
}

fn table(key: &Key, node: &Node, sheets: &Sheets, faults: &mut Faults<'_>) -> Option<Table> {
    let fields = Fields::of(node, key.span, "a table", &["csv", "rows", "columns", "match"], faults)?;
    let by_prefix = match fields.get("match").map(|node| (node, node.text("`match`", faults))) {
        None => false,
        Some((_, Some("prefix"))) => true,
        Some((_, Some("whole"))) => false,
        Some((node, word)) => {
            let words = ["whole", "prefix"];
            faults.unknown(node.span, "keys do not match by {}", word.unwrap_or_default(), words.into_iter());
            false
        }
    };
    let columns = columns(fields.get("columns"), faults);
    let (columns, rows) = match (fields.get("csv"), fields.get("rows")) {
        (Some(node), None) => from_csv(node, columns, sheets, faults)?,
        (None, Some(node)) => (columns.clone(), from_rows(node, &columns, faults)),
        _ => {
            let hint = "write csv: prices.csv, or rows: {\"4711\": {price: 12}}";
            faults.hinted(key.span, "the rows of a table are in one place", hint);
            return None;
        }
    };
    if rows.len() > MOST_ROWS {
        faults.error(key.span, format!("a table has at most {MOST_ROWS} rows, and this one {}", rows.len()));
    }
    Some(Table { columns, rows, by_prefix })
}

fn columns(node: Option<&Node>, faults: &mut Faults<'_>) -> Vec<(String, Type)> {
    let mut columns = Vec::new();
    for (key, node) in node.map_or(&[][..], |node| node.entries("`columns`", faults)) {
        let Some(word) = node.text("the type of a column", faults) else { continue };
        match Type::named(word) {
            Some(kind) => columns.push((key.text.clone(), kind)),
            None => faults.unknown(node.span, "unknown type {}", word, Type::NAMES.into_iter()),
        }
    }
    columns
}

type Rows = HashMap<String, Vec<Value>>;

/// The first column is the key; those that are not declared are texts.
fn from_csv(
    node: &Node,
    declared: Vec<(String, Type)>,
    sheets: &Sheets,
    faults: &mut Faults<'_>,
) -> Option<(Vec<(String, Type)>, Rows)> {
    let name = node.text("`csv`", faults)?;
    let Some(sheet) = sheets.get(name) else {
        faults.unknown(node.span, "the client has no file {}", name, sheets.keys().map(String::as_str));
        return None;
    };
    for (column, _) in declared.iter().filter(|(column, _)| !sheet.columns.contains(column)) {
        let known = sheet.columns.iter().map(String::as_str);
        faults.unknown(node.span, &format!("{name} has no column {{}}"), column, known);
    }
    let kind =
        |column: &String| declared.iter().find(|(it, _)| it == column).map_or(Type::Text, |(_, kind)| *kind);
    let columns: Vec<_> = sheet.columns.iter().skip(1).map(|column| (column.clone(), kind(column))).collect();
    let mut rows = Rows::new();
    for (cells, at) in &sheet.rows {
        let Some((key, cells)) = cells.split_first() else { continue };
        let mut values = Vec::new();
        for (cell, (column, kind)) in cells.iter().zip(&columns) {
            match value(cell, *kind) {
                Some(value) => values.push(value),
                None => faults.error(*at, format!("`{cell}` under `{column}` is not {kind}")),
            }
        }
        add(&mut rows, key, values, *at, faults);
    }
    Some((columns, rows))
}

fn from_rows(node: &Node, columns: &[(String, Type)], faults: &mut Faults<'_>) -> Rows {
    let mut rows = Rows::new();
    if columns.is_empty() {
        faults.hinted(node.place_or(node.span), "a table needs `columns`", "write columns: {price: decimal}");
    }
    for (key, node) in node.entries("`rows`", faults) {
        let known: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let Some(fields) = Fields::of(node, key.span, "a row", &known, faults) else { continue };
        let mut values = Vec::new();
        for (name, kind) in columns {
            let Some(node) = fields.require(name, faults) else { continue };
            match cell(node, *kind) {
                Some(value) => values.push(value),
                None => faults.error(
                    node.place_or(key.span),
                    format!("`{name}` is {}, and has to be {kind}", node.describe()),
                ),
            }
        }
        add(&mut rows, &key.text, values, key.span, faults);
    }
    rows
}

fn add(rows: &mut Rows, key: &str, values: Vec<Value>, at: Span, faults: &mut Faults<'_>) {
    if rows.insert(key.to_owned(), values).is_some() {
        faults.error(at, format!("the key `{key}` has a row already"));
    }
}

/// A value of YAML, which says itself what it is.
fn cell(node: &Node, kind: Type) -> Option<Value> {
    let yaml::Value::Scalar { text, kind: written } = &node.value else { return None };
    match (kind, written) {
        (Type::Text, _) | (Type::Int | Type::Decimal, Scalar::Number) | (Type::Bool, Scalar::Bool) => {
            value(text, kind)
        }
        _ => None,
    }
}

fn value(text: &str, kind: Type) -> Option<Value> {
    match kind {
        Type::Text => Some(Value::Text(text.into())),
        Type::Int => text.trim().parse().ok().map(Value::Int),
        Type::Decimal => text.trim().parse().ok().filter(|it: &f64| it.is_finite()).map(Value::Decimal),
        Type::Bool => text.trim().to_ascii_lowercase().parse().ok().map(Value::Bool),
    }
}
