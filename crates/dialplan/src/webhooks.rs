//! Where a client is told of what happens to its calls.

use crate::faults::{Faults, Span};
use crate::fields::Fields;
use crate::machine::Site;
use crate::web::{self, Secret, Web};
use crate::yaml::{Key, Node};
use std::collections::BTreeSet;
use std::sync::Arc;

/// One of `webhooks` of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its key under `webhooks`.
    pub name: Arc<str>,
    /// The server, one of those that the client may ask.
    pub site: Site,
    /// The path there, from its stroke on.
    pub path: Arc<str>,
    /// The secret by which what is sent is signed.
    pub secret: Arc<str>,
    /// The kinds of events that are told.
    pub kinds: BTreeSet<Arc<str>>,
}

/// What is told where nothing else is said: how each contact begins and ends.
const USUAL: [&str; 2] = ["contact_started", "contact_ended"];
/// More than that no client has.
const MOST: usize = 16;

/// Reads `webhooks` of a client.
pub(crate) fn read(
    entries: &[(Key, Node)],
    (web, secrets, is_complete): (Option<&Web>, &[Secret], bool),
    faults: &mut Faults<'_>,
) -> Vec<Webhook> {
    if let Some((key, _)) = entries.get(MOST) {
        faults.error(key.span, format!("a client has {MOST} webhooks at most"));
    }
    let hosts = web.map_or(&[][..], |web| &web.hosts);
    let hosts = Some(hosts).filter(|_| is_complete);
    let known = Some(secrets).filter(|_| is_complete);
    entries.iter().filter_map(|(key, node)| webhook(key, node, (hosts, known), faults)).collect()
}

fn webhook(
    key: &Key,
    node: &Node,
    (hosts, secrets): (Option<&[Arc<str>]>, Option<&[Secret]>),
    faults: &mut Faults<'_>,
) -> Option<Webhook> {
    if !web::is_secret(&key.text) {
        let message = format!("`{}` cannot be the name of a webhook", key.text);
        faults.hinted(key.span, message, "names are made of letters, digits, `-` and `_`");
    }
    let fields = Fields::of(node, key.span, "a webhook", &["url", "secret", "events"], faults)?;
    let url = fields.require("url", faults);
    let place = url.and_then(|node| place(node, hosts, faults));
    let secret = fields.require("secret", faults).and_then(|node| signs(node, secrets, faults));
    let kinds = match fields.get("events") {
        Some(node) => kinds(node, key.span, faults),
        None => USUAL.into_iter().map(Arc::from).collect(),
    };
    let (site, path) = place?;
    Some(Webhook { name: key.text.as_str().into(), site, path, secret: secret?, kinds })
}

fn place(node: &Node, hosts: Option<&[Arc<str>]>, faults: &mut Faults<'_>) -> Option<(Site, Arc<str>)> {
    let text = node.text("`url`", faults)?;
    let (is_secure, rest) = web::scheme(text, node.span, "https://crm.example.com/ringdown", faults)?;
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let site = web::site((&authority.to_ascii_lowercase(), is_secure), hosts, node.span, faults)?;
    let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic() && !b"#\"<>\\^`{|}".contains(&byte));
    if !is_plain {
        faults.hinted(
            node.span,
            format!("`{path}` is no path of a URL"),
            "blanks and the like are written as %20",
        );
        return None;
    }
    let stroke = if path.starts_with('/') { "" } else { "/" };
    Some((site, format!("{stroke}{path}").into()))
}

fn signs(node: &Node, secrets: Option<&[Secret]>, faults: &mut Faults<'_>) -> Option<Arc<str>> {
    let name = node.text("`secret`", faults)?;
    if let Some(secrets) = secrets
        && !secrets.iter().any(|secret| *secret.name == *name)
    {
        let known = secrets.iter().map(|secret| &*secret.name);
        faults.unknown(node.span, "unknown secret {}", name, known);
        return None;
    }
    Some(name.into())
}

fn kinds(node: &Node, at: Span, faults: &mut Faults<'_>) -> BTreeSet<Arc<str>> {
    if node.items().is_empty() {
        faults.hinted(
            node.place_or(at),
            "`events` names none",
            "leave it out for contact_started and contact_ended",
        );
    }
    let mut kinds = BTreeSet::new();
    for item in node.items() {
        let Some(name) = item.text("a kind of event", faults) else { continue };
        if !events::KINDS.contains(&name) {
            faults.unknown(item.span, "unknown kind of event {}", name, events::KINDS.into_iter());
        } else if !kinds.insert(Arc::from(name)) {
            faults.error(item.span, format!("`{name}` is named twice"));
        }
    }
    kinds
}
