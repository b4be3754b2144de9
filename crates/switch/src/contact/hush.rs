//! What a recording passes over: by wish of the flow or an operator, and always while keys are pressed that nobody may know.

use super::Contact;
use crate::RecordRefused;
use crate::core::{Core, Timer};
use crate::leg::State;
use crate::record::RecordOrder;
use clock::Duration;
use events::{Kind, RecordBy};
use rtp::control::{Command, Hush};

/// The last key of a secret question may sound on after its answer is known.
const LAST_KEY: Duration = Duration::from_secs(1);

/// Why and how the recording that runs is silent.
#[derive(Default)]
pub(super) struct Hushing {
    /// By wish of the flow or an operator.
    asked: Option<Hush>,
    /// Whether a secret question is asked, or was a moment ago.
    secret: bool,
    /// What the engine has been told of the recording that runs.
    applied: Option<Hush>,
}

impl Contact {
    /// What an operator wants of the recording.
    pub(crate) fn direct_recording(
        &mut self,
        core: &mut Core,
        order: RecordOrder,
    ) -> Result<(), RecordRefused> {
        if order == RecordOrder::Start {
            return match self.caller.state {
                _ if self.tapes.running().is_some() => Err(RecordRefused::Runs),
                State::Answered { .. } => {
                    self.begin_recording(core, RecordBy::Api);
                    self.tapes.running().map(|_| ()).ok_or(RecordRefused::Never)
                }
                State::Early { .. } | State::Over => Err(RecordRefused::NoCall),
            };
        }
        if self.tapes.running().is_none() {
            return Err(RecordRefused::NoRecording);
        }
        match order {
            RecordOrder::Start => {}
            RecordOrder::Stop if self.tapes.are_ruled() => return Err(RecordRefused::Ruled),
            RecordOrder::Stop => self.stop_recording(core),
            RecordOrder::Pause => self.hush(core, Some(Hush::Pause), RecordBy::Api),
            RecordOrder::Mask => self.hush(core, Some(Hush::Mask), RecordBy::Api),
            RecordOrder::Resume => self.hush(core, None, RecordBy::Api),
        }
        Ok(())
    }

    /// Records from here, whatever was passed over before.
    pub(super) fn begin_recording(&mut self, core: &mut Core, by: RecordBy) {
        self.hushing.asked = None;
        self.start_recording(core, by);
    }

    /// The recording passes over what is said from now on, or nothing any more.
    pub(super) fn hush(&mut self, core: &mut Core, how: Option<Hush>, by: RecordBy) {
        if self.tapes.running().is_some() {
            self.hushing.asked = how;
            self.apply_hush(core, by);
        }
    }

    /// A recording that begins, or has ended, is not silent.
    pub(super) fn forget_hush(&mut self) {
        self.hushing.applied = None;
    }

    /// Tells the engine what the recording that runs is to pass over, if that is news.
    pub(super) fn apply_hush(&mut self, core: &mut Core, by: RecordBy) {
        let Some(recording) = self.tapes.running() else { return };
        let wanted = if self.hushing.secret { Some(Hush::Mask) } else { self.hushing.asked };
        if std::mem::replace(&mut self.hushing.applied, wanted) == wanted {
            return;
        }
        match wanted {
            Some(how) => {
                core.media(Command::HushRecording { recording, how });
                core.log(Some(self.id), Kind::RecordingHushed { mask: how == Hush::Mask, by });
            }
            None => {
                core.media(Command::ResumeRecording { recording });
                core.log(Some(self.id), Kind::RecordingResumed { by });
            }
        }
    }

    /// Nothing of a secret question is recorded.
    pub(super) fn follow_secret(&mut self, core: &mut Core) {
        if self.machine.is_secret() {
            core.timers.cancel(Timer::Secret(self.id));
            self.hushing.secret = true;
            self.apply_hush(core, RecordBy::Secret);
        } else if self.hushing.secret && core.timers.get(Timer::Secret(self.id)).is_none() {
            core.timers.set(Timer::Secret(self.id), core.now + LAST_KEY);
        }
    }

    /// The last key is silent by now.
    pub(crate) fn on_secret_timeout(&mut self, core: &mut Core) {
        self.hushing.secret = false;
        self.apply_hush(core, RecordBy::Secret);
    }
}
