//! What must hold after every step, and at the end.

use super::World;
use crate::plan;
use std::collections::BTreeSet;
use switch::Snapshot;

impl World {
    /// # Errors
    /// What does not hold.
    pub(super) fn check_step(&mut self) -> Result<(), String> {
        let audit = self.switch.audit();
        if !audit.is_empty() {
            return Err(format!("audit: {}", audit.join("; ")));
        }
        if self.switch.snapshot().registrations != self.history.registrations() {
            return Err("the log and the registrar differ in registrations".into());
        }
        if self.history.live().count() > plan::CALLS {
            return Err(format!("more than {} calls", plan::CALLS));
        }
        if self.history.legs_of_trunk("pbx") > plan::PBX_CALLS {
            return Err(format!("the trunk pbx has more than {} calls", plan::PBX_CALLS));
        }
        if self.history.legs_abroad() > plan::CALLS_ABROAD {
            return Err(format!("more than {} call abroad", plan::CALLS_ABROAD));
        }
        self.history.check_company()?;
        self.history.check_choices(self.now)?;
        self.media.check_fax(self.now)?;
        self.check_media()
    }

    fn check_media(&self) -> Result<(), String> {
        let open: BTreeSet<_> = self.media.open().collect();
        let wanted: BTreeSet<_> = self.history.media_legs().collect();
        if open != wanted {
            return Err(format!("open streams {open:?}, live legs {wanted:?}"));
        }
        let (found, wanted) = (self.media.bridges(), self.history.bridges());
        if found != wanted {
            return Err(format!("the engine bridges {found:?}, the log says {wanted:?}"));
        }
        let (found, wanted) = (self.media.rooms(), self.history.rooms());
        if found != wanted {
            return Err(format!("the engine's rooms are {found:?}, the log's {wanted:?}"));
        }
        for (stream, to) in self.history.audiences() {
            if self.media.audience(stream) != Some(to) {
                return Err(format!("stream {} with a supervisor is to speak to {to:?}", stream.0));
            }
        }
        if !(self.has_music && self.media.is_sound()) {
            return Ok(());
        }
        for (stream, music) in self.history.listeners() {
            // Who waits in a queue is told something now and then.
            let is_told = self.history.is_queued(stream) && self.media.is_playing(stream);
            if !is_told && self.media.has_music(stream) != music {
                return Err(format!("stream {} must hear music: {music}", stream.0));
            }
        }
        Ok(())
    }

    /// # Errors
    /// What is left.
    pub(super) fn check_drained(&self) -> Result<(), String> {
        let found = self.switch.snapshot();
        let Snapshot { ports_ready, plan_version, draining, bans, dropped, shed, .. } = found;
        let empty =
            Snapshot { ports_ready, plan_version, draining, bans, dropped, shed, ..Snapshot::default() };
        if found != empty {
            return Err(format!("not drained: {found:?}"));
        }
        if !self.switch.is_stopped() {
            return Err("the shutdown is not through".into());
        }
        if ports_ready != self.media.total() {
            return Err(format!("{ports_ready} of {} ports are ready", self.media.total()));
        }
        self.history.check_files()?;
        if self.media.recordings() > 0 {
            return Err(format!("{} recordings run on", self.media.recordings()));
        }
        if let Some((id, _)) = self.history.live().next() {
            return Err(format!("contact {} has not ended", id.0));
        }
        for phone in self.phones.iter().filter(|phone| !phone.is_dead()) {
            if let Some(call) = phone.live_calls().first() {
                return Err(format!("{} at {} still has the call {call}", phone.name, phone.address));
            }
        }
        Ok(())
    }
}
