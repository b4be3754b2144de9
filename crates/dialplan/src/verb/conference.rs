//! `conference`: the caller meets others in a room of its client.

use super::codes::{self, Typed};
use super::{Step, Verb};
use crate::compile::Compiler;
use crate::expression::{Expression, Scope, Type};
use crate::faults::Faults;
use crate::fields::Fields;
use crate::machine::{ConferenceResult, Effect, Event, Next, Turn, Wait};
use crate::program::Pc;
use crate::yaml::{Node, Value};
use std::sync::Arc;

/// More than that is no conference but a broadcast.
const MOST_PARTIES: u32 = 200;
const LONGEST_NAME: usize = 64;

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
    next: Pc,
    ended: Pc,
    /// What fails without a branch goes on as the room's end does.
    full: Option<Pc>,
    failed: Option<Pc>,
}

#[derive(Debug)]
enum Room {
    Named(Arc<str>),
    From(Expression),
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
        let mute =
            fields.get("mute").and_then(|it| codes::code(it.text("`mute`", compiler.faults)?, it, compiler));
        let keys = codes::read(fields.get("keys"), next, compiler);
        codes::clashes("a conference", fields.get("mute"), mute.as_deref(), &keys, step, compiler);
        let conference = Self {
            max: max.unwrap_or(plain.max),
            muted: muted.unwrap_or(plain.muted),
            music: prompt(&fields, "music", compiler),
            enter: prompt(&fields, "enter", compiler),
            leave: prompt(&fields, "leave", compiler),
            mute,
            keys,
            full: compiler.branch(fields.get("full"), next),
            ended: compiler.branch(fields.get("ended"), next).unwrap_or(next),
            failed: compiler.branch(fields.get("failed"), next),
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
            next,
            ended: next,
            full: None,
            failed: None,
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

    pub(super) fn may_fail(&self) -> bool {
        self.full.is_none() || self.failed.is_none()
    }

    /// The room's name, where no expression gives it.
    pub(crate) fn room(&self) -> Option<&str> {
        match &self.room {
            Room::Named(name) => Some(name),
            Room::From(_) => None,
        }
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        let failures = [self.full, self.failed].map(|branch| branch.unwrap_or(self.next));
        let keys = self.keys.iter().map(|(_, pc)| *pc);
        std::iter::once(self.ended).chain(failures).chain(keys).collect()
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
            return turn.failed(self.failed, self.next);
        };
        let Self { max, muted, music, enter, leave, .. } = self;
        let heard = |file: &Option<Arc<str>>| file.clone().map(|file| turn.translated(file));
        let (music, enter, leave) = (heard(music), heard(enter), heard(leave));
        turn.out.push(Effect::Conference { room, max: *max, muted: *muted, music, enter, leave });
        Next::Wait(Wait::Conference(Typed::default()))
    }

    pub(super) fn resume(&self, typed: Typed, event: Event, turn: &mut Turn<'_>) -> Next {
        match event {
            Event::Digit(digit) => self.press(typed, digit, turn),
            Event::ConferenceEnded(ConferenceResult::Full) => {
                turn.branch("conference", "full");
                turn.failed(self.full, self.next)
            }
            Event::ConferenceEnded(ConferenceResult::Ended) => {
                turn.branch("conference", "ended");
                Next::Go(self.ended)
            }
            Event::Timeout => Next::Wait(Wait::Conference(Typed::default())),
            _ => Next::Wait(Wait::Conference(typed)),
        }
    }

    fn press(&self, typed: Typed, digit: char, turn: &mut Turn<'_>) -> Next {
        let codes = self.keys.iter().map(|(code, _)| code).chain(&self.mute);
        let typed = match typed.press(digit, turn.now, codes.map(String::as_str)) {
            Ok(typed) => typed,
            Err(wait) => return Next::Wait(Wait::Conference(wait)),
        };
        if let Some((_, branch)) = self.keys.iter().find(|(code, _)| *code == typed) {
            turn.branch("conference", &typed);
            turn.out.push(Effect::LeaveConference);
            return Next::Go(*branch);
        }
        turn.branch("conference", "mute");
        turn.out.push(Effect::ToggleMute);
        Next::Wait(Wait::Conference(Typed::default()))
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
