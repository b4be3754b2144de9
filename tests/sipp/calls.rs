//! Calls that are answered, and what happens within them.

use acceptance::{Node, Setup, Sipp};
use std::time::Duration;

use crate::field;

#[test]
fn answered_and_the_caller_hangs_up() {
    let node = Node::start(&Setup::new());
    let callee = Sipp::callee(&node, "answer", 5080).start();
    let caller = Sipp::caller(&node, "call", "uas").run();
    assert_eq!((caller.successful(), callee.finish().successful()), (1, 1));
    let cdr = &node.calls(1)[0];
    assert_eq!(field(cdr, "disposition"), "answered");
    assert_eq!(field(&cdr["cause"], "by"), "caller");
    assert_eq!(field(cdr, "to"), "uas");
    node.stop();
}

#[test]
fn answered_and_the_callee_hangs_up() {
    let node = Node::start(&Setup::new());
    let callee = Sipp::callee(&node, "answer-bye", 5080).start();
    let caller = Sipp::caller(&node, "call-until-bye", "uas").run();
    assert_eq!((caller.successful(), callee.finish().successful()), (1, 1));
    let cdr = &node.calls(1)[0];
    assert_eq!(field(cdr, "disposition"), "answered");
    assert_eq!(field(&cdr["legs"][1]["cause"], "by"), "callee");
    node.stop();
}

#[test]
fn rfc_3262_the_far_end_answers_in_a_reliable_183_and_the_caller_insists_on_one() {
    let node = Node::start(&Setup::new());
    let callee = Sipp::callee(&node, "answer-early", 5080).start();
    let caller = Sipp::caller(&node, "call-early", "uas").run();
    assert_eq!((caller.successful(), callee.finish().successful()), (1, 1));
    assert_eq!(field(&node.calls(1)[0], "disposition"), "answered");
    assert_eq!(node.events(1, "bridged_early").len(), 1);
    node.stop();
}

#[test]
fn rfc_3262_a_caller_that_insists_reaches_a_callee_that_only_rings() {
    let node = Node::start(&Setup::new().flows(
        "numbers: {early: early}\nflows:\n  early:\n    - dial: {to: \"sip:uas@127.0.0.1:5080\", ringback: menu}\n",
    ));
    let callee = Sipp::callee(&node, "answer", 5080).start();
    let caller = Sipp::caller(&node, "call-early", "early").run();
    assert_eq!((caller.successful(), callee.finish().successful()), (1, 1));
    node.stop();
}

#[test]
fn fifty_calls_at_once_have_fifty_cdrs() {
    let node = Node::start(&Setup::new());
    let callee = Sipp::callee(&node, "answer", 5080).calls(50).start();
    let caller = Sipp::caller(&node, "call", "uas").calls(50).with(&["-r", "50"]).run();
    assert_eq!((caller.successful(), callee.finish().successful()), (50, 50));
    assert!(node.calls(50).iter().all(|cdr| field(cdr, "disposition") == "answered"));
    node.stop();
}

#[test]
fn a_caller_with_alaw_reaches_a_callee_with_ulaw() {
    let node = Node::start(&Setup::new());
    let callee = Sipp::callee(&node, "answer", 5080).start();
    let caller = Sipp::caller(&node, "call", "uas").alaw().run();
    assert_eq!((caller.successful(), callee.finish().successful()), (1, 1));
    node.stop();
}

#[test]
fn hold_and_resume_rfc_3264_section_8_4() {
    let node = Node::start(&Setup::new());
    let callee = Sipp::callee(&node, "answer", 5080).start();
    let caller = Sipp::caller(&node, "call-hold", "uas").run();
    assert_eq!((caller.successful(), callee.finish().successful()), (1, 1));
    node.calls(1);
    assert_eq!((node.events(1, "held").len(), node.events(1, "resumed").len()), (1, 1));
    node.stop();
}

#[test]
fn a_key_pressed_by_rfc_4733_chooses_from_a_menu() {
    let node = Node::start(&Setup::new());
    let callee = Sipp::callee(&node, "answer-bye", 5080).start();
    let caller = Sipp::caller(&node, "call-key", "menu").run();
    assert_eq!((caller.successful(), callee.finish().successful()), (1, 1));
    let cdr = &node.calls(1)[0];
    assert_eq!(field(cdr, "disposition"), "answered");
    let digits = node.events(1, "digit");
    assert_eq!(digits.len(), 1, "one key press is one digit: {digits:?}");
    assert_eq!(digits[0]["digit"], "1");
    node.stop();
}

#[test]
fn a_key_pressed_by_info_chooses_from_a_menu() {
    let node = Node::start(&Setup::new());
    let callee = Sipp::callee(&node, "answer-bye", 5080).start();
    let caller = Sipp::caller(&node, "call-info", "menu").run();
    assert_eq!((caller.successful(), callee.finish().successful()), (1, 1));
    node.calls(1);
    let digits = node.events(1, "digit");
    assert_eq!((digits.len(), &digits[0]["digit"]), (1, &"1".into()));
    node.stop();
}

/// Asks for a key that nobody may know, within a recording.
const SECRET: &str = "\
numbers: {pin: pin}
flows:
  pin:
    - answer
    - record
    - gather: {into: pin, max: 1, secret: true, timeout: 5s}
    - play: menu
";

#[test]
fn a_secret_key_is_in_no_event_and_no_trace_and_the_recording_is_masked_meanwhile() {
    for scenario in ["call-key", "call-info"] {
        let node = Node::start(&Setup::new().flows(SECRET));
        assert_eq!(Sipp::caller(&node, scenario, "pin").run().successful(), 1);
        node.calls(1);
        let digits = node.events(1, "digit");
        assert_eq!((digits.len(), &digits[0]["digit"]), (1, &"•".into()), "{scenario}");
        let hushed = node.events(1, "recording_hushed");
        assert_eq!((&hushed[0]["mask"], &hushed[0]["by"]), (&true.into(), &"secret".into()));
        assert_eq!(node.events(1, "recording_resumed").len(), 1, "{scenario}");
        let trace = String::from_utf8_lossy(&node.ask(&["trace", "1"]).stdout).into_owned();
        assert!(!trace.contains("Signal") && !trace.contains("key 1"), "{trace}");
        node.stop();
    }
}

#[test]
fn a_trunk_is_shown_with_its_state_and_what_its_calls_came_to() {
    let node = Node::start(&Setup::new());
    let caller = Sipp::caller(&node, "call", "ivr").hold(Duration::from_millis(200)).run();
    assert_eq!(caller.successful(), 1);
    node.calls(1);
    let shown = node.ask(&["trunks", "--json"]);
    let trunks: serde_json::Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    assert_eq!((field(&trunks[0], "name"), &trunks[0]["figures"]["calls_in"]), ("loopback", &1.into()));
    assert_eq!(
        (&trunks[0]["now"]["calls_in"], &trunks[0]["figures"]["asr"]),
        (&0.into(), &serde_json::Value::Null)
    );
    let shown = String::from_utf8_lossy(&node.ask(&["trunks"]).stdout).into_owned();
    assert!(shown.lines().nth(1).is_some_and(|line| line.starts_with("loopback")), "{shown}");
    node.stop();
}

#[test]
fn a_menu_without_a_key_ends_by_itself() {
    let node = Node::start(&Setup::new());
    let caller = Sipp::caller(&node, "call-until-bye", "menu").run();
    assert_eq!(caller.successful(), 1);
    assert_eq!(field(&node.calls(1)[0]["cause"], "by"), "flow");
    node.stop();
}

#[test]
fn a_prompt_plays_until_the_caller_hangs_up() {
    let node = Node::start(&Setup::new());
    let caller = Sipp::caller(&node, "call", "ivr").hold(Duration::from_secs(2)).run();
    assert_eq!(caller.successful(), 1);
    assert_eq!(field(&node.calls(1)[0]["cause"], "by"), "caller");
    node.stop();
}
