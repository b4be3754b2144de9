//! Trunks: our registrations with them, and where their names lead.

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

#[test]
fn rfc3263_4_a_trunk_is_found_by_srv_and_the_next_server_takes_what_the_first_does_not() {
    let setup = Setup::new()
        .replace(LOOPBACK, &format!("{LOOPBACK}\n  carrier: {{to: \"sip:carrier.test\"}}"))
        .flows("numbers: {out: out}\nflows: {out: [{dial: {number: \"4711\", trunk: carrier}}]}\n")
        .zone(
            "_sip._udp.carrier.test SRV 10 1 5089 dead.carrier.test
             _sip._udp.carrier.test SRV 20 1 5080 live.carrier.test
             dead.carrier.test A 127.0.0.1
             live.carrier.test A 127.0.0.1",
        );
    let node = Node::start(&setup);
    let callee = Sipp::callee(&node, "answer", 5080).start();
    assert_eq!(Sipp::caller(&node, "call", "out").run().successful(), 1);
    assert_eq!(callee.finish().successful(), 1);
    let cdr = &node.calls(1)[0];
    let answered: Vec<_> =
        cdr["legs"].as_array().expect("legs").iter().map(|leg| leg["answered"].is_null()).collect();
    assert_eq!(answered, [false, true, false], "{cdr:#}");
    node.stop();
}
