//! `ringdown simulate`, on the sample client.

use crate::running::text;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// Runs the binary at the root of the repository.
pub(crate) fn ringdown(arguments: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringdown"));
    command.current_dir(root).args(arguments).stdin(std::process::Stdio::null()).output().expect("it runs")
}

#[test]
fn the_way_of_a_call_is_printed_with_places_prompts_keys_and_its_end() {
    let found = ringdown(&[
        "simulate",
        "dialplans/acme",
        "+1 555 0100",
        "--keys",
        "9,1",
        "--answer",
        "alice=busy",
        "--answer",
        "bob=no-answer",
    ]);
    assert!(found.status.success(), "{}", text(&found.stderr));
    let said = text(&found.stdout);
    let lines: Vec<_> = said.lines().collect();
    assert!(lines[0].starts_with("  0:00.0  dialplans/acme/acme.yaml:"), "{said}");
    assert!(lines[0].ends_with("  main: answer   the caller is answered"), "{said}");
    for words in [
        "hears welcome “Welcome to Acme. Thank you for calling.”",
        "presses 9, → 9",
        "sales: dial alice,bob   rings alice: busy, rings bob: no answer, → busy",
        "  the flow hangs up",
    ] {
        assert!(said.contains(words), "{words} is not in\n{said}");
    }
}

#[test]
fn the_way_as_json_has_the_same_steps() {
    let found = ringdown(&["simulate", "dialplans/acme", "15550100", "--keys", "hangup", "--json"]);
    let call: Value = serde_json::from_slice(&found.stdout).expect("JSON");
    assert_eq!(call["client"], "acme");
    assert_eq!(call["path"]["lines"][1]["step"], "hours support");
    assert_eq!(call["path"]["ended"]["by"], "caller");
}

#[test]
fn a_number_that_is_nobodys_and_a_plan_with_a_fault_are_told() {
    let found = ringdown(&["simulate", "dialplans/acme", "+15550101"]);
    assert_eq!(found.status.code(), Some(1));
    assert_eq!(text(&found.stderr), "ringdown: +15550101 is no number here; did you mean 15550100?\n");
    let found = ringdown(&["simulate", "dialplans", "100"]);
    assert_eq!(found.status.code(), Some(1));
    assert!(text(&found.stderr).contains("no *.yaml"), "{}", text(&found.stderr));
}
