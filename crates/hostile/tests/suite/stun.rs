//! What STUN keep-alives become by a few changes. Their grammar is small enough to do without a corpus.

use crate::mutations::{edit, edited};
use proptest::collection::vec;
use proptest::prelude::*;

/// A Binding request with SOFTWARE, one with a FINGERPRINT that is right, one with nothing, and one that has to be refused.
fn requests() -> [Vec<u8>; 4] {
    let head = |length: u8| [&[0, 1, 0, length, 0x21, 0x12, 0xa4, 0x42][..], b"transaction!"].concat();
    let software = [&head(8)[..], &[0x80, 0x22, 0, 3], b"abc\0"].concat();
    let fingerprint = [&head(8)[..], &[0x80, 0x28, 0, 4], &FINGERPRINT].concat();
    let username = [&head(20)[..], &[0, 6, 0, 9], b"anna:anna\0\0\0", &[0, 0x25, 0, 0]].concat();
    [software, fingerprint, head(0), username]
}

/// Of the second request: its CRC-32 by another program (Python's zlib), with 0x5354554e added.
const FINGERPRINT: [u8; 4] = [0xa6, 0xb2, 0x15, 0x0d];

#[test]
fn the_requests_themselves_are_answered() {
    for request in requests() {
        let peer = "192.0.2.9:5060".parse().expect("an address");
        assert!(sip::stun::answer(&request, peer).is_some(), "{request:?}");
        hostile::stun(&request);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_keep_alives_hold(which in 0..4_usize, other in 0..4_usize, edits in vec(edit(), 0..4)) {
        let requests = requests();
        hostile::stun(&edited(requests[which].clone(), &requests[other], &edits));
    }

    #[test]
    fn any_octets_hold(octets in vec(any::<u8>(), 0..64)) {
        let request = [&[0, 1][..], &octets].concat();
        hostile::stun(&request);
    }
}
