//! Kamailio as a carrier: it takes calls, wants a registration, and has no room for a while.

use acceptance::{Kamailio, Node, Setup, Sipp, SippRun, until};
use serde_json::Value;
use std::time::Duration;

use crate::{field, setup};

/// Where the carrier's calls and those of the other trunk are answered.
const CALLEES: [u16; 2] = [5080, 5090];

/// A node whose number `out` goes by the carrier or else by another trunk.
fn setup_with(carrier: &str) -> Setup {
    let trunks =
        format!("  carrier: {carrier}\n  other: {{to: \"sip:127.0.0.1:5090\", health: off}}\nclients:");
    let flows = "numbers: {out: out, in: in}\n\
                 flows:\n  out: [{dial: {number: \"4711\", trunk: [carrier, other]}}]\n  in: [answer, hangup]\n";
    setup().replace("clients:", &trunks).flows(flows)
}

fn start(carrier: &str) -> (Node, Kamailio) {
    let node = Node::start(&setup_with(carrier).tls());
    let callee = node.network().socket(1, CALLEES[0]).to_string();
    let proxy = Kamailio::start(&node, "trunk", 5, &[("@CALLEE@", &callee)]);
    (node, proxy)
}

/// Places a call to `out`, which the callee behind one of the trunks must get.
fn call(node: &Node, callee: u16) {
    let callee: SippRun = Sipp::callee(node, "answer", callee).start();
    assert_eq!(Sipp::caller(node, "call", "out").run().successful(), 1);
    assert_eq!(callee.finish().successful(), 1);
}

/// How the carrier is, as `ringdown trunks --json` has it.
fn carrier(node: &Node) -> Value {
    let shown: Value = serde_json::from_slice(&node.ask(&["trunks", "--json"]).stdout).expect("JSON");
    let trunks = shown.as_array().expect("a list");
    trunks.iter().find(|trunk| trunk["name"] == "carrier").expect("the carrier")["now"].clone()
}

fn until_carrier(node: &Node, what: &str, is: impl Fn(&Value) -> bool) {
    until(Duration::from_secs(20), what, || is(&carrier(node)));
}

#[test]
fn rfc3261_21_5_4_a_trunk_that_says_503_with_retry_after_is_left_alone_until_then() {
    let [behind, other] = CALLEES;
    let (node, proxy) = start("{to: \"sip:127.0.0.5:5060\", health: off}");
    proxy.command(&["pv.shvSet", "busy", "int", "6"]);
    call(&node, other);
    let resting = &carrier(&node)["resting"];
    assert_eq!(resting[0]["address"], format!("udp:{}", proxy.address()), "{resting}");
    let shown = String::from_utf8_lossy(&node.ask(&["trunks"]).stdout).into_owned();
    assert!(shown.contains("1 resting: 503, again in "), "{shown}");
    // It has room again, but has asked not to be called yet.
    proxy.command(&["pv.shvSet", "busy", "int", "0"]);
    call(&node, other);
    until_carrier(&node, "the carrier wants calls", |now| {
        now["resting"].as_array().is_some_and(Vec::is_empty)
    });
    call(&node, behind);
    let cdrs = node.calls(3);
    let legs: Vec<_> = cdrs.iter().map(|cdr| cdr["legs"].as_array().map_or(0, Vec::len)).collect();
    assert_eq!(legs, [3, 2, 2], "the caller's, the carrier's unless it rests, and the one that was answered");
    let rests = node.events(1, "trunk_target_rests");
    assert_eq!((rests.len(), field(&rests[0], "trunk"), &rests[0]["seconds"]), (1, "carrier", &6.into()));
    node.stop();
}

#[test]
fn a_trunk_that_says_503_to_options_is_down_and_its_calls_go_elsewhere_until_it_is_up() {
    let [behind, other] = CALLEES;
    let (node, proxy) = start("{to: \"sip:127.0.0.5:5060;transport=tcp\", health: {every: 1s}}");
    let is_up = |now: &Value, up: bool, status: u16| {
        let target = &now["targets"][0];
        target["up"] == up && target["last_status"] == status
    };
    until_carrier(&node, "the carrier is up", |now| is_up(now, true, 200));
    call(&node, behind);
    proxy.command(&["pv.shvSet", "busy", "int", "1"]);
    until_carrier(&node, "the carrier is down", |now| is_up(now, false, 503));
    call(&node, other);
    proxy.command(&["pv.shvSet", "busy", "int", "0"]);
    until_carrier(&node, "the carrier is up again", |now| is_up(now, true, 200));
    call(&node, behind);
    assert!(node.calls(3).iter().all(|cdr| cdr["legs"].as_array().map(Vec::len) == Some(2)));
    node.stop();
}

/// Where the carrier is reached, in a SIP URI; over TLS with the certificate that the node has, too.
fn place(way: &str) -> String {
    let port = if way == "tls" { 5061 } else { 5060 };
    format!("sip:127.0.0.5:{port};transport={way}")
}

/// The node registers at the carrier, which challenges its REGISTER and its call; a call comes in by the binding.
fn register(way: &str) {
    let register = format!("{{registrar: \"{}\", user: \"34911\", secret: secret}}", place(way));
    let trust = "tls: {roots: cert.pem, name: pbx.example}";
    let trust = if way == "tls" { format!(", {trust}") } else { String::new() };
    let (node, proxy) = start(&format!("{{register: {register}, health: off{trust}}}"));
    until_carrier(&node, "registered", |now| now["registration"]["registered_seconds"].is_u64());
    call(&node, CALLEES[0]);
    let inbound = Sipp::caller(&node, "call-until-bye", "in").at(node.network().socket(3, 5080));
    assert_eq!(inbound.towards(proxy.address()).run().successful(), 1);
    let cdrs = node.calls(2);
    assert_eq!(
        [field(&cdrs[0], "to"), field(&cdrs[1], "source"), field(&cdrs[1], "to")],
        ["out", "carrier", "in"]
    );
    // The node ends both, along the carrier's Record-Route.
    let routed = format!("route <sip:{}", proxy.address().ip());
    let byes: Vec<_> = proxy.saw().into_iter().filter(|line| line.starts_with("BYE ")).collect();
    assert!(byes.len() == 2 && byes.iter().all(|line| line.contains(&routed)), "{byes:#?}");
    node.stop();
}

#[test]
fn rfc3261_22_the_node_registers_at_a_carrier_and_calls_go_both_ways_over_udp() {
    register("udp");
}

#[test]
fn rfc3261_22_the_node_registers_at_a_carrier_and_calls_go_both_ways_over_tcp() {
    register("tcp");
}

#[test]
fn rfc3261_22_the_node_registers_at_a_carrier_and_calls_go_both_ways_over_tls() {
    register("tls");
}

/// Kamailio names TCP in its Record-Route, so the call stays with it.
#[test]
fn rfc3261_18_1_1_an_invite_too_large_for_udp_goes_by_tcp() {
    let long = "x".repeat(400);
    let (node, proxy) = start(&format!("{{to: \"sip:127.0.0.5:5060;x={long}\", health: off}}"));
    call(&node, CALLEES[0]);
    let saw = proxy.saw();
    let by = |method: &str, way: &str| {
        let from = format!("from {} by {way} ", node.sip().ip());
        saw.iter().any(|line| line.starts_with(&format!("{method} ")) && line.contains(&from))
    };
    assert!(by("INVITE", "tcp") && !by("INVITE", "udp"), "{saw:#?}");
    assert!(by("ACK", "tcp") && !by("ACK", "udp"), "{saw:#?}");
    node.stop();
}
