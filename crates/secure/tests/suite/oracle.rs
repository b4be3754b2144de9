//! The same bytes as rtc-srtp, both ways.

use crate::{key, roomy, voice};
use proptest::prelude::*;
use rtc_srtp::context::Context;
use rtc_srtp::protection_profile::ProtectionProfile;
use rtp::{MasterKey, Suite};
use secure::{Inbound, Outbound};

fn theirs(key: &MasterKey) -> Context {
    let profile = match key.suite() {
        Suite::AesCm128Sha1Tag80 => ProtectionProfile::Aes128CmHmacSha1_80,
        Suite::AesCm128Sha1Tag32 => ProtectionProfile::Aes128CmHmacSha1_32,
        Suite::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
        Suite::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
    };
    let crypto = rtc_srtp::crypto::default_provider().expect("a cryptography that is built in");
    Context::new(key.key(), key.salt(), profile, None, None, crypto.crypto()).expect("a key that fits")
}

/// An RTP packet with contributing sources and, perhaps, an extension.
fn packet(
    sequence: u16,
    ssrc: u32,
    contributing: &[u32],
    extension: Option<&[u32]>,
    payload: &[u8],
) -> Vec<u8> {
    let mut packet = voice(ssrc, sequence)[..12].to_vec();
    packet[0] |= contributing.len() as u8 | u8::from(extension.is_some()) << 4;
    packet.extend(contributing.iter().flat_map(|source| source.to_be_bytes()));
    if let Some(words) = extension {
        packet.extend([0xBE, 0xDE, 0, words.len() as u8]);
        // One-byte elements of 3 bytes each (RFC 8285), since the other side reads them.
        packet
            .extend(words.iter().flat_map(|word| [0x12, (word >> 16) as u8, (word >> 8) as u8, *word as u8]));
    }
    packet.extend(payload);
    packet
}

proptest! {
    #[test]
    fn rtp_packets_are_those_of_rtc_srtp(
        ssrc: u32,
        first: u16,
        contributing in prop::collection::vec(any::<u32>(), 0..4),
        extension in prop::option::of(prop::collection::vec(any::<u32>(), 1..4)),
        payload in prop::collection::vec(any::<u8>(), 1..200),
    ) {
        for suite in Suite::ALL {
            let (mut ours, mut theirs_out) = (Outbound::new(&key(suite)), theirs(&key(suite)));
            let (mut inbound, mut theirs_in) = (Inbound::new(&key(suite)), theirs(&key(suite)));
            // Over the end of the sequence numbers, too.
            for step in [0_u16, 1, 3, 2, 30_000, 60_000, 65_535] {
                let plain = packet(first.wrapping_add(step), ssrc, &contributing, extension.as_deref(), &payload);
                let mut protected = roomy(&plain);
                let length = ours.protect(&mut protected, plain.len()).expect("a number not used yet");
                let other = theirs_out.encrypt_rtp(&plain).expect("a packet");
                prop_assert_eq!(&protected[..length], &other[..], "{:?}", suite);
                let opened = theirs_in.decrypt_rtp(&protected[..length]).expect("a packet that is ours");
                prop_assert_eq!(&opened[..], &plain[..]);
                let length = inbound.unprotect(&mut protected[..length]).expect("a packet that is ours");
                prop_assert_eq!(&protected[..length], &plain[..]);
            }
        }
    }

    #[test]
    fn rtcp_packets_are_those_of_rtc_srtp(ssrc: u32, words in prop::collection::vec(any::<u32>(), 5..40)) {
        let mut plain = vec![0x80, 200, 0, words.len() as u8 + 1];
        plain.extend(ssrc.to_be_bytes());
        plain.extend(words.iter().flat_map(|word| word.to_be_bytes()));
        for suite in Suite::ALL {
            let (mut ours, mut theirs_out) = (Outbound::new(&key(suite)), theirs(&key(suite)));
            let (mut inbound, mut theirs_in) = (Inbound::new(&key(suite)), theirs(&key(suite)));
            for _ in 0..3 {
                let mut protected = roomy(&plain);
                let length = ours.protect_rtcp(&mut protected, plain.len()).expect("a number not used yet");
                let other = theirs_out.encrypt_rtcp(&plain).expect("a packet");
                prop_assert_eq!(&protected[..length], &other[..], "{:?}", suite);
                let opened = theirs_in.decrypt_rtcp(&protected[..length]).expect("a packet that is ours");
                prop_assert_eq!(&opened[..], &plain[..]);
                let length = inbound.unprotect_rtcp(&mut protected[..length]).expect("a packet that is ours");
                prop_assert_eq!(&protected[..length], &plain[..]);
            }
        }
    }
}
