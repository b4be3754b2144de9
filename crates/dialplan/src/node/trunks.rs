use super::{advertise, caller_id, codecs, limits, numbers, register, routing, stir};
use crate::faults::{Faults, Span};
use crate::fields::Fields;
use crate::media;
use crate::yaml::{Key, Node};
use crate::{ClientIndex, Listen, Register, Tls, Transport, Trunk, TrunkTls};
use ipnet::IpNet;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// What trunks are held against.
pub(super) struct Around<'a> {
    pub(super) clients: &'a [&'a str],
    /// Whether the node file says whose word counts for a caller.
    pub(super) has_stir: bool,
    pub(super) listen: &'a [Listen],
}

/// Reads all trunks. Networks may lie within each other, the smaller one wins; the same network twice is
/// a fault.
pub(super) fn read(node: Option<&Node>, around: &Around<'_>, faults: &mut Faults<'_>) -> Vec<Trunk> {
    let entries = node.map_or(&[][..], |node| node.entries("`trunks`", faults));
    let mut taken = HashMap::new();
    entries.iter().filter_map(|(key, node)| trunk(key, node, around, &mut taken, faults)).collect()
}

fn trunk(
    key: &Key,
    node: &Node,
    Around { clients, has_stir, listen }: &Around<'_>,
    taken: &mut HashMap<IpNet, Span>,
    faults: &mut Faults<'_>,
) -> Option<Trunk> {
    const KNOWN: [&str; 16] = [
        "from",
        "to",
        "register",
        "advertise",
        "tls",
        "failover_on",
        "respond_within",
        "health",
        "numbers",
        "caller_id",
        "codecs",
        "limits",
        "stir",
        "media",
        "transfer",
        "client",
    ];
    let fields = Fields::of(node, key.span, "a trunk", &KNOWN, faults)?;
    let mut networks = Vec::new();
    for node in fields.get("from").map_or(&[][..], Node::items) {
        let Some(network) = network(node, faults) else { continue };
        match taken.get(&network) {
            Some(first) => faults.twice(*first, node.span, &format!("the network {network}")),
            None => {
                taken.insert(network, node.span);
                networks.push(network);
            }
        }
    }
    if ["from", "to", "register"].iter().all(|way| fields.get(way).is_none()) {
        let hint =
            "write from: [192.0.2.0/24] for its calls to you, to: sip:… for yours to it, or register: {…}";
        faults.hinted(key.span, format!("the trunk `{}` has no `from`, `to` or `register`", key.text), hint);
    }
    let register = fields.entry("register").and_then(|(key, node)| register::read(key, node, listen, faults));
    let targets = fields.get("to").map_or(&[][..], Node::items);
    let target = ("`to`", "where calls can be sent", "sip:carrier.example:5060");
    let mut to: Vec<_> = targets.iter().filter_map(|node| sip_host(node, target, listen, faults)).collect();
    if let Some(Register { registrar, .. }) = register.as_ref().filter(|_| fields.get("to").is_none()) {
        to.push(Arc::clone(registrar));
    }
    if let Some(node) = fields.get("to").filter(|_| targets.is_empty()) {
        faults.error(node.place_or(key.span), "`to` names nobody");
    }
    let client = fields.get("client").and_then(|node| {
        let id = node.text("`client`", faults)?;
        let found = clients.iter().position(|client| *client == id).map(ClientIndex);
        if found.is_none() {
            faults.unknown(node.span, "unknown client {}", id, clients.iter().copied());
        }
        found
    });
    Some(Trunk {
        name: key.text.as_str().into(),
        networks,
        to,
        register,
        advertise: fields.entry("advertise").and_then(|(key, node)| advertise::read(key, node, faults)),
        tls: fields.entry("tls").and_then(|(key, node)| tls(key, node, faults)).unwrap_or_default(),
        routing: routing::read(&fields, faults),
        numbers: fields.entry("numbers").and_then(|(key, node)| numbers::read(key, node, faults)),
        caller_id: fields
            .entry("caller_id")
            .and_then(|(key, node)| caller_id::read(key, node, faults))
            .unwrap_or_default(),
        codecs: codecs::read(&fields, faults),
        limits: fields
            .entry("limits")
            .and_then(|(key, node)| limits::of_trunk(key, node, faults))
            .unwrap_or_default(),
        stir: fields
            .entry("stir")
            .and_then(|(key, node)| stir::of_trunk(key, node, *has_stir, faults))
            .unwrap_or_default(),
        media: fields
            .entry("media")
            .and_then(|(key, node)| media::read(key, node, faults))
            .unwrap_or_default(),
        releases: fields.get("transfer").is_some_and(|node| releases(node, faults)),
        client,
    })
}

/// `refer` or `bridge`.
fn releases(node: &Node, faults: &mut Faults<'_>) -> bool {
    let word = node.text("`transfer`", faults).unwrap_or("bridge");
    if !["refer", "bridge"].contains(&word) {
        faults.unknown(node.span, "unknown transfer {}", word, ["refer", "bridge"].into_iter());
    }
    word == "refer"
}

fn tls(key: &Key, node: &Node, faults: &mut Faults<'_>) -> Option<TrunkTls> {
    let fields = Fields::of(node, key.span, "`tls`", &["roots", "name", "certificate", "key"], faults)?;
    let mut text = |name: &str| fields.get(name)?.text(&format!("`{name}`"), faults).map(Arc::<str>::from);
    let (roots, name) = (text("roots"), text("name"));
    let identity = match (text("certificate"), text("key")) {
        (Some(certificate), Some(key)) => Some(Tls { certificate, key }),
        (None, None) => None,
        _ => {
            faults.error(key.span, "`certificate` and `key` go together");
            None
        }
    };
    Some(TrunkTls { roots, name, identity })
}

/// The port of a listener stands in Via and Contact of what is sent by its transport.
fn check_transport(node: &Node, uri: &str, listen: &[Listen], faults: &mut Faults<'_>) {
    let named = uri.split(';').skip(1).find_map(|param| param.strip_prefix("transport="));
    let Some(transport) = named.and_then(|name| Transport::named(&name.to_ascii_lowercase())) else { return };
    if matches!(transport, Transport::Ws | Transport::Wss) {
        faults.hinted(node.span, "the node opens no WebSockets", "write ;transport=tls");
    } else if !listen.iter().any(|it| it.transport == transport) {
        let name = transport.name();
        let hint = format!("add {name}:192.0.2.1:{} to `listen`", if name == "tls" { 5061 } else { 5060 });
        faults.hinted(
            node.span,
            format!("nothing can be sent by {name}: no listener is of that transport"),
            hint,
        );
    }
}

/// `192.0.2.0/24`, or one address.
pub(crate) fn network(node: &Node, faults: &mut Faults<'_>) -> Option<IpNet> {
    let text = node.text("a network", faults)?;
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.into());
    }
    let Ok(network) = text.parse::<IpNet>() else {
        let hint = "write it like 192.0.2.0/24, 192.0.2.7 or 2001:db8::/32";
        faults.hinted(node.span, format!("`{text}` is not a network"), hint);
        return None;
    };
    if network.trunc() != network {
        let hint = format!("write {}, or one address without `/`", network.trunc());
        faults.hinted(node.span, format!("`{text}` names an address and a network at once"), hint);
        return None;
    }
    Some(network)
}

/// A SIP URI without a user: `field` in messages, what it is to be, and an example.
pub(super) fn sip_host(
    node: &Node,
    (field, what, like): (&str, &str, &str),
    listen: &[Listen],
    faults: &mut Faults<'_>,
) -> Option<Arc<str>> {
    let text = node.text(field, faults)?;
    check_transport(node, text, listen, faults);
    let host = text.strip_prefix("sip:").unwrap_or_default();
    let is_plain = text.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"".contains(&b));
    if host.is_empty() || host.contains('@') || !is_plain {
        faults.hinted(node.span, format!("`{text}` is not {what}"), format!("write it like {like}"));
        return None;
    }
    Some(text.into())
}
