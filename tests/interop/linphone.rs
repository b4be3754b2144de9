//! linphonec over each transport.

use acceptance::{Linphone, Node, Sound, agents_speech, callers_speech, until};
use std::time::Duration;

use crate::{field, only_call, setup};

/// What a user says: whoever is called next says what the caller does not.
fn speech(user: u16) -> Sound {
    if user == 1000 { callers_speech() } else { agents_speech() }
}

fn phone(node: &Node, transport: &str, user: u16, port: u16) -> Linphone {
    Linphone::register(node, transport, user, port, &speech(user))
}

/// A phone has heard a user in the end. It conceals what comes too late, so that on a machine that has other work most
/// pieces are less like what was said; what another says is not like it at all, in no piece.
fn assert_heard(phone: &Linphone, user: u16) {
    let heard = phone.heard().last(2.5).compare(&speech(user));
    assert!(heard.windows >= 2 && heard.best > 0.9, "{user} was heard: {heard:?}");
}

/// Registers, calls, is called, presses a key, pauses and resumes, and hears and is heard.
fn calls_and_holds(transport: &str) {
    let node = Node::start(&setup().tls());
    let mut agent = phone(&node, transport, 1001, 0);
    let mut caller = phone(&node, transport, 1000, 20);
    caller.dial(&format!("sip:keys@{}", node.place(transport)));
    caller.say("5");
    agent.is_up(1);
    agent.say("pause");
    until(Duration::from_secs(5), "hold in the history", || node.events(1, "held").len() == 1);
    agent.hears("is now paused");
    agent.say("resume");
    agent.is_up(2);
    agent.talk();
    caller.talk();
    agent.listen(4.0);
    caller.listen(4.0);
    caller.say("terminate");
    agent.hears("ended (No error)");
    assert_heard(&agent, 1000);
    assert_heard(&caller, 1001);
    assert_eq!(node.events(1, "digit")[0]["digit"], "5");
    assert_eq!((node.events(1, "held").len(), node.events(1, "resumed").len()), (1, 1));
    assert_eq!(field(&only_call(node), "disposition"), "answered");
}

#[test]
fn udp() {
    calls_and_holds("udp");
}

#[test]
fn tcp() {
    calls_and_holds("tcp");
}

#[test]
fn tls() {
    calls_and_holds("tls");
}

/// The agent hands its caller on to user 1002: without a word, or after a word with it.
fn transfers(transport: &str, attended: bool) {
    let node = Node::start(&setup().tls());
    let place = node.place(transport);
    let next = phone(&node, transport, 1002, 10);
    let mut agent = phone(&node, transport, 1001, 0);
    let mut caller = phone(&node, transport, 1000, 20);
    caller.dial(&format!("sip:agent@{place}"));
    agent.is_up(1);
    if attended {
        agent.say("pause");
        agent.hears("is now paused");
        agent.say(&format!("call sip:next@{place}"));
        agent.is_up(2);
        agent.say("transfer 1 --to-call 2");
    } else {
        agent.say(&format!("transfer sip:1002@{place}"));
    }
    agent.hears("has been transfered");
    next.is_up(1);
    until(Duration::from_secs(10), "the transfer in the history", || {
        node.events(1, "transfer_ended").len() == 1
    });
    caller.say("terminate");
    next.hears("ended (No error)");
    let cdrs = node.calls(if attended { 2 } else { 1 });
    let first = cdrs.iter().find(|cdr| field(cdr, "to") == "agent").expect("the caller's call");
    assert_eq!(first["transfers"][0]["outcome"], "done", "{first:#}");
    node.stop();
}

#[test]
fn transfers_blind_over_udp() {
    transfers("udp", false);
}

#[test]
fn transfers_blind_over_tcp() {
    transfers("tcp", false);
}

#[test]
fn transfers_blind_over_tls() {
    transfers("tls", false);
}

#[test]
fn transfers_attended_over_udp() {
    transfers("udp", true);
}

#[test]
fn transfers_attended_over_tcp() {
    transfers("tcp", true);
}

#[test]
fn transfers_attended_over_tls() {
    transfers("tls", true);
}
