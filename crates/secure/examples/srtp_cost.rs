//! What protecting and unprotecting a packet of 20 ms of G.711 (172 bytes) costs, beside rtc-srtp:
//! `cargo run --release -p secure --example srtp_cost`.

use rtc_srtp::context::Context;
use rtc_srtp::protection_profile::ProtectionProfile;
use rtp::{Header, MasterKey, Suite};
use secure::{Inbound, MAX_OVERHEAD, Outbound};
use std::hint::black_box;
use std::time::Instant;

const PACKETS: u32 = 200_000;
const LENGTH: usize = 172;
const SUITES: [(Suite, ProtectionProfile); 4] = [
    (Suite::AesCm128Sha1Tag80, ProtectionProfile::Aes128CmHmacSha1_80),
    (Suite::AesCm128Sha1Tag32, ProtectionProfile::Aes128CmHmacSha1_32),
    (Suite::AeadAes128Gcm, ProtectionProfile::AeadAes128Gcm),
    (Suite::AeadAes256Gcm, ProtectionProfile::AeadAes256Gcm),
];

fn main() {
    println!("ns a packet of {LENGTH} bytes     protect  unprotect   rtc-srtp: protect  unprotect");
    for (suite, profile) in SUITES {
        let keying: Vec<u8> = (7..).take(suite.key_len() + suite.salt_len()).collect();
        let Some(key) = MasterKey::new(suite, &keying) else { continue };
        let [protect, unprotect] = ours(&key);
        let [their_protect, their_unprotect] = theirs(&key, profile);
        let name = format!("{suite:?}");
        println!("{name:30} {protect:8.0} {unprotect:10.0} {their_protect:19.0} {their_unprotect:10.0}");
    }
}

fn voice(number: u32) -> [u8; LENGTH + MAX_OVERHEAD] {
    let header = Header { payload_type: 8, sequence: number as u16, ssrc: 1, ..Header::default() };
    let mut packet = [0x55; LENGTH + MAX_OVERHEAD];
    packet[..12].copy_from_slice(&header.to_bytes());
    packet
}

fn ours(key: &MasterKey) -> [f64; 2] {
    let (mut outbound, mut inbound) = (Outbound::new(key), Inbound::new(key));
    let mut packets: Vec<_> = (0..PACKETS).map(voice).collect();
    let mut length = 0;
    let protect = nanoseconds(|number| {
        length = outbound.protect(&mut packets[number], LENGTH).unwrap_or_default();
    });
    let unprotect = nanoseconds(|number| {
        assert_eq!(inbound.unprotect(black_box(&mut packets[number][..length])), Ok(LENGTH));
    });
    [protect, unprotect]
}

fn theirs(key: &MasterKey, profile: ProtectionProfile) -> [f64; 2] {
    let Ok(crypto) = rtc_srtp::crypto::default_provider() else { return [f64::NAN; 2] };
    let context = || Context::new(key.key(), key.salt(), profile, None, None, crypto.crypto());
    let (Ok(mut outbound), Ok(mut inbound)) = (context(), context()) else { return [f64::NAN; 2] };
    let packets: Vec<_> = (0..PACKETS).map(voice).collect();
    let mut protected = Vec::with_capacity(packets.len());
    let protect = nanoseconds(|number| protected.push(outbound.encrypt_rtp(&packets[number][..LENGTH])));
    let unprotect = nanoseconds(|number| {
        let opened = protected[number].as_ref().map(|packet| inbound.decrypt_rtp(packet));
        assert!(matches!(opened, Ok(Ok(_))));
    });
    [protect, unprotect]
}

fn nanoseconds(mut packet: impl FnMut(usize)) -> f64 {
    #[expect(clippy::disallowed_methods, reason = "a measurement, no part of the crate")]
    let begin = Instant::now();
    (0..PACKETS as usize).for_each(&mut packet);
    begin.elapsed().as_nanos() as f64 / f64::from(PACKETS)
}
