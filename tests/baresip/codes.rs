//! Feature codes: what an agent dials in a call, and to take another one's.

use acceptance::{Baresip, Habit, Node, Setup, Sipp, agents_speech, callers_speech, until};
use std::time::Duration;

const FLOWS: &str = "\
numbers: {agent: agent, \"+*\": outside}
flows:
  outside:
    - dial: {to: {number: dialled, trunk: carrier}}
  agent:
    - dial: {to: [\"1001\"], timeout: 10s}
";

/// A client with feature codes, whose phones are no trunk's.
fn setup() -> Setup {
    let codes = "client: {name: Load, features: {transfer: \"*1\", consult: \"*2\", pickup: \"*8\"}, ";
    let trunks = "carrier: {from: [127.0.0.9/32], to: \"sip:127.0.0.1:5090\", health: off}";
    Setup::new()
        .replace("loopback: {from: [127.0.0.0/8]}", trunks)
        .replace_in_client("client: {name: Load, ", codes)
        .flows(FLOWS)
}

/// 1000 speaks with 1001; 1002 waits.
fn call() -> (Node, [Baresip; 3]) {
    let node = Node::start(&setup());
    let mut agent = Baresip::register(&node, 1001, 0, "PCMU", &agents_speech());
    let target = Baresip::register(&node, 1002, 10, "PCMU", &agents_speech());
    let mut caller = Baresip::register(&node, 1000, 20, "PCMU", &callers_speech());
    caller.dial(&format!("sip:agent@{}", node.sip()));
    agent.event("CALL_ESTABLISHED");
    (node, [caller, agent, target])
}

fn press(phone: &mut Baresip, keys: &str) {
    for key in keys.chars() {
        phone.command("sndcode", &key.to_string());
    }
}

fn in_history(node: &Node, kind: &str, count: usize) {
    let what = format!("{count} {kind} in the history");
    until(Duration::from_secs(15), &what, || node.events(1, kind).len() == count);
}

#[test]
fn a_wrong_number_gives_the_party_back_and_a_right_one_hands_it_on() {
    let (node, [mut caller, mut agent, mut target]) = call();
    press(&mut agent, "*1");
    in_history(&node, "unbridged", 1);
    press(&mut agent, "9#");
    in_history(&node, "bridged", 2);
    press(&mut agent, "*11002#");
    target.event("CALL_ESTABLISHED");
    agent.event("CALL_CLOSED");
    target.listen(1.0);
    caller.command("hangup", "");
    target.event("CALL_CLOSED");
    let transfers = &node.calls(1)[0]["transfers"];
    assert_eq!(transfers.as_array().map(Vec::len), Some(1), "{transfers:#}");
    assert_eq!(
        [&transfers[0]["by"], &transfers[0]["to"], &transfers[0]["outcome"]],
        ["keys", "1002", "done"]
    );
    node.stop();
}

#[test]
fn an_agent_that_hangs_up_after_a_word_hands_the_party_on() {
    let (node, [mut caller, mut agent, mut target]) = call();
    press(&mut agent, "*21002");
    // No `#`: the number is complete when no further key comes.
    target.event("CALL_ESTABLISHED");
    in_history(&node, "bridged", 2);
    agent.command("hangup", "");
    in_history(&node, "bridged", 3);
    target.listen(1.0);
    caller.command("hangup", "");
    target.event("CALL_CLOSED");
    let transfer = &node.calls(1)[0]["transfers"][0];
    assert_eq!([&transfer["by"], &transfer["outcome"]], ["keys", "done"]);
    node.stop();
}

#[test]
fn a_party_is_handed_on_to_a_number_outside() {
    let (node, [mut caller, mut agent, _]) = call();
    let outside = Sipp::callee(&node, "answer", 5090).start();
    press(&mut agent, "*20034911999999#");
    in_history(&node, "bridged", 2);
    agent.command("hangup", "");
    in_history(&node, "bridged", 3);
    caller.command("hangup", "");
    assert_eq!(outside.finish().successful(), 1);
    let cdr = &node.calls(1)[0];
    assert_eq!([&cdr["transfers"][0]["by"], &cdr["transfers"][0]["outcome"]], ["keys", "done"]);
    assert_eq!(cdr["legs"][2]["party"]["trunk"], "carrier", "{cdr:#}");
    node.stop();
}

#[test]
fn a_phone_takes_the_call_that_rings_another() {
    let node = Node::start(&setup());
    let by_hand = Habit { answers: "manual", ..Habit::default() };
    let mut agent = Baresip::register_as(&node, by_hand, 1001, 0, "PCMU", &agents_speech());
    let mut other = Baresip::register(&node, 1002, 10, "PCMU", &agents_speech());
    let mut caller = Baresip::register(&node, 1000, 20, "PCMU", &callers_speech());
    caller.ring(&format!("sip:agent@{}", node.sip()));
    agent.event("CALL_INCOMING");
    other.dial(&format!("sip:*81001@{}", node.sip()));
    caller.event("CALL_ESTABLISHED");
    agent.event("CALL_CLOSED");
    other.listen(1.0);
    caller.command("hangup", "");
    other.event("CALL_CLOSED");
    let cdr = &node.calls(1)[0];
    assert_eq!(cdr["legs"][1]["cause"]["reason"], "picked up", "{cdr:#}");
    assert_eq!(node.events(1, "leg_replaced").len(), 1);
    node.stop();
}
