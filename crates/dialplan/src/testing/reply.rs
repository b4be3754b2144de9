//! What servers answer in a test.

use crate::faults::{Faults, Span};
use crate::fields::Fields;
use crate::simulate::Reply;
use crate::yaml::{Node, Scalar, Value};
use serde_json::Value as Json;

/// `404`, `timeout`, or `{status: 200, json: {…}}`.
pub(super) fn read(node: &Node, at: Span, faults: &mut Faults<'_>) -> Option<Reply> {
    if !matches!(node.value, Value::Map(_)) {
        let text = node.text("a reply", faults)?;
        return text.parse().map_err(|error: String| faults.error(node.span, error)).ok();
    }
    let fields = Fields::of(node, node.place_or(at), "a reply", &["status", "json"], faults)?;
    let status = fields.get("status").map_or(Some(200), |node| node.number("`status`", 200, 599, faults))?;
    let body = fields.get("json").map_or_else(|| "{}".to_owned(), |node| json(node).to_string());
    Some(Reply::Answered { status: u16::try_from(status).ok()?, body: body.into() })
}

/// YAML as the JSON that it stands for.
fn json(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(entries) => entries.iter().map(|(key, node)| (key.text.clone(), json(node))).collect(),
        Value::Scalar { text, kind: Scalar::Bool } => Json::Bool(text.eq_ignore_ascii_case("true")),
        // YAML has numbers that JSON has not, `0x1f` and `+1`: those are texts.
        Value::Scalar { text, kind: Scalar::Number } => {
            serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.clone()))
        }
        Value::Scalar { text, kind: Scalar::Text } => Json::String(text.clone()),
    }
}
