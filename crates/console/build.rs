//! Builds the pages of `web` by npm, if there is one, and lists what has come of it.
//!
//! All of it happens in `OUT_DIR`, on a copy: the sources stay as they are, however many target directories build them.

use std::collections::hash_map::DefaultHasher;
use std::fmt::Write;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// What the pages are made of, below `web`.
const SOURCES: [&str; 8] = [
    "index.html",
    "pack.mjs",
    "package.json",
    "package-lock.json",
    "public",
    "src",
    "tsconfig.json",
    "vite.config.ts",
];
/// Content types by the end of a name.
const TYPES: [(&str, &str); 5] = [
    ("css", "text/css; charset=utf-8"),
    ("html", "text/html; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("svg", "image/svg+xml"),
    ("wav", "audio/wav"),
];

fn main() -> io::Result<()> {
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?);
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", web.join(source).display());
    }
    let work = out.join("web");
    fs::create_dir_all(&work)?;
    for source in SOURCES {
        let target = work.join(source);
        remove(&target)?;
        copy(&web.join(source), &target)?;
    }
    let built = match install(&work) {
        Ok(()) => build(&work)?,
        Err(why) => {
            println!("cargo::warning=the binary will have no pages: {why}");
            // There is no such file, so that the next build tries again.
            println!("cargo::rerun-if-changed={}", work.join("missing").display());
            Vec::new()
        }
    };
    fs::write(out.join("files.rs"), table(&work.join("dist"), &built)?)
}

/// Has npm fetch what the lock file names, unless it is there already.
fn install(work: &Path) -> Result<(), String> {
    let lock = fs::read(work.join("package-lock.json")).map_err(|error| error.to_string())?;
    let stamp = work.join("installed");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    // What `npm ci` leaves behind when it fails is no installation, of whatever lock file.
    remove(&stamp).map_err(|error| error.to_string())?;
    let how = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
    let status = Command::new("npm").args(how).current_dir(work).status();
    match status {
        Ok(status) if status.success() => fs::write(&stamp, lock).map_err(|error| error.to_string()),
        Ok(status) => Err(format!("`npm ci` ended with {status}")),
        Err(error) => Err(format!("npm: {error}")),
    }
}

/// Has Vite make the pages; their names below `dist`, sorted.
fn build(work: &Path) -> io::Result<Vec<String>> {
    // Its output would be taken for words to cargo.
    let run = Command::new("npm").args(["run", "--silent", "build"]).current_dir(work).output()?;
    if !run.status.success() {
        let said = [run.stdout, run.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        return Err(io::Error::other(format!("the pages do not build:\n{said}")));
    }
    let mut names = Vec::new();
    collect(&work.join("dist"), "", &mut names)?;
    names.retain(|name| !name.ends_with(".br") && !name.ends_with(".gz"));
    names.sort();
    Ok(names)
}

/// The list as code.
fn table(dist: &Path, names: &[String]) -> io::Result<String> {
    let mut code = String::from("/// Sorted by path.\npub const FILES: &[File] = &[\n");
    for name in names {
        let file = dist.join(name);
        let end = name.rsplit('.').next().unwrap_or_default();
        let (_, kind) = TYPES
            .iter()
            .find(|(it, _)| *it == end)
            .ok_or_else(|| io::Error::other(format!("no content type is known for {name}")))?;
        let mut hasher = DefaultHasher::new();
        fs::read(&file)?.hash(&mut hasher);
        let tag = format!("\"{:016x}\"", hasher.finish());
        let packed = |how: &str| {
            let path = dist.join(format!("{name}.{how}"));
            if path.exists() { format!("Some(include_bytes!({path:?}))") } else { "None".to_owned() }
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            code,
            "    File {{ path: {name:?}, kind: {kind:?}, tag: {tag:?}, bytes: include_bytes!({file:?}), \
             brotli: {}, gzip: {} }},",
            packed("br"),
            packed("gz")
        );
    }
    code.push_str("];\n");
    Ok(code)
}

fn collect(folder: &Path, prefix: &str, names: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), names)?;
        } else {
            names.push(name);
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(|_| ());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
