//! Lamps of desk phones: SUBSCRIBE and NOTIFY (RFC 6665, 4235, 3842).

use acceptance::{Node, Setup, Sipp, until};
use serde_json::Value;
use std::time::Duration;

/// Rings the phone of user 1001.
const RING_1001: &str =
    "numbers: {ring: ring}\nflows:\n  ring:\n    - dial: {to: [\"1001\"], timeout: 10s}\n";

/// The only trunk is at the node's own address: whoever is elsewhere is a phone.
fn setup() -> Setup {
    Setup::new().replace("loopback: {from: [127.0.0.0/8]}", "loopback: {from: [127.0.0.1/32]}")
}

/// A phone of user 1000 that subscribes to `target`. SIPp would make its digest for another Request-URI.
fn watcher(node: &Node, scenario: &str, target: &str) -> Sipp {
    let uri = format!("{target}@{}", node.sip());
    Sipp::caller(node, scenario, "1000").with(&["-key", "target", target, "-auth_uri", &uri])
}

/// How many subscriptions the node has.
fn subscriptions(node: &Node) -> Option<u64> {
    let status: Value = serde_json::from_slice(&node.ask(&["status", "--json"]).stdout).ok()?;
    status["subscriptions"].as_u64()
}

#[test]
fn rfc4235_a_lamp_shows_ringing_talking_and_the_end() {
    let node = Node::start(&setup().flows(RING_1001));
    let phone = node.network().socket(3, 5080);
    let registers = Sipp::caller(&node, "register", "1001").at(phone).with(&["-key", "expires", "300"]);
    assert_eq!(registers.run().successful(), 1);
    let watcher = watcher(&node, "watch", "1001").start();
    until(Duration::from_secs(10), "the first NOTIFY", || watcher.messages().contains("version=\"0\""));
    assert_eq!(subscriptions(&node), Some(1));
    let callee = Sipp::callee(&node, "answer-slowly", 5080).at(phone).start();
    let caller = Sipp::caller(&node, "call", "ring").at(node.network().socket(1, 5090)).run();
    let parties = [caller.successful(), callee.finish().successful(), watcher.finish().successful()];
    assert_eq!(parties, [1, 1, 1]);
    assert_eq!(subscriptions(&node), Some(0));
    node.stop();
}

#[test]
fn what_may_not_be_watched_is_refused() {
    let node = Node::start(&setup());
    for (event, target, status) in [
        ("dialog", "nobody", 404),
        // A number that leads to a flow is no user.
        ("dialog", "uas", 404),
        ("message-summary", "1001", 403),
        ("refer", "1001", 403),
        ("presence", "1001", 489),
    ] {
        let phone = watcher(&node, "watch-refused", target).status(status).with(&["-key", "event", event]);
        assert_eq!(phone.run().successful(), 1, "{event} of {target}");
    }
    let trunk = watcher(&node, "watch-trunk", "1001").at(node.network().socket(1, 5090));
    assert_eq!(trunk.run().successful(), 1);
    node.stop();
}
