//! Who answers for a caller: STIR/SHAKEN.

use acceptance::{Carrier, Node, Setup, Sipp, unix_seconds};

use crate::field;

const LOOPBACK: &str = "loopback: {from: [127.0.0.0/8]}";
const CALL: [&str; 2] = ["44201234567", "34911000100"];

/// A node that trusts a carrier, whose flow refuses with 486 whom that knows fully, and with 480 others.
fn verifying(carrier: &Carrier, receive: &str) -> Node {
    Node::start(&carrier.trusted_by(asking(receive)))
}

/// That flow, for the calls from here.
fn asking(receive: &str) -> Setup {
    let flows = "numbers: {\"+34 911 000 100\": main}\n\
                 flows:\n  main:\n    - if: {when: call.verstat == 'passed' && call.attest == 'A', \
                 then: {reject: 486}, else: {reject: 480}}\n";
    let loopback = format!("loopback: {{from: [127.0.0.0/8], stir: {{receive: {receive}}}}}");
    Setup::new().replace(LOOPBACK, &loopback).flows(flows)
}

/// A call that says these fields and is refused with this status.
fn refused(node: &Node, status: u16, fields: &[&str]) {
    let caller = Sipp::caller(node, "call-refused", "+34911000100").status(status);
    let caller = caller.saying("P-Asserted-Identity: <tel:+44201234567>");
    let caller = fields.iter().fold(caller, |caller, field| caller.saying(field));
    assert_eq!(caller.run().successful(), 1);
}

#[test]
fn rfc8588_the_flow_knows_how_well_the_carrier_knows_the_caller() {
    let carrier = Carrier::new();
    let node = verifying(&carrier, "verify");
    refused(&node, 486, &[&carrier.vouches("A", CALL, 0)]);
    refused(&node, 480, &[&carrier.vouches("C", CALL, 0)]);
    refused(&node, 480, &[&carrier.vouches("A", [CALL[0], "34911000199"], 0)]);
    refused(&node, 480, &[]);
    let calls = node.calls(4);
    let verstats: Vec<_> = calls.iter().map(|cdr| field(cdr, "verstat")).collect();
    assert_eq!(verstats, ["passed", "passed", "failed", "none"]);
    assert_eq!(field(&calls[1], "attestation"), "C");
    let told = node.events(3, "caller_verified");
    assert_eq!(told[0]["reason"], "the token is of a call to somebody else");
    node.stop();
}

#[test]
fn rfc8224_7_2_a_certificate_is_fetched_from_where_the_token_says() {
    let mut carrier = Carrier::new();
    let node = Node::start(&carrier.published_to(asking("verify")));
    refused(&node, 480, &[&carrier.vouches("A", CALL, 0)]);
    assert_eq!(field(&node.calls(1)[0], "verstat"), "failed");
    let told = node.events(1, "caller_verified");
    assert!(told[0]["reason"].as_str().is_some_and(|why| why.starts_with("no certificate: ")), "{told:?}");
    node.stop();
    let node = Node::start(&carrier.published_to(asking("verify")));
    let site = carrier.publish(&node);
    refused(&node, 486, &[&carrier.vouches("A", CALL, 0)]);
    drop(site);
    refused(&node, 486, &[&carrier.vouches("A", CALL, 0)]);
    let attestations: Vec<_> = node.calls(2).iter().map(|cdr| cdr["attestation"].clone()).collect();
    assert_eq!(attestations, ["A", "A"], "the second one needs no server");
    node.stop();
}

#[test]
fn rfc8224_6_2_2_a_trunk_that_has_to_answer_for_its_callers_is_told_why_it_does_not() {
    let carrier = Carrier::new();
    let node = verifying(&carrier, "require");
    refused(&node, 486, &[&carrier.vouches("A", CALL, 0)]);
    refused(&node, 428, &[]);
    refused(&node, 403, &[&carrier.vouches("A", CALL, 120)]);
    refused(&node, 438, &[&carrier.vouches("A", ["44201234568", CALL[1]], 0)]);
    // Another carrier's key, and a certificate that is in no file.
    refused(&node, 438, &[&Carrier::new().vouches("A", CALL, 0)]);
    let elsewhere = carrier.vouches("A", CALL, 0).replace("info=<https://certs", "info=<https://other");
    refused(&node, 438, &[&elsewhere]);
    let causes: Vec<_> = node.calls(6).iter().map(|cdr| cdr["cause"]["status"].clone()).collect();
    assert_eq!(causes, [486, 428, 403, 438, 438, 438]);
    node.stop();
}

#[test]
fn rfc8224_4_1_the_node_answers_for_the_numbers_that_its_calls_show() {
    let carrier = Carrier::new();
    let sign = "{key: carrier.key, certificate: \"https://me.example/k.pem\", attest: B, \
                numbers: {\"+34 911 000 100\": A}}";
    let trunk = format!("carrier: {{to: \"sip:127.0.0.1:5080\", health: off, stir: {{sign: {sign}}}}}");
    let flows = "numbers: {\"+34 911 000 100\": out}\n\
                 flows: {out: [{dial: {number: \"+4930123456\", trunk: carrier}}]}\n";
    let setup = Setup::new().replace(LOOPBACK, &format!("{LOOPBACK}\n  {trunk}")).flows(flows);
    let node = Node::start(&carrier.trusted_by(setup));
    let callee = Sipp::callee(&node, "answer", 5080).start();
    assert_eq!(Sipp::caller(&node, "call", "+34911000100").run().successful(), 1);
    let seen = callee.messages();
    assert_eq!(callee.finish().successful(), 1);
    let invite = seen.split("INVITE sip:").nth(1).expect("an INVITE");
    let line = |start: &str| invite.lines().find(|line| line.starts_with(start)).expect(start);
    let identity = line("Identity: ");
    assert!(identity.ends_with(";info=<https://me.example/k.pem>;alg=ES256;ppt=shaken"), "{identity}");
    let [header, claims] = carrier.has_said(identity);
    assert_eq!((&header["typ"], &header["x5u"]), (&"passport".into(), &"https://me.example/k.pem".into()));
    assert_eq!((&claims["attest"], &claims["orig"]["tn"]), (&"A".into(), &"34911000100".into()));
    assert_eq!(claims["dest"]["tn"][0], "4930123456");
    let age = unix_seconds().abs_diff(claims["iat"].as_u64().expect("seconds"));
    assert!(age < 30, "{age} s");
    assert!(line("Date: ").ends_with(" GMT"));
    node.stop();
}
