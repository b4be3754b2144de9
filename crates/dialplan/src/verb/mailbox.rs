//! `mailbox`: its owner hears what callers have left, message by message.

use super::{Step, Verb};
use crate::compile::Compiler;
use crate::expression::{Expression, Scope, Type};
use crate::faults::Faults;
use crate::fields::Fields;
use crate::machine::{Effect, Event, LeftMessage, MailboxOrder, MailboxResult, Next, Turn, Wait};
use crate::program::Pc;
use crate::words::Words;
use crate::yaml::Value;
use clock::{Duration, Time};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use spoken::{Kind, What};
use std::collections::VecDeque;
use std::sync::Arc;

/// How long a key is waited for behind a message; then the next is played.
const THINKS: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Mailbox {
    mailbox: Arc<str>,
    /// What proves that the caller may listen; without it, that it is one of the mailbox's users.
    pin: Option<Expression>,
    said: Said,
    zone: TimeZone,
    next: Pc,
    refused: Option<Pc>,
}

/// What is said around messages.
#[derive(Debug)]
struct Said {
    new_messages: Arc<str>,
    message_from: Arc<str>,
    keys: Arc<str>,
    deleted: Arc<str>,
    none: Arc<str>,
    no_more: Arc<str>,
    /// By the place of the call's language in the program.
    numbers: Vec<Words>,
    phones: Vec<Words>,
    dates: Vec<Words>,
    times: Vec<Words>,
}

/// How far its owner is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listening {
    phase: Phase,
    /// The first is the one that is heard.
    messages: VecDeque<LeftMessage>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It is asked what there is.
    Asked,
    Playing {
        play: u32,
    },
    /// The message is over, and a key may follow.
    Choosing {
        until: Time,
    },
    /// There is nothing more.
    Done {
        play: u32,
    },
}

impl Listening {
    pub(crate) fn until(&self) -> Option<Time> {
        match self.phase {
            Phase::Choosing { until } => Some(until),
            Phase::Asked | Phase::Playing { .. } | Phase::Done { .. } => None,
        }
    }

    pub(crate) fn takes_keys(&self) -> bool {
        matches!(self.phase, Phase::Playing { .. } | Phase::Choosing { .. })
    }

    pub(crate) fn playing(&self) -> Option<u32> {
        match self.phase {
            Phase::Playing { play } | Phase::Done { play } => Some(play),
            Phase::Asked | Phase::Choosing { .. } => None,
        }
    }
}

impl Mailbox {
    pub(super) fn parse(
        step: &Step<'_>,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        let argument = step.argument(compiler)?;
        let (named, fields) = match argument.value {
            Value::Scalar { .. } => (argument, None),
            _ => {
                let known = ["mailbox", "pin", "refused"];
                let fields = Fields::of(argument, step.at, "`mailbox`", &known, compiler.faults)?;
                (fields.require("mailbox", compiler.faults)?, Some(fields))
            }
        };
        let found = compiler.mailbox(named)?;
        let pin = fields.as_ref().and_then(|fields| fields.get("pin"));
        if let (Some(node), None) = (pin, &found.pin) {
            let hint = format!("write mailboxes: {{{}: {{pin: \"…\"}}}}", found.name);
            compiler.faults.hinted(node.span, format!("the mailbox `{}` has no PIN", found.name), hint);
        }
        if pin.is_none() && found.users.is_empty() {
            let message =
                format!("the mailbox `{}` has no users: nobody may listen without a PIN", found.name);
            compiler.faults.hinted(step.at, message, "write `pin: …` here, or `users: […]` there");
        }
        let pin = pin.and_then(|it| Expression::parse(it, "`pin`", compiler.faults));
        let refused = compiler.branch(fields.as_ref().and_then(|fields| fields.get("refused")), next);
        let said = Said::read(step, compiler)?;
        let (mailbox, zone) = (Arc::clone(&found.name), compiler.zone().clone());
        let target = mailbox.to_string();
        Some((Verb::Mailbox(Box::new(Self { mailbox, pin, said, zone, next, refused })), target))
    }

    pub(super) fn check(&self, scope: &Scope, faults: &mut Faults<'_>) {
        let Some(pin) = &self.pin else { return };
        if let Some(found) = pin.check(scope, faults).filter(|found| *found != Type::Text) {
            faults.error(pin.span(), format!("`pin` is {found}, and has to be {}", Type::Text));
        }
    }

    pub(super) fn may_fail(&self) -> bool {
        self.refused.is_none()
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        std::iter::once(self.next).chain(self.refused).collect()
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        turn.call.typed_ahead.clear();
        let pin = self.pin.as_ref().and_then(|pin| turn.value(pin).ok()).map(|pin| pin.to_string().into());
        let mailbox = Arc::clone(&self.mailbox);
        turn.out.push(Effect::Mailbox(MailboxOrder::Open { mailbox, pin }));
        Next::Wait(Wait::Mailbox(Listening { phase: Phase::Asked, messages: VecDeque::new() }))
    }

    pub(super) fn resume(&self, mut listening: Listening, event: Event, turn: &mut Turn<'_>) -> Next {
        match (listening.phase, event) {
            (Phase::Asked, Event::MailboxDone(MailboxResult::Messages(messages))) => {
                turn.branch("mailbox", "opened");
                listening.messages = messages.into();
                self.open(listening, turn)
            }
            (Phase::Asked, Event::MailboxDone(_)) => {
                turn.branch("mailbox", "refused");
                turn.failed(self.refused, self.next)
            }
            (Phase::Playing { .. } | Phase::Choosing { .. }, Event::Digit(digit)) => {
                self.press(listening, digit, turn)
            }
            (Phase::Playing { .. }, Event::PlayEnded { failed: false }) => {
                heard(&mut listening, turn);
                listening.phase = Phase::Choosing { until: turn.now + THINKS };
                Next::Wait(Wait::Mailbox(listening))
            }
            (Phase::Playing { .. }, Event::PlayEnded { failed: true }) => {
                turn.branch("mailbox", "error");
                self.go_on(listening, Vec::new(), turn)
            }
            (Phase::Choosing { .. }, Event::Timeout) => {
                turn.branch("mailbox", "next");
                self.go_on(listening, Vec::new(), turn)
            }
            (Phase::Done { .. }, Event::PlayEnded { .. }) => Next::Go(self.next),
            _ => Next::Wait(Wait::Mailbox(listening)),
        }
    }

    fn open(&self, listening: Listening, turn: &mut Turn<'_>) -> Next {
        let Said { new_messages, none, numbers, .. } = &self.said;
        if listening.messages.is_empty() {
            let play = turn.play(vec![Arc::clone(none)], Some(1));
            return Next::Wait(Wait::Mailbox(Listening { phase: Phase::Done { play }, ..listening }));
        }
        let new = listening.messages.iter().filter(|message| !message.heard).count();
        let count = What::Cardinal { value: i64::try_from(new).unwrap_or(i64::MAX), gender: None };
        let count = numbers.get(turn.call.language).and_then(|words| words.files(&count));
        let first = std::iter::once(Arc::clone(new_messages)).chain(count.into_iter().flatten());
        self.play(listening, first.collect(), turn)
    }

    fn press(&self, mut listening: Listening, digit: char, turn: &mut Turn<'_>) -> Next {
        let branch = match digit {
            '1' => "again",
            '2' => "next",
            '3' => "delete",
            '*' => "end",
            _ => return Next::Wait(Wait::Mailbox(listening)),
        };
        turn.out.extend(listening.playing().map(|play| Effect::StopPlay { play }));
        turn.out.push(Effect::Digit { digit });
        turn.branch("mailbox", branch);
        match digit {
            '1' => {
                heard(&mut listening, turn);
                self.play(listening, Vec::new(), turn)
            }
            '2' => {
                heard(&mut listening, turn);
                self.go_on(listening, Vec::new(), turn)
            }
            '3' => {
                let message = listening.messages.front().map(|it| it.message);
                turn.out.extend(message.map(|message| Effect::Mailbox(MailboxOrder::Delete { message })));
                self.go_on(listening, vec![Arc::clone(&self.said.deleted)], turn)
            }
            _ => Next::Go(self.next),
        }
    }

    /// The next message, if there is one.
    fn go_on(&self, mut listening: Listening, first: Vec<Arc<str>>, turn: &mut Turn<'_>) -> Next {
        listening.messages.pop_front();
        if !listening.messages.is_empty() {
            return self.play(listening, first, turn);
        }
        let last = first.into_iter().chain([Arc::clone(&self.said.no_more)]).collect();
        listening.phase = Phase::Done { play: turn.play(last, Some(1)) };
        Next::Wait(Wait::Mailbox(listening))
    }

    /// Plays the first message, with who has left it and when.
    fn play(&self, mut listening: Listening, first: Vec<Arc<str>>, turn: &mut Turn<'_>) -> Next {
        let Some(message) = listening.messages.front() else { return Next::Go(self.next) };
        let mut files = first;
        files.extend(self.said.of(message, &self.zone, turn.call.language));
        files.extend([Arc::clone(&message.file), Arc::clone(&self.said.keys)]);
        listening.phase = Phase::Playing { play: turn.play(files, Some(1)) };
        Next::Wait(Wait::Mailbox(listening))
    }
}

/// The first message is no longer new.
fn heard(listening: &mut Listening, turn: &mut Turn<'_>) {
    if let Some(message) = listening.messages.front_mut().filter(|message| !message.heard) {
        message.heard = true;
        turn.out.push(Effect::Mailbox(MailboxOrder::Heard { message: message.message }));
    }
}

impl Said {
    fn read(step: &Step<'_>, compiler: &mut Compiler<'_, '_>) -> Option<Self> {
        let mut prompt = |name: &str| compiler.prompt(name, step.at);
        let prompts = [
            prompt("new-messages"),
            prompt("message-from"),
            prompt("mailbox-keys"),
            prompt("message-deleted"),
            prompt("no-messages"),
            prompt("no-more-messages"),
        ];
        let mut words = |kind: Kind| {
            let languages = compiler.prompt_sets().languages.clone();
            languages.iter().map(|code| compiler.words(code, kind, step.at)).collect::<Option<Vec<_>>>()
        };
        let (numbers, phones) = (words(Kind::Cardinal), words(Kind::Phone));
        let (dates, times) = (words(Kind::Date), words(Kind::Time));
        let [new_messages, message_from, keys, deleted, none, no_more] = prompts;
        Some(Self {
            new_messages: new_messages?,
            message_from: message_from?,
            keys: keys?,
            deleted: deleted?,
            none: none?,
            no_more: no_more?,
            numbers: numbers?,
            phones: phones?,
            dates: dates?,
            times: times?,
        })
    }

    /// Who has left a message, if that is a number, and when.
    fn of(&self, message: &LeftMessage, zone: &TimeZone, language: usize) -> Vec<Arc<str>> {
        let say = |words: &[Words], what: &What<'_>| words.get(language).and_then(|it| it.files(what));
        let mut files = Vec::new();
        if let Some(number) = say(&self.phones, &What::Phone(&message.from)) {
            files.push(Arc::clone(&self.message_from));
            files.extend(number);
        }
        let Ok(at) = Timestamp::from_microsecond(message.at) else { return files };
        let at = zone.to_datetime(at);
        let small = |value: i8| u8::try_from(value).unwrap_or_default();
        let (year, month, day) =
            (u16::try_from(at.year()).unwrap_or_default(), small(at.month()), small(at.day()));
        files.extend(say(&self.dates, &What::Date { year, month, day }).into_iter().flatten());
        let time = What::Time { hour: small(at.hour()), minute: small(at.minute()) };
        files.extend(say(&self.times, &time).into_iter().flatten());
        files
    }
}
