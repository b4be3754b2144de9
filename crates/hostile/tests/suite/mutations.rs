//! What the corpora become by a few changes: a little of what the fuzzer does, in every test run.

use crate::{Check, TARGETS, inputs};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// Octets that mean something to one grammar or another.
const TELLING: &[u8] = b"\r\n \t:;,\"<>\\@[]%=/?&*#-+.0z\x00\x80\xff";

/// A change: where, of which kind, an octet, and a length.
pub(crate) type Edit = (prop::sample::Index, u8, u8, usize);

pub(crate) fn edit() -> impl Strategy<Value = Edit> {
    let octet = prop_oneof![any::<u8>(), prop::sample::select(TELLING)];
    (any::<prop::sample::Index>(), 0..5_u8, octet, 1..40_usize)
}

pub(crate) fn edited(mut bytes: Vec<u8>, other: &[u8], edits: &[Edit]) -> Vec<u8> {
    for (index, kind, octet, length) in edits {
        let at = index.index(bytes.len() + 1);
        let end = (at + length).min(bytes.len());
        match kind {
            0 if at < bytes.len() => bytes[at] = *octet,
            1 => bytes.insert(at, *octet),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            _ => {
                let from = index.index(other.len() + 1);
                let piece = &other[from..(from + length).min(other.len())];
                bytes.splice(at..at, piece.iter().copied());
            }
        }
    }
    bytes
}

fn holds_of_mutations(target: &str, check: Check) {
    let corpus: Vec<Vec<u8>> = inputs(target).into_iter().map(|(_, bytes)| bytes).collect();
    let sample = || prop::sample::select(corpus.clone());
    let config = ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() };
    let mutations = (sample(), sample(), vec(edit(), 1..8));
    let outcome = TestRunner::new(config).run(&mutations, |(bytes, other, edits)| {
        check(&edited(bytes, &other, &edits));
        Ok(())
    });
    assert!(outcome.is_ok(), "{target}: {}", outcome.unwrap_err());
}

/// One test a target, so that they run side by side.
macro_rules! mutations {
    ($($test:ident: $target:literal,)*) => {
        $(#[test]
        fn $test() {
            let found = TARGETS.into_iter().find(|(target, _)| *target == $target);
            let (target, check) = found.expect("a target");
            holds_of_mutations(target, check);
        })*

        #[test]
        fn every_target_is_mutated() {
            assert_eq!(TARGETS.map(|(target, _)| target), [$($target),*]);
        }
    };
}

mutations! {
    mutated_messages_hold: "message",
    mutated_uris_hold: "uri",
    mutated_descriptions_hold: "sdp",
    mutated_streams_hold: "frames",
    mutated_packets_hold: "rtp",
    mutated_reports_hold: "rtcp",
    mutated_telephone_events_hold: "events",
    mutated_fax_holds: "udptl",
    mutated_checks_hold: "check",
    mutated_handshakes_hold: "dtls",
    mutated_prompts_hold: "wave",
}
