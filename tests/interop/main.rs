//! Real peers, each over every transport that it has: what they do with the node, and the node with them.
//! What was seen is in `README.md`.

mod baresip;
mod edge;
mod linphone;
mod sipsak;
mod trunk;

use acceptance::{Node, Setup};
use serde_json::Value;

/// Rings user 1001, at once or when a key is pressed, or user 1002.
const FLOWS: &str = "\
numbers: {agent: agent, keys: keys, next: next}
flows:
  agent:
    - dial: {to: [\"1001\"], timeout: 10s}
  next:
    - dial: {to: [\"1002\"], timeout: 10s}
  keys:
    - answer
    - menu: {prompt: menu, keys: {\"5\": {goto: agent}}, timeout: 5s, tries: 2}
";

/// A node that challenges everybody but the callers on host 2, which are a trunk.
fn setup() -> Setup {
    Setup::new().replace("loopback: {from: [127.0.0.0/8]}", "loopback: {from: [127.0.0.2/32]}").flows(FLOWS)
}

/// A field of a CDR as text.
fn field<'a>(cdr: &'a Value, name: &str) -> &'a str {
    cdr[name].as_str().unwrap_or_else(|| panic!("the CDR has no {name}: {cdr:#}"))
}

/// The one CDR of a node, which then ends.
fn only_call(node: Node) -> Value {
    let cdr = node.calls(1).remove(0);
    node.stop();
    cdr
}
