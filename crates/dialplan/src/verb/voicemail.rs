//! `voicemail`: the caller leaves a message in a mailbox of its client.

use super::{Step, Verb};
use crate::compile::Compiler;
use crate::fields::Fields;
use crate::machine::{
    Effect, Event, MailboxOrder, MailboxResult, MessageResult, NewMessage, Next, Turn, Wait,
};
use crate::mailboxes::Mailbox;
use crate::program::Pc;
use crate::yaml::{Node, Value};
use clock::{Duration, Time};
use std::sync::Arc;

/// A file that is not told as written by then is given up.
const WRITTEN: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Voicemail {
    message: NewMessage,
    greeting: Vec<Arc<str>>,
    beep: Option<Arc<str>>,
    max: Duration,
    /// The key that ends the greeting, and then the message.
    end: char,
    next: Pc,
    too_short: Pc,
    /// What fails without a branch goes on as if a message had been left.
    full: Option<Pc>,
    failed: Option<Pc>,
}

/// How far a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// It is asked whether there is room.
    Asked,
    Greeting {
        play: u32,
    },
    Beep {
        play: u32,
    },
    /// The caller speaks.
    Speaking {
        until: Time,
    },
    /// The file is written to its end.
    Writing {
        until: Time,
    },
}

impl Leaving {
    pub(crate) fn until(self) -> Option<Time> {
        match self {
            Self::Speaking { until } | Self::Writing { until } => Some(until),
            Self::Asked | Self::Greeting { .. } | Self::Beep { .. } => None,
        }
    }

    pub(crate) fn playing(self) -> Option<u32> {
        match self {
            Self::Greeting { play } | Self::Beep { play } => Some(play),
            Self::Asked | Self::Speaking { .. } | Self::Writing { .. } => None,
        }
    }

    pub(crate) fn is_speaking(self) -> bool {
        matches!(self, Self::Speaking { .. })
    }
}

impl Voicemail {
    pub(super) fn parse(
        step: &Step<'_>,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        const KNOWN: [&str; 10] =
            ["mailbox", "greeting", "beep", "max", "min", "silence", "end", "too_short", "full", "failed"];
        let argument = step.argument(compiler)?;
        if let Value::Scalar { .. } = argument.value {
            let mailbox = compiler.mailbox(argument)?;
            let beep = compiler.prompt("beep", step.at);
            return Some((Verb::Voicemail(Self::plain(&mailbox, beep, next)), mailbox.name.to_string()));
        }
        let fields = Fields::of(argument, step.at, "`voicemail`", &KNOWN, compiler.faults)?;
        let named = fields.require("mailbox", compiler.faults)?;
        let mailbox = compiler.mailbox(named)?;
        let beeps = fields.get("beep").and_then(|it| it.flag("`beep`", compiler.faults)).unwrap_or(true);
        let beep = if beeps { compiler.prompt("beep", step.at) } else { None };
        let plain = Self::plain(&mailbox, beep, next);
        let greeting = fields.get("greeting").map(|it| compiler.greeting(it));
        let mut length = |name: &str| {
            let node = fields.get(name)?;
            node.duration(&format!("`{name}`"), compiler.faults)
        };
        let (max, min, silence) = (length("max"), length("min"), length("silence"));
        let voicemail = Self {
            message: NewMessage {
                min: min.unwrap_or(plain.message.min),
                silence: silence.unwrap_or(plain.message.silence),
                ..plain.message
            },
            greeting: greeting.unwrap_or(plain.greeting),
            max: max.unwrap_or(plain.max),
            end: fields.get("end").and_then(|it| key(it, compiler)).unwrap_or(plain.end),
            too_short: compiler.branch(fields.get("too_short"), next).unwrap_or(next),
            full: compiler.branch(fields.get("full"), next),
            failed: compiler.branch(fields.get("failed"), next),
            ..plain
        };
        Some((Verb::Voicemail(voicemail), mailbox.name.to_string()))
    }

    fn plain(mailbox: &Mailbox, beep: Option<Arc<str>>, next: Pc) -> Self {
        let Mailbox { name, greeting, max, min, silence, .. } = mailbox;
        Self {
            message: NewMessage { mailbox: Arc::clone(name), min: *min, silence: *silence },
            greeting: greeting.iter().filter_map(|files| files.first().cloned()).collect(),
            beep,
            max: *max,
            end: '#',
            next,
            too_short: next,
            full: None,
            failed: None,
        }
    }

    pub(super) fn may_fail(&self) -> bool {
        self.full.is_none() || self.failed.is_none()
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        [self.next, self.too_short].into_iter().chain(self.full).chain(self.failed).collect()
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        // What is pressed from here on is meant for the message.
        turn.call.typed_ahead.clear();
        let mailbox = Arc::clone(&self.message.mailbox);
        turn.out.push(Effect::Mailbox(MailboxOrder::Look { mailbox }));
        Next::Wait(Wait::Voicemail(Leaving::Asked))
    }

    pub(super) fn resume(&self, leaving: Leaving, event: Event, turn: &mut Turn<'_>) -> Next {
        match (leaving, event) {
            (Leaving::Asked, Event::MailboxDone(MailboxResult::Room)) => self.greet(turn),
            (Leaving::Asked, Event::MailboxDone(MailboxResult::Full)) => self.is_full(turn),
            (Leaving::Asked, Event::MailboxDone(_)) => self.fail(turn),
            (Leaving::Greeting { play }, Event::Digit(digit)) if digit == self.end => {
                turn.out.extend([Effect::Digit { digit }, Effect::StopPlay { play }]);
                self.beep(turn)
            }
            (Leaving::Greeting { .. }, Event::PlayEnded { failed }) => {
                if failed {
                    turn.branch("voicemail", "error");
                }
                self.beep(turn)
            }
            (Leaving::Beep { .. }, Event::PlayEnded { .. }) => self.take(turn),
            (Leaving::Speaking { .. }, Event::Digit(digit)) if digit == self.end => {
                turn.out.push(Effect::Digit { digit });
                Self::end(turn)
            }
            (Leaving::Speaking { .. }, Event::Timeout) => Self::end(turn),
            (Leaving::Speaking { .. } | Leaving::Writing { .. }, Event::MessageEnded(result)) => match result
            {
                MessageResult::Left => {
                    turn.branch("voicemail", "left");
                    Next::Go(self.next)
                }
                MessageResult::TooShort => {
                    turn.branch("voicemail", "too_short");
                    Next::Go(self.too_short)
                }
                MessageResult::Full => self.is_full(turn),
                MessageResult::Failed => self.fail(turn),
            },
            (Leaving::Writing { .. }, Event::Timeout) => self.fail(turn),
            (leaving, _) => Next::Wait(Wait::Voicemail(leaving)),
        }
    }

    fn greet(&self, turn: &mut Turn<'_>) -> Next {
        if self.greeting.is_empty() {
            return self.beep(turn);
        }
        let play = turn.play(self.greeting.clone(), Some(1));
        Next::Wait(Wait::Voicemail(Leaving::Greeting { play }))
    }

    fn beep(&self, turn: &mut Turn<'_>) -> Next {
        let Some(beep) = &self.beep else { return self.take(turn) };
        let play = turn.play(vec![Arc::clone(beep)], Some(1));
        Next::Wait(Wait::Voicemail(Leaving::Beep { play }))
    }

    fn take(&self, turn: &mut Turn<'_>) -> Next {
        turn.out.push(Effect::TakeMessage(self.message.clone()));
        Next::Wait(Wait::Voicemail(Leaving::Speaking { until: turn.now + self.max }))
    }

    fn end(turn: &mut Turn<'_>) -> Next {
        turn.out.push(Effect::EndMessage);
        Next::Wait(Wait::Voicemail(Leaving::Writing { until: turn.now + WRITTEN }))
    }

    fn is_full(&self, turn: &mut Turn<'_>) -> Next {
        turn.branch("voicemail", "full");
        turn.failed(self.full, self.next)
    }

    fn fail(&self, turn: &mut Turn<'_>) -> Next {
        turn.branch("voicemail", "failed");
        turn.failed(self.failed, self.next)
    }
}

fn key(node: &Node, compiler: &mut Compiler<'_, '_>) -> Option<char> {
    let text = node.text("`end`", compiler.faults)?;
    let mut keys = text.chars();
    let key = keys.next().filter(|key| matches!(key, '0'..='9' | '*' | '#'));
    if key.is_none() || keys.next().is_some() {
        compiler.faults.hinted(node.span, format!("`{text}` is no key"), "write one of 0 to 9, * and #");
        return None;
    }
    key
}
