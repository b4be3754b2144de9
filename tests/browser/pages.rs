//! The node's pages, as people use them.

use crate::assert_alike;
use acceptance::{
    Baresip, Node, Pages, Recorded, Setup, Sipp, Sound, agents_speech, callers_speech, repository, until,
    until_some,
};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

const FLOOR: &str = "\
numbers: {floor: floor}
agents: {1000: {}, 1002: {}}
queues: {floor: {agents: [1000], ring: 20s, wrap_up: 60s}, other: {agents: [1002]}}
flows:
  floor:
    - answer
    - enqueue: floor
";
/// The password of everybody.
const PASSWORD: &str = "a password of everybody";

/// A node with two queues; `anna` is its agent, and `carol` watches.
fn node() -> Node {
    node_with(FLOOR)
}

/// The same, where all calls of the queue are recorded.
fn recording_node() -> Node {
    node_with(&FLOOR.replace("ring: 20s", "ring: 20s, record: always"))
}

fn node_with(flows: &str) -> Node {
    let trunk = "loopback: {from: [127.0.0.2/32]}";
    let setup = Setup::new().wss().replace("loopback: {from: [127.0.0.0/8]}", trunk).flows(flows);
    let node = Node::start(&setup);
    for account in [
        json!({"name": "anna", "role": "agent", "agent": "1000", "clients": ["client"], "password": PASSWORD}),
        json!({"name": "carol", "role": "supervisor", "clients": ["client"], "password": PASSWORD}),
    ] {
        let made = node.as_operator().post("/accounts", &account);
        assert_eq!(made.status, 200, "{made:?}");
    }
    node
}

/// The moment of the first event of a kind, in milliseconds since 1970, once it is there.
fn moment(node: &Node, kind: &str) -> u64 {
    let operator = node.as_operator();
    let utc = until_some(Duration::from_secs(10), kind, || {
        let events = operator.get(&format!("/events?kinds={kind}")).body;
        Some(events["events"][0]["utc"].as_str()?.to_owned())
    });
    let moment: jiff::Timestamp = utc.parse().expect("a time");
    u64::try_from(moment.as_millisecond()).expect("after 1970")
}

#[test]
fn a_caller_who_begins_to_wait_is_on_the_wallboard_within_a_second() {
    let node = node();
    let mut pages = Pages::start(&node, &agents_speech());
    pages.log_in("carol", PASSWORD, "/floor?client=client");
    pages.see("carol", "Nobody waits.");
    pages.see("carol", "● Live");
    let _waits = Sipp::caller(&node, "call-until-bye", "floor").start();
    let seen = pages.see_in("carol", "td a", "caller");
    let entered = moment(&node, "queue_entered");
    assert!(seen < entered + 1_000, "{} ms", seen - entered);
    let cookies = pages.ask("cookies", json!({"who": "carol"}));
    assert_eq!(cookies, "", "no script reads the token");
    let loaded = pages.ask("loaded", json!({"who": "carol"})).as_u64().expect("a count");
    assert!(loaded > 10_000 && loaded < 300 << 10, "{loaded} bytes");
}

/// The floor is watched by carol, and anna is ready at her desk.
fn floor_and_desk(node: &Node) -> Pages {
    let mut pages = Pages::start(node, &agents_speech());
    pages.log_in("carol", PASSWORD, "/floor");
    pages.log_in("anna", PASSWORD, "/agent");
    pages.see("anna", "Phone on");
    pages.press("anna", "Go ready");
    pages.see_in("carol", "[data-agent='1000']", "Ready");
    pages
}

#[test]
fn an_agent_takes_a_caller_of_the_queue_in_its_page_and_both_hear_each_other() {
    let node = node();
    let mut pages = floor_and_desk(&node);
    let mut caller = Baresip::register(&node, 1001, 0, "PCMU", &callers_speech());
    caller.dial(&format!("sip:floor@{}", node.sip()));
    pages.see("anna", "Incoming call");
    pages.see_in("anna", "[aria-label='Caller']", "1001");
    pages.press("anna", "Answer");
    pages.see_in("carol", "[data-agent='1000']", "Talking");
    for (button, kind) in [("Hold", "held"), ("Resume", "resumed")] {
        pages.press("anna", button);
        until(Duration::from_secs(5), kind, || !node.events(1, kind).is_empty());
    }
    pages.see("anna", "Hold");
    let heard = pages.hear("anna", 6.0);
    assert_alike("the agent heard the caller", &heard.last(5.0).compare(&callers_speech()));
    caller.hears(1.0);
    pages.press("anna", "Hang up");
    caller.event("CALL_CLOSED");
    let heard = caller.recorded(Recorded::Heard).last(4.0).compare(&agents_speech());
    // The page has the browser take echo and noise out of what the agent says, which changes its shape.
    assert!(heard.windows >= 3 && heard.best > 0.8, "the caller heard the agent: {heard:?}");
    pages.see("anna", "left to write up");
    pages.ask("fill", json!({"who": "anna", "field": "What came of it", "value": "sold"}));
    pages.press("anna", "Note");
    pages.see("anna", "Noted: sold");
    until(Duration::from_secs(5), "the outcome is in the log", || {
        node.events(1, "disposition_noted").iter().any(|noted| noted["disposition"] == "sold")
    });
    pages.press("anna", "One minute more");
    pages.press("anna", "Finish");
    pages.see_in("carol", "[data-agent='1000']", "Ready");
    assert_eq!(node.calls(1)[0]["disposition"], "answered");
    node.stop();
}

/// More than all of a call that is cut for ten seconds: a phone hangs up when its speech is over.
fn long_speech() -> Sound {
    let prompts =
        ["mailbox-keys", "technical-problem", "invalid", "unavailable", "leave-message", "no-input"];
    let of =
        |language: &str| prompts.map(|prompt| repository().join(format!("prompts/{language}/{prompt}.wav")));
    let paths: Vec<PathBuf> = ["en", "fr", "es"].iter().flat_map(|language| of(language)).collect();
    Sound::join(paths.iter().map(PathBuf::as_path))
}

/// A caller of the queue whom anna has in her page, and all of it is recorded.
fn talk(node: &Node, pages: &mut Pages) -> Baresip {
    let mut caller = Baresip::register(node, 1001, 0, "PCMU", &long_speech());
    caller.dial(&format!("sip:floor@{}", node.sip()));
    pages.see("anna", "Incoming call");
    pages.press("anna", "Answer");
    pages.see("anna", "Hold");
    hears(pages);
    caller
}

/// The caller hears anna again, in the same contact and the same recording, and she hangs up; what the caller has heard.
fn talk_on(node: &Node, pages: &mut Pages, caller: &mut Baresip) -> Sound {
    caller.hears(6.0);
    pages.see_in("carol", "[data-agent='1000']", "Talking");
    pages.press("anna", "Hang up");
    caller.event("CALL_CLOSED");
    let all = caller.recorded(Recorded::Heard);
    let heard = all.last(4.0).compare(&agents_speech());
    assert!(heard.windows >= 3 && heard.best > 0.8, "the caller heard the agent: {heard:?}");
    pages.see("anna", "left to write up");
    let cdrs = node.calls(1);
    assert_eq!((cdrs.len(), &cdrs[0]["disposition"]), (1, &"answered".into()));
    assert_eq!(cdrs[0]["recordings"].as_array().map(Vec::len), Some(1), "{}", cdrs[0]);
    all
}

/// Anna hears the caller.
fn hears(pages: &mut Pages) {
    assert_alike("the agent hears the caller", &pages.hear("anna", 6.0).last(5.0).compare(&long_speech()));
}

#[test]
fn a_call_outlives_its_page_that_is_loaded_anew() {
    let node = recording_node();
    let mut pages = floor_and_desk(&node);
    let mut caller = talk(&node, &mut pages);
    pages.ask("reload", json!({"who": "anna"}));
    pages.see("anna", "Hold");
    until(Duration::from_secs(5), "the page has its call", || node.events(1, "leg_replaced").len() == 1);
    hears(&mut pages);
    talk_on(&node, &mut pages, &mut caller);
    pages.ask("go", json!({"who": "carol", "path": "/call/1"}));
    let seconds = pages.ask("play", json!({"who": "carol"})).as_f64().expect("a length");
    // Each of them has listened for six seconds before and after.
    assert!((18.0..60.0).contains(&seconds), "{seconds} s");
    node.stop();
}

#[test]
fn a_call_outlives_ten_seconds_without_network() {
    let node = recording_node();
    let mut pages = floor_and_desk(&node);
    let mut caller = talk(&node, &mut pages);
    pages.ask("cut", json!({"isCut": true}));
    until(Duration::from_secs(5), "the page is missed", || !node.events(1, "leg_lost").is_empty());
    // Music, for as long as the network is away.
    caller.hears(9.0);
    pages.ask("cut", json!({"isCut": false}));
    until(Duration::from_secs(5), "the page is back", || !node.events(1, "leg_back").is_empty());
    let heard = talk_on(&node, &mut pages, &mut caller);
    let music = Sound::join([repository().join("prompts/hold.wav").as_path()]);
    assert!(heard.likeness(&music) > 0.9, "no music: {:.2}", heard.likeness(&music));
    node.stop();
}

#[test]
fn a_pause_on_one_page_shows_on_the_other() {
    let node = node();
    let mut pages = floor_and_desk(&node);
    pages.press("carol", "Actions 1000");
    pages.ask("choose", json!({"who": "carol", "field": "Pause for", "value": "lunch"}));
    pages.press("carol", "Pause");
    pages.see_in("anna", ".state", "Paused");
    pages.see_in("anna", ".state", "lunch");
    pages.press("anna", "Go ready");
    pages.see_in("carol", "[data-agent='1000']", "Ready");
}

/// `SHOTS` names a folder for pictures of all pages; see `docs/shoot`.
#[test]
fn every_page_is_for_everybody_and_scrolls_down_alone() {
    let node = node();
    let folder = std::env::var("SHOTS").ok();
    let mut pages = Pages::start(&node, &agents_speech());
    let mut found: Vec<Value> = Vec::new();
    let mut look = |pages: &mut Pages, who: &str, name: &str| {
        let looked = pages.ask("look", json!({"who": who, "name": name, "folder": folder}));
        found.extend(looked.as_array().expect("a list").clone());
    };
    pages.ask("open", json!({"who": "nobody", "path": "/"}));
    pages.see("nobody", "Password");
    look(&mut pages, "nobody", "login");
    pages.log_in("anna", PASSWORD, "/agent");
    pages.see("anna", "Phone on");
    pages.press("anna", "Go ready");
    pages.log_in("carol", PASSWORD, "/floor");
    pages.see_in("carol", "[data-agent='1000']", "Ready");
    let mut caller = Baresip::register(&node, 1001, 0, "PCMU", &callers_speech());
    caller.dial(&format!("sip:floor@{}", node.sip()));
    pages.see("anna", "Incoming call");
    let _waits = Sipp::caller(&node, "call-until-bye", "floor").start();
    pages.see_in("carol", "td a", "caller");
    look(&mut pages, "carol", "floor");
    pages.press("carol", "Actions caller");
    pages.see("carol", "Why it waits");
    look(&mut pages, "carol", "caller");
    pages.press("carol", "Close");
    pages.press("anna", "Answer");
    pages.see("anna", "Answered after");
    pages.press("anna", "Keypad");
    look(&mut pages, "anna", "desk");
    pages.press("carol", "Actions 1000");
    pages.see("carol", "Whisper");
    look(&mut pages, "carol", "agent");
    pages.press("anna", "Hang up");
    caller.event("CALL_CLOSED");
    node.calls(1);
    pages.ask("go", json!({"who": "carol", "path": "/floor?tv=1"}));
    pages.see_in("carol", "[data-agent='1000']", "Wrap-up");
    look(&mut pages, "carol", "tv");
    pages.ask("go", json!({"who": "carol", "path": "/floor"}));
    pages.see_in("carol", "[data-agent='1000']", "Wrap-up");
    pages.see_in("carol", "button.figure", "100 %");
    pages.ask("press", json!({"who": "carol", "button": "100 %"}));
    pages.see("carol", "#1");
    look(&mut pages, "carol", "figure");
    pages.ask("go", json!({"who": "carol", "path": "/call"}));
    pages.see("carol", "#1");
    look(&mut pages, "carol", "calls");
    pages.ask("go", json!({"who": "carol", "path": "/call/1"}));
    pages.see("carol", "bridged");
    pages.see("carol", "MOS");
    look(&mut pages, "carol", "call");
    assert!(found.is_empty(), "{found:#?}");
}
