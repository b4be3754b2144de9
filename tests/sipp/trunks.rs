//! Trunks: our registrations with them, and where their names lead.

use acceptance::{Node, Setup, Sipp, until};
use serde_json::Value;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use crate::field;

/// The load profile's one trunk.
const LOOPBACK: &str = "loopback: {from: [127.0.0.0/8]}";

/// A node that knows nobody but the trunk `uplink`, where it registers.
fn registering() -> Setup {
    let uplink = "uplink: {register: {registrar: \"sip:127.0.0.1:5080\", user: \"34911\", secret: secret}, health: off}";
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
        .replace(LOOPBACK, &format!("{LOOPBACK}\n  carrier: {{to: \"sip:carrier.test\", health: off}}"))
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

/// A number over two trunks: `first` at the port, and `second`, where a callee answers.
fn two_trunks(port: u16) -> Setup {
    let trunks = format!(
        "{LOOPBACK}\n  first: {{to: \"sip:127.0.0.1:{port}\", respond_within: 1s, health: off}}\n  \
         second: {{to: \"sip:127.0.0.1:5080\", health: off}}"
    );
    let flows = "numbers: {out: out}\nflows: {out: [{dial: {number: \"4711\", trunk: [first, second]}}]}\n";
    Setup::new().replace(LOOPBACK, &trunks).flows(flows)
}

#[test]
fn a_trunk_that_says_nothing_holds_a_caller_for_a_second_and_the_next_one_takes_the_call() {
    let node = Node::start(&two_trunks(5090));
    // Bound, so that no ICMP error tells.
    let _deaf = UdpSocket::bind(node.network().socket(1, 5090)).expect("a port");
    let callee = Sipp::callee(&node, "answer", 5080).start();
    let begun = Instant::now();
    assert_eq!(Sipp::caller(&node, "call", "out").run().successful(), 1);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(callee.finish().successful(), 1);
    let cdr = &node.calls(1)[0];
    assert_eq!(field(&cdr["legs"][1]["cause"], "reason"), "no response", "{cdr:#}");
    node.stop();
}

#[test]
fn a_busy_callee_is_busy_over_every_trunk_and_a_broken_trunk_is_not() {
    for (refusal, heard) in [(486, 486), (500, 500)] {
        let node = Node::start(&two_trunks(5090));
        let first = Sipp::callee(&node, "refuse", 5090).status(refusal).start();
        let second = (refusal == 500).then(|| Sipp::callee(&node, "refuse", 5080).status(500).start());
        let caller = Sipp::caller(&node, "call-refused", "out").status(heard).run();
        assert_eq!((caller.successful(), first.finish().successful()), (1, 1));
        let legs = if second.is_some() { 3 } else { 2 };
        assert_eq!(node.calls(1)[0]["legs"].as_array().map(Vec::len), Some(legs));
        assert!(second.is_none_or(|second| second.finish().successful() == 1));
        node.stop();
    }
}

/// Waits until a trunk has so many calls up: those from it, and those to it.
fn until_up(node: &Node, name: &str, calls: [u64; 2]) {
    let what = format!("{calls:?} calls of {name}");
    until(Duration::from_secs(20), &what, || {
        let shown: Value = serde_json::from_slice(&node.ask(&["trunks", "--json"]).stdout).expect("JSON");
        let trunk = shown.as_array().and_then(|trunks| trunks.iter().find(|trunk| trunk["name"] == *name));
        trunk.is_some_and(|trunk| {
            ["calls_in", "calls_out"].map(|field| trunk["now"][field].as_u64()) == calls.map(Some)
        })
    });
}

#[test]
fn a_trunk_that_has_its_calls_is_passed_over_for_the_next_one() {
    let node = Node::start(
        &two_trunks(5090).replace("1s, health: off", "1s, health: off, limits: {out: {calls: 1}}"),
    );
    let first = Sipp::callee(&node, "answer", 5090).start();
    let second = Sipp::callee(&node, "answer", 5080).start();
    let long = Sipp::caller(&node, "call", "out").hold(Duration::from_secs(5)).start();
    until_up(&node, "first", [0, 1]);
    let also = Sipp::caller(&node, "call", "out").at(node.network().socket(3, 5080)).run();
    assert_eq!((also.successful(), second.finish().successful()), (1, 1));
    assert_eq!((long.finish().successful(), first.finish().successful()), (1, 1));
    node.calls(2);
    let full = node.events(2, "trunk_full");
    assert_eq!(full.len(), 1);
    assert_eq!([field(&full[0], "trunk"), field(&full[0], "limit")], ["first", "limit of 1 outbound call"]);
    node.stop();
}

#[test]
fn a_trunk_beyond_its_limit_is_refused_with_503_and_when_to_try_again() {
    let limited = LOOPBACK.replace('}', ", limits: {in: {calls: 1}}}");
    let node = Node::start(&Setup::new().replace(LOOPBACK, &limited));
    let long = Sipp::caller(&node, "call", "ivr").hold(Duration::from_secs(5)).start();
    until_up(&node, "loopback", [1, 0]);
    let refused =
        Sipp::caller(&node, "call-refused", "ivr").at(node.network().socket(3, 5080)).status(503).start();
    until(Duration::from_secs(20), "Retry-After", || refused.messages().contains("Retry-After: 5\r\n"));
    assert_eq!(refused.finish().successful(), 1);
    assert_eq!(long.finish().successful(), 1);
    let cdrs = node.calls(2);
    let refused = cdrs.iter().find(|cdr| cdr["cause"]["status"] == 503).expect("the refused call");
    assert_eq!(field(&refused["cause"], "reason"), "the trunk loopback has its limit of 1 inbound call");
    node.stop();
}

#[test]
fn a_target_that_answers_options_with_503_is_passed_over_until_it_answers_again() {
    let asked = two_trunks(5090).replace("1s, health: off", "1s, health: {every: 1s}");
    let node = Node::start(&asked);
    let says = |text: &str| {
        let line = format!("trunk first: UDP {} {text}", node.network().socket(1, 5090));
        until(Duration::from_secs(20), &line, || node.process().stderr().contains(&line));
    };
    let sick = Sipp::callee(&node, "options-answer", 5090).status(503).calls(2).start();
    assert_eq!(sick.finish().successful(), 2);
    says("is down (503)");
    let callee = Sipp::callee(&node, "answer", 5080).start();
    assert_eq!(Sipp::caller(&node, "call", "out").run().successful(), 1);
    assert_eq!(callee.finish().successful(), 1);
    // The caller's leg, and that of the second trunk.
    assert_eq!(node.calls(1)[0]["legs"].as_array().map(Vec::len), Some(2));
    let well = Sipp::callee(&node, "options-answer", 5090).status(200).calls(2).start();
    assert_eq!(well.finish().successful(), 2);
    says("is up again");
    node.stop();
}

#[test]
fn numbers_of_a_trunk_become_e164_for_the_dialplan_and_what_another_trunk_wants() {
    let numbers = "numbers: {country: ES, strip: [\"99\"]}";
    let carrier = "carrier: {to: \"sip:127.0.0.1:5080\", health: off, numbers: {country: DE, send: national, prefix: \"7#\"}}";
    let trunks = format!("loopback: {{from: [127.0.0.0/8], {numbers}}}\n  {carrier}");
    let setup = Setup::new().replace(LOOPBACK, &trunks).flows(
        "numbers: {\"+34 911 000 100\": out}\nflows: {out: [{dial: {number: \"+4930123456\", trunk: carrier}}]}\n",
    );
    let node = Node::start(&setup);
    let callee = Sipp::callee(&node, "answer", 5080).start();
    assert_eq!(Sipp::caller(&node, "call", "99911000100").run().successful(), 1);
    assert_eq!(callee.finish().successful(), 1);
    let cdr = &node.calls(1)[0];
    assert_eq!(field(cdr, "to"), "+34911000100");
    let called = field(&cdr["legs"][1], "uri");
    assert!(called.starts_with("sip:7%23030123456@"), "{called}");
    node.stop();
}

#[test]
fn a_number_that_the_client_may_not_call_is_not_called_and_somebody_is_told() {
    let fraud = "client: {fraud: {country: ES, barred: [\"+882\"]}, ";
    let trunks = format!("{LOOPBACK}\n  carrier: {{to: \"sip:127.0.0.1:5080\", health: off}}");
    let setup = Setup::new().replace(LOOPBACK, &trunks).replace_in_client("client: {", fraud).flows(
        "numbers: {out: out, far: far}\nflows:\n  out: [{dial: {number: \"911000100\", trunk: carrier}}]\n  \
         far: [{dial: {number: \"00882 16 000 000\", trunk: carrier}}]\n",
    );
    let node = Node::start(&setup);
    let callee = Sipp::callee(&node, "answer", 5080).start();
    assert_eq!(Sipp::caller(&node, "call-refused", "far").status(403).run().successful(), 1);
    assert_eq!(Sipp::caller(&node, "call", "out").run().successful(), 1);
    assert_eq!(callee.finish().successful(), 1, "the one that is allowed");
    node.calls(2);
    let blocked = node.events(1, "call_blocked");
    assert_eq!(blocked.len(), 1);
    let reason = field(&blocked[0], "reason");
    assert!(reason.ends_with("is no destination of the client client"), "{reason}");
    until(Duration::from_secs(5), "an alarm", || {
        node.process().stderr().contains("a call of client is blocked")
    });
    node.stop();
}
