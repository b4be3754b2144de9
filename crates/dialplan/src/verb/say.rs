//! `say`: a number, a date, an amount and so on, in the language of the call.

use super::{Step, Verb};
use crate::compile::Compiler;
use crate::expression::{Expression, Scope, Type, Value};
use crate::faults::{Faults, Span};
use crate::fields::Fields;
use crate::machine::{Event, Next, Turn, Wait};
use crate::program::Pc;
use crate::words::Words;
use spoken::{Currency, Gender, Kind, What};
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Say {
    kind: Kind,
    key: &'static str,
    value: Expression,
    gender: Option<Gender>,
    currency: Currency,
    voice: Voice,
    next: Pc,
    error: Option<Pc>,
}

/// Whose words are used.
#[derive(Debug)]
enum Voice {
    /// The step's own language.
    Fixed(Words),
    /// By the place of the call's language in the program.
    OfCall(Vec<Words>),
}

/// A text that is longer is not listened to.
const MOST_WORDS: usize = 200;

/// What may be said, and of which type it is.
const KINDS: [(&str, Kind, Type); 9] = [
    ("number", Kind::Cardinal, Type::Int),
    ("ordinal", Kind::Ordinal, Type::Int),
    ("digits", Kind::Digits, Type::Text),
    ("spell", Kind::Spelled, Type::Text),
    ("phone", Kind::Phone, Type::Text),
    ("date", Kind::Date, Type::Text),
    ("time", Kind::Time, Type::Text),
    ("duration", Kind::Duration, Type::Int),
    ("money", Kind::Money, Type::Decimal),
];

const FIELDS: [&str; 4] = ["gender", "currency", "language", "error"];

impl Say {
    pub(super) fn parse(
        step: &Step<'_>,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        let argument = step.argument(compiler)?;
        let known: Vec<&str> = KINDS.iter().map(|(key, ..)| *key).chain(FIELDS).collect();
        let fields = Fields::of(argument, step.at, "`say`", &known, compiler.faults)?;
        let named: Vec<_> = KINDS.into_iter().filter(|(key, ..)| fields.get(key).is_some()).collect();
        let [(key, kind, _)] = *named.as_slice() else {
            let all = KINDS.map(|(key, ..)| format!("`{key}`")).join(", ");
            let message = format!("`say` says one thing, and here are {}", named.len());
            compiler.faults.hinted(step.at, message, format!("write one of {all}"));
            return None;
        };
        let error = compiler.branch(fields.get("error"), next);
        let gender = gender(&fields, kind, compiler.faults);
        let currency = currency(&fields, kind, step.at, compiler.faults);
        let voice = voice(&fields, kind, step.at, compiler);
        let value = Expression::parse(fields.get(key)?, &format!("`{key}`"), compiler.faults)?;
        let say = Self { kind, key, value, gender, currency, voice: voice?, next, error };
        Some((Verb::Say(say), key.to_owned()))
    }

    pub(super) fn check(&self, scope: &Scope, faults: &mut Faults<'_>) {
        let Some(found) = self.value.check(scope, faults) else { return };
        let Some((key, _, wanted)) = KINDS.into_iter().find(|(key, ..)| *key == self.key) else { return };
        let is_amount = self.kind == Kind::Money && found == Type::Int;
        if found == wanted || is_amount {
            return;
        }
        let hint = match (wanted, self.kind) {
            (_, Kind::Money) => "make it a number: double(…)".to_owned(),
            (Type::Int, _) => "make it a number: int(…)".to_owned(),
            _ => "make it a text: string(…)".to_owned(),
        };
        faults.hinted(self.value.span(), format!("`{key}` is {wanted}, and this is {found}"), hint);
    }

    pub(super) fn may_fail(&self) -> bool {
        self.error.is_none()
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        std::iter::once(self.next).chain(self.error).collect()
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        match self.files(turn) {
            Some(files) => Next::Wait(Wait::Play { play: turn.play(files, Some(1)) }),
            None => self.failed(turn),
        }
    }

    pub(super) fn resume(&self, event: Event, turn: &mut Turn<'_>) -> Next {
        match event {
            Event::PlayEnded { failed: true } => self.failed(turn),
            _ => Next::Go(self.next),
        }
    }

    fn failed(&self, turn: &mut Turn<'_>) -> Next {
        turn.branch("say", "error");
        turn.failed(self.error, self.next)
    }

    /// What is to be played; `None` if it cannot be said.
    fn files(&self, turn: &Turn<'_>) -> Option<Vec<Arc<str>>> {
        let value = turn.value(&self.value).ok()?;
        let words = match &self.voice {
            Voice::Fixed(words) => words,
            Voice::OfCall(all) => all.get(turn.call.language)?,
        };
        let files = words.files(&self.what(&value)?)?;
        (files.len() <= MOST_WORDS).then_some(files)
    }

    fn what<'v>(&self, value: &'v Value) -> Option<What<'v>> {
        Some(match (self.kind, value) {
            (Kind::Cardinal, Value::Int(value)) => What::Cardinal { value: *value, gender: self.gender },
            (Kind::Ordinal, Value::Int(value)) => What::Ordinal { value: *value, gender: self.gender },
            (Kind::Duration, Value::Int(seconds)) => What::Duration { seconds: *seconds },
            (Kind::Digits, Value::Text(text)) => What::Digits(text),
            (Kind::Spelled, Value::Text(text)) => What::Spelled(text),
            (Kind::Phone, Value::Text(text)) => What::Phone(text),
            (Kind::Date, Value::Text(text)) => date(text)?,
            (Kind::Time, Value::Text(text)) => time(text)?,
            (Kind::Money, value) => What::Money { hundredths: hundredths(value)?, currency: self.currency },
            _ => return None,
        })
    }
}

/// The gender of what is counted.
fn gender(fields: &Fields<'_>, kind: Kind, faults: &mut Faults<'_>) -> Option<Gender> {
    let (key, node) = fields.entry("gender")?;
    if !matches!(kind, Kind::Cardinal | Kind::Ordinal) {
        faults.error(key.span, "only `number` and `ordinal` have a `gender`");
    }
    match node.text("`gender`", faults)? {
        "masculine" => Some(Gender::Masculine),
        "feminine" => Some(Gender::Feminine),
        "neuter" => Some(Gender::Neuter),
        other => {
            let known = ["masculine", "feminine", "neuter"].into_iter();
            faults.unknown(node.span, "unknown gender {}", other, known);
            None
        }
    }
}

fn currency(fields: &Fields<'_>, kind: Kind, at: Span, faults: &mut Faults<'_>) -> Currency {
    let known = Currency::ALL.map(Currency::code);
    let Some((key, node)) = fields.entry("currency") else {
        if kind == Kind::Money {
            let hint = format!("write currency: EUR; known: {}", known.join(", "));
            faults.hinted(at, "`money` needs a `currency`", hint);
        }
        return Currency::Eur;
    };
    if kind != Kind::Money {
        faults.error(key.span, "only `money` has a `currency`");
    }
    let named = node.text("`currency`", faults);
    let found = named.and_then(Currency::of);
    if let (Some(named), None) = (named, found) {
        faults.unknown(node.span, "unknown currency {}", named, known.into_iter());
    }
    found.unwrap_or(Currency::Eur)
}

/// The words of the step's language, or of all that the call may be in.
fn voice(fields: &Fields<'_>, kind: Kind, at: Span, compiler: &mut Compiler<'_, '_>) -> Option<Voice> {
    if let Some(node) = fields.get("language") {
        let code = node.text("`language`", compiler.faults)?;
        return compiler.words(code, kind, node.span).map(Voice::Fixed);
    }
    let languages = compiler.prompt_sets().languages.clone();
    let all: Vec<_> = languages.iter().map(|code| compiler.words(code, kind, at)).collect();
    all.into_iter().collect::<Option<_>>().map(Voice::OfCall)
}

/// `2026-12-24`.
fn date(text: &str) -> Option<What<'static>> {
    let mut parts = text.split('-');
    let (year, month, day) =
        (digits(parts.next()?, 4)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let (month, day) = (u8::try_from(month).ok()?, u8::try_from(day).ok()?);
    parts.next().is_none().then_some(What::Date { year, month, day })
}

/// `14:05`, on the 24-hour clock.
fn time(text: &str) -> Option<What<'static>> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute) = (digits(hour, 2)?, digits(minute, 2)?);
    Some(What::Time { hour: u8::try_from(hour).ok()?, minute: u8::try_from(minute).ok()? })
}

/// A number of exactly so many digits.
fn digits(text: &str, count: usize) -> Option<u16> {
    let fits = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

/// Cents of an amount.
fn hundredths(value: &Value) -> Option<i64> {
    /// What a decimal number holds to the cent.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Int(units) => units.checked_mul(100),
        Value::Decimal(units) => {
            let hundredths = (units * 100.0).round();
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a whole number within the range of exact ones"
            )]
            let whole = hundredths as i64;
            (hundredths.abs() <= EXACT).then_some(whole)
        }
        _ => None,
    }
}
