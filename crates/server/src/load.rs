//! Reads what an administrator wrote from disk and has it checked.

use crate::embedded::{Embedded, SYSTEM_PROMPTS};
use crate::stir::Material;
use crate::tls::{Identity, Outbound, PemError};
use crate::web;
use clock::Duration;
use dialplan::{ClientFiles, Config, Input, PromptFile, Report, SourceFile, TestCase, Texts};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path, PathBuf};

/// The largest file that is taken for a configuration.
const MAX_FILE: u64 = 4 << 20;
/// The folder of prompts, a client's or the system's.
pub(crate) const PROMPTS: &str = "prompts";
/// What ends the name of a file that a client's folder is read for.
const FLOWS: [&str; 4] = ["yaml", "yml", "ics", "csv"];
/// What ends the name of a file of tests.
const YAML: [&str; 2] = ["yaml", "yml"];
pub(crate) const SECRETS: &str =
    "`secrets` names variables of the node's environment, and files in the client's folder";
const NO_FOLDER: &str = "the node file's `clients` names folders, relative to the node file";
/// Sample rates that the media engine plays.
const SAMPLE_RATES: [u32; 3] = [8_000, 16_000, 48_000];

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file or folder cannot be read.
    #[error("{}: cannot be read: {error}\n  {hint}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
        /// What to do.
        hint: &'static str,
    },
    /// A certificate or key is not what it should be.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// The value of a client's secret is not there.
    #[error("{folder}: the secret `{name}`: {reason}\n  {SECRETS}")]
    Secret {
        /// The client's folder.
        folder: String,
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// It was read and has faults.
    #[error(transparent)]
    Faults(#[from] Report),
}

/// Reads a node file and the client folders that it names, and checks all of it together. `prompts` is the
/// folder that a node keeps the system's own prompts in.
///
/// # Errors
/// The file that cannot be read, or every fault of every file.
pub fn load_node(path: &Path, prompts: &Path) -> Result<Config, LoadError> {
    let node = read_file(path, "name the node file: check FILE, serve --config FILE")?;
    let home = path.parent().unwrap_or(Path::new(""));
    let folders = dialplan::node_clients(&node)?;
    let clients = folders.iter().map(|folder| read_client(&below(home, folder))).collect::<Result<_, _>>()?;
    Ok(dialplan::load(&Input { node, clients, system_prompts: system_prompts(prompts) })?)
}

/// Checks a client folder alone, or a node file with its clients.
///
/// # Errors
/// As [`load_node`].
pub fn load_path(path: &Path) -> Result<Config, LoadError> {
    if path.is_dir() { load_client(path) } else { load_node(path, Path::new(PROMPTS)) }
}

/// The client folders that [`load_path`] reads.
///
/// # Errors
/// The node file cannot be read, or is too broken to tell.
pub fn client_folders(path: &Path) -> Result<Vec<PathBuf>, LoadError> {
    if path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let node = read_file(path, "name a client folder or a node file")?;
    let home = path.parent().unwrap_or(Path::new(""));
    Ok(dialplan::node_clients(&node)?.iter().map(|folder| below(home, folder)).collect())
}

/// The tests of the client folders that [`load_path`] made a plan of. A node reads none: what is wrong with a test is no
/// reason not to serve.
///
/// # Errors
/// A file cannot be read, or every fault of every test file.
pub fn tests(path: &Path, plan: &Config) -> Result<Vec<TestCase>, LoadError> {
    let system_prompts = system_prompts(Path::new(PROMPTS));
    let (mut cases, mut diagnostics) = (Vec::new(), Vec::new());
    for folder in client_folders(path)? {
        let (yaml, hint) = (list(&folder, &YAML, NO_FOLDER)?, "every *.test.yaml of a client folder is read");
        let files = yaml.iter().filter(|path| is_test(path)).map(|path| read_file(path, hint));
        let files = files.collect::<Result<Vec<_>, _>>()?;
        match dialplan::load_tests(plan, &read_client(&folder)?, &system_prompts, &files) {
            Ok(found) => cases.extend(found),
            Err(report) => diagnostics.extend(report.diagnostics),
        }
    }
    if diagnostics.is_empty() { Ok(cases) } else { Err(Report { diagnostics }.into()) }
}

/// Every file that an administrator writes for a node: the node file, and of each client flows, calendars, tests, prompts
/// and their texts. Certificates and keys are none of them.
///
/// # Errors
/// As [`client_folders`], or a folder cannot be read.
pub(crate) fn files_of(node_file: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let mut found = vec![node_file.to_owned()];
    for folder in client_folders(node_file)? {
        found.extend(list(&folder, &FLOWS, NO_FOLDER)?);
        let prompts = folder.join(PROMPTS);
        if prompts.is_dir() {
            found.extend(list_prompts(&prompts, NO_FOLDER)?);
            found.extend(list(&prompts, &YAML, NO_FOLDER)?);
        }
    }
    Ok(found)
}

/// Whether a file of a client's folder tests flows instead of holding any.
fn is_test(path: &Path) -> bool {
    let stem = path.file_stem().map(Path::new);
    stem.and_then(Path::extension).is_some_and(|extension| extension.eq_ignore_ascii_case("test"))
}

/// What the prompts of a client say, where its `prompts/texts.yaml` tells it.
pub(crate) fn prompt_texts(folder: &Path) -> Option<Texts> {
    let file = read_file(&folder.join(PROMPTS).join("texts.yaml"), "").ok()?;
    Some(Texts::read(&file))
}

/// How long WAVs last, each read once.
#[derive(Default)]
pub(crate) struct Sounds(RefCell<HashMap<String, Duration>>);

impl Sounds {
    /// What its header says; 3 seconds where there is none.
    pub(crate) fn length(&self, path: &str) -> Duration {
        const UNKNOWN: Duration = Duration::from_secs(3);
        let read = |path: &String| {
            let reader = hound::WavReader::open(path).ok()?;
            let (samples, rate) = (reader.duration(), reader.spec().sample_rate);
            Duration::from_secs(samples.into()).checked_div(rate)
        };
        let mut known = self.0.borrow_mut();
        *known.entry(path.to_owned()).or_insert_with_key(|path| read(path).unwrap_or(UNKNOWN))
    }
}

/// The certificate that a node shows, where its node file (at `path`) names one.
///
/// # Errors
/// It cannot be used. One that is over can: a node that does not start serves nobody.
pub fn identity(path: &Path, plan: &Config) -> Result<Option<Identity>, LoadError> {
    let Some(tls) = &plan.node.tls else { return Ok(None) };
    Ok(Some(Identity::load(path.parent().unwrap_or(Path::new("")), tls)?))
}

/// What the files hold that a node file names, besides the certificate that the node shows.
#[derive(Debug)]
pub struct Files {
    /// For STIR/SHAKEN.
    pub stir: Material,
    /// For TLS connections to trunks.
    pub outbound: Outbound,
    /// For what flows ask by HTTP.
    pub(crate) web: web::Clients,
}

/// Reads the files that the node file (at `path`) names.
///
/// # Errors
/// One cannot be used.
pub fn files(path: &Path, plan: &Config) -> Result<Files, LoadError> {
    let home = path.parent().unwrap_or(Path::new(""));
    let (stir, outbound) = (Material::load(home, &plan.node)?, Outbound::load(home, &plan.node.trunks)?);
    Ok(Files { stir, outbound, web: web::load(&plan.clients)? })
}

/// Checks one client folder as if it were the only one of a node.
///
/// # Errors
/// As [`load_node`].
pub fn load_client(folder: &Path) -> Result<Config, LoadError> {
    let client = read_client(folder)?;
    if client.files.is_empty() {
        let error = io::Error::new(io::ErrorKind::NotFound, "it holds no *.yaml");
        let hint = "name a folder of one client, or a node file";
        return Err(LoadError::Unreadable { path: folder.to_owned(), error, hint });
    }
    let text = format!(
        "node: {{name: check}}\nsip: {{listen: [udp:127.0.0.1:5060]}}\n\
         rtp: {{ports: 30000-39999, address: 127.0.0.1}}\nclients: [{}]\n",
        serde_json::Value::from(client.path.as_str())
    );
    let node = SourceFile { path: "(the node that `check` makes up)".to_owned(), text };
    let system_prompts = system_prompts(Path::new(PROMPTS));
    Ok(dialplan::load(&Input { node, clients: vec![client], system_prompts })?)
}

/// A folder named relative to `home`, without `home/..` where that is the same folder: the path is in every
/// report and in the event log.
fn below(home: &Path, folder: &str) -> PathBuf {
    let whole = home.join(folder);
    let mut short = PathBuf::new();
    for part in whole.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(short.components().next_back(), Some(Component::Normal(_))) => {
                short.pop();
            }
            part => short.push(part),
        }
    }
    // A symbolic link on the way makes `..` lead elsewhere.
    match (whole.canonicalize(), short.canonicalize()) {
        (Ok(one), Ok(other)) if one == other => short,
        _ => whole,
    }
}

/// The prompts that every node has, as if they lay in `folder`.
fn system_prompts(folder: &Path) -> Vec<PromptFile> {
    let path = |file: &Embedded| folder.join(file.path);
    SYSTEM_PROMPTS.iter().map(|file| prompt(folder, &path(file), None)).collect()
}

fn read_client(folder: &Path) -> Result<ClientFiles, LoadError> {
    let hint = NO_FOLDER;
    let mut files = Vec::new();
    for path in list(folder, &FLOWS, hint)?.into_iter().filter(|path| !is_test(path)) {
        files.push(read_file(&path, "every *.yaml, *.ics and *.csv in a client folder is read")?);
    }
    let prompts = folder.join(PROMPTS);
    let found = if prompts.is_dir() { list_prompts(&prompts, hint)? } else { Vec::new() };
    Ok(ClientFiles {
        id: folder_name(folder),
        path: shown(folder),
        files,
        prompts: found.iter().map(|path| prompt(&prompts, path, wav_fault(path))).collect(),
    })
}

/// The name that a folder has, also when it is written as `.` or `a/..`.
pub(crate) fn folder_name(folder: &Path) -> String {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    whole.file_name().unwrap_or(whole.as_os_str()).to_string_lossy().into_owned()
}

fn read_file(path: &Path, hint: &'static str) -> Result<SourceFile, LoadError> {
    let unreadable = |error| LoadError::Unreadable { path: path.to_owned(), error, hint };
    let length = std::fs::metadata(path).map_err(unreadable)?.len();
    if length > MAX_FILE {
        return Err(unreadable(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 4 MiB")));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    Ok(SourceFile { path: shown(path), text })
}

/// The files of a folder with one of these extensions, by name.
fn list(folder: &Path, extensions: &[&str], hint: &'static str) -> Result<Vec<PathBuf>, LoadError> {
    let unreadable = |error| LoadError::Unreadable { path: folder.to_owned(), error, hint };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if extensions.iter().any(|wanted| extension.eq_ignore_ascii_case(wanted)) && !hidden {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The WAVs of a folder of prompts, and of the folders in it, one for each language.
fn list_prompts(folder: &Path, hint: &'static str) -> Result<Vec<PathBuf>, LoadError> {
    let unreadable = |error| LoadError::Unreadable { path: folder.to_owned(), error, hint };
    let mut found = list(folder, &["wav"], hint)?;
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            found.extend(list(&path, &["wav"], hint)?);
        }
    }
    found.sort();
    Ok(found)
}

/// A prompt by its name: `welcome`, `de/welcome`.
fn prompt(folder: &Path, path: &Path, error: Option<String>) -> PromptFile {
    let below = path.strip_prefix(folder).unwrap_or(path);
    let name = below.with_extension("").to_string_lossy().into_owned();
    PromptFile { name, path: shown(path), error }
}

/// Why the media engine could not play a WAV, judged by its header.
fn wav_fault(path: &Path) -> Option<String> {
    let (spec, length) = match hound::WavReader::open(path) {
        Ok(reader) => (reader.spec(), reader.duration()),
        Err(error) => return Some(error.to_string()),
    };
    if length == 0 {
        return Some("it holds no sound".to_owned());
    }
    if length > media::MAX_PROMPT_SAMPLES {
        return Some(format!("{length} samples: prompts have {} at most", media::MAX_PROMPT_SAMPLES));
    }
    if spec.sample_format != hound::SampleFormat::Int || spec.bits_per_sample != 16 {
        return Some(format!("{} bits a sample: prompts have 16", spec.bits_per_sample));
    }
    if !SAMPLE_RATES.contains(&spec.sample_rate) {
        return Some(format!("{} Hz: prompts have 8000, 16000 or 48000", spec.sample_rate));
    }
    (spec.channels > 2).then(|| format!("{} channels: prompts have one or two", spec.channels))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::FileExt;

    fn wav(path: &Path, sample_rate: u32, bits_per_sample: u16, samples: u32) {
        let sample_format = hound::SampleFormat::Int;
        let spec = hound::WavSpec { channels: 1, sample_rate, bits_per_sample, sample_format };
        let mut writer = hound::WavWriter::create(path, spec).expect("made");
        (0..samples).for_each(|_| writer.write_sample(0_i16).expect("written"));
        writer.finalize().expect("written");
    }

    /// A header that announces one sample more than is played, over a file with a hole.
    fn too_long(path: &Path) {
        wav(path, 8_000, 16, 0);
        let bytes = 2 * (media::MAX_PROMPT_SAMPLES + 1);
        let file = std::fs::OpenOptions::new().write(true).open(path).expect("there");
        file.set_len(44 + u64::from(bytes)).expect("room");
        file.write_all_at(&(bytes + 36).to_le_bytes(), 4).expect("written");
        file.write_all_at(&bytes.to_le_bytes(), 40).expect("written");
    }

    #[test]
    fn a_client_folder_gives_its_yaml_and_its_prompts_with_their_faults() {
        let home = tempfile::tempdir().expect("a directory");
        let folder = home.path().join("acme");
        std::fs::create_dir_all(folder.join(PROMPTS)).expect("made");
        for name in
            ["b.yaml", "a.yml", "c.ics", "d.csv", "a.test.yaml", "b.test.yml", "notes.txt", ".hidden.yaml"]
        {
            std::fs::write(folder.join(name), "client: {}\n").expect("written");
        }
        wav(&folder.join("prompts/good.wav"), 8_000, 16, 8);
        wav(&folder.join("prompts/fast.wav"), 44_100, 16, 8);
        wav(&folder.join("prompts/empty.wav"), 8_000, 16, 0);
        too_long(&folder.join("prompts/long.wav"));
        std::fs::create_dir(folder.join("prompts/de")).expect("made");
        wav(&folder.join("prompts/de/good.wav"), 8_000, 16, 8);
        std::fs::write(folder.join("prompts/text.wav"), "no WAV").expect("written");
        let client = read_client(&folder).expect("read");
        assert_eq!(client.id, "acme");
        let names: Vec<_> = client.files.iter().map(|file| file.path.rsplit('/').next()).collect();
        assert_eq!(names, [Some("a.yml"), Some("b.yaml"), Some("c.ics"), Some("d.csv")]);
        let faults: Vec<_> = client.prompts.iter().map(|p| (p.name.as_str(), p.error.is_some())).collect();
        let expected = [
            ("de/good", false),
            ("empty", true),
            ("fast", true),
            ("good", false),
            ("long", true),
            ("text", true),
        ];
        assert_eq!(faults, expected);
    }

    #[test]
    fn a_missing_node_file_is_named_with_what_to_do() {
        let error =
            load_node(Path::new("/nowhere/ringdown.yaml"), Path::new(PROMPTS)).expect_err("there is none");
        let text = error.to_string();
        assert!(text.contains("/nowhere/ringdown.yaml") && text.contains("--config"), "{text}");
    }

    #[test]
    fn a_client_folder_beside_the_node_files_own_is_shown_without_the_way_back() {
        let home = tempfile::tempdir().expect("a directory");
        std::fs::create_dir_all(home.path().join("deploy")).expect("made");
        std::fs::create_dir_all(home.path().join("plans/acme")).expect("made");
        let found = below(&home.path().join("deploy"), "../plans/./acme");
        assert_eq!(found, home.path().join("plans/acme"));
    }

    #[test]
    fn a_folder_without_a_client_is_named_as_it_was_written() {
        let home = tempfile::tempdir().expect("a directory");
        let text = load_client(home.path()).expect_err("there is none").to_string();
        assert!(text.starts_with(&format!("{}: cannot be read", home.path().display())), "{text}");
        assert!(text.contains("no *.yaml"), "{text}");
    }
}
