//! What `say` says is heard: the recordings of its words, one after the other without a gap.

use acceptance::{Baresip, Node, Recorded, Setup, assert_same, callers_speech, speech};

const FLOWS: &str = "\
numbers: {english: english, german: german}
flows:
  english:
    - answer
    - say: {phone: \"'+34 612 578 490'\"}
  german:
    - answer
    - set: {call.language: \"'de'\"}
    - say: {money: 121345.67, currency: EUR}
";

/// A caller of a number hears these recordings of a language, and is hung up.
fn hears(number: &str, language: &str, words: &str) {
    let setup = Setup::new().replace_in_client("{name: Load, ", "{name: Load, languages: [de], ");
    let node = Node::start(&setup.flows(FLOWS));
    let mut caller = Baresip::register(&node, 1000, 20, "PCMU", &callers_speech());
    caller.dial(&format!("sip:{number}@{}", node.sip()));
    caller.event("CALL_CLOSED");
    let files: Vec<String> =
        words.split_whitespace().map(|word| format!("prompts/{language}/{word}.wav")).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let heard = caller.recorded(Recorded::Heard).compare(&speech(&files));
    assert_same(number, &heard, 4);
    assert_eq!(node.calls(1)[0]["disposition"], "self_service");
    node.stop();
}

#[test]
fn a_caller_hears_a_telephone_number_in_the_language_of_the_client() {
    hears("english", "en", "plus 3 4 pause 6 1 2 pause 5 7 8 pause 4 9 0");
}

#[test]
fn a_caller_hears_an_amount_in_the_language_of_the_call() {
    hears("german", "de", "100 21 thousand 300 45 euro and 67 cent");
}
