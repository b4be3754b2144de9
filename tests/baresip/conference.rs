//! Three phones in a conference, on a node with three media threads: who hears whom.

use acceptance::{
    Baresip, Node, Recorded, Setup, Sound, agents_speech, assert_same, callers_speech, speech, until,
};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

const FLOWS: &str = "\
numbers: {meet: meet}
flows:
  meet:
    - answer
    - record
    - conference: {room: board, max: 3, music: ten-seconds, full: hangup, ended: hangup}
";

/// The members of the one room.
fn members(node: &Node) -> Vec<Value> {
    let shown = node.ask(&["rooms", "--json"]);
    let rooms: Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    rooms[0]["members"].as_array().cloned().unwrap_or_default()
}

/// The contact of a user in the room.
fn contact_of(node: &Node, user: u16) -> String {
    let name = user.to_string();
    let found = members(node).into_iter().find(|member| member["name"] == name.as_str());
    found.expect("the user is in the room")["contact"].to_string()
}

fn rooms(node: &Node, action: &str, contact: &str) {
    let output = node.ask(&["rooms", action, contact]);
    assert!(output.status.success(), "{action}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Of the first two microphones only that one is heard: any speech is somewhere like any other, up to 0.75 here. (A jitter
/// buffer stretches, so that not every piece is the same.)
fn assert_heard(who: &str, heard: &Sound, microphones: &[Sound; 3], whom: usize) {
    let there = heard.likeness(&microphones[whom]);
    let other = heard.likeness(&microphones[1 - whom]);
    assert!(there > 0.95 && other < 0.85, "{who}: {there:.2} of {whom}, {other:.2} of the other");
}

#[test]
fn three_phones_meet_and_each_hears_who_may_speak_and_never_itself() {
    let node = Node::start(&Setup::new().replace("rtp: {", "rtp: {threads: 3, ").flows(FLOWS));
    // A phone hangs up when its microphone has no more.
    let agent = ["dialplans/acme/demo/agent.wav", "dialplans/acme/prompts/sorry-nobody.wav"];
    let microphones = [callers_speech(), speech(&[agent, agent, agent, agent].concat()), agents_speech()];
    let users = [1000, 1001, 1002];
    let codecs = ["PCMU", "PCMA", "PCMU"];
    let mut phones: Vec<Baresip> = users
        .iter()
        .zip([20, 0, 10])
        .zip(codecs.iter().zip(&microphones))
        .map(|((user, port), (codec, microphone))| Baresip::register(&node, *user, port, codec, microphone))
        .collect();
    let uri = format!("sip:meet@{}", node.sip());
    phones[0].dial(&uri);
    phones[1].dial(&uri);
    phones[2].dial(&uri);
    until(Duration::from_secs(5), "three in the room", || members(&node).len() == 3);
    let [first, second, third] = users.map(|user| contact_of(&node, user));
    rooms(&node, "mute", &second);
    rooms(&node, "mute", &third);
    // The jitter buffer of who speaks finds its wait in the first seconds, by stretching.
    phones[2].listen(8.0);
    until(Duration::from_secs(5), "who speaks", || members(&node)[0]["speaks"] == true);
    rooms(&node, "kick", &third);
    phones[2].event("CALL_CLOSED");
    // Now the second speaks.
    rooms(&node, "mute", &first);
    rooms(&node, "unmute", &second);
    phones[0].hears(7.0);
    phones[0].command("hangup", "");
    phones[0].event("CALL_CLOSED");
    // Alone it hears the room's music.
    phones[1].listen(21.0);
    phones[1].command("hangup", "");
    phones[1].event("CALL_CLOSED");
    let music = speech(&["tests/load/client/prompts/ten-seconds.wav"]);
    assert_same("the music", &phones[1].recorded(Recorded::Heard).last(4.0).compare(&music), 2);
    // Comparing takes longer than microphones last.
    assert_heard("the third", &phones[2].recorded(Recorded::Heard).last(3.5), &microphones, 0);
    let heard = phones[0].recorded(Recorded::Heard);
    assert_heard("the first", &heard.last(3.5), &microphones, 1);
    let own = heard.likeness(&microphones[0]);
    assert!(own < 0.85, "the first heard itself: {own:.2}");
    check_history(&node, &first, &microphones[0]);
    node.stop();
}

/// The records say who was where, and the recording of the first goes on from its first second to its last.
fn check_history(node: &Node, first: &str, said: &Sound) {
    let calls = node.calls(3);
    for call in &calls {
        assert_eq!((&call["disposition"], &call["rooms"][0]["room"]), (&"answered".into(), &"board".into()));
    }
    let contact: u64 = first.parse().expect("a contact's number");
    let call = calls.iter().find(|call| call["contact"] == contact).expect("its record");
    let path = node.state().join(Path::new(call["recordings"][0]["path"].as_str().expect("a path")));
    assert_same("the recording of the first", &Sound::read(&path, 0).compare(said), 8);
    let trace = node.ask(&["trace", first]);
    let trace = String::from_utf8_lossy(&trace.stdout).into_owned();
    for line in ["comes into the room board, 1 in it", "is mute, by an operator", "leaves the room board"] {
        assert!(trace.contains(line), "{line}: {trace}");
    }
}
