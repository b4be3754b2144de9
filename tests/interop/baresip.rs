//! baresip over each transport.

use acceptance::{Baresip, Habit, Node, Recorded, Sound, agents_speech, assert_same, callers_speech, until};
use std::time::Duration;

use crate::{field, only_call, setup};

/// What a user says: whoever is called next says what the caller does not.
fn speech(user: u16) -> Sound {
    if user == 1000 { callers_speech() } else { agents_speech() }
}

fn phone(node: &Node, transport: &'static str, user: u16, port: u16) -> Baresip {
    Baresip::register_as(node, Habit::by(transport), user, port, "PCMU", &speech(user))
}

/// At the end of its call a phone has heard a user for some seconds.
fn assert_heard(phone: &Baresip, user: u16) {
    let heard = phone.recorded(Recorded::Heard).last(2.5).compare(&speech(user));
    assert_same(&format!("{user} was heard"), &heard, 2);
}

/// Registers, calls, is called, presses a key, holds, and is heard and hears again.
fn calls_and_holds(transport: &'static str) {
    let node = Node::start(&setup().tls());
    let mut agent = phone(&node, transport, 1001, 0);
    let mut caller = phone(&node, transport, 1000, 20);
    caller.dial(&format!("sip:keys@{}", node.place(transport)));
    caller.command("sndcode", "5");
    agent.event("CALL_ESTABLISHED");
    agent.listen(1.0);
    for (command, kind) in [("hold", "held"), ("resume", "resumed")] {
        agent.command(command, "");
        until(Duration::from_secs(5), &format!("{kind} in the history"), || node.events(1, kind).len() == 1);
    }
    agent.hears(3.5);
    caller.command("hangup", "");
    agent.event("CALL_CLOSED");
    assert_heard(&caller, 1001);
    assert_eq!(node.events(1, "digit")[0]["digit"], "5");
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

/// User 1002, and user 1001 with a caller.
fn agents_and_caller(node: &Node, transport: &'static str) -> [Baresip; 3] {
    let next = phone(node, transport, 1002, 10);
    let mut agent = phone(node, transport, 1001, 0);
    let mut caller = phone(node, transport, 1000, 20);
    caller.dial(&format!("sip:agent@{}", node.place(transport)));
    agent.event("CALL_ESTABLISHED");
    [next, agent, caller]
}

/// The agent hands its caller on to user 1002 without a word (RFC 5589 section 6).
fn transfers_blind(transport: &'static str) {
    let node = Node::start(&setup().tls());
    let place = node.place(transport);
    let [mut next, mut agent, mut caller] = agents_and_caller(&node, transport);
    agent.command("transfer", &format!("sip:1002@{place}"));
    agent.event("CALL_CLOSED");
    next.event("CALL_ESTABLISHED");
    next.listen(4.0);
    caller.command("hangup", "");
    next.event("CALL_CLOSED");
    assert_heard(&next, 1000);
    assert_heard(&caller, 1002);
    let cdr = only_call(node);
    assert_eq!(cdr["transfers"][0]["outcome"], "done", "{cdr:#}");
}

#[test]
fn transfers_blind_over_udp() {
    transfers_blind("udp");
}

#[test]
fn transfers_blind_over_tcp() {
    transfers_blind("tcp");
}

#[test]
fn transfers_blind_over_tls() {
    transfers_blind("tls");
}

/// The dialog of a phone's call to `number`, as Replaces names it in a URI (RFC 3891 section 3): the 200 that answered it.
fn dialog(phone: &Baresip, number: &str) -> String {
    let log = phone.log();
    let messages = log.split("SIP/2.0 200 OK").skip(1);
    let is_it =
        |message: &&str| message.contains(&format!("To: <sip:{number}@")) && message.contains(" INVITE");
    let answer = messages.filter(is_it).last().expect("the call was answered");
    let value = |name: &str| {
        let line = answer.lines().find_map(|line| line.trim().strip_prefix(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("no {name}: {answer}"))
    };
    let tag = |name: &str| value(name).split(";tag=").nth(1).expect("a tag").to_owned();
    format!("{}%3Bto-tag%3D{}%3Bfrom-tag%3D{}", value("Call-ID"), tag("To"), tag("From")).replace('@', "%40")
}

/// The agent speaks with user 1002 first, and then joins the two by REFER with Replaces (RFC 5589 section 7).
fn transfers_attended(transport: &'static str) {
    let node = Node::start(&setup().tls());
    let place = node.place(transport);
    let [mut next, mut agent, mut caller] = agents_and_caller(&node, transport);
    agent.command("hold", "");
    until(Duration::from_secs(5), "hold in the history", || node.events(1, "held").len() == 1);
    agent.dial(&format!("sip:next@{place}"));
    let consultation = dialog(&agent, "next");
    // Its call with the caller is the current one again.
    agent.command("line", "1");
    agent.command("transfer", &format!("<sip:1002@{place}?Replaces={consultation}>"));
    agent.event("CALL_CLOSED");
    agent.event("CALL_CLOSED");
    next.listen(5.0);
    caller.command("hangup", "");
    next.event("CALL_CLOSED");
    assert_heard(&next, 1000);
    assert_heard(&caller, 1002);
    let cdrs = node.calls(2);
    let first = cdrs.iter().find(|cdr| field(cdr, "to") == "agent").expect("the caller's call");
    assert_eq!(first["transfers"][0]["outcome"], "done", "{first:#}");
    node.stop();
}

#[test]
fn transfers_attended_over_udp() {
    transfers_attended("udp");
}

#[test]
fn transfers_attended_over_tcp() {
    transfers_attended("tcp");
}

#[test]
fn transfers_attended_over_tls() {
    transfers_attended("tls");
}
