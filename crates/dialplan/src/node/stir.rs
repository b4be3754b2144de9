//! `stir` of the node and of a trunk.

use super::one_of;
use super::trunks::network;
use crate::faults::Faults;
use crate::fields::Fields;
use crate::stir::{Fetch, Receive, Sign, Stir, TrunkStir};
use crate::yaml::{Key, Node, Value};
use clock::Duration;
use shaken::{Attestation, Number};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A call is not let wait longer.
const LONGEST_WAIT: Duration = Duration::from_secs(8);
/// RFC 8224 section 4.1 recommends a minute; who takes far older tokens takes replays.
const OLDEST: Duration = Duration::from_secs(600);

const ATTEST: [(&str, Attestation); 3] =
    [("A", Attestation::A), ("B", Attestation::B), ("C", Attestation::C)];

/// That of the node.
pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<Stir> {
    let (key, node) = fields.entry("stir")?;
    let known = ["trust", "certificates", "fetch", "max_age"];
    let fields = Fields::of(node, key.span, "`stir`", &known, faults)?;
    let trust = fields.require("trust", faults).and_then(|node| path(node, "`trust`", faults));
    let mut certificates = Vec::new();
    for (key, node) in fields.get("certificates").map_or(&[][..], |it| it.entries("`certificates`", faults)) {
        if !is_https(&key.text) {
            not_https(key.span, &key.text, faults);
        }
        certificates.extend(path(node, "a certificate", faults).map(|file| (key.text.as_str().into(), file)));
    }
    let max_age = fields.get("max_age").and_then(|node| {
        let age = node.duration("`max_age`", faults)?;
        if age > OLDEST {
            faults.error(node.span, format!("`max_age` is {} s at most", OLDEST.as_secs()));
        }
        Some(age)
    });
    let fetch = fields.entry("fetch").map_or(Some(Fetch::default()), |(key, node)| fetch(key, node, faults));
    Some(Stir { trust: trust?, certificates, fetch, max_age: max_age.unwrap_or(Duration::from_secs(60)) })
}

/// `off`, or how.
fn fetch(key: &Key, node: &Node, faults: &mut Faults<'_>) -> Option<Fetch> {
    if matches!(&node.value, Value::Scalar { text, .. } if matches!(text.as_str(), "off" | "false")) {
        return None;
    }
    let usual = Fetch::default();
    let Some(fields) = Fields::of(node, key.span, "`fetch`", &["within", "allow", "roots"], faults) else {
        return Some(usual);
    };
    let within = fields.get("within").and_then(|node| {
        let within = node.duration("`within`", faults)?;
        if within > LONGEST_WAIT {
            faults.error(
                node.span,
                format!("`within` is {} s at most: a caller waits", LONGEST_WAIT.as_secs()),
            );
        }
        Some(within)
    });
    let allow = fields.get("allow").map_or(&[][..], Node::items);
    Some(Fetch {
        within: within.unwrap_or(usual.within),
        allow: allow.iter().filter_map(|node| network(node, faults)).collect(),
        roots: fields.get("roots").and_then(|node| path(node, "`roots`", faults)),
    })
}

/// That of a trunk; `node` is whether the node file has one.
pub(super) fn of_trunk(key: &Key, node: &Node, is_there: bool, faults: &mut Faults<'_>) -> Option<TrunkStir> {
    const RECEIVE: [(&str, Receive); 3] =
        [("ignore", Receive::Ignore), ("verify", Receive::Verify), ("require", Receive::Require)];
    let fields = Fields::of(node, key.span, "`stir`", &["receive", "sign"], faults)?;
    let receive = fields.get("receive").and_then(|node| one_of("`receive`", node, &RECEIVE, faults));
    if let Some(node) = fields.get("receive").filter(|_| !is_there && receive != Some(Receive::Ignore)) {
        let hint = "write stir: {trust: sti-roots.pem} into the node file, beside `trunks`";
        faults.hinted(node.span, "nobody is trusted whose word could be verified", hint);
    }
    let sign = fields.entry("sign").and_then(|(key, node)| sign(key, node, faults));
    Some(TrunkStir { receive: receive.unwrap_or_default(), sign })
}

fn sign(key: &Key, node: &Node, faults: &mut Faults<'_>) -> Option<Sign> {
    const KNOWN: [&str; 4] = ["key", "certificate", "attest", "numbers"];
    let fields = Fields::of(node, key.span, "`sign`", &KNOWN, faults)?;
    let private = fields.require("key", faults).and_then(|node| path(node, "`key`", faults));
    let certificate = fields.require("certificate", faults).and_then(|node| {
        let text = node.text("`certificate`", faults)?;
        if !is_https(text) {
            not_https(node.span, text, faults);
            return None;
        }
        Some(text.into())
    });
    let attest = fields.require("attest", faults).and_then(|node| one_of("`attest`", node, &ATTEST, faults));
    let mut numbers = BTreeMap::new();
    for (key, node) in fields.get("numbers").map_or(&[][..], |node| node.entries("`numbers`", faults)) {
        let attest = one_of("an attestation", node, &ATTEST, faults);
        let Some(number) = Number::read(&key.text).filter(|_| key.text.starts_with('+')) else {
            let message = format!("`{}` is no telephone number in E.164", key.text);
            faults.hinted(key.span, message, "write \"+34911000100\": A");
            continue;
        };
        if let Some(attest) = attest
            && numbers.insert(number.as_str().into(), attest).is_some()
        {
            faults.error(key.span, format!("+{number} is in the list already"));
        }
    }
    Some(Sign { key: private?, certificate: certificate?, attest: attest?, numbers })
}

/// A file, as it is named.
fn path(node: &Node, what: &str, faults: &mut Faults<'_>) -> Option<Arc<str>> {
    Some(node.text(what, faults)?.into())
}

/// What can stand in an Identity header field and in a token.
fn is_https(text: &str) -> bool {
    let is_plain = text.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"\\".contains(&b));
    is_plain && text.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
}

fn not_https(at: crate::faults::Span, text: &str, faults: &mut Faults<'_>) {
    let hint = "write where others fetch it: https://certs.example/shaken.pem";
    faults.hinted(at, format!("`{text}` is no https address"), hint);
}
