//! Messages of callers (`voicemail`, `mailbox`). Every change is in the log, and the store makes this of it anew.

use crate::core::Core;
use crate::watch::Mailbox as Waiting;
use crate::{Output, Switch};
use clock::{Duration, Time};
use dialplan::{Config, LeftMessage, Mailbox, MailboxResult};
use events::{ContactId, Kind, StoredMessage};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

/// So many wrong PINs in a row close a mailbox to all that know its PIN,
const MOST_GUESSES: u32 = 5;
/// for so long.
const CLOSED: Duration = Duration::from_secs(300);

/// A mailbox: its client, and its name there.
type Place = (Arc<str>, Arc<str>);

/// What is in the mailboxes of all clients.
#[derive(Default)]
pub(crate) struct Voicemail {
    mailboxes: BTreeMap<Place, BTreeMap<u64, StoredMessage>>,
    /// Those in which something has changed in this turn.
    changed: BTreeSet<Place>,
    /// Wrong PINs in a row, and when they are forgotten.
    guesses: HashMap<Place, (u32, Time)>,
    /// When the next message has been kept for long enough.
    next_expiry: Option<Time>,
}

/// What somebody wants with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageOrder {
    /// It has been heard, or counts as new again.
    Hear(bool),
    /// It is not to be kept.
    Delete,
}

/// Why nothing was done with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageRefused {
    /// There is none of that number.
    #[error("there is no such message")]
    Unknown,
}

impl Voicemail {
    /// When [`Switch::expire_messages`] is due.
    pub(crate) fn next_timeout(&self) -> Option<Time> {
        self.next_expiry
    }

    /// All that is in a mailbox, and what is being left there.
    fn of<'v>(&'v self, client: &str, mailbox: &str) -> impl Iterator<Item = &'v StoredMessage> {
        let place = (Arc::from(client), Arc::from(mailbox));
        self.mailboxes.get(&place).into_iter().flat_map(BTreeMap::values)
    }

    fn get_mut(&mut self, message: u64) -> Option<&mut StoredMessage> {
        self.mailboxes.values_mut().find_map(|messages| messages.get_mut(&message))
    }

    fn insert(&mut self, message: StoredMessage) {
        let place = (Arc::clone(&message.client), Arc::clone(&message.mailbox));
        self.mailboxes.entry(place.clone()).or_default().insert(message.message, message);
        self.changed.insert(place);
    }

    fn remove(&mut self, message: u64) -> Option<StoredMessage> {
        let mut found = None;
        for messages in self.mailboxes.values_mut() {
            found = found.or_else(|| messages.remove(&message));
        }
        self.mailboxes.retain(|_, messages| !messages.is_empty());
        self.note(found.as_ref()?);
        found
    }

    fn note(&mut self, message: &StoredMessage) {
        self.changed.insert((Arc::clone(&message.client), Arc::clone(&message.mailbox)));
    }

    /// Whether a mailbox holds one more.
    pub(crate) fn has_room(&self, client: &str, mailbox: &Mailbox) -> bool {
        self.of(client, &mailbox.name).count() < mailbox.limit as usize
    }

    /// Whether somebody may listen: one of the mailbox's users, or whoever knows its PIN. Wrong ones count.
    pub(crate) fn admits(
        &mut self,
        now: Time,
        client: &Arc<str>,
        mailbox: &Mailbox,
        (user, pin): (Option<&Arc<str>>, Option<&str>),
    ) -> bool {
        let Some(pin) = pin else { return user.is_some_and(|user| mailbox.users.contains(user)) };
        let place = (Arc::clone(client), Arc::clone(&mailbox.name));
        let guesses =
            self.guesses.get(&place).filter(|(_, until)| now < *until).map_or(0, |(count, _)| *count);
        if guesses >= MOST_GUESSES {
            return false;
        }
        let is_right = mailbox.pin.as_deref() == Some(pin);
        if is_right {
            self.guesses.remove(&place);
        } else {
            self.guesses.insert(place, (guesses + 1, now + CLOSED));
        }
        is_right
    }

    /// What is in a mailbox for whoever listens: first what nobody has heard, the oldest first.
    pub(crate) fn list(&self, client: &str, mailbox: &str) -> MailboxResult {
        let left = self.of(client, mailbox).filter(|it| it.millis.is_some());
        let mut messages: Vec<_> = left
            .map(|it| LeftMessage {
                message: it.message,
                from: Arc::clone(&it.from),
                at: it.at,
                heard: it.heard,
                file: it.path.as_str().into(),
            })
            .collect();
        messages.sort_by_key(|it| (it.heard, it.message));
        MailboxResult::Messages(messages)
    }
}

impl Core {
    /// A contact's caller leaves a message from now on.
    pub(crate) fn begin_message(
        &mut self,
        contact: ContactId,
        (client, mailbox): (&Arc<str>, Arc<str>),
        (leg, from): (events::LegId, Arc<str>),
        path: PathBuf,
    ) -> u64 {
        let message = self.next_seq();
        let stored = StoredMessage {
            message,
            contact,
            client: Arc::clone(client),
            mailbox,
            from,
            at: self.unix_micros(),
            path: path.display().to_string(),
            millis: None,
            heard: false,
        };
        let StoredMessage { client, mailbox, from, path, .. } = stored.clone();
        self.log(Some(contact), Kind::VoicemailStarted { message, leg, client, mailbox, from, path });
        self.voicemail.insert(stored);
        message
    }

    /// The message is in the mailbox.
    pub(crate) fn keep_message(&mut self, message: u64, path: String, millis: u64) {
        let Some(found) = self.voicemail.get_mut(message) else { return };
        (found.path, found.millis) = (path.clone(), Some(millis));
        let kept = found.clone();
        self.voicemail.note(&kept);
        self.log(Some(kept.contact), Kind::VoicemailLeft { message, path, millis });
    }

    /// Nothing is kept of a message.
    pub(crate) fn drop_message(&mut self, message: u64, path: &str, reason: &str) {
        let Some(found) = self.voicemail.remove(message) else { return };
        self.log(Some(found.contact), Kind::VoicemailDropped { message, reason: reason.into() });
        self.out.push(Output::RemoveFile(path.into()));
    }

    /// A message has been heard, or counts as new again.
    pub(crate) fn hear_message(&mut self, message: u64, heard: bool, by: &Arc<str>) -> bool {
        let Some(found) = self.voicemail.get_mut(message).filter(|it| it.millis.is_some()) else {
            return false;
        };
        if std::mem::replace(&mut found.heard, heard) != heard {
            let kept = found.clone();
            self.voicemail.note(&kept);
            self.log(Some(kept.contact), Kind::VoicemailHeard { message, heard, by: Arc::clone(by) });
        }
        true
    }

    /// A message is deleted, and its file.
    pub(crate) fn delete_message(&mut self, message: u64, by: &Arc<str>) -> bool {
        if self.voicemail.get_mut(message).is_none_or(|it| it.millis.is_none()) {
            return false;
        }
        let Some(found) = self.voicemail.remove(message) else { return false };
        self.log(Some(found.contact), Kind::VoicemailDeleted { message, by: Arc::clone(by) });
        self.out.push(Output::RemoveFile(PathBuf::from(found.path)));
        true
    }

    /// Takes what there was when the log ended. Each comes with the length of its file, which may be gone: a message that was
    /// being left then ends as far as it is written.
    pub(crate) fn restore_messages(&mut self, messages: Vec<(StoredMessage, Option<u64>)>) {
        for (stored, found) in messages {
            let (message, path, millis) = (stored.message, stored.path.clone(), stored.millis);
            self.voicemail.insert(stored);
            match (millis, found.filter(|length| *length > 0)) {
                (Some(_), Some(_)) => {}
                (None, Some(length)) => self.keep_message(message, path, length),
                (None, None) => self.drop_message(message, &path, "interrupted"),
                // Whoever mounts its disk again, or puts it back, finds it in its mailbox.
                (Some(_), None) => {
                    let text = format!("message {message} in a mailbox has no sound: {path} cannot be read");
                    self.log(None, Kind::Alarm { text });
                }
            }
        }
    }
}

impl Switch {
    /// The messages that are in mailboxes, by client, mailbox and number.
    pub fn messages(&self) -> Vec<StoredMessage> {
        let all = self.core.voicemail.mailboxes.values().flat_map(BTreeMap::values);
        all.filter(|message| message.millis.is_some()).cloned().collect()
    }

    /// Does something with a message. What follows is appended to `out`.
    ///
    /// # Errors
    /// There is no such message.
    pub fn direct_message(
        &mut self,
        now: Time,
        message: u64,
        (order, by): (MessageOrder, &Arc<str>),
        out: &mut Vec<Output>,
    ) -> Result<(), MessageRefused> {
        self.within_turn(now, out, |switch| {
            let done = match order {
                MessageOrder::Hear(heard) => switch.core.hear_message(message, heard, by),
                MessageOrder::Delete => switch.core.delete_message(message, by),
            };
            if done { Ok(()) } else { Err(MessageRefused::Unknown) }
        })
    }

    /// Phones whose users have other messages than before hear of it; whether there were any.
    pub(crate) fn tell_mailboxes(&mut self) -> bool {
        let changed = std::mem::take(&mut self.core.voicemail.changed);
        for (client, name) in &changed {
            let users = self.plan.mailbox(client, name).map_or(&[][..], |mailbox| &mailbox.users);
            users.iter().for_each(|user| self.core.watches.stir(user));
        }
        if !changed.is_empty() {
            self.set_next_expiry();
        }
        !changed.is_empty()
    }

    /// Messages that were kept for as long as their mailbox keeps any are deleted.
    pub(crate) fn expire_messages(&mut self) {
        if self.core.voicemail.next_expiry.is_none_or(|at| self.core.now < at) {
            return;
        }
        let now = self.core.unix_micros();
        let over = self.expiries().filter(|(at, _)| *at <= now).map(|(_, message)| message);
        let by: Arc<str> = "the node: it was kept long enough".into();
        for message in over.collect::<Vec<_>>() {
            self.core.delete_message(message, &by);
        }
        self.set_next_expiry();
    }

    /// The plan has changed: who has which mailbox, and how long messages are kept.
    pub(crate) fn apply_mailboxes(&mut self) {
        self.core.watches.stir_mailboxes();
        self.set_next_expiry();
    }

    /// What waits for a user in all of its mailboxes.
    pub(crate) fn waiting_for(&self, user: &str) -> Waiting {
        let mut waiting = Waiting::default();
        let theirs = self.plan.mailboxes.iter().filter(|it| it.users.iter().any(|of| **of == *user));
        for mailbox in theirs {
            let client = &self.plan.client(mailbox.client).id;
            let left = self.core.voicemail.of(client, &mailbox.name).filter(|it| it.millis.is_some());
            for message in left {
                let count = if message.heard { &mut waiting.old } else { &mut waiting.new };
                *count += 1;
            }
        }
        waiting
    }

    /// When each message is over that is not kept for ever, in microseconds since 1970.
    fn expiries(&self) -> impl Iterator<Item = (i64, u64)> {
        let plan: &Config = &self.plan;
        self.core.voicemail.mailboxes.iter().flat_map(move |((client, name), messages)| {
            let keep = plan.mailbox(client, name).and_then(|mailbox| mailbox.keep);
            let keep = keep.and_then(|keep| i64::try_from(keep.as_micros()).ok());
            let left = messages.values().filter(|it| it.millis.is_some());
            left.filter_map(move |it| Some((it.at.saturating_add(keep?), it.message)))
        })
    }

    fn set_next_expiry(&mut self) {
        let next = self.expiries().map(|(at, _)| at).min();
        let zero = self.core.config.unix_micros_at_zero;
        let time = |at: i64| Time::from_micros(u64::try_from(at.saturating_sub(zero)).unwrap_or(0));
        self.core.voicemail.next_expiry = next.map(time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Input;
    use crate::testing::switch;

    const NODE: &str = "sip: {listen: [\"udp:10.0.0.1:5060\"]}\nrtp: {ports: 30000-30999, address: 10.0.0.1}\nclients: [acme]\n";
    const CLIENT: &str = "users: {alice: {password: a}}\nflows: {main: [hangup]}\n\
        mailboxes: {support: {pin: \"4711\", users: [alice], greeting: none, keep: 1h}}\n";

    fn stored(message: u64, millis: Option<u64>) -> StoredMessage {
        StoredMessage {
            message,
            contact: ContactId(message),
            client: "acme".into(),
            mailbox: "support".into(),
            from: "+1555".into(),
            at: 0,
            path: format!("{message}.wav"),
            millis,
            heard: false,
        }
    }

    /// What was logged of messages, and the files that were to be removed.
    fn told(out: &mut Vec<Output>) -> (Vec<Kind>, Vec<PathBuf>) {
        let (mut kinds, mut files) = (Vec::new(), Vec::new());
        for output in out.drain(..) {
            match output {
                Output::RemoveFile(path) => files.push(path),
                Output::Event(event)
                    if !matches!(event.kind, Kind::NodeStarted { .. } | Kind::ConfigApplied { .. }) =>
                {
                    kinds.push(event.kind);
                }
                _ => {}
            }
        }
        (kinds, files)
    }

    #[test]
    fn a_restart_keeps_what_was_written_and_no_more() {
        let mut switch = switch(NODE, CLIENT);
        let mut out = Vec::new();
        let found = vec![
            (stored(1, Some(5_000)), Some(5_000)),
            (stored(2, None), Some(3_000)),
            (stored(3, None), None),
            (stored(4, None), Some(0)),
            (stored(5, Some(5_000)), None),
        ];
        switch.handle(Time::ZERO, Input::Messages(found), &mut out);
        let (kinds, files) = told(&mut out);
        let dropped = |message| Kind::VoicemailDropped { message, reason: "interrupted".into() };
        let left = Kind::VoicemailLeft { message: 2, path: "2.wav".into(), millis: 3_000 };
        // What has no sound at present stays: its disk may not be mounted yet.
        let text = "message 5 in a mailbox has no sound: 5.wav cannot be read".to_owned();
        assert_eq!(kinds, [left, dropped(3), dropped(4), Kind::Alarm { text }]);
        assert_eq!(files, ["3.wav", "4.wav"].map(PathBuf::from));
        let kept: Vec<_> = switch.messages().into_iter().map(|it| it.message).collect();
        assert_eq!(kept, [1, 2, 5]);
        assert_eq!(switch.waiting_for("alice"), Waiting { new: 3, old: 0 });
        let by: Arc<str> = "alice".into();
        let hear = (MessageOrder::Hear(true), &by);
        assert_eq!(switch.direct_message(Time::ZERO, 1, hear, &mut out), Ok(()));
        assert_eq!(switch.waiting_for("alice"), Waiting { new: 2, old: 1 });
        assert_eq!(switch.direct_message(Time::ZERO, 3, hear, &mut out), Err(MessageRefused::Unknown));
    }

    #[test]
    fn messages_are_deleted_once_they_were_kept_for_long_enough() {
        let mut switch = switch(NODE, CLIENT);
        let mut out = Vec::new();
        let hour = 3_600_000_000;
        let now = switch.core.config.unix_micros_at_zero;
        let (old, new) = (
            StoredMessage { at: now, ..stored(1, Some(9)) },
            StoredMessage { at: now + 1, ..stored(2, Some(9)) },
        );
        switch.handle(Time::ZERO, Input::Messages(vec![(old, Some(9)), (new, Some(9))]), &mut out);
        out.clear();
        assert_eq!(switch.core.voicemail.next_timeout(), Some(Time::from_micros(hour)));
        switch.handle(Time::from_micros(hour), Input::Timeout, &mut out);
        let (kinds, files) = told(&mut out);
        assert!(matches!(kinds[..], [Kind::VoicemailDeleted { message: 1, .. }]), "{kinds:?}");
        assert_eq!(files, [PathBuf::from("1.wav")]);
        assert_eq!(switch.core.voicemail.next_timeout(), Some(Time::from_micros(hour + 1)));
    }

    #[test]
    fn wrong_pins_close_a_mailbox_for_a_while_to_those_who_know_it() {
        let mut switch = switch(NODE, CLIENT);
        let plan = Arc::clone(&switch.plan);
        let (acme, alice): (Arc<str>, Arc<str>) = ("acme".into(), "alice".into());
        let mailbox = plan.mailbox("acme", "support").expect("a mailbox");
        let mut opens = |seconds, user, pin| {
            switch.core.voicemail.admits(Time::from_secs(seconds), &acme, mailbox, (user, pin))
        };
        assert!(opens(0, Some(&alice), None) && !opens(0, None, None));
        assert!(opens(0, None, Some("4711")));
        (0..4).for_each(|_| assert!(!opens(1, None, Some("4712"))));
        assert!(opens(1, None, Some("4711")), "which forgets the wrong ones");
        (0..5).for_each(|_| assert!(!opens(2, None, Some("4712"))));
        assert!(!opens(3, None, Some("4711")) && opens(3, Some(&alice), None));
        assert!(opens(302, None, Some("4711")));
    }
}
