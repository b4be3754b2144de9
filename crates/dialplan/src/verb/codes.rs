//! Codes that mean something while a caller is in a room or waits in a queue.

use super::Step;
use crate::compile::Compiler;
use crate::program::Pc;
use crate::yaml::{Node, Value};
use clock::{Duration, Time};

/// Longer is no code.
const LONGEST_KEY: usize = 8;
/// How long a key that may begin a code waits for the next.
const CODE_KEY: Duration = Duration::from_secs(2);

/// The beginning of a code, and until when the next key may come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Typed(Option<(String, Time)>);

impl Typed {
    pub(crate) fn until(&self) -> Option<Time> {
        self.0.as_ref().map(|(_, until)| *until)
    }

    /// Takes a further key: the code that it completes, or what may become one.
    pub(super) fn press<'c>(
        self,
        digit: char,
        now: Time,
        codes: impl Iterator<Item = &'c str> + Clone,
    ) -> Result<String, Self> {
        let mut typed = self.0.map_or_else(String::new, |(typed, _)| typed);
        typed.push(digit);
        if codes.clone().any(|code| code == typed) {
            return Ok(typed);
        }
        while !typed.is_empty() && !codes.clone().any(|code| code.starts_with(&typed)) {
            typed.remove(0);
        }
        Err(Self((!typed.is_empty()).then(|| (typed, now + CODE_KEY))))
    }
}

/// Codes and their branches.
pub(super) fn read(node: Option<&Node>, next: Pc, compiler: &mut Compiler<'_, '_>) -> Vec<(String, Pc)> {
    let mut keys = Vec::new();
    let Some(node) = node else { return keys };
    for (key, branch) in node.entries("`keys`", compiler.faults) {
        let branch = compiler.branch(Some(branch), next).unwrap_or(next);
        let place = Node { value: Value::Null, span: key.span };
        keys.extend(code(&key.text, &place, compiler).map(|code| (code, branch)));
    }
    keys
}

pub(super) fn code(text: &str, node: &Node, compiler: &mut Compiler<'_, '_>) -> Option<String> {
    let is_dtmf = |c: char| matches!(c, '0'..='9' | '*' | '#' | 'A'..='D');
    if text.is_empty() || text.len() > LONGEST_KEY || !text.chars().all(is_dtmf) {
        let message = format!("`{text}` is not a key that a caller can press");
        compiler.faults.hinted(node.span, message, "keys are made of 0 to 9, * and #, at most 8 of them");
        return None;
    }
    Some(text.to_owned())
}

/// Notes codes of which one begins another: it could never be told what is meant.
pub(super) fn clashes(
    what: &str,
    mute_at: Option<&Node>,
    mute: Option<&str>,
    keys: &[(String, Pc)],
    step: &Step<'_>,
    compiler: &mut Compiler<'_, '_>,
) {
    let at = mute_at.map_or(step.at, |node| node.place_or(step.at));
    let codes: Vec<&str> = keys.iter().map(|(code, _)| code.as_str()).chain(mute).collect();
    for (place, code) in codes.iter().enumerate() {
        for other in codes.iter().take(place) {
            if code.starts_with(other) || other.starts_with(code) {
                let place = if Some(*code) == mute { at } else { step.at };
                let message = format!("of the codes `{other}` and `{code}` one begins the other");
                compiler.faults.hinted(place, message, format!("no code of {what} begins another"));
            }
        }
    }
}
