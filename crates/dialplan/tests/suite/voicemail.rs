//! `voicemail` and `mailbox`: how a message is left, and how its owner hears it.

use crate::call::{Call, flow};
use dialplan::{LeftMessage, MachineInput, MailboxResult, MessageResult};

const BOX: &str = "mailboxes: {support: {pin: \"4711\", users: [alice], silence: 5s, max: 1m}}\n";

/// A call that is answered and at its first step.
fn answered(steps: &str) -> Call {
    let mut call = Call::new(&(flow(&format!("- answer\n{steps}")) + BOX));
    call.input(MachineInput::Answered);
    call.next();
    call
}

fn told(call: &mut Call, result: MailboxResult) -> String {
    call.input(MachineInput::MailboxDone(result));
    call.next()
}

fn ended(call: &mut Call, result: MessageResult) -> String {
    call.input(MachineInput::MessageEnded(result));
    call.next()
}

const STEPS: &str = "- voicemail: {mailbox: support, too_short: {play: invalid}, full: {play: closed}, failed: hangup}\n\
                     - play: goodbye\n";

#[test]
fn a_message_is_taken_behind_greeting_and_beep_and_ends_by_key_or_time() {
    let mut call = answered(STEPS);
    assert_eq!(told(&mut call, MailboxResult::Room), "play#0 en/leave-message");
    call.played(0);
    assert_eq!(call.next(), "play#1 beep");
    call.played(1);
    assert_eq!(call.next(), "take a message for support");
    call.keys("5");
    assert_eq!(call.next(), "", "other keys are a part of what is said");
    call.keys("#");
    assert_eq!(call.next(), "key # | end the message");
    assert_eq!(ended(&mut call, MessageResult::Left), "voicemail:left | 5 play goodbye | play#2 goodbye");

    let mut call = answered(STEPS);
    told(&mut call, MailboxResult::Room);
    call.keys("#");
    assert_eq!(call.next(), "key # | stop#0 | play#1 beep", "who knows the greeting passes it over");
    call.played(1);
    call.next();
    call.pass(60_000);
    assert_eq!(call.next(), "end the message");
    assert_eq!(
        ended(&mut call, MessageResult::TooShort),
        "voicemail:too_short | 4 play invalid | play#2 invalid"
    );
}

#[test]
fn a_mailbox_that_is_full_takes_no_message_and_a_file_that_is_never_written_is_given_up() {
    let mut call = answered(STEPS);
    assert_eq!(told(&mut call, MailboxResult::Full), "voicemail:full | 4 play closed | play#0 closed");
    let mut call = answered(STEPS);
    told(&mut call, MailboxResult::Room);
    call.keys("#");
    call.played(1);
    call.keys("#");
    call.next();
    call.pass(10_000);
    assert_eq!(call.next(), "voicemail:failed | 4 hangup | hang up");
}

#[test]
fn who_hangs_up_ends_the_message() {
    let mut call = answered(STEPS);
    told(&mut call, MailboxResult::Room);
    call.keys("#");
    call.played(1);
    call.next();
    call.input(MachineInput::HungUp);
    assert_eq!((call.next().as_str(), call.is_over()), ("end the message", true));
}

fn message(message: u64, heard: bool) -> LeftMessage {
    // A Tuesday in summer: 14:30 in UTC.
    let (from, file) = ("+15550199".into(), format!("{message}.wav").into());
    LeftMessage { message, from, at: 1_785_853_800_000_000, heard, file }
}

#[test]
fn an_owner_hears_what_is_new_first_and_says_what_becomes_of_it() {
    let mut call = answered("- mailbox: {mailbox: support, pin: \"'4711'\"}\n- hangup\n");
    let said = told(&mut call, MailboxResult::Messages(vec![message(7, false), message(9, true)]));
    assert!(
        said.starts_with("mailbox:opened | play#0 en/new-messages,en/1,en/message-from,en/plus,en/1"),
        "{said}"
    );
    assert!(said.contains(",en/month-8,") && said.ends_with(",7,en/mailbox-keys"), "{said}");
    call.keys("1");
    let again = call.next();
    assert!(
        again.starts_with("stop#0 | key 1 | mailbox:again | Heard { message: 7 } | play#1 en/message-from"),
        "{again}"
    );
    call.played(1);
    assert_eq!(call.next(), "", "it has been heard before");
    call.keys("3");
    let next = call.next();
    assert!(
        next.starts_with("key 3 | mailbox:delete | Delete { message: 7 } | play#2 en/message-deleted,"),
        "{next}"
    );
    assert!(next.ends_with(",9,en/mailbox-keys"), "{next}");
    call.played(2);
    call.pass(10_000);
    assert_eq!(call.next(), "mailbox:next | play#3 en/no-more-messages");
    call.played(3);
    assert_eq!(call.next(), "5 hangup | hang up");
}

#[test]
fn an_empty_mailbox_says_so_and_a_wrong_pin_is_refused() {
    let steps = "- mailbox: {mailbox: support, pin: call.to, refused: {play: invalid}}\n- hangup\n";
    let mut call = answered(steps);
    assert_eq!(
        told(&mut call, MailboxResult::Messages(Vec::new())),
        "mailbox:opened | play#0 en/no-messages"
    );
    call.played(0);
    assert_eq!(call.next(), "5 hangup | hang up");
    let mut call = answered(steps);
    assert_eq!(told(&mut call, MailboxResult::Refused), "mailbox:refused | 4 play invalid | play#0 invalid");
}
