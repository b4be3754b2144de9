//! Recordings by rule: as ciphertext, kept for their time, held, erased and attested.

use acceptance::{Node, Setup, Sipp, Sound, repository, until, until_some};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(15);

fn setup(recording: &str) -> Setup {
    let client = format!("client: {{name: Load, language: en, recording: {recording}}}");
    Setup::new().replace_in_client("client: {name: Load, language: en}", &client)
}

/// A call to `number` that speaks for that long.
fn call(node: &Node, number: &str, seconds: u64) {
    let caller = Sipp::caller(node, "call-speaking", number).alaw().hold(Duration::from_secs(seconds)).run();
    assert_eq!(caller.successful(), 1, "{number}");
}

fn listed(node: &Node, arguments: &[&str]) -> Vec<Value> {
    let shown = node.ask(&[&["recordings", "--json"], arguments].concat());
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    let page: Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    page["recordings"].as_array().expect("a list").clone()
}

fn file(recording: &Value) -> PathBuf {
    PathBuf::from(recording["file"].as_str().expect("a path"))
}

fn number(recording: &Value) -> String {
    recording["recording"].to_string()
}

/// Recordings, the latest first, once there are that many and all are encrypted.
fn encrypted(node: &Node, count: usize) -> Vec<Value> {
    until_some(PATIENCE, "encrypted recordings", || {
        let found = listed(node, &[]);
        (found.len() == count && found.iter().all(|it| it["encrypted"] == true)).then_some(found)
    })
}

fn ask(node: &Node, arguments: &[&str]) -> Result<String, String> {
    let done = node.ask(arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if done.status.success() { Ok(text(&done.stdout)) } else { Err(text(&done.stderr)) }
}

fn count(folder: &Path, ending: &str) -> usize {
    let files = fs::read_dir(folder).expect("a folder").flatten();
    files.filter(|file| file.path().to_string_lossy().ends_with(ending)).count()
}

#[test]
fn nothing_is_recorded_before_the_caller_has_allowed_it_or_after_it_has_refused() {
    let flows = "\
numbers: {yes: yes, no: no, unasked: unasked, changed: changed}
flows:
  yes: [answer, {record: allowed}, {play: ten-seconds}]
  no: [answer, {record: refused}, record, {play: ten-seconds}]
  unasked: [answer, record, {play: ten-seconds}]
  changed: [answer, {record: allowed}, {pause: 1s}, {record: refused}, {play: ten-seconds}]
";
    let node = Node::start(&setup("{calls: always, consent: asked}").flows(flows));
    for number in ["yes", "no", "unasked", "changed"] {
        call(&node, number, 3);
    }
    node.calls(4);
    let found = listed(&node, &[]);
    let found: Vec<_> = found.iter().map(|it| (it["contact"].as_u64(), it["seconds"].as_u64())).collect();
    assert!(matches!(found[..], [(Some(4), Some(1 | 2)), (Some(1), Some(3..=5))]), "{found:?}");
    assert_eq!(node.events(2, "recording_consent")[0]["given"], false);
    assert_eq!(node.events(3, "recording_withheld").len(), 1, "the flow's own wish");
}

#[test]
fn calls_are_recorded_by_rule_and_are_ciphertext_until_they_are_erased() {
    let never = "numbers: {quiet: {flow: ivr, record: never}}\n";
    let node = Node::start(&setup("{calls: always, encrypted: true}").flows(never));
    call(&node, "ivr", 4);
    call(&node, "quiet", 1);
    call(&node, "ivr", 2);
    node.calls(3);
    let found = encrypted(&node, 2);
    let contacts: Vec<_> = found.iter().map(|it| it["contact"].as_u64()).collect();
    assert_eq!(contacts, [Some(3), Some(1)], "the second must not be recorded");
    assert_eq!(node.events(1, "recording_started")[0]["by"], "rule");

    // What is on disk is no sound, and what the node gives is.
    let first = &found[1];
    let folder = file(first).parent().expect("a folder").to_owned();
    assert_eq!((count(&folder, ".wav"), count(&folder, ".wav.sealed")), (0, 2));
    assert!(!fs::read(file(first)).expect("a file").windows(4).any(|it| it == b"RIFF"));
    let clear = node.folder().join("clear.wav");
    ask(&node, &["recordings", "get", &number(first), "-o", &clear.display().to_string()]).expect("written");
    let heard = Sound::read(&clear, 1);
    let prompt = Sound::read(&repository().join("tests/load/client/prompts/ten-seconds.wav"), 0);
    let likeness = heard.likeness(&prompt);
    assert!(heard.seconds() > 3.0 && likeness > 0.9, "{} s, {likeness}", heard.seconds());
    let heard = format!("/recordings/{}/audio", number(first));
    until(PATIENCE, "who has listened is in the log", || {
        let page = node.as_operator().get("/events?after=0&limit=1000&kinds=requested").body;
        page["events"].to_string().contains(&heard)
    });

    // What is held stays, whoever wants what.
    ask(&node, &["recordings", "hold", &number(first), "--why", "a claim", "--by", "carol"]).expect("held");
    // At once, whether the store knows of it yet or not.
    let refused = ask(&node, &["recordings", "erase", &number(first), "--why", "no room"]).expect_err("held");
    assert!(refused.contains("it is held"), "{refused}");
    until(PATIENCE, "it is listed as held", || listed(&node, &[])[1]["held"] == "a claim");
    let all = ["recordings", "erase", "--client", "client", "--all", "--why", "the contract ended"];
    let refused = ask(&node, &all).expect_err("one is held");
    assert!(refused.contains("1 recordings are held"), "{refused}");

    // Those of a number are erased but for what is held, with a certificate.
    let paper = node.folder().join("certificate.json").display().to_string();
    let caller = ["--client", "client", "--number", "caller", "--why", "asked by letter"];
    let erase = [&["recordings", "erase", "--certificate", &paper, "--by", "carol"], &caller[..]].concat();
    let told = ask(&node, &erase).expect("erased");
    assert!(told.starts_with("1 recordings and 0 messages are erased\n1 recordings are held"), "{told}");
    let said = ask(&node, &["recordings", "verify", &paper]).expect("it is right");
    assert!(said.contains("by carol: asked by letter"), "{said}");
    let forged = fs::read_to_string(&paper).expect("a file").replace("carol", "chris");
    fs::write(&paper, forged).expect("written");
    let refused = ask(&node, &["recordings", "verify", &paper]).expect_err("it is forged");
    assert!(refused.contains("not what was signed"), "{refused}");
    assert_eq!(count(&folder, ""), 1);
    until(PATIENCE, "it is listed no more", || listed(&node, &[]).len() == 1);
    assert_eq!(listed(&node, &["--erased"]).len(), 2);
    let gone = &node.events(3, "recording_erased")[0];
    assert_eq!((&gone["why"], &gone["by"]), (&"asked by letter".into(), &"carol".into()));
    assert_eq!(gone["sha256"].as_str().map(str::len), Some(64));

    // Released, it goes with all others and the key.
    ask(&node, &["recordings", "release", &number(first)]).expect("released");
    let told = ask(&node, &all).expect("erased");
    assert_eq!(told, "1 recordings and 0 messages are erased\nthe client's key is destroyed\n");
    assert_eq!((count(&folder, ""), count(&node.state().join("keys"), "client.key")), (0, 0));
    assert_eq!(count(&node.state().join("certificates"), ".json"), 2);
    node.stop();
}

#[test]
fn what_is_recorded_by_rule_cannot_be_stopped_and_is_erased_when_its_time_is_over() {
    let node = Node::start(&setup("{calls: always, keep: 6s, encrypted: true}"));
    let caller = Sipp::caller(&node, "call-speaking", "ivr").alaw().hold(Duration::from_secs(3)).start();
    until(PATIENCE, "it is recorded", || !node.events(1, "recording_started").is_empty());
    let refused = ask(&node, &["record", "1", "stop"]).expect_err("it is by rule");
    assert!(refused.contains("pause or mask"), "{refused}");
    ask(&node, &["record", "1", "mask"]).expect("masked");
    caller.finish();
    node.calls(1);
    call(&node, "ivr", 1);
    node.calls(2);
    let kept = until_some(PATIENCE, "the second", || {
        listed(&node, &[]).into_iter().find(|it| it["contact"] == 2 && !it["seconds"].is_null())
    });
    ask(&node, &["recordings", "hold", &number(&kept), "--why", "a claim"]).expect("held in its time");
    until(PATIENCE, "the first is erased by itself", || !node.events(1, "recording_erased").is_empty());
    let erased = &node.events(1, "recording_erased")[0];
    assert_eq!((&erased["why"], &erased["by"]), (&"its time is over".into(), &Value::Null));
    // The second is older than that by now, too.
    call(&node, "ivr", 4);
    until(PATIENCE, "the third is erased", || !node.events(3, "recording_erased").is_empty());
    let still = listed(&node, &[]).into_iter().find(|it| it["contact"] == 2).expect("it is held");
    assert!(file(&still).exists() && node.events(2, "recording_erased").is_empty());
    node.stop();
}

#[test]
fn what_a_killed_node_was_recording_is_encrypted_when_it_is_back() {
    let node = Node::start(&setup("{calls: always, encrypted: true}"));
    let caller = Sipp::caller(&node, "call-speaking", "ivr").alaw().hold(Duration::from_secs(30)).start();
    let begun = until_some(PATIENCE, "it is recorded", || listed(&node, &[]).into_iter().next());
    assert_eq!((&begun["seconds"], &begun["encrypted"]), (&Value::Null, &false.into()));
    until(PATIENCE, "three seconds of it", || fs::metadata(file(&begun)).is_ok_and(|it| it.len() > 100_000));
    let node = node.crash_and_start_again();
    drop(caller);
    let found = &encrypted(&node, 1)[0];
    assert!(found["seconds"].as_u64().is_some_and(|it| it >= 3), "{found}");
    assert_eq!(node.events(1, "recording_ended")[0]["error"], "interrupted");
    let clear = node.folder().join("clear.wav");
    ask(&node, &["recordings", "get", &number(found), "-o", &clear.display().to_string()]).expect("written");
    assert!(Sound::read(&clear, 0).seconds() >= 2.0);
    node.stop();
}
