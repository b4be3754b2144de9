//! Lamps: what subscribers have been told is what the log says of the users that they watch.

use super::{History, Tally};
use crate::wire::{self, Read};
use clock::{Duration, Time};
use events::LegId;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// A NOTIFY that nobody answers for so long has failed (RFC 3261 17.1.2.2, Timer F).
const TIMER_F: Duration = Duration::from_secs(32);
/// Calls that a NOTIFY lists.
const MOST_LISTED: usize = 4;

/// A call of a user. Of those that it places it is only said whether they are answered: some callers cannot be told
/// of ringing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Confirmed,
    Early,
    Trying,
    Placed,
}

/// What a subscriber knows.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    Dialogs(BTreeMap<LegId, Stage>),
    Messages(String),
}

#[derive(Debug)]
struct Watch {
    user: String,
    watcher: String,
    /// When it ends, by the response to the SUBSCRIBE with that CSeq.
    until: (u32, Time),
    told: Option<Told>,
    version: u64,
    /// The CSeq of the NOTIFY that has no answer, and since when.
    under_way: Option<(u32, Time)>,
    /// Its NOTIFY may have failed without an answer: if nothing follows it is over.
    is_doubtful: bool,
}

/// Call-ID and the switch's tag.
type Key = (String, String);

/// What was seen on the wire of subscriptions.
#[derive(Debug, Default)]
pub(crate) struct Watches {
    /// User and event of each SUBSCRIBE that came, by Call-ID.
    asked: BTreeMap<String, (String, String)>,
    up: BTreeMap<Key, Watch>,
    over: BTreeSet<Key>,
    /// Branches of the NOTIFYs that were sent.
    sent: BTreeSet<String>,
    begun: u64,
    notified: u64,
    refused: u64,
}

impl Watches {
    /// A connection is gone, and whatever waited on it.
    pub(crate) fn flow_failed(&mut self) {
        for watch in self.up.values_mut().filter(|watch| watch.under_way.is_some()) {
            watch.is_doubtful = true;
        }
    }

    pub(crate) fn count(&self, tally: &mut Tally) {
        tally.subscribed += self.begun;
        tally.notified += self.notified;
        tally.notify_refused += self.refused;
    }

    /// Holds a turn of the switch against what subscribers must be told.
    ///
    /// # Errors
    /// Who was told what.
    pub(crate) fn check(
        &mut self,
        now: Time,
        came: Option<(SocketAddr, &Read)>,
        went: &[(SocketAddr, Read)],
        history: &History,
    ) -> Result<(), String> {
        if let Some((_, read)) = came {
            self.take(read);
        }
        for watch in self.up.values_mut() {
            watch.is_doubtful |= watch.under_way.is_some_and(|(_, since)| now >= since + TIMER_F);
        }
        for (to, read) in went {
            match (read.method.as_deref(), read.status) {
                (None, Some(200..300)) if read.cseq_method == "SUBSCRIBE" => self.granted(now, *to, read)?,
                (Some("NOTIFY"), _) if !is_of_refer(read) => self.notify(now, read)?,
                _ => {}
            }
        }
        self.check_truth(now, history)
    }

    /// The node stops, or a user is in its plan no more: whoever watches is told so, as soon as may be.
    ///
    /// # Errors
    /// Who is not.
    pub(crate) fn check_gone(&self, user: Option<&str>) -> Result<(), String> {
        let is_due = |it: &&Watch| it.under_way.is_none() && !it.is_doubtful;
        let concerns = |it: &&Watch| user.is_none_or(|user| it.user == user || it.watcher == user);
        match self.up.values().filter(is_due).find(concerns) {
            Some(Watch { user, watcher, .. }) => Err(format!("{watcher} watches {user} still")),
            None => Ok(()),
        }
    }

    fn take(&mut self, read: &Read) {
        if read.method.as_deref() == Some("SUBSCRIBE") && wire::tag_of(&read.to).is_none() {
            let asked = (read.number.clone(), read.event.clone().unwrap_or_default());
            self.asked.insert(read.call_id.clone(), asked);
        }
        let status = read.status.filter(|status| *status >= 200 && read.cseq_method == "NOTIFY");
        let Some(status) = status else { return };
        let key = (read.call_id.clone(), wire::tag_of(&read.from).unwrap_or("").to_owned());
        let Some(watch) = self.up.get_mut(&key) else { return };
        if watch.under_way.is_none_or(|(cseq, _)| cseq != read.cseq) || watch.is_doubtful {
            return;
        }
        watch.under_way = None;
        if status >= 300 {
            self.refused += 1;
            self.up.remove(&key);
            self.over.insert(key);
        }
    }

    fn granted(&mut self, now: Time, to: SocketAddr, read: &Read) -> Result<(), String> {
        let key = (read.call_id.clone(), wire::tag_of(&read.to).unwrap_or("").to_owned());
        let until = (read.cseq, now + Duration::from_secs(read.expires.unwrap_or(0).into()));
        if let Some(watch) = self.up.get_mut(&key) {
            if read.cseq > watch.until.0 {
                watch.until = until;
            }
            return Ok(());
        }
        if self.over.contains(&key) {
            return Ok(());
        }
        let Some((user, event)) = self.asked.get(&read.call_id) else {
            return Err(format!("{} was granted what nobody asked for", read.call_id));
        };
        let caller = wire::uri_in(&read.from).trim_start_matches("sip:").split('@').next().unwrap_or("");
        let may = match event.as_str() {
            "dialog" => client_of(user).is_some() && client_of(user) == client_of(caller),
            "message-summary" => client_of(user).is_some() && user == caller,
            _ => false,
        };
        if !may || !to.ip().to_string().starts_with("10.0.2.") {
            return Err(format!("{to} may watch {event} of {user}"));
        }
        self.begun += 1;
        let (user, watcher) = (user.clone(), caller.to_owned());
        let watch =
            Watch { user, watcher, until, told: None, version: 0, under_way: None, is_doubtful: false };
        self.up.insert(key, watch);
        Ok(())
    }

    fn notify(&mut self, now: Time, read: &Read) -> Result<(), String> {
        if !self.sent.insert(read.vias.first().map_or("", |via| wire::branch_of(via)).to_owned()) {
            return Ok(()); // a copy
        }
        let key = (read.call_id.clone(), wire::tag_of(&read.from).unwrap_or("").to_owned());
        if self.over.contains(&key) {
            return Err(format!("NOTIFY in {} after the end", read.call_id));
        }
        let Some(watch) = self.up.get_mut(&key) else {
            return Err(format!("NOTIFY in {}, which nobody subscribed to", read.call_id));
        };
        if watch.under_way.is_some() && !watch.is_doubtful {
            return Err(format!("a second NOTIFY in {} before the first was answered", read.call_id));
        }
        self.notified += 1;
        let text = String::from_utf8_lossy(&read.body);
        let told = match text.lines().find_map(|line| line.strip_prefix("Voice-Message: ")) {
            Some(messages) => Told::Messages(messages.to_owned()),
            None => Told::Dialogs(watch.read_dialogs(&text)?),
        };
        watch.told = Some(told);
        watch.under_way = Some((read.cseq, now));
        watch.is_doubtful = false;
        let state = read.subscription_state.as_deref().unwrap_or("");
        if state.starts_with("terminated;reason=") {
            self.up.remove(&key);
            self.over.insert(key);
        } else if state != format!("active;expires={}", (watch.until.1 - now).as_secs().max(1)) {
            return Err(format!("NOTIFY in {} is {state:?}", read.call_id));
        }
        Ok(())
    }

    /// Whoever has answered the last NOTIFY knows what the log says.
    fn check_truth(&self, now: Time, history: &History) -> Result<(), String> {
        for ((call_id, _), watch) in &self.up {
            if watch.under_way.is_some() || watch.is_doubtful {
                continue;
            }
            if now > watch.until.1 {
                return Err(format!("{call_id} goes on although its time is up"));
            }
            let truth = match &watch.told {
                None => return Err(format!("{call_id} has been granted, and is told nothing")),
                Some(Told::Messages(_)) => {
                    let (new, old) = history.messages_of(&watch.user);
                    Told::Messages(format!("{new}/{old} (0/0)"))
                }
                Some(Told::Dialogs(told)) => {
                    let mut calls = history.calls_of(&watch.user);
                    // Who of several that are not up has been told of ringing, and so is listed first, is not in the log.
                    calls.sort_unstable_by_key(|(stage, leg)| {
                        (*stage != Stage::Confirmed, !told.contains_key(leg), *leg)
                    });
                    calls.truncate(MOST_LISTED);
                    Told::Dialogs(calls.into_iter().map(|(stage, leg)| (leg, stage)).collect())
                }
            };
            if watch.told.as_ref() != Some(&truth) {
                let Watch { user, told, .. } = watch;
                return Err(format!("{call_id} was told {told:?} of {user}, but the log says {truth:?}"));
            }
        }
        Ok(())
    }
}

impl Watch {
    /// Reads a document: its version follows the last one, and what was listed is told to be over.
    fn read_dialogs(&mut self, text: &str) -> Result<BTreeMap<LegId, Stage>, String> {
        let version = between(text, "dialog-info\" version=\"", "\" state=\"full\"")
            .and_then(|it| it.parse::<u64>().ok());
        if version != Some(self.version) {
            return Err(format!("version {version:?} where {} was due", self.version));
        }
        self.version += 1;
        let (mut live, mut over) = (BTreeMap::new(), BTreeSet::new());
        for dialog in text.split("<dialog id=\"").skip(1) {
            let leg = dialog.split('"').next().and_then(|id| id.parse().ok()).map(LegId);
            let leg = leg.ok_or_else(|| format!("a dialog without a number: {dialog}"))?;
            let stage = match between(dialog, "<state>", "</state>") {
                Some("terminated") => {
                    over.insert(leg);
                    continue;
                }
                Some("confirmed") => Stage::Confirmed,
                Some("early" | "trying") if dialog.contains("direction=\"initiator\"") => Stage::Placed,
                Some("early") => Stage::Early,
                Some("trying") => Stage::Trying,
                other => return Err(format!("a dialog in the state {other:?}")),
            };
            live.insert(leg, stage);
        }
        let Some(Told::Dialogs(before)) = &self.told else { return Ok(live) };
        let gone: BTreeSet<LegId> = before.keys().filter(|leg| !live.contains_key(leg)).copied().collect();
        if gone == over { Ok(live) } else { Err(format!("{gone:?} are over, and {over:?} are told to be")) }
    }
}

/// Whose user that is.
pub(super) fn client_of(user: &str) -> Option<&'static str> {
    match user {
        "alice" | "bob" | "carol" | "20" => Some("sim"),
        "dave" => Some("other"),
        _ => None,
    }
}

fn is_of_refer(read: &Read) -> bool {
    read.event.as_deref().is_some_and(|event| event.starts_with("refer"))
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}
