//! `dns`: who is asked for the names of trunks and SIP addresses.

use crate::Dns;
use crate::faults::Faults;
use crate::fields::Fields;
use crate::yaml::Node;
use std::net::{IpAddr, SocketAddr};

const PORT: u16 = 53;

pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Dns {
    let Some((key, node)) = fields.entry("dns") else { return Dns::default() };
    let Some(fields) = Fields::of(node, key.span, "`dns`", &["servers"], faults) else {
        return Dns::default();
    };
    let Some(servers) = fields.require("servers", faults) else { return Dns::default() };
    if servers.items().is_empty() {
        let hint = "write servers: [192.0.2.53], or leave `dns` out: then the system's are asked";
        faults.hinted(servers.place_or(key.span), "no server to ask", hint);
    }
    Dns { servers: servers.items().iter().filter_map(|node| server(node, faults)).collect() }
}

fn server(node: &Node, faults: &mut Faults<'_>) -> Option<SocketAddr> {
    let text = node.text("a DNS server", faults)?;
    let address = text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, PORT)).or_else(|_| text.parse());
    if address.is_err() {
        let hint = "write its address, 192.0.2.53 or 192.0.2.53:5353";
        faults.hinted(node.span, format!("`{text}` is not a DNS server's address"), hint);
    }
    address.ok()
}
