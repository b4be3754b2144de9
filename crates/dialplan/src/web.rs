//! What a client's flows may ask by HTTP, and with which secrets.

use crate::faults::{Faults, Span};
use crate::fields::Fields;
use crate::machine::Site;
use crate::node::network;
use crate::yaml::{Key, Node};
use ipnet::IpNet;
use std::sync::Arc;

/// `http` of a client: without it, its flows ask nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Web {
    /// The servers that may be asked, in lower case: `api.example.com`, or `api.example.com:8443` where the port is not
    /// that of the scheme.
    pub hosts: Vec<Arc<str>>,
    /// Networks of servers that may be asked although they are private.
    pub internal: Vec<IpNet>,
    /// PEM, relative to the client's folder: who certifies the servers, instead of the usual roots.
    pub roots: Option<Arc<str>>,
}

/// A word that flows name and nobody reads. Its value is known to the shell alone, which puts it into requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// Its key under `secrets`.
    pub name: Arc<str>,
    /// Where its value is.
    pub source: SecretSource,
}

/// Where the value of a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// A variable of the node's environment.
    Env(Arc<str>),
    /// A file, relative to the client's folder; the end of the last line is not part of it.
    File(Arc<str>),
}

/// More servers than that are not asked by one client.
const MOST_HOSTS: usize = 64;

/// Reads `http` of a client.
pub(crate) fn read(key: &Key, node: &Node, faults: &mut Faults<'_>) -> Option<Web> {
    let fields = Fields::of(node, key.span, "`http`", &["hosts", "internal", "roots"], faults)?;
    let written = fields.require("hosts", faults)?;
    let mut hosts: Vec<Arc<str>> = Vec::new();
    for item in written.items() {
        let Some(text) = item.text("a host", faults) else { continue };
        let host = text.to_ascii_lowercase();
        if !is_host(&host) {
            let hint = "write its name alone, api.example.com, with its port if that is not 443: api.example.com:8443";
            faults.hinted(item.span, format!("`{text}` is not a host"), hint);
        } else {
            hosts.push(host.into());
        }
    }
    if written.items().is_empty() {
        faults.error(written.place_or(key.span), "`hosts` names nobody");
    }
    if hosts.len() > MOST_HOSTS {
        faults.error(written.place_or(key.span), format!("`hosts` names {MOST_HOSTS} at most"));
    }
    let internal = fields.get("internal").map_or(&[][..], Node::items);
    let roots = fields.get("roots").and_then(|node| node.text("`roots`", faults));
    Some(Web {
        hosts,
        internal: internal.iter().filter_map(|node| network(node, faults)).collect(),
        roots: roots.map(Into::into),
    })
}

/// Reads `secrets` of a client.
pub(crate) fn secrets(entries: &[(Key, Node)], faults: &mut Faults<'_>) -> Vec<Secret> {
    entries.iter().filter_map(|(key, node)| secret(key, node, faults)).collect()
}

fn secret(key: &Key, node: &Node, faults: &mut Faults<'_>) -> Option<Secret> {
    if !is_secret(&key.text) {
        let message = format!("`{}` cannot be the name of a secret", key.text);
        faults.hinted(key.span, message, "names are made of letters, digits, `-` and `_`");
        return None;
    }
    let fields = Fields::of(node, key.span, "a secret", &["env", "file"], faults)?;
    let name = key.text.as_str().into();
    let source = match (fields.get("env"), fields.get("file")) {
        (Some(node), None) => SecretSource::Env(node.text("`env`", faults)?.into()),
        (None, Some(node)) => SecretSource::File(node.text("`file`", faults)?.into()),
        _ => return incomplete(key.span, faults),
    };
    Some(Secret { name, source })
}

fn incomplete(at: Span, faults: &mut Faults<'_>) -> Option<Secret> {
    let hint = "write {env: SHOP_TOKEN}, a variable of the node's environment, or {file: shop-token}";
    faults.hinted(at, "a secret is in one place", hint);
    None
}

pub(crate) fn is_secret(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    !name.is_empty() && name.bytes().all(fits)
}

/// Whether that is a name or an address, perhaps with a port (RFC 3986 section 3.2.2).
fn is_host(text: &str) -> bool {
    let (host, port) = split(text);
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
    let is_name = !host.is_empty() && host.bytes().all(fits);
    let is_address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_address = is_address.is_some_and(|host| host.parse::<std::net::Ipv6Addr>().is_ok());
    (is_name || is_address) && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// The scheme of a URL, whether it is that of TLS, and what follows it.
pub(crate) fn scheme<'t>(
    text: &'t str,
    at: Span,
    example: &str,
    faults: &mut Faults<'_>,
) -> Option<(bool, &'t str)> {
    let schemes = [("https://", true), ("http://", false)];
    let found = schemes.iter().find_map(|(scheme, is_secure)| Some((*is_secure, text.strip_prefix(scheme)?)));
    if found.is_none() {
        faults.hinted(at, format!("`{text}` is no URL"), format!("write {example}"));
    }
    found
}

/// A server that a client may ask, as a URL names it. `hosts` is `None` where nobody can know them.
pub(crate) fn site(
    (authority, is_secure): (&str, bool),
    hosts: Option<&[Arc<str>]>,
    at: Span,
    faults: &mut Faults<'_>,
) -> Option<Site> {
    let (host, port) = split(authority);
    let usual = Site::usual_port(is_secure);
    let port = port.map_or(Some(usual), |port| port.parse().ok().filter(|port| *port > 0));
    let Some(port) = port.filter(|_| !host.is_empty() && !host.contains('@')) else {
        faults.error(at, format!("`{authority}` is no server"));
        return None;
    };
    let site = Site { is_secure, host: host.into(), port };
    let named = site.authority();
    if let Some(hosts) = hosts
        && !hosts.iter().any(|host| **host == *named)
    {
        let known = hosts.iter().map(|host| &**host).chain([&*named]).collect::<Vec<_>>().join(", ");
        let message = format!("`{named}` is none of the servers that this client may ask");
        faults.hinted(at, message, format!("write client: {{http: {{hosts: [{known}]}}}}"));
        return None;
    }
    Some(site)
}

/// The host and the port of an authority.
pub(crate) fn split(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        // The last colon of an IPv6 address is no port's.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    }
}
