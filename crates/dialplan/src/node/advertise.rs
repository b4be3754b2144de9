//! `advertise` of a trunk: what it is told of the node's addresses.

use crate::Advertise;
use crate::faults::Faults;
use crate::fields::Fields;
use crate::yaml::{Key, Node, Value};
use std::net::{IpAddr, SocketAddr};

/// One address for SIP and media, or a map of both.
pub(super) fn read(key: &Key, node: &Node, faults: &mut Faults<'_>) -> Option<Advertise> {
    let (sip, media) = match &node.value {
        Value::Map(_) => {
            let fields = Fields::of(node, key.span, "`advertise`", &["sip", "media"], faults)?;
            let media = fields.get("media").and_then(|node| {
                let ip = node.parse("an IP address", "203.0.113.9", faults)?;
                is_an_address(node, ip, faults).then_some(ip)
            });
            (fields.require("sip", faults)?, media)
        }
        _ => (node, None),
    };
    let (ip, port) = place(sip, faults)?;
    Some(Advertise { sip: ip, port, media: media.unwrap_or(ip) })
}

/// `10.8.0.2`, or `10.8.0.2:5080`.
fn place(node: &Node, faults: &mut Faults<'_>) -> Option<(IpAddr, Option<u16>)> {
    let text = node.text("`advertise`", faults)?;
    let alone = text.parse().ok().map(|ip| (ip, None));
    let with_port = || text.parse::<SocketAddr>().ok().filter(|it| it.port() != 0);
    let Some((ip, port)) = alone.or_else(|| with_port().map(|it| (it.ip(), Some(it.port())))) else {
        let hint =
            "write 10.8.0.2, 10.8.0.2:5080 or \"[2001:db8::2]:5080\"; names are not looked up for this";
        faults.hinted(node.span, format!("`{text}` is not an address"), hint);
        return None;
    };
    is_an_address(node, ip, faults).then_some((ip, port))
}

fn is_an_address(node: &Node, ip: IpAddr, faults: &mut Faults<'_>) -> bool {
    if ip.is_unspecified() || ip.is_multicast() {
        let hint = "write the address by which the trunk reaches this node";
        faults.hinted(node.span, format!("nobody can answer to {ip}"), hint);
        return false;
    }
    true
}
