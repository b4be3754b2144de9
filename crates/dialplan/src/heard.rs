//! What those who wait in a queue hear, in the language of the call.

use crate::faults::{Faults, Span};
use crate::fields::Fields;
use crate::prompts::Prompts;
use crate::queues::LONGEST_WAIT;
use crate::words::Words;
use crate::yaml::{Key, Node, Value};
use acd::AnnouncePlan;
use clock::Duration;
use spoken::{Kind, What};
use std::sync::Arc;

/// What is heard in a queue, in one language of its client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// What is played over and over; without it, the music of holds.
    pub music: Option<Arc<str>>,
    /// What is told first, now and then.
    prompts: Vec<Arc<str>>,
    /// What is told behind that, if it is known.
    sentences: Vec<Sentence>,
}

/// What a caller may be told of its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// 1 is next. `None` is not told.
    pub position: Option<u32>,
    /// How long it will wait yet; to an agent, how long it has waited. `None` is unknown.
    pub wait: Option<Duration>,
}

/// `You are number`, the number, `in the queue.`
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sentence {
    says: Says,
    before: Option<Arc<str>>,
    after: Option<Arc<str>>,
    words: Words,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    Position {
        up_to: u32,
    },
    Wait {
        up_to: Duration,
    },
    /// How long the caller has waited, to an agent.
    Waited,
}

/// What is said where nothing else is written: nobody has to hear that it is number 150.
const MOST_POSITION: u32 = 1_000;
const LONGEST_TOLD: Duration = Duration::from_secs(60 * 60);

impl Heard {
    /// The files of an announcement; none if there is nothing to tell.
    pub fn announcement(&self, told: Told) -> Vec<Arc<str>> {
        let sentences = self.sentences.iter().filter_map(|sentence| sentence.files(told)).flatten();
        self.prompts.iter().cloned().chain(sentences).collect()
    }
}

impl Sentence {
    fn files(&self, told: Told) -> Option<Vec<Arc<str>>> {
        let what = match self.says {
            Says::Position { up_to } => {
                let position = told.position.filter(|position| *position <= up_to)?;
                What::Cardinal { value: position.into(), gender: None }
            }
            Says::Waited => {
                let seconds = i64::try_from(told.wait?.as_secs()).ok()?;
                // Beyond a minute nobody counts seconds.
                What::Duration { seconds: if seconds < 60 { seconds } else { seconds / 60 * 60 } }
            }
            Says::Wait { up_to } => {
                let wait = told.wait.filter(|wait| *wait <= up_to)?;
                // In whole minutes, of which a part counts as one: it is an estimate.
                let minutes = wait.as_micros().div_ceil(60_000_000).max(1);
                What::Duration { seconds: i64::try_from(minutes * 60).ok()? }
            }
        };
        let words = self.words.files(&what)?;
        Some(self.before.iter().cloned().chain(words).chain(self.after.clone()).collect())
    }
}

/// Reads what is heard in a queue: for each language of the client, its own first.
pub(crate) fn read(
    fields: &Fields<'_>,
    prompts: &Prompts,
    faults: &mut Faults<'_>,
) -> (Vec<(Arc<str>, Heard)>, AnnouncePlan) {
    let mut heard: Vec<_> =
        prompts.languages.iter().map(|language| (Arc::clone(language), Heard::default())).collect();
    let music = fields.get("music").map(|node| named(node, prompts, faults)).unwrap_or_default();
    if let Some(files) = music.first() {
        for ((_, heard), file) in heard.iter_mut().zip(files) {
            heard.music = Some(Arc::clone(file));
        }
    }
    let mut plan = AnnouncePlan::default();
    if let Some((key, node)) = fields.entry("announce") {
        plan = announce(key, node, prompts, &mut heard, faults);
    }
    (heard, plan)
}

/// `{prompts: please-hold, say: [position, wait], first: 20s, every: 60s}`.
fn announce(
    key: &Key,
    node: &Node,
    prompts: &Prompts,
    heard: &mut [(Arc<str>, Heard)],
    faults: &mut Faults<'_>,
) -> AnnouncePlan {
    const KNOWN: [&str; 6] = ["prompts", "say", "position_up_to", "wait_up_to", "first", "every"];
    let Some(fields) = Fields::of(node, key.span, "`announce`", &KNOWN, faults) else {
        return AnnouncePlan::default();
    };
    let mut time = |name: &str| fields.get(name).and_then(|node| node.duration(&format!("`{name}`"), faults));
    let (first, every) = (time("first"), time("every"));
    for files in fields.get("prompts").map(|node| named(node, prompts, faults)).unwrap_or_default() {
        for ((_, heard), file) in heard.iter_mut().zip(files) {
            heard.prompts.push(file);
        }
    }
    let said = said(&fields, faults);
    for (says, at) in &said {
        for (language, heard) in &mut *heard {
            heard.sentences.extend(sentence(language, *says, *at, prompts, faults));
        }
    }
    if fields.get("prompts").is_none() && fields.get("say").is_none() {
        faults.hinted(
            key.span,
            "`announce` says nothing",
            "write `prompts: please-hold`, `say: position`, or both",
        );
    }
    for (name, is_said) in [
        ("position_up_to", said.iter().any(|(says, _)| matches!(says, Says::Position { .. }))),
        ("wait_up_to", said.iter().any(|(says, _)| matches!(says, Says::Wait { .. }))),
    ] {
        if let Some((at, _)) = fields.entry(name).filter(|_| !is_said) {
            let what = name.trim_end_matches("_up_to");
            faults.hinted(
                at.span,
                format!("`{name}` is for what `say` tells"),
                format!("write `say: {what}`"),
            );
        }
    }
    if fields.get("first").is_none() && fields.get("every").is_none() {
        faults.hinted(key.span, "`announce` says never when", "write `first: 20s`, `every: 60s`, or both");
    }
    AnnouncePlan { first, every }
}

/// What an agent hears before the caller, in the client's own language: `acme-billing`, or
/// `{prompts: acme-billing, say: wait}`.
pub(crate) fn whisper(key: &Key, node: &Node, prompts: &Prompts, faults: &mut Faults<'_>) -> Option<Heard> {
    let first = |files: Vec<Vec<Arc<str>>>| files.into_iter().filter_map(|files| files.into_iter().next());
    let Value::Map(_) = node.value else {
        let prompts = first(named(node, prompts, faults)).collect();
        return Some(Heard { prompts, ..Heard::default() });
    };
    let fields = Fields::of(node, key.span, "`whisper`", &["prompts", "say"], faults)?;
    let mut heard = Heard::default();
    if let Some(node) = fields.get("prompts") {
        heard.prompts = first(named(node, prompts, faults)).collect();
    }
    let said = fields.get("say");
    if let Some((node, word)) = said.and_then(|node| Some((node, node.text("what is said", faults)?))) {
        if word == "wait" {
            let language = prompts.languages.first()?;
            heard.sentences.extend(sentence(language, Says::Waited, node.span, prompts, faults));
        } else {
            faults.unknown(node.span, "a whisper does not say {}", word, ["wait"].into_iter());
        }
    }
    if fields.get("prompts").is_none() && said.is_none() {
        let hint = "write `prompts: acme-billing`, `say: wait`, or both";
        faults.hinted(key.span, "`whisper` says nothing", hint);
    }
    Some(heard)
}

/// What `say` names, in its order.
fn said(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Vec<(Says, Span)> {
    let position = fields.get("position_up_to");
    let position = position.and_then(|it| it.number("`position_up_to`", 1, MOST_POSITION, faults));
    let wait = fields.get("wait_up_to");
    let wait = wait.and_then(|it| it.duration_up_to("`wait_up_to`", LONGEST_WAIT, faults));
    let mut said = Vec::new();
    for item in fields.get("say").map_or(&[][..], |node| node.items()) {
        let says = match item.text("what is said", faults) {
            Some("position") => Says::Position { up_to: position.unwrap_or(MOST_POSITION) },
            Some("wait") => Says::Wait { up_to: wait.unwrap_or(LONGEST_TOLD) },
            Some(other) => {
                faults.unknown(
                    item.span,
                    "announcements do not say {}",
                    other,
                    ["position", "wait"].into_iter(),
                );
                continue;
            }
            None => continue,
        };
        said.push((says, item.span));
    }
    said
}

fn sentence(
    language: &str,
    says: Says,
    at: Span,
    prompts: &Prompts,
    faults: &mut Faults<'_>,
) -> Option<Sentence> {
    let (before, after, kind) = match says {
        Says::Position { .. } => (Some("position"), Some("in-the-queue"), Kind::Cardinal),
        Says::Wait { .. } => (Some("expected-wait"), None, Kind::Duration),
        Says::Waited => (None, None, Kind::Duration),
    };
    let mut file = |name: &str| {
        let found = prompts.file(language, name).cloned();
        if found.is_none() {
            let hint = format!("put it at {}", prompts.place(&format!("{language}/{name}")));
            faults.hinted(at, format!("there is no prompt `{name}` in `{language}`"), hint);
        }
        found
    };
    let (before, after) = (before.and_then(&mut file), after.and_then(&mut file));
    let words = Words::read(language, kind, at, prompts, faults);
    Some(Sentence { says, before, after, words: words? })
}

/// The files of prompts, each in all languages.
fn named(node: &Node, prompts: &Prompts, faults: &mut Faults<'_>) -> Vec<Vec<Arc<str>>> {
    let mut all = Vec::new();
    for item in node.items() {
        let Some(name) = item.text("a prompt", faults) else { continue };
        all.extend(prompts.named(name, item.span, faults));
    }
    all
}
