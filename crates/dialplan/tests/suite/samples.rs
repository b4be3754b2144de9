//! The sample files of the repository: they check.

use crate::support::{NODE, system_prompts};
use clock::Duration;
use dialplan::{ClientFiles, Coverage, Input, PromptFile, SourceFile, Texts, load, load_tests, node_clients};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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

/// Prompts of a folder and of the folders in it, one for each language.
fn prompts(folder: &str) -> Vec<PromptFile> {
    let listed = std::fs::read_dir(root().join(folder)).expect("a prompt folder");
    let mut found = Vec::new();
    for name in listed.filter_map(|entry| entry.ok()?.file_name().into_string().ok()) {
        let path = format!("{folder}/{name}");
        match name.strip_suffix(".wav") {
            Some(bare) => found.push(PromptFile { name: bare.to_owned(), path, error: None }),
            None if root().join(&path).is_dir() => {
                let inner = prompts(&path).into_iter();
                found.extend(inner.map(|it| PromptFile { name: format!("{name}/{}", it.name), ..it }));
            }
            None => {}
        }
    }
    found
}

/// A sample client with all of its files but its tests, and those.
fn sample(name: &str) -> (ClientFiles, Vec<SourceFile>) {
    let folder = format!("dialplans/{name}");
    let listed = std::fs::read_dir(root().join(&folder)).expect("a sample");
    let names = listed.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let (tests, others): (Vec<_>, Vec<_>) = names
        .filter(|name| name.ends_with(".yaml") || name.ends_with(".csv"))
        .partition(|name| name.ends_with(".test.yaml"));
    let read = |names: Vec<String>| names.iter().map(|name| source(&format!("{folder}/{name}"))).collect();
    let prompts = prompts(&format!("{folder}/prompts"));
    (ClientFiles { id: name.into(), path: folder.clone(), files: read(others), prompts }, read(tests))
}

#[test]
fn the_sample_clients_check_and_their_tests_take_every_branch() {
    for name in ["acme", "bank", "shop", "notdienst"] {
        let (client, tests) = sample(name);
        let text = NODE.replace("[acme]", &format!("[{name}]"));
        let node = SourceFile { path: "ringdown.yaml".into(), text };
        let input = Input { node, clients: vec![client], system_prompts: prompts("prompts") };
        let config = load(&input).unwrap_or_else(|report| panic!("{report}"));
        let cases = load_tests(&config, &input.clients[0], &input.system_prompts, &tests);
        let cases = cases.unwrap_or_else(|report| panic!("{report}"));
        let config = Arc::new(config);
        let mut coverage = Coverage::default();
        for case in &cases {
            let path = case.run(&config, &|_| Duration::from_secs(2));
            let texts = Texts::default();
            let way = path.lines.iter().map(|line| line.text(0, &texts)).collect::<Vec<_>>().join("\n");
            let wrong: Vec<_> = case.differences(&path).iter().map(ToString::to_string).collect();
            assert!(wrong.is_empty(), "{name}: {}:\n{}\n{way}", case.name, wrong.join("\n"));
            coverage.add(&path);
        }
        let flows = coverage.of(&config.clients[0]);
        let missed: Vec<_> = flows.iter().flat_map(|flow| &flow.missed).collect();
        assert!(missed.is_empty(), "{name}: {missed:?}");
    }
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
    let system_prompts = system_prompts(&[spoken::Language::English]);
    let config = load(&Input { node, clients, system_prompts }).unwrap_or_else(|r| panic!("{r}"));
    assert_eq!(config.node.realm.as_ref(), "example.com");
    assert_eq!(config.node.listen[1].advertise, Some(([203, 0, 113, 9], 5060).into()));
}
