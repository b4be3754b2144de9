//! Queues and agents: nobody is offered two calls, every offer and every place ends once, agents are what the log says.

use events::{AgentActivity, CallbackOutcome, ContactId, Event, Kind, OfferOutcome, QueueOutcome};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Debug, Default)]
pub(crate) struct Queues {
    /// The queue that a contact waits in.
    places: BTreeMap<ContactId, Arc<str>>,
    /// Offers that are up: whose call, and to whom.
    offers: BTreeMap<u64, (ContactId, Arc<str>)>,
    agents: BTreeMap<Arc<str>, AgentActivity>,
    last_offer: u64,
    /// Contacts whose customers are to be called back.
    callbacks: BTreeSet<ContactId>,
    /// The offers for which contacts call somebody back.
    attempts: BTreeMap<ContactId, u64>,
}

impl Queues {
    /// Whether a contact waits.
    pub(crate) fn has(&self, contact: ContactId) -> bool {
        self.places.contains_key(&contact)
    }

    /// # Errors
    /// The event cannot follow those before it.
    pub(crate) fn observe(&mut self, event: &Event) -> Result<(), String> {
        let contact = event.contact.unwrap_or(ContactId(0));
        let broken = match &event.kind {
            Kind::QueueEntered { queue, .. } => {
                self.places.insert(contact, Arc::clone(queue)).map(|_| "waits in two queues")
            }
            Kind::QueueOffered { offer, queue, agent, why } => {
                let is_taken = self.offers.values().any(|(_, other)| other == agent);
                let is_new = *offer > self.last_offer;
                self.last_offer = *offer;
                self.offers.insert(*offer, (contact, Arc::clone(agent)));
                let waits = self.places.get(&contact) == Some(queue);
                (is_taken || !is_new || !waits || why.is_empty())
                    .then_some("an agent with two offers, an old number, no reason, or nobody waits there")
            }
            Kind::QueueOfferEnded { offer, agent, .. } => (self.offers.remove(offer)
                != Some((contact, Arc::clone(agent))))
            .then_some("an offer ends that was not made"),
            Kind::QueueLeft { queue, .. } => {
                let rings = self.offers.values().any(|(of, _)| *of == contact);
                let waited = self.places.remove(&contact);
                (rings || waited.as_ref() != Some(queue)).then_some("leaves where it was not, or rings on")
            }
            Kind::CallbackKept { .. } => {
                (!self.callbacks.insert(contact)).then_some("is to be called back twice")
            }
            Kind::CallbackTried { offer, agent, by, .. } => {
                self.attempts.insert(*by, *offer);
                let is_taken = self.offers.values().any(|(of, other)| other == agent || *of == contact);
                let is_new = *offer > self.last_offer;
                self.last_offer = *offer;
                self.offers.insert(*offer, (contact, Arc::clone(agent)));
                (is_taken || !is_new || !self.callbacks.contains(&contact))
                    .then_some("two calls at once, an agent with two offers, or nobody is to be called back")
            }
            Kind::CallbackFailed { offer, .. } => {
                self.offers.remove(offer).is_none().then_some("fails without an attempt")
            }
            Kind::CallbackEnded { outcome } => {
                let rung = self.offers.iter().find(|(_, (of, _))| *of == contact).map(|(offer, _)| *offer);
                if let (Some(offer), CallbackOutcome::Reached(_)) = (rung, outcome) {
                    self.offers.remove(&offer);
                }
                (!self.callbacks.remove(&contact)).then_some("nobody was to be called back")
            }
            Kind::AgentChanged { agent, state, phone } => {
                let before = self.agents.insert(Arc::clone(agent), state.clone());
                let is_logged_in = *state != AgentActivity::LoggedOut;
                // One that is extended begins anew.
                let same = before.as_ref() == Some(state) && *state != AgentActivity::WrapUp;
                (same || is_logged_in && phone.is_none()).then_some("nothing has changed, or it is nowhere")
            }
            Kind::ContactEnded { .. }
                if self.attempts.remove(&contact).is_some_and(|offer| self.offers.contains_key(&offer)) =>
            {
                Some("an agent is kept for one who is gone")
            }
            Kind::ContactEnded { .. } if self.places.contains_key(&contact) => {
                Some("a contact ends while it waits")
            }
            _ => None,
        };
        broken.map_or(Ok(()), |rule| Err(format!("{rule}: {event:?}")))
    }
}

/// Whether something is told of a callback, under the contact that has asked for it.
pub(crate) fn is_of_callback(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::CallbackKept { .. }
            | Kind::CallbackTried { .. }
            | Kind::CallbackFailed { .. }
            | Kind::CallbackEnded { .. }
    )
}

/// What is counted of an event.
pub(crate) fn count(kind: &Kind, tally: &mut super::Tally) {
    match kind {
        Kind::QueueEntered { .. } => tally.queued += 1,
        Kind::QueueOffered { .. } => tally.offered += 1,
        Kind::QueueOfferEnded { outcome: OfferOutcome::NoAnswer, .. } => tally.not_answered += 1,
        Kind::QueueOfferEnded { outcome: OfferOutcome::AnotherAgent, .. } => tally.another_agent += 1,
        Kind::QueueLeft { outcome: QueueOutcome::Answered(_), .. } => tally.served += 1,
        Kind::QueueLeft { outcome: QueueOutcome::Abandoned, .. } => tally.given_up_waiting += 1,
        Kind::QueueLeft { outcome: QueueOutcome::Moved, .. } => tally.moved_queue += 1,
        Kind::QueueLeft { .. } => tally.left_queue += 1,
        Kind::CallerDirected { .. } => tally.directed += 1,
        Kind::CallbackKept { .. } => tally.callbacks += 1,
        Kind::CallbackTried { .. } => tally.called_back += 1,
        Kind::CallbackEnded { outcome: CallbackOutcome::Reached(_) } => tally.reached += 1,
        Kind::CallbackEnded { outcome: CallbackOutcome::NotReached } => tally.not_reached += 1,
        Kind::CallbackEnded { outcome: CallbackOutcome::CalledAgain } => tally.called_again += 1,
        Kind::AgentChanged { state: AgentActivity::WrapUp, .. } => tally.wrapped_up += 1,
        _ => {}
    }
}
