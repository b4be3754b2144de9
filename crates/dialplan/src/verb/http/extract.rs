//! What is taken from an answer, each value with its type.

use crate::compile::Compiler;
use crate::expression::{Type, Value};
use crate::faults::Span;
use crate::fields::Fields;
use crate::yaml::{self, Node};
use serde_json::Value as Json;

/// One value of an answer.
#[derive(Debug)]
pub(super) struct Extract {
    /// The variable that gets it.
    pub(super) name: String,
    pub(super) at: Span,
    /// Where it stands (JSON Pointer, RFC 6901); empty for all of the answer.
    pointer: String,
    pub(super) kind: Type,
    /// What the variable holds where the answer has none; without it, such an answer is no good.
    pub(super) default: Option<Value>,
}

pub(super) fn read(node: Option<&Node>, compiler: &mut Compiler<'_, '_>) -> Vec<Extract> {
    let entries = node.map_or(&[][..], |node| node.entries("`extract`", compiler.faults));
    let mut found = Vec::new();
    for (key, node) in entries {
        let Some(name) = compiler.variable(&key.text, key.span) else { continue };
        if let Some((pointer, kind, default)) = one(node, key.span, compiler) {
            found.push(Extract { name, at: key.span, pointer, kind, default });
        }
    }
    found
}

/// `/order/status`, or a map that says more.
fn one(node: &Node, at: Span, compiler: &mut Compiler<'_, '_>) -> Option<(String, Type, Option<Value>)> {
    if !matches!(node.value, yaml::Value::Map(_)) {
        return Some((pointer(node, compiler)?, Type::Text, None));
    }
    let fields = Fields::of(node, at, "`extract`", &["at", "type", "default"], compiler.faults)?;
    let place = fields.require("at", compiler.faults).and_then(|node| pointer(node, compiler));
    let kind = match fields.get("type") {
        None => Some(Type::Text),
        Some(node) => {
            let word = node.text("`type`", compiler.faults)?;
            let kind = Type::named(word);
            if kind.is_none() {
                compiler.faults.unknown(node.span, "unknown type {}", word, Type::NAMES.into_iter());
            }
            kind
        }
    };
    let (place, kind) = (place?, kind?);
    let default = fields.get("default").and_then(|node| {
        let value = literal(node, kind);
        if value.is_none() {
            let message = format!("the default is {}, and has to be {kind}", node.describe());
            compiler.faults.error(node.place_or(at), message);
        }
        value
    });
    Some((place, kind, default))
}

fn pointer(node: &Node, compiler: &mut Compiler<'_, '_>) -> Option<String> {
    let text = node.text("a place", compiler.faults)?;
    let fits = text.starts_with('/') || text == "#";
    if !fits {
        let hint = format!("write it like /{}, or # for all of the answer", text.replace('.', "/"));
        compiler.faults.hinted(node.span, format!("`{text}` is no place in an answer"), hint);
        return None;
    }
    Some(if text == "#" { String::new() } else { text.to_owned() })
}

fn literal(node: &Node, kind: Type) -> Option<Value> {
    let yaml::Value::Scalar { text, kind: written } = &node.value else { return None };
    match (kind, written) {
        (Type::Text, _) => Some(Value::Text(text.as_str().into())),
        (Type::Int, yaml::Scalar::Number) => text.parse().ok().map(Value::Int),
        (Type::Decimal, yaml::Scalar::Number) => text.parse().ok().map(Value::Decimal),
        (Type::Bool, yaml::Scalar::Bool) => text.to_ascii_lowercase().parse().ok().map(Value::Bool),
        _ => None,
    }
}

/// All values of an answer; `None` if one is missing that has no default, or is of another type.
pub(super) fn values<'e>(extracts: &'e [Extract], body: &str) -> Option<Vec<(&'e str, Value)>> {
    if extracts.is_empty() {
        return Some(Vec::new());
    }
    let answer: Json = serde_json::from_str(body).ok()?;
    let value = |it: &'e Extract| {
        let found = answer.pointer(&it.pointer).filter(|found| !found.is_null());
        let value = match found {
            Some(found) => typed(found, it.kind)?,
            None => it.default.clone()?,
        };
        Some((it.name.as_str(), value))
    };
    extracts.iter().map(value).collect()
}

/// A value of JSON as one of a flow. Numbers are texts where texts are wanted: many servers write order numbers so.
fn typed(found: &Json, kind: Type) -> Option<Value> {
    match (kind, found) {
        (Type::Text, Json::String(text)) => Some(Value::Text(text.as_str().into())),
        (Type::Text, Json::Number(number)) => Some(Value::Text(number.to_string().into())),
        (Type::Int, Json::Number(number)) => number.as_i64().map(Value::Int),
        (Type::Decimal, Json::Number(number)) => number.as_f64().map(Value::Decimal),
        (Type::Bool, Json::Bool(truth)) => Some(Value::Bool(*truth)),
        _ => None,
    }
}
