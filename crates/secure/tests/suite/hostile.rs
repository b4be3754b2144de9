//! What is not the peer's, or is its for the second time.

use crate::{key, roomy, voice};
use proptest::prelude::*;
use rtp::Suite;
use secure::{Inbound, Outbound, Refused};

/// The voice packets with these numbers, protected.
fn protected(suite: Suite, numbers: &[u16]) -> Vec<Vec<u8>> {
    let mut outbound = Outbound::new(&key(suite));
    let protect = |number: &u16| {
        let mut buffer = roomy(&voice(1, *number));
        let length = outbound.protect(&mut buffer, voice(1, *number).len()).expect("a fresh number");
        buffer.truncate(length);
        buffer
    };
    numbers.iter().map(protect).collect()
}

/// CVE-2021-26712 and its kin: what was heard once is not heard again.
#[test]
fn a_packet_is_heard_once() {
    for suite in Suite::ALL {
        let packets = protected(suite, &[10, 11, 12]);
        let mut inbound = Inbound::new(&key(suite));
        for packet in [&packets[0], &packets[2], &packets[1]] {
            assert!(inbound.unprotect(&mut packet.clone()).is_ok(), "{suite:?}");
        }
        for packet in &packets {
            assert_eq!(inbound.unprotect(&mut packet.clone()), Err(Refused::Replayed), "{suite:?}");
        }
    }
}

/// A forged packet far ahead must not move the window, nor the rollover counter.
#[test]
fn a_forged_packet_changes_nothing() {
    for suite in Suite::ALL {
        let packets = protected(suite, &[10, 11]);
        let mut inbound = Inbound::new(&key(suite));
        inbound.unprotect(&mut packets[0].clone()).expect("the peer's");
        for ahead in [12_u16, 30_000, 40_000, 65_000] {
            let mut forged = packets[1].clone();
            forged[2..4].copy_from_slice(&ahead.to_be_bytes());
            assert!(inbound.unprotect(&mut forged).is_err(), "{suite:?} {ahead}");
        }
        assert!(inbound.unprotect(&mut packets[1].clone()).is_ok(), "{suite:?}");
    }
}

/// ES2021-09: a flood of junk neither ends the stream nor takes memory; sources are noted by their tag alone.
#[test]
fn junk_of_many_sources_displaces_nobody() {
    for suite in Suite::ALL {
        let packets = protected(suite, &[10, 11]);
        let mut inbound = Inbound::new(&key(suite));
        inbound.unprotect(&mut packets[0].clone()).expect("the peer's");
        for ssrc in 0..1_000_u32 {
            let mut junk = packets[1].clone();
            junk[8..12].copy_from_slice(&(ssrc + 2).to_be_bytes());
            assert_eq!(inbound.unprotect(&mut junk), Err(Refused::Forged), "{suite:?}");
        }
        assert_eq!(inbound.unprotect(&mut packets[0].clone()), Err(Refused::Replayed), "{suite:?}");
        assert!(inbound.unprotect(&mut packets[1].clone()).is_ok(), "{suite:?}");
    }
}

#[test]
fn plain_packets_are_refused() {
    for suite in Suite::ALL {
        assert_eq!(Inbound::new(&key(suite)).unprotect(&mut voice(1, 10)), Err(Refused::Forged), "{suite:?}");
    }
}

/// Two packets under one number would give away what both said.
#[test]
fn no_number_protects_twice() {
    let mut outbound = Outbound::new(&key(Suite::AeadAes128Gcm));
    let length = voice(1, 10).len();
    assert!(outbound.protect(&mut roomy(&voice(1, 10)), length).is_ok());
    assert_eq!(outbound.protect(&mut roomy(&voice(1, 10)), length), Err(Refused::Replayed));
    assert_eq!(outbound.protect(&mut voice(1, 11), length), Err(Refused::Exhausted));
}

/// RFC 3711 3.4: the flag of encryption is under the tag, and a packet without it is none of ours.
#[test]
fn rtcp_without_the_flag_of_encryption_is_refused() {
    for suite in Suite::ALL {
        let report = [&[0x80, 201, 0, 1, 0, 0, 0, 9][..], &[0; 24]].concat();
        let mut packet = roomy(&report);
        let length = Outbound::new(&key(suite)).protect_rtcp(&mut packet, report.len()).expect("room");
        packet.truncate(length);
        let flag = match suite {
            Suite::AesCm128Sha1Tag80 | Suite::AesCm128Sha1Tag32 => length - 14,
            Suite::AeadAes128Gcm | Suite::AeadAes256Gcm => length - 4,
        };
        let mut inbound = Inbound::new(&key(suite));
        let mut cleared = packet.clone();
        cleared[flag] &= 0x7F;
        assert_eq!(inbound.unprotect_rtcp(&mut cleared), Err(Refused::Unprotected), "{suite:?}");
        assert!(inbound.unprotect_rtcp(&mut packet.clone()).is_ok(), "{suite:?}");
        assert_eq!(inbound.unprotect_rtcp(&mut packet), Err(Refused::Replayed), "{suite:?}");
    }
}

proptest! {
    #[test]
    fn no_changed_packet_is_taken(at in 0..172_usize, bit in 0..8_u8, cut in 0..188_usize) {
        for suite in Suite::ALL {
            let packet = protected(suite, &[10]).remove(0);
            let mut changed = packet.clone();
            changed[at] ^= 1 << bit;
            prop_assert!(Inbound::new(&key(suite)).unprotect(&mut changed).is_err(), "{:?} {}", suite, at);
            let mut short = packet[..cut.min(packet.len() - 1)].to_vec();
            prop_assert!(Inbound::new(&key(suite)).unprotect(&mut short).is_err(), "{:?} {}", suite, cut);
        }
    }

    #[test]
    fn nothing_panics(mut bytes in prop::collection::vec(any::<u8>(), 0..64), rtcp: bool) {
        for suite in Suite::ALL {
            let mut inbound = Inbound::new(&key(suite));
            let taken = if rtcp { inbound.unprotect_rtcp(&mut bytes) } else { inbound.unprotect(&mut bytes) };
            prop_assert!(taken.is_err());
            let (length, mut outbound) = (bytes.len(), Outbound::new(&key(suite)));
            let mut buffer = roomy(&bytes);
            let made = if rtcp { outbound.protect_rtcp(&mut buffer, length) } else { outbound.protect(&mut buffer, length) };
            prop_assert!(made.is_ok() || matches!(made, Err(Refused::Short)));
        }
    }
}
