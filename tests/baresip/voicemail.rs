//! A caller leaves a message, its owner's phone shows it, and its owner hears it.

use acceptance::{
    Baresip, Node, Recorded, Setup, Sipp, SippRun, Sound, agents_speech, assert_same, callers_speech, until,
    until_some,
};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

const FLOWS: &str = "\
numbers: {leave: leave, listen: listen}
mailboxes:
  support: {pin: \"4711\", users: [\"1000\"], silence: 3s, min: 1s}
flows:
  leave:
    - answer
    - record
    - voicemail: {mailbox: support, too_short: {play: menu}}
  listen:
    - answer
    - mailbox: support
";

/// The only trunk is where nobody is: all are phones.
fn setup() -> Setup {
    Setup::new().replace("loopback: {from: [127.0.0.0/8]}", "loopback: {from: [127.0.0.4/32]}").flows(FLOWS)
}

fn messages(node: &Node) -> Vec<Value> {
    let shown = node.ask(&["voicemail", "support", "--json"]);
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    serde_json::from_slice(&shown.stdout).expect("a JSON array")
}

/// The only message, once there is one.
fn message(node: &Node) -> Value {
    let found = until_some(Duration::from_secs(10), "a message", || messages(node).into_iter().next());
    assert_eq!(
        (&found["mailbox"], &found["from"], &found["heard"]),
        (&box_name(node), &"1002".into(), &false.into())
    );
    found
}

fn box_name(node: &Node) -> Value {
    let client = &node.calls(1)[0]["client"];
    format!("{}/support", client.as_str().expect("a client")).into()
}

fn file(message: &Value) -> PathBuf {
    PathBuf::from(message["file"].as_str().expect("a path"))
}

/// A phone of user 1000 that shows how many messages there are.
fn lamp(node: &Node) -> SippRun {
    let uri = format!("1000@{}", node.sip());
    Sipp::caller(node, "watch-messages", "1000").with(&["-key", "target", "1000", "-auth_uri", &uri]).start()
}

fn shows(lamp: &SippRun, count: &str) {
    let line = format!("Voice-Message: {count} (0/0)");
    until(Duration::from_secs(10), &line, || lamp.messages().contains(&line));
}

#[test]
fn a_message_lights_the_lamp_of_its_owner_who_hears_and_deletes_it() {
    let node = Node::start(&setup());
    let lamp = lamp(&node);
    shows(&lamp, "0/0");
    let callers = callers_speech();
    let mut caller = Baresip::register(&node, 1002, 20, "PCMU", &callers);
    caller.dial(&format!("sip:leave@{}", node.sip()));
    until(Duration::from_secs(20), "the beep is over", || !node.events(1, "voicemail_started").is_empty());
    caller.hears(7.0);
    caller.command("hangup", "");
    let left = message(&node);
    shows(&lamp, "1/0");
    assert!(left["seconds"].as_u64().is_some_and(|seconds| (6..12).contains(&seconds)), "{left}");
    let sound = Sound::read(&file(&left), 0);
    assert_same("the message", &sound.compare(&callers), 4);
    let cdr = &node.calls(1)[0];
    let recordings = &cdr["recordings"];
    assert_eq!(recordings.as_array().map(Vec::len), Some(1), "the call's own: {recordings}");
    assert_eq!(
        (&cdr["disposition"], &cdr["messages"][0]["message"]),
        (&"voicemail".into(), &left["message"])
    );

    let mut owner = Baresip::register(&node, 1000, 30, "PCMU", &agents_speech());
    owner.dial(&format!("sip:listen@{}", node.sip()));
    until(Duration::from_secs(40), "it has been heard", || messages(&node)[0]["heard"] == true);
    shows(&lamp, "0/1");
    owner.command("sndcode", "3");
    until(Duration::from_secs(10), "it is deleted", || messages(&node).is_empty());
    until(Duration::from_secs(5), "its file is gone", || !file(&left).exists());
    owner.event("CALL_CLOSED");
    let heard = owner.recorded(Recorded::Heard);
    let likeness = sound.likeness(&heard);
    assert!(likeness > 0.9, "its owner heard something else: {likeness:.2}");
    let ladder = String::from_utf8_lossy(&node.ask(&["trace", "1"]).stdout).into_owned();
    assert!(ladder.contains("is heard, by 1000") && ladder.contains("is deleted, by 1000"), "{ladder}");
    node.stop();
}

#[test]
fn what_was_said_before_the_node_died_is_a_message_after_it_has_come_back() {
    let node = Node::start(&setup());
    let callers = callers_speech();
    let mut caller = Baresip::register(&node, 1002, 20, "PCMU", &callers);
    caller.dial(&format!("sip:leave@{}", node.sip()));
    until(Duration::from_secs(20), "the beep is over", || !node.events(1, "voicemail_started").is_empty());
    caller.hears(7.0);
    assert!(messages(&node).is_empty(), "it is no message before it is over");
    let node = node.crash_and_start_again();
    let lamp = lamp(&node);
    shows(&lamp, "1/0");
    let left = message(&node);
    let sound = Sound::read(&file(&left), 0);
    assert!(sound.seconds() > 4.0, "{left}");
    assert_same("the message", &sound.compare(&callers), 3);
    let number = left["message"].to_string();
    assert!(node.ask(&["voicemail", "heard", &number]).status.success());
    shows(&lamp, "0/1");
    until(Duration::from_secs(5), "the log has it", || !node.events(1, "voicemail_heard").is_empty());
    drop(caller);
    let node = node.crash_and_start_again();
    assert_eq!(messages(&node)[0]["heard"], true, "that outlives a crash, too");
    assert!(node.ask(&["voicemail", "delete", &number]).status.success());
    let unknown = node.ask(&["voicemail", "delete", &number]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains(&format!("there is no message {number}")));
    node.stop();
}

#[test]
fn who_says_nothing_leaves_no_message() {
    let node = Node::start(&setup());
    // A phone whose microphone ends hangs up.
    let silence = Sound::of(vec![0.0; 40 * 8_000]);
    let mut caller = Baresip::register(&node, 1002, 20, "PCMU", &silence);
    caller.dial(&format!("sip:leave@{}", node.sip()));
    caller.event("CALL_CLOSED");
    let dropped = until_some(Duration::from_secs(5), "the message is dropped", || {
        node.events(1, "voicemail_dropped").into_iter().next()
    });
    assert_eq!(dropped["reason"], "too little was said");
    let branches = node.events(1, "flow_branch");
    assert!(branches.iter().any(|it| it["branch"] == "too_short"), "{branches:?}");
    assert!(messages(&node).is_empty());
    until(Duration::from_secs(5), "its file is gone", || is_empty(&node.state().join("recordings")));
    node.stop();
}

/// Whether no message is left anywhere in a folder.
fn is_empty(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).all(|path| {
        let is_message = path.parent().is_some_and(|it| it.ends_with("voicemail"));
        if path.is_dir() { is_empty(&path) } else { !is_message }
    })
}
