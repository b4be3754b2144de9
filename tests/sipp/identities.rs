//! Who calls, as trunks say it and as they are told.

use acceptance::{Node, Setup, Sipp};

use crate::field;

const LOOPBACK: &str = "loopback: {from: [127.0.0.0/8]}";

/// A node whose number `+34 911 000 100` leads to a number over the trunk `carrier`, and `desk` to a SIP address.
fn passing_on(caller_id: &str) -> Setup {
    let carrier = format!("carrier: {{to: \"sip:127.0.0.1:5080\", health: off, caller_id: {caller_id}}}");
    let flows = "numbers: {\"+34 911 000 100\": out, desk: desk}\n\
                 flows:\n  out: [{dial: {number: \"+4930123456\", trunk: carrier}}]\n  \
                 desk: [{dial: \"sip:desk@127.0.0.1:5080\"}]\n";
    Setup::new().replace(LOOPBACK, &format!("{LOOPBACK}\n  {carrier}")).flows(flows)
}

/// Calls `number`, the caller saying `fields`: the callee's INVITE, its lines, and the CDR.
fn called(setup: &Setup, number: &str, fields: &[&str]) -> (Vec<String>, serde_json::Value) {
    let node = Node::start(setup);
    let callee = Sipp::callee(&node, "answer", 5080).start();
    let caller =
        fields.iter().fold(Sipp::caller(&node, "call", number), |caller, field| caller.saying(field));
    assert_eq!(caller.run().successful(), 1);
    let seen = callee.messages();
    assert_eq!(callee.finish().successful(), 1);
    let invite = seen.split("INVITE sip:").nth(1).expect("an INVITE");
    let lines = invite.lines().take_while(|line| !line.is_empty()).map(str::to_owned).collect();
    let cdr = node.calls(1)[0].clone();
    node.stop();
    (lines, cdr)
}

/// Whether a line begins so.
fn says(lines: &[String], start: &str) -> bool {
    lines.iter().any(|line| line.starts_with(start))
}

#[test]
fn rfc3325_the_callers_number_is_what_its_carrier_answers_for_and_a_trunk_is_shown_our_own() {
    let said = ["P-Asserted-Identity: \"Ann\" <tel:+44201234567>"];
    let (invite, cdr) = called(&passing_on("{assert: true}"), "+34911000100", &said);
    assert_eq!(field(&cdr, "from"), "+44201234567");
    assert!(says(&invite, "From: <sip:+34911000100@"), "{invite:#?}");
    assert!(says(&invite, "P-Asserted-Identity: <sip:+34911000100@"), "{invite:#?}");
    assert!(!says(&invite, "Diversion"), "{invite:#?}");
}

#[test]
fn rfc5806_a_call_that_is_passed_on_shows_its_caller_and_who_passes_it_on() {
    let said = ["P-Asserted-Identity: <sip:+44201234567@h>"];
    let how = "{show: caller, diversion: both, domain: a.example}";
    let (invite, _) = called(&passing_on(how), "+34911000100", &said);
    assert!(says(&invite, "From: <sip:+44201234567@a.example>;tag="), "{invite:#?}");
    assert!(says(&invite, "Diversion: <sip:+34911000100@a.example>;reason=unconditional"), "{invite:#?}");
    assert!(says(&invite, "History-Info: <sip:+34911000100@a.example>;index=1, "), "{invite:#?}");
}

#[test]
fn rfc3323_a_number_that_is_withheld_reaches_neither_trunk_nor_phone() {
    let said = ["P-Asserted-Identity: <sip:+44201234567@h>", "Privacy: id"];
    let setup = passing_on("{show: caller, assert: true}");
    for number in ["+34911000100", "desk"] {
        let (invite, cdr) = called(&setup, number, &said);
        assert_eq!(field(&cdr, "from"), "anonymous");
        assert!(says(&invite, "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag="), "{invite:#?}");
        assert_eq!(says(&invite, "Privacy: id"), number != "desk", "{invite:#?}");
        assert!(!invite.iter().any(|line| line.contains("44201234567")), "{invite:#?}");
    }
}

#[test]
fn a_phone_sees_the_callers_name() {
    let said = ["P-Asserted-Identity: \"Ann \\\"A\\\" Archer\" <sip:+44201234567@h>"];
    let (invite, _) = called(&passing_on("{}"), "desk", &said);
    assert!(says(&invite, "From: \"Ann \\\"A\\\" Archer\" <sip:+44201234567@"), "{invite:#?}");
}
