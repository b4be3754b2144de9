//! The registrar: RFC 3261 section 10, digest by RFC 7616.

use acceptance::{Node, Setup, Sipp, SippRun, Statistics};
use md5::{Digest, Md5};
use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

/// Flows that ring the registered phones of user 1000.
const RING_1000: &str =
    "numbers: {ring: ring}\nflows:\n  ring:\n    - dial: {to: [\"1000\"], timeout: 10s}\n";

/// A phone of user 1000 on the caller's host.
fn phone(node: &Node, scenario: &str, port: u16) -> SippRun {
    Sipp::callee(node, scenario, port).at(node.network().socket(2, port)).start()
}

fn register(node: &Node, scenario: &str, expires: &str) -> Statistics {
    Sipp::caller(node, scenario, "1000").with(&["-key", "expires", expires]).run()
}

#[test]
fn a_digest_registers() {
    let node = Node::start(&Setup::new());
    assert_eq!(register(&node, "register", "300").successful(), 1);
    node.stop();
}

#[test]
fn rfc_3428_a_text_reaches_the_phone_of_another_user_and_what_becomes_of_it_its_sender() {
    let node = Node::start(&Setup::new());
    let reader = node.network().socket(2, 5090);
    let register = Sipp::caller(&node, "register", "1001").at(reader).with(&["-key", "expires", "300"]);
    assert_eq!(register.run().successful(), 1);
    let reader = Sipp::callee(&node, "read", 5090).at(reader).start();
    let text = |target: &str, status: u16| {
        Sipp::caller(&node, "message", "1000").status(status).with(&["-key", "target", target]).run()
    };
    assert_eq!(text("1001", 200).successful(), 1);
    assert_eq!(reader.finish().successful(), 1);
    assert_eq!(text("1002", 480).successful(), 1);
    assert_eq!(text("nobody", 404).successful(), 1);
    node.stop();
}

#[test]
fn over_tcp_too() {
    let node = Node::start(&Setup::new());
    let caller = Sipp::caller(&node, "register", "1000").with(&["-key", "expires", "300"]).tcp().run();
    assert_eq!(caller.successful(), 1);
    node.stop();
}

#[test]
fn a_wrong_password_is_refused() {
    let node = Node::start(&Setup::new());
    assert_eq!(Sipp::caller(&node, "register-wrong", "1000").run().successful(), 1);
    node.stop();
}

#[test]
fn an_unknown_user_is_refused_in_the_same_way() {
    let node = Node::start(&Setup::new());
    assert_eq!(Sipp::caller(&node, "register-wrong", "5000").run().successful(), 1);
    node.stop();
}

#[test]
fn a_stale_nonce_is_called_stale_rfc_7616_section_3_3() {
    let node = Node::start(&Setup::new());
    let (realm, nonce, cnonce) = ("load", "bm9uY2Ugb2YgYW5vdGhlciBwcm9jZXNz", "0a4f113b");
    let uri = format!("sip:{}", node.sip());
    let key = hash(&format!("1000:{realm}:pw1000"));
    let request = hash(&format!("REGISTER:{uri}"));
    let response = hash(&format!("{key}:{nonce}:00000001:{cnonce}:auth:{request}"));
    let fields = node.folder().join("stale.csv");
    fs::write(&fields, format!("SEQUENTIAL\n{realm};{nonce};{uri};{response};{cnonce}\n"))
        .expect("a temporary folder");
    let fields = fields.to_string_lossy().into_owned();
    assert_eq!(Sipp::caller(&node, "register-stale", "1000").with(&["-inf", &fields]).run().successful(), 1);
    node.stop();
}

#[test]
fn too_brief_an_expiry_is_answered_with_423() {
    let node = Node::start(&Setup::new());
    assert_eq!(Sipp::caller(&node, "register-brief", "1000").run().successful(), 1);
    node.stop();
}

#[test]
fn a_registration_expires() {
    let brief = Setup::new()
        .replace("limits: {calls: 20000}", "limits: {calls: 20000, register_expires: {min: 1, max: 3600}}")
        .flows(RING_1000);
    let node = Node::start(&brief);
    register(&node, "register", "1");
    // SIPp's own pause lets the second pass; the phone is not there, so a live registration would give 503.
    let options = ["-sleep", "2"];
    let caller = Sipp::caller(&node, "call-refused", "ring").status(480).with(&options).run();
    assert_eq!(caller.successful(), 1);
    node.stop();
}

#[test]
fn contact_star_removes_every_registration() {
    let node = Node::start(&Setup::new().flows(RING_1000));
    assert_eq!(Sipp::caller(&node, "unregister", "1000").run().successful(), 1);
    assert_eq!(Sipp::caller(&node, "call-refused", "ring").status(480).run().successful(), 1);
    node.stop();
}

#[test]
fn a_registered_phone_is_rung() {
    let node = Node::start(&Setup::new().flows(RING_1000));
    register(&node, "register", "300");
    let phone = phone(&node, "answer", 5080);
    let caller = Sipp::caller(&node, "call", "ring").at(node.network().socket(4, 5080));
    assert_eq!((caller.run().successful(), phone.finish().successful()), (1, 1));
    node.stop();
}

#[test]
fn of_two_phones_the_one_that_answers_has_the_call_and_the_other_is_told() {
    let node = Node::start(&Setup::new().flows(RING_1000));
    assert_eq!(Sipp::caller(&node, "register-two", "1000").run().successful(), 1);
    let slow = phone(&node, "ring-elsewhere", 5090);
    let quick = phone(&node, "answer", 5080);
    let caller =
        Sipp::caller(&node, "call", "ring").at(node.network().socket(4, 5080)).hold(Duration::from_secs(1));
    assert_eq!(caller.run().successful(), 1);
    assert_eq!((quick.finish().successful(), slow.finish().successful()), (1, 1));
    node.calls(1);
    node.stop();
}

fn hash(text: &str) -> String {
    Md5::digest(text).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes all");
        hex
    })
}
