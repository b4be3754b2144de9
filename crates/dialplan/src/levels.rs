//! What is agreed of a queue: how soon its callers are answered.

use crate::faults::{Faults, nearest};
use crate::fields::Fields;
use crate::yaml::{Key, Node};
use clock::Duration;
use figures::{Formula, Level};

/// `service_level: {within: 20s, target: 80%, formula: neutral}` and `short_abandon: 5s` of a queue.
pub(crate) fn read(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Level {
    let mut level = Level::default();
    if let Some((key, node)) = fields.entry("service_level") {
        service_level(key, node, &mut level, faults);
    }
    if let Some(short) = fields.get("short_abandon").and_then(|node| node.duration("`short_abandon`", faults))
    {
        level.short_abandon = millis(short);
    }
    level
}

fn service_level(key: &Key, node: &Node, level: &mut Level, faults: &mut Faults<'_>) {
    const KNOWN: [&str; 3] = ["within", "target", "formula"];
    let Some(fields) = Fields::of(node, key.span, "`service_level`", &KNOWN, faults) else { return };
    if let Some(within) = fields.get("within").and_then(|node| node.duration("`within`", faults)) {
        level.within = millis(within);
    }
    if let Some(target) = fields.get("target").and_then(|node| percent(node, "`target`", faults)) {
        level.target = target;
    }
    if let Some(formula) = fields.get("formula").and_then(|node| formula(node, faults)) {
        level.formula = formula;
    }
}

/// One of the six by its name.
pub(crate) fn formula(node: &Node, faults: &mut Faults<'_>) -> Option<Formula> {
    let name = node.text("`formula`", faults)?;
    let formula = name.parse();
    if formula.is_err() {
        let hint = match nearest(name, Formula::NAMES.into_iter()) {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("known: {}; genesys also with +f, -s and -b", Formula::NAMES.join(", ")),
        };
        faults.hinted(node.span, format!("unknown formula `{name}`"), hint);
    }
    formula.ok()
}

/// `80%` as a share.
pub(crate) fn percent(node: &Node, what: &str, faults: &mut Faults<'_>) -> Option<f64> {
    let text = node.text(what, faults)?;
    let number = text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
    let share = number.map(|number| number / 100.0).filter(|share| (0.0..=1.0).contains(share));
    if share.is_none() {
        faults.hinted(node.span, format!("`{text}` is no share of calls"), "write it like 80%");
    }
    share
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
