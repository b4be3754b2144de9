//! Calls with SRTP by SDES on one leg, and plain RTP on the other.

use acceptance::{Baresip, Habit, Node, Recorded, Setup, agents_speech, assert_same, callers_speech};

/// Rings user 1001.
const FLOWS: &str = "\
numbers: {agent: agent}
flows:
  agent:
    - dial: {to: [\"1001\"], timeout: 10s}
";

/// The load profile, whose users' media is treated like this.
fn setup(media: &str) -> Setup {
    let client = format!("client: {{name: Load, media: {media}, ");
    Setup::new().flows(FLOWS).replace_in_client("client: {name: Load, ", &client)
}

/// How many lines of a phone's log hold a text: its SIP messages are in there.
fn count(phone: &Baresip, text: &str) -> usize {
    phone.log().lines().filter(|line| line.contains(text)).count()
}

/// A caller and an agent talk; both hear all that the other says.
fn talk(node: &Node, habits: [Habit; 2]) -> [Baresip; 2] {
    let [calls, answers] = habits;
    let mut agent = Baresip::register_as(node, answers, 1001, 0, "PCMU", &agents_speech());
    let mut caller = Baresip::register_as(node, calls, 1000, 20, "PCMU", &callers_speech());
    caller.dial(&format!("sip:agent@{}", node.place(calls.transport)));
    caller.listen(6.0);
    caller.command("hangup", "");
    agent.event("CALL_CLOSED");
    let heard = agent.recorded(Recorded::Heard).compare(&callers_speech());
    assert_same("the agent heard the caller", &heard, 4);
    let heard = caller.recorded(Recorded::Heard).compare(&agents_speech());
    assert_same("the caller heard the agent", &heard, 4);
    assert_eq!(node.calls(1)[0]["disposition"], "answered");
    [caller, agent]
}

/// Whatever the node's settings say: who offers nothing else is answered with it.
#[test]
fn a_phone_that_encrypts_calls_one_that_does_not() {
    let node = Node::start(&Setup::new().flows(FLOWS));
    let [caller, agent] = talk(&node, [Habit::encrypting("udp", "srtp-mand"), Habit::default()]);
    assert!(count(&caller, "RTP/SAVP ") >= 2, "offer and answer: {}", caller.log());
    assert_eq!((count(&agent, "RTP/SAVP "), count(&agent, "a=crypto")), (0, 0));
    node.stop();
}

#[test]
fn a_phone_that_does_not_encrypt_calls_one_that_may() {
    let node = Node::start(&setup("{encryption: optional, keys_in_clear: true}"));
    let [caller, agent] = talk(&node, [Habit::default(), Habit::encrypting("udp", "srtp")]);
    assert_eq!(count(&caller, "a=crypto"), 0);
    // Ours offers two, and its answer takes the first.
    assert_eq!(count(&agent, "a=crypto:1 AEAD_AES_128_GCM"), 2, "{}", agent.log());
    assert_eq!(count(&agent, "a=crypto:2 AES_CM_128_HMAC_SHA1_80"), 1, "{}", agent.log());
    node.stop();
}

/// Over TLS keys are secret.
#[test]
fn phones_that_have_to_encrypt_do_so_over_tls_through_a_hold() {
    let node = Node::start(&setup("{encryption: required}").tls());
    let habit = Habit::encrypting("tls", "srtp-mand");
    let mut agent = Baresip::register_as(&node, habit, 1001, 0, "PCMU", &agents_speech());
    let mut caller = Baresip::register_as(&node, habit, 1000, 20, "PCMU", &callers_speech());
    caller.dial(&format!("sip:agent@{}", node.place("tls")));
    caller.listen(2.0);
    caller.command("hold", "");
    caller.command("resume", "");
    caller.hears(2.0);
    agent.hears(2.0);
    caller.command("hangup", "");
    agent.event("CALL_CLOSED");
    for phone in [&caller, &agent] {
        assert_eq!(count(phone, "RTP/AVP "), 0, "{}", phone.log());
        assert!(count(phone, "RTP/SAVP ") >= 2, "{}", phone.log());
    }
    assert_eq!(node.calls(1)[0]["disposition"], "answered");
    node.stop();
}

#[test]
fn a_call_in_the_clear_is_refused_where_it_has_to_be_encrypted() {
    // To the load profile all callers are a trunk's.
    let trunk = "loopback: {from: [127.0.0.0/8], media: {encryption: required}}";
    let setup = Setup::new().flows(FLOWS).replace("loopback: {from: [127.0.0.0/8]}", trunk);
    let node = Node::start(&setup.tls());
    let mut caller = Baresip::register_as(&node, Habit::by("tls"), 1000, 20, "PCMU", &callers_speech());
    caller.ring(&format!("sip:agent@{}", node.place("tls")));
    caller.event("CALL_CLOSED");
    assert_eq!(count(&caller, "SIP/2.0 488"), 1, "{}", caller.log());
    // Nor do keys help that anybody may have read.
    let mut caller = Baresip::register_as(
        &node,
        Habit::encrypting("udp", "srtp-mand"),
        1002,
        0,
        "PCMU",
        &callers_speech(),
    );
    caller.ring(&format!("sip:agent@{}", node.sip()));
    caller.event("CALL_CLOSED");
    assert_eq!(count(&caller, "SIP/2.0 488"), 1, "{}", caller.log());
    node.stop();
}

/// As browsers do: ICE with a lite agent, and keys by DTLS, with a phone that has neither on the other leg.
#[test]
fn a_phone_with_dtls_and_ice_calls_one_that_does_not_encrypt() {
    let node = Node::start(&Setup::new().flows(FLOWS));
    let [caller, agent] = talk(&node, [Habit::encrypting("udp", "dtls_srtp"), Habit::default()]);
    assert!(count(&caller, "UDP/TLS/RTP/SAVPF ") >= 2, "offer and answer: {}", caller.log());
    // Once ICE is through it offers again, and the handshake goes on.
    assert!(count(&caller, "a=ice-lite") >= 1, "{}", caller.log());
    assert_eq!(count(&caller, "DTLS-SRTP complete"), 1, "{}", caller.log());
    assert_eq!((count(&agent, "RTP/SAVP"), count(&agent, "a=fingerprint")), (0, 0));
    node.stop();
}
