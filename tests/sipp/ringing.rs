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

#[test]
fn a_phone_sends_its_call_to_another_user_rfc_3261_section_8_1_3_4() {
    let flows = "numbers: {ring: ring}\nflows:\n  ring:\n    - dial: {to: \"1000\", timeout: 10s}\n";
    let node = Node::start(&Setup::new().flows(flows));
    let phone = |user: &str, port: u16| {
        let at = node.network().socket(2, port);
        let register = Sipp::caller(&node, "register", user).at(at).with(&["-key", "expires", "300"]);
        assert_eq!(register.run().successful(), 1);
        at
    };
    let (first, second) = (phone("1000", 5080), phone("1001", 5090));
    let sends_on = Sipp::callee(&node, "redirect", 5080).at(first).with(&["-key", "target", "1001"]).start();
    let answers = Sipp::callee(&node, "answer", 5090).at(second).start();
    let caller = Sipp::caller(&node, "call", "ring").at(node.network().socket(4, 5080)).run();
    assert_eq!(caller.successful(), 1);
    assert_eq!((sends_on.finish().successful(), answers.finish().successful()), (1, 1));
    let cdr = &node.calls(1)[0];
    assert_eq!(field(cdr, "disposition"), "answered");
    assert_eq!(field(&cdr["legs"][1]["cause"], "reason"), "redirected");
    let redirected = node.events(1, "redirected");
    assert_eq!((redirected.len(), &redirected[0]["to"]), (1, &"1001".into()));
    node.stop();
}

#[test]
fn where_nobody_may_send_a_call_it_does_not_go() {
    let node = Node::start(&Setup::new());
    let callee = Sipp::callee(&node, "redirect", 5080).with(&["-key", "target", "1001"]).start();
    let caller = Sipp::caller(&node, "call-refused", "uas").status(480).run();
    assert_eq!((caller.successful(), callee.finish().successful()), (1, 1));
    node.calls(1);
    assert!(node.events(1, "redirected").is_empty());
    node.stop();
}
