//! `codecs` of the node and of a trunk.

use crate::faults::Faults;
use crate::fields::Fields;
use crate::yaml::Node;
use rtp::Codec;
use std::sync::Arc;

/// The codecs that are spoken where nothing is said.
pub(crate) const DEFAULT: [Codec; 4] = [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus];

/// `codecs: [PCMA, G722]`, the best first; `None` where nothing is said.
pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<Arc<[Codec]>> {
    let (key, node) = fields.entry("codecs")?;
    let mut codecs: Vec<Codec> = Vec::new();
    for item in node.items() {
        let Some(codec) = codec(item, faults) else { continue };
        if codecs.contains(&codec) {
            faults.error(item.span, format!("`{}` is there twice", codec.name()));
        }
        codecs.push(codec);
    }
    if node.items().is_empty() {
        faults.error(node.place_or(key.span), "`codecs` names none");
    }
    (!codecs.is_empty()).then(|| codecs.into())
}

fn codec(node: &Node, faults: &mut Faults<'_>) -> Option<Codec> {
    let name = node.text("a codec", faults)?;
    let found = Codec::ALL.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(name));
    if found.is_none() {
        faults.unknown(node.span, "unknown codec {}", name, Codec::ALL.iter().map(|codec| codec.name()));
    }
    found
}
