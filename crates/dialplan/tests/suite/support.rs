//! One client of which only some sections matter to a test.

use dialplan::{ClientFiles, Input, PromptFile, SourceFile};
use spoken::{Kind, Language, inventory};

pub(crate) const NODE: &str = "\
sip: {listen: [udp:127.0.0.1:5062]}
rtp: {ports: 30000-30099, address: 127.0.0.1}
trunks:
  carrier: {from: [127.0.0.0/8], to: sip:127.0.0.1:5080}
  backup: {to: sip:127.0.0.1:5090}
  inbound: {from: [10.0.0.0/8]}
clients: [acme]
";

/// Prompts that exist in every test.
pub(crate) const PROMPTS: [&str; 6] = ["welcome", "choose", "closed", "invalid", "sorry-nobody", "goodbye"];

/// Those of the system that steps name by themselves.
const SYSTEM_PROMPTS: [&str; 7] =
    ["beep", "busy-tone", "congestion-tone", "error-tone", "hold", "please-hold", "ringback"];

/// Those of them that there are in each language.
const SPOKEN: [&str; 10] = [
    "position",
    "in-the-queue",
    "expected-wait",
    "leave-message",
    "new-messages",
    "message-from",
    "mailbox-keys",
    "message-deleted",
    "no-messages",
    "no-more-messages",
];

pub(crate) fn input(node: &str, client: &str) -> Input {
    let prompt = |name: &&str| PromptFile {
        name: (*name).to_owned(),
        path: format!("acme/prompts/{name}.wav"),
        error: None,
    };
    Input {
        node: SourceFile { path: "ringdown.yaml".into(), text: node.into() },
        clients: vec![ClientFiles {
            id: "acme".into(),
            path: "acme".into(),
            files: vec![SourceFile { path: "acme/acme.yaml".into(), text: client.into() }],
            prompts: PROMPTS.iter().map(prompt).collect(),
        }],
        system_prompts: system_prompts(&Language::ALL),
    }
}

/// The prompts of the system, with what is said in some languages.
pub(crate) fn system_prompts(languages: &[Language]) -> Vec<PromptFile> {
    let others =
        SYSTEM_PROMPTS.map(|name| PromptFile { name: name.into(), path: format!("{name}.wav"), error: None });
    others.into_iter().chain(words(languages)).collect()
}

/// The recordings of all that is said in some languages, `de/20.wav`.
fn words(languages: &[Language]) -> Vec<PromptFile> {
    let kinds = |language: &Language| Kind::ALL.map(|kind| inventory(kind, *language));
    let mut names: Vec<String> =
        languages.iter().flat_map(kinds).flatten().map(ToString::to_string).collect();
    for language in languages {
        let code = language.code();
        names.extend(SPOKEN.map(|name| format!("{code}/{name}")));
    }
    names.sort();
    names.dedup();
    names.into_iter().map(|name| PromptFile { path: format!("{name}.wav"), name, error: None }).collect()
}
