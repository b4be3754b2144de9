//! `defence`: how the node meets strangers.

use super::trunks::network;
use crate::Defence;
use crate::faults::Faults;
use crate::fields::Fields;
use crate::yaml::Node;
use clock::Duration;
use std::sync::Arc;

/// A shorter name would be part of a phone's.
const SHORTEST_SCANNER: usize = 4;

pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Defence {
    let mut defence = Defence::default();
    let Some((key, node)) = fields.entry("defence") else { return defence };
    let known = ["trusted", "strangers", "scanners", "ban"];
    let Some(fields) = Fields::of(node, key.span, "`defence`", &known, faults) else { return defence };
    let trusted = fields.get("trusted").map_or(&[][..], Node::items);
    defence.trusted = trusted.iter().filter_map(|node| network(node, faults)).collect();
    if let Some(node) = fields.get("strangers")
        && let Some(strangers) = node.number("`strangers`, requests a second,", 1, 1_000_000, faults)
    {
        defence.strangers = strangers;
    }
    let scanners = fields.get("scanners").map_or(&[][..], Node::items);
    defence.scanners = scanners.iter().filter_map(|node| scanner(node, faults)).collect();
    ban(&fields, &mut defence, faults);
    defence
}

fn scanner(node: &Node, faults: &mut Faults<'_>) -> Option<Arc<str>> {
    let text = node.text("a scanner's name", faults)?;
    if text.len() < SHORTEST_SCANNER {
        let hint = "write enough of its User-Agent that no phone's contains it: friendly-scanner";
        faults.hinted(node.span, format!("`{text}` is too short for a scanner's name"), hint);
        return None;
    }
    Some(text.to_ascii_lowercase().into())
}

fn ban(fields: &Fields<'_>, defence: &mut Defence, faults: &mut Faults<'_>) {
    let Some((key, node)) = fields.entry("ban") else { return };
    let Some(fields) = Fields::of(node, key.span, "`ban`", &["first", "longest"], faults) else { return };
    let mut length = |name: &str, default: Duration| {
        fields.get(name).and_then(|node| node.duration(&format!("`{name}`"), faults)).unwrap_or(default)
    };
    let first = length("first", defence.first_ban);
    let longest = length("longest", defence.longest_ban.max(first));
    if first > longest {
        let (first, longest) = (first.as_secs(), longest.as_secs());
        faults.error(node.span, format!("the first ban lasts {first} s and the longest only {longest} s"));
        return;
    }
    (defence.first_ban, defence.longest_ban) = (first, longest);
}
