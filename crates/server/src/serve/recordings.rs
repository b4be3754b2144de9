//! What becomes of recordings once they are complete: those of clients that want it become ciphertext, those whose time is over
//! are erased, and so are those that somebody wants erased.

use super::control::Plan;
use super::inbox::{Gone, Message, Sender};
use crate::vault::{Certificate, Erased, Signed, Vault, erase_file, length};
use dialplan::Config;
use events::{ContactId, Kind};
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use store::{Number, Reader, Recording, Recordings, StoreError};
use tokio::sync::{Mutex, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout};

/// Recordings that are looked at together.
const PAGE: u32 = 500;
/// How long it waits after it was busy: what ends meanwhile is done together.
const PAUSE: Duration = Duration::from_secs(1);
/// How often it looks for what is over, at least.
const SWEEP: Duration = Duration::from_secs(3_600);
/// In parts of the time for which it is kept.
const PARTS: u32 = 24;
/// After which a file is not written any more: the recorder does so each second.
const QUIET: Duration = Duration::from_secs(60);
/// Erasures that are remembered, though the store knows of all but the last seconds'.
const REMEMBERED: usize = 100_000;

/// Who keeps the recordings of a node.
pub(super) struct Keeper {
    reader: Reader,
    plan: Plan,
    sender: Sender,
    vault: Vault,
    /// Files are changed and held by one at a time.
    turn: Mutex<Turn>,
}

/// What was done, though the store may not know of it yet.
#[derive(Default)]
struct Turn {
    /// Whether a recording is held.
    held: HashMap<u64, bool>,
    erased: HashSet<u64>,
}

/// What of a client is to be erased.
pub(super) struct Wanted {
    pub(super) client: String,
    /// Calls from or to this number; all without.
    pub(super) number: Option<String>,
    pub(super) why: Arc<str>,
    pub(super) by: Arc<str>,
}

/// What was done with a recording that was to be erased.
pub(super) enum Outcome {
    Erased(Erased),
    /// Nothing: it is held.
    Held,
    /// Nothing: it runs.
    Runs,
    /// Nothing: it was erased before.
    Gone,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub(super) enum EraseError {
    /// They cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The node is on its way down.
    #[error(transparent)]
    Gone(#[from] Gone),
    /// Some are held.
    #[error("{0} recordings are held; release them first: `ringdown recordings --client {1}`")]
    Held(usize, String),
    /// A file, or the certificate.
    #[error("{0}: {1}")]
    File(String, io::Error),
}

/// What the keeper has come to.
#[derive(Default)]
struct Progress {
    /// Recordings below this one need no look any more.
    mark: u64,
    /// Those from there on that were made ciphertext, though the store may not know of it yet.
    sealed: HashSet<u64>,
    swept: Option<Instant>,
}

impl Keeper {
    pub(super) fn new(reader: Reader, plan: Plan, sender: Sender, state: &Path) -> Self {
        Self { reader, plan, sender, vault: Vault::new(state), turn: Mutex::default() }
    }

    pub(super) fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Keeps them until the node ends, which `written` tells by its own end.
    pub(super) async fn run(self: Arc<Self>, mut written: watch::Receiver<u64>) {
        if let Err(error) = self.finish_cut(Duration::ZERO).await {
            tracing::warn!("recordings that were cut off: {error}");
        }
        let (mut progress, mut plan) = (Progress::default(), self.plan.get());
        let mut is_failing = false;
        loop {
            let current = self.plan.get();
            if !Arc::ptr_eq(&plan, &current) {
                (progress, plan) = (Progress::default(), current);
            }
            let outcome = self.keep(&plan, &mut progress).await;
            if let Err(error) = &outcome
                && !is_failing
            {
                let _ = self.sender.send(Message::Alarm(format!("recordings: {error}"))).await;
            }
            is_failing = outcome.is_err();
            sleep(PAUSE).await;
            match timeout(sweep_interval(&plan), written.changed()).await {
                Ok(Ok(())) | Err(_) => {}
                Ok(Err(_)) => return,
            }
        }
    }

    /// One file that cannot be changed keeps no other from it: the first error is told when all were tried.
    async fn keep(&self, plan: &Config, progress: &mut Progress) -> Result<(), EraseError> {
        let now = Instant::now();
        let mut swept = Ok(());
        // What is over goes first: it may be what makes room.
        if progress.swept.is_none_or(|before| now - before >= sweep_interval(plan)) {
            swept = self.retire(plan).await.and(self.finish_cut(QUIET).await);
            progress.swept = Some(now);
        }
        self.seal_complete(plan, progress).await.and(swept)
    }

    /// Tells the log how long those are whose end nobody has seen: the process was killed, or the engine did not answer. Only
    /// those whose file has been as it is for that long.
    async fn finish_cut(&self, quiet: Duration) -> Result<(), EraseError> {
        for recording in self.reader.cut_recordings().await? {
            let (contact, path) = (recording.contact, PathBuf::from(&recording.path));
            let found = blocking(move || {
                let changed = path.metadata().and_then(|it| it.modified()).ok();
                let age = changed.and_then(|changed| SystemTime::now().duration_since(changed).ok());
                age.is_none_or(|age| age >= quiet).then(|| length(&path))
            });
            let Some(found) = found.await else { continue };
            let error = Some(match found {
                Some(_) => "interrupted".to_owned(),
                None => "interrupted, and there is no file".to_owned(),
            });
            let millis = found.unwrap_or_default();
            self.log(contact, Kind::RecordingEnded { path: recording.path, millis, error }).await?;
        }
        Ok(())
    }

    async fn seal_complete(&self, plan: &Config, progress: &mut Progress) -> Result<(), EraseError> {
        let clients = plan.clients.iter().filter(|client| client.recording.encrypted);
        let clients: Vec<&str> = clients.map(|client| &*client.id).collect();
        if clients.is_empty() {
            return Ok(());
        }
        let (mut from, mut mark, mut failed) = (progress.mark, None, Ok(()));
        loop {
            let page = self.reader.open_recordings(&clients, from, PAGE).await?;
            let Some(last) = page.last().map(|recording| recording.recording) else { break };
            for recording in page {
                let number = recording.recording;
                if progress.sealed.contains(&number) {
                    continue;
                }
                let done = match recording.millis {
                    Some(_) => self.seal(recording).await,
                    // It runs: it is looked at again.
                    None => {
                        mark.get_or_insert(number);
                        continue;
                    }
                };
                match done {
                    Ok(()) => drop(progress.sealed.insert(number)),
                    Err(error) => {
                        mark.get_or_insert(number);
                        failed = failed.and(Err(error));
                    }
                }
            }
            from = last + 1;
        }
        progress.mark = mark.unwrap_or(from);
        progress.sealed.retain(|number| *number >= progress.mark);
        failed
    }

    async fn seal(&self, recording: Recording) -> Result<(), EraseError> {
        let turn = self.turn.lock().await;
        if turn.erased.contains(&recording.recording) {
            return Ok(());
        }
        let (vault, contact, number) = (self.vault.clone(), recording.contact, recording.recording);
        let path = recording.path.clone();
        let sealed = blocking(move || vault.seal(&recording)).await;
        match sealed.map_err(|error| EraseError::File(path, error))? {
            Some(path) => {
                let path = path.display().to_string();
                self.log(contact, Kind::RecordingSealed { recording: number, path }).await
            }
            // Somebody has removed it: nothing is in clear there.
            None => Ok(()),
        }
    }

    /// Erases what is older than its client keeps it.
    async fn retire(&self, plan: &Config) -> Result<(), EraseError> {
        let mut failed = Ok(());
        for client in &plan.clients {
            let Some(keep) = client.recording.keep else { continue };
            let age = SignedDuration::from_secs(i64::try_from(keep.as_secs()).unwrap_or(i64::MAX));
            let Ok(until) = Timestamp::now().checked_sub(age) else { continue };
            let why: Arc<str> = match keep.as_secs() / 86_400 {
                0 => "its time is over".into(),
                days => format!("kept for {days} days").into(),
            };
            let mut from = Timestamp::MIN;
            loop {
                let page = self.reader.old_recordings(&client.id, (from, until), PAGE).await?;
                let is_last = page.len() < PAGE as usize;
                for recording in page {
                    // What begins at the same moment comes again.
                    from = recording.at;
                    let erased = self.erase(&recording, &why, None).await;
                    failed = failed.and(erased.map(|_| ()));
                }
                if is_last {
                    break;
                }
            }
        }
        failed
    }

    /// Holds a recording, or does so no longer.
    ///
    /// # Errors
    /// The node is on its way down, or the store cannot be read.
    pub(super) async fn hold(
        &self,
        recording: &Recording,
        why: Option<Arc<str>>,
        by: Arc<str>,
    ) -> Result<bool, EraseError> {
        let mut turn = self.turn.lock().await;
        if turn.erased.contains(&recording.recording) {
            return Ok(false);
        }
        turn.held.insert(recording.recording, why.is_some());
        let kind = Kind::RecordingHeld { recording: recording.recording, why, by };
        self.log(recording.contact, kind).await?;
        Ok(true)
    }

    /// Erases one recording, unless it is held by now.
    ///
    /// # Errors
    /// What the system says; then it is still there.
    pub(super) async fn erase(
        &self,
        recording: &Recording,
        why: &Arc<str>,
        by: Option<&Arc<str>>,
    ) -> Result<Outcome, EraseError> {
        self.erase_in(&mut *self.turn.lock().await, recording, why, by).await
    }

    async fn erase_in(
        &self,
        turn: &mut Turn,
        recording: &Recording,
        why: &Arc<str>,
        by: Option<&Arc<str>>,
    ) -> Result<Outcome, EraseError> {
        let number = recording.recording;
        // It may have become something else since it was read.
        let Some(recording) = self.reader.recording(number).await? else { return Ok(Outcome::Gone) };
        if recording.erased.is_some() || turn.erased.contains(&number) {
            return Ok(Outcome::Gone);
        }
        if turn.held.get(&number).copied().unwrap_or(recording.held.is_some()) {
            return Ok(Outcome::Held);
        }
        if recording.millis.is_none() {
            return Ok(Outcome::Runs);
        }
        let (contact, at, millis) = (recording.contact, recording.at, recording.millis);
        let (vault, path) = (self.vault.clone(), recording.path.clone());
        let erased = blocking(move || vault.erase(&recording)).await;
        let sha256 = erased.map_err(|error| EraseError::File(path, error))?;
        if turn.erased.len() >= REMEMBERED {
            turn.erased.clear();
        }
        turn.erased.insert(number);
        let (why, by) = (Arc::clone(why), by.cloned());
        self.log(contact, Kind::RecordingErased { recording: number, sha256: sha256.clone(), why, by })
            .await?;
        Ok(Outcome::Erased(Erased { number, contact: contact.0, at, millis, sha256 }))
    }

    /// Removes the file of a message, and gives what it had.
    ///
    /// # Errors
    /// What the system says; then it is still there.
    pub(super) async fn remove(&self, path: PathBuf) -> Result<Option<String>, EraseError> {
        let name = path.display().to_string();
        let erased = blocking(move || erase_file(&path)).await;
        erased.map_err(|error| EraseError::File(name, error))
    }

    /// Whether a client that is in no plan any more has left recordings.
    ///
    /// # Errors
    /// What the database says.
    pub(super) async fn knows(&self, client: &str) -> Result<bool, EraseError> {
        let which = Recordings { clients: vec![client.to_owned()], kept: true, ..Recordings::default() };
        Ok(!self.reader.recordings(1, &which).await?.is_empty())
    }

    /// All recordings of a number, or of a client.
    async fn all(&self, client: &str, number: Option<&str>) -> Result<Vec<Recording>, EraseError> {
        let mut which = Recordings {
            number: number.map(|number| Number::Exactly(number.to_owned())),
            clients: vec![client.to_owned()],
            kept: true,
            ..Recordings::default()
        };
        let mut all = Vec::new();
        loop {
            let page = self.reader.recordings(PAGE, &which).await?;
            let Some(last) = page.last() else { return Ok(all) };
            which.before = Some(last.recording);
            all.extend(page);
        }
    }

    /// How many recordings of a client are held.
    ///
    /// # Errors
    /// What the database says.
    pub(super) async fn held(&self, client: &str) -> Result<usize, EraseError> {
        let turn = self.turn.lock().await;
        let all = self.all(client, None).await?;
        let is_held = |it: &&Recording| turn.held.get(&it.recording).copied().unwrap_or(it.held.is_some());
        Ok(all.iter().filter(is_held).count())
    }

    /// Erases the recordings of a number, or of a client with its key, and attests it: what is gone, what is held, and what could
    /// not be removed. `messages` are those that are gone besides. Nothing else is done with recordings meanwhile.
    ///
    /// # Errors
    /// They cannot be read, the certificate cannot be written, or the node is on its way down.
    pub(super) async fn erase_all(
        &self,
        node: Arc<str>,
        wanted: Wanted,
        messages: Vec<Erased>,
    ) -> Result<Signed, EraseError> {
        let mut turn = self.turn.lock().await;
        let Wanted { client, number, why, by } = wanted;
        let mut recordings = Vec::new();
        // What ends while others are erased is erased, too: the key goes with the last one.
        let (held, failed) = loop {
            let (mut held, mut failed) = (Vec::new(), Vec::new());
            let before = recordings.len();
            for recording in self.all(&client, number.as_deref()).await? {
                match self.erase_in(&mut turn, &recording, &why, Some(&by)).await {
                    Ok(Outcome::Erased(erased)) => recordings.push(erased),
                    Ok(Outcome::Held) => held.push(recording.recording),
                    Ok(Outcome::Runs | Outcome::Gone) => {}
                    Err(EraseError::File(path, error)) => {
                        tracing::warn!("{path} cannot be erased: {error}");
                        failed.push(recording.recording);
                    }
                    Err(error) => return Err(error),
                }
            }
            if recordings.len() == before {
                break (held, failed);
            }
        };
        let vault = self.vault.clone();
        let signed = blocking(move || {
            let is_whole = number.is_none() && held.is_empty() && failed.is_empty();
            let key_destroyed = is_whole && vault.destroy_key(&client)?;
            let issued = Timestamp::now();
            vault.attest(Certificate {
                node,
                issued,
                by,
                why,
                client,
                number,
                recordings,
                messages,
                held,
                failed,
                key_destroyed,
            })
        });
        signed.await.map_err(|error| EraseError::File("the certificate".to_owned(), error))
    }

    /// Puts into the log what became of a recording.
    async fn log(&self, contact: ContactId, kind: Kind) -> Result<(), EraseError> {
        Ok(self.sender.send(Message::Recorded(contact, kind)).await?)
    }
}

/// How often it is looked for what is over: no recording is kept for much longer than its time.
fn sweep_interval(plan: &Config) -> Duration {
    let kept = plan.clients.iter().filter_map(|client| client.recording.keep);
    kept.min().map_or(SWEEP, |keep| (keep / PARTS).clamp(PAUSE, SWEEP))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(work).await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}
