//! Lists the files that the binary carries with it: the system's prompts and the sample client.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Name of the list, folder below the repository's root, and the extensions wanted.
const LISTS: [(&str, &str, &[&str]); 2] =
    [("SYSTEM_PROMPTS", "prompts", &["wav"]), ("SAMPLE_CLIENT", "dialplans/acme", &["wav", "yaml"])];

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let mut code = String::new();
    for (name, folder, extensions) in LISTS {
        let folder = root.join(folder);
        println!("cargo::rerun-if-changed={}", folder.display());
        let mut files = Vec::new();
        collect(&folder, extensions, &mut files)?;
        files.sort();
        // Writing to a String cannot fail.
        let _ = writeln!(code, "pub(crate) const {name}: &[Embedded] = &[");
        for file in files {
            let path = file.strip_prefix(&folder).unwrap_or(&file);
            let _ = writeln!(code, "    Embedded {{ path: {path:?}, bytes: include_bytes!({file:?}) }},");
        }
        code.push_str("];\n");
    }
    let target = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(Path::new(&target).join("embedded.rs"), code)
}

fn collect(folder: &Path, extensions: &[&str], files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, extensions, files)?;
        } else if path.extension().is_some_and(|it| extensions.iter().any(|wanted| it == *wanted)) {
            files.push(path);
        }
    }
    Ok(())
}
