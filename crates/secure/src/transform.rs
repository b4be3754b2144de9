//! The cryptographic transforms of a session key, in place.

use crate::derivation::{Kind, Purpose, session_key};
use aes::Aes128Enc;
use aes::cipher::{InnerIvInit, KeyInit, StreamCipher};
use ctr::{CtrCore, flavors::Ctr128BE};
use hmac::{Hmac, Mac};
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use rtp::{MasterKey, Suite};
use sha1::Sha1;
use std::fmt;

/// The longest authentication tag, that of GCM.
pub(crate) const MAX_TAG: usize = 16;

/// The tag of RTCP under every HMAC-SHA1 suite (RFC 4568 6.2.2).
const RTCP_TAG: usize = 10;

/// What protects RTP or RTCP packets of one direction.
pub(crate) enum Transform {
    CounterMode(Box<CounterMode>),
    Galois(Box<Galois>),
}

/// AES-CM with HMAC-SHA1 (RFC 3711 4.1.1, 4.2.1).
pub(crate) struct CounterMode {
    cipher: Aes128Enc,
    /// The session salt, times 2^16.
    salt: u128,
    mac: Hmac<Sha1>,
    tag_len: usize,
}

/// AES-GCM (RFC 7714).
pub(crate) struct Galois {
    key: LessSafeKey,
    salt: [u8; NONCE_LEN],
}

impl Transform {
    pub(crate) fn new(master: &MasterKey, purpose: Purpose) -> Self {
        match (master.suite(), purpose) {
            (Suite::AesCm128Sha1Tag80, _) | (Suite::AesCm128Sha1Tag32, Purpose::Rtcp) => {
                Self::CounterMode(Box::new(CounterMode::new(master, purpose, RTCP_TAG)))
            }
            (Suite::AesCm128Sha1Tag32, Purpose::Rtp) => {
                Self::CounterMode(Box::new(CounterMode::new(master, purpose, 4)))
            }
            (Suite::AeadAes128Gcm, _) => {
                let key: [u8; 16] = session_key(master, purpose, Kind::Encryption);
                Self::Galois(Box::new(Galois::new(
                    UnboundKey::new(&AES_128_GCM, &key),
                    session_key(master, purpose, Kind::Salt),
                )))
            }
            (Suite::AeadAes256Gcm, _) => {
                let key: [u8; 32] = session_key(master, purpose, Kind::Encryption);
                Self::Galois(Box::new(Galois::new(
                    UnboundKey::new(&AES_256_GCM, &key),
                    session_key(master, purpose, Kind::Salt),
                )))
            }
        }
    }
}

impl fmt::Debug for Transform {
    /// Without keys: debug output ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CounterMode(_) => "CounterMode",
            Self::Galois(_) => "Galois",
        })
    }
}

impl CounterMode {
    fn new(master: &MasterKey, purpose: Purpose, tag_len: usize) -> Self {
        let key: [u8; 16] = session_key(master, purpose, Kind::Encryption);
        let authentication: [u8; 20] = session_key(master, purpose, Kind::Authentication);
        let mut salt = [0; 16];
        salt[..14].copy_from_slice(&session_key::<14>(master, purpose, Kind::Salt));
        Self {
            cipher: Aes128Enc::new(&key.into()),
            salt: u128::from_be_bytes(salt),
            mac: <Hmac<Sha1> as KeyInit>::new_from_slice(&authentication)
                .expect("HMAC takes keys of any length"),
            tag_len,
        }
    }

    pub(crate) const fn tag_len(&self) -> usize {
        self.tag_len
    }

    /// Encrypts or decrypts.
    pub(crate) fn apply(&self, ssrc: u32, index: u64, payload: &mut [u8]) {
        let iv = self.salt ^ u128::from(ssrc) << 64 ^ u128::from(index) << 16;
        let core = CtrCore::<&Aes128Enc, Ctr128BE>::inner_iv_init(&self.cipher, &iv.to_be_bytes().into());
        aes::cipher::StreamCipherCoreWrapper::from_core(core).apply_keystream(payload);
    }

    /// The tag of what is authenticated, in two parts.
    pub(crate) fn tag(&self, part: &[u8], rest: &[u8], tag: &mut [u8]) {
        let full = self.mac.clone().chain_update(part).chain_update(rest).finalize().into_bytes();
        tag.copy_from_slice(&full[..tag.len()]);
    }

    /// Whether the tag is right, in constant time.
    pub(crate) fn verify(&self, part: &[u8], rest: &[u8], tag: &[u8]) -> bool {
        self.mac.clone().chain_update(part).chain_update(rest).verify_truncated_left(tag).is_ok()
    }
}

impl Galois {
    fn new(key: Result<UnboundKey, ring::error::Unspecified>, salt: [u8; NONCE_LEN]) -> Self {
        Self { key: LessSafeKey::new(key.expect("a session key is as long as its cipher wants")), salt }
    }

    /// Encrypts and gives the tag.
    pub(crate) fn seal(&self, nonce: [u8; NONCE_LEN], header: &[u8], payload: &mut [u8]) -> [u8; MAX_TAG] {
        let sealed = self.key.seal_in_place_separate_tag(self.salted(nonce), Aad::from(header), payload);
        let sealed = sealed.expect("a datagram is shorter than GCM's limit");
        let mut tag = [0; MAX_TAG];
        tag.copy_from_slice(sealed.as_ref());
        tag
    }

    /// Decrypts what has its tag behind it, in place; whether the tag was right.
    pub(crate) fn open(&self, nonce: [u8; NONCE_LEN], header: &[u8], sealed: &mut [u8]) -> bool {
        self.key.open_in_place(self.salted(nonce), Aad::from(header), sealed).is_ok()
    }

    fn salted(&self, mut nonce: [u8; NONCE_LEN]) -> Nonce {
        nonce.iter_mut().zip(self.salt).for_each(|(byte, salt)| *byte ^= salt);
        Nonce::assume_unique_for_key(nonce)
    }
}
