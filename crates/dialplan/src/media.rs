//! What is asked of a trunk's or a client's media.

use crate::faults::Faults;
use crate::fields::Fields;
use crate::yaml::{Key, Node};

/// `media` of a trunk, or of a client for its users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Media {
    /// How much encryption is wanted.
    pub encryption: Encryption,
    /// Whether keys (`a=crypto`) are offered over UDP and TCP, too, where who reads the signalling can hear the call; RFC 4568
    /// forbids it.
    pub keys_in_clear: bool,
    /// How fax goes.
    pub fax: Fax,
}

/// How fax goes, where a party asks for T.38 in a call that has begun as audio.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fax {
    /// By T.38, if both parties have it; else as audio.
    #[default]
    T38,
    /// As audio: T.38 is refused, and not asked for.
    G711,
}

impl Fax {
    const ALL: [(&str, Self); 2] = [("t38", Self::T38), ("g711", Self::G711)];
}

/// How much encryption is wanted. Who offers nothing but encrypted media is answered with it whatever this says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// It is not offered.
    #[default]
    Off,
    /// It is offered to those who can, and taken from those who offer it.
    Optional,
    /// A call without is refused.
    Required,
}

impl Encryption {
    const ALL: [(&str, Self); 3] =
        [("off", Self::Off), ("optional", Self::Optional), ("required", Self::Required)];
}

pub(crate) fn read(key: &Key, node: &Node, faults: &mut Faults<'_>) -> Option<Media> {
    let fields = Fields::of(node, key.span, "`media`", &["encryption", "keys_in_clear", "fax"], faults)?;
    let encryption =
        fields.get("encryption").and_then(|node| named(node, "encryption", &Encryption::ALL, faults));
    let in_clear = fields.get("keys_in_clear").and_then(|node| node.flag("`keys_in_clear`", faults));
    let fax = fields.get("fax").and_then(|node| named(node, "fax", &Fax::ALL, faults));
    let media = Media {
        encryption: encryption.unwrap_or_default(),
        keys_in_clear: in_clear.unwrap_or_default(),
        fax: fax.unwrap_or_default(),
    };
    if let (Encryption::Off, true, Some(node)) =
        (media.encryption, media.keys_in_clear, fields.get("keys_in_clear"))
    {
        let hint = "write encryption: optional, or leave `keys_in_clear` out";
        faults.hinted(node.span, "no keys are offered while `encryption` is off", hint);
    }
    Some(media)
}

/// One of the words that a setting knows.
fn named<T: Copy>(node: &Node, what: &str, all: &[(&str, T)], faults: &mut Faults<'_>) -> Option<T> {
    let text = node.text(&format!("`{what}`"), faults)?;
    let found = all.iter().find(|(name, _)| *name == text);
    if found.is_none() {
        let names = all.iter().map(|(name, _)| *name);
        faults.unknown(node.span, &format!("unknown {what} {{}}"), text, names);
    }
    found.map(|(_, it)| *it)
}
