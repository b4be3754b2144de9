//! `on_error` and `on_hangup`: what is done about failures that nobody has thought of, and when the caller has gone.

use crate::call::Call;
use dialplan::{ConferenceResult, DialResult, MachineInput};

/// A call to `main` of a client; the text begins on line 3.
fn call(client: &str) -> Call {
    let rest = "numbers: {100: main}\nusers: {alice: {password: a}}";
    Call::new(&format!("{rest}{client}"))
}

/// An answered call to a flow of one step, with the handler of the flow below.
fn failing(step: &str) -> Call {
    let mut call = call(&format!(
        "
flows:
  main:
    on_error: [{{play: sorry-nobody}}]
    steps:
      - answer
      - {step}
      - play: goodbye
"
    ));
    call.input(MachineInput::Answered);
    call
}

fn broken(play: u32) -> MachineInput {
    MachineInput::PlayEnded { play, failed: Some("gone".into()) }
}

const SORRY: &str = "flow:on_error | 5 play sorry-nobody | play#";

#[test]
fn whatever_fails_without_a_branch_goes_to_the_handler_of_its_flow() {
    let mut play = failing("play: welcome");
    play.input(broken(0));
    assert!(play.next().ends_with(&format!("play:error | {SORRY}1 sorry-nobody")));

    let mut menu = failing("menu: {prompt: choose, keys: {\"1\": }, tries: 1}");
    menu.keys("2");
    assert!(menu.next().ends_with(&format!("menu:max_tries | {SORRY}1 sorry-nobody")));

    for (result, branch) in
        [(DialResult::Busy, "busy"), (DialResult::NoAnswer, "no_answer"), (DialResult::Failed(500), "failed")]
    {
        let mut dial = failing("dial: alice");
        dial.dial_ended(result);
        assert!(dial.next().ends_with(&format!("dial:{branch} | {SORRY}0 sorry-nobody")));
    }

    let mut room = failing("conference: board");
    room.input(MachineInput::ConferenceEnded(ConferenceResult::Full));
    assert!(room.next().ends_with(&format!("conference:full | {SORRY}0 sorry-nobody")));
    assert!(failing("conference: {room_from: \"' '\"}").next().contains("conference:failed | flow:on_error"));

    assert!(failing("set: {n: 1 / 0}").next().contains("set:error | flow:on_error"));
}

#[test]
fn a_failure_with_a_branch_of_its_own_takes_that() {
    let mut call = failing("dial: {to: alice, busy: }");
    call.dial_ended(DialResult::Busy);
    assert!(call.next().ends_with("dial:busy | 9 play goodbye | play#0 goodbye"));
}

#[test]
fn a_flow_that_runs_in_circles_ends_at_the_handler() {
    let mut call = failing("label: top\n      - dial: {to: alice, busy: {goto: .top}}");
    while !call.next().contains("flow:step_limit | flow:on_error | 5 play sorry-nobody | play#0") {
        call.dial_ended(DialResult::Busy);
        assert!(!call.is_over());
    }
}

#[test]
fn what_fails_in_the_handler_ends_as_it_would_without() {
    let mut call = failing("dial: alice");
    call.dial_ended(DialResult::Busy);
    call.next();
    call.input(broken(0));
    assert_eq!(call.next(), "play:error | hang up");
}

const NESTED: &str = "
client: {on_error: sorry}
flows:
  main:
    steps:
      - answer
      - set: {n: 1}
      - call: outer
  outer:
    inputs: {}
    on_error: [{set: {m: 7}}, {if: {when: m == 7, then: {play: closed}}}]
    steps:
      - call: inner
      - play: goodbye
  inner:
    inputs: {}
    steps: [{dial: alice}]
  sorry:
    - if: {when: n == 1, then: {play: sorry-nobody}}
";

#[test]
fn a_failure_in_a_sub_flow_looks_for_a_handler_among_those_that_called_it() {
    let mut nested = call(NESTED);
    nested.input(MachineInput::Answered);
    nested.dial_ended(DialResult::NoAnswer);
    let heard = nested.next();
    assert!(
        heard.ends_with("flow:on_error | 12 set m | 12 if m == 7 | if:then | 12 play closed | play#0 closed"),
        "{heard}"
    );
    nested.played(0);
    assert_eq!(nested.next(), "call:returned | hang up");

    let mut nested = call(
        &NESTED.replace("    on_error: [{set: {m: 7}}, {if: {when: m == 7, then: {play: closed}}}]\n", ""),
    );
    nested.input(MachineInput::Answered);
    nested.dial_ended(DialResult::NoAnswer);
    let heard = nested.next();
    assert!(
        heard
            .ends_with("flow:on_error | 19 if n == 1 | if:then | 19 play sorry-nobody | play#0 sorry-nobody"),
        "{heard}"
    );
}

#[test]
fn an_unanswered_caller_is_not_turned_away_before_the_handler_was_asked() {
    let mut call = call(
        "
client: {on_error: sorry}
flows:
  main: [{dial: alice}]
  sorry: [answer, {play: sorry-nobody}]
",
    );
    call.dial_ended(DialResult::Busy);
    assert!(call.next().ends_with("dial:busy | flow:on_error | 6 answer | answered"));
}

const GONE: &str = "
client: {on_hangup: gone}
flows:
  main:
    on_hangup: [{set: {ended: \"'main'\"}}, {if: {when: heard == 2, then: {call: {flow: tell, with: {n: heard}}}}}]
    steps:
      - answer
      - set: {heard: 1}
      - menu: {prompt: choose, keys: {\"1\": {goto: other}, \"2\": }}
      - hangup
  other:
    - set: {heard: 2}
    - play: goodbye
  gone:
    - set: {ended: \"'gone'\"}
  tell:
    inputs: {n: int}
    steps: [{set: {n: n + 1}}]
";

#[test]
fn what_is_to_be_done_when_the_caller_has_gone_is_done_once() {
    let mut call = call(GONE);
    call.input(MachineInput::Answered);
    call.next();
    call.input(MachineInput::HungUp);
    assert_eq!(call.next(), "stop#0 | 6 set ended | 6 if heard == 2 | if:else");
    assert!(call.is_over());
    call.input(MachineInput::HungUp);
    assert_eq!(call.next(), "");
}

#[test]
fn the_flow_that_the_call_is_in_says_what_is_done_or_else_the_client() {
    let mut call = call(GONE);
    call.input(MachineInput::Answered);
    call.keys("1");
    call.next();
    call.input(MachineInput::HungUp);
    assert_eq!(call.next(), "stop#1 | 16 set ended");
}

#[test]
fn a_flow_that_hangs_up_does_so_first_and_sub_flows_may_be_called_then() {
    let mut call = call(
        &GONE
            .replace("    - play: goodbye", "    - goto: main.end")
            .replace("      - hangup", "      - label: end\n      - hangup"),
    );
    call.input(MachineInput::Answered);
    call.keys("1");
    assert!(call.next().ends_with("12 hangup | hang up"));
    call.input(MachineInput::HungUp);
    let done = "6 set ended | 6 if heard == 2 | if:then | 6 call tell | 20 set n | call:returned";
    assert_eq!(call.next(), done);
}

#[test]
fn the_variables_of_a_sub_flow_are_there_until_its_own_last_steps_are_done() {
    let mut call = call(
        "
flows:
  main: [answer, {call: {flow: tell, with: {n: 7}}}]
  tell:
    inputs: {n: int}
    on_hangup: [{if: {when: n == 7, then: {set: {n: 8}}}}]
    steps: [{play: welcome}]
",
    );
    call.input(MachineInput::Answered);
    call.next();
    call.input(MachineInput::HungUp);
    assert_eq!(call.next(), "stop#0 | 7 if n == 7 | if:then | 7 set n");
}

#[test]
fn a_rejected_call_has_its_last_steps_too() {
    let mut call = call(
        "
flows:
  main: {on_hangup: [{set: {n: 1}}], steps: [{reject: busy}]}
",
    );
    assert_eq!(call.next(), "4 reject busy | reject 486 Busy Here");
    call.input(MachineInput::HungUp);
    assert_eq!(call.next(), "4 set n");
}
