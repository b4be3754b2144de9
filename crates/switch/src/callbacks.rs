//! Callbacks: who does not wait on the line keeps its place in the queue, and is called once an agent is kept for it.
//!
//! The queue knows a callback by the contact that has asked for it, which may have ended long before. Each attempt is a contact
//! of its own, whose caller is the customer that is called: its flow comes to the `enqueue` where the agent has the call.

use crate::Switch;
use crate::contact::{Contact, Destination, NewContact};
use crate::core::Core;
use crate::identity::Identity;
use crate::leg::Leg;
use acd::{Entry, Exit, Input, Need, Wants, Withdrawn};
use dialplan::{
    CallInfo, CallbackResult, Callbacks as Planned, Client, ClientIndex, Config, Machine, Verstat,
};
use events::{Callback, CallbackOrder, CallbackOutcome, ContactId, Kind, Party};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What calls it, in the log: no trunk and no user.
const SOURCE: &str = "callback";
/// RFC 3261 section 8.1.1.6.
const MAX_FORWARDS: u8 = 70;

/// Those that are to be called back, by the contacts that have asked for it.
#[derive(Default)]
pub(crate) struct Callbacks {
    pending: BTreeMap<ContactId, Pending>,
    /// Contacts that call somebody back, by the same.
    attempts: BTreeMap<ContactId, Attempt>,
}

struct Pending {
    order: CallbackOrder,
    tries: usize,
}

struct Attempt {
    by: ContactId,
    /// The queue's, while it keeps an agent for it.
    offer: Option<u64>,
}

/// What a contact that calls back knows of it.
#[derive(Clone)]
pub(crate) struct CallsBack {
    pub(crate) asked: ContactId,
    pub(crate) queue: Arc<str>,
}

impl Callbacks {
    /// Those that wait for it, for the audit.
    pub(crate) fn pending(&self) -> impl Iterator<Item = ContactId> {
        self.pending.keys().copied()
    }

    /// Offers for which agents are kept, each with the number of who has asked.
    pub(crate) fn offers(&self) -> impl Iterator<Item = (u64, u64)> {
        self.attempts.iter().filter_map(|(asked, attempt)| Some((attempt.offer?, asked.0)))
    }
}

impl Core {
    /// Keeps a place for a customer of a contact. A contact has one callback at most.
    pub(crate) fn keep_callback(
        &mut self,
        plan: &Config,
        asked: ContactId,
        order: CallbackOrder,
    ) -> CallbackResult {
        if self.callbacks.pending.contains_key(&asked) {
            return CallbackResult::Duplicate;
        }
        let fraud = plan.client_named(&order.client).and_then(|client| client.fraud.as_ref());
        let is_barred = fraud.is_some_and(|fraud| !fraud.permits(&order.number));
        if is_barred || !is_number(&order.number) {
            return CallbackResult::Failed;
        }
        match self.queues.enter_callback(self.now, entry(asked, &order)) {
            None => {}
            Some(Exit::Duplicate) => return CallbackResult::Duplicate,
            Some(_) => return CallbackResult::Failed,
        }
        self.log(Some(asked), Kind::CallbackKept { order: order.clone() });
        self.callbacks.pending.insert(asked, Pending { order, tries: 0 });
        CallbackResult::Kept
    }

    /// The customer of a contact waits on the line after all.
    pub(crate) fn forget_callback(&mut self, asked: ContactId) -> Option<CallbackOrder> {
        let Pending { order, .. } = self.callbacks.pending.remove(&asked)?;
        self.queues.handle(self.now, Input::Leave { call: asked.0 });
        self.log(Some(asked), Kind::CallbackEnded { outcome: CallbackOutcome::CalledAgain });
        Some(order)
    }

    /// The customer that is called back has come to its queue; whether the agent is still kept for it.
    pub(crate) fn reach_callback(&mut self, asked: ContactId, by: ContactId) -> bool {
        let Some(attempt) = self.callbacks.attempts.get(&asked) else { return false };
        let Some(offer) = attempt.offer.filter(|_| attempt.by == by) else { return false };
        self.callbacks.attempts.remove(&asked);
        self.callbacks.pending.remove(&asked);
        self.log(Some(asked), Kind::CallbackEnded { outcome: CallbackOutcome::Reached(by) });
        self.queues.handle(self.now, Input::CalledBack { offer, call: by.0 });
        true
    }

    /// A contact that calls back has come to its end before the queue.
    pub(crate) fn end_attempt(&mut self, asked: ContactId, by: ContactId, reason: &str) {
        let Some(attempt) = self.callbacks.attempts.remove(&asked) else { return };
        if attempt.by != by {
            self.callbacks.attempts.insert(asked, attempt);
        } else if let Some(offer) = attempt.offer {
            self.fail_callback(asked, offer, reason);
        }
    }

    /// It cannot be called now, for a reason that is not its own.
    fn postpone_callback(&mut self, asked: ContactId, offer: u64, reason: &str) {
        self.log(Some(asked), Kind::CallbackFailed { offer, reason: reason.into() });
        self.queues.handle(self.now, Input::CallBackPostponed { offer });
    }

    fn fail_callback(&mut self, asked: ContactId, offer: u64, reason: &str) {
        self.log(Some(asked), Kind::CallbackFailed { offer, reason: reason.into() });
        self.queues.handle(self.now, Input::CallBackFailed { offer });
    }

    /// The queue takes nobody back any more at the number of a contact; false if that is no callback.
    pub(crate) fn end_callback(&mut self, asked: ContactId, why: Exit) -> bool {
        let is_known = self.callbacks.pending.remove(&asked).is_some();
        if is_known {
            let outcome = match why {
                Exit::NotReached => CallbackOutcome::NotReached,
                Exit::CalledAgain => CallbackOutcome::CalledAgain,
                _ => CallbackOutcome::Refused,
            };
            self.log(Some(asked), Kind::CallbackEnded { outcome });
        }
        is_known
    }
}

impl Switch {
    /// An agent is kept for one that is to be called back.
    pub(crate) fn call_back(&mut self, offer: u64, asked: ContactId, (agent, why): (Arc<str>, String)) {
        let up = self.core.callbacks.attempts.get(&asked).map(|attempt| attempt.by);
        let by = up.unwrap_or_else(|| self.core.new_contact());
        self.core.log(Some(asked), Kind::CallbackTried { offer, agent, by, why });
        match (up, self.hinders_calls()) {
            // Another agent was kept for it before, and its customer is on the line.
            (Some(by), _) if self.contacts.get(&by).is_some_and(|it| it.is_served_by_flow()) => {
                self.core.callbacks.attempts.insert(asked, Attempt { by, offer: Some(offer) });
            }
            (Some(_), _) => self.core.postpone_callback(asked, offer, "its customer is on the line"),
            (None, Some(why)) => self.core.postpone_callback(asked, offer, why),
            (None, None) => {
                self.core.callbacks.attempts.insert(asked, Attempt { by, offer: Some(offer) });
                if let Err(reason) = self.place_callback(asked, by) {
                    self.core.end_attempt(asked, by, &reason);
                }
            }
        }
    }

    /// Why nobody can be called now, whoever it is.
    fn hinders_calls(&self) -> Option<&'static str> {
        let limit = self.plan.node.limits.calls;
        if self.is_draining() || self.core.overload.is_on() {
            return Some("the node takes no new calls");
        }
        let is_full = u32::try_from(self.contacts.len()).is_ok_and(|up| up >= limit);
        is_full.then_some("as many calls are up as may be")
    }

    /// Calls the customer. The reason if that cannot be.
    fn place_callback(&mut self, asked: ContactId, by: ContactId) -> Result<(), String> {
        let plan = Arc::clone(&self.plan);
        let pending = self.core.callbacks.pending.get_mut(&asked).ok_or("nobody is to be called")?;
        let (order, tried) = (pending.order.clone(), pending.tries);
        pending.tries += 1;
        let queue = plan.queue(&order.client, &order.queue);
        let planned = queue.and_then(|queue| Some((queue.client, queue.callbacks.as_ref()?)));
        let (index, planned) = planned.ok_or("the queue calls nobody back")?;
        let client = plan.client(index);
        let name = &planned.trunks[tried % planned.trunks.len()];
        let trunk = plan.trunk(name).ok_or("there is no such trunk")?;
        let to = trunk.to.first().ok_or("the trunk has no `to`")?;
        let way = self.core.way_by_trunk(trunk, to).map_err(|refused| refused.to_string())?;
        let billed = self.core.leg_to_be_billed(trunk, client, &order.number, way);
        let (leg, bill) = billed.map_err(|refused| refused.to_string())?;
        let destination = Destination {
            flow: way,
            request_uri: leg.uri.to_string(),
            number: Some(Arc::clone(&order.number)),
            route: Vec::new(),
            party: Party::clone(&leg.party),
            resumes: None,
        };
        self.begin_callback(&plan, (index, planned), (asked, by, &order), leg);
        let ring = planned.ring;
        self.with_contact(by, |contact, core| contact.place_callback(core, destination, bill, ring));
        Ok(())
    }

    /// The contact that calls, with the customer as its caller.
    fn begin_callback(
        &mut self,
        plan: &Arc<Config>,
        (index, planned): (ClientIndex, &Planned),
        (asked, id, order): (ContactId, ContactId, &CallbackOrder),
        leg: Leg,
    ) {
        let CallbackOrder { number, called, queue, language, .. } = order;
        let client = plan.client(index);
        let started = Kind::ContactStarted {
            source: SOURCE.into(),
            client: Arc::clone(&client.id),
            from: Arc::clone(number),
            to: Arc::clone(called),
            flow: Arc::clone(client.flow(planned.flow)),
        };
        self.core.log(Some(id), started);
        self.core.log(Some(id), Kind::CallsBack { asked, queue: Arc::clone(queue) });
        let info = CallInfo {
            from: Arc::clone(number),
            to: Arc::clone(called),
            source: SOURCE.into(),
            diverted_by: Arc::default(),
            verstat: Verstat::None,
            attestation: None,
            unix_micros_at_zero: self.core.config.unix_micros_at_zero,
            seed: id.0,
        };
        let mut machine = Machine::new(Arc::clone(plan), index, planned.flow, info);
        machine.speak(language);
        let contact = Contact::new(NewContact {
            id,
            plan: Arc::clone(plan),
            client: Arc::clone(&client.id),
            identity: identity(client, order),
            called: Arc::clone(called),
            claim: None,
            max_forwards: MAX_FORWARDS,
            caller: leg,
            machine,
        });
        self.contacts.insert(id, Box::new(contact));
        let calls_back = CallsBack { asked, queue: Arc::clone(queue) };
        self.with_contact(id, |contact, _| contact.calls_back_for(calls_back, order));
    }

    /// The queue keeps the agent no longer: one that is being called is to ring no more. False if that is no callback's offer.
    pub(crate) fn take_agent_back(&mut self, offer: u64, asked: ContactId, because: Withdrawn) -> bool {
        let attempt = self.core.callbacks.attempts.get_mut(&asked);
        let Some(attempt) = attempt.filter(|attempt| attempt.offer == Some(offer)) else { return false };
        attempt.offer = None;
        let by = attempt.by;
        let reason = match because {
            Withdrawn::Lease => "it took too long",
            Withdrawn::AgentGone => "the agent takes no calls now",
            Withdrawn::CallerGone | Withdrawn::Moved | Withdrawn::AnotherAgent => "it is not called now",
        };
        self.core.log(Some(asked), Kind::CallbackFailed { offer, reason: reason.into() });
        self.with_contact(by, Contact::stop_calling_back);
        true
    }

    /// Those that were to be called back before a restart are so again.
    pub(crate) fn restore_callbacks(&mut self, callbacks: Vec<Callback>) {
        for Callback { asked, order } in callbacks {
            let refused = self.core.queues.enter_callback(self.core.now, entry(asked, &order));
            match refused {
                None => drop(self.core.callbacks.pending.insert(asked, Pending { order, tries: 0 })),
                Some(_) => {
                    let outcome = CallbackOutcome::Refused;
                    self.core.log(Some(asked), Kind::CallbackEnded { outcome });
                }
            }
        }
    }
}

/// A place in the queue of one that is not on the line.
fn entry(asked: ContactId, order: &CallbackOrder) -> Entry {
    Entry {
        call: asked.0,
        queue: dialplan::Queue::full_name(&order.client, &order.queue),
        entered: order.entered,
        priority: order.priority,
        wants: wants(order),
        last_agent: None,
        number: Some(Arc::clone(&order.number)),
        callback: true,
    }
}

/// What its agent has to know.
pub(crate) fn wants(order: &CallbackOrder) -> Wants {
    let need = |(skill, level): &(Arc<str>, u8)| Need { skill: Arc::clone(skill), level: *level };
    let required = order.required.iter().map(|any| any.iter().map(need).collect()).collect();
    Wants { required, preferred: order.preferred.clone() }
}

/// The customer, whose number agents see; trunks are shown what it had called, or what the client shows.
fn identity(client: &Client, order: &CallbackOrder) -> Identity {
    let own = client.owns(&order.called).then(|| dialplan::normalized(&order.called).into());
    Identity {
        number: Arc::clone(&order.number),
        display: None,
        outside: false,
        withheld: false,
        shown: own.or_else(|| client.caller_id().cloned()),
        diverted_by: Arc::default(),
        word: (Verstat::None, None),
    }
}

/// Whether that can be called: 3 to 15 digits (E.164 section 6.2), perhaps with a `+`.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (3..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}
