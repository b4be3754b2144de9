//! A caller leaves a message, or listens to those of others.

use super::Contact;
use crate::core::Core;
use crate::leg::State;
use clock::Time;
use dialplan::{MachineInput, MailboxOrder, MailboxResult, MessageResult, NewMessage};
use rtp::control::{Command, RecordingId};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folder of a client's messages among its recordings.
const FOLDER: &str = "voicemail";

/// A message whose file is not told as complete.
pub(super) struct Taking {
    recording: RecordingId,
    /// Its number.
    message: u64,
    order: NewMessage,
    path: PathBuf,
    since: Time,
    is_over: bool,
    /// Whether it begins anew in another contact, so that nothing of this one is kept.
    has_moved: bool,
}

/// What the engine tells of a recording that is over.
pub(crate) struct Taped<'p> {
    pub(crate) path: &'p Path,
    pub(crate) millis: u64,
    pub(crate) spoken_millis: Option<u64>,
    pub(crate) error: Option<String>,
}

impl Contact {
    /// What the flow asks of a mailbox.
    pub(super) fn ask_mailbox(&mut self, core: &mut Core, order: MailboxOrder) {
        let plan = Arc::clone(&self.plan);
        let known = |mailbox: &str| plan.mailbox(&self.client, mailbox);
        let result = match order {
            MailboxOrder::Look { mailbox } => match known(&mailbox) {
                Some(mailbox) if core.voicemail.has_room(&self.client, mailbox) => MailboxResult::Room,
                _ => MailboxResult::Full,
            },
            MailboxOrder::Open { mailbox, pin } => {
                let proof = (self.caller.user(), pin.as_deref());
                match known(&mailbox) {
                    Some(found) if core.voicemail.admits(core.now, &self.client, found, proof) => {
                        core.voicemail.list(&self.client, &mailbox)
                    }
                    _ => MailboxResult::Refused,
                }
            }
            MailboxOrder::Heard { message } => {
                core.hear_message(message, true, &self.who_listens());
                return;
            }
            MailboxOrder::Delete { message } => {
                core.delete_message(message, &self.who_listens());
                return;
            }
        };
        self.inbox.push_back(MachineInput::MailboxDone(result));
    }

    /// Who listens, as the log has it.
    fn who_listens(&self) -> Arc<str> {
        self.caller.user().cloned().unwrap_or_else(|| "PIN".into())
    }

    /// Records what the caller says from now on as a message.
    pub(super) fn take_message(&mut self, core: &mut Core, order: NewMessage) {
        if !matches!(self.caller.state, State::Answered { .. }) {
            return self.inbox.push_back(MachineInput::MessageEnded(MessageResult::Failed));
        }
        let plan = Arc::clone(&self.plan);
        let mailbox = plan.mailbox(&self.client, &order.mailbox);
        if !mailbox.is_some_and(|mailbox| core.voicemail.has_room(&self.client, mailbox)) {
            return self.inbox.push_back(MachineInput::MessageEnded(MessageResult::Full));
        }
        self.messages_begun += 1;
        let name = format!("{}-{}.wav", self.id.0, self.messages_begun);
        let path = core.config.recordings.join(&*self.client).join(FOLDER).join(name);
        let place = (&self.client, Arc::clone(&order.mailbox));
        let from = Arc::clone(&self.identity.number);
        let message = core.begin_message(self.id, place, (self.caller.id, from), path.clone());
        let recording = core.new_recording();
        core.recordings.insert(recording, self.id);
        let (stream, quiet) = (self.caller.stream(), order.silence);
        core.media(Command::RecordMessage { stream, recording, path: path.clone(), quiet });
        let since = core.now;
        self.taking.push(Taking { recording, message, order, path, since, is_over: false, has_moved: false });
    }

    /// The message is over: the engine writes what is left.
    pub(super) fn end_message(&mut self, core: &mut Core) {
        for taking in self.taking.iter_mut().filter(|it| !it.is_over) {
            taking.is_over = true;
            core.media(Command::StopRecording { recording: taking.recording });
        }
    }

    /// Who leaves a message has nothing more to say.
    pub(crate) fn on_party_quiet(&mut self, core: &mut Core, recording: RecordingId) {
        if self.taking.iter().any(|it| it.recording == recording) {
            self.end_message(core);
        }
    }

    /// Whether the caller speaks after the beep.
    pub(super) fn leaves_message(&self) -> bool {
        self.taking.iter().any(|it| !it.is_over)
    }

    /// Whether a recording that has ended was a message; it is judged then.
    pub(super) fn message_ended(
        &mut self,
        core: &mut Core,
        recording: RecordingId,
        taped: &Taped<'_>,
    ) -> bool {
        let Some(place) = self.taking.iter().position(|it| it.recording == recording) else { return false };
        let taking = self.taking.remove(place);
        let path = taped.path.display().to_string();
        let spoken = u128::from(taped.spoken_millis.unwrap_or(taped.millis));
        let is_short = spoken < taking.order.min.as_millis();
        let result = match &taped.error {
            _ if taking.has_moved => {
                core.drop_message(taking.message, &path, "it begins anew after a transfer");
                return true;
            }
            Some(error) if is_short => {
                core.drop_message(taking.message, &path, error);
                MessageResult::Failed
            }
            None if is_short => {
                core.drop_message(taking.message, &path, "too little was said");
                MessageResult::TooShort
            }
            _ => {
                core.keep_message(taking.message, path, taped.millis);
                MessageResult::Left
            }
        };
        self.inbox.push_back(MachineInput::MessageEnded(result));
        true
    }

    /// The engine never told the end of messages: what they have is kept.
    pub(super) fn abandon_messages(&mut self, core: &mut Core) {
        for taking in std::mem::take(&mut self.taking) {
            core.recordings.remove(&taking.recording);
            let millis = u64::try_from((core.now - taking.since).as_millis()).unwrap_or(u64::MAX);
            core.keep_message(taking.message, taking.path.display().to_string(), millis);
        }
    }

    /// Whether messages have yet to be told as complete.
    pub(super) fn is_writing_messages(&self) -> bool {
        !self.taking.is_empty()
    }

    /// The message that the caller leaves is begun anew by another one, in another contact.
    pub(super) fn give_message(&mut self, core: &mut Core) -> Option<NewMessage> {
        let taking = self.taking.iter_mut().find(|it| !it.is_over)?;
        taking.has_moved = true;
        let order = taking.order.clone();
        self.end_message(core);
        Some(order)
    }
}
