//! What was applied to a node, whole, with who, when and why: the files that an administrator writes, kept in the state
//! directory. Each is kept once, by its SHA-256, whatever number of versions has it.

use crate::hex::hex;
use crate::load::{self, LoadError};
use crate::private;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use utoipa::ToSchema;

/// The folder in the state directory.
const FOLDER: &str = "versions";
/// Where the files are in it.
const FILES: &str = "files";
/// The oldest versions are forgotten beyond so many.
const MOST: usize = 200;

/// Files by their path, relative to the folder of the node file where they are below it, with the SHA-256 of each.
pub type Manifest = BTreeMap<String, String>;

/// One version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Version {
    /// Counts up from 1, over restarts too.
    pub number: u64,
    /// When, RFC 3339.
    pub at: String,
    /// Who.
    pub by: String,
    /// Why, if they said so.
    pub why: Option<String>,
    /// False for files that a rollback found, which nobody had applied.
    pub applied: bool,
    /// Where the node file is.
    #[schema(value_type = String)]
    pub node_file: PathBuf,
    /// All files, by their path, with the SHA-256 of each.
    #[schema(value_type = BTreeMap<String, String>, inline)]
    pub files: Manifest,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Became {
    /// It was not there before.
    Added,
    /// It has another content.
    Changed,
    /// It is no longer there.
    Removed,
}

/// A file that is not the same in two versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Change {
    /// Which.
    pub file: String,
    /// What became of it.
    pub became: Became,
}

/// Who wants something of a configuration, and why.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct Wish {
    /// Who.
    pub by: Option<String>,
    /// Why.
    pub why: Option<String>,
}

/// Why a version cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// There is none of that number.
    #[error("there is no version {0}: `ringdown versions` lists them")]
    Unknown(u64),
    /// There is none before the present one.
    #[error("there is no version before this one")]
    First,
    /// The files that a configuration consists of cannot be told.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A file was written while the version was made of it.
    #[error("{} has changed meanwhile: apply once more", path.display())]
    Changed {
        /// Which.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
}

/// The versions of a node.
#[derive(Clone, Debug)]
pub struct Versions {
    folder: PathBuf,
    node_file: PathBuf,
}

impl Versions {
    /// Those in a state directory, of the node that a file describes.
    pub fn new(state: &Path, node_file: &Path) -> Self {
        let node_file = std::path::absolute(node_file).unwrap_or_else(|_| node_file.to_owned());
        Self { folder: state.join(FOLDER), node_file }
    }

    /// Those in a state directory, of the node that was served last; `None` if none was.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn of_state(state: &Path) -> Result<Option<Self>, VersionError> {
        let unknown = Self { folder: state.join(FOLDER), node_file: PathBuf::new() };
        let last = unknown.all()?.pop();
        Ok(last.map(|last| Self { node_file: last.node_file, ..unknown }))
    }

    /// All of them, the oldest first.
    ///
    /// # Errors
    /// One cannot be read.
    pub fn all(&self) -> Result<Vec<Version>, VersionError> {
        let mut found = Vec::new();
        for number in self.numbers()? {
            let path = self.about(number);
            let text = fs::read(&path).map_err(of(&path))?;
            let read = serde_json::from_slice(&text).map_err(io::Error::from);
            found.push(read.map_err(of(&path))?);
        }
        Ok(found)
    }

    /// The version that was applied last.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn live(&self) -> Result<Option<Version>, VersionError> {
        Ok(self.all()?.into_iter().rfind(|version| version.applied))
    }

    /// One of them.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn find(&self, number: u64) -> Result<Version, VersionError> {
        let found = self.all()?.into_iter().find(|version| version.number == number);
        found.ok_or(VersionError::Unknown(number))
    }

    /// The files as they are now. Where the node file is too broken to say which these are, those of the last version.
    ///
    /// # Errors
    /// One cannot be read.
    pub fn present(&self) -> Result<Manifest, VersionError> {
        let paths = match load::files_of(&self.node_file) {
            Ok(paths) => paths,
            Err(error) => match self.live()? {
                Some(last) => last.files.keys().map(|file| self.path(file)).collect(),
                None => return Err(error.into()),
            },
        };
        let mut files = Manifest::new();
        for path in paths {
            match fs::read(&path) {
                Ok(bytes) => {
                    files.insert(self.name(&path), hex(&Sha256::digest(&bytes)));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(of(&path)(error)),
            }
        }
        Ok(files)
    }

    /// Keeps these files as a version, unless the last one has the same.
    ///
    /// # Errors
    /// One cannot be read or written.
    pub fn keep(&self, files: Manifest, wish: &Wish, applied: bool) -> Result<Version, VersionError> {
        let mut versions = self.all()?;
        let last = versions.last().map_or(0, |version| version.number);
        if let Some(live) = versions.pop_if(|version| version.files == files && version.applied == applied) {
            return Ok(live);
        }
        for (file, hash) in &files {
            let path = self.path(file);
            let kept = self.blob(hash);
            if !kept.is_file() {
                let bytes = fs::read(&path).map_err(of(&path))?;
                if hex(&Sha256::digest(&bytes)) != *hash {
                    return Err(VersionError::Changed { path });
                }
                write_private(&kept, &bytes)?;
            }
        }
        let at = jiff::Timestamp::now().round(jiff::Unit::Second).unwrap_or_default().to_string();
        let by = wish.by.clone().unwrap_or_else(|| "unknown".to_owned());
        let (number, why, node_file) = (last + 1, wish.why.clone(), self.node_file.clone());
        let version = Version { number, at, by, why, applied, node_file, files };
        let text = serde_json::to_vec_pretty(&version).expect("a version is plain data: it has a JSON form");
        write_private(&self.about(number), &text)?;
        self.forget_oldest()?;
        Ok(version)
    }

    /// Makes the files on disk those of a version: what is not among them goes.
    ///
    /// # Errors
    /// One cannot be written: some may have been by then.
    pub fn write(&self, present: &Manifest, wanted: &Manifest) -> Result<(), VersionError> {
        for Change { file, became } in changes(present, wanted) {
            let path = self.path(&file);
            match (became, wanted.get(&file)) {
                (Became::Added | Became::Changed, Some(hash)) => {
                    let bytes = self.content(hash)?;
                    if let Some(folder) = path.parent() {
                        fs::create_dir_all(folder).map_err(of(folder))?;
                    }
                    // In place: whoever owns the file, and who may read it, stays as it is.
                    fs::write(&path, bytes).map_err(of(&path))?;
                }
                _ => fs::remove_file(&path).map_err(of(&path))?,
            }
        }
        Ok(())
    }

    /// What a kept file holds.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn content(&self, hash: &str) -> Result<Vec<u8>, VersionError> {
        let path = self.blob(hash);
        fs::read(&path).map_err(of(&path))
    }

    /// What a file holds now; nothing if it is not there.
    pub fn now(&self, file: &str) -> Vec<u8> {
        fs::read(self.path(file)).unwrap_or_default()
    }

    fn numbers(&self) -> Result<BTreeSet<u64>, VersionError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
            Err(error) => return Err(of(&self.folder)(error)),
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(names.filter_map(|name| name.strip_suffix(".json")?.parse().ok()).collect())
    }

    /// Forgets the oldest versions, and the files that only they had.
    fn forget_oldest(&self) -> Result<(), VersionError> {
        let numbers = self.numbers()?;
        if numbers.len() <= MOST {
            return Ok(());
        }
        for number in numbers.iter().take(numbers.len() - MOST) {
            let path = self.about(*number);
            fs::remove_file(&path).map_err(of(&path))?;
        }
        let wanted: BTreeSet<String> =
            self.all()?.into_iter().flat_map(|version| version.files.into_values()).collect();
        let folder = self.folder.join(FILES);
        for entry in fs::read_dir(&folder).map_err(of(&folder))?.flatten() {
            if !wanted.contains(&*entry.file_name().to_string_lossy()) {
                fs::remove_file(entry.path()).map_err(of(&entry.path()))?;
            }
        }
        Ok(())
    }

    fn about(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number}.json"))
    }

    fn blob(&self, hash: &str) -> PathBuf {
        self.folder.join(FILES).join(hash)
    }

    fn home(&self) -> &Path {
        self.node_file.parent().unwrap_or(Path::new(""))
    }

    fn path(&self, file: &str) -> PathBuf {
        self.home().join(file)
    }

    fn name(&self, path: &Path) -> String {
        path.strip_prefix(self.home()).unwrap_or(path).to_string_lossy().into_owned()
    }
}

/// The files that are not the same, by name.
pub fn changes(before: &Manifest, after: &Manifest) -> Vec<Change> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let change = |file: &String| {
        let became = match (before.get(file), after.get(file)) {
            (None, _) => Became::Added,
            (_, None) => Became::Removed,
            (one, other) if one == other => return None,
            _ => Became::Changed,
        };
        Some(Change { file: file.clone(), became })
    };
    names.into_iter().filter_map(change).collect()
}

/// Writes a file that only the node's own user can read, since node files hold passwords: whole, or not at all.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), VersionError> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(of(folder))?;
    }
    private::write(path, bytes).map_err(of(path))
}

fn of(path: &Path) -> impl FnOnce(io::Error) -> VersionError {
    move |error| VersionError::File { path: path.to_owned(), error }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(folder: &Path, flows: &str) -> Versions {
        let (node_file, client) = (folder.join("ringdown.yaml"), folder.join("acme"));
        fs::create_dir_all(client.join("prompts/de")).expect("made");
        fs::write(&node_file, "clients: [acme]\n").expect("written");
        fs::write(client.join("acme.yaml"), flows).expect("written");
        fs::write(client.join("prompts/de/welcome.wav"), "RIFF").expect("written");
        Versions::new(&folder.join("state"), &node_file)
    }

    fn by(name: &str) -> Wish {
        Wish { by: Some(name.to_owned()), why: None }
    }

    #[test]
    fn a_version_is_kept_once_and_brings_its_files_back() {
        let folder = tempfile::tempdir().expect("a directory");
        let versions = node(folder.path(), "one");
        let first = versions.keep(versions.present().expect("files"), &by("ann"), true).expect("kept");
        assert_eq!((first.number, first.by.as_str(), first.files.len()), (1, "ann", 3));
        let again = versions.keep(versions.present().expect("files"), &by("bob"), true).expect("kept");
        assert_eq!(again, first, "nothing has changed");
        let acme = folder.path().join("acme");
        fs::write(acme.join("acme.yaml"), "two").expect("written");
        fs::write(acme.join("more.yaml"), "more").expect("written");
        fs::remove_file(acme.join("prompts/de/welcome.wav")).expect("removed");
        let present = versions.present().expect("files");
        let second = versions.keep(present.clone(), &by("bob"), true).expect("kept");
        let change = |file: &str, became| Change { file: file.to_owned(), became };
        let expected = [
            change("acme/acme.yaml", Became::Changed),
            change("acme/more.yaml", Became::Added),
            change("acme/prompts/de/welcome.wav", Became::Removed),
        ];
        assert_eq!((second.number, changes(&first.files, &second.files)), (2, expected.to_vec()));
        versions.write(&present, &first.files).expect("written");
        assert_eq!(versions.present().expect("files"), first.files);
        assert_eq!(fs::read(acme.join("prompts/de/welcome.wav")).expect("there"), b"RIFF");
        assert!(!acme.join("more.yaml").exists());
        assert_eq!(versions.find(3).unwrap_err().to_string(), VersionError::Unknown(3).to_string());
        let known = Versions::of_state(&folder.path().join("state")).expect("readable").expect("a node");
        assert_eq!(known.live().expect("readable"), Some(second));
    }

    #[test]
    fn a_node_file_that_nobody_can_read_has_the_files_of_the_last_version() {
        let folder = tempfile::tempdir().expect("a directory");
        let versions = node(folder.path(), "one");
        let first = versions.keep(versions.present().expect("files"), &by("ann"), true).expect("kept");
        fs::write(folder.path().join("ringdown.yaml"), "clients: [").expect("written");
        let present = versions.present().expect("files");
        assert_eq!(changes(&first.files, &present).len(), 1);
        versions.write(&present, &first.files).expect("written");
        assert_eq!(versions.present().expect("files"), first.files);
    }

    #[test]
    fn a_file_that_changes_while_a_version_is_made_of_it_is_told_and_not_kept() {
        let folder = tempfile::tempdir().expect("a directory");
        let versions = node(folder.path(), "one");
        let present = versions.present().expect("files");
        fs::write(folder.path().join("acme/acme.yaml"), "two").expect("written");
        let refused = versions.keep(present, &by("ann"), true).expect_err("it has changed");
        assert!(
            matches!(&refused, VersionError::Changed { path } if path.ends_with("acme.yaml")),
            "{refused}"
        );
        assert!(versions.all().expect("readable").is_empty());
    }

    #[test]
    fn the_oldest_are_forgotten_with_the_files_that_only_they_had() {
        let folder = tempfile::tempdir().expect("a directory");
        let versions = node(folder.path(), "0");
        for number in 0..=MOST {
            fs::write(folder.path().join("acme/acme.yaml"), number.to_string()).expect("written");
            versions.keep(versions.present().expect("files"), &by("ann"), true).expect("kept");
        }
        let all = versions.all().expect("readable");
        assert_eq!((all.len(), all[0].number), (MOST, 2));
        let kept = fs::read_dir(folder.path().join("state/versions/files")).expect("there").count();
        assert_eq!(kept, MOST + 2, "each flow, the node file and the prompt");
    }
}
