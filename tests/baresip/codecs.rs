//! Phones that have no codec in common.

use acceptance::{Baresip, Habit, Node, Recorded, Setup, agents_speech, assert_same, callers_speech};

/// Rings user 1001.
const FLOWS: &str = "\
numbers: {agent: agent}
flows:
  agent:
    - dial: {to: [\"1001\"], timeout: 10s}
";

/// A caller and an agent with these codecs talk, the caller presses a key, and both hear all that the other says.
fn talk(codecs: [&str; 2]) {
    let node = Node::start(&Setup::new().flows(FLOWS));
    let mut agent = Baresip::register(&node, 1001, 0, codecs[1], &agents_speech());
    let mut caller = Baresip::register(&node, 1000, 20, codecs[0], &callers_speech());
    caller.dial(&format!("sip:agent@{}", node.place(Habit::default().transport)));
    agent.hears(6.0);
    caller.command("hangup", "");
    agent.event("CALL_CLOSED");
    let heard = agent.recorded(Recorded::Heard).compare(&callers_speech());
    assert_same(&format!("an agent with {} heard a caller with {}", codecs[1], codecs[0]), &heard, 4);
    let heard = caller.recorded(Recorded::Heard).compare(&agents_speech());
    assert_same(&format!("a caller with {} heard an agent with {}", codecs[0], codecs[1]), &heard, 4);
    assert_eq!(node.calls(1)[0]["disposition"], "answered");
    node.stop();
}

#[test]
fn a_phone_with_opus_alone_talks_with_one_that_has_g711() {
    talk(["opus", "PCMA"]);
}

#[test]
fn a_phone_with_g722_alone_is_called_by_one_that_has_opus() {
    talk(["opus", "G722"]);
}
