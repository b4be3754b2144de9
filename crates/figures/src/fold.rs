//! Visits and agents' time out of the event log.

use crate::timeline::{State, Transition};
use crate::visit::{Callback, CallbackEnd, Millis, Offer, Outcome, Stage, Visit};
use events::cdr::Cdr;
use events::{
    AgentActivity, CallbackOrder, CallbackOutcome, ContactId, Direction, EndedBy, Event, Kind, LegId, Party,
    QueueOutcome, TransferOutcome, WallClock,
};
use std::collections::HashMap;
use std::sync::Arc;

/// Folds the whole log, event by event.
///
/// It keeps what is open alone: contacts that live, visits whose agent is not done, agents that are logged in. A run
/// that was cut off goes on nowhere: at the next `NodeStarted` all of it ends at the last moment that the log knows.
#[derive(Clone, Debug)]
pub struct Fold {
    wall: WallClock,
    last: Millis,
    contacts: HashMap<ContactId, Box<Live>>,
    open: HashMap<u64, Visit>,
    /// Those that are to be called back, by the contact that has asked for it. A restart does not end them.
    callbacks: HashMap<ContactId, Visit>,
    agents: HashMap<Arc<str>, Seat>,
    /// Which agent speaks on a leg with a caller of a queue.
    legs: HashMap<LegId, Arc<str>>,
}

/// What has come of events: rows to be written, each in the place of one with the same [`Visit::id`], and changes to
/// be appended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// As they are now.
    pub visits: Vec<Visit>,
    /// In order.
    pub transitions: Vec<Transition>,
}

/// A contact that has not ended.
#[derive(Clone, Debug, Default)]
struct Live {
    client: Arc<str>,
    caller: Arc<str>,
    number: Arc<str>,
    /// Who began it.
    party: Option<Party>,
    was_queued: bool,
    /// Whether it calls somebody back.
    is_callback: bool,
    /// The visit that waits.
    waiting: Option<u64>,
    /// The leg that was answered last.
    answered: Option<LegId>,
    /// The visit whose agent hands the caller on.
    transfer: Option<u64>,
    /// That visit, if it was over before its transfer was.
    handed_on: Option<Box<Visit>>,
}

#[derive(Clone, Debug)]
struct Seat {
    state: State,
    /// The visit that it is busy with.
    visit: Option<u64>,
}

impl Fold {
    /// The beginning of a log.
    pub fn new() -> Self {
        Self::resume(WallClock::new(0), 0, Vec::new(), [])
    }

    /// A log that goes on: `last` is the moment of its last event under `wall`, `open` the visits that were open then,
    /// and `logged_in` the agents that were.
    pub fn resume(
        wall: WallClock,
        last: Millis,
        open: Vec<Visit>,
        logged_in: impl IntoIterator<Item = Arc<str>>,
    ) -> Self {
        let waits = |visit: &&Visit| visit.outcome == Outcome::Waiting;
        let contacts =
            open.iter().filter(waits).map(|visit| (visit.contact, Box::new(Live::of(visit)))).collect();
        let seat = || Seat { state: State::Ready, visit: None };
        let is_callback = |visit: &Visit| matches!(visit.outcome, Outcome::Callback(_));
        let (callbacks, open): (Vec<_>, Vec<_>) = open.into_iter().partition(is_callback);
        Self {
            wall,
            last,
            contacts,
            open: open.into_iter().map(|visit| (visit.id, visit)).collect(),
            callbacks: callbacks.into_iter().map(|visit| (visit.contact, visit)).collect(),
            agents: logged_in.into_iter().map(|agent| (agent, seat())).collect(),
            legs: HashMap::new(),
        }
    }

    /// The moment of the last event, in milliseconds since 1970.
    pub fn last(&self) -> Millis {
        self.last
    }

    /// Takes the next event, and the CDR that came of it if it ended a contact.
    pub fn apply(&mut self, event: &Event, cdr: Option<&Cdr>, out: &mut Changes) {
        if let Kind::NodeStarted { unix_micros, .. } = event.kind {
            self.interrupt(out);
            self.wall = WallClock::from_start(event.at, unix_micros);
        }
        let now = self.wall.moment(event.at).utc.as_millisecond();
        self.last = now;
        match (&event.kind, event.contact) {
            (Kind::AgentChanged { agent, state, .. }, _) => self.agent_changed(now, agent, state, out),
            (Kind::Held { leg }, _) => self.hold(now, *leg, true, out),
            (Kind::Resumed { leg }, _) => self.hold(now, *leg, false, out),
            (Kind::LegEnded { leg, cause }, _) => self.hung_up(*leg, cause.by, out),
            (Kind::ContactStarted { client, from, to, .. }, Some(contact)) => {
                let [client, caller, number] = [client, from, to].map(Arc::clone);
                let live = Live { client, caller, number, ..Live::default() };
                self.contacts.insert(contact, Box::new(live));
            }
            (Kind::ContactEnded { .. }, Some(contact)) => {
                let live = self.contacts.remove(&contact);
                let waiting = live.and_then(|live| live.waiting);
                if let Some(visit) = waiting.and_then(|id| self.open.remove(&id)) {
                    out.visits.push(interrupted(visit, now));
                }
                out.visits
                    .extend(cdr.filter(|cdr| cdr.queues.is_empty()).and_then(|cdr| unqueued(event, cdr)));
            }
            (Kind::CallbackKept { order }, Some(contact)) => {
                let waited = event.at.since(order.entered).as_millis();
                let waited_before = u64::try_from(waited).unwrap_or(0);
                let visit = asked((event.seq, contact), now, order, waited_before);
                out.visits.push(visit.clone());
                self.callbacks.insert(contact, visit);
            }
            (
                Kind::CallbackTried { .. } | Kind::CallbackFailed { .. } | Kind::CallbackEnded { .. },
                Some(contact),
            ) => {
                self.callback(now, contact, &event.kind, out);
            }
            (kind, Some(contact)) => self.of_contact(now, (event.seq, contact), kind, out),
            (_, None) => {}
        }
    }

    /// Something becomes of a callback; the contact that has asked for it may be over.
    fn callback(&mut self, now: Millis, asked: ContactId, kind: &Kind, out: &mut Changes) {
        let Some(visit) = self.callbacks.get_mut(&asked) else { return };
        let Outcome::Callback(mut callback) = visit.outcome else { return };
        match kind {
            Kind::CallbackTried { .. } => callback.tries += 1,
            Kind::CallbackFailed { .. } => callback.failed += 1,
            Kind::CallbackEnded { outcome } => {
                visit.left = Some(visit.after(now));
                callback.end = Some(match outcome {
                    CallbackOutcome::Reached(_) => CallbackEnd::Reached,
                    CallbackOutcome::NotReached => CallbackEnd::NotReached,
                    CallbackOutcome::CalledAgain => CallbackEnd::CalledAgain,
                    CallbackOutcome::Refused => CallbackEnd::Refused,
                });
            }
            _ => return,
        }
        visit.outcome = Outcome::Callback(callback);
        out.visits.push(visit.clone());
        if callback.end.is_some() {
            self.callbacks.remove(&asked);
        }
    }

    fn of_contact(&mut self, now: Millis, (seq, contact): (u64, ContactId), kind: &Kind, out: &mut Changes) {
        let Some(live) = self.contacts.get_mut(&contact) else { return };
        match kind {
            Kind::LegStarted { direction: Direction::Inbound, party, .. } => {
                live.party.get_or_insert_with(|| party.clone());
            }
            Kind::CallsBack { .. } => live.is_callback = true,
            Kind::LegAnswered { leg, .. } => live.answered = Some(*leg),
            Kind::QueueEntered { queue, waited_millis, .. } => {
                let visit = live.enters((seq, contact), now, queue, *waited_millis);
                out.visits.push(visit.clone());
                self.open.insert(seq, visit);
            }
            Kind::QueueOffered { agent, .. } => {
                let Some(visit) = waiting(live, &mut self.open) else { return };
                let (agent, at) = (Arc::clone(agent), visit.after(now));
                visit.offers.push(Offer { agent, at, rang: 0, outcome: None });
                out.visits.push(visit.clone());
            }
            Kind::QueueOfferEnded { agent, outcome, .. } => {
                let Some(visit) = waiting(live, &mut self.open) else { return };
                let after = visit.after(now);
                let up = |offer: &&mut Offer| offer.agent == *agent && offer.outcome.is_none();
                if let Some(offer) = visit.offers.iter_mut().find(up) {
                    (offer.rang, offer.outcome) = (after - offer.at, Some(*outcome));
                    out.visits.push(visit.clone());
                }
            }
            Kind::QueueLeft { outcome, .. } => self.leaves(now, contact, outcome, out),
            Kind::TransferStarted { leg, .. } => {
                let agent = self.legs.get(leg).and_then(|agent| self.agents.get(agent));
                live.transfer = agent.and_then(|agent| agent.visit);
            }
            Kind::TransferEnded { outcome } => {
                let (visit, over) = (live.transfer.take(), live.handed_on.take().map(|visit| *visit));
                if *outcome != TransferOutcome::Done {
                    return;
                }
                match visit.and_then(|id| self.open.get_mut(&id)) {
                    Some(visit) => {
                        visit.is_transferred = true;
                        out.visits.push(visit.clone());
                    }
                    None => out.visits.extend(over.map(|over| Visit { is_transferred: true, ..over })),
                }
            }
            _ => {}
        }
    }

    /// The caller waits no longer.
    fn leaves(&mut self, now: Millis, contact: ContactId, outcome: &QueueOutcome, out: &mut Changes) {
        let Some(live) = self.contacts.get_mut(&contact) else { return };
        let Some(mut visit) = live.waiting.take().and_then(|id| self.open.remove(&id)) else { return };
        visit.left = Some(visit.after(now));
        visit.outcome = match outcome {
            QueueOutcome::Answered(agent) => Outcome::Answered(Arc::clone(agent)),
            QueueOutcome::PickedUp => Outcome::PickedUp,
            QueueOutcome::Abandoned => Outcome::Abandoned,
            QueueOutcome::Flow => Outcome::Key,
            QueueOutcome::Full => Outcome::Full,
            QueueOutcome::NoAgents => Outcome::NoAgents,
            QueueOutcome::TimedOut => Outcome::TimedOut,
            QueueOutcome::Moved => Outcome::Moved,
        };
        if let QueueOutcome::Answered(agent) = outcome {
            if let Some(leg) = live.answered {
                self.legs.insert(leg, Arc::clone(agent));
            }
            visit.enter(Stage::Talk, now);
            let seat = || Seat { state: State::LoggedOut, visit: None };
            let before = self.agents.entry(Arc::clone(agent)).or_insert_with(seat).visit.replace(visit.id);
            out.visits.push(visit.clone());
            self.open.insert(visit.id, visit);
            self.end_visit(now, before, out);
        } else {
            out.visits.push(visit);
        }
    }

    fn agent_changed(&mut self, now: Millis, agent: &Arc<str>, activity: &AgentActivity, out: &mut Changes) {
        let state = State::of(activity);
        let seat = self
            .agents
            .entry(Arc::clone(agent))
            .or_insert_with(|| Seat { state: State::LoggedOut, visit: None });
        // A talk that goes on in another contact, after a transfer, may be held.
        let is_held = seat.state == State::Holding && state == State::Talking;
        if seat.state != state && !is_held {
            seat.state = state.clone();
            out.transitions.push(Transition { agent: Arc::clone(agent), at: now, state: state.clone() });
        }
        let Some(id) = seat.visit else { return };
        match state {
            State::Talking => {}
            State::WrapUp => self.enter(now, id, Stage::WrapUp, out),
            _ => {
                seat.visit = None;
                self.end_visit(now, Some(id), out);
            }
        }
        if state == State::LoggedOut {
            self.agents.remove(agent);
        }
    }

    fn end_visit(&mut self, now: Millis, id: Option<u64>, out: &mut Changes) {
        let Some(mut visit) = id.and_then(|id| self.open.remove(&id)) else { return };
        visit.enter(Stage::End, now);
        if let Some(live) = self.contacts.get_mut(&visit.contact)
            && live.transfer == Some(visit.id)
        {
            live.handed_on = Some(Box::new(visit.clone()));
        }
        out.visits.push(visit);
    }

    /// The agent on a leg holds the call, or takes it up again.
    fn hold(&mut self, now: Millis, leg: LegId, is_held: bool, out: &mut Changes) {
        let Some(agent) = self.legs.get(&leg).cloned() else { return };
        let Some(seat) = self.agents.get_mut(&agent) else { return };
        let (from, to, stage) = match is_held {
            true => (State::Talking, State::Holding, Stage::Hold),
            false => (State::Holding, State::Talking, Stage::Talk),
        };
        if seat.state != from {
            return;
        }
        seat.state = to.clone();
        let visit = seat.visit;
        out.transitions.push(Transition { agent, at: now, state: to });
        if let Some(id) = visit {
            self.enter(now, id, stage, out);
        }
    }

    fn hung_up(&mut self, leg: LegId, by: EndedBy, out: &mut Changes) {
        let Some(agent) = self.legs.remove(&leg) else { return };
        if !matches!(by, EndedBy::Caller | EndedBy::Callee) {
            return;
        }
        let visit = self.agents.get(&agent).and_then(|seat| seat.visit);
        if let Some(visit) = visit.and_then(|id| self.open.get_mut(&id)) {
            visit.ended_by.get_or_insert(by);
            out.visits.push(visit.clone());
        }
    }

    fn enter(&mut self, now: Millis, id: u64, stage: Stage, out: &mut Changes) {
        let Some(visit) = self.open.get_mut(&id) else { return };
        visit.enter(stage, now);
        out.visits.push(visit.clone());
    }

    /// The last run is over, and nothing of it goes on.
    fn interrupt(&mut self, out: &mut Changes) {
        let last = self.last;
        let mut open: Vec<_> = self.open.drain().map(|(_, visit)| interrupted(visit, last)).collect();
        open.sort_by_key(|visit| visit.id);
        out.visits.extend(open);
        let mut agents: Vec<_> = self
            .agents
            .drain()
            .filter(|(_, seat)| seat.state != State::LoggedOut)
            .map(|(agent, _)| agent)
            .collect();
        agents.sort();
        let ended = |agent| Transition { agent, at: last, state: State::LoggedOut };
        out.transitions.extend(agents.into_iter().map(ended));
        self.contacts.clear();
        self.legs.clear();
    }
}

impl Default for Fold {
    fn default() -> Self {
        Self::new()
    }
}

impl Live {
    /// The contact of a visit that waited when the log was read last.
    fn of(visit: &Visit) -> Self {
        Self {
            client: Arc::clone(&visit.client),
            caller: Arc::clone(&visit.caller),
            number: Arc::clone(&visit.number),
            party: visit.trunk.clone().map(Party::Trunk),
            was_queued: true,
            is_callback: visit.is_callback,
            waiting: Some(visit.id),
            ..Self::default()
        }
    }

    fn enters(
        &mut self,
        (id, contact): (u64, ContactId),
        now: Millis,
        queue: &Arc<str>,
        before: u64,
    ) -> Visit {
        let is_first = !std::mem::replace(&mut self.was_queued, true);
        self.waiting = Some(id);
        let trunk = match &self.party {
            Some(Party::Trunk(trunk)) => Some(Arc::clone(trunk)),
            _ => None,
        };
        Visit {
            id,
            contact,
            is_first,
            is_callback: self.is_callback,
            client: Arc::clone(&self.client),
            queue: Some(Arc::clone(queue)),
            number: Arc::clone(&self.number),
            trunk,
            caller: Arc::clone(&self.caller),
            arrived: now,
            waited_before: before,
            left: None,
            outcome: Outcome::Waiting,
            is_transferred: false,
            ended_by: None,
            offers: Vec::new(),
            stages: Vec::new(),
        }
    }
}

fn waiting<'a>(live: &Live, open: &'a mut HashMap<u64, Visit>) -> Option<&'a mut Visit> {
    open.get_mut(&live.waiting?)
}

/// A visit that the end of the node has cut off.
fn interrupted(mut visit: Visit, at: Millis) -> Visit {
    if visit.outcome == Outcome::Waiting {
        visit.left = Some(visit.after(at));
        visit.outcome = Outcome::Interrupted;
    } else {
        visit.enter(Stage::End, at);
    }
    visit
}

/// A callback that a contact has asked for.
fn asked((id, contact): (u64, ContactId), now: Millis, order: &CallbackOrder, waited_before: u64) -> Visit {
    Visit {
        id,
        contact,
        is_first: false,
        is_callback: false,
        client: Arc::clone(&order.client),
        queue: Some(Arc::clone(&order.queue)),
        number: Arc::clone(&order.called),
        trunk: None,
        caller: Arc::clone(&order.number),
        arrived: now,
        waited_before,
        left: None,
        outcome: Outcome::Callback(Callback::default()),
        is_transferred: false,
        ended_by: None,
        offers: Vec::new(),
        stages: Vec::new(),
    }
}

/// A contact that came by a trunk and to no queue.
fn unqueued(event: &Event, cdr: &Cdr) -> Option<Visit> {
    let caller = cdr.legs.first()?;
    let Party::Trunk(trunk) = &caller.party else { return None };
    let arrived = cdr.started.utc.as_millisecond();
    let lasted = u64::try_from(cdr.ended.utc.as_millisecond() - arrived).unwrap_or(0);
    (caller.direction == Direction::Inbound).then(|| Visit {
        id: event.seq,
        contact: cdr.contact,
        is_first: true,
        is_callback: false,
        client: Arc::clone(&cdr.client),
        queue: None,
        number: Arc::clone(&cdr.to),
        trunk: Some(Arc::clone(trunk)),
        caller: Arc::clone(&cdr.from),
        arrived,
        waited_before: 0,
        left: Some(lasted),
        outcome: Outcome::NoQueue(cdr.disposition),
        is_transferred: false,
        ended_by: None,
        offers: Vec::new(),
        stages: Vec::new(),
    })
}
