//! Calls between baresip phones: what one said is what the other heard, and what the recording holds.

mod codecs;
mod codes;
mod conference;
mod encrypted;
mod queue;
mod say;
mod supervise;
mod voicemail;

use acceptance::{
    Baresip, Habit, Node, Recorded, Setup, Sipp, Sound, agents_speech, assert_same, callers_speech, speech,
    until,
};
use std::path::Path;
use std::time::Duration;

/// Rings user 1001, without and with a recording.
const FLOWS: &str = "\
numbers: {agent: agent, taped: taped}
flows:
  agent:
    - dial: {to: [\"1001\"], timeout: 10s}
  taped:
    - answer
    - record
    - dial: {to: [\"1001\"], timeout: 10s}
";

/// Two phones talk for `seconds` by calling `number`; then the caller hangs up.
fn talk(node: &Node, number: &str, codecs: [&str; 2], seconds: f64) -> [Baresip; 2] {
    let mut agent = Baresip::register(node, 1001, 0, codecs[1], &agents_speech());
    let mut caller = Baresip::register(node, 1000, 20, codecs[0], &callers_speech());
    caller.dial(&format!("sip:{number}@{}", node.sip()));
    caller.listen(seconds);
    caller.command("hangup", "");
    agent.event("CALL_CLOSED");
    [caller, agent]
}

fn assert_both_heard([caller, agent]: &[Baresip; 2], seconds: usize) {
    let heard = agent.recorded(Recorded::Heard).compare(&callers_speech());
    assert_same("the agent heard the caller", &heard, seconds);
    let heard = caller.recorded(Recorded::Heard).compare(&agents_speech());
    assert_same("the caller heard the agent", &heard, seconds);
}

#[test]
fn speech_passes_both_ways_without_gap_or_doubling() {
    let node = Node::start(&Setup::new().flows(FLOWS));
    let phones = talk(&node, "agent", ["PCMU", "PCMU"], 8.0);
    assert_both_heard(&phones, 6);
    assert_eq!(node.calls(1)[0]["disposition"], "answered");
    node.stop();
}

#[test]
fn speech_passes_between_ulaw_and_alaw() {
    let node = Node::start(&Setup::new().flows(FLOWS));
    let phones = talk(&node, "agent", ["PCMU", "PCMA"], 8.0);
    assert_both_heard(&phones, 6);
    let codecs =
        node.calls(1)[0]["legs"].as_array().map(|legs| legs.iter().map(|leg| leg["codec"].clone()).collect());
    assert_eq!(codecs, Some(vec!["PCMU".into(), "PCMA".into()]));
    node.stop();
}

#[test]
fn a_phone_that_speaks_tls_calls_and_is_called_on_its_connection() {
    let node = Node::start(&Setup::new().flows(FLOWS).tls());
    let mut agent = Baresip::register_as(&node, Habit::by("tls"), 1001, 0, "PCMU", &agents_speech());
    let mut caller = Baresip::register_as(&node, Habit::by("tls"), 1000, 20, "PCMU", &callers_speech());
    caller.dial(&format!("sip:agent@{}", node.place("tls")));
    caller.listen(6.0);
    caller.command("hangup", "");
    agent.event("CALL_CLOSED");
    assert_both_heard(&[caller, agent], 4);
    assert_eq!(node.calls(1)[0]["disposition"], "answered");
    node.stop();
}

#[test]
fn a_recording_has_one_channel_a_party() {
    let node = Node::start(&Setup::new().flows(FLOWS));
    let _phones = talk(&node, "taped", ["PCMU", "PCMU"], 8.0);
    let cdr = node.calls(1).remove(0);
    let recording = &cdr["recordings"][0];
    assert_eq!(recording["error"], serde_json::Value::Null, "{cdr:#}");
    let path = node.state().join(Path::new(recording["path"].as_str().expect("a recording has a path")));
    let left = Sound::read(&path, 0);
    let right = Sound::read(&path, 1);
    assert_same("left is the caller", &left.compare(&callers_speech()), 6);
    assert_same("right is what the caller heard", &right.compare(&agents_speech()), 6);
    assert!(left.seconds() >= 8.0, "{:.1} s of a call of 8 s", left.seconds());
    node.stop();
}

#[test]
fn a_prompt_is_heard_whole_and_again() {
    let node = Node::start(&Setup::new());
    let mut caller = Baresip::register(&node, 1000, 20, "PCMU", &callers_speech());
    caller.dial(&format!("sip:ivr@{}", node.sip()));
    caller.listen(12.5);
    caller.command("hangup", "");
    caller.event("CALL_CLOSED");
    let twice = "tests/load/client/prompts/ten-seconds.wav";
    let heard = caller.recorded(Recorded::Heard).compare(&speech(&[twice, twice]));
    assert_same("the prompt in a loop", &heard, 10);
    node.stop();
}

/// Who is rung and opens its media is bridged with the caller before it answers. (This baresip listens then, and says
/// nothing yet.)
#[test]
fn early_media_passes_before_the_answer_and_answers_nobody() {
    let node = Node::start(&Setup::new().flows(FLOWS));
    let mut agent = Baresip::register_as(
        &node,
        Habit { answers: "early", ..Habit::default() },
        1001,
        0,
        "PCMU",
        &agents_speech(),
    );
    let mut caller = Baresip::register(&node, 1000, 20, "PCMU", &callers_speech());
    caller.ring(&format!("sip:agent@{}", node.sip()));
    until(Duration::from_secs(10), "the caller is heard", || {
        agent.log().contains("incoming rtp for 'audio'")
    });
    agent.command("hangup", "");
    caller.event("CALL_CLOSED");
    let cdr = &node.calls(1)[0];
    let answered = &cdr["answered"];
    assert_eq!((&cdr["disposition"], answered), (&"busy".into(), &serde_json::Value::Null), "{cdr:#}");
    assert_eq!(cdr["billable_millis"], 0);
    assert_eq!(node.events(1, "bridged_early").len(), 1);
    node.stop();
}

#[test]
fn a_caller_hears_the_ringback_of_the_dialplan() {
    let flows = "numbers: {team: team}\nflows:\n  team:\n    - dial: {to: \"sip:a@127.0.0.1:5080\", ringback: ten-seconds}\n";
    let node = Node::start(&Setup::new().flows(flows));
    let agent = Sipp::callee(&node, "ring", 5080).start();
    let mut caller = Baresip::register(&node, 1000, 20, "PCMU", &callers_speech());
    caller.ring(&format!("sip:team@{}", node.sip()));
    caller.listen(6.0);
    caller.command("hangup", "");
    caller.event("CALL_CLOSED");
    let prompt = speech(&["tests/load/client/prompts/ten-seconds.wav"]);
    assert_same("the prompt", &caller.recorded(Recorded::Heard).compare(&prompt), 4);
    assert_eq!(node.calls(1)[0]["answered"], serde_json::Value::Null);
    assert_eq!(agent.finish().successful(), 1);
    node.stop();
}

#[test]
fn hold_is_silent_for_the_holder_and_resume_goes_on() {
    let node = Node::start(&Setup::new().flows(FLOWS));
    let mut agent = Baresip::register(&node, 1001, 0, "PCMU", &agents_speech());
    let mut caller = Baresip::register(&node, 1000, 20, "PCMU", &callers_speech());
    caller.dial(&format!("sip:agent@{}", node.sip()));
    caller.listen(3.0);
    agent.command("hold", "");
    until(Duration::from_secs(5), "hold in the history", || !node.events(1, "held").is_empty());
    caller.listen(5.0);
    agent.command("resume", "");
    until(Duration::from_secs(5), "resume in the history", || !node.events(1, "resumed").is_empty());
    agent.hears(3.5);
    caller.command("hangup", "");
    agent.event("CALL_CLOSED");
    let after = caller.recorded(Recorded::Heard).last(2.5);
    assert_same("the caller heard the agent again", &after.compare(&agents_speech()), 2);
    assert_eq!(node.calls(1)[0]["disposition"], "answered");
    node.stop();
}

#[test]
fn an_agent_transfers_by_refer_and_the_caller_hears_the_next_one() {
    let node = Node::start(&Setup::new().flows(FLOWS));
    let mut next = Baresip::register(&node, 1002, 12, "PCMU", &callers_speech());
    let mut agent = Baresip::register(&node, 1001, 0, "PCMU", &agents_speech());
    let mut caller = Baresip::register(&node, 1000, 20, "PCMU", &callers_speech());
    caller.dial(&format!("sip:agent@{}", node.sip()));
    caller.listen(2.0);
    agent.command("transfer", &format!("sip:1002@{}", node.sip()));
    agent.event("CALL_CLOSED");
    next.event("CALL_ESTABLISHED");
    caller.listen(7.0);
    caller.command("hangup", "");
    next.event("CALL_CLOSED");
    let after = caller.recorded(Recorded::Heard).last(3.5);
    assert_same("the caller heard the next one", &after.compare(&callers_speech()), 2);
    let cdr = &node.calls(1)[0];
    assert_eq!(cdr["transfers"][0]["outcome"], "done", "{cdr:#}");
    node.stop();
}

/// Asks the node by its command line for a transfer.
fn transfer(node: &Node, arguments: &[&str]) -> String {
    let output = node.ask(&[&["transfer"], arguments].concat());
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    said
}

#[test]
fn an_agent_consults_by_command_and_the_caller_gets_the_one_who_was_consulted() {
    let node = Node::start(&Setup::new().flows(FLOWS));
    let mut next = Baresip::register(&node, 1002, 12, "PCMU", &callers_speech());
    let mut agent = Baresip::register(&node, 1001, 0, "PCMU", &agents_speech());
    let mut caller = Baresip::register(&node, 1000, 20, "PCMU", &callers_speech());
    caller.dial(&format!("sip:agent@{}", node.sip()));
    caller.listen(1.0);
    // Taken back first: the caller and the agent hear each other again.
    transfer(&node, &["1001", "1002", "--consult"]);
    next.event("CALL_ESTABLISHED");
    transfer(&node, &["1001", "--cancel"]);
    next.event("CALL_CLOSED");
    assert!(transfer(&node, &["1001", "1002", "--consult"]).contains("1001 calls 1002 first"));
    next.event("CALL_ESTABLISHED");
    next.listen(2.0);
    transfer(&node, &["1001", "--complete"]);
    agent.event("CALL_CLOSED");
    caller.listen(9.0);
    caller.command("hangup", "");
    next.event("CALL_CLOSED");
    let after = caller.recorded(Recorded::Heard).last(3.5);
    assert_same("the caller heard the next one", &after.compare(&callers_speech()), 2);
    let transfers = &node.calls(1)[0]["transfers"];
    let told = |n: usize| {
        [&transfers[n]["by"], &transfers[n]["outcome"], &transfers[n]["to"]].map(ToString::to_string)
    };
    assert_eq!(told(0), ["\"api\"", "\"cancelled\"", "\"1002\""]);
    assert_eq!(told(1), ["\"api\"", "\"done\"", "\"1002\""]);
    let refused = node.ask(&["transfer", "1001", "1002"]);
    assert!(!refused.status.success());
    assert_eq!(String::from_utf8_lossy(&refused.stderr), "ringdown: the user speaks with nobody\n");
    node.stop();
}
