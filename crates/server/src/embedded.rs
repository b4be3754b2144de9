//! Files that the binary carries with it, so that it needs nothing beside itself.

use std::path::Path;
use std::{fs, io};

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// One file.
pub(crate) struct Embedded {
    /// Relative to the folder that it comes from.
    pub(crate) path: &'static str,
    /// What is in it.
    pub(crate) bytes: &'static [u8],
}

/// Writes files below a folder; one that is there already with the same content is left alone.
///
/// # Errors
/// What the operating system says.
pub(crate) fn write(files: &[Embedded], folder: &Path) -> io::Result<()> {
    for file in files {
        let path = folder.join(file.path);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        if fs::read(&path).is_ok_and(|bytes| bytes == file.bytes) {
            continue;
        }
        fs::write(path, file.bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_carries_the_sample_client_and_the_prompts_of_the_switch() {
        let home = tempfile::tempdir().expect("a directory");
        write(SAMPLE_CLIENT, home.path()).expect("written");
        write(SAMPLE_CLIENT, home.path()).expect("written again");
        for name in ["acme.yaml", "prompts/welcome.wav", "demo/caller.wav"] {
            assert!(home.path().join(name).is_file(), "{name}");
        }
        let prompts: Vec<_> = SYSTEM_PROMPTS.iter().map(|file| file.path).collect();
        assert!(prompts.contains(&"ringback.wav") && prompts.contains(&"hold.wav"), "{prompts:?}");
    }
}
