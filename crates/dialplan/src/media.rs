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
    let fields = Fields::of(node, key.span, "`media`", &["encryption", "keys_in_clear"], faults)?;
    let encryption = fields.get("encryption").and_then(|node| encryption(node, faults));
    let in_clear = fields.get("keys_in_clear").and_then(|node| node.flag("`keys_in_clear`", faults));
    let media =
        Media { encryption: encryption.unwrap_or_default(), keys_in_clear: in_clear.unwrap_or_default() };
    if let (Encryption::Off, true, Some(node)) =
        (media.encryption, media.keys_in_clear, fields.get("keys_in_clear"))
    {
        let hint = "write encryption: optional, or leave `keys_in_clear` out";
        faults.hinted(node.span, "no keys are offered while `encryption` is off", hint);
    }
    Some(media)
}

fn encryption(node: &Node, faults: &mut Faults<'_>) -> Option<Encryption> {
    let text = node.text("`encryption`", faults)?;
    let found = Encryption::ALL.into_iter().find(|(name, _)| *name == text);
    if found.is_none() {
        faults.unknown(
            node.span,
            "unknown encryption {}",
            text,
            Encryption::ALL.into_iter().map(|(name, _)| name),
        );
    }
    found.map(|(_, encryption)| encryption)
}
