//! Sub-flows: arguments, a scope of their own, results, and how deep they may go.

use crate::call::Call;
use dialplan::{DialResult, MachineInput};

/// A call to `main` of these flows.
fn call(flows: &str) -> Call {
    let rest = "numbers: {100: main}\nusers: {alice: {password: a}}\n";
    Call::new(&format!("{rest}flows:{flows}"))
}

#[test]
fn a_sub_flow_takes_arguments_and_brings_a_result() {
    let mut call = call(
        "
  main:
    - set: {n: 20}
    - call: {flow: sum, with: {a: n + 1, b: 2}, into: total}
    - if: {when: total == 23 && n == 20, then: {reject: busy}}
  sum:
    inputs: {a: int, b: int}
    steps:
      - set: {n: a + b}
      - return: n
",
    );
    let expected = "5 set n | 6 call sum | 11 set n | 12 return n | call:returned | 7 if total == 23 && n == 20 \
                    | if:then | 7 reject busy | reject 486 Busy Here";
    assert_eq!(call.next(), expected);
}

#[test]
fn a_sub_flow_ends_behind_its_last_step_and_may_wait_in_between() {
    let mut call = call(
        "
  main:
    - answer
    - call: ask
    - play: goodbye
  ask:
    inputs: {}
    steps:
      - gather: {into: digits, prompt: choose, max: 1}
      - if: {when: digits == '1', then: {play: welcome}}
",
    );
    call.input(MachineInput::Answered);
    call.keys("1");
    let asked = "5 answer | answered | 6 call ask | 11 gather digits | play#0 choose | stop#0 | key 1 | gather:collected";
    assert_eq!(
        call.next(),
        format!("{asked} | 12 if digits == '1' | if:then | 12 play welcome | play#1 welcome")
    );
    call.played(1);
    assert_eq!(call.next(), "call:returned | 7 play goodbye | play#2 goodbye");
}

#[test]
fn each_call_of_a_sub_flow_has_its_own_variables() {
    let mut call = call(
        "
  main:
    - call: {flow: factorial, with: {n: 5}, into: product}
    - if: {when: product == 120, then: {reject: busy}}
  factorial:
    inputs: {n: int}
    steps:
      - if: {when: n < 2, then: {return: 1}}
      - call: {flow: factorial, with: {n: n - 1}, into: rest}
      - return: n * rest
",
    );
    assert!(call.next().ends_with("reject 486 Busy Here"));
}

#[test]
fn a_result_that_was_not_returned_is_as_if_it_were_never_set() {
    let mut call = call(
        "
  main:
    - set: {found: \"'before'\"}
    - call: {flow: look, with: {found: true}, into: found}
    - if: {when: found == '', then: {reject: busy}}
  look:
    inputs: {found: bool}
    steps:
      - if: {when: found, then: return}
      - return: \"'x'\"
",
    );
    assert!(call.next().ends_with("7 reject busy | reject 486 Busy Here"));
}

const DEEP: &str = "
  main:
    - call: {flow: down, with: {n: 0}, too_deep: {reject: gone}, error: {reject: decline}}
    - reject: busy
  down:
    inputs: {n: int}
    steps:
      - if: {when: n == 99, then: return}
";

#[test]
fn a_flow_that_calls_itself_too_often_takes_the_branch_or_ends_the_call() {
    let mut deep = call(&format!(
        "{DEEP}      - call: {{flow: down, with: {{n: n + 1}}, too_deep: {{goto: bottom}}}}
  bottom: [{{reject: {{status: 499, reason: Deep}}}}]
"
    ));
    let heard = deep.next();
    assert!(heard.ends_with("call:too_deep | 11 goto bottom | 12 reject 499 | reject 499 Deep"), "{heard}");
    assert_eq!(heard.matches("11 call down").count(), 16);
    let mut deep = call(&format!("{DEEP}      - call: {{flow: down, with: {{n: n + 1}}}}\n"));
    assert!(deep.next().ends_with("call:too_deep | reject 480 Temporarily Unavailable"));
}

#[test]
fn an_argument_or_a_result_that_cannot_be_reckoned_takes_the_error_branch() {
    let flows = |with: &str| {
        format!("
  main:
    - set: {{kept: 7}}
    - call: {{flow: half, with: {{n: {with}}}, into: kept, error: {{if: {{when: kept == 7, then: {{reject: gone}}}}}}}}
    - reject: busy
  half:
    inputs: {{n: int}}
    steps: [{{return: 10 / n}}]
")
    };
    for with in ["1 / (kept - 7)", "0"] {
        let heard = call(&flows(with)).next();
        assert!(heard.contains("call:error | 6 if") && heard.ends_with("410 Gone"), "{heard}");
    }
    assert!(call(&flows("5")).next().ends_with("486 Busy Here"));
}

#[test]
fn a_goto_out_of_a_sub_flow_leaves_it_for_good() {
    let mut call = call(
        "
  main:
    - answer
    - set: {n: 1}
    - call: {flow: ring, with: {n: 2}}
    - hangup
  ring:
    inputs: {n: int}
    steps:
      - dial: {to: alice, busy: {goto: sorry}}
      - return
  sorry:
    - if: {when: n == 1, then: {play: sorry-nobody}}
    - set: {n: 3}
",
    );
    call.input(MachineInput::Answered);
    call.dial_ended(DialResult::Busy);
    let heard = call.next();
    assert!(heard.ends_with("if:then | 15 play sorry-nobody | play#0 sorry-nobody"), "{heard}");
    call.played(0);
    assert_eq!(call.next(), "16 set n | hang up");
}

#[test]
fn a_recording_that_fails_breaks_off_from_within_a_sub_flow() {
    let mut call = call(
        "
  main:
    - answer
    - record: {failed: [{if: {when: mine, then: {play: sorry-nobody}}}]}
    - set: {mine: true}
    - call: greet
  greet:
    inputs: {}
    steps: [{play: welcome}]
",
    );
    call.input(MachineInput::Answered);
    call.input(MachineInput::RecordFailed("disk full".into()));
    let heard = call.next();
    assert!(
        heard.ends_with("stop#0 | 6 if mine | if:then | 6 play sorry-nobody | play#1 sorry-nobody"),
        "{heard}"
    );
    call.played(1);
    assert_eq!(call.next(), "hang up");
}
