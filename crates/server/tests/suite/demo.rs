//! `ringdown demo`.

use crate::running::{command, text};
use tempfile::TempDir;

#[test]
fn the_demo_connects_a_caller_to_an_agent_and_shows_the_call() {
    let folder = TempDir::with_prefix("ringdown-").expect("a temporary folder");
    let run = command().args(["demo", "--state"]).arg(folder.path()).output().expect("the binary runs");
    let said = text(&run.stdout);
    assert!(run.status.success(), "{said}{}", text(&run.stderr));
    let steps = [
        "alice has registered",
        "the caller hears the greeting",
        "presses 2",
        "waits in the queue support, and alice rings",
        "alice answers",
        "alice hears the caller",
        "the caller hears alice",
        "hangs up",
        "acme/acme.yaml:",
        "bridged",
        "is offered to alice",
        "alice has it",
        "answered, ended by the caller",
        "+15550199 (source carrier)",
        "taken by alice",
        "dBFS",
    ];
    let mut rest = said.as_str();
    for step in steps {
        let at = rest.find(step).unwrap_or_else(|| panic!("{step:?} does not follow in: {said}"));
        rest = &rest[at..];
    }
    let state = folder.path().join("state");
    let here: [&[&str]; 4] =
        [&[], &["--number", "5550199"], &["--client", "acme"], &["--since", "2020-01-01"]];
    for filter in here {
        let calls = command().args(["calls", "--state"]).arg(&state).args(filter).output().expect("it runs");
        assert!(text(&calls.stdout).contains("+15550199"), "{filter:?}: {}", text(&calls.stdout));
    }
    for filter in [["--number", "5550198"], ["--client", "nobody"], ["--since", "2100-01-01 08:00"]] {
        let calls = command().args(["calls", "--state"]).arg(&state).args(filter).output().expect("it runs");
        assert_eq!(text(&calls.stdout), "no calls\n", "{filter:?}");
    }
}

#[test]
fn a_demo_that_cannot_write_its_files_says_so() {
    // Nothing can be made below a device, not even by root.
    let run = command().args(["demo", "--state", "/dev/null/demo"]).output().expect("the binary runs");
    assert_eq!(run.status.code(), Some(1));
    let said = text(&run.stderr);
    assert!(said.contains("cannot write its files below /dev/null/demo"), "{said}");
}
