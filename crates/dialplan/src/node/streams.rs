//! `sip.streams`: what connections over TCP, TLS and WebSocket are granted.

use crate::StreamLimits;
use crate::faults::Faults;
use crate::fields::Fields;
use crate::yaml::{Key, Node};
use clock::Duration;

/// A day: whoever is silent for longer is gone.
const LONGEST_IDLE: Duration = Duration::from_secs(86_400);
/// A phone registers once a minute or less often, or sends a sign of life.
const SHORTEST_IDLE: Duration = Duration::from_secs(60);
const SHORTEST: Duration = Duration::from_secs(1);
/// Bytes: an INVITE with a description and a token has some 3,000.
const LARGEST: (u32, u32) = (4_096, 65_535);
const MOST_CONNECTIONS: u32 = 1_000_000;

pub(super) fn read(key: &Key, node: &Node, faults: &mut Faults<'_>) -> StreamLimits {
    let mut streams = StreamLimits::default();
    let known = ["idle", "first_message", "message", "largest", "per_source", "connections"];
    let Some(fields) = Fields::of(node, key.span, "`streams`", &known, faults) else { return streams };
    for (name, value, least) in [
        ("idle", &mut streams.idle, SHORTEST_IDLE),
        ("first_message", &mut streams.first_message, SHORTEST),
        ("message", &mut streams.message, SHORTEST),
    ] {
        let Some(node) = fields.get(name) else { continue };
        let most = if name == "idle" { LONGEST_IDLE } else { Duration::from_secs(3_600) };
        let Some(duration) = node.duration_up_to(&format!("`{name}`"), most, faults) else { continue };
        if duration < least {
            faults.error(node.span, format!("`{name}` is {}s at least", least.as_secs()));
        }
        *value = duration;
    }
    let mut number = |name: &str, (least, most): (u32, u32)| {
        fields.get(name).and_then(|node| node.number(&format!("`{name}`"), least, most, faults))
    };
    streams.largest = number("largest", LARGEST).unwrap_or(streams.largest);
    streams.connections = number("connections", (1, MOST_CONNECTIONS)).unwrap_or(streams.connections);
    streams.per_source = number("per_source", (1, MOST_CONNECTIONS));
    if let (Some(own), Some(node)) = (streams.per_source, fields.get("per_source"))
        && own > streams.connections
    {
        let all = streams.connections;
        let hint = "raise `connections`, or leave `per_source` out: then one source may have them all";
        faults.hinted(
            node.span,
            format!("`per_source` is {own}, and there are only {all} connections"),
            hint,
        );
    }
    streams
}
