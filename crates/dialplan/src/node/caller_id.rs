//! `caller_id` of a trunk: how it says who calls, and how it is told.

use super::one_of;
use crate::caller_id::{CallerIds, Claim, Diversion, Show};
use crate::faults::Faults;
use crate::fields::Fields;
use crate::yaml::{Key, Node};
use std::sync::Arc;

pub(super) fn read(key: &Key, node: &Node, faults: &mut Faults<'_>) -> Option<CallerIds> {
    const KNOWN: [&str; 5] = ["receive", "show", "assert", "diversion", "domain"];
    const RECEIVE: [(&str, Claim); 2] = [("asserted", Claim::Asserted), ("from", Claim::From)];
    const SHOW: [(&str, Show); 2] = [("owned", Show::Owned), ("caller", Show::Caller)];
    const DIVERSION: [(&str, Diversion); 3] = [
        ("diversion", Diversion::Diversion),
        ("history-info", Diversion::HistoryInfo),
        ("both", Diversion::Both),
    ];
    let fields = Fields::of(node, key.span, "`caller_id`", &KNOWN, faults)?;
    let receive = fields.get("receive").and_then(|node| one_of("`receive`", node, &RECEIVE, faults));
    let show = fields.get("show").and_then(|node| one_of("`show`", node, &SHOW, faults));
    let assert = fields.get("assert").and_then(|node| node.flag("`assert`", faults));
    let diversion = fields.get("diversion").and_then(|node| one_of("`diversion`", node, &DIVERSION, faults));
    let is_owned = fields.get("show").is_none() || show == Some(Show::Owned);
    if let Some((key, _)) = fields.entry("diversion").filter(|_| is_owned) {
        let hint = "add show: caller, or leave `diversion` out";
        faults.hinted(key.span, "nobody is named as passing a call on that shows a number of its own", hint);
    }
    Some(CallerIds {
        receive: receive.unwrap_or_default(),
        show: show.unwrap_or_default(),
        assert: assert.unwrap_or_default(),
        diversion: diversion.unwrap_or_default(),
        domain: fields.get("domain").and_then(|node| domain(node, faults)),
    })
}

/// A name or an address, perhaps with a port.
fn domain(node: &Node, faults: &mut Faults<'_>) -> Option<Arc<str>> {
    let text = node.text("`domain`", faults)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    if text.is_empty() || !text.bytes().all(fits) {
        faults.hinted(node.span, format!("`{text}` is not a host"), "write domain: sip.carrier.example");
        return None;
    }
    Some(text.into())
}
