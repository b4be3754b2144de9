//! Which calls are recorded without being asked, and how what was recorded is kept.

use crate::faults::Faults;
use crate::fields::Fields;
use crate::number;
use crate::yaml::{Key, Node, Value};
use clock::Duration;
use std::collections::HashMap;

/// Nothing is kept for longer by a rule: ten years.
const LONGEST_KEPT: Duration = Duration::from_secs(3_660 * 86_400);

/// When calls are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordRule {
    /// Whoever asks for it.
    Never,
    /// Where a flow or somebody asks for it.
    OnDemand,
    /// That many of a hundred calls are, drawn by lot.
    Share(u8),
    /// All are.
    Always,
}

/// What a client wants of recordings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// When its calls are recorded, unless their number, queue or agent says otherwise.
    pub calls: Option<RecordRule>,
    /// How long they are kept; for ever without.
    pub keep: Option<Duration>,
    /// Whether they are on disk as ciphertext alone, once they are complete.
    pub encrypted: bool,
    /// Whether nothing of a call is recorded before its caller has allowed it.
    pub asks: bool,
}

impl RecordRule {
    /// What the rules come to of those who have to do with a call, from the client's to the agent's: the last one that says
    /// something, unless one of them says never.
    pub fn of(rules: impl IntoIterator<Item = Option<Self>>) -> Option<Self> {
        rules.into_iter().flatten().reduce(|sum, rule| if sum == Self::Never { sum } else { rule })
    }

    /// Whether a call is recorded that has drawn that lot, 0 to 99.
    pub fn takes(self, lot: u32) -> bool {
        match self {
            Self::Never | Self::OnDemand => false,
            Self::Share(percent) => lot < u32::from(percent),
            Self::Always => true,
        }
    }
}

/// The rules of a client's numbers.
#[derive(Debug, Default)]
pub(crate) struct OfNumbers {
    /// By [`number::key`].
    exact: HashMap<String, RecordRule>,
    /// By what numbers of others begin with.
    prefixes: Vec<(String, RecordRule)>,
}

impl OfNumbers {
    /// Reads what `numbers` of a client say. Their other keys are looked at where their flows are.
    pub(crate) fn read(entries: &[(Key, Node)], faults: &mut Faults<'_>) -> Self {
        let mut rules = Self::default();
        for (number, node) in entries {
            let Value::Map(fields) = &node.value else { continue };
            let said = fields.iter().find(|(key, _)| key.text == "record");
            let Some(rule) = said.and_then(|(_, node)| rule(node, "`record`", faults)) else { continue };
            match number.text.strip_suffix('*') {
                None => drop(rules.exact.insert(number::key(&number.text), rule)),
                Some(prefix) => rules.prefixes.extend(number::prefix(prefix).map(|prefix| (prefix, rule))),
            }
        }
        rules
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.prefixes.is_empty()
    }

    /// The rule of a number that is called: of one of the client's, or of the longest prefix that it begins with.
    pub(crate) fn find(&self, dialled: &str) -> Option<RecordRule> {
        let exact = self.exact.get(&number::key(dialled)).copied();
        exact.or_else(|| {
            let number = number::normalized(dialled);
            let fitting = self.prefixes.iter().filter(|(prefix, _)| number.starts_with(prefix));
            fitting.max_by_key(|(prefix, _)| prefix.len()).map(|(_, rule)| *rule)
        })
    }
}

/// `{calls: always, keep: 90d, encrypted: true, consent: asked}`.
pub(crate) fn read(key: &Key, node: &Node, faults: &mut Faults<'_>) -> Option<Recording> {
    let fields =
        Fields::of(node, key.span, "`recording`", &["calls", "keep", "encrypted", "consent"], faults)?;
    let keep = fields.get("keep");
    Some(Recording {
        calls: fields.get("calls").and_then(|node| rule(node, "`calls`", faults)),
        keep: keep.and_then(|node| node.long_duration_up_to("`keep`", LONGEST_KEPT, faults)),
        encrypted: fields.get("encrypted").and_then(|it| it.flag("`encrypted`", faults)).unwrap_or(false),
        asks: fields.get("consent").is_some_and(|node| asks(node, faults)),
    })
}

/// `asked` or `assumed`.
fn asks(node: &Node, faults: &mut Faults<'_>) -> bool {
    match node.text("`consent`", faults) {
        Some("asked") => true,
        Some("assumed") | None => false,
        Some(other) => {
            faults.unknown(
                node.span,
                "unknown word for `consent` {}",
                other,
                ["asked", "assumed"].into_iter(),
            );
            false
        }
    }
}

/// `always`, `never`, `on_demand`, or `20%`.
pub(crate) fn rule(node: &Node, what: &str, faults: &mut Faults<'_>) -> Option<RecordRule> {
    const NAMES: [&str; 3] = ["always", "never", "on_demand"];
    match node.text(what, faults)? {
        "always" => Some(RecordRule::Always),
        "never" => Some(RecordRule::Never),
        "on_demand" => Some(RecordRule::OnDemand),
        other => match other.strip_suffix('%') {
            Some(digits) => {
                let percent = digits.trim().parse().ok().filter(|percent| (1..=99).contains(percent));
                if percent.is_none() {
                    let message = format!("`{other}` is no share of calls");
                    faults.hinted(node.span, message, "write 1% to 99%, `always` or `never`");
                }
                percent.map(RecordRule::Share)
            }
            None => {
                faults.unknown(node.span, "unknown rule {}", other, NAMES.into_iter());
                None
            }
        },
    }
}
