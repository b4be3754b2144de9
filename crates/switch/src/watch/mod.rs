//! Who watches what: the lamps of desk phones (RFC 4235, 3842), and transfers by REFER (RFC 3515).
//!
//! There is no state besides the calls themselves: what a subscriber is told is read of the legs when it is sent. The log
//! says when there may be something to tell: see [`Core::log_leg`].

mod dialogs;
mod mailbox;
mod subscribe;

pub(crate) use mailbox::Mailbox;

use crate::Switch;
use crate::core::Core;
use clock::Duration;
use dialogs::Dialogs;
use dialplan::Config;
use events::{ContactId, Kind, Party};
use sip::{Body, EndReason, InviteId, SubscriptionId, reason_phrase};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The events that can be subscribed to, as Allow-Events has them; `refer` only by REFER.
pub(crate) const ALLOW_EVENTS: &str = "dialog, message-summary, refer";
/// Subscriptions of one user: the keys of a phone with its side cars, twice over. One more takes the place of the oldest,
/// so that a phone that has lost its memory is not locked out by what it subscribed to before.
const MOST_OF_USER: usize = 500;
/// How long the sender of a REFER hears of it: longer than any ringing.
const TRANSFER_LASTS: Duration = Duration::from_secs(300);

/// The subscriptions, by what is watched and by who watches.
#[derive(Default)]
pub(crate) struct Watches {
    alive: HashMap<SubscriptionId, Watch>,
    of_watcher: HashMap<Arc<str>, BTreeSet<SubscriptionId>>,
    of_watched: HashMap<Arc<str>, BTreeSet<SubscriptionId>>,
    /// Those to be told at the end of the turn, if there is news.
    stirred: BTreeSet<SubscriptionId>,
}

/// A subscription as its state is read.
enum Watch {
    User(UserWatch),
    /// A transfer, and how far it is: the status of the call to its target.
    Transfer(u16),
}

/// A user watches a user, perhaps itself.
struct UserWatch {
    watcher: Arc<str>,
    watched: Arc<str>,
    /// Of both.
    client: Arc<str>,
    /// `user@host` of the watched, as the subscriber has it.
    address: Address,
    what: What,
}

/// Where users are, as the subscriber writes it.
struct Address {
    user: Arc<str>,
    host: Box<str>,
}

enum What {
    Dialogs(Dialogs),
    /// Messages, as it was told of them last.
    Mailbox(Option<Mailbox>),
}

impl Address {
    /// The address-of-record of the one who is watched.
    fn of_record(&self) -> String {
        self.of(&self.user)
    }

    /// That of another.
    fn of(&self, user: &str) -> String {
        format!("sip:{user}@{}", self.host)
    }
}

impl Watches {
    pub(crate) fn len(&self) -> usize {
        self.alive.len()
    }

    fn watch(&mut self, id: SubscriptionId, watch: UserWatch) {
        self.of_watcher.entry(Arc::clone(&watch.watcher)).or_default().insert(id);
        self.of_watched.entry(Arc::clone(&watch.watched)).or_default().insert(id);
        self.alive.insert(id, Watch::User(watch));
    }

    pub(crate) fn forget(&mut self, id: SubscriptionId) {
        self.stirred.remove(&id);
        if let Some(Watch::User(UserWatch { watcher, watched, .. })) = self.alive.remove(&id) {
            for (index, user) in [(&mut self.of_watcher, watcher), (&mut self.of_watched, watched)] {
                if let Some(ids) = index.get_mut(&user) {
                    ids.remove(&id);
                    if ids.is_empty() {
                        index.remove(&user);
                    }
                }
            }
        }
    }

    /// There may be news of a user.
    pub(crate) fn stir(&mut self, user: &str) {
        self.stirred.extend(self.of_watched.get(user).into_iter().flatten());
    }

    /// There may be news of everybody's messages.
    pub(crate) fn stir_mailboxes(&mut self) {
        let is_of_mailbox =
            |watch: &Watch| matches!(watch, Watch::User(UserWatch { what: What::Mailbox(_), .. }));
        let all = self.alive.iter().filter(|(_, watch)| is_of_mailbox(watch));
        self.stirred.extend(all.map(|(id, _)| *id));
    }

    fn user(&self, id: SubscriptionId) -> Option<&UserWatch> {
        match self.alive.get(&id)? {
            Watch::User(watch) => Some(watch),
            Watch::Transfer(_) => None,
        }
    }

    /// The oldest subscription of a user who has as many as may be.
    fn oldest_of(&self, watcher: &str) -> Option<SubscriptionId> {
        let ids = self.of_watcher.get(watcher).filter(|ids| ids.len() >= MOST_OF_USER)?;
        ids.first().copied()
    }

    /// Subscriptions whose users are no longer in the plan, or no longer of one client.
    fn unplanned(&self, plan: &Config) -> Vec<SubscriptionId> {
        let is_of = |user: &str, client: &str| {
            plan.user(user).is_some_and(|user| *plan.client(user.client).id == *client)
        };
        let is_planned = |it: &UserWatch| is_of(&it.watcher, &it.client) && is_of(&it.watched, &it.client);
        let mut gone: Vec<_> = self
            .alive
            .keys()
            .copied()
            .filter(|id| self.user(*id).is_some_and(|it| !is_planned(it)))
            .collect();
        gone.sort_unstable();
        gone
    }

    fn all(&self) -> Vec<SubscriptionId> {
        let mut ids: Vec<_> = self.alive.keys().copied().collect();
        ids.sort_unstable();
        ids
    }
}

impl Core {
    /// Appends what happened to a leg to the history. Whoever watches its user is told at the end of the turn.
    pub(crate) fn log_leg(&mut self, contact: ContactId, party: &Party, kind: Kind) {
        if let Party::User(user) = party {
            self.watches.stir(user);
        }
        self.log(Some(contact), kind);
    }

    /// The sender of a REFER in a call wants to hear how it goes (RFC 3515 section 2.4.4). `refer` is its CSeq number.
    pub(crate) fn watch_transfer(&mut self, call: InviteId, refer: u32) -> Option<SubscriptionId> {
        let event = format!("refer;id={refer}");
        let id = self.endpoint.subscribe_in_call(self.now, call, &event, TRANSFER_LASTS)?;
        self.watches.alive.insert(id, Watch::Transfer(100));
        Some(id)
    }

    /// How far the call to the target of a transfer is; a final status ends the subscription.
    pub(crate) fn tell_of_transfer(&mut self, id: SubscriptionId, status: u16) {
        let Some(Watch::Transfer(told)) = self.watches.alive.get_mut(&id) else { return };
        *told = status;
        if status >= 200 {
            self.endpoint.end_subscription(id, EndReason::NoResource);
        }
        if self.endpoint.may_notify(id) {
            self.endpoint.notify(self.now, id, &transfer_state(status), &mut self.sip);
        }
    }
}

impl Switch {
    /// Tells the watchers of whom there is news; whether there were any.
    pub(crate) fn tell_watchers(&mut self) -> bool {
        let stirred = std::mem::take(&mut self.core.watches.stirred);
        for id in &stirred {
            if self.has_news(*id) {
                self.notify(*id);
            }
        }
        !stirred.is_empty()
    }

    /// Sends the state of a subscription, now or when the NOTIFY that is under way has been answered.
    pub(crate) fn notify(&mut self, id: SubscriptionId) {
        if !self.core.endpoint.may_notify(id) {
            return;
        }
        let Some(body) = self.state_of(id) else { return };
        let core = &mut self.core;
        core.endpoint.notify(core.now, id, &body, &mut core.sip);
    }

    /// The plan has changed: who is not in it any more neither watches nor is watched.
    pub(crate) fn end_unplanned_watches(&mut self) {
        for id in self.core.watches.unplanned(&self.plan) {
            self.end_watch(id, EndReason::NoResource);
        }
    }

    /// The node stops.
    pub(crate) fn end_watches(&mut self) {
        for id in self.core.watches.all() {
            self.end_watch(id, EndReason::Deactivated);
        }
    }

    fn end_watch(&mut self, id: SubscriptionId, reason: EndReason) {
        self.core.endpoint.end_subscription(id, reason);
        self.notify(id);
    }

    /// Whether the subscriber has not been told the present state.
    fn has_news(&self, id: SubscriptionId) -> bool {
        match self.core.watches.user(id) {
            Some(UserWatch { what: What::Dialogs(told), watched, .. }) => {
                told.differ(&self.dialogs_of(watched))
            }
            Some(UserWatch { what: What::Mailbox(told), watched, .. }) => {
                *told != Some(self.waiting_for(watched))
            }
            None => false,
        }
    }

    fn state_of(&mut self, id: SubscriptionId) -> Option<Body> {
        let watch = self.core.watches.user(id);
        let waiting = watch.map(|watch| self.waiting_for(&watch.watched)).unwrap_or_default();
        let present = watch.map(|watch| self.dialogs_of(&watch.watched));
        let core = &mut self.core;
        match core.watches.alive.get_mut(&id)? {
            Watch::Transfer(status) => Some(transfer_state(*status)),
            Watch::User(UserWatch { address, what: What::Dialogs(told), .. }) => {
                Some(told.next(&core.endpoint, address, &present.unwrap_or_default()))
            }
            Watch::User(UserWatch { address, what: What::Mailbox(told), .. }) => {
                *told = Some(waiting);
                Some(waiting.summary(&address.of_record()))
            }
        }
    }
}

/// The status line of the call to the target (RFC 3515 section 2.4.5).
fn transfer_state(status: u16) -> Body {
    let line = format!("SIP/2.0 {status} {}\r\n", reason_phrase(status));
    Body { content_type: "message/sipfrag;version=2.0".into(), bytes: line.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(watches: &mut Watches, number: u64, watcher: &str) {
        let address = Address { user: "bob".into(), host: "h".into() };
        let (watcher, watched, client) = (watcher.into(), Arc::clone(&address.user), "c".into());
        let what = What::Dialogs(Dialogs::default());
        watches.watch(SubscriptionId(number), UserWatch { watcher, watched, client, address, what });
    }

    #[test]
    fn one_more_than_a_user_may_have_takes_the_place_of_the_oldest() {
        let mut watches = Watches::default();
        watch(&mut watches, 1, "carol");
        for number in 2..=500 {
            watch(&mut watches, number, "alice");
        }
        assert_eq!(watches.oldest_of("alice"), None, "there is room for one");
        watch(&mut watches, 501, "alice");
        assert_eq!(watches.oldest_of("alice"), Some(SubscriptionId(2)));
        watches.forget(SubscriptionId(2));
        assert_eq!((watches.oldest_of("alice"), watches.oldest_of("carol")), (None, None));
    }

    #[test]
    fn what_is_forgotten_leaves_nothing_behind() {
        let mut watches = Watches::default();
        watch(&mut watches, 1, "alice");
        watch(&mut watches, 2, "bob");
        watches.stir("bob");
        watches.stir("alice");
        assert_eq!(watches.stirred.len(), 2, "who is watched counts, not who watches");
        watches.forget(SubscriptionId(1));
        watches.forget(SubscriptionId(2));
        assert!(watches.stirred.is_empty() && watches.of_watched.is_empty() && watches.of_watcher.is_empty());
        assert_eq!(watches.len(), 0);
    }
}
