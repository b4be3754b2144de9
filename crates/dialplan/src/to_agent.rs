//! What the phone of an agent is told when it is rung, and what the agent hears before the caller is connected.

use crate::faults::Faults;
use crate::fields::Fields;
use crate::heard::{self, Heard};
use crate::names::Names;
use crate::yaml::{Node, Scalar, Value};
use std::sync::Arc;

/// How a queue calls its agents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToAgent {
    /// What an agent who has answered hears before the caller, in the client's own language.
    pub whisper: Option<Heard>,
    /// What its phone shows before the caller's name or number.
    pub display: Option<Arc<str>>,
    /// How its phone is asked to answer by itself; nothing is not at all.
    pub auto_answer: Vec<AutoAnswer>,
}

/// A header field by which a phone is asked to answer by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AutoAnswer {
    /// `Call-Info: <…>;answer-after=0`.
    CallInfo,
    /// `Alert-Info: <…>;info=alert-autoanswer;delay=0`.
    AlertInfo,
    /// `Answer-Mode: Auto` (RFC 5373).
    AnswerMode,
    /// `P-Auto-Answer: normal`.
    PAutoAnswer,
}

const AUTO_ANSWERS: [(&str, AutoAnswer); 4] = [
    ("call-info", AutoAnswer::CallInfo),
    ("alert-info", AutoAnswer::AlertInfo),
    ("answer-mode", AutoAnswer::AnswerMode),
    ("p-auto-answer", AutoAnswer::PAutoAnswer),
];
/// What a phone can show.
const LONGEST_DISPLAY: usize = 40;

/// Reads what a queue says of it.
pub(crate) fn read(fields: &Fields<'_>, names: &Names<'_>, faults: &mut Faults<'_>) -> ToAgent {
    let whisper =
        fields.entry("whisper").and_then(|(key, node)| heard::whisper(key, node, &names.prompts, faults));
    let display = fields.get("display").and_then(|node| display(node, faults));
    let auto_answer =
        fields.get("auto_answer").and_then(|node| auto_answer(node, faults)).unwrap_or_default();
    ToAgent { whisper, display, auto_answer }
}

fn display(node: &Node, faults: &mut Faults<'_>) -> Option<Arc<str>> {
    let text = node.text("`display`", faults)?;
    let fits = text.chars().count() <= LONGEST_DISPLAY
        && !text.chars().any(|c| c.is_control() || "\"\\".contains(c));
    if !fits {
        let hint = format!("write at most {LONGEST_DISPLAY} characters without quotes");
        faults.hinted(node.span, "that can be no name on a phone", hint);
    }
    fits.then(|| text.into())
}

/// `true` for all ways, `false`, or some of them by name.
pub(crate) fn auto_answer(node: &Node, faults: &mut Faults<'_>) -> Option<Vec<AutoAnswer>> {
    if let Value::Scalar { kind: Scalar::Bool, .. } = node.value {
        let all = || AUTO_ANSWERS.iter().map(|(_, way)| *way).collect();
        return node.flag("`auto_answer`", faults).map(|on| if on { all() } else { Vec::new() });
    }
    let mut ways = Vec::new();
    for item in node.items() {
        let Some(name) = item.text("a way to answer", faults) else { continue };
        match AUTO_ANSWERS.iter().find(|(known, _)| *known == name) {
            Some((_, way)) => ways.push(*way),
            None => {
                let known = AUTO_ANSWERS.iter().map(|(known, _)| *known).chain(["true", "false"]);
                faults.unknown(item.span, "phones do not answer by {}", name, known);
            }
        }
    }
    Some(ways)
}
