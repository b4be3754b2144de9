//! Session keys from master keys (RFC 3711 4.3), with a key derivation rate of zero.

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes::{Aes128Enc, Aes256Enc};
use rtp::MasterKey;

const BLOCK: usize = 16;

/// For what a session key is (RFC 3711 4.3.2).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    Rtp,
    Rtcp,
}

/// Which of a purpose's keys.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Encryption,
    Authentication,
    Salt,
}

/// A session key of `N` bytes.
pub(crate) fn session_key<const N: usize>(master: &MasterKey, purpose: Purpose, kind: Kind) -> [u8; N] {
    let label = match purpose {
        Purpose::Rtp => 0,
        Purpose::Rtcp => 3,
    } + match kind {
        Kind::Encryption => 0,
        Kind::Authentication => 1,
        Kind::Salt => 2,
    };
    // A salt of 96 bits is followed by zeros (RFC 7714 11).
    let mut input = [0; BLOCK];
    input[..master.salt().len()].copy_from_slice(master.salt());
    input[7] ^= label;
    let mut key = [0; N];
    for (counter, chunk) in (0_u16..).zip(key.chunks_mut(BLOCK)) {
        input[BLOCK - 2..].copy_from_slice(&counter.to_be_bytes());
        chunk.copy_from_slice(&encrypted(master.key(), input)[..chunk.len()]);
    }
    key
}

fn encrypted(key: &[u8], input: [u8; BLOCK]) -> [u8; BLOCK] {
    let mut block = input.into();
    match (Aes128Enc::new_from_slice(key), Aes256Enc::new_from_slice(key)) {
        (Ok(cipher), _) => cipher.encrypt_block(&mut block),
        (_, Ok(cipher)) => cipher.encrypt_block(&mut block),
        _ => unreachable!("a master key has 16 or 32 bytes"),
    }
    block.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtp::Suite;

    /// RFC 3711 B.3.
    #[test]
    fn session_keys_follow_appendix_b3() {
        let master = hex("E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE6");
        let master = MasterKey::new(Suite::AesCm128Sha1Tag80, &master).expect("a key and a salt");
        let key: [u8; 16] = session_key(&master, Purpose::Rtp, Kind::Encryption);
        let salt: [u8; 14] = session_key(&master, Purpose::Rtp, Kind::Salt);
        let authentication: [u8; 20] = session_key(&master, Purpose::Rtp, Kind::Authentication);
        assert_eq!(key.to_vec(), hex("C61E7A93744F39EE10734AFE3FF7A087"));
        assert_eq!(salt.to_vec(), hex("30CBBC08863D8C85D49DB34A9AE1"));
        assert_eq!(authentication.to_vec(), hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"));
    }

    fn hex(text: &str) -> Vec<u8> {
        let digit = |byte: u8| char::from(byte).to_digit(16).expect("a hexadecimal digit") as u8;
        text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
    }
}
