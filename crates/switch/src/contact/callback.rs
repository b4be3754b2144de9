//! The customer asks to be called back, or is being called back.

use super::dial::{Destination, failure_reason};
use super::queue::FormerPlace;
use super::{Contact, Phase};
use crate::callbacks::CallsBack;
use crate::core::{Core, Timer};
use crate::fraud::Bill;
use clock::Duration;
use dialplan::MachineInput;
use events::{CallbackOrder, EndedBy, LegId};
use sip::Message;
use std::sync::Arc;

impl Contact {
    /// Keeps the caller's place in a queue, or a new one, for a call to that number.
    pub(super) fn keep_callback(
        &mut self,
        core: &mut Core,
        queue: Arc<str>,
        number: &str,
        language: Arc<str>,
    ) {
        let place = self.former_place.as_ref().filter(|place| place.queue == queue);
        let wants = place.map(|place| place.wants.clone()).unwrap_or_default();
        let required = wants.required.into_iter();
        let order = CallbackOrder {
            client: Arc::clone(&self.client),
            number: self.number_to_call(&queue, number),
            called: Arc::clone(&self.called),
            entered: place.map_or(core.now, |place| place.entered),
            priority: place.map_or(0, |place| place.priority),
            required: required.map(|any| any.into_iter().map(|it| (it.skill, it.level)).collect()).collect(),
            preferred: wants.preferred,
            language,
            queue,
        };
        let plan = Arc::clone(&self.plan);
        let result = core.keep_callback(&plan, self.id, order);
        self.inbox.push_back(MachineInput::CallbackDone(result));
    }

    /// A number that was shown or typed, as the dialplan has it: that of the country of the trunk by which it is called.
    fn number_to_call(&self, queue: &str, number: &str) -> Arc<str> {
        let queue = self.plan.queue(&self.client, queue);
        let trunk = queue.and_then(|queue| queue.callbacks.as_ref()?.trunks.first());
        let trunk = trunk.and_then(|name| self.plan.trunk(name));
        trunk.map_or_else(|| number.into(), |trunk| trunk.inbound(number).into())
    }

    /// It calls back the customer of another contact, who has a place in the queue.
    pub(crate) fn calls_back_for(&mut self, calls_back: CallsBack, order: &CallbackOrder) {
        self.former_place = Some(Box::new(FormerPlace::of(order)));
        self.calls_back = Some(calls_back);
    }

    /// Places the leg of the customer, which has a port and no usage yet.
    pub(crate) fn place_callback(
        &mut self,
        core: &mut Core,
        to: Destination,
        bill: Option<Bill>,
        ring: Duration,
    ) {
        self.phase = Phase::CallingBack;
        self.place_caller(core, to, bill);
        core.timers.set(Timer::Ring(self.id), core.now + ring);
    }

    /// Whether a leg is that of a customer who is rung to be called back.
    pub(super) fn is_called_back(&self, leg: LegId) -> bool {
        self.is_caller(leg) && matches!(self.phase, Phase::CallingBack)
    }

    /// The customer has answered: its flow begins.
    pub(super) fn customer_answered(&mut self, core: &mut Core, message: &Message) {
        if self.caller_answered(core, message) {
            core.timers.cancel(Timer::Ring(self.id));
            self.phase = Phase::Flow;
            self.inbox.extend([MachineInput::Answered, MachineInput::Start]);
        }
    }

    pub(super) fn customer_failed(&mut self, core: &mut Core, status: u16, response: Option<&Message>) {
        if let Some(asked) = response.filter(|_| status == 503).and_then(Message::retry_after) {
            self.let_rest(core, self.caller.id, asked);
        }
        let by = if response.is_some() { EndedBy::Callee } else { EndedBy::Switch };
        self.caller_gone(core, by, Some(status), failure_reason(status));
    }

    /// Nobody is kept for the customer any more: it stops ringing, unless it has answered.
    pub(crate) fn stop_calling_back(&mut self, core: &mut Core) {
        if let Phase::CallingBack = self.phase {
            self.hang_up_caller(core, EndedBy::Switch, "no agent is kept for it");
        }
    }

    /// Whether its caller is answered and hears its flow.
    pub(crate) fn is_served_by_flow(&self) -> bool {
        matches!(self.phase, Phase::Flow) && matches!(self.caller.state, crate::leg::State::Answered { .. })
    }

    /// The customer is gone: if it had not come to its queue, it was called in vain.
    pub(super) fn end_callback_attempt(&mut self, core: &mut Core, reason: &str) {
        if let Some(CallsBack { asked, .. }) = self.calls_back.take() {
            core.end_attempt(asked, self.id, reason);
        }
    }
}
