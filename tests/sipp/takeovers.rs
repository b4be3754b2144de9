//! A phone takes the place of another one's leg by INVITE with Replaces (RFC 3891).

use acceptance::{Node, Setup, Sipp, SippRun, until, until_some};
use std::time::Duration;

use crate::field;

const SOON: Duration = Duration::from_secs(10);

/// Calls of the trunk at host 4 ring user 1000; user `stranger` is of another client.
fn node() -> Node {
    let ring = "numbers: {ring: ring}\nflows:\n  ring:\n    - dial: {to: \"1000\", timeout: 20s}\n";
    let stranger = "client: {name: Other}\nusers: {stranger: {password: pwstranger}}\n";
    let setup = Setup::new()
        .replace("loopback: {from: [127.0.0.0/8]}", "loopback: {from: [127.0.0.4/32]}")
        .replace("clients: [client]", "clients: [client, other]")
        .file("other/client.yaml", stranger);
    Node::start(&setup.flows(ring))
}

/// The phone of user 1000, registered, and a caller for whom it rings.
fn called(node: &Node, scenario: &str, caller: &str) -> [SippRun; 2] {
    let registers = Sipp::caller(node, "register", "1000").with(&["-key", "expires", "300"]).run();
    assert_eq!(registers.successful(), 1);
    let phone = Sipp::callee(node, scenario, 5080).at(node.network().socket(2, 5080)).start();
    [phone, Sipp::caller(node, caller, "ring").at(node.network().socket(4, 5080)).start()]
}

/// The dialog of a phone that was called, as the node's end of it is named.
#[derive(Clone)]
struct Dialog {
    call_id: String,
    nodes_tag: String,
    phones_tag: String,
}

impl Dialog {
    /// Of the first response that has both tags.
    fn of(phone: &SippRun) -> Self {
        let read = || {
            let messages = phone.messages();
            let response = messages.split("SIP/2.0 180 ").nth(1)?;
            let value = |name: &str| response.lines().find_map(|line| line.trim().strip_prefix(name));
            let tag = |name: &str| Some(value(name)?.split(";tag=").nth(1)?.to_owned());
            let call_id = value("Call-ID: ")?.to_owned();
            Some(Self { call_id, nodes_tag: tag("From: ")?, phones_tag: tag("To: ")? })
        };
        until_some(SOON, "a dialog of the phone that rings", read)
    }

    /// The Replaces that names it (section 6.1): the tags are the receiver's and the other one's.
    fn replaces(&self) -> String {
        format!("{};to-tag={};from-tag={}", self.call_id, self.nodes_tag, self.phones_tag)
    }
}

/// A phone of `user` that takes a call over.
fn taker(node: &Node, scenario: &str, user: &str, replaces: &str) -> Sipp {
    let phone = Sipp::caller(node, scenario, user).at(node.network().socket(3, 5080));
    let uri = format!("1000@{}", node.sip());
    phone.with(&["-key", "target", "1000", "-auth_uri", &uri, "-key", "replaces", replaces])
}

fn is_refused(node: &Node, user: &str, replaces: &str, status: u16) {
    let refused = taker(node, "take-refused", user, replaces).status(status).run();
    assert_eq!(refused.successful(), 1, "{user}: {replaces}");
}

/// Nobody but a user of the client takes the call over, and nobody who does not know both tags.
fn is_well_guarded(node: &Node, dialog: &Dialog) {
    let wrong = "wrong".to_owned();
    is_refused(node, "1001", &Dialog { nodes_tag: wrong.clone(), ..dialog.clone() }.replaces(), 481);
    is_refused(node, "1001", &Dialog { phones_tag: wrong.clone(), ..dialog.clone() }.replaces(), 481);
    is_refused(node, "1001", &Dialog { call_id: wrong, ..dialog.clone() }.replaces(), 481);
    is_refused(node, "1001", &format!("{};to-tag={}", dialog.call_id, dialog.nodes_tag), 400);
    is_refused(node, "stranger", &dialog.replaces(), 481);
    let trunk = Sipp::caller(node, "call-refused", "ring").at(node.network().socket(4, 5090));
    let refused = trunk.saying(&format!("Replaces: {}", dialog.replaces())).status(403).run();
    assert_eq!(refused.successful(), 1);
}

/// User 1001 has taken the call over after `refused` others and has hung up: what became of user 1000's leg.
fn assert_taken(node: Node, refused: usize, cause: &str, bridges: usize) {
    let cdrs = node.calls(refused + 1);
    let cdr = cdrs.iter().find(|cdr| cdr["contact"] == 1).expect("the caller's call");
    assert!(cdrs.iter().all(|it| it == cdr || field(it, "disposition") == "rejected"), "{cdrs:#?}");
    let legs = cdr["legs"].as_array().expect("legs");
    let parties: Vec<_> = legs.iter().map(|leg| &leg["party"]).collect();
    assert_eq!(legs.len(), 3, "{parties:?}");
    assert_eq!(field(&legs[1]["cause"], "reason"), cause);
    assert_eq!(field(cdr, "disposition"), "answered");
    assert_eq!(node.events(1, "leg_replaced").len(), 1);
    let bridged = node.events(1, "bridged");
    assert_eq!(bridged.len(), bridges);
    assert_eq!(bridged[bridges - 1]["b"], node.events(1, "leg_replaced")[0]["by"], "{bridged:?}");
    node.stop();
}

#[test]
fn rfc3891_3_a_phone_takes_the_call_that_rings_another() {
    let node = node();
    let [rings, caller] = called(&node, "ring", "call-until-bye");
    let dialog = Dialog::of(&rings);
    is_well_guarded(&node, &dialog);
    let takes = taker(&node, "take", "1001", &format!("{};early-only", dialog.replaces())).run();
    let [rings, caller] = [rings, caller].map(|run| run.finish().successful());
    assert_eq!([takes.successful(), rings, caller], [1, 1, 1]);
    assert_taken(node, 6, "picked up", 1);
}

#[test]
fn rfc3891_3_a_phone_takes_the_call_that_another_talks_on() {
    let node = node();
    let [talks, caller] = called(&node, "answer", "call-until-bye");
    let dialog = Dialog::of(&talks);
    until(SOON, "a bridge", || node.events(1, "bridged").len() == 1);
    is_well_guarded(&node, &dialog);
    // Section 3: who wants a call that rings alone does not get one that was answered.
    is_refused(&node, "1001", &format!("{};early-only", dialog.replaces()), 486);
    let takes = taker(&node, "take", "1001", &dialog.replaces()).run();
    let [talks, caller] = [talks, caller].map(|run| run.finish().successful());
    assert_eq!([takes.successful(), talks, caller], [1, 1, 1]);
    assert_taken(node, 7, "replaced", 2);
}
