//! What an administrator reads about a mistake. Each `tests/reports/NAME.case` holds files, each behind a
//! line `==== path`, and the exact report behind `==== report`. `UPDATE=1 cargo test -p dialplan` writes
//! the reports anew: read the difference before you commit it.

use crate::support::{NODE, PROMPTS, system_prompts};
use dialplan::{ClientFiles, Config, Input, PromptFile, Report, SourceFile, load, load_tests};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const REPORT: &str = "report";
const TEST: &str = ".test.yaml";

#[test]
#[expect(clippy::disallowed_methods, reason = "the cases are files, and no shell is there to read them")]
fn every_mistake_is_reported_with_its_place_and_a_hint() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reports");
    let listed = std::fs::read_dir(&folder).expect("the folder of cases");
    let cases: Vec<PathBuf> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
    assert!(cases.len() >= 30, "only {} cases", cases.len());
    let mut wrong = String::new();
    for path in cases {
        let text = std::fs::read_to_string(&path).expect("a case");
        let (files, expected) = split(&text);
        let input = input(&files);
        let checked = load(&input).and_then(|config| tests(&config, &input, &files));
        let found = checked.map_or_else(|report| report.to_string(), |()| "no error".to_owned());
        if found != expected {
            wrong.push_str(&format!("{}:\n{found}\n\n", path.display()));
            if std::env::var_os("UPDATE").is_some() {
                let files = text.split("==== report\n").next().unwrap_or_default();
                std::fs::write(&path, format!("{files}==== report\n{found}\n")).expect("the case is written");
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn a_prompt_that_cannot_be_played_is_an_error_of_its_file() {
    let files = [("acme/acme.yaml", "flows: {main: [hangup]}\n".to_owned())].into_iter().collect();
    let mut input = input(&files);
    input.clients[0].prompts[0].error = Some("44100 Hz, and prompts have 8000".into());
    let report = load(&input).expect_err("the prompt is broken").to_string();
    let expected = "acme/prompts/welcome.wav: error: 44100 Hz, and prompts have 8000\n\n1 error";
    assert_eq!(report, expected);
}

fn is_flow_of(path: &str, client: &str) -> bool {
    path.starts_with(&format!("{client}/")) && !path.ends_with(TEST)
}

/// The files by path, and the report.
fn split(case: &str) -> (BTreeMap<&str, String>, String) {
    let mut parts: BTreeMap<&str, String> = BTreeMap::new();
    let mut path = "";
    for line in case.split_inclusive('\n') {
        match line.strip_prefix("==== ") {
            Some(name) => path = name.trim_end(),
            None => parts.entry(path).or_default().push_str(line),
        }
    }
    let report = parts.remove(REPORT).unwrap_or_default();
    (parts, report.strip_suffix('\n').unwrap_or(&report).to_owned())
}

/// What is wrong with the test files of the client `acme`.
fn tests(config: &Config, input: &Input, files: &BTreeMap<&str, String>) -> Result<(), Report> {
    let tests: Vec<_> = files.iter().filter(|(path, _)| path.ends_with(TEST)).map(source).collect();
    load_tests(config, &input.clients[0], &input.system_prompts, &tests).map(drop)
}

fn source((path, text): (&&str, &String)) -> SourceFile {
    SourceFile { path: (*path).into(), text: text.clone() }
}

fn input(files: &BTreeMap<&str, String>) -> Input {
    let node = files.get("ringdown.yaml").map_or(NODE, String::as_str);
    let prompt =
        |name: &str| PromptFile { name: name.into(), path: format!("acme/prompts/{name}.wav"), error: None };
    let client = |id: &str| ClientFiles {
        id: id.into(),
        path: id.into(),
        files: files.iter().filter(|(path, _)| is_flow_of(path, id)).map(source).collect(),
        prompts: PROMPTS.iter().map(|name| prompt(name)).collect(),
    };
    Input {
        node: SourceFile { path: "ringdown.yaml".into(), text: node.into() },
        clients: vec![client("acme"), client("globex")],
        system_prompts: system_prompts(&[spoken::Language::English]),
    }
}
