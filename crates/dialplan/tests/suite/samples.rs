//! The sample files of the repository: they check, and mean the same to another YAML reader.

use crate::support;

use dialplan::{ClientFiles, Input, PromptFile, SourceFile, load, node_clients};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[expect(clippy::disallowed_methods, reason = "the test stands for the shell, which reads the files")]
fn source(path: &str) -> SourceFile {
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
    let node = SourceFile { path: "ringdown.yaml".into(), text: support::NODE.into() };
    let config = load(&Input { node, clients, system_prompts: Vec::new() }).unwrap_or_else(|r| panic!("{r}"));
    let (client, flow) = config.number(None, "+1 555 0100").expect("the sample's number");
    assert_eq!(config.client(client).flow(flow).as_ref(), "main");
}
