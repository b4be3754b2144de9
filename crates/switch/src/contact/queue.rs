//! The caller waits in a queue: agents are rung for it as the queue decides, and it hears music.

use super::brief::Whisper;
use super::dial::{Dial, Purpose};
use super::hunt::Failure;
use super::{Contact, Phase};
use crate::core::{Core, Timer};
use crate::leg::State;
use acd::{Entry, Exit, Input, Outcome, Wants};
use clock::{Duration, Time};
use dialplan::{Enqueue, MachineInput, QueueResult, Ringback, Target, Told};
use events::{CallbackOrder, EndedBy, Kind, LegId, OfferOutcome, QueueOutcome};
use rtp::control::{Command, PlayId};
use std::sync::Arc;

/// A place in a queue.
pub(super) struct Waiting {
    order: Enqueue,
    /// Since when it counts as waiting.
    entered: Time,
    offers: Vec<Offer>,
    /// What it is being told.
    announcement: Option<PlayId>,
    /// The position that it was told last.
    position: Option<u32>,
}

/// A place that a caller has had: it has it again when it comes back to the same queue.
pub(super) struct FormerPlace {
    pub(super) queue: Arc<str>,
    pub(super) entered: Time,
    pub(super) priority: i32,
    pub(super) wants: Wants,
}

impl FormerPlace {
    /// That of one who is called back.
    pub(super) fn of(order: &CallbackOrder) -> Self {
        let (queue, entered, priority) = (Arc::clone(&order.queue), order.entered, order.priority);
        Self { queue, entered, priority, wants: crate::callbacks::wants(order) }
    }

    fn asked_for(order: &Enqueue, entered: Time) -> Self {
        let (queue, wants) = (Arc::clone(&order.queue), order.wants.clone());
        Self { queue, entered, priority: order.priority, wants }
    }
}

struct Offer {
    number: u64,
    agent: Arc<str>,
    /// The user whose phone rings.
    user: Arc<str>,
    until: Time,
}

impl Contact {
    /// Lets the caller wait for an agent.
    pub(super) fn enqueue(&mut self, core: &mut Core, order: Enqueue) {
        let queue = self.plan.queue(&self.client, &order.queue);
        let Some(queue) = queue.filter(|_| matches!(self.caller.state, State::Answered { .. })) else {
            return self.inbox.push_back(MachineInput::QueueEnded(QueueResult::NoAgents));
        };
        let music = self.queue_music(&order).or_else(|| self.plan.system_prompt("hold"));
        let ringback = music.map_or(Ringback::Tone, Ringback::Prompt);
        let (full_name, ring_time) = (Arc::clone(&queue.plan.name), queue.plan.ring);
        if let Some(order) = core.forget_callback(self.id) {
            self.former_place = Some(Box::new(FormerPlace::of(&order)));
        }
        let former = self.former_place.as_ref().filter(|place| place.queue == order.queue);
        let entered = former.map_or(core.now, |place| place.entered);
        self.former_place = Some(Box::new(FormerPlace::asked_for(&order, entered)));
        core.log(
            Some(self.id),
            Kind::QueueEntered {
                leg: self.caller.id,
                queue: Arc::clone(&order.queue),
                priority: order.priority,
                waited_millis: u64::try_from((core.now - entered).as_millis()).unwrap_or(u64::MAX),
            },
        );
        let entry = Entry {
            call: self.id.0,
            queue: full_name,
            entered,
            priority: order.priority,
            wants: order.wants.clone(),
            last_agent: order.last_agent.clone(),
            number: Some(Arc::clone(&self.identity.number))
                .filter(|number| number.starts_with('+') || self.calls_back.is_some()),
            callback: false,
        };
        let queue_name = Arc::clone(&order.queue);
        let waiting = Waiting { order, entered, offers: Vec::new(), announcement: None, position: None };
        self.phase = Phase::Dialing(Box::new(Dial::waiting(ring_time, ringback, waiting)));
        let is_reached = self
            .calls_back
            .take_if(|it| it.queue == queue_name)
            .is_some_and(|it| core.reach_callback(it.asked, self.id));
        if !is_reached {
            core.queues.handle(core.now, Input::Enter(entry));
        }
        // Where nobody may wait, whoever hands the caller on gets it back.
        if !self.is_consulting() && core.queues.acd.waits(self.id.0) {
            self.hand_over(core);
        }
    }

    /// What the caller hears in a queue, over and over; `None` is the music of holds.
    pub(super) fn queue_music(&self, order: &Enqueue) -> Option<Arc<str>> {
        self.plan.queue(&self.client, &order.queue)?.heard(&order.language)?.music.clone()
    }

    /// The queue in which its caller waits, and since when.
    pub(super) fn queued_in(&self) -> Option<(&Enqueue, Time)> {
        self.queue_place().map(|waiting| (&waiting.order, waiting.entered))
    }

    fn queue_place(&self) -> Option<&Waiting> {
        let Phase::Dialing(dial) = &self.phase else { return None };
        let Purpose::Queue(waiting) = &dial.purpose else { return None };
        Some(waiting)
    }

    /// Its caller has so many points from now on.
    pub(super) fn set_priority(&mut self, points: i32) {
        if let Some(waiting) = self.queue_place_mut() {
            waiting.order.priority = points;
        }
    }

    fn queue_place_mut(&mut self) -> Option<&mut Waiting> {
        let Phase::Dialing(dial) = &mut self.phase else { return None };
        let Purpose::Queue(waiting) = &mut dial.purpose else { return None };
        Some(waiting)
    }

    /// Whether its caller waits in a queue.
    pub(crate) fn is_queued(&self) -> bool {
        self.queue_place().is_some()
    }

    /// The offers that its caller has, each with the number of the contact.
    pub(crate) fn offers(&self) -> Vec<(u64, u64)> {
        let offers = self.queue_place().map_or(&[][..], |waiting| &waiting.offers);
        offers.iter().map(|offer| (offer.number, self.id.0)).collect()
    }

    /// Rings the phone of an agent to whom the queue offers the call.
    pub(crate) fn ring_agent(
        &mut self,
        core: &mut Core,
        (number, agent, user): (u64, Arc<str>, Arc<str>),
        until: Time,
        why: String,
    ) {
        let id = self.id;
        let Some(waiting) = self.queue_place_mut() else {
            return core
                .queues
                .handle(core.now, Input::OfferEnded { offer: number, outcome: Outcome::Unreachable });
        };
        let queue = Arc::clone(&waiting.order.queue);
        core.log(Some(id), Kind::QueueOffered { offer: number, queue, agent: Arc::clone(&agent), why });
        waiting.offers.push(Offer { number, agent, user: Arc::clone(&user), until });
        if let Err(status) = self.ring(core, &Target::User(Arc::clone(&user))) {
            return self.end_offer(core, &user, outcome_of(status));
        }
        self.set_offer_timer(core);
    }

    fn set_offer_timer(&mut self, core: &mut Core) {
        let id = self.id;
        let Some(waiting) = self.queue_place_mut() else { return };
        match waiting.offers.iter().map(|offer| offer.until).min() {
            Some(until) => core.timers.set(Timer::Ring(id), until),
            None => {
                core.timers.cancel(Timer::Ring(id));
            }
        }
    }

    /// The offer to the agent at a user's phone has come to an end without a talk.
    fn end_offer(&mut self, core: &mut Core, user: &str, outcome: Outcome) {
        let id = self.id;
        let Some(waiting) = self.queue_place_mut() else { return };
        let Some(place) = waiting.offers.iter().position(|offer| &*offer.user == user) else { return };
        let Offer { number: offer, agent, .. } = waiting.offers.remove(place);
        core.log(Some(id), Kind::QueueOfferEnded { offer, agent, outcome: logged(outcome) });
        core.queues.handle(core.now, Input::OfferEnded { offer, outcome });
        self.set_offer_timer(core);
    }

    /// A phone that rang for an agent does so no more: once none does, the offer has failed.
    pub(super) fn count_agent(&mut self, core: &mut Core, leg: LegId, failure: Failure) {
        let Some(user) = self.legs().find(|it| it.id == leg).and_then(|leg| leg.user().cloned()) else {
            return;
        };
        let rings = |leg: &&crate::leg::Leg| matches!(leg.state, State::Early { .. });
        if !self.callees.iter().filter(rings).any(|leg| leg.user() == Some(&user)) {
            self.end_offer(core, &user, outcome_of(failure.status));
        }
    }

    /// Agents that have been rung for long enough are rung no more.
    pub(super) fn end_late_offers(&mut self, core: &mut Core) {
        let now = core.now;
        let Some(waiting) = self.queue_place_mut() else { return };
        let late = waiting.offers.iter().filter(|offer| offer.until <= now);
        let late: Vec<_> = late.map(|offer| Arc::clone(&offer.user)).collect();
        for user in late {
            self.cancel_phones(core, &user, None, "no answer");
            self.end_offer(core, &user, Outcome::NoAnswer);
        }
    }

    /// The queue takes an offer back.
    pub(crate) fn withdraw(&mut self, core: &mut Core, number: u64, outcome: OfferOutcome) {
        let id = self.id;
        let Some(waiting) = self.queue_place_mut() else { return };
        let Some(place) = waiting.offers.iter().position(|offer| offer.number == number) else { return };
        let Offer { agent, user, .. } = waiting.offers.remove(place);
        core.log(Some(id), Kind::QueueOfferEnded { offer: number, agent, outcome });
        self.cancel_phones(core, &user, None, "the offer was taken back");
        self.set_offer_timer(core);
    }

    fn cancel_phones(&mut self, core: &mut Core, user: &Arc<str>, header: Option<&str>, reason: &str) {
        let of_user = |leg: &&crate::leg::Leg| leg.is_early() && leg.user() == Some(user);
        let ringing: Vec<_> = self.callees.iter().filter(of_user).map(|leg| (leg.id, leg.invite)).collect();
        self.cancel_legs(core, ringing, header, EndedBy::Switch, reason);
    }

    /// The queue has no agent for the caller: the flow goes on.
    pub(crate) fn leave_unserved(&mut self, core: &mut Core, why: Exit) {
        let (outcome, result) = crate::queues::unserved(why);
        if self.leave_queue(core, EndedBy::Switch, outcome).is_some() {
            self.inbox.push_back(MachineInput::QueueEnded(result));
        }
    }

    /// Takes the caller out of its queue: nobody rings for it any more. What it waited for, and since when.
    pub(super) fn leave_queue(
        &mut self,
        core: &mut Core,
        by: EndedBy,
        outcome: QueueOutcome,
    ) -> Option<(Enqueue, Time)> {
        if !self.is_queued() {
            return None;
        }
        let Phase::Dialing(dial) = std::mem::replace(&mut self.phase, Phase::Flow) else { return None };
        let Purpose::Queue(waiting) = dial.purpose else { return None };
        core.timers.cancel(Timer::Ring(self.id));
        self.cancel_ringing(core, None, by, "cancelled");
        let gone = match outcome {
            QueueOutcome::PickedUp => OfferOutcome::AnotherAgent,
            _ => OfferOutcome::CallerGone,
        };
        let input = match outcome {
            QueueOutcome::Abandoned => Input::Abandon { call: self.id.0 },
            _ => Input::Leave { call: self.id.0 },
        };
        self.close_place(core, &waiting, None, gone, outcome);
        core.queues.handle(core.now, input);
        Some((waiting.order, waiting.entered))
    }

    /// An answered leg has the caller of the queue: whose it is, is told, and all other offers are over. What its agent is told
    /// first, with the place that the caller has until then.
    pub(super) fn serve_from_queue(&mut self, core: &mut Core, leg: LegId) -> Option<Whisper> {
        let Phase::Dialing(dial) = &mut self.phase else { return None };
        let Purpose::Queue(waiting) = std::mem::replace(&mut dial.purpose, Purpose::Step) else {
            return None;
        };
        core.timers.cancel(Timer::Ring(self.id));
        // Who comes back after a talk waits anew.
        self.former_place = None;
        self.tapes.served_from(&waiting.order.queue);
        let user = self.legs().find(|it| it.id == leg).and_then(|leg| leg.user().cloned());
        let taken = waiting.offers.iter().find(|offer| Some(&offer.user) == user.as_ref());
        match taken {
            Some(Offer { number, agent, .. }) => {
                let (offer, agent) = (*number, Arc::clone(agent));
                let answered = QueueOutcome::Answered(Arc::clone(&agent));
                self.served_by(core.now, leg, &waiting.order, waiting.entered);
                self.close_place(core, &waiting, Some(offer), OfferOutcome::AnotherAgent, answered);
                core.queues.handle(core.now, Input::OfferEnded { offer, outcome: Outcome::Answered });
            }
            None => {
                let by_another = OfferOutcome::AnotherAgent;
                self.close_place(core, &waiting, None, by_another, QueueOutcome::PickedUp);
                core.queues.handle(core.now, Input::Leave { call: self.id.0 });
            }
        }
        let files = match user.filter(|user| waiting.offers.iter().any(|offer| offer.user == *user)) {
            Some(_) => self.whisper(core, &waiting.order, waiting.entered),
            None => Vec::new(),
        };
        if files.is_empty() {
            self.inbox.push_back(MachineInput::Served);
            return None;
        }
        Some(Whisper { files, order: waiting.order, entered: waiting.entered })
    }

    /// Logs the end of a place and of its offers, and says nothing more to the caller.
    fn close_place(
        &self,
        core: &mut Core,
        waiting: &Waiting,
        answered: Option<u64>,
        others: OfferOutcome,
        outcome: QueueOutcome,
    ) {
        for Offer { number, agent, .. } in &waiting.offers {
            let outcome = if Some(*number) == answered { OfferOutcome::Answered } else { others };
            let kind = Kind::QueueOfferEnded { offer: *number, agent: Arc::clone(agent), outcome };
            core.log(Some(self.id), kind);
        }
        let queue = Arc::clone(&waiting.order.queue);
        core.log(Some(self.id), Kind::QueueLeft { leg: self.caller.id, queue, outcome });
        if let Some(play) = waiting.announcement.filter(|_| self.caller.is_open()) {
            core.media(Command::StopPlay { stream: self.caller.stream(), play });
        }
    }

    /// Takes the place of another contact's caller, with the time that it has waited.
    pub(super) fn enqueue_at(&mut self, core: &mut Core, order: Enqueue, entered: Time) {
        self.former_place = Some(Box::new(FormerPlace::asked_for(&order, entered)));
        self.enqueue(core, order);
    }

    /// Tells the caller what its queue tells those who wait. A position that has become worse is not told: it comes of
    /// priorities, which are none of the caller's affair.
    pub(crate) fn tell_waiting(&mut self, core: &mut Core, position: u32, wait: Option<Duration>) {
        let (client, stream) = (Arc::clone(&self.client), self.caller.stream());
        let plan = Arc::clone(&self.plan);
        let Some(waiting) = self.queue_place_mut() else { return };
        let better = waiting.position.is_none_or(|told| position <= told).then_some(position);
        let queue = plan.queue(&client, &waiting.order.queue);
        let heard = queue.and_then(|queue| queue.heard(&waiting.order.language));
        let files =
            heard.map(|heard| heard.announcement(Told { position: better, wait })).unwrap_or_default();
        if files.is_empty() {
            return;
        }
        waiting.position = better.or(waiting.position);
        let play = core.new_play();
        waiting.announcement = Some(play);
        core.media(Command::Play { stream, play, files, times: Some(1) });
    }

    /// What a caller that waits was told is over, and it hears music again.
    pub(super) fn end_announcement(&mut self, play: PlayId) {
        if let Some(waiting) = self.queue_place_mut() {
            waiting.announcement.take_if(|announced| *announced == play);
        }
    }

    /// Whether the caller is told something while it waits.
    pub(super) fn is_told(&self) -> bool {
        self.queue_place().is_some_and(|waiting| waiting.announcement.is_some())
    }
}

fn outcome_of(status: u16) -> Outcome {
    match status {
        486 | 600 => Outcome::Busy,
        603 | 300..=399 => Outcome::Declined,
        408 | 480 | 487 => Outcome::NoAnswer,
        _ => Outcome::Unreachable,
    }
}

fn logged(outcome: Outcome) -> OfferOutcome {
    match outcome {
        Outcome::Answered => OfferOutcome::Answered,
        Outcome::NoAnswer => OfferOutcome::NoAnswer,
        Outcome::Busy => OfferOutcome::Busy,
        Outcome::Declined => OfferOutcome::Declined,
        Outcome::Unreachable => OfferOutcome::Unreachable,
    }
}
