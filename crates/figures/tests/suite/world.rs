//! A call centre by itself, that tells the log what the switch would, and counts with its fingers.

use clock::{Duration, Time};
use events::{
    AgentActivity, CallbackOrder, CallbackOutcome, Cause, ContactId, Direction, EndedBy, Event, Kind, LegId,
    OfferOutcome, Party, QueueOutcome, TransferBy, TransferOutcome, WallClock,
};
use figures::{Changes, Fold, Timeline, Visit};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Microseconds since 1970 at the log's zero: 30 November 2026, 08:00 UTC.
pub(crate) const BEGAN: i64 = 1_796_025_600_000_000;

/// What the log tells, and what a store would keep of it.
pub(crate) struct Log {
    pub(crate) now: Time,
    pub(crate) events: Vec<Event>,
    /// The last row of each visit.
    pub(crate) visits: BTreeMap<u64, Visit>,
    pub(crate) timelines: BTreeMap<Arc<str>, Timeline>,
    fold: Fold,
    /// Resumed after the last crash, as a process that begins anew does.
    resumed: Option<Fold>,
}

impl Log {
    pub(crate) fn new() -> Self {
        let mut log = Self {
            now: Time::ZERO,
            events: Vec::new(),
            visits: BTreeMap::new(),
            timelines: BTreeMap::new(),
            fold: Fold::new(),
            resumed: None,
        };
        log.starts();
        log
    }

    pub(crate) fn pass(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
    }

    pub(crate) fn unix(&self) -> i64 {
        WallClock::new(BEGAN).moment(self.now).utc.as_millisecond()
    }

    pub(crate) fn starts(&mut self) {
        let unix_micros = BEGAN + i64::try_from(self.now.micros()).expect("in range");
        self.tell(None, Kind::NodeStarted { unix_micros, version: "1".into() });
    }

    /// The process has ended, and a new one has read what the old one wrote.
    pub(crate) fn crashes(&mut self, logged_in: &[&str]) {
        let open = self.visits.values().filter(|visit| visit.is_open()).cloned().collect();
        let agents = logged_in.iter().map(|agent| Arc::from(*agent));
        self.resumed = Some(Fold::resume(WallClock::new(BEGAN), self.fold.last(), open, agents));
    }

    pub(crate) fn tell(&mut self, contact: Option<u64>, kind: Kind) -> u64 {
        let seq = self.events.len() as u64 + 1;
        let event = Event { seq, at: self.now, contact: contact.map(ContactId), kind };
        let mut changes = Changes::default();
        self.fold.apply(&event, None, &mut changes);
        if let Some(resumed) = &mut self.resumed {
            let mut same = Changes::default();
            resumed.apply(&event, None, &mut same);
            assert_eq!(same, changes, "a process that goes on from the rows knows what the one before knew");
        }
        for visit in changes.visits {
            self.visits.insert(visit.id, visit);
        }
        for change in changes.transitions {
            self.timelines.entry(change.agent).or_default().changes.push((change.at, change.state));
        }
        self.events.push(event);
        seq
    }

    pub(crate) fn contact(&mut self, contact: u64) {
        let text = |text: &str| Arc::from(text);
        let (client, from, to) = (text("acme"), text("+34600000001"), text("+34911000100"));
        let kind = Kind::ContactStarted { source: text("carrier"), client, from, to, flow: text("main") };
        self.tell(Some(contact), kind);
        let party = Party::Trunk("carrier".into());
        let (leg, direction) = (caller(contact), Direction::Inbound);
        self.tell(
            Some(contact),
            Kind::LegStarted { leg, direction, party, uri: "".into(), call_id: "".into() },
        );
    }

    pub(crate) fn enters(&mut self, contact: u64, queue: &str) -> u64 {
        let (leg, queue) = (caller(contact), queue.into());
        self.tell(Some(contact), Kind::QueueEntered { leg, queue, priority: 0, waited_millis: 0 })
    }

    /// Who waits in a queue leaves it by a key, and is to be called back.
    pub(crate) fn asks_for_a_callback(&mut self, contact: u64, queue: &str, entered: Time) {
        self.left(contact, queue, QueueOutcome::Flow);
        let order = CallbackOrder {
            client: "acme".into(),
            queue: queue.into(),
            number: "+34600000001".into(),
            called: "+34911000100".into(),
            entered,
            priority: 0,
            required: Vec::new(),
            preferred: Vec::new(),
            language: "en".into(),
        };
        self.tell(Some(contact), Kind::CallbackKept { order });
        self.ended(contact);
    }

    /// An agent is kept for it, and it is called in a contact of its own.
    pub(crate) fn tries_to_call_back(&mut self, asked: u64, agent: &str, by: u64) {
        let (agent, why, by) = (agent.into(), String::new(), ContactId(by));
        self.tell(Some(asked), Kind::CallbackTried { offer: by.0, agent, by, why });
    }

    pub(crate) fn fails_to_call_back(&mut self, asked: u64, by: u64) {
        self.tell(Some(asked), Kind::CallbackFailed { offer: by, reason: "no answer".into() });
    }

    pub(crate) fn callback_ended(&mut self, asked: u64, outcome: CallbackOutcome) {
        self.tell(Some(asked), Kind::CallbackEnded { outcome });
    }

    /// The customer has taken the call, and comes to the queue that it was in since `entered`.
    pub(crate) fn is_called_back(&mut self, asked: u64, by: u64, queue: &str, entered: Time) {
        let text = |text: &str| Arc::from(text);
        let (client, from, to) = (text("acme"), text("+34600000001"), text("+34911000100"));
        let kind = Kind::ContactStarted { source: text("callback"), client, from, to, flow: text("back") };
        self.tell(Some(by), kind);
        self.tell(Some(by), Kind::CallsBack { asked: ContactId(asked), queue: queue.into() });
        let (leg, party) = (caller(by), Party::Trunk("carrier".into()));
        let direction = Direction::Outbound;
        self.tell(Some(by), Kind::LegStarted { leg, direction, party, uri: "".into(), call_id: "".into() });
        self.callback_ended(asked, CallbackOutcome::Reached(ContactId(by)));
        let waited_millis = u64::try_from(self.now.since(entered).as_millis()).expect("in range");
        self.tell(Some(by), Kind::QueueEntered { leg, queue: queue.into(), priority: 0, waited_millis });
    }

    pub(crate) fn offered(&mut self, contact: u64, queue: &str, agent: &str) {
        let (queue, agent) = (queue.into(), Arc::from(agent));
        let kind = Kind::QueueOffered { offer: contact, queue, agent: Arc::clone(&agent), why: "".into() };
        self.tell(Some(contact), kind);
        self.agent(&agent, AgentActivity::Ringing(ContactId(contact)));
    }

    pub(crate) fn offer_ended(&mut self, contact: u64, agent: &str, outcome: OfferOutcome) {
        let agent = agent.into();
        self.tell(Some(contact), Kind::QueueOfferEnded { offer: contact, agent, outcome });
    }

    pub(crate) fn left(&mut self, contact: u64, queue: &str, outcome: QueueOutcome) {
        let (leg, queue) = (caller(contact), queue.into());
        self.tell(Some(contact), Kind::QueueLeft { leg, queue, outcome });
    }

    pub(crate) fn answered(&mut self, contact: u64, queue: &str, agent: &str) {
        let leg = callee(contact);
        self.tell(Some(contact), Kind::LegAnswered { leg, codec: None });
        self.offer_ended(contact, agent, OfferOutcome::Answered);
        self.left(contact, queue, QueueOutcome::Answered(agent.into()));
        self.agent(agent, AgentActivity::Talking(ContactId(contact)));
    }

    pub(crate) fn agent(&mut self, agent: &str, state: AgentActivity) {
        let phone = (state != AgentActivity::LoggedOut).then(|| Arc::from(agent));
        self.tell(None, Kind::AgentChanged { agent: agent.into(), state, phone });
    }

    pub(crate) fn held(&mut self, contact: u64, is_held: bool) {
        let leg = callee(contact);
        self.tell(Some(contact), if is_held { Kind::Held { leg } } else { Kind::Resumed { leg } });
    }

    pub(crate) fn hands_on(&mut self, contact: u64, outcome: TransferOutcome) {
        self.begins_to_hand_on(contact);
        self.tell(Some(contact), Kind::TransferEnded { outcome });
    }

    pub(crate) fn begins_to_hand_on(&mut self, contact: u64) {
        let leg = callee(contact);
        let kind = Kind::TransferStarted { leg, by: TransferBy::Refer, consult: false, to: "sales".into() };
        self.tell(Some(contact), kind);
    }

    pub(crate) fn leg_ended(&mut self, contact: u64, by: EndedBy) {
        self.tell(Some(contact), Kind::LegEnded { leg: callee(contact), cause: cause(by) });
    }

    pub(crate) fn ended(&mut self, contact: u64) {
        self.tell(Some(contact), Kind::ContactEnded { cause: cause(EndedBy::Caller) });
    }
}

fn cause(by: EndedBy) -> Cause {
    Cause { by, status: None, reason: "normal".into() }
}

fn caller(contact: u64) -> LegId {
    LegId(2 * contact)
}

fn callee(contact: u64) -> LegId {
    LegId(2 * contact + 1)
}
