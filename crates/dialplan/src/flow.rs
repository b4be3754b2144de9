//! A flow as it is written: a list of steps, or a map that says more than its steps.

use crate::expression::Type;
use crate::faults::{Faults, Span, nearest};
use crate::fields::Fields;
use crate::yaml::{Key, Node, Value};

/// What is known of a flow before its steps are read, so that steps may call it wherever it stands.
pub(crate) struct Head<'n> {
    pub(crate) key: &'n Key,
    /// `None` where there are none, which is a fault.
    pub(crate) steps: Option<&'n Node>,
    /// What a `call` hands to it; `None` for a flow that is no sub-flow.
    pub(crate) inputs: Option<Vec<Input>>,
    /// What is done about a failure that has no branch of its own.
    pub(crate) on_error: Option<&'n Node>,
    /// What is done once the caller has gone.
    pub(crate) on_hangup: Option<&'n Node>,
}

/// A variable that a sub-flow begins with.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) name: String,
    /// `None` when it could not be read, which is a fault.
    pub(crate) kind: Option<Type>,
}

const FIELDS: [&str; 4] = ["inputs", "steps", "on_error", "on_hangup"];

impl<'n> Head<'n> {
    pub(crate) fn read(key: &'n Key, node: &'n Node, faults: &mut Faults<'_>) -> Self {
        // A flow of one step may be written without the brackets of a list.
        let is_described = matches!(&node.value, Value::Map(entries)
            if entries.iter().any(|(key, _)| nearest(&key.text, FIELDS.into_iter()).is_some()));
        if !is_described {
            return Self { key, steps: Some(node), inputs: None, on_error: None, on_hangup: None };
        }
        let Some(fields) = Fields::of(node, key.span, "a flow", &FIELDS, faults) else {
            return Self { key, steps: None, inputs: None, on_error: None, on_hangup: None };
        };
        let inputs = fields.entry("inputs").map(|(key, node)| inputs(key.span, node, faults));
        let steps = fields.require("steps", faults);
        Self { key, steps, inputs, on_error: fields.get("on_error"), on_hangup: fields.get("on_hangup") }
    }
}

fn inputs(at: Span, node: &Node, faults: &mut Faults<'_>) -> Vec<Input> {
    let mut inputs = Vec::new();
    for (key, node) in node.entries("`inputs`", faults) {
        let word = node.text("the type of an input", faults);
        let kind = word.and_then(Type::named);
        if let (Some(word), None) = (word, kind) {
            faults.unknown(node.place_or(at), "unknown type {}", word, Type::NAMES.into_iter());
        }
        if is_variable(&key.text, key.span, faults) {
            inputs.push(Input { name: key.text.clone(), kind });
        }
    }
    inputs
}

/// Whether a variable may have that name, which is noted if not.
pub(crate) fn is_variable(name: &str, at: Span, faults: &mut Faults<'_>) -> bool {
    /// CEL's own words, and the call.
    const RESERVED: &str = "call true false null in as break const continue else for function if import \
                            let loop package namespace return var";
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let fits = starts && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if fits && !RESERVED.split_whitespace().any(|word| word == name) {
        return true;
    }
    let hint = "a variable is named with letters, digits and `_`, and not like a word of the language";
    faults.hinted(at, format!("`{name}` cannot be a variable"), hint);
    false
}
