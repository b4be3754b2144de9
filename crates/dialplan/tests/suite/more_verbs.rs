//! Loops, lots, waits, PINs and confirmations, and what is heard before the answer.

use crate::call::{Call, flow};
use dialplan::MachineInput;
use std::collections::BTreeMap;

#[test]
fn a_loop_takes_its_steps_so_many_times_and_once_more_when_it_is_taken_up_anew() {
    let mut call = Call::new(&flow(
        "\
- set: {n: 0, rounds: 0}
- label: outer
- loop: {times: 3, do: [{set: {n: n + 1}}]}
- set: {rounds: rounds + 1}
- if: {when: rounds < 2, then: {goto: .outer}}
- if: {when: n == 6, then: {reject: busy}}",
    ));
    let heard = call.next();
    assert!(
        heard.contains(
            "5 loop 3 | loop:1 | 5 set n | loop:2 | 5 set n | loop:3 | 5 set n | loop:done | 6 set"
        ),
        "{heard}"
    );
    assert!(heard.ends_with("reject 486 Busy Here"), "{heard}");
}

#[test]
fn a_loop_can_be_left_and_a_question_within_it_counts_for_itself() {
    let steps = "\
- loop:
    times: 2
    do: [{menu: {prompt: choose, timeout: 1s, tries: 2, keys: {\"1\": {goto: .out}}, max_tries: }}]
- hangup
- label: out
- play: welcome";
    let mut call = Call::answered(steps);
    for play in 0..3 {
        call.played(play);
        call.pass(1_000);
    }
    let heard = call.next();
    assert!(
        heard.contains(
            "play#1 choose | menu:no_input | menu:max_tries | loop:2 | 6 menu choose | play#2 choose"
        ),
        "{heard}"
    );
    call.keys("1");
    assert!(call.next().ends_with("menu:1 | 6 goto .out | 8 label out | 9 play welcome | play#4 welcome"));
}

#[test]
fn a_pause_lasts_and_keeps_the_keys_for_later() {
    let mut call = Call::answered("- pause: 2s\n- gather: {into: a, max: 1}\n- hangup");
    call.keys("5");
    call.pass(1_999);
    assert_eq!(call.next(), "4 pause 2s");
    call.pass(1);
    assert_eq!(call.next(), "5 gather a | key 5 | gather:collected | 6 hangup | hang up");
}

#[test]
fn a_tone_sounds_for_its_time_and_a_broken_one_leaves_the_time_as_it_is() {
    let steps = "- tone: {name: busy, for: 3s}\n- beep\n- tone: congestion";
    let mut call = Call::answered(steps);
    call.pass(2_999);
    assert_eq!(call.next(), "4 tone busy | play#0 busy-tone forever");
    call.pass(1);
    assert_eq!(call.next(), "stop#0 | 5 beep | play#1 beep");
    call.played(1);
    assert_eq!(call.next(), "6 tone congestion | play#2 congestion-tone forever");
    call.input(MachineInput::PlayEnded { play: 2, failed: Some("gone".into()) });
    call.pass(4_999);
    assert_eq!(call.next(), "tone:error");
    call.pass(1);
    assert_eq!(call.next(), "hang up");
}

#[test]
fn a_caller_who_hangs_up_during_a_tone_hears_it_no_more() {
    let mut call = Call::answered("- tone: busy");
    call.input(MachineInput::HungUp);
    assert_eq!(call.next(), "4 tone busy | play#0 busy-tone forever | stop#0");
}

#[test]
fn shares_are_drawn_by_the_seed_and_fall_as_they_are_written() {
    let client = flow("- percent: {20: {reject: busy}, 50: {reject: gone}}\n- reject: decline");
    let mut counts = BTreeMap::new();
    for seed in 0..1_000 {
        let [one, other] = [(); 2].map(|()| Call::seeded(&client, seed).next());
        assert_eq!(one, other);
        *counts.entry(one.rsplit_once("reject ").expect("a rejection").1.to_owned()).or_insert(0) += 1;
    }
    for (answer, from, to) in [("486 Busy Here", 160, 240), ("410 Gone", 450, 550), ("603 Decline", 250, 350)]
    {
        assert!((from..to).contains(&counts[answer]), "{counts:?}");
    }
    assert_eq!(Call::seeded(&client, 7).next().matches("percent:").count(), 2);
}

#[test]
fn a_second_lot_of_a_call_is_another_one() {
    let client = flow("- loop: {times: 20, do: [{percent: {100: }}]}");
    let heard = Call::seeded(&client, 7).next();
    let drawn: std::collections::BTreeSet<&str> =
        heard.split(" | ").filter(|it| it.contains("drew")).collect();
    assert!(drawn.len() > 10, "{drawn:?}");
}

const PIN: &str = "\
- set: {right: \"'0042'\"}
- pin: {prompt: choose, is: right, tries: 2, invalid: {play: invalid}, max_tries: {play: closed}}
- play: welcome";

#[test]
fn a_pin_lets_in_who_types_it_and_no_log_has_its_keys() {
    for keys in ["0042", "0042#", "42#", "9999#", "042#", "00423#", "00420042"] {
        let mut call = Call::answered(PIN);
        call.keys(keys);
        call.pass(2_000);
        let heard = call.next();
        assert!(!heard.contains("key 4") && heard.contains("key •"), "{heard}");
        match keys {
            "0042" | "0042#" => {
                assert!(heard.ends_with("pin:right | 6 play welcome | play#1 welcome"), "{heard}")
            }
            _ => assert!(heard.contains("pin:invalid | 5 play invalid | play#1 invalid"), "{heard}"),
        }
    }
    let mut call = Call::answered(PIN);
    call.keys("1111#");
    call.played(1);
    call.keys("1111#");
    assert!(call.next().ends_with("pin:invalid | pin:max_tries | 5 play closed | play#3 closed"));
}

#[test]
fn a_pin_that_is_not_known_is_never_right() {
    let mut call = Call::answered(
        "- pin: {prompt: choose, is: \"call.diverted_by == '' ? '1' : ''\", tries: 1}\n- play: welcome",
    );
    call.keys("#");
    assert!(call.next().ends_with("key • | pin:invalid | pin:max_tries | hang up"));
}

#[test]
fn a_pin_that_is_typed_too_slowly_is_not_right_and_one_that_is_whole_needs_no_end() {
    let mut call = Call::answered(PIN);
    call.keys("00");
    call.pass(2_000);
    assert!(call.next().contains("key • | key • | pin:invalid"));
}

#[test]
fn keys_behind_a_secret_question_are_no_answer_to_the_next_one() {
    let steps = "- gather: {into: card, prompt: choose, max: 4, secret: true}\n\
                 - menu: {prompt: welcome, keys: {\"5\": {play: closed}}}";
    let mut call = Call::answered(steps);
    call.keys("123456");
    let heard = call.next();
    assert_eq!(heard.matches("key •").count(), 6, "{heard}");
    assert!(!heard.contains("key 5") && !heard.contains("menu:"), "{heard}");
    call.pass(700);
    call.keys("5");
    assert_eq!(call.next(), "key •", "it goes on typing");
    call.pass(800);
    call.keys("5");
    let heard = call.next();
    assert!(heard.contains("key 5 | menu:5"), "{heard}");
}

const CONFIRM: &str = "\
- gather: {into: typed, max: 3, min: 3}
- confirm: {prompt: choose, read: typed, choice: goodbye, yes: {play: welcome}, no: {play: closed}, tries: 2}";

#[test]
fn a_confirmation_reads_back_what_was_typed() {
    for (key, branch) in [
        ("1", "confirm:yes | 5 play welcome | play#1 welcome"),
        ("2", "confirm:no | 5 play closed | play#1 closed"),
    ] {
        let mut call = Call::answered(CONFIRM);
        call.keys("407");
        let heard = call.next();
        assert!(heard.ends_with("5 confirm choose | play#0 choose,en/4,en/0,en/7,goodbye"), "{heard}");
        call.keys(key);
        assert_eq!(call.next(), format!("stop#0 | key {key} | {branch}"));
    }
    let mut call = Call::answered(CONFIRM);
    call.keys("4073");
    let heard = call.next();
    assert!(heard.ends_with("confirm:invalid | play#1 choose,en/4,en/0,en/7,goodbye"), "{heard}");
    call.played(1);
    call.pass(5_000);
    assert_eq!(call.next(), "confirm:no_input | confirm:max_tries | hang up");
}

#[test]
fn an_unanswered_caller_hears_ringing_and_prompts() {
    let mut call = Call::new(&flow("- ring\n- pause: 1s\n- early_media: welcome\n- reject: busy"));
    assert_eq!(call.next(), "3 ring | ringing | 4 pause 1s");
    call.pass(1_000);
    assert_eq!(call.next(), "5 early_media welcome | early media | play#0 welcome");
    call.played(0);
    assert_eq!(call.next(), "6 reject busy | reject 486 Busy Here");
    let mut call = Call::new(&flow("- early_media: {prompts: welcome, error: {reject: gone}}"));
    call.input(MachineInput::PlayEnded { play: 0, failed: Some("no media".into()) });
    assert!(call.next().ends_with("early_media:error | 3 reject gone | reject 410 Gone"));
}
