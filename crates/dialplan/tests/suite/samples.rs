//! The sample files of the repository: they check.

use crate::support::{NODE, system_prompts};
use dialplan::{ClientFiles, Input, PromptFile, SourceFile, load, node_clients};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[expect(clippy::disallowed_methods, reason = "the test stands for the shell, which reads the files")]
pub(crate) fn source(path: &str) -> SourceFile {
    let text = std::fs::read_to_string(root().join(path)).expect("a sample file");
    SourceFile { path: path.into(), text }
}

fn client(folder: &str, file: &str) -> ClientFiles {
    let listed = std::fs::read_dir(root().join(folder).join("prompts")).expect("a prompt folder");
    let names = listed.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let prompts = names.filter_map(|name| {
        let bare = name.strip_suffix(".wav")?.to_owned();
        Some(PromptFile { name: bare, path: format!("{folder}/prompts/{name}"), error: None })
    });
    ClientFiles {
        id: folder.rsplit('/').next().unwrap_or(folder).into(),
        path: folder.into(),
        files: vec![source(&format!("{folder}/{file}"))],
        prompts: prompts.collect(),
    }
}

#[test]
fn the_load_profile_checks_and_serves_its_numbers() {
    let node = source("tests/load/ringdown.yaml");
    assert_eq!(node_clients(&node).ok(), Some(vec!["client".to_owned()]));
    let clients = vec![client("tests/load/client", "client.yaml")];
    let config = load(&Input { node, clients, system_prompts: Vec::new() }).unwrap_or_else(|r| panic!("{r}"));
    let trunk = config.trunk_for([127, 3, 2, 1].into());
    assert_eq!(trunk.map(|t| t.name.as_ref()), Some("loopback"));
    for number in ["uas", "record", "ivr", "menu"] {
        assert!(config.number(trunk, number).is_some(), "{number}");
    }
    assert_eq!(config.user("1234").map(|u| u.password), Some("pw1234".to_owned()));
    assert_eq!(config.user("2000"), None);
}

#[test]
fn the_sample_client_checks() {
    let clients = vec![client("dialplans/acme", "acme.yaml")];
    let node = SourceFile { path: "ringdown.yaml".into(), text: NODE.into() };
    let config = load(&Input { node, clients, system_prompts: Vec::new() }).unwrap_or_else(|r| panic!("{r}"));
    let (client, flow) = config.number(None, "+1 555 0100").expect("the sample's number");
    assert_eq!(config.client(client).flow(flow).as_ref(), "main");
}

#[test]
fn every_example_of_the_manual_checks() {
    let manual = source("dialplans/README.md").text;
    let examples: Vec<&str> =
        manual.split("```yaml\n").skip(1).filter_map(|part| part.split("```").next()).collect();
    assert!(examples.len() >= 12, "only {} examples", examples.len());
    for example in examples {
        let mut client = client("dialplans/acme", "acme.yaml");
        client.files = vec![SourceFile { path: "README.md".into(), text: example.into() }];
        client.prompts.push(PromptFile {
            name: "enter-account".into(),
            path: "enter-account.wav".into(),
            error: None,
        });
        let node = SourceFile { path: "ringdown.yaml".into(), text: NODE.into() };
        let system_prompts = system_prompts(&spoken::Language::ALL);
        if let Err(report) = load(&Input { node, clients: vec![client], system_prompts }) {
            panic!("{report}\n{example}");
        }
    }
}

#[test]
fn the_node_file_of_the_manual_checks() {
    let manual = source("dialplans/README.md").text;
    let (_, example) = manual.split_once("## The node file").expect("the chapter");
    let lines = example.lines().filter_map(|line| line.strip_prefix("    "));
    let text = lines.collect::<Vec<_>>().join("\n");
    let node = SourceFile { path: "ringdown.yaml".into(), text };
    let clients = vec![client("dialplans/acme", "acme.yaml")];
    let config = load(&Input { node, clients, system_prompts: Vec::new() }).unwrap_or_else(|r| panic!("{r}"));
    assert_eq!(config.node.realm.as_ref(), "example.com");
    assert_eq!(config.node.listen[1].advertise, Some(([203, 0, 113, 9], 5060).into()));
}
