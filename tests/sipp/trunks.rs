//! Trunks: our registrations with them.

use acceptance::{Node, Setup, Sipp};

use crate::field;

/// The load profile's one trunk.
const LOOPBACK: &str = "loopback: {from: [127.0.0.0/8]}";

/// A node that knows nobody but the trunk `uplink`, where it registers.
fn registering() -> Setup {
    let uplink = "uplink: {register: {registrar: \"sip:127.0.0.1:5080\", user: \"34911\", secret: secret}}";
    Setup::new().replace(LOOPBACK, uplink)
}

#[test]
fn rfc3261_10_2_a_trunk_that_we_register_with_calls_us_at_our_contact() {
    let node = Node::start(&registering());
    let registrar = Sipp::callee(&node, "registrar", 5080).start();
    let cdr = &node.calls(1)[0];
    assert_eq!([field(cdr, "source"), field(cdr, "to")], ["uplink", "ivr"]);
    node.process().terminate();
    assert_eq!(registrar.finish().successful(), 1);
    node.stop();
}

#[test]
fn a_stranger_cannot_pretend_to_be_a_trunk_that_we_register_with() {
    let node = Node::start(&registering());
    let caller = Sipp::caller(&node, "call-refused", "ivr").status(401).run();
    assert_eq!(caller.successful(), 1);
    node.stop();
}
