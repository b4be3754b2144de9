//! Calls that are refused, cancelled, or given up by both ends at once.

use acceptance::{Node, Setup, Sipp};

use crate::field;

/// Calls a callee that refuses with `given`; the caller must hear `heard`.
fn refused(given: u16, heard: u16, disposition: &str) {
    let node = Node::start(&Setup::new());
    let callee = Sipp::callee(&node, "refuse", 5080).status(given).start();
    let caller = Sipp::caller(&node, "call-refused", "uas").status(heard).run();
    assert_eq!((caller.successful(), callee.finish().successful()), (1, 1));
    assert_eq!(field(&node.calls(1)[0], "disposition"), disposition);
    node.stop();
}

#[test]
fn busy() {
    refused(486, 486, "busy");
}

#[test]
fn declined_is_busy_to_the_caller() {
    refused(603, 486, "busy");
}

#[test]
fn temporarily_unavailable() {
    refused(480, 480, "no_answer");
}

#[test]
fn the_callee_knows_no_such_user() {
    refused(404, 404, "failed");
}

#[test]
fn nobody_listens_at_the_destination() {
    let node = Node::start(&Setup::new());
    // ICMP says so at once; a switch that waits for Timer B would take 32 seconds.
    let caller =
        Sipp::caller(&node, "call-refused", "uas").status(500).with(&["-recv_timeout", "5000"]).run();
    assert_eq!(caller.successful(), 1);
    assert_eq!(field(&node.calls(1)[0], "disposition"), "failed");
    node.stop();
}

#[test]
fn a_number_that_nobody_has() {
    let node = Node::start(&Setup::new());
    let caller = Sipp::caller(&node, "call-refused", "nobody").status(404).run();
    assert_eq!(caller.successful(), 1);
    node.stop();
}

#[test]
fn nobody_answers_in_time() {
    let flows = "numbers: {brief: brief}\nflows:\n  brief:\n    - dial: {to: [\"sip:uas@127.0.0.1:5080\"], timeout: 1s}\n";
    let node = Node::start(&Setup::new().flows(flows));
    let callee = Sipp::callee(&node, "ring", 5080).start();
    let caller = Sipp::caller(&node, "call-refused", "brief").status(480).run();
    assert_eq!((caller.successful(), callee.finish().successful()), (1, 1));
    assert_eq!(field(&node.calls(1)[0], "disposition"), "no_answer");
    node.stop();
}

#[test]
fn cancelled_while_it_rings_rfc_3261_section_9() {
    let node = Node::start(&Setup::new());
    let callee = Sipp::callee(&node, "ring", 5080).start();
    let caller = Sipp::caller(&node, "call-cancelled", "uas").run();
    assert_eq!((caller.successful(), callee.finish().successful()), (1, 1));
    let cdr = &node.calls(1)[0];
    assert_eq!(field(cdr, "disposition"), "abandoned_ringing");
    assert_eq!(field(&cdr["cause"], "by"), "caller");
    node.stop();
}

#[test]
fn cancel_crosses_the_callees_200() {
    let node = Node::start(&Setup::new());
    let callee = Sipp::callee(&node, "answer-crossing", 5080).start();
    let caller = Sipp::caller(&node, "call-cancelled", "uas").run();
    assert_eq!((caller.successful(), callee.finish().successful()), (1, 1));
    node.calls(1);
    node.stop();
}

#[test]
fn cancel_crosses_the_switchs_200() {
    let node = Node::start(&Setup::new());
    let callee = Sipp::callee(&node, "answer", 5080).start();
    let caller = Sipp::caller(&node, "call-cancelled-late", "uas").run();
    assert_eq!((caller.successful(), callee.finish().successful()), (1, 1));
    assert_eq!(field(&node.calls(1)[0], "disposition"), "answered");
    node.stop();
}

#[test]
fn both_ends_hang_up_at_once_and_the_callees_bye_crosses() {
    let node = Node::start(&Setup::new());
    let callee = Sipp::callee(&node, "answer-both-bye", 5080).start();
    let caller = Sipp::caller(&node, "call", "uas").run();
    assert_eq!((caller.successful(), callee.finish().successful()), (1, 1));
    node.calls(1);
    node.stop();
}

#[test]
fn both_ends_hang_up_at_once_and_the_callers_bye_crosses() {
    let node = Node::start(&Setup::new());
    let callee = Sipp::callee(&node, "answer-bye", 5080).start();
    let caller = Sipp::caller(&node, "call-both-bye", "uas").run();
    assert_eq!((caller.successful(), callee.finish().successful()), (1, 1));
    node.calls(1);
    node.stop();
}
