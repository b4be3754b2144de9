//! `numbers` of a trunk: how it writes them.

use super::one_of;
use crate::faults::Faults;
use crate::fields::Fields;
use crate::numbering::{Bare, COUNTRIES, Country, Format, Numbering};
use crate::yaml::{Key, Node};
use std::sync::Arc;

pub(super) fn read(key: &Key, node: &Node, faults: &mut Faults<'_>) -> Option<Numbering> {
    const KNOWN: [&str; 5] = ["country", "receive", "strip", "send", "prefix"];
    let fields = Fields::of(node, key.span, "`numbers`", &KNOWN, faults)?;
    let country = fields.require("country", faults).and_then(|node| country(node, faults));
    let receive = [("e164", Bare::E164), ("national", Bare::National)];
    let send = [
        ("+e164", Format::PlusE164),
        ("e164", Format::E164),
        ("national", Format::National),
        ("international", Format::International),
    ];
    let receive = fields.get("receive").and_then(|node| one_of("`receive`", node, &receive, faults));
    let send = fields.get("send").and_then(|node| one_of("`send`", node, &send, faults));
    let strip = fields.get("strip").map_or(&[][..], Node::items);
    let strip = strip.iter().filter_map(|node| prefix("a prefix of `strip`", node, faults)).collect();
    let prefix = fields.get("prefix").and_then(|node| prefix("`prefix`", node, faults));
    Some(Numbering {
        country: country?,
        receive: receive.unwrap_or(Bare::E164),
        strip,
        send: send.unwrap_or(Format::PlusE164),
        prefix: prefix.unwrap_or_default(),
    })
}

pub(crate) fn country(node: &Node, faults: &mut Faults<'_>) -> Option<&'static Country> {
    let text = node.text("`country`", faults)?;
    let found = Country::find(text);
    if found.is_none() {
        let is_lower_case = Country::find(&text.to_ascii_uppercase()).is_some();
        let hint = if is_lower_case {
            format!("write country: {}", text.to_ascii_uppercase())
        } else {
            let known: Vec<_> = COUNTRIES.iter().map(|country| country.name).collect();
            format!("known: {}", known.join(" "))
        };
        faults.hinted(node.span, format!("`{text}` is no country of which the numbers are known"), hint);
    }
    found
}

/// What carriers put before numbers.
fn prefix(what: &str, node: &Node, faults: &mut Faults<'_>) -> Option<Arc<str>> {
    let text = node.text(what, faults)?;
    if !text.bytes().all(|byte| byte.is_ascii_digit() || b"*#+".contains(&byte)) {
        faults.hinted(
            node.span,
            format!("{what} is `{text}`, which cannot be dialled"),
            "write digits, `*` and `#` in quotes: \"1234#\"",
        );
        return None;
    }
    Some(text.into())
}
