//! Whose number a call shows.

use crate::client::Sections;
use crate::faults::{Faults, Span};
use crate::number;
use crate::yaml::Node;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::Arc;

/// A shorter number is an extension, which means nothing to a carrier.
const SHORTEST: usize = 7;

/// How a trunk says who calls, and how it is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallerIds {
    /// Which of its words is taken.
    pub receive: Claim,
    /// What a call shows that came by a trunk and goes on to this one.
    pub show: Show,
    /// Whether it is told the client's number in P-Asserted-Identity (RFC 3325).
    pub assert: bool,
    /// How it is told who passes on a call that shows its caller's number.
    pub diversion: Diversion,
    /// The host of From and of what stands beside it; without it that of the registrar, or the listener's address.
    pub domain: Option<Arc<str>>,
}

/// What an incoming call says of its caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Claim {
    /// P-Asserted-Identity, which the carrier answers for; From where there is none.
    #[default]
    Asserted,
    /// From, which the caller may have written itself.
    From,
}

/// The number that a call shows which is passed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Show {
    /// One of the client's.
    #[default]
    Owned,
    /// The caller's; the client's number that was called stands beside it.
    Caller,
}

/// The header fields that name who passes a call on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Diversion {
    /// RFC 5806.
    #[default]
    Diversion,
    /// RFC 7044.
    HistoryInfo,
    /// Both of them.
    Both,
}

/// What one dial shows, whatever else is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallerId {
    /// A number of the client.
    Number(Arc<str>),
    /// None (RFC 3323).
    Withheld,
}

/// The numbers that a client may show.
#[derive(Debug, Default)]
pub(crate) struct Owned {
    /// By [`number::key`].
    keys: HashSet<String>,
    /// Whether all of the client's files could be read: if not, a number may be in the one that could not.
    complete: bool,
    /// What is shown where nothing else is said.
    pub(crate) usual: Option<Arc<str>>,
}

impl Owned {
    /// Those by which it is called, and those of `caller_ids`.
    pub(crate) fn read(sections: &Sections, faults: &mut Faults<'_>) -> Self {
        let called = sections.numbers.iter().map(|(key, _)| key.text.as_str()).filter(|text| is_public(text));
        let first = called.clone().next().map(|text| number::normalized(text).into());
        let mut owned =
            Self { keys: called.map(number::key).collect(), complete: sections.complete, usual: first };
        for node in sections.caller_ids.as_ref().map_or(&[][..], Node::items) {
            if let Some(text) = text("a number of `caller_ids`", node, faults) {
                owned.keys.insert(number::key(text));
            }
        }
        if let Some(node) = &sections.caller_id {
            owned.usual = owned.number(node, faults);
        }
        owned
    }

    pub(crate) fn holds(&self, number: &str) -> bool {
        self.keys.contains(&number::key(number))
    }

    /// A `caller_id`: a number that the client may show.
    pub(crate) fn number(&self, node: &Node, faults: &mut Faults<'_>) -> Option<Arc<str>> {
        let text = text("`caller_id`", node, faults)?;
        if !self.holds(text) && self.complete {
            not_owned(text, node.span, faults);
            return None;
        }
        Some(number::normalized(text).into())
    }
}

fn not_owned(text: &str, at: Span, faults: &mut Faults<'_>) {
    let hint = format!(
        "only numbers of the client are shown: those under `numbers`, and client: {{caller_ids: [\"{text}\"]}}"
    );
    faults.hinted(at, format!("`{text}` is not a number of this client"), hint);
}

fn text<'n>(what: &str, node: &'n Node, faults: &mut Faults<'_>) -> Option<&'n str> {
    let text = node.text(what, faults)?;
    if !is_public(text) {
        faults.hinted(
            node.span,
            format!("{what} is `{text}`, which is no telephone number"),
            "write \"+34911000100\"",
        );
        return None;
    }
    Some(text)
}

/// Whether it is long enough for a number that others can call.
fn is_public(text: &str) -> bool {
    number::cleaned(text.trim()).is_some_and(|(_, digits)| digits.len() >= SHORTEST)
}
