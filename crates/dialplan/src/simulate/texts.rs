//! What prompts say.

use crate::SourceFile;
use crate::faults::Faults;
use crate::yaml::{self, Node, Value};
use std::collections::BTreeMap;

/// The texts of prompts by name, from `prompts/texts.yaml` of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts(BTreeMap<String, String>);

impl Texts {
    /// Reads `NAME: text`, or `NAME: {text: …}`. They are for people alone: what cannot be read is left out.
    pub fn read(file: &SourceFile) -> Self {
        let mut faults = Faults::new(vec![file]);
        let root = yaml::parse(0, &file.text, &mut faults);
        let entries = match root.map(|root| root.value) {
            Some(Value::Map(entries)) => entries,
            _ => Vec::new(),
        };
        Self(entries.into_iter().filter_map(|(key, node)| Some((key.text, said(node)?))).collect())
    }

    /// What a prompt says.
    pub fn of(&self, prompt: &str) -> Option<&str> {
        self.0.get(prompt).map(String::as_str)
    }
}

fn said(node: Node) -> Option<String> {
    match node.value {
        Value::Scalar { text, .. } => Some(text),
        Value::Map(entries) => {
            entries.into_iter().find(|(key, _)| key.text == "text").and_then(|(_, node)| said(node))
        }
        Value::Null | Value::List(_) => None,
    }
}
