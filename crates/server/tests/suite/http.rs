//! `/health`, `/status` and `/apply`, and the commands that ask them.

use crate::running::{Files, text, until};
use nix::sys::signal::Signal;
use serde_json::Value;

fn status(files: &Files) -> Value {
    let asked = files.run(&["status", "--json"]);
    assert!(asked.status.success(), "{}", text(&asked.stderr));
    serde_json::from_slice(&asked.stdout).expect("JSON")
}

#[test]
fn status_counts_what_a_node_does() {
    let files = Files::new();
    let _node = files.serve();
    let status = status(&files);
    assert_eq!((&status["node"], &status["contacts"]), (&"test".into(), &0.into()), "{status:#}");
    assert_eq!(status["config_version"], 1);
    let shown = text(&files.run(&["status"]).stdout);
    assert!(shown.contains("config version   1\n"), "{shown}");
}

#[test]
fn a_reload_with_faults_tells_them_and_keeps_what_runs() {
    let files = Files::new();
    let _node = files.serve();
    files.edit("client/client.yaml", "- answer", "- anser");
    let reloaded = files.run(&["reload"]);
    assert_eq!(reloaded.status.code(), Some(1));
    let said = text(&reloaded.stderr);
    assert!(said.contains("nothing applied") && said.contains("client.yaml:6:"), "{said}");
    assert_eq!(status(&files)["config_version"], 1);
}

#[test]
fn a_reload_applies_what_checks_and_names_what_waits_for_a_restart() {
    let files = Files::new();
    let _node = files.serve();
    files.edit("client/client.yaml", "{wait: wait}", "{wait: wait, again: wait}");
    files.edit("ringdown.yaml", "22000-23999", "22000-22999");
    let reloaded = files.run(&["reload"]);
    let said = text(&reloaded.stdout);
    assert_eq!(
        said,
        "configuration version 2 applied\n  changed  client/client.yaml\n  changed  ringdown.yaml\n\
         changed too, but waits for a restart: rtp\n",
        "{}",
        text(&reloaded.stderr)
    );
    assert_eq!(status(&files)["config_version"], 2);
}

#[test]
fn sighup_reloads_and_says_so() {
    let files = Files::new();
    let node = files.serve();
    files.edit("client/client.yaml", "{wait: wait}", "{wait: wait, again: wait}");
    node.signal(Signal::SIGHUP);
    until("the reload is told", || files.stderr().contains("configuration version 2 applied").then_some(()));
    files.edit("client/client.yaml", "- answer", "- anser");
    node.signal(Signal::SIGHUP);
    until("the fault is told", || files.stderr().contains("client.yaml:6:").then_some(()));
    assert_eq!(status(&files)["config_version"], 2);
}
