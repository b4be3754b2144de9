//! Reading nodes into values: each reader notes what is wrong and gives `None`.

use crate::faults::{Faults, Span, nearest};
use crate::yaml::{Key, Node, Scalar, Value};
use clock::Duration;
use std::str::FromStr;

/// What is kept longer belongs into a database of its own.
const LONGEST: Duration = Duration::from_secs(400 * 86_400);

/// The fields of a map whose keys are fixed.
pub(crate) struct Fields<'n> {
    span: Span,
    what: &'static str,
    entries: &'n [(Key, Node)],
    /// What the unknown keys were most likely meant to be: they are not noted as missing as well.
    misspelt: Vec<String>,
}

impl<'n> Fields<'n> {
    /// Takes a map, and notes every key that is not in `known`. `what` names the map in messages.
    pub(crate) fn of(
        node: &'n Node,
        at: Span,
        what: &'static str,
        known: &[&str],
        faults: &mut Faults<'_>,
    ) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            /// More would hide the message.
            const SHOWN: usize = 4;
            let keys = known.iter().take(SHOWN).map(|k| format!("{k}: …")).collect::<Vec<_>>().join(", ");
            let more = if known.len() > SHOWN { ", …" } else { "" };
            let got = node.describe();
            faults.hinted(
                node.place_or(at),
                format!("{what} takes a map, and this is {got}"),
                format!("write {{{keys}{more}}}"),
            );
            return None;
        };
        let mut misspelt = Vec::new();
        for (key, _) in entries {
            if !known.contains(&key.text.as_str()) {
                faults.unknown(
                    key.span,
                    &format!("{what} has no key {{}}"),
                    &key.text,
                    known.iter().copied(),
                );
                misspelt.extend(nearest(&key.text, known.iter().copied()).map(str::to_owned));
            }
        }
        Some(Self { span: at, what, entries, misspelt })
    }

    /// The value of a key.
    pub(crate) fn get(&self, name: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(key, _)| key.text == name).map(|(_, node)| node)
    }

    /// A key and its value.
    pub(crate) fn entry(&self, name: &str) -> Option<(&'n Key, &'n Node)> {
        self.entries.iter().find(|(key, _)| key.text == name).map(|(key, node)| (key, node))
    }

    /// The value of a key that must be there.
    pub(crate) fn require(&self, name: &str, faults: &mut Faults<'_>) -> Option<&'n Node> {
        let found = self.get(name);
        if found.is_none() && !self.misspelt.iter().any(|meant| meant == name) {
            faults.error(self.span, format!("{} needs `{name}`", self.what));
        }
        found
    }
}

/// A length of time with its unit: `500ms`, `5s`, `2m`; never nothing.
pub(crate) fn length_of_time(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (count, unit) = text.split_at(digits);
    let millis: u64 = match unit.trim() {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        _ => return None,
    };
    let length = count.parse::<u64>().ok()?.checked_mul(millis).map(Duration::from_millis);
    length.filter(|length| !length.is_zero())
}

impl Node {
    /// What a person would call it.
    pub(crate) fn describe(&self) -> String {
        match &self.value {
            Value::Null => "nothing".into(),
            Value::Scalar { text, kind: Scalar::Text } => format!("the text `{text}`"),
            Value::Scalar { text, kind: Scalar::Number } => format!("the number {text}"),
            Value::Scalar { text, kind: Scalar::Bool } => text.clone(),
            Value::List(_) => "a list".into(),
            Value::Map(_) => "a map".into(),
        }
    }

    /// Its text cut to what fits in a line of the event log.
    pub(crate) fn describe_short(&self) -> String {
        const LONGEST: usize = 40;
        match &self.value {
            Value::Scalar { text, .. } => text.chars().take(LONGEST).collect(),
            _ => String::new(),
        }
    }

    /// Its own place, or another where it is empty and has none to show.
    pub(crate) fn place_or(&self, other: Span) -> Span {
        if self.span.len == 0 { other } else { self.span }
    }

    /// A word or number, as it is spelt.
    pub(crate) fn text(&self, what: &str, faults: &mut Faults<'_>) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } if !text.is_empty() => Some(text),
            Value::Scalar { .. } => {
                faults.error(self.span, format!("{what} is empty"));
                None
            }
            _ => {
                faults.error(self.span, format!("{what} is a text, and this is {}", self.describe()));
                None
            }
        }
    }

    /// Anything with a textual form: an address, a number.
    pub(crate) fn parse<T: FromStr>(&self, what: &str, like: &str, faults: &mut Faults<'_>) -> Option<T> {
        let text = self.text(what, faults)?;
        let value = text.parse().ok();
        if value.is_none() {
            faults.hinted(self.span, format!("`{text}` is not {what}"), format!("write it like {like}"));
        }
        value
    }

    /// A whole number within bounds.
    pub(crate) fn number(&self, what: &str, from: u32, to: u32, faults: &mut Faults<'_>) -> Option<u32> {
        let value = match &self.value {
            Value::Scalar { text, .. } => text.parse().ok().filter(|n| (from..=to).contains(n)),
            _ => None,
        };
        if value.is_none() {
            let got = self.describe();
            faults
                .error(self.span, format!("{what} is a whole number from {from} to {to}, and this is {got}"));
        }
        value
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, what: &str, faults: &mut Faults<'_>) -> Option<bool> {
        let value = match &self.value {
            Value::Scalar { text, kind: Scalar::Bool } => text.to_ascii_lowercase().parse().ok(),
            _ => None,
        };
        if value.is_none() {
            faults.error(self.span, format!("{what} is true or false, and this is {}", self.describe()));
        }
        value
    }

    /// A length of time with its unit: `500ms`, `5s`, `2m`, at most an hour.
    pub(crate) fn duration(&self, what: &str, faults: &mut Faults<'_>) -> Option<Duration> {
        self.duration_up_to(what, Duration::from_secs(3_600), faults)
    }

    /// A length of time with its unit, at most `most`: whole minutes.
    pub(crate) fn duration_up_to(
        &self,
        what: &str,
        most: Duration,
        faults: &mut Faults<'_>,
    ) -> Option<Duration> {
        let Value::Scalar { text, .. } = &self.value else {
            faults.error(self.span, format!("{what} is a length of time, and this is {}", self.describe()));
            return None;
        };
        let value = length_of_time(text).filter(|value| *value <= most);
        if value.is_none() {
            let is_count = text.bytes().all(|b| b.is_ascii_digit());
            let hint = if is_count && (1..5).contains(&text.len()) {
                format!("write the unit: {text}s or {text}ms")
            } else {
                let most = most.as_secs() / 60;
                format!("write a whole number with its unit, 500ms, 5s or 2m, at most {most}m")
            };
            faults.hinted(self.span, format!("{what} is no length of time: `{text}`"), hint);
        }
        value
    }

    /// `30s`, `5m`, and besides `12h` and `30d`.
    pub(crate) fn long_duration(&self, what: &str, faults: &mut Faults<'_>) -> Option<Duration> {
        self.long_duration_up_to(what, LONGEST, faults)
    }

    /// The same, at most `most`: whole days.
    pub(crate) fn long_duration_up_to(
        &self,
        what: &str,
        most: Duration,
        faults: &mut Faults<'_>,
    ) -> Option<Duration> {
        let text = self.text(what, faults)?;
        let long = |unit: &str, seconds: u64| {
            text.strip_suffix(unit)?.trim().parse::<u64>().ok()?.checked_mul(seconds)
        };
        let length = long("h", 3_600).or(long("d", 86_400)).map(Duration::from_secs);
        let length = length.or_else(|| length_of_time(text)).filter(|it| !it.is_zero() && *it <= most);
        if length.is_none() {
            let message = format!("{what} is no length of time: `{text}`");
            let days = most.as_secs() / 86_400;
            let hint = format!("write it with its unit, 30m, 12h or 30d, at most {days}d");
            faults.hinted(self.span, message, hint);
        }
        length
    }

    /// The items of a list; anything else but nothing counts as a list of one.
    pub(crate) fn items(&self) -> &[Node] {
        match &self.value {
            Value::Null => &[],
            Value::List(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// The entries of a map whose keys are the administrator's own.
    pub(crate) fn entries(&self, what: &str, faults: &mut Faults<'_>) -> &[(Key, Node)] {
        match &self.value {
            Value::Map(entries) => entries,
            Value::Null => &[],
            _ => {
                faults.error(self.span, format!("{what} is a map, and this is {}", self.describe()));
                &[]
            }
        }
    }
}
