//! `limits` of the node and of a trunk.

use crate::faults::Faults;
use crate::fields::Fields;
use crate::limits::{Bound, EXPIRES, Limits, TrunkLimits};
use crate::yaml::{Key, Node};
use std::ops::RangeInclusive;

const MOST_CALLS: u32 = 1_000_000;
const MOST_PER_SECOND: u32 = 100_000;
const MOST_SUBSCRIPTIONS: u32 = 1_000_000;

/// Those of the node.
pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Limits {
    let mut limits = Limits::default();
    let Some((key, node)) = fields.entry("limits") else { return limits };
    let known = ["calls", "per_second", "register_expires", "subscriptions", "subscribe_expires"];
    let Some(fields) = Fields::of(node, key.span, "`limits`", &known, faults) else { return limits };
    let Bound { calls, per_second } = bound(&fields, faults);
    limits.calls = calls.unwrap_or(limits.calls);
    limits.per_second = per_second;
    let subscriptions = fields.get("subscriptions");
    let subscriptions =
        subscriptions.and_then(|it| it.number("`subscriptions`", 0, MOST_SUBSCRIPTIONS, faults));
    limits.subscriptions = subscriptions.unwrap_or(limits.subscriptions);
    for (name, of, range) in [
        ("register_expires", "`register_expires`", &mut limits.register_expires),
        ("subscribe_expires", "`subscribe_expires`", &mut limits.subscribe_expires),
    ] {
        if let Some((key, node)) = fields.entry(name) {
            *range = expires(key, node, of, faults).unwrap_or(EXPIRES);
        }
    }
    limits
}

/// Those of a trunk.
pub(super) fn of_trunk(key: &Key, node: &Node, faults: &mut Faults<'_>) -> Option<TrunkLimits> {
    let fields = Fields::of(node, key.span, "`limits`", &["calls", "per_second", "in", "out"], faults)?;
    let total = bound(&fields, faults);
    let mut direction = |name, what| {
        let entry = fields.entry(name);
        entry.and_then(|(key, node)| of_direction(key, node, what, total, faults)).unwrap_or_default()
    };
    let (inbound, outbound) = (direction("in", "`in`"), direction("out", "`out`"));
    Some(TrunkLimits { total, inbound, outbound })
}

/// One direction may not be promised more than both have together.
fn of_direction(
    key: &Key,
    node: &Node,
    what: &'static str,
    total: Bound,
    faults: &mut Faults<'_>,
) -> Option<Bound> {
    let fields = Fields::of(node, key.span, what, &["calls", "per_second"], faults)?;
    let own = bound(&fields, faults);
    for (field, own, all) in
        [("calls", own.calls, total.calls), ("per_second", own.per_second, total.per_second)]
    {
        if let (Some(own), Some(all), Some(node)) = (own, all, fields.get(field))
            && own > all
        {
            faults.error(
                node.span,
                format!("`{field}` of {what} is {own}, and both directions have only {all}"),
            );
        }
    }
    Some(own)
}

fn bound(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Bound {
    let mut number = |name: &str, most| {
        fields.get(name).and_then(|node| node.number(&format!("`{name}`"), 1, most, faults))
    };
    Bound { calls: number("calls", MOST_CALLS), per_second: number("per_second", MOST_PER_SECOND) }
}

fn expires(
    key: &Key,
    node: &Node,
    what: &'static str,
    faults: &mut Faults<'_>,
) -> Option<RangeInclusive<u32>> {
    let fields = Fields::of(node, key.span, what, &["min", "max"], faults)?;
    let mut seconds = |name, default| {
        let node = fields.get(name);
        node.and_then(|node| node.number(name, 1, 86_400, faults)).unwrap_or(default)
    };
    let (min, max) = (seconds("min", *EXPIRES.start()), seconds("max", *EXPIRES.end()));
    if min > max {
        faults.error(node.span, format!("`min` is {min} and `max` is only {max}"));
    }
    Some(min..=max)
}
