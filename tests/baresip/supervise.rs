//! A supervisor with a call: who hears it, and who does not.

use acceptance::{Baresip, Node, Recorded, Setup, Sound, agents_speech, callers_speech, until};
use std::path::Path;
use std::time::Duration;

const FLOWS: &str = "\
numbers: {taped: taped}
flows:
  taped:
    - answer
    - record
    - dial: {to: [\"1001\"], timeout: 10s}
";

fn listen(node: &Node, arguments: &[&str]) {
    let output = node.ask(&[&["listen", "1"], arguments].concat());
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn in_history(node: &Node, kind: &str, count: usize) {
    let what = format!("{count} {kind} in the history");
    until(Duration::from_secs(15), &what, || node.events(1, kind).len() == count);
}

/// Any speech is somewhere like any other, up to 0.75 here; a jitter buffer stretches, so that not every piece is the same.
fn assert_heard(who: &str, heard: &Sound, whom: &Sound, not: &Sound) {
    let (there, other) = (heard.likeness(whom), heard.likeness(not));
    assert!(
        there > 0.95 && other < 0.85,
        "{who}: {there:.2} of whom it hears, {other:.2} of whom it does not"
    );
}

#[test]
fn the_agent_hears_a_whisper_and_the_customer_does_not() {
    let node = Node::start(&Setup::new().flows(FLOWS));
    let silence = Sound::at(8_000, &[0.0; 400_000]);
    let mut agent = Baresip::register(&node, 1001, 0, "PCMU", &agents_speech());
    let mut supervisor = Baresip::register(&node, 1002, 10, "PCMA", &callers_speech());
    let mut customer = Baresip::register(&node, 1000, 20, "PCMU", &silence);
    customer.dial(&format!("sip:taped@{}", node.sip()));
    agent.event("CALL_ESTABLISHED");
    listen(&node, &["--by", "1002", "--mode", "whisper"]);
    supervisor.event("CALL_ESTABLISHED");
    // A supervisor takes no key away from those whom it hears.
    customer.command("sndcode", "5");
    assert!(agent.event("CALL_DTMF_START").to_string().contains('5'));
    // The jitter buffer of who speaks finds its wait in the first seconds, by stretching.
    supervisor.listen(8.0);
    customer.command("hangup", "");
    for phone in [&mut agent, &mut supervisor] {
        phone.event("CALL_CLOSED");
    }
    let (agents, supervisors) = (agents_speech(), callers_speech());
    let last = |phone: &Baresip| phone.recorded(Recorded::Heard).last(3.5);
    assert_heard("the agent", &last(&agent), &supervisors, &agents);
    assert_heard("the customer", &last(&customer), &agents, &supervisors);
    let call = &node.calls(1)[0];
    let path = node.state().join(Path::new(call["recordings"][0]["path"].as_str().expect("a path")));
    assert_heard("the recording of the customer", &Sound::read(&path, 1).last(3.5), &agents, &supervisors);
    let trace = String::from_utf8_lossy(&node.ask(&["trace", "1"]).stdout).into_owned();
    for line in ["is rung to supervise: whisper", "supervises no more: the call is over"] {
        assert!(trace.contains(line), "{line}: {trace}");
    }
    node.stop();
}

#[test]
fn a_supervisor_that_takes_the_call_over_stays_with_the_customer() {
    let node = Node::start(&Setup::new().flows(FLOWS));
    let mut agent = Baresip::register(&node, 1001, 0, "PCMU", &agents_speech());
    let mut supervisor = Baresip::register(&node, 1002, 10, "PCMU", &agents_speech());
    let mut customer = Baresip::register(&node, 1000, 20, "PCMU", &callers_speech());
    customer.dial(&format!("sip:taped@{}", node.sip()));
    agent.event("CALL_ESTABLISHED");
    listen(&node, &["--by", "1002"]);
    supervisor.event("CALL_ESTABLISHED");
    listen(&node, &["--mode", "barge"]);
    in_history(&node, "supervision_changed", 1);
    listen(&node, &["--mode", "take-over"]);
    agent.event("CALL_CLOSED");
    in_history(&node, "taken_over", 1);
    supervisor.listen(3.0);
    customer.command("hangup", "");
    supervisor.event("CALL_CLOSED");
    node.stop();
}
