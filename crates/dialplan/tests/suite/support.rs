//! One client of which only some sections matter to a test.

use dialplan::{ClientFiles, Input, PromptFile, SourceFile};

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
pub(crate) const SYSTEM_PROMPTS: [&str; 15] = [
    "beep",
    "busy-tone",
    "congestion-tone",
    "error-tone",
    "ringback",
    "digit-0",
    "digit-1",
    "digit-2",
    "digit-3",
    "digit-4",
    "digit-5",
    "digit-6",
    "digit-7",
    "digit-8",
    "digit-9",
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
        system_prompts: SYSTEM_PROMPTS.iter().map(prompt).collect(),
    }
}
