//! The ways by which speech goes through the engine.

use audio::Rate;
use rtp::Codec;

/// One way through the engine, from the party that speaks to the one that listens.
pub(crate) struct SoundPath {
    /// What it is called in the table and in the names of files.
    pub(crate) name: &'static str,
    pub(crate) from: Codec,
    pub(crate) to: Codec,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Bridge,
    /// A bridge whose speaking party encrypts.
    Srtp,
    /// Three in a room; one speaks.
    Room,
    /// A bridge with what is recorded of the speaking party.
    Recording,
}

const fn path(name: &'static str, from: Codec, to: Codec, kind: Kind) -> SoundPath {
    SoundPath { name, from, to, kind }
}

pub(crate) const PATHS: [SoundPath; 12] = [
    path("g711-g711", Codec::Pcmu, Codec::Pcmu, Kind::Bridge),
    path("srtp-g711", Codec::Pcmu, Codec::Pcmu, Kind::Srtp),
    path("g711-opus", Codec::Pcma, Codec::Opus, Kind::Bridge),
    path("opus-g711", Codec::Opus, Codec::Pcma, Kind::Bridge),
    path("g722-g711", Codec::G722, Codec::Pcmu, Kind::Bridge),
    path("g711-g722", Codec::Pcmu, Codec::G722, Kind::Bridge),
    path("g722-opus", Codec::G722, Codec::Opus, Kind::Bridge),
    path("opus-g722", Codec::Opus, Codec::G722, Kind::Bridge),
    path("room-g711", Codec::Pcmu, Codec::Pcmu, Kind::Room),
    path("room-g722", Codec::G722, Codec::G722, Kind::Room),
    path("recorded-g711", Codec::Pcmu, Codec::Pcmu, Kind::Recording),
    path("recorded-opus", Codec::Opus, Codec::Opus, Kind::Recording),
];

impl SoundPath {
    /// Whether the engine passes the packets on as they are.
    pub(crate) fn is_forwarded(&self) -> bool {
        matches!(self.kind, Kind::Bridge | Kind::Srtp) && self.from == self.to
    }

    /// The best that is left of the speech on its way.
    pub(crate) fn rate(&self) -> Rate {
        Rate::of(self.from).min(Rate::of(self.to))
    }

    /// The codecs that the speech goes through, one after the other.
    pub(crate) fn codecs(&self) -> impl Iterator<Item = Codec> {
        let is_encoded_again = !self.is_forwarded() && self.kind != Kind::Recording;
        [self.from].into_iter().chain(is_encoded_again.then_some(self.to))
    }
}
