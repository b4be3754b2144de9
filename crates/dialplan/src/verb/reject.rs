//! `reject`: refuses a call that is not answered (RFC 3261 section 21.4 to 21.6).

use super::{Step, Verb};
use crate::compile::Compiler;
use crate::fields::Fields;
use crate::machine::{Next, Turn};
use crate::yaml::Value;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Reject {
    status: u16,
    reason: Option<Arc<str>>,
}

const WORDS: [(&str, u16); 6] = [
    ("busy", 486),
    ("decline", 603),
    ("forbidden", 403),
    ("not_found", 404),
    ("gone", 410),
    ("unavailable", 480),
];

impl Reject {
    pub(super) fn parse(step: &Step<'_>, compiler: &mut Compiler<'_, '_>) -> Option<(Verb, String)> {
        let argument = step.argument(compiler)?;
        let (node, reason) = match &argument.value {
            Value::Map(_) => {
                let fields =
                    Fields::of(argument, step.at, "`reject`", &["status", "reason"], compiler.faults)?;
                let reason =
                    fields.get("reason").and_then(|node| reason(node.text("`reason`", compiler.faults)?));
                (fields.require("status", compiler.faults)?, reason)
            }
            _ => (argument, None),
        };
        let text = node.text("the status", compiler.faults)?;
        let by_word = WORDS.iter().find(|(word, _)| *word == text).map(|(_, status)| *status);
        let status = by_word.or_else(|| text.parse().ok().filter(|status| (400..700).contains(status)));
        let Some(status) = status else {
            let known = WORDS.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
            compiler.faults.hinted(
                node.span,
                format!("`{text}` is no status to reject with"),
                format!("write a number from 400 to 699, or {known}"),
            );
            return Some((Verb::Reject(Self { status: 480, reason }), String::new()));
        };
        Some((Verb::Reject(Self { status, reason }), text.to_owned()))
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        turn.reject(self.status, self.reason.clone())
    }
}

/// Line breaks would let a reason write headers.
fn reason(text: &str) -> Option<Arc<str>> {
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    (!text.is_empty()).then(|| text.into())
}
