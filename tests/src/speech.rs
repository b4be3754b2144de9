use std::path::PathBuf;

use crate::{Heard, Sound, repository};

/// Speech put together from WAV files of the repository.
pub fn speech(files: &[&str]) -> Sound {
    let paths: Vec<PathBuf> = files.iter().map(|file| repository().join(file)).collect();
    Sound::join(paths.iter().map(PathBuf::as_path))
}

/// What the microphone of a caller holds.
pub fn callers_speech() -> Sound {
    let prompts = "dialplans/acme/prompts";
    speech(&[
        "dialplans/acme/demo/caller.wav",
        &format!("{prompts}/closed.wav"),
        &format!("{prompts}/choose.wav"),
        &format!("{prompts}/goodbye.wav"),
    ])
}

/// What that of an agent holds.
pub fn agents_speech() -> Sound {
    speech(&[
        "dialplans/acme/demo/agent.wav",
        "tests/load/client/prompts/ten-seconds.wav",
        "dialplans/acme/prompts/sorry-nobody.wav",
    ])
}

/// The same speech, no gap, no doubling, over at least `seconds`.
///
/// # Panics
/// When it is not.
pub fn assert_same(what: &str, heard: &Heard, seconds: usize) {
    // Silent half seconds between sentences are not compared, hence less than two pieces a second.
    assert!(heard.windows >= seconds, "{what}: too little was heard: {heard:?}");
    assert!(heard.worst > 0.9, "{what}: a piece is missing or garbled: {heard:?}");
    assert!(heard.drift_ms <= 40.0, "{what}: something was left out or came twice: {heard:?}");
}
