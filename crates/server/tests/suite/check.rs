//! `ringdown check`, and the commands that read the log of a node that never ran.

use crate::running::{Files, text};
use serde_json::Value;

#[test]
fn check_says_ok_for_a_node_file_and_for_a_client_folder_alone() {
    let files = Files::new();
    let checked = files.run(&["check", "ringdown.yaml", "client"]);
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    let said = text(&checked.stdout);
    assert_eq!(said, "ringdown.yaml: ok (client client)\nclient: ok (client client)\n");
}

#[test]
fn check_tells_the_faults_of_all_files_at_once_with_place_and_line() {
    let files = Files::new();
    files.edit("client/client.yaml", "- answer", "- anser");
    files.edit("ringdown.yaml", "threads: 1", "threads: many");
    let checked = files.run(&["check"]);
    assert_eq!(checked.status.code(), Some(1));
    let said = text(&checked.stderr);
    for word in ["client/client.yaml:6:", "anser", "answer", "ringdown.yaml:3:", "threads", "hint"] {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
}

#[test]
fn check_json_has_the_same_faults_for_programs() {
    let files = Files::new();
    files.edit("client/client.yaml", "[tone]", "[tune]");
    let checked = files.run(&["check", "--json"]);
    assert_eq!(checked.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&checked.stdout).expect("JSON");
    assert_eq!(report["ok"], false);
    let fault = &report["diagnostics"][0];
    assert_eq!((&fault["path"], &fault["line"]), (&"client/client.yaml".into(), &8.into()), "{report:#}");
    assert!(fault["message"].as_str().is_some_and(|it| it.contains("tune")), "{report:#}");
    files.edit("client/client.yaml", "[tune]", "[tone]");
    let checked = files.run(&["check", "--json"]);
    let report: Value = serde_json::from_slice(&checked.stdout).expect("JSON");
    assert_eq!((checked.status.code(), &report["ok"]), (Some(0), &true.into()));
}

#[test]
fn a_prompt_that_is_no_wav_is_named() {
    let files = Files::new();
    std::fs::write(files.home.path().join("client/prompts/tone.wav"), "no WAV").expect("written");
    let checked = files.run(&["check"]);
    assert_eq!(checked.status.code(), Some(1));
    assert!(
        text(&checked.stderr).starts_with("client/prompts/tone.wav: error:"),
        "{}",
        text(&checked.stderr)
    );
}

#[test]
fn a_missing_file_is_named_with_what_to_do() {
    let checked = Files::new().run(&["check", "elsewhere.yaml"]);
    assert_eq!(checked.status.code(), Some(1));
    let said = text(&checked.stderr);
    assert!(said.contains("elsewhere.yaml: cannot be read"), "{said}");
}

#[test]
fn calls_and_trace_without_a_log_name_the_directory() {
    let files = Files::new();
    for arguments in [["calls", "--state", "nowhere"].as_slice(), &["trace", "1", "--state", "nowhere"]] {
        let asked = files.run(arguments);
        assert_eq!(asked.status.code(), Some(1));
        assert!(text(&asked.stderr).contains("nowhere"), "{}", text(&asked.stderr));
    }
}

#[test]
fn status_without_a_node_says_how_to_get_one() {
    let asked = Files::new().run(&["status"]);
    assert_eq!(asked.status.code(), Some(1));
    let said = text(&asked.stderr);
    assert!(said.contains("state directory state") && said.contains("http: {listen:"), "{said}");
}
