//! The configuration is changed while calls are up.

use acceptance::{Node, Setup, Sipp, until};
use std::fs;
use std::time::Duration;

const CALLS: u32 = 200;
const APPLIES: usize = 50;

/// The caller presses a key, and is hung up on some seconds later.
fn flows(seconds: usize) -> String {
    format!(
        "numbers: {{keys: keys}}\nflows:\n  keys:\n    - answer\n    - gather: {{into: typed, max: 1, timeout: 20s}}\n    \
         - pause: {seconds}s\n"
    )
}

/// Calls that are up.
fn up(node: &Node) -> usize {
    let status = node.ask(&["status", "--json"]);
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).expect("JSON");
    usize::try_from(status["contacts"].as_u64().expect("a number")).expect("some calls")
}

#[test]
fn fifty_changes_under_two_hundred_calls_lose_no_call_and_no_key() {
    let node = Node::start(&Setup::new().flows(&flows(15)));
    let callers = Sipp::caller(&node, "call-key", "keys").calls(CALLS);
    let callers = callers.with(&["-r", "20", "-l", "200"]).limit(90).start();
    let file = node.folder().join("client/more.yaml");
    let mut most = 0;
    for number in 0..APPLIES {
        // Each beside three calls more than the one before.
        until(Duration::from_secs(30), "more calls are up", || up(&node) >= 3 * number);
        fs::write(&file, flows(14 + number % 2)).expect("a temporary folder");
        let applied = node.ask(&["apply", "--why", &format!("change {number}")]);
        let said = String::from_utf8_lossy(&applied.stdout).into_owned();
        assert!(applied.status.success(), "{said}{}", String::from_utf8_lossy(&applied.stderr));
        let calls = said.lines().find_map(|line| line.split_once(" calls go on with a version before it"));
        most = most.max(calls.map_or(0, |(calls, _)| calls.parse::<u32>().expect("a number")));
    }
    assert_eq!(callers.finish().successful(), CALLS);
    assert!(most > CALLS / 2, "the changes came beside the calls: {most} of them were up at most");
    let calls = node.calls(CALLS as usize);
    for call in &calls {
        let contact = call["contact"].as_u64().expect("a number");
        let digits = node.events(contact, "digit");
        assert_eq!((digits.len(), &digits[0]["digit"]), (1, &"1".into()), "contact {contact}: {call:#}");
        assert_eq!(call["cause"]["by"], "flow", "{call:#}");
    }
    node.stop();
}
