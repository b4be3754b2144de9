//! Files as ciphertext: AES-256-GCM in segments, by a key that each file derives from its client's.
//!
//! The format is Tink's `AES256_GCM_HKDF_1MB` with the key as its raw value, so that other programs can read it:
//! a byte with the length of the header (40), a salt of 32 bytes, seven bytes of nonce; then segments of a MiB of
//! ciphertext with their tags, the first one shorter by the header. The file's key is HKDF-SHA256 of the client's key,
//! the salt and the associated data; a segment's nonce is the seven bytes, its number in four, and 1 in the last one.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};

/// A client's key.
pub(crate) const KEY_LEN: usize = 32;
const SALT_LEN: usize = 32;
const PREFIX_LEN: usize = 7;
const HEADER_LEN: usize = 1 + SALT_LEN + PREFIX_LEN;
const TAG_LEN: usize = 16;
/// Of ciphertext.
const SEGMENT_LEN: usize = 1 << 20;

/// What makes files of one key differ: random for each file.
pub(crate) struct Random {
    pub(crate) salt: [u8; SALT_LEN],
    pub(crate) prefix: [u8; PREFIX_LEN],
}

/// Writes as ciphertext what is read, and gives the SHA-256 of what was read.
///
/// # Errors
/// What reading or writing says.
pub(crate) fn seal(
    (key, about): (&[u8; KEY_LEN], &str),
    random: &Random,
    from: &mut impl Read,
    to: &mut impl Write,
) -> io::Result<[u8; 32]> {
    let key = file_key(key, about, &random.salt);
    let header_len = u8::try_from(HEADER_LEN).expect("it is 40");
    to.write_all(&[header_len])?;
    to.write_all(&random.salt)?;
    to.write_all(&random.prefix)?;
    let mut hash = Sha256::new();
    let mut room = SEGMENT_LEN - TAG_LEN - HEADER_LEN;
    let mut segment = read_up_to(from, room)?;
    for number in 0_u32.. {
        hash.update(&segment);
        // Only what is read ahead tells whether this one is the last.
        room = SEGMENT_LEN - TAG_LEN;
        let next = read_up_to(from, room)?;
        let nonce = nonce(&random.prefix, number, next.is_empty());
        let sealed = key.seal_in_place_append_tag(nonce, Aad::empty(), &mut segment);
        sealed.map_err(|_| io::Error::other("it is too long to be encrypted"))?;
        to.write_all(&segment)?;
        if next.is_empty() {
            return Ok(hash.finalize().into());
        }
        segment = next;
    }
    Err(io::Error::other("it is too long to be encrypted"))
}

/// Reads a file of ciphertext, segment by segment.
pub(crate) struct Opener<R> {
    from: R,
    key: LessSafeKey,
    prefix: [u8; PREFIX_LEN],
    number: u32,
    /// What comes next; nothing after the last segment.
    ahead: Vec<u8>,
}

impl<R: Read> Opener<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// What reading says, or that this is no such file.
    pub(crate) fn new((key, about): (&[u8; KEY_LEN], &str), mut from: R) -> io::Result<Self> {
        let mut header = [0; HEADER_LEN];
        from.read_exact(&mut header)?;
        if usize::from(header[0]) != HEADER_LEN {
            return Err(invalid("this is no encrypted file"));
        }
        let (salt, prefix) = header[1..].split_at(SALT_LEN);
        let key = file_key(key, about, salt);
        let prefix = prefix.try_into().expect("what is left of the header");
        let ahead = read_up_to(&mut from, SEGMENT_LEN - HEADER_LEN)?;
        Ok(Self { from, key, prefix, number: 0, ahead })
    }

    /// The next segment as it was; `None` after the last.
    ///
    /// # Errors
    /// What reading says, or that the file is not what was written with this key.
    pub(crate) fn next_segment(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.ahead.is_empty() {
            return Ok(None);
        }
        let next = read_up_to(&mut self.from, SEGMENT_LEN)?;
        let mut segment = std::mem::replace(&mut self.ahead, next);
        let nonce = nonce(&self.prefix, self.number, self.ahead.is_empty());
        self.number = self.number.checked_add(1).ok_or_else(|| invalid("it is too long"))?;
        let opened = self.key.open_in_place(nonce, Aad::empty(), &mut segment);
        let length = opened.map_err(|_| invalid("the file was changed, or is of another key"))?.len();
        segment.truncate(length);
        Ok(Some(segment))
    }
}

/// How many bytes were sealed in a file of that length.
pub(crate) fn plain_length(file: u64) -> u64 {
    let [header, segment, tag] =
        [HEADER_LEN, SEGMENT_LEN, TAG_LEN].map(|length| u64::try_from(length).expect("it is small"));
    // The header takes its place in the first segment.
    let segments = file.div_ceil(segment).max(1);
    file.saturating_sub(header + segments * tag)
}

fn file_key(key: &[u8; KEY_LEN], about: &str, salt: &[u8]) -> LessSafeKey {
    struct Length;
    impl KeyType for Length {
        fn len(&self) -> usize {
            KEY_LEN
        }
    }
    let mut derived = [0; KEY_LEN];
    let pseudo_random = Salt::new(HKDF_SHA256, salt).extract(key);
    let info = [about.as_bytes()];
    let filled = pseudo_random.expand(&info, Length).and_then(|material| material.fill(&mut derived));
    filled.expect("HKDF gives up to 255 times its hash's length");
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &derived).expect("the length is that of AES-256"))
}

fn nonce(prefix: &[u8; PREFIX_LEN], number: u32, is_last: bool) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[..PREFIX_LEN].copy_from_slice(prefix);
    nonce[PREFIX_LEN..NONCE_LEN - 1].copy_from_slice(&number.to_be_bytes());
    nonce[NONCE_LEN - 1] = u8::from(is_last);
    Nonce::assume_unique_for_key(nonce)
}

fn read_up_to(from: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(length).expect("a segment is small");
    from.by_ref().take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; KEY_LEN] = [7; KEY_LEN];
    const ABOUT: &str = "recording 4711";

    fn sealed(plain: &[u8]) -> Vec<u8> {
        let random = Random { salt: [1; SALT_LEN], prefix: [2; PREFIX_LEN] };
        let mut file = Vec::new();
        let hash = seal((&KEY, ABOUT), &random, &mut &*plain, &mut file).expect("sealed");
        assert_eq!(hash, <[u8; 32]>::from(Sha256::digest(plain)));
        file
    }

    fn opened((key, about): (&[u8; KEY_LEN], &str), file: &[u8]) -> io::Result<Vec<u8>> {
        let mut opener = Opener::new((key, about), file)?;
        let mut plain = Vec::new();
        while let Some(segment) = opener.next_segment()? {
            plain.extend(segment);
        }
        Ok(plain)
    }

    #[test]
    fn what_was_sealed_is_read_again_at_every_border_of_segments() {
        let first = SEGMENT_LEN - TAG_LEN - HEADER_LEN;
        for length in [0, 1, first - 1, first, first + 1, first + SEGMENT_LEN - TAG_LEN, 3 * SEGMENT_LEN] {
            let plain: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let file = sealed(&plain);
            assert_eq!(opened((&KEY, ABOUT), &file).expect("opened"), plain, "{length}");
            assert_eq!(plain_length(file.len() as u64), plain.len() as u64);
        }
    }

    #[test]
    fn what_was_changed_cut_or_is_anothers_is_refused() {
        let plain: Vec<u8> = (0..SEGMENT_LEN * 2).map(|at| (at % 251) as u8).collect();
        let file = sealed(&plain);
        assert!(opened((&[8; KEY_LEN], ABOUT), &file).is_err(), "another key");
        assert!(opened((&KEY, "recording 4712"), &file).is_err(), "another recording");
        for at in [0, 1, 35, HEADER_LEN, SEGMENT_LEN - 1, SEGMENT_LEN, file.len() - 1] {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert!(opened((&KEY, ABOUT), &changed).is_err(), "byte {at}");
        }
        for length in [0, HEADER_LEN - 1, HEADER_LEN + 3, SEGMENT_LEN, file.len() - 1] {
            assert!(opened((&KEY, ABOUT), &file[..length]).is_err(), "cut to {length}");
        }
        // Segments that change places.
        let mut turned = file[..SEGMENT_LEN].to_vec();
        turned.extend(&file[2 * SEGMENT_LEN..]);
        turned.extend(&file[SEGMENT_LEN..2 * SEGMENT_LEN]);
        assert!(opened((&KEY, ABOUT), &turned).is_err());
    }
}
