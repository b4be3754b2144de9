//! YAML as a tree in which everything knows its place.

use crate::faults::{Faults, Span};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Error, Spanned};
use std::fmt;

/// A value and where it stands. An alias stands where its anchor is: that is the text to correct.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) value: Value,
}

/// What a node holds. Scalars keep their spelling: a number such as `+15550100` or `0600` is text here.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Scalar { text: String, kind: Scalar },
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// What YAML 1.2 takes a scalar for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scalar {
    Text,
    Number,
    Bool,
}

/// A key of a map.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) span: Span,
    pub(crate) text: String,
}

/// Nested deeper than that is no configuration.
const MAX_DEPTH: usize = 64;

/// Reads one file; `None` when it is no YAML, which is then among the faults.
pub(crate) fn parse(file: usize, text: &str, faults: &mut Faults<'_>) -> Option<Node> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: MAX_DEPTH, flow_nesting_limit: MAX_DEPTH },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options) {
        Ok(raw) => Some(Placer { file, text, faults }.node(raw)),
        Err(error) => {
            syntax(file, text, &error, faults);
            None
        }
    }
}

fn syntax(file: usize, text: &str, error: &Error, faults: &mut Faults<'_>) {
    let location = error.location();
    let (line, column) = location.map_or((1, 1), |l| (l.line(), l.column()));
    let span = Span { file, start: offset(text, line, column), len: 0 };
    let message = error.to_string();
    let place = format!(" at line {line}, column {column}");
    let message = message.strip_suffix(&place).unwrap_or(&message);
    match error {
        Error::UnsupportedTag { .. } => {
            let line = text[..span.start].rfind('\n').map_or(0, |end| end + 1);
            let start = text[line..span.start].rfind('!').map_or(span.start, |skip| line + skip);
            faults.hinted(
                Span { start, len: 1, ..span },
                "`!` begins a YAML tag here, and no tag has a meaning",
                "put the whole value between quotes: \"!…\"",
            );
        }
        Error::MultipleDocuments { .. } => {
            faults.hinted(span, "a second YAML document begins", "one file is one document: remove `---`");
        }
        _ => faults.hinted(
            span,
            format!("this is not YAML: {message}"),
            "look at the indentation, the brackets and the quotes here and in the line above",
        ),
    }
}

/// The byte at a line and column, both from 1; the end of the line or text where there is none.
fn offset(text: &str, line: u64, column: u64) -> usize {
    let mut start = 0;
    for _ in 1..line {
        match text[start..].find('\n') {
            Some(end) => start += end + 1,
            None => return text.len(),
        }
    }
    let rest = text[start..].split('\n').next().unwrap_or_default();
    let skip = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
    start + rest.char_indices().nth(skip).map_or(rest.len(), |(i, _)| i)
}

/// Turns what serde saw into nodes, with the scalars as they are spelt.
struct Placer<'a, 'f, 's> {
    file: usize,
    text: &'a str,
    faults: &'f mut Faults<'s>,
}

impl Placer<'_, '_, '_> {
    fn node(&mut self, raw: Spanned<Raw>) -> Node {
        let span = self.span(&raw);
        let value = match raw.value {
            Raw::Null => Value::Null,
            Raw::Text(text) => Value::Scalar { text, kind: Scalar::Text },
            Raw::Number => Value::Scalar { text: self.spelt(span), kind: Scalar::Number },
            Raw::Bool => Value::Scalar { text: self.spelt(span), kind: Scalar::Bool },
            Raw::List(items) => Value::List(items.into_iter().map(|item| self.node(item)).collect()),
            Raw::Map(entries) => Value::Map(self.map(entries)),
        };
        Node { span, value }
    }

    fn map(&mut self, entries: Vec<(Spanned<Raw>, Spanned<Raw>)>) -> Vec<(Key, Node)> {
        let mut map: Vec<(Key, Node)> = Vec::with_capacity(entries.len());
        let mut seen = std::collections::HashMap::new();
        for (raw_key, value) in entries {
            let key = self.node(raw_key);
            let value = self.node(value);
            let Value::Scalar { text, .. } = key.value else {
                self.faults.error(key.span, "a key must be a word or a number");
                continue;
            };
            let key = Key { span: key.span, text };
            match seen.get(&key.text) {
                Some(first) => self.faults.twice(*first, key.span, &format!("`{}`", key.text)),
                None => {
                    seen.insert(key.text.clone(), key.span);
                    map.push((key, value));
                }
            }
        }
        map
    }

    fn spelt(&self, span: Span) -> String {
        self.text[span.start..span.start + span.len].to_owned()
    }

    fn span(&self, raw: &Spanned<Raw>) -> Span {
        let place = raw.defined;
        let bytes = place.span();
        let start = bytes.byte_offset().and_then(|o| usize::try_from(o).ok());
        let len = bytes.byte_len().and_then(|l| usize::try_from(l).ok());
        let start = start.unwrap_or_else(|| offset(self.text, place.line(), place.column()));
        let len = len.unwrap_or(0);
        if self.text.get(start..start + len).is_some() {
            Span { file: self.file, start, len }
        } else {
            Span { file: self.file, start: offset(self.text, place.line(), place.column()), len: 0 }
        }
    }
}

/// What serde sees.
enum Raw {
    Null,
    Bool,
    Number,
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
        Ok(Raw::Bool)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SourceFile;
    use serde_yaml::Value as Other;

    const SAMPLES: [&str; 4] = [
        include_str!("../tests/everything.yaml"),
        include_str!("../../../dialplans/acme/acme.yaml"),
        include_str!("../../../tests/load/ringdown.yaml"),
        include_str!("../../../tests/load/client/client.yaml"),
    ];

    fn same(node: &Node, other: &Other) -> bool {
        match (&node.value, other) {
            (Value::Null, Other::Null) => true,
            (Value::Scalar { text, kind: Scalar::Text }, Other::String(other)) => text == other,
            (Value::Scalar { text, kind: Scalar::Bool }, Other::Bool(other)) => *text == other.to_string(),
            (Value::Scalar { text, kind: Scalar::Number }, Other::Number(other)) => {
                text.parse::<f64>().ok() == other.as_f64()
            }
            (Value::List(items), Other::Sequence(others)) => {
                items.len() == others.len() && items.iter().zip(others).all(|(item, other)| same(item, other))
            }
            (Value::Map(entries), Other::Mapping(others)) => {
                entries.len() == others.len()
                    && entries.iter().zip(others).all(|((key, value), (other_key, other))| {
                        let other_key = serde_yaml::to_string(other_key).unwrap_or_default();
                        let other_key = other_key.trim_end().trim_matches(['\'', '"']);
                        key.text == other_key && same(value, other)
                    })
            }
            _ => false,
        }
    }

    #[test]
    fn the_sample_files_mean_the_same_to_another_reader() {
        for text in SAMPLES {
            let source = SourceFile { path: "sample.yaml".into(), text: text.into() };
            let mut faults = Faults::new(vec![&source]);
            let node = parse(0, text, &mut faults).expect("a sample");
            let other: Other = serde_yaml::from_str(text).expect("a sample");
            assert!(same(&node, &other), "{node:#?}\n{other:#?}");
            assert_eq!(faults.len(), 0);
        }
    }

    #[test]
    fn scalars_keep_their_spelling_and_their_place() {
        let text = "a: [+15550100, 0600, 09:00, yes, \"q\"]\n";
        let source = SourceFile { path: "x.yaml".into(), text: text.into() };
        let mut faults = Faults::new(vec![&source]);
        let node = parse(0, text, &mut faults).expect("a map");
        let Value::Map(entries) = &node.value else { panic!("a map") };
        let found: Vec<(&str, &str)> = entries[0]
            .1
            .items()
            .iter()
            .map(|item| match &item.value {
                Value::Scalar { text: value, .. } => {
                    (value.as_str(), &text[item.span.start..item.span.start + item.span.len])
                }
                _ => panic!("a scalar"),
            })
            .collect();
        let expected = [
            ("+15550100", "+15550100"),
            ("0600", "0600"),
            ("09:00", "09:00"),
            ("yes", "yes"),
            ("q", "\"q\""),
        ];
        assert_eq!(found, expected);
    }
}
