//! `apply`, `diff`, `versions` and `rollback`: what was applied can be seen, and had again.

use crate::running::{Files, text};
use serde_json::Value;
use std::fs;

fn versions(files: &Files) -> Vec<Value> {
    let listed = files.run(&["versions", "--json"]);
    serde_json::from_slice(&listed.stdout).unwrap_or_else(|_| panic!("{}", text(&listed.stderr)))
}

fn flow(files: &Files) -> String {
    fs::read_to_string(files.home.path().join("client/client.yaml")).expect("read")
}

fn said(files: &Files, arguments: &[&str]) -> String {
    let done = files.run(arguments);
    assert!(done.status.success(), "{arguments:?}: {}", text(&done.stderr));
    text(&done.stdout)
}

#[test]
fn what_was_applied_is_kept_with_who_and_why_and_a_rollback_brings_it_back() {
    let files = Files::new();
    let _node = files.serve();
    let first = flow(&files);
    assert_eq!(said(&files, &["diff"]), "the files are those of version 1\n");
    files.edit("client/client.yaml", "{wait: wait}", "{wait: wait, again: wait}");
    let diff = files.run(&["diff"]);
    assert_eq!(diff.status.code(), Some(1));
    let shown = text(&diff.stdout);
    for line in [
        "--- client/client.yaml (version 1)",
        "-numbers: {wait: wait}",
        "+numbers: {wait: wait, again: wait}",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let applied = said(&files, &["apply", "--why", "a second number", "--by", "ann"]);
    assert_eq!(applied, "configuration version 2 applied\n  changed  client/client.yaml\n");
    assert_eq!(said(&files, &["apply"]), "configuration version 2 applied; no file has changed\n");
    let back = said(&files, &["rollback", "--by", "bob"]);
    assert!(back.starts_with("configuration version 3 applied\n  changed  client/client.yaml\n"), "{back}");
    assert_eq!(flow(&files), first);
    let listed = versions(&files);
    let of = |version: &Value| (version["number"].clone(), version["by"].clone(), version["why"].clone());
    assert_eq!(of(&listed[0]), (1.into(), "start".into(), Value::Null));
    assert_eq!(of(&listed[1]), (2.into(), "ann".into(), "a second number".into()));
    assert_eq!(of(&listed[2]), (3.into(), "bob".into(), "back to version 1".into()));
    let shown = said(&files, &["versions"]);
    assert!(shown.lines().last().is_some_and(|line| line.starts_with("*   3")), "{shown}");
    let unknown = files.run(&["rollback", "17"]);
    assert!(text(&unknown.stderr).contains("there is no version 17"), "{}", text(&unknown.stderr));
}

#[test]
fn a_rollback_out_of_broken_files_keeps_them_and_a_restart_goes_on_with_the_number() {
    let files = Files::new();
    let mut node = files.serve();
    files.edit("client/client.yaml", "- answer", "- anser");
    files.edit("ringdown.yaml", "clients: [client]", "clients: [client");
    assert!(!files.run(&["apply"]).status.success());
    let back = said(&files, &["rollback", "1"]);
    assert!(back.starts_with("configuration version 3 applied"), "{back}");
    let listed = versions(&files);
    assert_eq!(
        (&listed[1]["number"], &listed[1]["applied"]),
        (&2.into(), &false.into()),
        "kept, never applied"
    );
    assert!(files.run(&["check"]).status.success());
    node.signal(nix::sys::signal::Signal::SIGTERM);
    assert!(node.wait().success());
    let _again = files.serve();
    let status = files.run(&["status", "--json"]);
    let status: Value = serde_json::from_slice(&status.stdout).expect("JSON");
    assert_eq!(status["config_version"], 3);
    assert_eq!(versions(&files).len(), 3);
}
