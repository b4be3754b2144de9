//! Subscriptions to what the user of the endpoint knows: the notifier of RFC 6665 section 4.2.
//!
//! The user keeps the state and writes it when it may be sent. One NOTIFY is under way at a time; what changes
//! meanwhile goes out in the next, once the first has been answered.

use super::request::{RETRY_AFTER, fault};
use super::usage::{State, Usage};
use super::{Body, Endpoint, Event, InviteId, Output, SubscriptionId};
use crate::dialog::{Dialog, own_tag};
use crate::transaction::client::{ClientKey, ClientUser, NewClient};
use crate::transaction::received;
use crate::transaction::server::{ServerUser, Waiting};
use crate::{Fault, Flow, Message, Method, Name, Subscribe};
use clock::{Duration, Time, Timers};
use std::collections::{BTreeSet, HashMap};

/// What is granted to a SUBSCRIBE without Expires, in seconds (RFC 4235 section 3.4).
const DEFAULT_EXPIRES: u32 = 3_600;

/// Why a subscription ends (RFC 6665 section 4.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// It was not refreshed, or the subscriber has ended it.
    Timeout,
    /// The subscriber is to subscribe anew at once: the node stops.
    Deactivated,
    /// The subscriber is not to subscribe again: others have its place.
    Rejected,
    /// What was watched is no more.
    NoResource,
}

impl EndReason {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Deactivated => "deactivated",
            Self::Rejected => "rejected",
            Self::NoResource => "noresource",
        }
    }
}

/// The subscriptions that are alive.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    alive: HashMap<SubscriptionId, Subscription>,
    by_tag: HashMap<u64, SubscriptionId>,
    /// Those that share the dialog of a call.
    of_calls: BTreeSet<(InviteId, SubscriptionId)>,
    /// When each is to end.
    timers: Timers<SubscriptionId>,
    last: u64,
}

#[derive(Debug)]
struct Subscription {
    place: Place,
    /// As its NOTIFYs have it.
    event: Box<str>,
    /// Our Contact.
    contact: Box<str>,
    until: Time,
    /// Whether a NOTIFY has no final response.
    is_under_way: bool,
    /// Whether the state has changed since.
    is_stale: bool,
    /// The next NOTIFY is the last.
    ending: Option<EndReason>,
}

/// The dialog that NOTIFYs go in.
#[derive(Debug)]
enum Place {
    /// One that a SUBSCRIBE has made.
    Own { dialog: Box<Dialog>, tag: u64 },
    /// That of a call, in which a REFER came.
    Call(InviteId),
}

impl Subscriptions {
    pub(super) fn len(&self) -> usize {
        self.alive.len()
    }

    pub(super) fn timers(&self) -> usize {
        self.timers.len()
    }

    pub(super) fn indexed(&self) -> usize {
        self.by_tag.len() + self.of_calls.len()
    }

    pub(super) fn next_timeout(&self) -> Option<Time> {
        self.timers.next()
    }

    /// A stream has closed: NOTIFYs go to the remote target.
    pub(super) fn stream_closed(&mut self, connection: u64) {
        for subscription in self.alive.values_mut() {
            if let Place::Own { dialog, .. } = &mut subscription.place {
                dialog.stream_closed(connection);
            }
        }
    }

    fn begin(&mut self, subscription: Subscription) -> SubscriptionId {
        self.last += 1;
        let id = SubscriptionId(self.last);
        match subscription.place {
            Place::Own { tag, .. } => drop(self.by_tag.insert(tag, id)),
            Place::Call(call) => drop(self.of_calls.insert((call, id))),
        }
        if subscription.ending.is_none() {
            self.timers.set(id, subscription.until);
        }
        self.alive.insert(id, subscription);
        id
    }

    fn remove(&mut self, id: SubscriptionId) -> bool {
        let Some(subscription) = self.alive.remove(&id) else { return false };
        self.timers.cancel(id);
        match subscription.place {
            Place::Own { tag, .. } => drop(self.by_tag.remove(&tag)),
            Place::Call(call) => drop(self.of_calls.remove(&(call, id))),
        }
        true
    }

    /// The subscriptions that share the dialog of a call.
    fn of_call(&self, call: InviteId) -> Vec<SubscriptionId> {
        let range = (call, SubscriptionId(0))..=(call, SubscriptionId(u64::MAX));
        self.of_calls.range(range).map(|(_, id)| *id).collect()
    }

    /// The one whose own dialog a request is of.
    fn of_dialog(&self, request: &Message) -> Option<SubscriptionId> {
        let id = *self.by_tag.get(&own_tag(request.to().ok()?.tag()?)?)?;
        let fits =
            |it: &Subscription| matches!(&it.place, Place::Own { dialog, .. } if dialog.matches(request));
        self.alive.get(&id).is_some_and(fits).then_some(id)
    }

    /// Whether a SUBSCRIBE asks for what this subscription gives.
    fn gives(&self, id: SubscriptionId, request: &Message) -> bool {
        let asked = Subscribe::read(request).map(|asked| asked.event());
        let gives = |it: &Subscription| it.ending.is_none() && asked.as_deref() == Some(&*it.event);
        self.alive.get(&id).is_some_and(gives)
    }
}

impl Endpoint {
    /// Accepts a SUBSCRIBE that came as `Event::Request`: 200 goes out, and the user has to send the state at once
    /// ([`Endpoint::may_notify`]). `contact` is our Contact. `None` if it is refused, because it has no Contact or names
    /// too many proxies, or if nobody waits for the answer.
    pub fn subscribe(
        &mut self,
        now: Time,
        request: super::RequestId,
        contact: &str,
        out: &mut Vec<Output>,
    ) -> Option<SubscriptionId> {
        let waiting = self.servers.waiting(request)?;
        let asked = Subscribe::read(&waiting.request)?;
        let Some(dialog) = Dialog::offered(&waiting.request, waiting.flow, waiting.to_tag) else {
            self.respond_plainly(now, request, 400, out);
            return None;
        };
        let place = Place::Own { dialog: Box::new(dialog), tag: waiting.to_tag };
        let expires = self.granted(&waiting.request);
        let id = self.subscriptions.begin(Subscription {
            place,
            event: asked.event().into(),
            contact: contact.into(),
            until: now + Duration::from_secs(expires.into()),
            is_under_way: false,
            is_stale: false,
            ending: (expires == 0).then_some(EndReason::Timeout),
        });
        self.grant(now, request, &waiting, (expires, contact), out);
        Some(id)
    }

    /// Begins the subscription that a REFER in a call implies (RFC 3515 section 2.4.4); `event` as NOTIFY has it, the
    /// CSeq number of the REFER in it (section 2.4.6). It shares the call's dialog and ends with the call.
    pub fn subscribe_in_call(
        &mut self,
        now: Time,
        call: InviteId,
        event: &str,
        expires: Duration,
    ) -> Option<SubscriptionId> {
        let contact = self.usages.get(&call)?.contact.clone();
        Some(self.subscriptions.begin(Subscription {
            place: Place::Call(call),
            event: event.into(),
            contact,
            until: now + expires,
            is_under_way: false,
            is_stale: false,
            ending: None,
        }))
    }

    /// Whether the state of a subscription may be sent now, by [`Endpoint::notify`]. If not, since a NOTIFY is under way,
    /// `Event::NotifyDue` follows when it has been answered.
    pub fn may_notify(&mut self, id: SubscriptionId) -> bool {
        let Some(subscription) = self.subscriptions.alive.get_mut(&id) else { return false };
        // The BYE may follow at once, and there is no NOTIFY after it.
        let is_last_in_call = subscription.ending.is_some() && matches!(subscription.place, Place::Call(_));
        subscription.is_stale = subscription.is_under_way && !is_last_in_call;
        !subscription.is_stale
    }

    /// Sends the state. If the subscription is to end, this was the last NOTIFY, and `Event::Unsubscribed` follows.
    pub fn notify(&mut self, now: Time, id: SubscriptionId, body: &Body, out: &mut Vec<Output>) {
        let Some(subscription) = self.subscriptions.alive.get_mut(&id) else { return };
        let (dialog, invite) = match &mut subscription.place {
            Place::Own { dialog, .. } => (&mut **dialog, None),
            Place::Call(call) => match self.usages.get_mut(call) {
                Some(Usage { state: State::Confirmed(session), .. }) => (&mut *session.dialog, Some(*call)),
                _ => return self.unsubscribed(id, out),
            },
        };
        let state = match subscription.ending {
            Some(reason) => format!("terminated;reason={}", reason.as_str()),
            // What is left of a second would be none.
            None => format!("active;expires={}", (subscription.until - now).as_secs().max(1)),
        };
        let headers = [
            ("Contact", &*subscription.contact),
            ("Event", &*subscription.event),
            ("Subscription-State", state.as_str()),
            ("User-Agent", self.config.user_agent.as_str()),
        ];
        let key = ClientKey::new(self.tokens.next());
        let cseq = dialog.next_cseq();
        let request = dialog.request(&self.config, &Method::Notify, cseq, key, &headers, Some(body));
        let user = ClientUser::Notify(id);
        let ends = subscription.ending.is_some();
        subscription.is_under_way = true;
        let new = NewClient { key, is_invite: false, request, user, invite, challenges: 0 };
        self.send(now, new, out);
        if ends {
            self.unsubscribed(id, out);
        }
    }

    /// Ends a subscription with the next NOTIFY, which the user has to send ([`Endpoint::may_notify`]).
    pub fn end_subscription(&mut self, id: SubscriptionId, reason: EndReason) {
        if let Some(subscription) = self.subscriptions.alive.get_mut(&id) {
            subscription.ending.get_or_insert(reason);
            self.subscriptions.timers.cancel(id);
        }
    }

    /// A NOTIFY has been answered, or not: the subscriber that refuses one, or is not there, has no subscription any
    /// more (RFC 6665 section 4.2.2).
    pub(super) fn notify_answered(&mut self, id: SubscriptionId, status: u16, out: &mut Vec<Output>) {
        let Some(subscription) = self.subscriptions.alive.get_mut(&id) else { return };
        if !(200..300).contains(&status) {
            return self.unsubscribed(id, out);
        }
        subscription.is_under_way = false;
        if std::mem::take(&mut subscription.is_stale) {
            out.push(Output::Event(Event::NotifyDue { id }));
        }
    }

    /// The first subscription whose time is up ends.
    pub(super) fn expire_subscription(&mut self, now: Time, out: &mut Vec<Output>) {
        let Some(id) = self.subscriptions.timers.pop_due(now) else { return };
        self.end_subscription(id, EndReason::Timeout);
        out.push(Output::Event(Event::NotifyDue { id }));
    }

    /// A call is over, and with it what shares its dialog.
    pub(super) fn end_subscriptions_of(&mut self, call: InviteId, out: &mut Vec<Output>) {
        for id in self.subscriptions.of_call(call) {
            self.unsubscribed(id, out);
        }
    }

    fn unsubscribed(&mut self, id: SubscriptionId, out: &mut Vec<Output>) {
        if self.subscriptions.remove(id) {
            out.push(Output::Event(Event::Unsubscribed { id }));
        }
    }

    /// What RFC 6665 sections 4.2.1.1 and 5.4 ask of a SUBSCRIBE before a user sees it: the refusal, and the header field
    /// that says what would do.
    pub(super) fn refuses_subscribe(
        &mut self,
        request: &Message,
        in_dialog: bool,
    ) -> Option<(Fault, (&'static str, String))> {
        let events = &self.config.events;
        let asked = Subscribe::read(request).map(|asked| asked.package);
        let is_known = |package: &str| events.allow.split(", ").any(|known| known == package);
        if !asked.is_some_and(|package| is_known(&package)) {
            return Some((fault(489), (Name::AllowEvents.text(), events.allow.to_owned())));
        }
        let least = *events.expires.start();
        if request.expires().is_some_and(|asked| asked != 0 && asked < least) {
            return Some((fault(423), (Name::MinExpires.text(), least.to_string())));
        }
        if in_dialog || self.subscriptions.len() < events.max {
            return None;
        }
        self.counters.overload += 1;
        Some((fault(503), ("Retry-After", RETRY_AFTER.to_owned())))
    }

    /// Whether a request is of the dialog of a subscription.
    pub(super) fn is_of_subscription(&self, request: &Message) -> bool {
        self.subscriptions.of_dialog(request).is_some()
    }

    /// A request in the dialog that a SUBSCRIBE has made: the next SUBSCRIBE, or a question whether we live.
    pub(super) fn receive_of_subscription(
        &mut self,
        now: Time,
        flow: Flow,
        key: Box<str>,
        request: Message,
        out: &mut Vec<Output>,
    ) {
        let id = self.subscriptions.of_dialog(&request);
        let subscription = id.and_then(|id| self.subscriptions.alive.get_mut(&id));
        let (Some(id), Some(Place::Own { dialog, .. })) = (id, subscription.map(|it| &mut it.place)) else {
            return self.refuse(flow, &request, fault(481), &[], out);
        };
        if !request.cseq().is_ok_and(|(cseq, _)| dialog.is_in_order(cseq)) {
            return self.refuse(flow, &request, fault(500), &[], out);
        }
        dialog.follow(flow);
        match request.method() {
            Method::Subscribe => self.resubscribe(now, flow, key, request, (Some(id), None), out),
            Method::Options => self.pass_up(now, flow, key, request, (None, None), out),
            _ => self.refuse(flow, &request, fault(481), &[], out),
        }
    }

    /// A SUBSCRIBE in the dialog of a call: the subscriber of a REFER may refresh and end it (RFC 3515 section 2.4.4).
    pub(super) fn resubscribe_in_call(
        &mut self,
        now: Time,
        call: InviteId,
        flow: Flow,
        key: Box<str>,
        request: Message,
        out: &mut Vec<Output>,
    ) {
        let of_call = self.subscriptions.of_call(call);
        let id = of_call.into_iter().find(|id| self.subscriptions.gives(*id, &request));
        self.resubscribe(now, flow, key, request, (id, Some(call)), out);
    }

    /// Refreshes a subscription, or ends it by `Expires: 0` (RFC 6665 section 4.2.1.4). Either way the state follows.
    fn resubscribe(
        &mut self,
        now: Time,
        flow: Flow,
        key: Box<str>,
        request: Message,
        (id, call): (Option<SubscriptionId>, Option<InviteId>),
        out: &mut Vec<Output>,
    ) {
        let Some(id) = id.filter(|id| self.subscriptions.gives(*id, &request)) else {
            return self.refuse(flow, &request, fault(481), &[], out);
        };
        let expires = self.granted(&request);
        let Some(subscription) = self.subscriptions.alive.get_mut(&id) else { return };
        if let Place::Own { dialog, .. } = &mut subscription.place {
            dialog.refresh_target(&request);
        }
        let contact = subscription.contact.clone();
        subscription.until = now + Duration::from_secs(expires.into());
        self.subscriptions.timers.set(id, subscription.until);
        if expires == 0 {
            self.end_subscription(id, EndReason::Timeout);
        }
        out.push(received(&request, call, false));
        let answered = self.begin_server(now, flow, key, &request, (ServerUser::Nobody, call));
        if let Some(waiting) = self.servers.waiting(answered) {
            self.grant(now, answered, &waiting, (expires, &contact), out);
        }
        out.push(Output::Event(Event::NotifyDue { id }));
    }

    /// For how many seconds a SUBSCRIBE is granted.
    fn granted(&self, request: &Message) -> u32 {
        request.expires().unwrap_or(DEFAULT_EXPIRES).min(*self.config.events.expires.end())
    }

    fn grant(
        &mut self,
        now: Time,
        request: super::RequestId,
        waiting: &Waiting,
        (expires, contact): (u32, &str),
        out: &mut Vec<Output>,
    ) {
        let expires = expires.to_string();
        let headers = [("Contact", contact), ("Expires", expires.as_str()), ("Allow", self.config.allow)];
        let response = self.response(waiting, 200, &headers, None);
        self.servers.respond(now, request, 200, response, out);
    }
}
