//! `lookup`: values of a table of the client, by a key.

use super::{Step, Verb};
use crate::compile::Compiler;
use crate::expression::{Expression, Scope, Type};
use crate::faults::{Faults, Span};
use crate::fields::Fields;
use crate::machine::{Next, Turn};
use crate::program::Pc;
use crate::table::Table;
use crate::types::{Source, Write};
use crate::yaml::Node;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Lookup {
    /// `None` when it could not be read; likewise below.
    table: Option<Arc<Table>>,
    key: Option<Expression>,
    into: Vec<Into>,
    found: Pc,
    missing: Option<Pc>,
}

/// A variable, and the column that it gets.
#[derive(Debug)]
struct Into {
    name: String,
    at: Span,
    column: Option<(usize, Type)>,
}

impl Lookup {
    pub(super) fn parse(
        step: &Step<'_>,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        let argument = step.argument(compiler)?;
        let fields =
            Fields::of(argument, step.at, "`lookup`", &["table", "key", "into", "missing"], compiler.faults)?;
        let named = fields.require("table", compiler.faults);
        let key = fields.require("key", compiler.faults);
        let key = key.and_then(|node| Expression::parse(node, "`key`", compiler.faults));
        let columns = fields.require("into", compiler.faults);
        let missing = compiler.branch(fields.get("missing"), next);
        let table = named.and_then(|node| compiler.table(node));
        let mut into = Vec::new();
        for (variable, node) in columns.map_or(&[][..], |node| node.entries("`into`", compiler.faults)) {
            let Some(name) = compiler.variable(&variable.text, variable.span) else { continue };
            let Some(word) = node.text("a column", compiler.faults) else { continue };
            let column = table.as_ref().and_then(|table| table.column(word));
            if let (Some(table), None) = (&table, column) {
                let known = table.columns.iter().map(|(name, _)| name.as_str());
                compiler.faults.unknown(node.span, "the table has no column {}", word, known);
            }
            into.push(Into { name, at: variable.span, column });
        }
        let lookup = Self { table, key, into, found: next, missing };
        Some((Verb::Lookup(lookup), named.map_or_else(String::new, Node::describe_short)))
    }

    pub(super) fn writes(&self) -> Vec<Write<'_>> {
        let source = |it: &Into| it.column.map_or(Source::Value(None), |(_, kind)| Source::Typed(kind));
        let into = self.into.iter();
        into.map(|it| Write { name: &it.name, at: it.at, source: source(it) }).collect()
    }

    pub(super) fn check(&self, scope: &Scope, faults: &mut Faults<'_>) {
        let Some(key) = &self.key else { return };
        let found = key.check(scope, faults);
        if let Some(found) = found.filter(|found| matches!(found, Type::Bool | Type::Decimal)) {
            faults.error(key.span(), format!("`key` is {found}, and has to be a text or a whole number"));
        }
    }

    pub(super) fn may_fail(&self) -> bool {
        self.missing.is_none()
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        vec![self.found, self.missing.unwrap_or(self.found)]
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        let key = self.key.as_ref().and_then(|key| turn.value(key).ok());
        let row = key.zip(self.table.as_ref()).and_then(|(key, table)| table.find(&key.to_string()));
        for Into { name, column, .. } in &self.into {
            match row.zip(*column).and_then(|(row, (place, _))| row.get(place)) {
                Some(value) => turn.set(name, value.clone()),
                None => turn.clear(name),
            }
        }
        if row.is_some() {
            turn.branch("lookup", "found");
            return Next::Go(self.found);
        }
        turn.branch("lookup", "missing");
        turn.failed(self.missing, self.found)
    }
}
