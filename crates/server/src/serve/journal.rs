//! The event log as the signalling thread writes it: never waiting, alarms told once on the way.

use super::error::ServeError;
use events::{AgentSeat, Callback, Event, Kind, Registration, StoredMessage, StoredValue};
use std::path::Path;
use store::{Origin, Store, StoreError, Writer};
use tokio::sync::watch;

/// The node's end of the event log.
pub(super) struct Journal {
    writer: Writer,
}

/// What the node knew when its log ended.
pub(super) struct Remembered {
    pub(super) registrations: Vec<Registration>,
    pub(super) agents: Vec<AgentSeat>,
    pub(super) callbacks: Vec<Callback>,
    pub(super) values: Vec<StoredValue>,
    pub(super) messages: Vec<StoredMessage>,
}

impl Journal {
    /// Takes the state directory for this process; where its log goes on, and with what.
    ///
    /// # Errors
    /// What stands in the way, with what to do.
    pub(super) async fn open(state: &Path) -> Result<(Self, Origin, Remembered), ServeError> {
        let mut store = Store::open(state).await?;
        let origin = store.origin().await?;
        let elapsed = i64::try_from(origin.now.micros()).unwrap_or(i64::MAX);
        let unix_micros = origin.wall.unix_micros_at_zero().saturating_add(elapsed);
        let remembered = Remembered {
            registrations: store.registrations().await?,
            agents: store.agents().await?,
            callbacks: store.callbacks().await?,
            values: store.values(unix_micros).await?,
            messages: store.messages().await?,
        };
        let writer = store.into_writer(&origin, |text| tracing::error!("{text}"));
        Ok((Self { writer }, origin, remembered))
    }

    /// The number of the last event that is on disk, as it grows.
    pub(super) fn written(&self) -> watch::Receiver<u64> {
        self.writer.written()
    }

    /// Appends one event, and tells an administrator of alarms.
    pub(super) fn append(&mut self, event: Event) {
        match &event.kind {
            Kind::Alarm { text } => tracing::warn!("{text}"),
            Kind::SourceBanned { address, reason, seconds, .. } => {
                tracing::warn!(
                    "{address} is banned for {seconds} s: {reason}; `ringdown bans lift` lifts it"
                );
            }
            Kind::TrunkRegistrationFailed { trunk, registrar, status, retry_after: Some(seconds) } => {
                tracing::warn!("trunk {trunk}: {registrar} answered {status}; tried again in {seconds} s");
            }
            Kind::TrunkTargetDown { trunk, target, status } => {
                tracing::warn!("trunk {trunk}: {target} is down ({status})");
            }
            Kind::TrunkTargetUp { trunk, target } => tracing::warn!("trunk {trunk}: {target} is up again"),
            _ => {}
        }
        self.writer.append(event);
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// The log could not be written to its end.
    pub(super) async fn close(self) -> Result<(), StoreError> {
        self.writer.close().await
    }
}
