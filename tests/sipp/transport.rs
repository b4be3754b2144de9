//! Transports, loss, and OPTIONS.

use acceptance::{Node, Setup, Sipp};
use std::time::Duration;

use crate::field;

#[test]
fn calls_over_tcp() {
    let node = Node::start(&Setup::new());
    let callee = Sipp::callee(&node, "answer", 5080).calls(5).start();
    let caller = Sipp::caller(&node, "call", "uas").calls(5).tcp().run();
    assert_eq!((caller.successful(), callee.finish().successful()), (5, 5));
    assert!(node.calls(5).iter().all(|cdr| field(cdr, "disposition") == "answered"));
    node.stop();
}

#[test]
fn a_callee_over_tcp() {
    let flows = "numbers: {tcp: tcp}\nflows:\n  tcp:\n    - dial: {to: [\"sip:uas@127.0.0.1:5080;transport=tcp\"], timeout: 10s}\n";
    let node = Node::start(&Setup::new().flows(flows));
    let callee = Sipp::callee(&node, "answer", 5080).tcp().start();
    let caller = Sipp::caller(&node, "call", "tcp").run();
    assert_eq!((caller.successful(), callee.finish().successful()), (1, 1));
    node.stop();
}

#[test]
fn every_call_survives_one_lost_message_in_ten() {
    let node = Node::start(&Setup::new());
    let lossy = ["-lost", "10", "-max_retrans", "10"];
    // Long enough that a lost ACK comes again before the BYE.
    let hold = Duration::from_secs(5);
    // The caller alone: a SIPp that is called and loses an INVITE now and then ignores it when it comes again,
    // however often. Loss towards callees is the simulator's.
    let callee = Sipp::callee(&node, "answer", 5080).calls(20).start();
    let caller = Sipp::caller(&node, "call", "uas").calls(20).hold(hold).with(&lossy).run();
    assert_eq!((caller.successful(), caller.failed()), (20, 0));
    assert_eq!(callee.finish().successful(), 20);
    assert!(caller.retransmissions() > 0, "nothing was lost: {caller:?}");
    assert_eq!(node.calls(20).len(), 20);
    node.stop();
}

#[test]
fn options_says_what_is_allowed_rfc_3261_section_11() {
    let node = Node::start(&Setup::new());
    assert_eq!(Sipp::caller(&node, "options", "ping").run().successful(), 1);
    assert_eq!(Sipp::caller(&node, "options", "ping").tcp().run().successful(), 1);
    node.stop();
}
