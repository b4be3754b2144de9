//! Several destinations: parallel and sequential ringing.

use acceptance::{Node, Setup, Sipp};

use crate::field;

fn flows(mode: &str, timeout: &str) -> String {
    format!(
        "numbers: {{team: team}}\nflows:\n  team:\n    - dial:\n        to: [\"sip:a@127.0.0.1:5080\", \"sip:b@127.0.0.1:5090\"]\n        \
         mode: {mode}\n        timeout: {timeout}\n"
    )
}

#[test]
fn parallel_the_losers_are_told_that_the_call_was_answered_elsewhere_rfc_3326() {
    let node = Node::start(&Setup::new().flows(&flows("parallel", "10s")));
    let loser = Sipp::callee(&node, "ring-elsewhere", 5080).start();
    let winner = Sipp::callee(&node, "answer", 5090).start();
    let caller = Sipp::caller(&node, "call", "team").run();
    assert_eq!(caller.successful(), 1);
    assert_eq!((winner.finish().successful(), loser.finish().successful()), (1, 1));
    assert_eq!(field(&node.calls(1)[0], "disposition"), "answered");
    node.stop();
}

#[test]
fn sequential_the_second_is_rung_after_the_first_refused() {
    let node = Node::start(&Setup::new().flows(&flows("sequential", "10s")));
    let first = Sipp::callee(&node, "refuse", 5080).status(486).start();
    let second = Sipp::callee(&node, "answer", 5090).start();
    let caller = Sipp::caller(&node, "call", "team").run();
    assert_eq!(caller.successful(), 1);
    assert_eq!((first.finish().successful(), second.finish().successful()), (1, 1));
    node.stop();
}

#[test]
fn sequential_the_second_is_rung_after_the_first_did_not_answer() {
    let node = Node::start(&Setup::new().flows(&flows("sequential", "1s")));
    let first = Sipp::callee(&node, "ring", 5080).start();
    let second = Sipp::callee(&node, "answer", 5090).start();
    let caller = Sipp::caller(&node, "call", "team").run();
    assert_eq!(caller.successful(), 1);
    assert_eq!((first.finish().successful(), second.finish().successful()), (1, 1));
    node.stop();
}

#[test]
fn all_busy_is_busy() {
    let node = Node::start(&Setup::new().flows(&flows("parallel", "10s")));
    let first = Sipp::callee(&node, "refuse", 5080).status(486).start();
    let second = Sipp::callee(&node, "refuse", 5090).status(486).start();
    let caller = Sipp::caller(&node, "call-refused", "team").status(486).run();
    assert_eq!(caller.successful(), 1);
    assert_eq!((first.finish().successful(), second.finish().successful()), (1, 1));
    assert_eq!(field(&node.calls(1)[0], "disposition"), "busy");
    node.stop();
}

#[test]
fn a_caller_who_gives_up_stops_all_the_ringing() {
    let node = Node::start(&Setup::new().flows(&flows("parallel", "10s")));
    let first = Sipp::callee(&node, "ring", 5080).start();
    let second = Sipp::callee(&node, "ring", 5090).start();
    let caller = Sipp::caller(&node, "call-cancelled", "team").run();
    assert_eq!(caller.successful(), 1);
    assert_eq!((first.finish().successful(), second.finish().successful()), (1, 1));
    assert_eq!(field(&node.calls(1)[0], "disposition"), "abandoned_ringing");
    node.stop();
}
