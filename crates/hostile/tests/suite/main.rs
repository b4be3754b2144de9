//! The checks over the corpora, over mutations of them, and over inputs as long as a message may be.

mod corpus;
mod long;
mod mutations;
mod stun;

use std::path::Path;

/// A check of one input.
type Check = fn(&[u8]);

/// The fuzz targets.
const TARGETS: [(&str, Check); 11] = [
    ("message", hostile::message),
    ("uri", hostile::uri),
    ("sdp", hostile::sdp),
    ("frames", hostile::frames),
    ("rtp", hostile::rtp),
    ("rtcp", hostile::rtcp),
    ("events", hostile::events),
    ("udptl", hostile::udptl),
    ("check", hostile::check),
    ("dtls", hostile::dtls),
    ("wave", hostile::wave),
];

/// The inputs of a target's corpus by name, in the order of their names.
#[expect(clippy::disallowed_methods, reason = "the corpora are files, and no shell is there to read them")]
fn inputs(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let files =
        std::fs::read_dir(&folder).expect("a folder of inputs").map(|entry| entry.expect("a file").path());
    let read = |path: std::path::PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, std::fs::read(&path).expect("an input"))
    };
    let mut inputs: Vec<_> = files.map(read).collect();
    inputs.sort();
    inputs
}
