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

/// That somebody else's speech is heard, and not this.
fn assert_absent(what: &str, heard: &Sound, said: &Sound) {
    let heard = heard.compare(said);
    assert!(heard.windows == 0 || heard.best < 0.6, "{what}: {heard:?}");
}

#[test]
fn three_phones_meet_and_each_hears_who_may_speak_and_never_itself() {
    let node = Node::start(&Setup::new().replace("rtp: {", "rtp: {threads: 3, ").flows(FLOWS));
    let microphones = [callers_speech(), agents_speech(), agents_speech()];
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
    // Alone it hears the room's music.
    phones[0].listen(4.0);
    let music = speech(&["tests/load/client/prompts/ten-seconds.wav"]);
    assert_same("the music", &phones[0].recorded(Recorded::Heard).compare(&music), 2);
    phones[1].dial(&uri);
    phones[2].dial(&uri);
    until(Duration::from_secs(5), "three in the room", || members(&node).len() == 3);
    let [first, second, third] = users.map(|user| contact_of(&node, user));
    rooms(&node, "mute", &second);
    rooms(&node, "mute", &third);
    let end = phones[0].recorded(Recorded::Heard).seconds();
    phones[1].hears(5.0);
    for (number, phone) in phones.iter().enumerate().skip(1) {
        let heard = phone.recorded(Recorded::Heard).last(4.0);
        assert_same(&format!("phone {number} heard the first"), &heard.compare(&microphones[0]), 3);
    }
    let own = phones[0].recorded(Recorded::Heard);
    assert_absent("the first heard itself", &own.last(own.seconds() - end), &microphones[0]);
    until(Duration::from_secs(5), "who speaks", || members(&node)[0]["speaks"] == true);
    // Now the second speaks.
    rooms(&node, "mute", &first);
    rooms(&node, "unmute", &second);
    phones[0].hears(5.0);
    for number in [0, 2] {
        let heard = phones[number].recorded(Recorded::Heard).last(3.5);
        assert_same(&format!("phone {number} heard the second"), &heard.compare(&microphones[1]), 2);
    }
    rooms(&node, "kick", &third);
    phones[2].event("CALL_CLOSED");
    phones[1].command("hangup", "");
    phones[1].event("CALL_CLOSED");
    phones[0].command("hangup", "");
    phones[0].event("CALL_CLOSED");
    check_history(&node, &first, &microphones[0]);
    node.stop();
}

/// The records say who was where, and the recording of the first goes on from its first second to its last.
fn check_history(node: &Node, first: &str, said: &Sound) {
    let calls = node.calls(3);
    for call in &calls {
        assert_eq!((&call["disposition"], &call["rooms"][0]["room"]), (&"answered".into(), &"board".into()));
    }
    let call = calls.iter().find(|call| call["contact"].to_string() == first).expect("its record");
    let path = node.state().join(Path::new(call["recordings"][0]["path"].as_str().expect("a path")));
    assert_same("the recording of the first", &Sound::read(&path, 0).compare(said), 8);
    let trace = node.ask(&["trace", first]);
    let trace = String::from_utf8_lossy(&trace.stdout).into_owned();
    for line in ["comes into the room board, 1 in it", "is mute, by an operator", "leaves the room board"] {
        assert!(trace.contains(line), "{line}: {trace}");
    }
}
