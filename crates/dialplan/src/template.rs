//! Texts in which values stand: `/orders/{order}`.

use crate::compile::Compiler;
use crate::expression::{Expression, Scope};
use crate::faults::{Faults, Span};
use crate::yaml::Node;
use std::sync::Arc;

/// A text with expressions, and names of secrets, between braces.
#[derive(Debug, Default)]
pub(crate) struct Template {
    pub(crate) parts: Vec<Part>,
}

#[derive(Debug)]
pub(crate) enum Part {
    Text(String),
    Value(Expression),
    /// Its name: nobody here knows more of it.
    Secret(Arc<str>),
}

impl Template {
    /// Reads the rest of a node's text, from `skip` bytes on.
    pub(crate) fn read(
        node: &Node,
        text: &str,
        skip: usize,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<Self> {
        let origin = Expression::origin_of(node, text, compiler.faults);
        let mut parts = Vec::new();
        let mut rest = skip;
        while let Some(open) = text[rest..].find(['{', '}']).map(|place| rest + place) {
            let close = text[open..].find('}').map(|place| open + place);
            let Some(close) = close.filter(|close| *close > open) else {
                let at = origin.map_or(node.span, |start| Span { start: start + open, len: 1, ..node.span });
                compiler.faults.hinted(
                    at,
                    "a brace without its other one",
                    "a value stands in both: {order}",
                );
                return None;
            };
            if open > rest {
                parts.push(Part::Text(text[rest..open].to_owned()));
            }
            let origin = origin.map(|start| start + open + 1);
            parts.push(Part::read(&text[open + 1..close], node.span, origin, compiler)?);
            rest = close + 1;
        }
        if rest < text.len() {
            parts.push(Part::Text(text[rest..].to_owned()));
        }
        Some(Self { parts })
    }

    /// The same behind another text.
    pub(crate) fn behind(mut self, text: &str) -> Self {
        self.parts.insert(0, Part::Text(text.to_owned()));
        self
    }

    pub(crate) fn check(&self, scope: &Scope, faults: &mut Faults<'_>) {
        for part in &self.parts {
            if let Part::Value(value) = part {
                value.check(scope, faults);
            }
        }
    }
}

impl Part {
    /// `secret.shop`, or an expression.
    pub(crate) fn read(
        text: &str,
        at: Span,
        origin: Option<usize>,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<Self> {
        match text.trim().strip_prefix("secret.") {
            Some(name) => compiler.secret(name, at).map(Self::Secret),
            None => Expression::read(text, at, origin, compiler.faults).map(Self::Value),
        }
    }
}
