//! Transports, loss, and OPTIONS.

use acceptance::{Node, Setup, Sipp, until};
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

#[test]
fn rfc5922_a_trunk_over_tls_is_called_if_its_certificate_names_it_and_not_otherwise() {
    let far = Node::start(&Setup::new().tls());
    let certificate = std::fs::read_to_string(far.folder().join("cert.pem")).expect("its certificate");
    let trunk = |name: &str, host: &str| {
        format!(
            "{name}: {{to: \"sip:{};transport=tls\", tls: {{roots: far.pem, name: {host}}}, health: {{every: 1s}}}}",
            far.sips()
        )
    };
    let loopback = "loopback: {from: [127.0.0.0/8]}";
    let trunks =
        format!("{loopback}\n  {}\n  {}", trunk("right", "pbx.example"), trunk("wrong", "other.example"));
    let flow = |trunk: &str| format!("{trunk}: [{{dial: {{number: ivr, trunk: {trunk}}}}}]");
    let flows =
        format!("numbers: {{right: right, wrong: wrong}}\nflows: {{{}, {}}}\n", flow("right"), flow("wrong"));
    let near = Node::start(
        &Setup::new().tls().file("far.pem", &certificate).replace(loopback, &trunks).flows(&flows),
    );
    let says = |text: &str| {
        until(Duration::from_secs(20), text, || near.process().stderr().contains(text));
    };
    says("certificate not valid for name \"other.example\"");
    says(&format!("trunk wrong: TLS {} is down", far.sips()));

    let hold = Duration::from_secs(1);
    assert_eq!(Sipp::caller(&near, "call", "right").hold(hold).run().successful(), 1);
    let refused = Sipp::caller(&near, "call-refused", "wrong").status(500).run();
    assert_eq!(refused.successful(), 1);
    let answered = &far.calls(1)[0];
    assert_eq!(field(answered, "disposition"), "abandoned_in_flow");
    assert_eq!(answered["legs"][0]["party"]["trunk"], "loopback");
    near.calls(2);
    near.stop();
    far.stop();
}
