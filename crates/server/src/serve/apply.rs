//! What an administrator wrote takes the place of what runs, and goes back again.

use super::control::Control;
use super::inbox::{Gone, Message};
use super::validity;
use crate::load::{self, Files, LoadError};
use crate::tls::Identity;
use crate::versions::{self, Change, Manifest, Version, VersionError, Wish};
use dialplan::Config;
use serde::Serialize;
use std::fmt;
use std::sync::Arc;
use switch::Applied as ToSwitch;
use tokio::sync::oneshot;
use utoipa::ToSchema;

/// A configuration was applied.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Applied {
    /// Its version.
    pub config_version: u64,
    /// The files that are not those of the version before.
    pub changes: Vec<Change>,
    /// Calls that go on with a version before it.
    pub calls_before: usize,
    /// What was changed in the files but waits for a restart.
    pub needs_restart: Vec<&'static str>,
    /// Why the version could not be kept, so that there is no way back to it.
    pub not_kept: Option<String>,
}

/// A configuration was not applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// It does not check.
    #[error(transparent)]
    Config(#[from] LoadError),
    /// There is no such version, or its files cannot be brought back.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// The node is on its way down.
    #[error(transparent)]
    Gone(#[from] Gone),
}

/// What was read and checked.
struct Checked {
    plan: Config,
    identity: Option<Identity>,
    files: Files,
    /// What it was read from.
    manifest: Result<Manifest, VersionError>,
}

impl Control {
    /// Keeps what the node begins with, unless it has ended with the same; which version that is. A node whose versions
    /// cannot be kept serves all the same.
    pub(super) fn begin_version(&self) -> u64 {
        let versions = &self.shared.versions;
        let begun = || {
            let files = versions.present()?;
            // As it was left, whoever had applied it.
            match versions.live()?.filter(|live| live.files == files) {
                Some(live) => Ok(live.number),
                None => {
                    let wish = Wish { by: Some("start".to_owned()), why: None };
                    versions.keep(files, &wish, true).map(|version| version.number)
                }
            }
        };
        begun().unwrap_or_else(|error: VersionError| {
            tracing::warn!("this version of the configuration cannot be kept: {error}");
            1
        })
    }

    /// Reads and checks the configuration again, and applies it if it has no fault. Calls that are up stay
    /// on the one that they began with; sockets stay as they are.
    ///
    /// # Errors
    /// The faults; nothing is applied then.
    pub async fn apply(&self, wish: Wish) -> Result<Applied, ApplyError> {
        let _one_at_a_time = self.shared.reloading.lock().await;
        self.apply_files(wish).await
    }

    /// Brings the files of a version back, of the one before the last that was applied if none is named, and applies
    /// them. The files as they were are kept as a version, so that nothing is lost.
    ///
    /// # Errors
    /// As [`Self::apply`]; the files are as they were then.
    pub async fn roll_back(&self, number: Option<u64>, wish: Wish) -> Result<Applied, ApplyError> {
        let _one_at_a_time = self.shared.reloading.lock().await;
        let (versions, by) = (self.shared.versions.clone(), wish.clone());
        let (present, wanted) = blocking(move || {
            let wanted = match number {
                Some(number) => versions.find(number)?,
                None => before_live(versions.all()?)?,
            };
            let present = versions.present()?;
            let is_known = versions.all()?.iter().any(|version| version.files == present);
            if !is_known {
                let why = Some(format!("what a rollback to version {} has found", wanted.number));
                versions.keep(present.clone(), &Wish { why, ..by }, false)?;
            }
            if let Err(error) = versions.write(&present, &wanted.files) {
                let now = versions.present()?;
                versions.write(&now, &present)?;
                return Err(error);
            }
            Ok((present, wanted))
        })
        .await?;
        let why = wish.why.or_else(|| Some(format!("back to version {}", wanted.number)));
        let applied = self.apply_files(Wish { why, ..wish }).await;
        if applied.is_err() {
            let versions = self.shared.versions.clone();
            blocking(move || versions.write(&wanted.files, &present)).await?;
        }
        applied
    }

    async fn apply_files(&self, wish: Wish) -> Result<Applied, ApplyError> {
        let shared = self.shared.clone();
        let Checked { mut plan, identity, files, manifest } = blocking(move || {
            let manifest = shared.versions.present();
            let plan = load::load_node(&shared.paths.node_file, &shared.paths.prompts)?;
            let identity = load::identity(&shared.paths.node_file, &plan)?;
            let files = load::files(&shared.paths.node_file, &plan)?;
            Ok::<_, LoadError>(Checked { plan, identity, files, manifest })
        })
        .await?;
        if let (Some(shown), Some(identity)) = (&self.shared.shown, identity) {
            shown.replace(identity);
            validity::tell(shown, &self.inbox).await?;
        }
        let needs_restart = self.shared.fixed.keep(&mut plan.node);
        let plan = Arc::new(plan);
        let (kept, changes) = self.keep(manifest, &wish).await;
        let before = self.status().await?;
        let (config_version, not_kept) = match kept {
            Ok(version) => (version.number, None),
            Err(error) => (before.config_version + 1, Some(error.to_string())),
        };
        let (answer, calls_before) = oneshot::channel();
        let (by, why) = (wish.by.map(Arc::from), wish.why.map(Arc::from));
        let applied = ToSwitch { plan: Arc::clone(&plan), version: config_version, by, why };
        let web = files.web.clone();
        self.inbox.send(Message::Apply(applied, files, answer)).await?;
        let calls_before = calls_before.await.map_err(|_| Gone)?;
        self.shared.hooks.apply(&plan, &web).await;
        self.shared.plan.replace(plan);
        Ok(Applied { config_version, changes, calls_before, needs_restart, not_kept })
    }

    /// Keeps a version, and says what is new in it.
    async fn keep(
        &self,
        manifest: Result<Manifest, VersionError>,
        wish: &Wish,
    ) -> (Result<Version, VersionError>, Vec<Change>) {
        let (versions, wish) = (self.shared.versions.clone(), wish.clone());
        blocking(move || {
            let before = versions.live().ok().flatten().map_or_else(Manifest::new, |live| live.files);
            match manifest {
                Ok(files) => {
                    let changes = versions::changes(&before, &files);
                    (versions.keep(files, &wish, true), changes)
                }
                Err(error) => (Err(error), Vec::new()),
            }
        })
        .await
    }
}

/// The version before the one that was applied last.
fn before_live(mut versions: Vec<Version>) -> Result<Version, VersionError> {
    versions.retain(|version| version.applied);
    versions.pop();
    versions.pop().ok_or(VersionError::First)
}

/// Does what waits for files on a thread of its own.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "configuration version {} applied", self.config_version)?;
        if !self.needs_restart.is_empty() {
            write!(f, "; {} changed too and waits for a restart", self.needs_restart.join(", "))?;
        }
        if let Some(error) = &self.not_kept {
            write!(f, "; it could not be kept, and nothing leads back to it: {error}")?;
        }
        Ok(())
    }
}
