//! What an operator asks of a call's recording.

use crate::contact::Contact;
use crate::core::Core;
use crate::{Output, Switch};
use clock::Time;
use events::ContactId;

/// What is to be done with the recording of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordOrder {
    /// Records from here, in a file of its own.
    Start,
    /// Ends the recording.
    Stop,
    /// What is said from now on takes no time in the file.
    Pause,
    /// There is silence in its place.
    Mask,
    /// Records on.
    Resume,
}

/// Why nothing was done with a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordRefused {
    /// There is no such contact, or its caller is not answered.
    #[error("there is no such call, or it is not answered")]
    NoCall,
    /// It is recorded already.
    #[error("this call is recorded already")]
    Runs,
    /// It is not recorded.
    #[error("this call is not recorded")]
    NoRecording,
    /// A rule forbids it.
    #[error("no calls of this kind are recorded: `record: never` of its client, number, queue or agent")]
    Never,
    /// A rule wants it.
    #[error("all calls of this kind are recorded: pause or mask the recording")]
    Ruled,
}

impl Switch {
    /// Begins, ends, pauses, masks or resumes the recording of a contact. What follows is appended to `out`.
    ///
    /// # Errors
    /// Why not; nothing is changed then.
    pub fn record(
        &mut self,
        now: Time,
        contact: ContactId,
        order: RecordOrder,
        out: &mut Vec<Output>,
    ) -> Result<(), RecordRefused> {
        self.within_turn(now, out, |switch| {
            let mut done = Err(RecordRefused::NoCall);
            switch.with_contact(contact, |contact: &mut Contact, core: &mut Core| {
                done = contact.direct_recording(core, order);
            });
            done
        })
    }
}
