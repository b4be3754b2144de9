//! The files of one client, merged.

use crate::faults::{Faults, Span};
use crate::features::{self, Features};
use crate::fields::Fields;
use crate::fraud::{self, Fraud};
use crate::hours::{self, Calendar, Icals};
use crate::media::{self, Media};
use crate::recording::{self, Recording};
use crate::table::Sheets;
use crate::tariff;
use crate::web::{self, Secret, Web};
use crate::webhooks::{self, Webhook};
use crate::yaml::{Key, Node, Value};
use billing::Tariff;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// All sections of a client's files; each name in a section is there once.
#[derive(Debug, Default)]
pub(crate) struct Sections {
    pub(crate) name: Option<String>,
    pub(crate) language: Option<String>,
    /// Where its clocks are.
    pub(crate) zone: Option<TimeZone>,
    /// Those that its calls may be in besides.
    pub(crate) languages: Vec<String>,
    /// The number that its calls show.
    pub(crate) caller_id: Option<Node>,
    /// What its calls out may cost.
    pub(crate) fraud: Option<Fraud>,
    /// What its users may do by keys.
    pub(crate) features: Option<Features>,
    /// What is asked of their media.
    pub(crate) media: Option<Media>,
    /// Which calls are recorded, and how that is kept.
    pub(crate) recording: Option<Recording>,
    /// Whom its flows may ask by HTTP.
    pub(crate) web: Option<Web>,
    pub(crate) secrets: Vec<Secret>,
    /// Who is told of its events.
    pub(crate) webhooks: Vec<Webhook>,
    /// What it pays.
    pub(crate) tariff: Option<Tariff>,
    /// Numbers that they may show besides those by which it is called.
    pub(crate) caller_ids: Option<Node>,
    /// The flow of failures that have no branch of their own.
    pub(crate) on_error: Option<Node>,
    /// The flow of what is done once a caller has gone.
    pub(crate) on_hangup: Option<Node>,
    pub(crate) numbers: Vec<(Key, Node)>,
    pub(crate) users: Vec<(Key, Node)>,
    pub(crate) agents: Vec<(Key, Node)>,
    pub(crate) queues: Vec<(Key, Node)>,
    pub(crate) mailboxes: Vec<(Key, Node)>,
    pub(crate) hours: Vec<(Key, Node)>,
    pub(crate) icals: Icals,
    pub(crate) tables: Vec<(Key, Node)>,
    pub(crate) sheets: Sheets,
    pub(crate) flows: Vec<(Key, Node)>,
    /// Whether every file could be read.
    pub(crate) complete: bool,
}

impl Sections {
    /// The languages that calls may be in, the client's own first.
    pub(crate) fn languages(&self) -> Vec<Arc<str>> {
        let mut languages = vec![Arc::from(self.language.as_deref().unwrap_or("en"))];
        for language in &self.languages {
            if !languages.iter().any(|known| **known == **language) {
                languages.push(language.as_str().into());
            }
        }
        languages
    }
}

const SECTIONS: [&str; 12] = [
    "client",
    "numbers",
    "users",
    "agents",
    "queues",
    "mailboxes",
    "hours",
    "tables",
    "secrets",
    "webhooks",
    "billing",
    "flows",
];

/// Merges the files of a client.
pub(crate) fn merge(files: Vec<Option<Node>>, faults: &mut Faults<'_>) -> Sections {
    let mut sections = Sections { complete: files.iter().all(Option::is_some), ..Sections::default() };
    let mut described: Option<Span> = None;
    let mut billed: Option<(Key, Node)> = None;
    let (mut secrets, mut webhooks) = (Vec::new(), Vec::new());
    for file in files.into_iter().flatten() {
        let whole = Span { len: 0, ..file.span };
        if matches!(file.value, Value::Null) {
            continue;
        }
        let Some(fields) = Fields::of(&file, whole, "a client file", &SECTIONS, faults) else { continue };
        if let Some((key, node)) = fields.entry("client") {
            match described {
                Some(first) => faults.twice(first, key.span, "the client"),
                None => {
                    described = Some(key.span);
                    describe(key, node, &mut sections, faults);
                }
            }
        }
        if let Some((key, node)) = fields.entry("billing") {
            match &billed {
                Some((first, _)) => faults.twice(first.span, key.span, "`billing`"),
                None => billed = Some((key.clone(), node.clone())),
            }
        }
        for (section, what) in [
            (&mut sections.numbers, "numbers"),
            (&mut sections.users, "users"),
            (&mut sections.agents, "agents"),
            (&mut sections.queues, "queues"),
            (&mut sections.mailboxes, "mailboxes"),
            (&mut sections.hours, "hours"),
            (&mut sections.tables, "tables"),
            (&mut secrets, "secrets"),
            (&mut webhooks, "webhooks"),
            (&mut sections.flows, "flows"),
        ] {
            if let Some(node) = fields.get(what) {
                section.extend_from_slice(node.entries(&format!("`{what}`"), faults));
            }
        }
    }
    // Users and agents are compared over all clients, and numbers by their digits: elsewhere.
    unique(&mut sections.queues, "queue", faults);
    unique(&mut sections.mailboxes, "mailbox", faults);
    unique(&mut sections.hours, "calendar", faults);
    unique(&mut sections.flows, "flow", faults);
    unique(&mut sections.tables, "table", faults);
    unique(&mut secrets, "secret", faults);
    unique(&mut webhooks, "webhook", faults);
    sections.secrets = web::secrets(&secrets, faults);
    let known = (sections.web.as_ref(), &sections.secrets[..], sections.complete);
    sections.webhooks = webhooks::read(&webhooks, known, faults);
    sections.tariff = billed.and_then(|(key, node)| {
        let known = |entries| Some(entries).filter(|_| sections.complete);
        let (numbers, queues) = (known(&sections.numbers[..]), known(&sections.queues[..]));
        tariff::read(&key, &node, &tariff::Known { numbers, queues }, faults)
    });
    sections
}

/// Reads the calendars, and gives the place of each; a faulty one has its name all the same.
pub(crate) fn calendars(
    entries: &[(Key, Node)],
    icals: &Icals,
    faults: &mut Faults<'_>,
) -> (Vec<Calendar>, BTreeMap<String, usize>) {
    let mut calendars = Vec::new();
    let mut names = BTreeMap::new();
    for (key, node) in entries {
        names.insert(key.text.clone(), calendars.len());
        calendars.extend(Calendar::parse(key, node, icals, faults));
    }
    (calendars, names)
}

fn describe(key: &Key, node: &Node, sections: &mut Sections, faults: &mut Faults<'_>) {
    const KNOWN: [&str; 13] = [
        "name",
        "zone",
        "language",
        "languages",
        "caller_id",
        "caller_ids",
        "fraud",
        "features",
        "media",
        "recording",
        "http",
        "on_error",
        "on_hangup",
    ];
    let Some(fields) = Fields::of(node, key.span, "`client`", &KNOWN, faults) else { return };
    let mut text = |name: &str| {
        let node = fields.get(name);
        node.and_then(|node| node.text(&format!("`{name}`"), faults)).map(str::to_owned)
    };
    sections.name = text("name");
    sections.language = text("language");
    sections.zone = fields.get("zone").and_then(|node| hours::zone(node, faults));
    for node in fields.get("languages").map_or(&[][..], |node| node.items()) {
        sections.languages.extend(language(node, faults));
    }
    sections.fraud = fields.entry("fraud").and_then(|(key, node)| fraud::read(key, node, faults));
    sections.features = fields.entry("features").and_then(|(key, node)| features::read(key, node, faults));
    sections.media = fields.entry("media").and_then(|(key, node)| media::read(key, node, faults));
    sections.recording = fields.entry("recording").and_then(|(key, node)| recording::read(key, node, faults));
    sections.web = fields.entry("http").and_then(|(key, node)| web::read(key, node, faults));
    sections.caller_id = fields.get("caller_id").cloned();
    sections.on_error = fields.get("on_error").cloned();
    sections.on_hangup = fields.get("on_hangup").cloned();
    sections.caller_ids = fields.get("caller_ids").cloned();
}

/// A language is the name of a folder: `de`, `pt-BR`.
fn language(node: &Node, faults: &mut Faults<'_>) -> Option<String> {
    let text = node.text("a language", faults)?;
    let fits = (2..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !fits {
        let hint = "write its code: en, de, fr, es";
        faults.hinted(node.span, format!("`{text}` is not a language"), hint);
    }
    fits.then(|| text.to_owned())
}

fn unique(entries: &mut Vec<(Key, Node)>, what: &str, faults: &mut Faults<'_>) {
    let mut seen: HashMap<String, Span> = HashMap::new();
    entries.retain(|(key, _)| match seen.get(&key.text) {
        Some(first) => {
            faults.twice(*first, key.span, &format!("the {what} `{}`", key.text));
            false
        }
        None => {
            seen.insert(key.text.clone(), key.span);
            true
        }
    });
}
