//! Those who do not wait on the line: they keep their place, and are called when their turn comes and an agent is kept.

use crate::Acd;
use crate::call::Call;
use crate::offers::Offer;
use crate::words::{AgentWhy, Exit, Output};
use clock::Time;

impl Acd {
    /// Who was called back has answered: it is a caller like any other now, of that number, first offered to the agent who
    /// was kept for it.
    pub(crate) fn called_back(&mut self, now: Time, offer: u64, call: u64, out: &mut Vec<Output>) {
        let Some(ghost) = self.offers.get(&offer).filter(|offer| offer.callback).map(|offer| offer.call)
        else {
            return;
        };
        if call != ghost && self.calls.contains_key(&call) {
            return;
        }
        let (Some(Offer { agent, .. }), Some(caller)) = (self.forget(offer), self.take_out(ghost)) else {
            return;
        };
        self.calls.insert(call, Call { id: call, callback: None, joined: now, ..caller });
        self.enter_call(now, call);
        if let Some(why) = self.chosen(now, call, agent) {
            self.offer(now, call, agent, why, out);
        }
    }

    /// It was called in vain, or could not be called now, which does not count.
    pub(crate) fn call_back_failed(&mut self, now: Time, offer: u64, counts: bool, out: &mut Vec<Output>) {
        if self.offers.get(&offer).is_some_and(|offer| offer.callback)
            && let Some(Offer { call, agent, .. }) = self.forget(offer)
        {
            self.not_reached(now, (call, counts), agent, AgentWhy::CallBackFailed, out);
        }
    }

    /// Who was called back could not be reached: its agent is free, and it is called again later, or no more.
    pub(crate) fn not_reached(
        &mut self,
        now: Time,
        (call, counts): (u64, bool),
        agent: usize,
        why: AgentWhy,
        out: &mut Vec<Output>,
    ) {
        self.refresh(now, agent, why, out);
        let Some(caller) = self.calls.get_mut(&call) else {
            return;
        };
        let plan = self.queues[caller.queue].plan.callback;
        let Some(callback) = &mut caller.callback else {
            return;
        };
        callback.tries = callback.tries.saturating_add(u32::from(counts));
        callback.rests_until = now + plan.again;
        if callback.tries >= plan.tries {
            return self.exit(now, call, Exit::NotReached, out);
        }
        self.reindex(now, call);
    }
}
