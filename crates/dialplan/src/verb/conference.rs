//! `conference`: the caller meets others in a room of its client.

use super::{Step, Verb};
use crate::compile::Compiler;
use crate::expression::{Expression, Scope, Type};
use crate::faults::Faults;
use crate::fields::Fields;
use crate::machine::{ConferenceResult, Effect, Event, Next, Turn, Wait};
use crate::program::Pc;
use crate::yaml::{Key, Node, Value};
use clock::{Duration, Time};
use std::sync::Arc;

/// More than that is no conference but a broadcast.
const MOST_PARTIES: u32 = 200;
/// Longer is no code.
const LONGEST_KEY: usize = 8;
const LONGEST_NAME: usize = 64;
/// How long a key that may begin a code waits for the next.
const CODE_KEY: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(crate) struct Conference {
    room: Room,
    max: u32,
    muted: bool,
    music: Option<Arc<str>>,
    enter: Option<Arc<str>>,
    leave: Option<Arc<str>>,
    /// The code that mutes the caller, and lets it be heard again.
    mute: Option<String>,
    /// Codes that lead out of the room.
    keys: Vec<(String, Pc)>,
    full: Pc,
    ended: Pc,
    failed: Pc,
}

#[derive(Debug)]
enum Room {
    Named(Arc<str>),
    From(Expression),
}

/// The beginning of a code, and until when the next key may come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Typed(Option<(String, Time)>);

impl Typed {
    pub(crate) fn until(&self) -> Option<Time> {
        self.0.as_ref().map(|(_, until)| *until)
    }
}

impl Conference {
    pub(super) fn parse(
        step: &Step<'_>,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        const KNOWN: [&str; 12] = [
            "room",
            "room_from",
            "max",
            "muted",
            "music",
            "enter",
            "leave",
            "mute",
            "keys",
            "full",
            "ended",
            "failed",
        ];
        let argument = step.argument(compiler)?;
        if !matches!(argument.value, Value::Map(_)) {
            let room = named(argument, compiler)?;
            let target = room.to_string();
            return Some((Verb::Conference(Self::plain(Room::Named(room), next)), target));
        }
        let fields = Fields::of(argument, step.at, "`conference`", &KNOWN, compiler.faults)?;
        let (room, target) = room(&fields, compiler)?;
        let plain = Self::plain(room, next);
        let max = fields.get("max").and_then(|it| it.number("`max`", 2, MOST_PARTIES, compiler.faults));
        let muted = fields.get("muted").and_then(|it| it.flag("`muted`", compiler.faults));
        let mute = fields.get("mute").and_then(|it| code(it.text("`mute`", compiler.faults)?, it, compiler));
        let mut keys = Vec::new();
        if let Some(node) = fields.get("keys") {
            for (key, branch) in node.entries("`keys`", compiler.faults) {
                let branch = compiler.branch(Some(branch), next).unwrap_or(next);
                keys.extend(key_code(key, compiler).map(|code| (code, branch)));
            }
        }
        clashes(fields.get("mute"), mute.as_deref(), &keys, step, compiler);
        let conference = Self {
            max: max.unwrap_or(plain.max),
            muted: muted.unwrap_or(plain.muted),
            music: prompt(&fields, "music", compiler),
            enter: prompt(&fields, "enter", compiler),
            leave: prompt(&fields, "leave", compiler),
            mute,
            keys,
            full: compiler.branch(fields.get("full"), next).unwrap_or(next),
            ended: compiler.branch(fields.get("ended"), next).unwrap_or(next),
            failed: compiler.branch(fields.get("failed"), next).unwrap_or(next),
            ..plain
        };
        Some((Verb::Conference(conference), target))
    }

    fn plain(room: Room, next: Pc) -> Self {
        Self {
            room,
            max: MOST_PARTIES,
            muted: false,
            music: None,
            enter: None,
            leave: None,
            mute: None,
            keys: Vec::new(),
            full: next,
            ended: next,
            failed: next,
        }
    }

    pub(super) fn check(&self, scope: &Scope, faults: &mut Faults<'_>) {
        let Room::From(room) = &self.room else { return };
        let found = room.check(scope, faults);
        if let Some(found @ (Type::Bool | Type::Decimal)) = found {
            let message = format!("`room_from` is {found}, which names no room");
            faults.hinted(room.span(), message, "a text or a whole number names one: \"'team-' + account\"");
        }
    }

    /// The room's name, where no expression gives it.
    pub(crate) fn room(&self) -> Option<&str> {
        match &self.room {
            Room::Named(name) => Some(name),
            Room::From(_) => None,
        }
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        [self.ended, self.full, self.failed].into_iter().chain(self.keys.iter().map(|(_, pc)| *pc)).collect()
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        // What is pressed from here on is meant for the room.
        turn.call.typed_ahead.clear();
        let room = match &self.room {
            Room::Named(name) => Some(Arc::clone(name)),
            Room::From(expression) => turn.value(expression).ok().map(|value| value.to_string().into()),
        };
        let Some(room) = room.filter(|room| is_name(room)) else {
            turn.branch("conference", "failed");
            return Next::Go(self.failed);
        };
        let Self { max, muted, music, enter, leave, .. } = self;
        turn.out.push(Effect::Conference {
            room,
            max: *max,
            muted: *muted,
            music: music.clone(),
            enter: enter.clone(),
            leave: leave.clone(),
        });
        Next::Wait(Wait::Conference(Typed::default()))
    }

    pub(super) fn resume(&self, typed: Typed, event: Event, turn: &mut Turn<'_>) -> Next {
        let (branch, to) = match event {
            Event::Digit(digit) => return self.press(typed, digit, turn),
            Event::ConferenceEnded(ConferenceResult::Full) => ("full", self.full),
            Event::ConferenceEnded(ConferenceResult::Ended) => ("ended", self.ended),
            Event::Timeout => return Next::Wait(Wait::Conference(Typed::default())),
            _ => return Next::Wait(Wait::Conference(typed)),
        };
        turn.branch("conference", branch);
        Next::Go(to)
    }

    fn press(&self, Typed(before): Typed, digit: char, turn: &mut Turn<'_>) -> Next {
        let mut typed = before.map_or_else(String::new, |(typed, _)| typed);
        typed.push(digit);
        if self.mute.as_ref() == Some(&typed) {
            turn.branch("conference", "mute");
            turn.out.push(Effect::ToggleMute);
            return Next::Wait(Wait::Conference(Typed::default()));
        }
        if let Some((_, branch)) = self.keys.iter().find(|(code, _)| *code == typed) {
            turn.branch("conference", &typed);
            turn.out.push(Effect::LeaveConference);
            return Next::Go(*branch);
        }
        let codes = || self.keys.iter().map(|(code, _)| code).chain(&self.mute);
        while !typed.is_empty() && !codes().any(|code| code.starts_with(&typed)) {
            typed.remove(0);
        }
        let begun = (!typed.is_empty()).then(|| (typed, turn.now + CODE_KEY));
        Next::Wait(Wait::Conference(Typed(begun)))
    }
}

/// The room, and what the log calls it.
fn room(fields: &Fields<'_>, compiler: &mut Compiler<'_, '_>) -> Option<(Room, String)> {
    if let Some((key, node)) = fields.entry("room_from") {
        if fields.get("room").is_some() {
            let message = "`room` and `room_from` both say which room it is";
            compiler.faults.error(key.span, message);
        }
        let expression = Expression::parse(node, "`room_from`", compiler.faults)?;
        return Some((Room::From(expression), node.describe_short()));
    }
    let room = named(fields.require("room", compiler.faults)?, compiler)?;
    let target = room.to_string();
    Some((Room::Named(room), target))
}

fn named(node: &Node, compiler: &mut Compiler<'_, '_>) -> Option<Arc<str>> {
    let name = node.text("`room`", compiler.faults)?;
    if !is_name(name) {
        let message = format!("`{name}` cannot be the name of a room");
        let hint = "names are made of letters, digits, `-` and `_`, at most 64 of them; `room_from` takes an \
                    expression";
        compiler.faults.hinted(node.span, message, hint);
        return None;
    }
    Some(name.into())
}

fn is_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(fits)
}

fn prompt(fields: &Fields<'_>, name: &str, compiler: &mut Compiler<'_, '_>) -> Option<Arc<str>> {
    let node = fields.get(name)?;
    let (files, _) = compiler.prompts(node);
    if files.len() > 1 {
        compiler.faults.error(node.span, format!("`{name}` is one prompt"));
    }
    files.into_iter().next()
}

fn key_code(key: &Key, compiler: &mut Compiler<'_, '_>) -> Option<String> {
    let node = Node { value: Value::Null, span: key.span };
    code(&key.text, &node, compiler)
}

fn code(text: &str, node: &Node, compiler: &mut Compiler<'_, '_>) -> Option<String> {
    let is_dtmf = |c: char| matches!(c, '0'..='9' | '*' | '#' | 'A'..='D');
    if text.is_empty() || text.len() > LONGEST_KEY || !text.chars().all(is_dtmf) {
        let message = format!("`{text}` is not a key that a caller can press");
        compiler.faults.hinted(node.span, message, "keys are made of 0 to 9, * and #, at most 8 of them");
        return None;
    }
    Some(text.to_owned())
}

/// Notes codes of which one begins another: it could never be told what is meant.
fn clashes(
    mute_at: Option<&Node>,
    mute: Option<&str>,
    keys: &[(String, Pc)],
    step: &Step<'_>,
    compiler: &mut Compiler<'_, '_>,
) {
    let at = mute_at.map_or(step.at, |node| node.place_or(step.at));
    let codes: Vec<&str> = keys.iter().map(|(code, _)| code.as_str()).chain(mute).collect();
    for (place, code) in codes.iter().enumerate() {
        for other in codes.iter().take(place) {
            if code.starts_with(other) || other.starts_with(code) {
                let place = if Some(*code) == mute { at } else { step.at };
                let message = format!("of the codes `{other}` and `{code}` one begins the other");
                compiler.faults.hinted(place, message, "no code of a conference begins another");
            }
        }
    }
}
