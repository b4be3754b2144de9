//! Blind transfers by REFER: RFC 3515 and RFC 5589 section 6. (Attended ones are the simulator's.)

use acceptance::{Node, Setup, Sipp, SippRun, until};
use serde_json::{Value, json};
use std::time::Duration;

use crate::field;

/// Rings the phone of user 1000, which transfers what it gets.
const RING_1000: &str =
    "numbers: {ring: ring}\nflows:\n  ring:\n    - answer\n    - dial: {to: [\"1000\"], timeout: 10s}\n";

/// The phone of user 1000, registered; it transfers to `target`.
fn transferor(node: &Node, scenario: &str, target: &str, status: u16) -> SippRun {
    let registers = Sipp::caller(node, "register", "1000").with(&["-key", "expires", "300"]).run();
    assert_eq!(registers.successful(), 1);
    let phone = Sipp::callee(node, scenario, 5080).at(node.network().socket(2, 5080));
    phone.status(status).with(&["-key", "target", target]).start()
}

fn caller(node: &Node, scenario: &str) -> Sipp {
    Sipp::caller(node, scenario, "ring").at(node.network().socket(4, 5080))
}

#[test]
fn rfc5589_6_1_the_caller_is_handed_on_and_the_transferor_let_go() {
    let node = Node::start(&Setup::new().flows(RING_1000));
    let target = Sipp::callee(&node, "answer-bye", 5080).start();
    let transferor = transferor(&node, "answer-refer", "uas", 0);
    let caller = caller(&node, "call-until-bye").run();
    let parties = [caller.successful(), transferor.finish().successful(), target.finish().successful()];
    assert_eq!(parties, [1, 1, 1]);
    let cdr = &node.calls(1)[0];
    assert_eq!(cdr["legs"].as_array().map(Vec::len), Some(3), "{cdr:#}");
    assert_eq!(field(&cdr["legs"][1]["cause"], "reason"), "transferred");
    let transfer = &cdr["transfers"][0];
    assert_eq!(
        [field(transfer, "by"), field(transfer, "to"), field(transfer, "outcome")],
        ["refer", "uas", "done"]
    );
    node.stop();
}

#[test]
fn rfc5589_6_3_a_transfer_that_fails_gives_the_caller_back() {
    let node = Node::start(&Setup::new().flows(RING_1000));
    // 1001 is a user without a phone.
    let transferor = transferor(&node, "answer-refer-refused", "1001", 480);
    let caller = caller(&node, "call-until-bye").run();
    assert_eq!((caller.successful(), transferor.finish().successful()), (1, 1));
    assert_eq!(node.calls(1)[0]["transfers"][0]["outcome"]["failed"], 480);
    assert_eq!(node.events(1, "bridged").len(), 2);
    node.stop();
}

#[test]
fn a_target_that_is_not_there_is_404() {
    let node = Node::start(&Setup::new().flows(RING_1000));
    let transferor = transferor(&node, "answer-refer-refused", "nowhere", 404);
    let caller = caller(&node, "call-until-bye").run();
    assert_eq!((caller.successful(), transferor.finish().successful()), (1, 1));
    node.stop();
}

#[test]
fn a_trunk_may_not_transfer() {
    let node = Node::start(&Setup::new());
    let callee = Sipp::callee(&node, "answer", 5080).start();
    let caller = Sipp::caller(&node, "call-refer", "uas").run();
    assert_eq!((caller.successful(), callee.finish().successful()), (1, 1));
    node.stop();
}

#[test]
fn rfc5589_6_1_a_trunk_that_calls_elsewhere_itself_takes_the_call_with_it() {
    let flows = RING_1000.replace("{ring: ring}", "{ring: ring, \"+*\": outside}")
        + "  outside:\n    - dial: {number: dialled, trunk: loopback}\n";
    let loopback = "from: [127.0.0.0/8], to: \"sip:127.0.0.1:5090\", health: off, transfer: refer";
    let node = Node::start(&Setup::new().replace("from: [127.0.0.0/8]", loopback).flows(&flows));
    let transferor = transferor(&node, "answer-refer", "+34911999999", 0);
    let caller = caller(&node, "call-release").run();
    assert_eq!((caller.successful(), transferor.finish().successful()), (1, 1));
    let cdr = &node.calls(1)[0];
    assert_eq!(cdr["legs"].as_array().map(Vec::len), Some(2), "nobody was called here: {cdr:#}");
    assert_eq!([&cdr["transfers"][0]["to"], &cdr["transfers"][0]["outcome"]], ["+34911999999", "done"]);
    assert_eq!(node.events(1, "released").len(), 1);
    node.stop();
}

/// Numbers outside are called by a trunk at host 3, where each user may place one call an hour.
fn one_call_an_hour(outside: &str) -> Setup {
    let trunks = "loopback: {from: [127.0.0.0/8]}\n  carrier: {to: \"sip:127.0.0.3:5080\", health: off}";
    let fraud = "client: {fraud: {country: ES, user: {calls_per_hour: 1}}, ";
    let flows =
        RING_1000.replace("{ring: ring}", "{ring: ring, \"+*\": outside}").replace("    - answer\n", "");
    Setup::new()
        .replace("loopback: {from: [127.0.0.0/8]}", trunks)
        .replace_in_client("client: {", fraud)
        .flows(&format!("{flows}  outside:\n{outside}    - dial: {{number: dialled, trunk: carrier}}\n"))
}

fn assert_blocked_for_user_1000(node: &Node, contact: u64) {
    node.calls(usize::try_from(contact).expect("a count"));
    let blocked = node.events(contact, "call_blocked");
    let reason = blocked.first().map(|event| field(event, "reason"));
    assert_eq!(reason, Some("the user 1000 has its 1 call an hour"));
    let told: Value = serde_json::from_slice(&node.ask(&["fraud", "--json"]).stdout).expect("JSON");
    assert_eq!((&told[0]["client"], &told[0]["user"]), (&"client".into(), &Value::Null));
    assert_eq!(told[0]["calls_per_hour"], json!({"used": 1, "limit": null}));
    assert_eq!(told[1]["user"], "1000");
    assert_eq!(told[1]["calls_per_hour"], json!({"used": 1, "limit": 1}));
    let shown = String::from_utf8_lossy(&node.ask(&["fraud"]).stdout).into_owned();
    assert!(shown.lines().last().is_some_and(|line| line.ends_with("used up")), "{shown}");
}

#[test]
fn what_the_flow_of_a_transfer_dials_later_on_is_the_transferors_too() {
    let node = Node::start(&one_call_an_hour("    - answer\n    - play: menu\n"));
    for calls in 1..=2_u64 {
        let target = Sipp::callee(&node, "answer-bye", 5080).at(node.network().socket(3, 5080)).start();
        let transferor = transferor(&node, "answer", "", 0);
        let caller = caller(&node, "call-until-bye").start();
        until(Duration::from_secs(5), "a bridge", || node.events(calls, "bridged").len() == 1);
        assert!(node.ask(&["transfer", "1000", "+34911999999"]).status.success());
        assert_eq!((caller.finish().successful(), transferor.finish().successful()), (1, 1));
        if calls == 1 {
            assert_eq!(target.finish().successful(), 1);
        }
    }
    assert_blocked_for_user_1000(&node, 2);
    node.stop();
}

#[test]
fn where_a_phone_sends_its_call_is_called_for_its_user() {
    let node = Node::start(&one_call_an_hour(""));
    for calls in 1..=2_u64 {
        let target = Sipp::callee(&node, "answer", 5080).at(node.network().socket(3, 5080)).start();
        let sends_on = transferor(&node, "redirect", "+34911999999", 0);
        let caller = match calls {
            1 => caller(&node, "call").run(),
            _ => caller(&node, "call-refused").status(403).run(),
        };
        assert_eq!((caller.successful(), sends_on.finish().successful()), (1, 1));
        if calls == 1 {
            assert_eq!(target.finish().successful(), 1);
        }
    }
    assert_blocked_for_user_1000(&node, 2);
    node.stop();
}
