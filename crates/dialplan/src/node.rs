//! The node file: what belongs to the machine.

mod advertise;
mod caller_id;
mod codecs;
mod defence;
mod dns;
mod limits;
mod numbers;
mod register;
mod routing;
mod stir;
mod streams;
mod trunks;

pub(crate) use numbers::country;
pub(crate) use trunks::network;

use crate::faults::{Faults, Span};
use crate::fields::Fields;
use crate::yaml::{Key, Node as Yaml, Value};
use crate::{
    Digest, Listen, Node, RecordingFormat, Recordings, Rtp, SessionTimer, StreamLimits, Tls, Transport,
};
use clock::Duration;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

/// Client folders as the node file names them.
pub(crate) fn folders(root: &Yaml, faults: &mut Faults<'_>) -> Vec<(String, Span)> {
    let Value::Map(entries) = &root.value else { return Vec::new() };
    let listed = entries.iter().find(|(key, _)| key.text == "clients").map_or(&[][..], |(_, n)| n.items());
    let mut folders = Vec::new();
    for node in listed {
        if let Some(folder) = node.text("a client folder", faults) {
            folders.push((folder.to_owned(), node.span));
        }
    }
    folders
}

/// Reads the node file; what cannot be read is among the faults and has a stand-in, so that the rest is
/// checked all the same.
pub(crate) fn read(root: &Yaml, clients: &[&str], faults: &mut Faults<'_>) -> Option<Node> {
    const KNOWN: [&str; 11] =
        ["node", "sip", "rtp", "http", "recordings", "limits", "defence", "dns", "stir", "trunks", "clients"];
    let whole = Span { len: 0, ..root.span };
    let fields = Fields::of(root, whole, "the node file", &KNOWN, faults)?;
    let name = name(&fields, faults);
    let Sip { listen, tls, realm, digest, session_timer, streams } = sip(&fields, faults);
    let rtp = rtp(&fields, faults);
    let http = fields.entry("http").and_then(|(key, node)| {
        let fields = Fields::of(node, key.span, "`http`", &["listen"], faults)?;
        fields.require("listen", faults)?.parse("an address with a port", "127.0.0.1:8062", faults)
    });
    let recordings = fields.entry("recordings").and_then(|(key, node)| recordings(key, node, faults));
    let limits = limits::read(&fields, faults);
    let defence = defence::read(&fields, faults);
    let dns = dns::read(&fields, faults);
    let stir = stir::read(&fields, faults);
    let has_stir = fields.get("stir").is_some();
    let around = trunks::Around { clients, has_stir, listen: &listen };
    let trunks = trunks::read(fields.get("trunks"), &around, faults);
    fields.require("clients", faults);
    let rtp = rtp?;
    apart(&fields, &listen, &rtp, faults);
    Some(Node {
        realm: realm.unwrap_or_else(|| name.clone()).into(),
        tls,
        digest,
        session_timer,
        streams,
        name: name.into(),
        listen,
        rtp,
        http,
        recordings: recordings.unwrap_or_default(),
        limits,
        defence,
        dns,
        stir,
        trunks,
    })
}

/// The value of a word among those that are `known`.
fn one_of<T: Copy>(what: &str, node: &Yaml, known: &[(&str, T)], faults: &mut Faults<'_>) -> Option<T> {
    let text = node.text(what, faults)?;
    let found = known.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    if found.is_none() {
        let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
        let hint = format!("write one of {}", names.join(", "));
        faults.hinted(node.span, format!("{what} cannot be `{text}`"), hint);
    }
    found
}

fn name(fields: &Fields<'_>, faults: &mut Faults<'_>) -> String {
    let named = fields.entry("node").and_then(|(key, node)| {
        let fields = Fields::of(node, key.span, "`node`", &["name"], faults)?;
        Some(fields.require("name", faults)?.text("`name`", faults)?.to_owned())
    });
    named.unwrap_or_else(|| "ringdown".into())
}

/// What the node file says of SIP.
#[derive(Default)]
struct Sip {
    listen: Vec<Listen>,
    tls: Option<Tls>,
    realm: Option<String>,
    digest: Vec<Digest>,
    session_timer: SessionTimer,
    streams: StreamLimits,
}

fn sip(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Sip {
    let Some(sip) = fields.require("sip", faults) else { return Sip::default() };
    let at = fields.entry("sip").map_or(sip.span, |(key, _)| key.span);
    const KNOWN: [&str; 6] = ["listen", "tls", "realm", "digest", "session_timer", "streams"];
    let Some(fields) = Fields::of(sip, at, "`sip`", &KNOWN, faults) else { return Sip::default() };
    let realm = fields.get("realm").and_then(|node| realm(node, faults));
    let digest = fields.get("digest").map_or_else(|| vec![Digest::Md5], |node| digests(node, faults));
    let entries = fields.require("listen", faults).map_or(&[][..], Yaml::items);
    if let (true, Some(node)) = (entries.is_empty(), fields.get("listen")) {
        faults.hinted(node.place_or(at), "nothing to listen on", "write listen: [udp:192.0.2.1:5060]");
    }
    let mut listen: Vec<Listen> = Vec::new();
    for entry in entries {
        let Some(found) = listener(entry, faults) else { continue };
        let is_same = |l: &Listen| {
            let by_udp = [l.transport, found.transport].map(|it| it == Transport::Udp);
            l.address == found.address && by_udp[0] == by_udp[1]
        };
        if listen.iter().any(is_same) {
            faults.error(entry.span, "this address is listened on already");
        }
        listen.push(found);
    }
    let tls = fields.entry("tls").and_then(|(key, node)| tls(key, node, faults));
    if fields.get("tls").is_none() && listen.iter().any(|listen| listen.transport.is_secure()) {
        let hint = "write tls: {certificate: fullchain.pem, key: privkey.pem} below `sip`";
        faults.hinted(at, "a listener over TLS needs a certificate", hint);
    }
    let session_timer = fields.entry("session_timer").map(|(key, node)| session_timer(key, node, faults));
    let streams = fields.entry("streams").map(|(key, node)| streams::read(key, node, faults));
    let (session_timer, streams) = (session_timer.unwrap_or_default(), streams.unwrap_or_default());
    Sip { listen, tls, realm, digest, session_timer, streams }
}

fn tls(key: &Key, node: &Yaml, faults: &mut Faults<'_>) -> Option<Tls> {
    let fields = Fields::of(node, key.span, "`tls`", &["certificate", "key"], faults)?;
    let certificate = fields.require("certificate", faults);
    let private = fields.require("key", faults);
    Some(Tls {
        certificate: certificate?.text("`certificate`", faults)?.into(),
        key: private?.text("`key`", faults)?.into(),
    })
}

/// RFC 4028: nobody may be asked to refresh more often than every 90 seconds (section 4).
fn session_timer(key: &Key, node: &Yaml, faults: &mut Faults<'_>) -> SessionTimer {
    let usual = SessionTimer::default();
    let Some(fields) = Fields::of(node, key.span, "`session_timer`", &["expires", "min"], faults) else {
        return usual;
    };
    let mut read = |name: &str, usual: Duration| {
        let Some(node) = fields.get(name) else { return usual };
        let Some(duration) = node.duration(&format!("`{name}`"), faults) else { return usual };
        if duration < SessionTimer::default().min {
            faults.error(node.span, format!("`{name}` is 90s at least (RFC 4028)"));
        }
        duration
    };
    let (expires, min) = (read("expires", usual.expires), read("min", usual.min));
    if expires < min {
        faults.error(key.span, "`expires` is shorter than `min`");
    }
    SessionTimer { expires, min }
}

/// The algorithms that phones are challenged with, in the order of the file.
fn digests(node: &Yaml, faults: &mut Faults<'_>) -> Vec<Digest> {
    let mut digests = Vec::new();
    for entry in node.items() {
        let digest = match entry.text("a digest algorithm", faults) {
            Some("md5") => Digest::Md5,
            Some("sha-256") => Digest::Sha256,
            Some(other) => {
                faults.unknown(
                    entry.span,
                    "unknown digest algorithm {}",
                    other,
                    ["md5", "sha-256"].into_iter(),
                );
                continue;
            }
            None => continue,
        };
        if digests.contains(&digest) {
            faults.error(entry.span, "this algorithm is in the list already");
        }
        digests.push(digest);
    }
    if node.items().is_empty() {
        faults.hinted(node.span, "no algorithm to challenge with", "write digest: [md5], or leave it out");
    }
    digests
}

/// A quote in it would end the header's parameter (RFC 3261 section 25.1, quoted-string).
fn realm(node: &Yaml, faults: &mut Faults<'_>) -> Option<String> {
    let text = node.text("`realm`", faults)?;
    if text.chars().any(|c| c.is_control() || c == '"' || c == '\\') {
        faults.error(node.span, "a realm has no quotes, backslashes or line breaks");
        return None;
    }
    Some(text.to_owned())
}

const LISTEN_LIKE: &str = "udp:192.0.2.1:5060 or tls:[2001:db8::1]:5061";
/// What a listener may be.
const TRANSPORTS: [&str; 5] = ["udp", "tcp", "tls", "ws", "wss"];

fn listener(node: &Yaml, faults: &mut Faults<'_>) -> Option<Listen> {
    let (transport, address, at, advertise) = match &node.value {
        Value::Map(entries) => {
            let known = [&TRANSPORTS[..], &["advertise"]].concat();
            let fields = Fields::of(node, node.span, "a listener", &known, faults)?;
            let is_transport = |(key, _): &&(Key, Yaml)| Transport::named(&key.text).is_some();
            let Some((key, value)) = entries.iter().find(is_transport) else {
                faults.error(node.span, "a listener needs `udp`, `tcp`, `tls`, `ws` or `wss`");
                return None;
            };
            let advertise = fields
                .get("advertise")
                .map(|node| node.parse("an address with a port", "203.0.113.9:5060", faults));
            (key.text.as_str(), value.text("an address", faults)?, value.span, advertise)
        }
        _ => {
            let text = node.text("a listener", faults)?;
            let (transport, address) = text.split_once(':').unwrap_or((text, ""));
            (transport, address, node.span, None)
        }
    };
    let Some(transport) = Transport::named(transport) else {
        faults.unknown(at, "unknown transport {}", transport, TRANSPORTS.into_iter());
        return None;
    };
    let Ok(address) = address.parse::<SocketAddr>() else {
        faults.hinted(
            at,
            format!("`{address}` is not an address with a port"),
            format!("write it like {LISTEN_LIKE}"),
        );
        return None;
    };
    if address.ip().is_unspecified() && advertise.is_none() {
        let hint = format!(
            "write {{{}: \"{address}\", advertise: \"203.0.113.9:{}\"}}",
            transport.name(),
            address.port()
        );
        faults.hinted(at, "phones cannot answer to this address, and no other is advertised", hint);
    }
    Some(Listen { transport, address, advertise: advertise.flatten() })
}

fn rtp(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<Rtp> {
    const KNOWN: [&str; 5] = ["ports", "address", "advertise", "threads", "codecs"];
    fields.require("rtp", faults)?;
    let (key, node) = fields.entry("rtp")?;
    let fields = Fields::of(node, key.span, "`rtp`", &KNOWN, faults)?;
    let ports = fields.require("ports", faults).and_then(|node| ports(node, faults));
    let address = fields.require("address", faults);
    let parsed = address.and_then(|node| node.parse::<IpAddr>("an IP address", "192.0.2.1", faults));
    let advertise = fields.get("advertise").map(|node| node.parse("an IP address", "203.0.113.9", faults));
    let threads = fields.get("threads").and_then(|node| node.number("`threads`", 1, 256, faults));
    if let (Some(node), Some(true), None) = (address, parsed.map(|ip| ip.is_unspecified()), advertise) {
        let hint = "add advertise: 203.0.113.9, the address that phones and carriers reach";
        faults.hinted(
            node.span,
            "phones cannot send media to this address, and no other is advertised",
            hint,
        );
    }
    Some(Rtp {
        ports: ports?,
        address: parsed?,
        advertise: advertise.flatten(),
        threads: threads.map(|threads| threads as usize),
        codecs: codecs::read(&fields, faults).unwrap_or_else(|| codecs::DEFAULT.into()),
    })
}

/// `30000-49999`: at least one pair, above the well-known ports.
fn ports(node: &Yaml, faults: &mut Faults<'_>) -> Option<RangeInclusive<u16>> {
    let text = node.text("`ports`", faults)?;
    let bounds = text
        .split_once('-')
        .and_then(|(from, to)| Some((from.trim().parse::<u16>().ok()?, to.trim().parse::<u16>().ok()?)));
    match bounds {
        Some((from, to)) if from >= 1024 && from < to => Some(from..=to),
        Some((from, _)) if from < 1024 => {
            faults.error(node.span, "ports below 1024 belong to the system");
            None
        }
        _ => {
            let hint = "write the lowest and the highest port: 30000-49999";
            faults.hinted(node.span, format!("`{text}` is not a range of ports"), hint);
            None
        }
    }
}

/// A folder, or a map of folder and format.
fn recordings(key: &Key, node: &Yaml, faults: &mut Faults<'_>) -> Option<Recordings> {
    if !matches!(node.value, Value::Map(_)) {
        return Some(Recordings { folder: folder(node, faults)?, ..Recordings::default() });
    }
    let fields = Fields::of(node, key.span, "`recordings`", &["folder", "format"], faults)?;
    let mut recordings = Recordings::default();
    if let Some(node) = fields.get("folder") {
        recordings.folder = folder(node, faults)?;
    }
    if let Some(node) = fields.get("format") {
        const FORMATS: [RecordingFormat; 2] = [RecordingFormat::Wav, RecordingFormat::Opus];
        let word = node.text("`format`", faults)?;
        match FORMATS.into_iter().find(|format| format.name() == word) {
            Some(format) => recordings.format = format,
            None => faults.unknown(node.span, "unknown format {}", word, FORMATS.iter().map(|it| it.name())),
        }
    }
    Some(recordings)
}

fn folder(node: &Yaml, faults: &mut Faults<'_>) -> Option<String> {
    let text = node.text("`recordings`", faults)?;
    if text.starts_with('/') || text.split('/').any(|part| part == "..") {
        faults.error(node.span, "`recordings` is a folder within the state directory");
        return None;
    }
    Some(text.to_owned())
}

/// A SIP socket among the RTP ports would be taken by a call sooner or later.
fn apart(fields: &Fields<'_>, listen: &[Listen], rtp: &Rtp, faults: &mut Faults<'_>) {
    let clash =
        listen.iter().find(|l| l.transport == Transport::Udp && rtp.ports.contains(&l.address.port()));
    if let (Some(listen), Some((key, _))) = (clash, fields.entry("rtp")) {
        let port = listen.address.port();
        faults.error(key.span, format!("the RTP ports contain {port}, where SIP listens"));
    }
}
