use std::fs::File;
use std::io::{self, Read};

/// Thirty-two bytes that nobody can guess, from the operating system.
pub(crate) fn seed() -> io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut seed)?;
    Ok(seed)
}
