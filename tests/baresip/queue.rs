//! A caller waits in a queue: one agent lets it ring, the next one has it.

use acceptance::{
    Baresip, Habit, Node, Recorded, Setup, agents_speech, assert_same, callers_speech, speech, until,
};
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;

const FLOWS: &str = "\
numbers: {line: line}
agents: {1000: {login: automatic}, 1001: {login: automatic}}
queues:
  support: {strategy: linear, agents: [\"1000\", \"1001\"], ring: 4s, wrap_up: 60s, misses: 1, music: ten-seconds}
flows:
  line:
    - answer
    - enqueue: support
";

fn json(node: &Node, arguments: &[&str]) -> Value {
    let shown = node.ask(&[arguments, &["--json"]].concat());
    assert!(shown.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&shown.stderr));
    serde_json::from_slice(&shown.stdout).expect("JSON")
}

/// What an agent does.
fn state(node: &Node, agent: &str) -> String {
    let agents = json(node, &["agents"]);
    let found = agents.as_array().and_then(|all| all.iter().find(|it| it["agent"] == agent).cloned());
    found.expect("the agent is shown")["state"].as_str().expect("a state").to_owned()
}

/// The figures of the only queue.
fn figures(node: &Node) -> Value {
    json(node, &["report", "queues"])["rows"][0]["figures"].clone()
}

fn said(node: &Node, arguments: &[&str]) -> String {
    let output = node.ask(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_caller_waits_with_music_until_an_agent_answers_and_the_log_says_why_it_was_that_one() {
    let node = Node::start(&Setup::new().flows(FLOWS));
    let (agents, callers) = (agents_speech(), callers_speech());
    let manual = Habit { answers: "manual", ..Habit::default() };
    let lazy = Baresip::register_as(&node, manual, 1000, 0, "PCMU", &agents);
    let agent = Baresip::register(&node, 1001, 10, "PCMU", &agents);
    let mut caller = Baresip::register(&node, 1002, 20, "PCMU", &callers);
    assert_eq!((state(&node, "1000"), state(&node, "1001")), ("ready".into(), "ready".into()));
    caller.dial(&format!("sip:line@{}", node.sip()));
    until(Duration::from_secs(5), "the first agent rings", || state(&node, "1000") == "ringing");
    let queues = json(&node, &["queues"]);
    let waiting = &queues[0]["waiting"][0];
    assert_eq!((&waiting["position"], &waiting["offered"][0]), (&1.into(), &"1000".into()), "{queues}");
    until(Duration::from_secs(10), "the second agent has it", || state(&node, "1001") == "talking");
    assert_eq!(state(&node, "1000"), "paused", "it has let a call ring out");
    caller.hears(5.0);
    caller.command("hangup", "");
    caller.event("CALL_CLOSED");
    until(Duration::from_secs(5), "wrap-up", || state(&node, "1001") == "wrap_up");
    said(&node, &["agents", "finish", "1001"]);
    said(&node, &["agents", "ready", "1000"]);
    assert_eq!((state(&node, "1000"), state(&node, "1001")), ("ready".into(), "ready".into()));
    let heard = caller.recorded(Recorded::Heard);
    assert_same("the agent", &heard.last(3.0).compare(&agents), 2);
    let music = speech(&["tests/load/client/prompts/ten-seconds.wav"]);
    assert!(heard.likeness(&music) > 0.9, "no music: {:.2}", heard.likeness(&music));
    let calls = node.calls(1);
    let stay = &calls[0]["queues"][0];
    assert_eq!((&calls[0]["disposition"], &stay["offers"]), (&"answered".into(), &2.into()), "{stay}");
    assert_eq!(stay["outcome"]["answered"], "1001", "{stay}");
    let why = said(&node, &["why", "1"]);
    let lines = ["is offered to 1000:", "agent 1000 does not answer", "is offered to 1001:", "1001 has it"];
    for line in lines {
        assert!(why.contains(line), "{line}: {why}");
    }
    assert!(said(&node, &["trace", "1"]).contains("queue support offers the call to 1000"));
    let visits = figures(&node);
    let names = ["offered", "answered", "handled", "accepted", "missed", "abandoned", "waiting"];
    assert_eq!(names.map(|name| visits[name].as_u64()), [1, 1, 1, 1, 1, 0, 0].map(Some), "{visits}");
    assert!(visits["asa"].as_f64().is_some_and(|seconds| (4.0..10.0).contains(&seconds)), "{visits}");
    assert!(visits["talk"].as_f64().is_some_and(|seconds| seconds > 4.0), "{visits}");
    assert!(visits["abandon_wait"].is_null(), "nobody has abandoned: {visits}");
    let behind = json(&node, &["report", "queues", "--contacts", "missed"]);
    assert_eq!(
        (&behind[0]["contact"], &behind[0]["offers"][0]["agent"]),
        (&1.into(), &"1000".into()),
        "{behind}"
    );
    assert!(said(&node, &["report", "queue-log"]).contains("/support|1001|CONNECT|"));
    let unknown = node.ask(&["agents", "pause", "nobody"]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("there is no such agent"));
    // What agents do outlives the node: who pauses, who has logged out although the plan logs it in.
    said(&node, &["agents", "pause", "1000", "--reason", "lunch"]);
    said(&node, &["agents", "logout", "1001"]);
    until(Duration::from_secs(5), "the log has it", || is_logged(&node, b"logged_out"));
    let node = node.crash_and_start_again();
    assert_eq!((state(&node, "1000"), state(&node, "1001")), ("paused".into(), "logged_out".into()));
    assert_eq!(figures(&node), visits, "a crash changes no figure");
    // Its phone registers again in ten minutes; until then it is called where the log says that it is.
    said(&node, &["agents", "ready", "1000"]);
    caller.dial(&format!("sip:line@{}", node.sip()));
    until(Duration::from_secs(5), "it rings as before", || state(&node, "1000") == "ringing");
    drop((lazy, agent, caller));
    node.stop();
}

const TOLD: &str = "\
numbers: {line: line}
agents: {1000: {login: automatic}}
queues:
  support: {agents: [\"1000\"], announce: {say: position, first: 1s}, whisper: menu}
flows:
  line:
    - answer
    - set: {call.language: \"'de'\"}
    - enqueue: support
";

#[test]
fn a_caller_hears_its_position_in_its_language_and_the_agent_whose_call_it_gets() {
    let setup = Setup::new().replace_in_client("{name: Load, ", "{name: Load, languages: [de], ");
    let node = Node::start(&setup.flows(TOLD));
    let (agents, callers) = (agents_speech(), callers_speech());
    let mut agent = Baresip::register(&node, 1000, 10, "PCMU", &agents);
    let mut caller = Baresip::register(&node, 1002, 20, "PCMU", &callers);
    said(&node, &["agents", "pause", "1000"]);
    caller.dial(&format!("sip:line@{}", node.sip()));
    // Music, then what is told, then music again.
    caller.hears(6.0);
    said(&node, &["agents", "ready", "1000"]);
    until(Duration::from_secs(10), "the agent has it", || state(&node, "1000") == "talking");
    agent.event("CALL_ESTABLISHED");
    caller.hears(7.0);
    caller.command("hangup", "");
    caller.event("CALL_CLOSED");
    agent.event("CALL_CLOSED");
    let (caller, agent) = (caller.recorded(Recorded::Heard), agent.recorded(Recorded::Heard));
    let told = |language: &str| {
        let words = ["position", "1", "in-the-queue"].map(|word| format!("prompts/{language}/{word}.wav"));
        speech(&words.each_ref().map(String::as_str))
    };
    let whisper = speech(&["tests/load/client/prompts/menu.wav"]);
    for (what, sent, heard, is_heard) in [
        ("its position in German", told("de"), &caller, true),
        ("its position in English", told("en"), &caller, false),
        ("what the agent is told, by the agent", whisper.clone(), &agent, true),
        ("what the agent is told, by the caller", whisper, &caller, false),
    ] {
        let likeness = sent.likeness(heard);
        assert_eq!(likeness > 0.9, is_heard, "{what}: {likeness:.2}");
    }
    assert_same("the agent", &caller.last(3.0).compare(&agents), 2);
    assert_same("the caller", &agent.last(3.0).compare(&callers), 2);
    let cdr = &node.calls(1)[0];
    assert_eq!(cdr["queues"][0]["outcome"]["answered"], "1000", "{cdr:#}");
    node.stop();
}

/// Whether a word is in the files of the event log.
fn is_logged(node: &Node, word: &[u8]) -> bool {
    let files = ["ringdown.db-wal", "ringdown.db"].map(|name| node.state().join(name));
    let has = |file: &PathBuf| {
        std::fs::read(file).is_ok_and(|log| log.windows(word.len()).any(|bytes| bytes == word))
    };
    files.iter().any(has)
}
