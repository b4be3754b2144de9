//! A call out by a trunk that sends it back in.

use acceptance::{Node, Running, Setup, Sipp, until};
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::{Found, LOOPBACK, advice, examine};

const NUMBER: &str = "+34911000100";

/// A node with a number, and a carrier at port 5090 of host 2, whose calls it knows by the address.
fn with_number(more: &str) -> Setup {
    let carrier =
        format!("{LOOPBACK}\n  carrier: {{from: [127.0.0.2/32], to: \"sip:127.0.0.2:5090\"{more}}}");
    let flows = format!(
        "numbers: {{\"{NUMBER}\": greet}}\nflows: {{greet: [answer, {{play: ten-seconds}}, hangup]}}\n"
    );
    Setup::new().replace(LOOPBACK, &carrier).flows(&flows)
}

/// Another node, at host 2 of the first one's network, that sends a call back to where it came from.
fn far(node: &Node, folder: &Path) -> Running {
    let (here, there) = (node.network().address(2), node.network().address(1));
    let file = format!(
        "node: {{name: far}}\nsip: {{listen: [\"udp:{here}:5090\"]}}\nrtp: {{ports: 24000-24999, address: {here}}}\n\
         trunks: {{origin: {{from: [{there}/32], to: \"sip:{there}:5062\"}}}}\nclients: [far-client]\n"
    );
    let client = format!(
        "client: {{name: Far}}\nnumbers: {{\"{NUMBER}\": back}}\n\
         flows: {{back: [{{dial: {{number: \"{NUMBER}\", trunk: origin}}}}]}}\n"
    );
    fs::create_dir(folder.join("far-client")).expect("a folder");
    fs::write(folder.join("far-client/client.yaml"), client).expect("written");
    fs::write(folder.join("far.yaml"), file).expect("written");
    let mut command = Node::command();
    command
        .arg("serve")
        .arg("--config")
        .arg(folder.join("far.yaml"))
        .arg("--state")
        .arg(folder.join("far-state"));
    let far = Running::start("far", folder, &mut command);
    until(Duration::from_secs(20), "the far node", || far.stdout().lines().any(|line| line == "ready"));
    far
}

fn call(node: &Node, number: &str) -> Found {
    place(&node.state(), number)
}

fn place(state: &Path, number: &str) -> Found {
    let mut command = Node::command();
    command.args(["doctor", "--call", "carrier", "--number", number, "--state"]).arg(state);
    examine(command)
}

#[test]
fn a_call_that_comes_back_in_is_followed_with_its_sound_both_ways() {
    let node = Node::start(&with_number(""));
    let mut far = far(&node, node.folder());
    let found = call(&node, NUMBER);
    assert!(found.is_well, "{:#?}", found.faults());
    let out = found.of("call", "carrier: call 1 got 100 Trying");
    assert!(out["what"].as_str().is_some_and(|it| it.contains("200 OK; post-dial delay 0.")), "{out:#}");
    found.of("call", "it came back in by carrier as call 2; flow greet of client answered");
    assert_eq!(found.of("call", "packets of sound")["level"], "ok");
    // Both are over, and in the log as any call.
    let cdrs = node.calls(2);
    assert_eq!([&cdrs[0]["source"], &cdrs[1]["source"]], ["test", "carrier"]);
    far.terminate();
    assert!(far.wait(Duration::from_secs(10)).success());
    node.stop();
}

#[test]
fn a_call_that_the_carrier_refuses_or_keeps_does_not_come_back() {
    let node = Node::start(&with_number(", health: off"));
    let carrier = |scenario| Sipp::callee(&node, scenario, 5090).at(node.network().socket(2, 5090));
    let refusing = carrier("refuse").status(403).start();
    let found = call(&node, NUMBER);
    assert_eq!(refusing.finish().successful(), 1);
    let refused = found.of("call", "403");
    assert!(!found.is_well);
    assert_eq!(refused["level"], "fault");
    assert!(advice(refused).contains("does not admit the call"), "{refused:#}");
    let keeping = carrier("answer-bye").start();
    let found = call(&node, NUMBER);
    assert_eq!(keeping.finish().successful(), 1);
    assert_eq!(found.of("call", "200 OK")["level"], "ok");
    assert_eq!(found.of("call", &format!("it did not come back in to {NUMBER}"))["level"], "fault");
    node.stop();
}

#[test]
fn no_stranger_is_called_and_no_node_is_no_call() {
    let node = Node::start(&with_number(", health: off"));
    let found = call(&node, "+34911999999");
    assert!(!found.is_well);
    found.of("call", "no client has that number");
    place(&node.folder().join("nowhere"), NUMBER).of("call", "no node with HTTP runs on the state directory");
    assert_eq!(node.ask(&["calls", "--json"]).stdout, b"[]\n");
    node.stop();
}
