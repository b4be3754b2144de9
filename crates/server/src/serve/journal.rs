//! The event log as the signalling thread writes it: never waiting, alarms told once on the way.

use super::error::ServeError;
use events::{AgentSeat, Event, Kind, StoredValue};
use std::path::Path;
use store::{Origin, Store, StoreError, Writer};

/// The node's end of the event log.
pub(super) struct Journal {
    writer: Writer,
}

/// What the switch goes on with.
pub(super) struct Remembered {
    pub(super) agents: Vec<AgentSeat>,
    pub(super) values: Vec<StoredValue>,
}

impl Journal {
    /// Takes the state directory for this process; where its log goes on.
    ///
    /// # Errors
    /// What stands in the way, with what to do.
    pub(super) async fn open(state: &Path) -> Result<(Self, Origin, Remembered), ServeError> {
        let mut store = Store::open(state).await?;
        let origin = store.origin().await?;
        let agents = store.agents().await?;
        let elapsed = i64::try_from(origin.now.micros()).unwrap_or(i64::MAX);
        let unix_micros = origin.wall.unix_micros_at_zero().saturating_add(elapsed);
        let values = store.values(unix_micros).await?;
        let writer = store.into_writer(&origin, |text| tracing::error!("{text}"));
        Ok((Self { writer }, origin, Remembered { agents, values }))
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
