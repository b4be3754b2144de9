//! Phones that have no codec in common.

use acceptance::{Baresip, Habit, Heard, Node, Recorded, Setup, agents_speech, callers_speech};

/// Rings user 1001.
const FLOWS: &str = "\
numbers: {agent: agent}
flows:
  agent:
    - dial: {to: [\"1001\"], timeout: 10s}
";

/// Opus keeps how speech sounds rather than its shape, and a jitter buffer may leave out a period of a voice or repeat
/// one: no piece has to be as alike as one that was only passed on.
fn assert_alike(what: &str, heard: &Heard) {
    assert!(heard.windows >= 6 && heard.worst > 0.5 && heard.best > 0.95, "{what}: {heard:?}");
    assert!(heard.drift_ms <= 60.0, "{what}: something was left out or came twice: {heard:?}");
}

/// A caller and an agent with these codecs talk, the caller presses a key, and both hear all that the other says.
fn talk(codecs: [&str; 2]) {
    let node = Node::start(&Setup::new().flows(FLOWS));
    let mut agent = Baresip::register(&node, 1001, 0, codecs[1], &agents_speech());
    let mut caller = Baresip::register(&node, 1000, 20, codecs[0], &callers_speech());
    caller.dial(&format!("sip:agent@{}", node.place(Habit::default().transport)));
    // By the agent's file; that of a wideband codec grows faster.
    agent.listen(8.0);
    caller.listen(6.0);
    caller.command("hangup", "");
    agent.event("CALL_CLOSED");
    assert_alike("the agent heard the caller", &agent.recorded(Recorded::Heard).compare(&callers_speech()));
    assert_alike("the caller heard the agent", &caller.recorded(Recorded::Heard).compare(&agents_speech()));
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
