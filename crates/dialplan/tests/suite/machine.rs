//! Each verb and each of its branches, stepped on a virtual clock.

use crate::call::{Call, flow};
use dialplan::{ConferenceResult, DialResult, MachineInput};

const MENU: &str = "\
- menu:
    prompt: choose
    keys: {\"1\": {play: welcome}, \"2\": {play: goodbye}}
    no_input: {play: sorry-nobody}
    invalid: {play: invalid}
    max_tries: {play: closed}
    tries: 2
- hangup";

const GATHER: &str = "\
- gather: {into: account, prompt: choose, min: 2, max: 4, max_tries: {play: closed}, tries: 2}
- switch: {on: account, cases: {\"12\": {play: welcome}, \"1234\": {play: goodbye}}, default: {play: invalid}}";

const DIAL_FOR_EVER: &str = "\
- label: top
- dial: {to: alice, busy: {goto: .top}, no_answer: {goto: .top}, failed: {goto: .top}, done: {goto: .top}}";

#[test]
fn a_flow_that_ends_hangs_up() {
    let mut call = Call::new(&flow("- answer"));
    call.input(MachineInput::Answered);
    assert_eq!(call.next(), "3 answer | answered | hang up");
    assert!(call.is_over());
}

#[test]
fn a_flow_that_ends_unanswered_rejects_with_480() {
    let mut call = Call::new(&flow("- set: {a: 1}"));
    assert_eq!(call.next(), "3 set a | reject 480 Temporarily Unavailable");
    assert!(call.is_over());
}

#[test]
fn a_call_over_says_nothing_more() {
    let mut call = Call::answered("- hangup");
    assert_eq!(call.next(), "4 hangup | hang up");
    call.input(MachineInput::Start);
    call.input(MachineInput::RecordFailed("disk full".into()));
    call.input(MachineInput::Answered);
    call.keys("1");
    call.pass(60_000);
    assert_eq!(call.next(), "");
}

#[test]
fn an_answer_that_never_comes_ends_the_call() {
    let mut call = Call::new(&flow("- answer\n- play: welcome"));
    call.pass(9_999);
    assert_eq!(call.next(), "3 answer | answered");
    call.pass(1);
    assert_eq!(call.next(), "answer:timeout | reject 480 Temporarily Unavailable");
}

#[test]
fn a_second_answer_goes_on_at_once() {
    let mut call = Call::answered("- answer\n- play: welcome");
    assert_eq!(call.next(), "4 answer | 5 play welcome | play#0 welcome");
}

#[test]
fn play_goes_on_when_it_ended_and_only_then() {
    let mut call = Call::answered("- play: {prompts: [welcome, choose], times: 2}\n- play: goodbye");
    assert_eq!(call.next(), "4 play welcome,choose | play#0 welcome,choose 2 times");
    call.played(7);
    call.pass(600_000);
    assert_eq!(call.next(), "");
    call.played(0);
    assert_eq!(call.next(), "5 play goodbye | play#1 goodbye");
}

#[test]
fn a_prompt_that_cannot_be_played_takes_the_error_branch_or_goes_on() {
    let failed = |play| MachineInput::PlayEnded { play, failed: Some("gone".into()) };
    let mut call = Call::answered("- play: {prompts: welcome, error: {play: closed}}\n- hangup");
    call.input(failed(0));
    assert_eq!(call.next(), "4 play welcome | play#0 welcome | play:error | 4 play closed | play#1 closed");
    call.input(failed(1));
    assert_eq!(call.next(), "play:error | 5 hangup | hang up");
}

#[test]
fn a_prompt_for_ever_ends_with_the_call() {
    let mut call = Call::answered("- play: {prompts: welcome, times: forever}");
    assert_eq!(call.next(), "4 play welcome | play#0 welcome forever");
    call.input(MachineInput::HungUp);
    assert_eq!(call.next(), "stop#0");
    assert!(call.is_over());
}

#[test]
fn a_menu_key_stops_the_prompt_and_takes_its_branch() {
    let mut call = Call::answered(MENU);
    assert_eq!(call.next(), "4 menu choose | play#0 choose");
    call.keys("1");
    assert_eq!(call.next(), "stop#0 | key 1 | menu:1 | 6 play welcome | play#1 welcome");
    call.played(1);
    assert_eq!(call.next(), "11 hangup | hang up");
}

#[test]
fn a_menu_without_input_asks_again_and_then_gives_up() {
    let mut call = Call::answered(MENU);
    call.played(0);
    call.pass(4_999);
    assert_eq!(call.next(), "4 menu choose | play#0 choose");
    call.pass(1);
    assert_eq!(call.next(), "menu:no_input | 7 play sorry-nobody | play#1 sorry-nobody");
    call.played(1);
    assert_eq!(call.next(), "play#2 choose");
    call.played(2);
    call.pass(5_000);
    assert_eq!(call.next(), "menu:no_input | menu:max_tries | 9 play closed | play#3 closed");
}

#[test]
fn a_wrong_key_is_an_attempt_and_forgets_what_was_typed_ahead() {
    let mut call = Call::answered(&format!("- play: welcome\n{MENU}"));
    call.keys("52");
    assert_eq!(call.next(), "4 play welcome | play#0 welcome");
    call.played(0);
    assert_eq!(call.next(), "5 menu choose | key 5 | menu:invalid | 9 play invalid | play#1 invalid");
    call.played(1);
    assert_eq!(call.next(), "play#2 choose");
    call.keys("2");
    assert_eq!(call.next(), "stop#2 | key 2 | menu:2 | 7 play goodbye | play#3 goodbye");
}

#[test]
fn keys_typed_ahead_answer_a_menu_without_its_prompt() {
    let mut call = Call::answered(&format!("- play: welcome\n{MENU}"));
    call.keys("1");
    call.played(0);
    assert_eq!(
        call.next(),
        "4 play welcome | play#0 welcome | 5 menu choose | key 1 | menu:1 | 7 play welcome | play#1 welcome"
    );
}

#[test]
fn a_menu_without_branches_asks_again_and_hangs_up_in_the_end() {
    let mut call = Call::answered("- menu: {prompt: choose, keys: {\"1\": hangup}, timeout: 1s}");
    call.keys("7");
    assert_eq!(call.next(), "4 menu choose | play#0 choose | stop#0 | key 7 | menu:invalid | play#1 choose");
    call.played(1);
    call.pass(1_000);
    assert_eq!(call.next(), "menu:no_input | play#2 choose");
    call.keys("*");
    assert_eq!(call.next(), "stop#2 | key * | menu:invalid | menu:max_tries | hang up");
}

#[test]
fn a_menu_taken_up_anew_counts_from_the_beginning() {
    let steps = "- label: again\n- menu: {prompt: choose, keys: {\"1\": hangup}, max_tries: {goto: .again}, tries: 1}";
    let mut call = Call::answered(steps);
    for play in 0..3 {
        let asked = format!("4 label again | 5 menu choose | play#{play} choose");
        let asked = if play == 0 {
            asked
        } else {
            format!("menu:no_input | menu:max_tries | 5 goto .again | {asked}")
        };
        assert_eq!(call.next(), asked);
        call.played(play);
        call.pass(5_000);
    }
}

#[test]
fn the_longest_menu_key_wins_within_the_digit_timeout() {
    let steps =
        "- menu: {prompt: choose, keys: {\"1\": {play: welcome}, \"12\": {play: goodbye}, \"3*\": hangup}}";
    let mut call = Call::answered(steps);
    call.keys("1");
    assert_eq!(call.next(), "4 menu choose | play#0 choose | stop#0 | key 1");
    call.pass(1_999);
    assert_eq!(call.next(), "");
    call.pass(1);
    assert_eq!(call.next(), "menu:1 | 4 play welcome | play#1 welcome");

    let mut call = Call::answered(steps);
    call.keys("12");
    assert!(call.next().ends_with("key 1 | key 2 | menu:12 | 4 play goodbye | play#1 goodbye"));

    let mut call = Call::answered(steps);
    call.keys("3");
    call.pass(2_000);
    assert!(call.next().ends_with("key 3 | menu:invalid | play#1 choose"));
}

#[test]
fn a_prompt_of_a_menu_that_cannot_be_played_still_leaves_time_for_a_key() {
    let mut call = Call::answered(MENU);
    call.input(MachineInput::PlayEnded { play: 0, failed: Some("gone".into()) });
    assert_eq!(call.next(), "4 menu choose | play#0 choose | menu:error");
    call.keys("1");
    assert_eq!(call.next(), "key 1 | menu:1 | 6 play welcome | play#1 welcome");
}

#[test]
fn gather_ends_by_terminator_by_count_and_by_time() {
    let mut call = Call::answered(GATHER);
    call.keys("12#");
    assert_eq!(
        call.next(),
        "4 gather account | play#0 choose | stop#0 | key 1 | key 2 | key # | gather:collected | \
         5 switch account | switch:12 | 5 play welcome | play#1 welcome"
    );
    let mut call = Call::answered(GATHER);
    call.keys("1234");
    assert!(call.next().ends_with(
        "key 4 | gather:collected | 5 switch account | switch:1234 | 5 play goodbye | play#1 goodbye"
    ));
    let mut call = Call::answered(GATHER);
    call.keys("123");
    call.pass(2_000);
    assert!(call.next().ends_with(
        "key 3 | gather:collected | 5 switch account | switch:default | 5 play invalid | play#1 invalid"
    ));
}

#[test]
fn gather_refuses_too_few_digits_and_gives_up() {
    let mut call = Call::answered(GATHER);
    call.keys("1#");
    assert!(call.next().ends_with("key # | gather:invalid | play#1 choose"));
    call.played(1);
    call.pass(5_000);
    assert_eq!(call.next(), "gather:no_input | gather:max_tries | 4 play closed | play#2 closed");
}

#[test]
fn a_secret_is_masked_and_none_of_it_is_taken_that_was_typed_ahead() {
    let mut call =
        Call::answered("- play: welcome\n- gather: {into: pin, prompt: choose, max: 4, secret: true}");
    // These are in the recording already.
    call.keys("99");
    call.played(0);
    call.keys("1234");
    let log = call.next();
    assert_eq!(
        log,
        "4 play welcome | play#0 welcome | 5 gather pin | play#1 choose | stop#1 | key • | key • | key • | key • | \
         gather:collected | hang up"
    );
}

#[test]
fn dial_takes_the_branch_of_its_result() {
    let steps = "\
- dial:
    to: [alice, sip:uas@127.0.0.1:5080, {number: \"+34911\", trunk: carrier}]
    mode: sequential
    timeout: 20s
    busy: {play: invalid}
    no_answer: {play: closed}
    failed: {play: sorry-nobody}
    done: {play: goodbye}";
    let ring = "4 dial alice,sip:uas@127.0.0.1:5080,+34911@carrier | \
                ring alice,sip:uas@127.0.0.1:5080,+34911@carrier in turn 20s";
    for (result, branch) in [
        (DialResult::Busy, "dial:busy | 8 play invalid | play#0 invalid"),
        (DialResult::NoAnswer, "dial:no_answer | 9 play closed | play#0 closed"),
        (DialResult::Failed(503), "dial:failed | 10 play sorry-nobody | play#0 sorry-nobody"),
        (DialResult::Done, "dial:done | 11 play goodbye | play#0 goodbye"),
    ] {
        let mut call = Call::answered(steps);
        assert_eq!(call.next(), ring);
        call.keys("123");
        call.dial_ended(result);
        assert_eq!(call.next(), branch);
    }
}

#[test]
fn a_dial_without_branches_passes_its_failure_to_an_unanswered_caller() {
    for (result, end) in [
        (DialResult::Busy, "dial:busy | reject 486 Busy Here"),
        (DialResult::NoAnswer, "dial:no_answer | reject 480 Temporarily Unavailable"),
        (DialResult::Failed(503), "dial:failed | reject 503 Service Unavailable"),
        (DialResult::Failed(302), "dial:failed | reject 500 Server Failure"),
        (DialResult::Done, "dial:done | hang up"),
    ] {
        let mut call = Call::new(&flow("- dial: [alice, bob]"));
        assert_eq!(call.next(), "3 dial alice,bob | ring alice,bob at once 30s");
        call.dial_ended(result);
        assert_eq!(call.next(), end);
    }
    let mut call = Call::answered("- dial: alice");
    call.dial_ended(DialResult::Busy);
    assert!(call.next().ends_with("dial:busy | hang up"));
}

#[test]
fn what_a_caller_hears_while_it_rings_is_the_far_end_a_tone_or_a_prompt() {
    for (written, heard) in [
        ("", ""),
        (", ringback: far", ""),
        (", ringback: tone", " with a tone"),
        (", ringback: welcome", " with welcome"),
    ] {
        let mut call = Call::new(&flow(&format!("- dial: {{to: alice{written}}}")));
        assert_eq!(call.next(), format!("3 dial alice | ring alice at once 30s{heard}"));
    }
}

#[test]
fn a_dial_shows_a_number_of_the_client_however_it_is_typed_or_none() {
    for (caller_id, shown) in [("\"0034 911-000-100\"", "as +34911000100"), ("withheld", "withheld")] {
        let client = format!(
            "numbers: {{\"100\": main, \"+34 911 000 100\": main}}\nusers: {{alice: {{password: a}}}}\n\
             flows: {{main: [{{dial: {{to: alice, caller_id: {caller_id}}}}}]}}\n"
        );
        assert_eq!(Call::new(&client).next(), format!("3 dial alice | ring alice at once 30s {shown}"));
    }
}

#[test]
fn a_caller_who_hangs_up_stops_the_ringing() {
    let mut call = Call::new(&flow("- dial: alice"));
    call.input(MachineInput::HungUp);
    assert_eq!(call.next(), "3 dial alice | ring alice at once 30s | stop ringing");
    assert!(call.is_over());
    call.dial_ended(DialResult::Done);
    assert_eq!(call.next(), "");
}

#[test]
fn a_recording_that_fails_is_noted_and_the_call_goes_on() {
    let mut call = Call::answered("- record\n- play: welcome\n- record: stop");
    call.input(MachineInput::RecordFailed("disk full".into()));
    assert_eq!(call.next(), "4 record | recording | 5 play welcome | play#0 welcome | record:failed");
    call.played(0);
    assert_eq!(call.next(), "6 record stop | recording stopped | hang up");
}

#[test]
fn a_recording_that_must_not_fail_breaks_the_flow_off() {
    let mut call = Call::answered("- record: {failed: [{play: closed}, hangup]}\n- dial: alice");
    call.input(MachineInput::RecordFailed("disk full".into()));
    assert_eq!(
        call.next(),
        "4 record | recording | 5 dial alice | ring alice at once 30s | record:failed | stop ringing | \
         4 play closed | play#0 closed"
    );
    call.input(MachineInput::RecordFailed("disk full".into()));
    assert_eq!(call.next(), "record:failed");
}

#[test]
fn a_conference_takes_codes_and_leaves_other_keys_to_the_room() {
    let mut call = Call::answered(
        "- conference: {room: board, max: 20, muted: true, music: welcome, mute: \"*6\", keys: {\"*0\": {play: closed}}}",
    );
    assert_eq!(call.next(), "4 conference board | conference board of 20 muted welcome/-/-");
    call.keys("7*");
    call.keys("*6");
    assert_eq!(call.next(), "conference:mute | mute");
    // The beginning of a code is forgotten after two seconds.
    call.keys("*");
    call.pass(2_000);
    call.keys("0");
    assert_eq!(call.next(), "");
    call.keys("*0");
    assert_eq!(call.next(), "conference:*0 | leave | 4 play closed | play#0 closed");
}

#[test]
fn a_conference_that_is_full_or_over_has_a_branch_and_else_the_next_step() {
    let steps = "- conference: {room_from: \"'team-' + call.to\", full: {play: closed}}\n- play: welcome";
    for (result, after) in [
        (ConferenceResult::Full, "conference:full | 4 play closed | play#0 closed"),
        (ConferenceResult::Ended, "conference:ended | 5 play welcome | play#0 welcome"),
    ] {
        let mut call = Call::answered(steps);
        let started = "4 conference 'team-' + call.to | conference team-100 of 200 -/-/-";
        assert_eq!(call.next(), started);
        call.input(MachineInput::ConferenceEnded(result));
        assert_eq!(call.next(), after);
        call.input(MachineInput::ConferenceEnded(result));
        assert_eq!(call.next(), "");
    }
    let mut call = Call::answered("- conference: {room_from: call.diverted_by, failed: {play: closed}}");
    assert_eq!(
        call.next(),
        "4 conference call.diverted_by | conference:failed | 4 play closed | play#0 closed"
    );
    let mut call = Call::answered("- conference: board");
    call.input(MachineInput::HungUp);
    assert_eq!(call.next(), "4 conference board | conference board of 200 -/-/- | leave");
}

#[test]
fn variables_hold_what_expressions_give() {
    let steps = "\
- set: {count: 0}
- label: again
- set: {count: count + 1, vip: call.from.startsWith('+34') && count > 1}
- if: {when: \"!vip\", then: {goto: .again}}
- switch: {on: count, cases: {1: {play: invalid}, 2: {play: welcome}}}";
    let mut call = Call::answered(steps);
    assert_eq!(
        call.next(),
        "4 set count | 5 label again | 6 set count,vip | 7 if !vip | if:then | 7 goto .again | 5 label again | \
         6 set count,vip | 7 if !vip | if:else | 8 switch count | switch:2 | 8 play welcome | play#0 welcome"
    );
}

#[test]
fn a_variable_that_was_not_set_yet_is_empty() {
    let steps = "- if: {when: account == '', then: {play: welcome}}\n- gather: {into: account, max: 1}";
    let mut call = Call::answered(steps);
    assert_eq!(call.next(), "4 if account == '' | if:then | 4 play welcome | play#0 welcome");
}

#[test]
fn an_expression_that_fails_at_run_time_takes_the_other_branch() {
    let steps = "\
- set: {a: 1, b: 0}
- set: {a: a / b}
- if: {when: int(call.to + 'x') == 1, then: {play: invalid}, else: {play: welcome}}
- switch: {on: a / b, cases: {1: {play: invalid}}, default: {play: goodbye}}";
    let mut call = Call::answered(steps);
    assert_eq!(
        call.next(),
        "4 set a,b | 5 set a | set:error | 6 if int(call.to + 'x') == 1 | if:error | 6 play welcome | play#0 welcome"
    );
    call.played(0);
    assert!(call.next().contains("switch:error | 7 play goodbye"));
}

#[test]
fn a_flow_in_circles_ends_after_a_thousand_steps() {
    let steps = "- set: {n: 0}\n- label: again\n- set: {n: n + 1}\n- if: {when: n > 0, then: {goto: .again}}\n- hangup";
    let mut call = Call::answered(steps);
    let log = call.next();
    assert!(log.ends_with("flow:step_limit | hang up"), "{log}");
    assert!(log.split(" | ").count() < 1_400);
    assert!(call.is_over());
}

#[test]
fn prompts_that_keep_failing_end_the_call_and_prompts_that_are_heard_do_not() {
    let steps = "- label: again\n- play: welcome\n- goto: .again";
    let mut call = Call::answered(steps);
    for play in 0..1_000 {
        call.pass(500);
        call.played(play);
        assert!(!call.is_over());
    }
    for play in 1_000..1_400 {
        call.input(MachineInput::PlayEnded { play, failed: Some("gone".into()) });
    }
    assert!(call.is_over());
    assert!(call.next().ends_with("flow:step_limit | hang up"));
}

#[test]
fn a_dial_that_fails_at_once_in_circles_ends_the_call() {
    for result in [DialResult::NoAnswer, DialResult::Busy, DialResult::Failed(404), DialResult::Done] {
        let mut call = Call::new(&flow(DIAL_FOR_EVER));
        assert_eq!(rings_until_over(&mut call, result, 0, 1_000), 333, "{result:?}");
        assert!(call.next().contains("flow:step_limit"));
    }
}

#[test]
fn a_phone_that_is_busy_soon_is_not_called_for_ever() {
    let mut call = Call::new(&flow(DIAL_FOR_EVER));
    let rings = rings_until_over(&mut call, DialResult::Busy, 50, 1_000);
    assert!((333..500).contains(&rings), "{rings} calls to it");
}

#[test]
fn a_phone_that_rings_its_time_out_is_called_again_and_again() {
    let mut call = Call::new(&flow(DIAL_FOR_EVER));
    assert_eq!(rings_until_over(&mut call, DialResult::NoAnswer, 20_000, 2_000), 2_000);
    assert!(!call.is_over());
}

#[test]
fn keys_typed_ahead_are_bounded() {
    let mut call = Call::answered("- play: welcome\n- gather: {into: x, max: 64, terminator: none}");
    call.keys(&"7".repeat(500));
    call.played(0);
    assert_eq!(call.next().matches("key 7").count(), 64);
}

#[test]
fn reject_gives_its_status() {
    for (reject, expected) in [
        ("busy", "reject 486 Busy Here"),
        ("404", "reject 404 Not Found"),
        ("{status: 603, reason: Not today}", "reject 603 Not today"),
    ] {
        let mut call = Call::new(&flow(&format!("- reject: {reject}")));
        assert!(call.next().ends_with(expected));
        assert!(call.is_over());
    }
}

#[test]
fn goto_reaches_another_flow_and_a_label_in_it() {
    let client = "numbers: {100: main}\nflows:\n  main: [answer, {goto: other.late}]\n  \
                  other: [answer, {play: invalid}, {label: late}, {play: welcome}]\n";
    let mut call = Call::new(client);
    call.input(MachineInput::Answered);
    assert!(call.next().ends_with("3 goto other.late | 4 label late | 4 play welcome | play#0 welcome"));
}

#[test]
fn hours_tell_open_closed_and_holiday_in_their_zone() {
    let client = "\
numbers: {100: main}
hours:
  office:
    zone: Europe/Madrid
    open: {mon-fri: [09:00-13:00, 14:00-18:00], sat: [22:00-02:00]}
    closed: [2026-12-25]
flows:
  main:
    - hours: {calendar: office, open: {reject: 486}, closed: {reject: 480}, holiday: {reject: 603}}
";
    for (unix, date, branch) in [
        (1_795_422_600, "Mon 2026-11-23 09:30 CET", "open"),
        (1_795_419_000, "Mon 2026-11-23 08:30 CET", "closed"),
        (1_795_437_000, "Mon 2026-11-23 13:30 CET", "closed"),
        (1_795_453_200, "Mon 2026-11-23 18:00 CET", "closed"),
        (1_795_453_199, "Mon 2026-11-23 17:59:59 CET", "open"),
        (1_795_304_400, "Sun 2026-11-22 00:40 CET, of Saturday's night", "open"),
        (1_795_312_800, "Sun 2026-11-22 03:00 CET", "closed"),
        (1_798_192_800, "Fri 2026-12-25 11:00 CET", "holiday"),
        (1_782_804_600, "Tue 2026-06-30 09:30 CEST", "open"),
        (1_782_801_000, "Tue 2026-06-30 08:30 CEST", "closed"),
    ] {
        let mut call = Call::at(client, unix);
        assert!(call.next().contains(&format!("hours:{branch}")), "{date}");
    }
}

#[test]
fn a_flow_knows_whether_somebody_answers_for_the_caller() {
    let mut call = Call::new(&flow(
        "- switch: {on: call.verstat, cases: {failed: {reject: 403}, passed: {set: {full: call.attest == 'A'}}}}\n\
         - if: {when: full, then: {reject: 486}, else: {reject: 480}}\n",
    ));
    // The test's calls have the attestation B.
    let said = call.next();
    assert!(said.contains("switch:passed") && said.contains("reject 480"), "{said}");
}

/// Ends each dial with a result after so many milliseconds; how often it rang until the call was over, at most
/// `most` times.
fn rings_until_over(call: &mut Call, result: DialResult, millis: u64, most: u32) -> u32 {
    let mut rings = 0;
    while !call.is_over() && rings < most {
        call.pass(millis);
        call.dial_ended(result);
        rings += 1;
    }
    rings
}
