//! What a trunk says of how its calls find their way out.

use crate::faults::Faults;
use crate::fields::Fields;
use crate::yaml::{Key, Node, Value};
use crate::{Causes, Health, Routing};
use clock::Duration;
use std::ops::RangeInclusive;

/// A target that has not answered by then is Timer B's (RFC 3261 section 17.1.1.2).
const TIMER_B: Duration = Duration::from_secs(32);

/// Whoever is asked more often takes it for an attack.
const MOST_OFTEN: Duration = Duration::from_secs(1);

pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Routing {
    let usual = Routing::default();
    let failover_on = fields
        .get("failover_on")
        .map(|node| Causes::new(node.items().iter().filter_map(|node| cause(node, faults)).collect()));
    let respond_within = fields.get("respond_within").and_then(|node| {
        let limit = node.duration("`respond_within`", faults)?;
        if limit > TIMER_B {
            faults.error(node.span, format!("`respond_within` is {} s at most", TIMER_B.as_secs()));
        }
        Some(limit)
    });
    Routing {
        failover_on: failover_on.unwrap_or(usual.failover_on),
        respond_within: respond_within.unwrap_or(usual.respond_within),
        health: fields.entry("health").map_or(usual.health, |(key, node)| health(key, node, faults)),
    }
}

/// `off`, or how often, and after how many of a kind.
fn health(key: &Key, node: &Node, faults: &mut Faults<'_>) -> Option<Health> {
    const MOST: u32 = 100;
    if matches!(&node.value, Value::Scalar { text, .. } if matches!(text.as_str(), "off" | "false")) {
        return None;
    }
    let mut health = Health::default();
    let known = ["every", "down_after", "up_after"];
    let Some(fields) = Fields::of(node, key.span, "`health`", &known, faults) else { return Some(health) };
    if let Some(node) = fields.get("every")
        && let Some(every) = node.duration("`every`", faults)
    {
        if every < MOST_OFTEN {
            faults.error(node.span, format!("`every` is {} s at least", MOST_OFTEN.as_secs()));
        }
        health.every = every;
    }
    let mut count = |name: &str, usual| {
        let node = fields.get(name);
        node.and_then(|node| node.number(&format!("`{name}`"), 1, MOST, faults)).unwrap_or(usual)
    };
    health.down_after = count("down_after", health.down_after);
    health.up_after = count("up_after", health.up_after);
    Some(health)
}

/// `503`, or `5xx` for all of a class.
fn cause(node: &Node, faults: &mut Faults<'_>) -> Option<RangeInclusive<u16>> {
    let text = node.text("a cause", faults)?;
    let range = match text {
        "4xx" => Some(400..=499),
        "5xx" => Some(500..=599),
        "6xx" => Some(600..=699),
        _ => text.parse().ok().filter(|status| (400..700).contains(status)).map(|status| status..=status),
    };
    if range.is_none() {
        let hint = "write a status from 400 to 699, or a class: failover_on: [408, 403, 5xx]";
        faults.hinted(node.span, format!("`{text}` is no cause to go on"), hint);
    }
    range
}
