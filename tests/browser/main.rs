//! Chromium with a phone by SIP.js: over secure WebSocket, by DTLS-SRTP with ICE; and with the node's own pages.

mod pages;

use acceptance::{
    Baresip, Browser, Heard, Manner, Node, Recorded, Setup, agents_speech, callers_speech, speech, until,
};
use serde_json::{Value, json};
use std::time::Duration;

/// Rings user 1001, at once or when a key is pressed, or plays for ever.
const FLOWS: &str = "\
numbers: {agent: agent, web: web, keys: keys, forever: forever}
flows:
  agent:
    - dial: {to: [\"1001\"], timeout: 20s}
  web:
    - dial: {to: [\"1000\"], timeout: 20s}
  keys:
    - answer
    - menu: {prompt: menu, keys: {\"5\": {goto: agent}}, timeout: 5s, tries: 2}
  forever:
    - answer
    - play: {prompts: [ten-seconds], times: forever}
";

/// No codec but that which every browser prefers.
const OPUS: Manner = Manner { codecs: &["opus"], trickles: false };

fn node() -> Node {
    let trunk = "loopback: {from: [127.0.0.2/32]}";
    Node::start(&Setup::new().wss().replace("loopback: {from: [127.0.0.0/8]}", trunk).flows(FLOWS))
}

/// Opus keeps how speech sounds rather than its shape, and a browser stretches and squeezes what it plays.
pub(crate) fn assert_alike(what: &str, heard: &Heard) {
    assert!(heard.windows >= 3 && heard.best > 0.9, "{what}: {heard:?}");
}

#[test]
fn a_browser_calls_a_flow_and_hears_its_prompt() {
    let node = node();
    let mut browser = Browser::register(&node, 1000, OPUS, &callers_speech());
    browser.dial("forever");
    browser.listen(6.0);
    let prompt = speech(&["tests/load/client/prompts/ten-seconds.wav"]);
    assert_alike("the prompt", &browser.heard().compare(&prompt));
    let state = browser.tell("state");
    assert_eq!([&state["codec"], &state["dtls"]], ["audio/opus", "connected"], "{state:#}");
    browser.tell("hangup");
    assert_eq!(node.calls(1)[0]["disposition"], "abandoned_in_flow");
    node.stop();
}

/// A browser, and a phone with G.711 alone.
fn pair(node: &Node, manner: Manner) -> (Browser, Baresip) {
    let phone = Baresip::register(node, 1001, 0, "PCMU", &agents_speech());
    (Browser::register(node, 1000, manner, &callers_speech()), phone)
}

/// Both hear each other for some seconds from now on, and hang up.
fn talk(node: Node, mut browser: Browser, mut phone: Baresip) {
    browser.tell("record");
    browser.listen(5.0);
    phone.hears(1.0);
    assert_alike("the browser heard the phone", &browser.heard().compare(&agents_speech()));
    browser.tell("hangup");
    phone.event("CALL_CLOSED");
    let heard = phone.recorded(Recorded::Heard).last(4.0).compare(&callers_speech());
    assert_alike("the phone heard the browser", &heard);
    assert_eq!(node.calls(1)[0]["disposition"], "answered");
    node.stop();
}

#[test]
fn a_browser_with_opus_calls_a_phone_with_g711() {
    let node = node();
    let (mut browser, mut phone) = pair(&node, OPUS);
    browser.dial("agent");
    phone.event("CALL_ESTABLISHED");
    browser.listen(1.0);
    let state = browser.tell("state");
    talk(node, browser, phone);
    assert_eq!([&state["codec"], &state["dtls"]], ["audio/opus", "connected"], "{state:#}");
}

#[test]
fn a_phone_calls_a_browser() {
    let node = node();
    let (mut browser, mut phone) = pair(&node, Manner::default());
    phone.dial(&format!("sip:web@{}", node.sip()));
    browser.event("established");
    talk(node, browser, phone);
}

#[test]
fn a_key_of_a_browser_reaches_the_menu() {
    let node = node();
    let (mut browser, mut phone) = pair(&node, Manner::default());
    browser.dial("keys");
    browser.ask("digit", json!("5"));
    phone.event("CALL_ESTABLISHED");
    until(Duration::from_secs(5), "the key in the history", || !node.events(1, "digit").is_empty());
    assert_eq!(node.events(1, "digit")[0]["digit"], "5");
    talk(node, browser, phone);
}

#[test]
fn a_browser_holds_and_resumes() {
    let node = node();
    let (mut browser, mut phone) = pair(&node, OPUS);
    browser.dial("agent");
    phone.event("CALL_ESTABLISHED");
    for (command, kind) in [("hold", "held"), ("resume", "resumed")] {
        browser.tell(command);
        until(Duration::from_secs(5), &format!("{kind} in the history"), || node.events(1, kind).len() == 1);
    }
    talk(node, browser, phone);
}

/// The credentials in the description that the browser has of the node.
fn credentials(state: &Value) -> Vec<String> {
    let remote = state["remote"].as_str().expect("a description of the node");
    let is_credential = |line: &&str| line.starts_with("a=ice-ufrag:") || line.starts_with("a=ice-pwd:");
    remote.lines().filter(is_credential).map(str::to_owned).collect()
}

/// As when the browser's network has changed: both sides have new credentials (RFC 8839 4.4.1.1.1, 4.4.2).
#[test]
fn a_browser_restarts_ice() {
    let node = node();
    let (mut browser, mut phone) = pair(&node, OPUS);
    browser.dial("agent");
    phone.event("CALL_ESTABLISHED");
    let before = credentials(&browser.tell("state"));
    browser.tell("restartIce");
    let after = credentials(&browser.tell("state"));
    assert_eq!((before.len(), after.len()), (2, 2));
    assert!(before.iter().all(|line| !after.contains(line)), "{before:?} {after:?}");
    talk(node, browser, phone);
}

/// The offer has no candidate and no place to send to; candidates come by INFO, and by their checks (RFC 8838, 8840).
#[test]
fn a_browser_trickles_its_candidates() {
    let node = node();
    let (mut browser, mut phone) = pair(&node, Manner { trickles: true, ..OPUS });
    browser.dial("agent");
    phone.event("CALL_ESTABLISHED");
    browser.event("INFO 200");
    let log = browser.log();
    let offer = log.split("\nINVITE sip:agent@").nth(1).and_then(|rest| rest.split("WebSocket").next());
    let offer = offer.expect("the offer is in the log");
    assert!(offer.contains("m=audio 9 ") && !offer.contains("a=candidate"), "{offer}");
    let state = browser.tell("state");
    let answer = state["remote"].as_str().unwrap_or_default();
    assert!(answer.contains("a=ice-lite") && answer.contains("a=ice-options:trickle"), "{answer}");
    talk(node, browser, phone);
}
