//! Whatever is written, loading ends with a configuration or a report; whatever happens to a call, the
//! machine keeps its word.

use crate::samples::source;
use crate::support::{NODE, input};
use clock::{Duration, Time};
use dialplan::{
    CallInfo, CallbackResult, ConferenceResult, DialResult, Effect, HttpResult, KvResult, LeftMessage,
    Machine, MachineInput, MailboxOrder, MailboxResult, MessageResult, QueueResult, SourceFile, load,
};
use proptest::prelude::*;
use std::sync::Arc;

/// A client that uses every section, every verb and every field.
fn everything() -> String {
    source("crates/dialplan/tests/everything.yaml").text
}

const ICAL: &str = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20240229\r\nDTEND;VALUE=DATE:20240302\r\n\
    RRULE:FREQ=YEARLY;BYMONTH=2;BYDAY=-1MO;COUNT=3\r\nEXDATE:20250224,20260223\r\nDURATION:P2D\r\nSUMMARY:Le\r\n ap\r\n\
    END:VEVENT\r\nEND:VCALENDAR\r\n";

#[derive(Clone, Debug)]
enum Edit {
    Remove { at: usize, len: usize },
    Insert { at: usize, text: String },
    Repeat { at: usize, len: usize, to: usize },
}

fn edit() -> impl Strategy<Value = Edit> {
    let place = 0..4_000_usize;
    let piece = prop_oneof![
        "[ -~]{1,6}",
        r##"[\[\]{}:,!&*|>'"#@%?\-\n\t ]{1,4}"##,
        Just("é§\u{1F4DE}\u{0}".to_owned()),
        Just("((((((((".to_owned()),
        Just("99999999999999999999".to_owned()),
        Just("\n  - ".to_owned()),
    ];
    prop_oneof![
        (place.clone(), 1..20_usize).prop_map(|(at, len)| Edit::Remove { at, len }),
        (place.clone(), piece).prop_map(|(at, text)| Edit::Insert { at, text }),
        (place.clone(), 1..60_usize, place).prop_map(|(at, len, to)| Edit::Repeat { at, len, to }),
    ]
}

fn apply(text: &str, edits: &[Edit]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for edit in edits {
        let within = |at: usize| at % (chars.len() + 1);
        match edit {
            Edit::Remove { at, len } => {
                let start = within(*at);
                chars.drain(start..(start + len).min(chars.len()));
            }
            Edit::Insert { at, text } => {
                let start = within(*at);
                chars.splice(start..start, text.chars());
            }
            Edit::Repeat { at, len, to } => {
                let (start, to) = (within(*at), within(*to));
                let piece: Vec<char> = chars[start..(start + len).min(chars.len())].to_vec();
                chars.splice(to..to, piece);
            }
        }
    }
    chars.into_iter().collect()
}

fn expression_piece() -> impl Strategy<Value = String> {
    const TOKENS: [&str; 39] = [
        "n",
        "a",
        "call",
        ".",
        "from",
        "==",
        "&&",
        "||",
        "!",
        "-",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "?",
        ":",
        ",",
        "1",
        "'x'",
        "\"",
        "'",
        " ",
        "\\",
        "in",
        "size(",
        "int(",
        ".startsWith(",
        ".map(x, ",
        "has(",
        "b'",
        "r'",
        "u",
        "e9",
        "+",
        "%",
        "/",
        "true",
    ];
    prop_oneof![
        8 => prop::sample::select(TOKENS.to_vec()).prop_map(str::to_owned),
        2 => "[ -~]{1,3}",
        1 => Just("é\u{1F4DE}".to_owned()),
        1 => prop::sample::select(vec!["(".repeat(120), "!".repeat(200), "n + ".repeat(200), "a.".repeat(200)]),
    ]
}

fn http_result() -> impl Strategy<Value = HttpResult> {
    let body = prop_oneof![
        Just("{\"order\":{\"state\":\"sent\"},\"total\":1.5}".to_owned()),
        Just("{\"order\":{\"state\":[]},\"total\":null}".to_owned()),
        Just("true".to_owned()),
        "[ -~]{0,9}",
    ];
    let status = prop::sample::select(vec![200_u16, 204, 302, 404, 500, 503]);
    prop_oneof![
        4 => (status, body).prop_map(|(status, body)| HttpResult::Answered { status, body: body.into() }),
        1 => Just(HttpResult::TimedOut),
        1 => Just(HttpResult::Failed),
    ]
}

fn mailbox_result() -> impl Strategy<Value = MailboxResult> {
    let message = |message: u64| LeftMessage {
        message,
        from: if message == 1 { "anonymous".into() } else { "+34600111222".into() },
        at: 1_795_449_600_000_000,
        heard: message > 2,
        file: "1-1.wav".into(),
    };
    prop::sample::select(vec![
        MailboxResult::Room,
        MailboxResult::Room,
        MailboxResult::Full,
        MailboxResult::Refused,
        MailboxResult::Messages(Vec::new()),
        MailboxResult::Messages((1..4).map(message).collect()),
    ])
}

/// Something that happens to a call, and how long after the one before, in milliseconds.
fn happening() -> impl Strategy<Value = (u64, MachineInput)> {
    let input = prop_oneof![
        4 => prop::sample::select("0123456789*#".chars().collect::<Vec<_>>()).prop_map(MachineInput::Digit),
        4 => (0..12_u32, any::<bool>()).prop_map(|(play, failed)| MachineInput::PlayEnded {
            play,
            failed: failed.then(|| "gone".into()),
        }),
        2 => prop::sample::select(vec![
            DialResult::Busy,
            DialResult::NoAnswer,
            DialResult::Failed(503),
            DialResult::Done,
        ])
        .prop_map(MachineInput::DialEnded),
        2 => Just(MachineInput::Answered),
        1 => Just(MachineInput::ConferenceEnded(ConferenceResult::Full)),
        1 => Just(MachineInput::ConferenceEnded(ConferenceResult::Ended)),
        1 => prop::sample::select(vec![QueueResult::Full, QueueResult::NoAgents, QueueResult::TimedOut])
            .prop_map(MachineInput::QueueEnded),
        1 => Just(MachineInput::Served),
        1 => prop::sample::select(vec![CallbackResult::Kept, CallbackResult::Duplicate, CallbackResult::Failed])
            .prop_map(MachineInput::CallbackDone),
        1 => any::<bool>().prop_map(MachineInput::AgentDone),
        4 => prop::sample::select(vec![KvResult::Done, KvResult::Failed, KvResult::Value(None), KvResult::Value(Some("7".into()))])
            .prop_map(MachineInput::KvDone),
        4 => mailbox_result().prop_map(MachineInput::MailboxDone),
        2 => prop::sample::select(vec![
            MessageResult::Left,
            MessageResult::TooShort,
            MessageResult::Full,
            MessageResult::Failed,
        ])
            .prop_map(MachineInput::MessageEnded),
        2 => (0..4_u32, http_result()).prop_map(|(number, result)| MachineInput::HttpEnded { number, result }),
        1 => Just(MachineInput::RecordFailed("disk full".into())),
        1 => Just(MachineInput::HungUp),
    ];
    (0..7_000_u64, input)
}

/// Steps a call, and holds it against what the machine promises.
fn step_through(machine: &mut Machine, happenings: Vec<(u64, MachineInput)>) -> Result<(), TestCaseError> {
    let mut now = Time::ZERO;
    let mut under_way = UnderWay::default();
    let mut out = Vec::new();
    machine.handle(now, MachineInput::Start, &mut out);
    under_way.follow(machine, None, &mut out)?;
    for (millis, input) in happenings {
        let end = now + Duration::from_millis(millis);
        while let Some(due) = machine.next_timeout().filter(|due| *due <= end) {
            prop_assert!(due >= now, "a deadline in the past");
            now = due;
            machine.handle_timeout(now, &mut out);
            under_way.follow(machine, None, &mut out)?;
        }
        now = end;
        machine.handle(now, input.clone(), &mut out);
        under_way.follow(machine, Some(&input), &mut out)?;
    }
    Ok(())
}

#[derive(Default)]
struct UnderWay {
    play: Option<u32>,
    dial: bool,
    room: bool,
    queue: bool,
    agent: bool,
    kept: bool,
    /// Whether a mailbox has been asked something.
    mailbox: bool,
    /// Whether a message is being taken.
    message: bool,
    /// The request that is waited for.
    asked: Option<u32>,
    callback: bool,
    over: bool,
}

impl UnderWay {
    fn follow(
        &mut self,
        machine: &Machine,
        input: Option<&MachineInput>,
        out: &mut Vec<Effect>,
    ) -> Result<(), TestCaseError> {
        let is_word = |it: &Effect| {
            matches!(
                it,
                Effect::Step { .. }
                    | Effect::Branch { .. }
                    | Effect::Http { waits: false, .. }
                    | Effect::Kv(_)
            )
        };
        let may_say = !self.over || (input == Some(&MachineInput::HungUp) && out.iter().all(is_word));
        prop_assert!(may_say || out.is_empty(), "{out:?} after the end");
        match input {
            Some(MachineInput::PlayEnded { play, .. }) if self.play == Some(*play) => self.play = None,
            Some(MachineInput::DialEnded(_)) => self.dial = false,
            Some(MachineInput::ConferenceEnded(_)) => self.room = false,
            Some(MachineInput::QueueEnded(_)) => self.queue = false,
            Some(MachineInput::Served) if self.queue => (self.queue, self.dial) = (false, true),
            Some(MachineInput::CallbackDone(_)) => self.callback = false,
            Some(MachineInput::AgentDone(_)) => self.agent = false,
            Some(MachineInput::KvDone(_)) => self.kept = false,
            Some(MachineInput::MailboxDone(_)) => self.mailbox = false,
            Some(MachineInput::MessageEnded(_)) => self.message = false,
            Some(MachineInput::HttpEnded { number, .. }) if self.asked == Some(*number) => self.asked = None,
            _ => {}
        }
        for effect in out.drain(..) {
            match effect {
                Effect::Play { play, files, .. } => {
                    prop_assert!(self.play.is_none() && !files.is_empty(), "two plays at once, or none");
                    self.play = Some(play);
                }
                Effect::StopPlay { play } => prop_assert_eq!(self.play.take(), Some(play)),
                Effect::Dial { .. } => prop_assert!(!std::mem::replace(&mut self.dial, true)),
                Effect::Conference { .. } => prop_assert!(!std::mem::replace(&mut self.room, true)),
                Effect::LeaveConference => prop_assert!(std::mem::replace(&mut self.room, false)),
                Effect::Enqueue(_) => prop_assert!(!std::mem::replace(&mut self.queue, true)),
                Effect::LeaveQueue => prop_assert!(std::mem::replace(&mut self.queue, false)),
                Effect::CallBack { .. } => self.callback = true,
                Effect::Agent { .. } => self.agent = true,
                Effect::Kv(_) => prop_assert!(!std::mem::replace(&mut self.kept, true), "two at once"),
                Effect::Http { number, waits: true, .. } => {
                    prop_assert!(self.asked.replace(number).is_none(), "two requests at once");
                }
                Effect::CancelHttp { number } => prop_assert_eq!(self.asked.take(), Some(number)),
                Effect::Mailbox(MailboxOrder::Look { .. } | MailboxOrder::Open { .. }) => {
                    prop_assert!(!std::mem::replace(&mut self.mailbox, true), "two at once");
                }
                Effect::TakeMessage(_) => {
                    prop_assert!(!std::mem::replace(&mut self.message, true), "two messages at once");
                }
                Effect::EndMessage => prop_assert!(std::mem::replace(&mut self.message, false)),
                Effect::CancelDial => prop_assert!(std::mem::replace(&mut self.dial, false)),
                Effect::Hangup | Effect::Reject { .. } => {
                    let idle = self.play.is_none()
                        && !self.dial
                        && !self.room
                        && !self.queue
                        && !self.message
                        && self.asked.is_none();
                    prop_assert!(machine.is_over() && idle);
                }
                _ => {}
            }
        }
        self.over = machine.is_over();
        let asks = self.callback || self.kept || self.mailbox || self.asked.is_some();
        let waits = self.dial || self.room || self.queue || self.agent || asks;
        let busy = self.play.is_some() || waits || machine.next_timeout().is_some();
        prop_assert!(self.over || busy, "the caller hears silence for ever");
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn loading_never_panics_and_every_place_exists(
        client_edits in prop::collection::vec(edit(), 0..5),
        node_edits in prop::collection::vec(edit(), 0..2),
        ical_edits in prop::collection::vec(edit(), 0..3),
    ) {
        let mut input = input(&apply(NODE, &node_edits), &apply(&everything(), &client_edits));
        let text = apply(ICAL, &ical_edits);
        input.clients[0].files.push(SourceFile { path: "acme/holidays.ics".into(), text });
        if let Err(report) = load(&input) {
            prop_assert!(!report.diagnostics.is_empty());
            for diagnostic in &report.diagnostics {
                let columns = u32::try_from(diagnostic.source_line.chars().count()).unwrap_or(u32::MAX);
                prop_assert!(diagnostic.line >= 1, "{diagnostic}");
                prop_assert!((1..=columns + 1).contains(&diagnostic.column), "{diagnostic}");
                prop_assert!(diagnostic.length >= 1, "{diagnostic}");
            }
        }
    }

    #[test]
    fn an_expression_of_any_characters_is_read_or_refused(
        pieces in prop::collection::vec(expression_piece(), 0..12),
    ) {
        let quoted = pieces.concat().replace('\'', "''");
        let client = format!(
            "flows:\n  main:\n    - set: {{n: 1, a: '''x'''}}\n    - if: {{when: '{quoted}', then: hangup}}\n"
        );
        match load(&input(NODE, &client)) {
            Ok(_) => prop_assert!(!pieces.is_empty()),
            Err(report) => prop_assert_eq!(report.diagnostics[0].line, 4),
        }
    }

    #[test]
    fn a_call_is_never_left_alone_and_never_speaks_after_its_end(
        happenings in prop::collection::vec(happening(), 0..60),
    ) {
        let config = load(&input(NODE, &everything())).unwrap_or_else(|report| panic!("{report}"));
        let (client, flow) = config.number(None, "100").expect("number 100");
        let info = CallInfo {
            from: "+34600111222".into(),
            to: "100".into(),
            source: "carrier".into(),
            diverted_by: "".into(),
            verstat: dialplan::Verstat::Passed,
            attestation: Some(dialplan::Attestation::B),
            unix_micros_at_zero: 1_795_449_600_000_000,
            seed: 7,
        };
        let mut machine = Machine::new(Arc::new(config), client, flow, info);
        step_through(&mut machine, happenings)?;
    }
}
