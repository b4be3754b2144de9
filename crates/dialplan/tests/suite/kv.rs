//! `kv`: what is asked of the store of values, and what its answers lead to.

use crate::call::{Call, flow};
use dialplan::{KvResult, MachineInput};

fn answered(steps: &str) -> Call {
    let mut call = Call::answered(steps);
    call.input(MachineInput::Answered);
    call
}

fn done(call: &mut Call, result: KvResult) -> String {
    call.input(MachineInput::KvDone(result));
    call.next()
}

#[test]
fn each_order_names_the_value_by_what_it_is_of() {
    let mut call = answered(
        "- kv: {set: note, of: call.to, to: 2 + 3, keep: 30d}\n- kv: {add: visits, of: call.from, by: 0 - 2, into: n}\n\
         - kv: {delete: note}\n- kv: {get: note, into: note, default: none}\n- if: {when: n == 7 && note == 'none', then: hangup}\n",
    );
    assert_eq!(call.next(), "4 kv set note | Set { key: note/100, value: 5, keep: Some(2592000s) }");
    assert_eq!(
        done(&mut call, KvResult::Done),
        "5 kv add visits | Add { key: visits/+34600111222, by: -2, keep: None }"
    );
    assert_eq!(done(&mut call, KvResult::Value(Some("7".into()))), "6 kv delete note | Delete { key: note }");
    assert_eq!(done(&mut call, KvResult::Done), "7 kv get note | Get { key: note }");
    assert_eq!(
        done(&mut call, KvResult::Value(None)),
        "kv:found | 8 if n == 7 && note == 'none' | if:then | 8 hangup | hang up"
    );
}

#[test]
fn a_value_that_is_not_there_or_of_another_type_is_missing() {
    let steps =
        "- kv: {get: n, into: n, type: int, missing: {play: invalid}, failed: {play: closed}}\n- hangup\n";
    for (result, leads) in [
        (KvResult::Value(Some("12".into())), "kv:found | 5 hangup"),
        (KvResult::Value(Some("x".into())), "kv:missing | 4 play invalid"),
        (KvResult::Value(None), "kv:missing | 4 play invalid"),
        (KvResult::Failed, "kv:failed | 4 play closed"),
    ] {
        let mut call = answered(steps);
        call.next();
        let found = done(&mut call, result);
        assert!(found.starts_with(leads), "{found}");
    }
}

#[test]
fn what_is_too_long_or_cannot_be_reckoned_is_not_kept() {
    for value in ["string(1 / 0)", "call.from + call.from"] {
        let long = format!("'{}'", "x".repeat(190));
        let of =
            if value.starts_with("string") { "call.to".to_owned() } else { format!("{long} + call.from") };
        let mut call =
            answered(&format!("- kv: {{set: n, of: \"{of}\", to: {value}, failed: {{play: closed}}}}\n"));
        assert_eq!(call.next(), "4 kv set n | kv:failed | 4 play closed | play#0 closed", "{value}");
    }
}

#[test]
fn who_has_gone_is_remembered_all_the_same() {
    let client = format!("client: {{on_hangup: gone}}\n{}", flow("- answer\n- play: welcome")).replace(
        "numbers:",
        "  gone:\n    - kv: {add: gone, of: call.from}\n    - kv: {delete: visits}\nnumbers:",
    );
    let mut call = Call::new(&client);
    call.input(MachineInput::Answered);
    call.input(MachineInput::HungUp);
    assert!(call.next().ends_with("Add { key: gone/+34600111222, by: 1, keep: None }"));
    assert!(done(&mut call, KvResult::Value(Some("1".into()))).ends_with("Delete { key: visits }"));
    assert_eq!(done(&mut call, KvResult::Done), "");
    assert!(call.is_over());
}
