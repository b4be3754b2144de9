//! What becomes of recordings once they are complete: those of clients that want it become ciphertext, those whose time is over
//! are erased, and so are those that somebody wants erased.

use super::control::Plan;
use super::inbox::{Gone, Message, Sender};
use crate::vault::{Certificate, Erased, Signed, Vault, length};
use dialplan::Config;
use events::{ContactId, Kind};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
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

/// Who keeps the recordings of a node.
pub(super) struct Keeper {
    reader: Reader,
    plan: Plan,
    sender: Sender,
    vault: Vault,
    /// Files are changed by one at a time.
    turn: Mutex<()>,
}

/// What of a client is to be erased.
pub(super) struct Wanted {
    pub(super) client: String,
    /// Calls from or to this number; all without.
    pub(super) number: Option<String>,
    pub(super) why: Arc<str>,
    pub(super) by: Arc<str>,
}

/// Why nothing was erased, or not all.
#[derive(Debug, thiserror::Error)]
pub(super) enum EraseError {
    /// They cannot be read, or the node shuts down.
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Gone(#[from] Gone),
    /// Some are held.
    #[error("{0} recordings are held; release them first: `ringdown recordings --client {1}`")]
    Held(usize, String),
    /// A file, or the certificate.
    #[error("{0}: {1}; what is erased is erased, do it again for the rest")]
    File(String, io::Error),
}

/// What it has come to.
#[derive(Default)]
struct Progress {
    /// Recordings below this one need no look any more.
    mark: u64,
    /// What was done, though the store may not know of it yet.
    done: HashSet<u64>,
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
        if let Err(error) = self.finish_cut().await {
            tracing::warn!("recordings that were cut off: {error}");
        }
        let (mut progress, mut plan, mut swept) = (Progress::default(), self.plan.get(), None);
        let mut is_failing = false;
        loop {
            let current = self.plan.get();
            if !Arc::ptr_eq(&plan, &current) {
                (progress, plan, swept) = (Progress::default(), current, None);
            }
            let outcome = self.keep(&plan, &mut progress, &mut swept).await;
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

    async fn keep(
        &self,
        plan: &Config,
        progress: &mut Progress,
        swept: &mut Option<Instant>,
    ) -> Result<(), EraseError> {
        if plan.clients.iter().any(|client| client.recording.encrypted) {
            self.seal_complete(plan, progress).await?;
        }
        let now = Instant::now();
        if swept.is_none_or(|before| now - before >= sweep_interval(plan)) {
            self.retire(plan, progress).await?;
            *swept = Some(now);
        }
        Ok(())
    }

    /// Tells the log how long those are that a killed process has left.
    async fn finish_cut(&self) -> Result<(), EraseError> {
        for recording in self.reader.cut_recordings().await? {
            let (contact, path) = (recording.contact, recording.path.clone());
            let found = blocking(move || length(Path::new(&path))).await;
            let error = Some(match found {
                Some(_) => "interrupted".to_owned(),
                None => "interrupted, and there is no file".to_owned(),
            });
            let millis = found.unwrap_or_default();
            let kind = Kind::RecordingEnded { path: recording.path, millis, error };
            self.log(contact, kind).await?;
        }
        Ok(())
    }

    async fn seal_complete(&self, plan: &Config, progress: &mut Progress) -> Result<(), EraseError> {
        let wants = |client: &str| plan.client_named(client).is_some_and(|it| it.recording.encrypted);
        let (mut from, mut mark) = (progress.mark, None);
        loop {
            let page = self.reader.open_recordings(from, PAGE).await?;
            let Some(last) = page.last().map(|recording| recording.recording) else { break };
            for recording in page {
                let number = recording.recording;
                if recording.millis.is_none() {
                    // It runs: it is looked at again.
                    mark.get_or_insert(number);
                } else if wants(&recording.client) && !progress.done.contains(&number) {
                    self.seal(recording).await?;
                    progress.done.insert(number);
                }
            }
            from = last + 1;
        }
        progress.mark = mark.unwrap_or(from);
        Ok(())
    }

    async fn seal(&self, recording: Recording) -> Result<(), EraseError> {
        let _turn = self.turn.lock().await;
        let (vault, contact, number) = (self.vault.clone(), recording.contact, recording.recording);
        let path = recording.path.clone();
        let sealed = blocking(move || vault.seal(&recording)).await;
        match sealed.map_err(|error| EraseError::File(path, error))? {
            Some(path) => {
                let path = path.display().to_string();
                self.log(contact, Kind::RecordingSealed { recording: number, path }).await
            }
            // Its disk is not mounted, or somebody has removed it: nothing is in clear there.
            None => Ok(()),
        }
    }

    /// Erases what is older than its client keeps it.
    async fn retire(&self, plan: &Config, progress: &mut Progress) -> Result<(), EraseError> {
        for client in &plan.clients {
            let Some(keep) = client.recording.keep else { continue };
            let age = SignedDuration::from_secs(i64::try_from(keep.as_secs()).unwrap_or(i64::MAX));
            let Ok(until) = Timestamp::now().checked_sub(age) else { continue };
            let days = keep.as_secs() / 86_400;
            let why: Arc<str> = match days {
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
                    if progress.done.insert(recording.recording) {
                        self.erase(&recording, &why, None).await?;
                    }
                }
                if is_last {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Erases one recording.
    pub(super) async fn erase(
        &self,
        recording: &Recording,
        why: &Arc<str>,
        by: Option<&Arc<str>>,
    ) -> Result<Erased, EraseError> {
        let sha256 = self.remove(PathBuf::from(&recording.path)).await?;
        let kind = Kind::RecordingErased {
            recording: recording.recording,
            sha256: sha256.clone(),
            why: Arc::clone(why),
            by: by.cloned(),
        };
        self.log(recording.contact, kind).await?;
        Ok(Erased {
            number: recording.recording,
            contact: recording.contact.0,
            at: recording.at,
            millis: recording.millis,
            sha256,
        })
    }

    /// Removes a file, and gives what it had.
    pub(super) async fn remove(&self, path: PathBuf) -> Result<Option<String>, EraseError> {
        let _turn = self.turn.lock().await;
        let name = path.display().to_string();
        let erased = blocking(move || Vault::erase(&path)).await;
        erased.map_err(|error| EraseError::File(name, error))
    }

    /// The complete recordings of what is wanted, the held ones apart.
    pub(super) async fn wanted(
        &self,
        client: &str,
        number: Option<&str>,
    ) -> Result<(Vec<Recording>, Vec<u64>), EraseError> {
        let mut which = Recordings {
            number: number.map(|number| Number::Exactly(number.to_owned())),
            clients: vec![client.to_owned()],
            kept: true,
            ..Recordings::default()
        };
        let (mut free, mut held) = (Vec::new(), Vec::new());
        loop {
            let page = self.reader.recordings(PAGE, &which).await?;
            let Some(last) = page.last().map(|recording| recording.recording) else { break };
            for recording in page.into_iter().filter(|recording| recording.millis.is_some()) {
                match recording.held {
                    Some(_) => held.push(recording.recording),
                    None => free.push(recording),
                }
            }
            which.before = Some(last);
        }
        Ok((free, held))
    }

    /// Erases the recordings of a number, or of a client with its key, and attests it. `messages` are those that are gone besides.
    pub(super) async fn erase_all(
        &self,
        node: Arc<str>,
        wanted: Wanted,
        messages: Vec<Erased>,
    ) -> Result<Signed, EraseError> {
        let Wanted { client, number, why, by } = wanted;
        let (free, held) = self.wanted(&client, number.as_deref()).await?;
        if number.is_none() && !held.is_empty() {
            return Err(EraseError::Held(held.len(), client));
        }
        let mut recordings = Vec::new();
        for recording in free {
            recordings.push(self.erase(&recording, &why, Some(&by)).await?);
        }
        let vault = self.vault.clone();
        let signed = blocking(move || {
            let key_destroyed = number.is_none() && vault.destroy_key(&client)?;
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
                key_destroyed,
            })
        });
        signed.await.map_err(|error| EraseError::File("the certificate".to_owned(), error))
    }

    /// Puts into the log what became of a recording.
    pub(super) async fn log(&self, contact: ContactId, kind: Kind) -> Result<(), EraseError> {
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
