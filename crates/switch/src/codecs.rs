//! Which codecs a party is offered, and in which order.

use dialplan::Node;
use events::Party;
use rtp::Codec;
use rtp::control::OpusFormat;
use sdp::{Agreed, AgreedFormat, Capability};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// The lists of the node and of those trunks that have their own.
#[derive(Debug, Default)]
pub(crate) struct Codecs {
    node: List,
    trunks: HashMap<Arc<str>, List>,
}

/// A list as it is configured, and as it is offered for each codec that comes first. Made once, since every leg
/// has one.
#[derive(Debug, Default)]
struct List {
    whole: Arc<[Capability]>,
    with_first: Vec<(Codec, Arc<[Capability]>)>,
}

impl Codecs {
    /// As the node's file has it.
    pub(crate) fn new(node: &Node) -> Self {
        let own =
            |trunk: &dialplan::Trunk| Some((Arc::clone(&trunk.name), List::new(trunk.codecs.as_deref()?)));
        Self { node: List::new(&node.rtp.codecs), trunks: node.trunks.iter().filter_map(own).collect() }
    }

    /// What a party is offered, and what is taken of its offers.
    pub(crate) fn of(&self, party: &Party) -> Arc<[Capability]> {
        Arc::clone(&self.list(party).whole)
    }

    /// What a party is offered that is to be connected with one who speaks `first`: that first, and after the
    /// telephone's codecs no other, since nothing is gained by sound that one of both cannot hear.
    pub(crate) fn for_partner_of(&self, party: &Party, first: Codec) -> Arc<[Capability]> {
        let list = self.list(party);
        let found = list.with_first.iter().find(|(codec, _)| *codec == first);
        Arc::clone(found.map_or(&list.whole, |(_, capabilities)| capabilities))
    }

    fn list(&self, party: &Party) -> &List {
        match party {
            Party::Trunk(trunk) => self.trunks.get(trunk).unwrap_or(&self.node),
            Party::User(_) | Party::Uri => &self.node,
        }
    }
}

impl List {
    fn new(codecs: &[Codec]) -> Self {
        let with_first = codecs.iter().map(|first| {
            let is_partner = |codec: &&Codec| *codec != first && (!is_narrow(*first) || is_narrow(**codec));
            let rest = codecs.iter().filter(is_partner);
            (*first, capabilities(std::iter::once(first).chain(rest)))
        });
        Self { whole: capabilities(codecs.iter()), with_first: with_first.collect() }
    }
}

/// Whether it carries the telephone's band alone.
fn is_narrow(codec: Codec) -> bool {
    matches!(codec, Codec::Pcmu | Codec::Pcma)
}

/// The codecs, and telephone-event at the clock of each.
fn capabilities<'a>(codecs: impl Iterator<Item = &'a Codec> + Clone) -> Arc<[Capability]> {
    let mut clocks: Vec<u32> = codecs.clone().map(|codec| codec.clock_rate()).collect();
    clocks.sort_unstable();
    clocks.dedup();
    codecs
        .map(|codec| capability(*codec))
        .chain(clocks.into_iter().map(Capability::telephone_event))
        .collect()
}

fn capability(codec: Codec) -> Capability {
    Capability {
        encoding: Cow::Borrowed(codec.name()),
        clock_rate: codec.clock_rate(),
        channels: codec.channels(),
        static_type: codec.static_type(),
        fmtp: (codec == Codec::Opus).then_some(Cow::Borrowed("useinbandfec=1;maxaveragebitrate=64000")),
    }
}

/// The codec of a format that was agreed on.
pub(crate) fn codec_of(capabilities: &[Capability], format: &AgreedFormat) -> Option<Codec> {
    let name = &capabilities.get(format.capability)?.encoding;
    Codec::ALL.into_iter().find(|codec| codec.name() == name)
}

/// Where a codec is among the formats that were agreed on.
pub(crate) fn capability_of(capabilities: &[Capability], agreed: &Agreed, codec: Codec) -> Option<usize> {
    let found = agreed.formats.iter().find(|format| codec_of(capabilities, format) == Some(codec));
    found.map(|format| format.capability)
}

/// What a peer's `a=fmtp` asks of Opus (RFC 7587 section 6.1). What it limits the audio band to limits the bit rate:
/// RFC 7587 3.1.1 has the rates that are worth sending.
pub(crate) fn opus_format(fmtp: Option<&str>) -> OpusFormat {
    let mut format = OpusFormat::default();
    let mut limit =
        |bits: u32| format.max_bitrate = Some(format.max_bitrate.map_or(bits, |old| old.min(bits)));
    let (mut fec, mut dtx) = (false, false);
    for parameter in fmtp.unwrap_or_default().split(';') {
        let (name, value) = parameter.trim().split_once('=').unwrap_or((parameter, ""));
        let number = value.trim().parse::<u32>().ok();
        match (name.to_ascii_lowercase().as_str(), number) {
            ("maxaveragebitrate", Some(bits)) => limit(bits),
            ("maxplaybackrate", Some(..=8_000)) => limit(12_000),
            ("maxplaybackrate", Some(..=16_000)) => limit(20_000),
            ("useinbandfec", Some(number)) => fec = number == 1,
            ("usedtx", Some(number)) => dtx = number == 1,
            _ => {}
        }
    }
    OpusFormat { fec, dtx, ..format }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(capabilities: &[Capability]) -> Vec<String> {
        capabilities.iter().map(|it| format!("{}/{}", it.encoding, it.clock_rate)).collect()
    }

    #[test]
    fn a_callee_is_offered_its_callers_codec_first_and_none_that_would_only_cost() {
        let list = List::new(&[Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus]);
        let codecs = Codecs { node: list, trunks: HashMap::new() };
        let offered = |first| names(&codecs.for_partner_of(&Party::Uri, first));
        assert_eq!(offered(Codec::Pcma), ["PCMA/8000", "PCMU/8000", "telephone-event/8000"]);
        let events = ["telephone-event/8000", "telephone-event/48000"];
        let expected = [&["opus/48000", "PCMU/8000", "PCMA/8000", "G722/8000"][..], &events].concat();
        assert_eq!(offered(Codec::Opus), expected);
        assert_eq!(offered(Codec::L16), names(&codecs.of(&Party::Uri)));
    }

    #[test]
    fn rfc7587_6_1_what_a_peer_asks_of_opus_is_heard() {
        let chromium = opus_format(Some("minptime=10;useinbandfec=1"));
        assert_eq!(chromium, OpusFormat { max_bitrate: None, fec: true, dtx: false });
        let careful = opus_format(Some("maxplaybackrate=16000; maxaveragebitrate=16000; usedtx=1"));
        assert_eq!(careful, OpusFormat { max_bitrate: Some(16_000), fec: false, dtx: true });
        assert_eq!(opus_format(None), OpusFormat::default());
    }
}
