//! Feature codes: what a client's users may do by the keys of their phones.

use crate::faults::{Faults, Span};
use crate::fields::Fields;
use crate::yaml::{Key, Node};

/// A longer code is a number.
const LONGEST: usize = 6;

/// What a code does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// In a call: hands the other party on to the number that is dialled next.
    Transfer,
    /// In a call: the same after a word with whom that number reaches.
    Consult,
    /// In a transfer: the other party gets the target now.
    Complete,
    /// In a transfer: the other party is taken back.
    Cancel,
    /// A call to it and a user takes the call that rings the user.
    Pickup,
}

impl Feature {
    const ALL: [Self; 5] = [Self::Transfer, Self::Consult, Self::Complete, Self::Cancel, Self::Pickup];

    /// As it is written under `features`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::Consult => "consult",
            Self::Complete => "complete",
            Self::Cancel => "cancel",
            Self::Pickup => "pickup",
        }
    }
}

/// The codes of a client. None is the beginning of another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features(Vec<(Feature, Box<str>)>);

impl Features {
    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The code of a feature.
    pub fn code(&self, feature: Feature) -> Option<&str> {
        self.0.iter().find(|(it, _)| *it == feature).map(|(_, code)| &**code)
    }

    /// The feature whose code these keys are.
    pub fn meant_by(&self, keys: &str, among: &[Feature]) -> Option<Feature> {
        self.among(among).find(|(_, code)| *code == keys).map(|(feature, _)| feature)
    }

    /// Whether the code of one of these features begins with the keys.
    pub fn may_begin(&self, keys: &str, among: &[Feature]) -> bool {
        self.among(among).any(|(_, code)| code.starts_with(keys))
    }

    fn among<'f>(&'f self, among: &'f [Feature]) -> impl Iterator<Item = (Feature, &'f str)> {
        self.0
            .iter()
            .filter(|(feature, _)| among.contains(feature))
            .map(|(feature, code)| (*feature, &**code))
    }
}

pub(crate) fn read(key: &Key, node: &Node, faults: &mut Faults<'_>) -> Option<Features> {
    let known = Feature::ALL.map(Feature::name);
    let fields = Fields::of(node, key.span, "`features`", &known, faults)?;
    let mut found: Vec<(Feature, Box<str>, Span)> = Vec::new();
    for feature in Feature::ALL {
        let Some(node) = fields.get(feature.name()) else { continue };
        let Some(code) = code(node, feature, faults) else { continue };
        let clash =
            found.iter().find(|(_, other, _)| code.starts_with(&**other) || other.starts_with(&*code));
        if let Some((other, ..)) = clash {
            let hint = "a code acts with its last key, so that none may be the beginning of another";
            let message = format!("the codes of `{}` and `{}` begin alike", other.name(), feature.name());
            faults.hinted(node.span, message, hint);
            continue;
        }
        found.push((feature, code, node.span));
    }
    Some(Features(found.into_iter().map(|(feature, code, _)| (feature, code)).collect()))
}

/// `*1`, `##`.
fn code(node: &Node, feature: Feature, faults: &mut Faults<'_>) -> Option<Box<str>> {
    let text = node.text(&format!("`{}`", feature.name()), faults)?;
    let are_keys = text.bytes().all(|key| key.is_ascii_digit() || b"*#".contains(&key));
    if !are_keys || !text.starts_with(['*', '#']) || !(2..=LONGEST).contains(&text.len()) {
        let message = format!("`{text}` is no feature code");
        faults.hinted(node.span, message, "write two to six keys, the first of them * or #: \"*1\"");
        return None;
    }
    Some(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_mean_a_feature_that_is_asked_for() {
        let features = Features(vec![(Feature::Transfer, "*1".into()), (Feature::Cancel, "*30".into())]);
        let all = Feature::ALL;
        assert_eq!(features.meant_by("*1", &all), Some(Feature::Transfer));
        assert_eq!(features.meant_by("*1", &[Feature::Cancel]), None);
        assert!(features.may_begin("*3", &all) && features.may_begin("*", &[Feature::Transfer]));
        assert!(!features.may_begin("*3", &[Feature::Transfer]) && !features.may_begin("*31", &all));
    }
}
