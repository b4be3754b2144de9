//! An offer: made, answered, refused, rung out, taken back, or lost.

use crate::agent::Activity;
use crate::why::Choice;
use crate::words::{AgentWhy, NOT_ANSWERING, Outcome, Output, Withdrawn};
use crate::{Acd, Timer};
use clock::{Duration, Time};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How long after its ring time an offer ends by itself.
pub(crate) const GRACE: Duration = Duration::from_secs(1);

/// How long an agent is left alone at least after an offer that it did not take.
const LEAST_RETRY: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Offer {
    pub(crate) call: u64,
    pub(crate) agent: usize,
    /// How long its agent, or the one who is called back, may ring.
    pub(crate) until: Time,
    /// Whether the caller is being called back, and the agent only kept.
    pub(crate) callback: bool,
}

impl Acd {
    /// Offers a caller to an agent who is free; one who is to be called back is called, and the agent kept for it.
    pub(crate) fn offer(&mut self, now: Time, call: u64, agent: usize, why: Choice, out: &mut Vec<Output>) {
        let Some(caller) = self.calls.get_mut(&call) else {
            return;
        };
        let offer = self.next_offer;
        self.next_offer += 1;
        if caller.offers.is_empty() {
            caller.rung_since = now;
        }
        caller.offers.push(offer);
        caller.tried = Some(why.score.place);
        let callback = caller.callback.is_some();
        let queue = &mut self.queues[caller.queue];
        queue.offered(why.score.place, &why.agent);
        let until = now + if callback { queue.plan.callback.ring } else { queue.plan.ring };
        self.offers.insert(offer, Offer { call, agent, until, callback });
        self.timers.set(Timer::Lease(offer), until + GRACE);
        self.agents[agent].activity = Activity::Offered { offer, call, callback };
        let name = Arc::clone(&self.agents[agent].name);
        out.push(if callback {
            Output::CallBack { offer, call, agent: name, until, why }
        } else {
            Output::Offer { offer, call, agent: name, until, why }
        });
        self.refresh(now, agent, AgentWhy::Offered, out);
        self.reindex(now, call);
    }

    /// Forgets an offer: its agent is free, its caller waits on. Both have to be entered in the index then.
    pub(crate) fn forget(&mut self, offer: u64) -> Option<Offer> {
        let gone = self.offers.remove(&offer)?;
        self.timers.cancel(Timer::Lease(offer));
        self.agents[gone.agent].activity = Activity::Free;
        if let Some(call) = self.calls.get_mut(&gone.call) {
            call.offers.retain(|one| *one != offer);
            // What it has waited for beyond its time may be over.
            if let Some(due) = call.due(&self.queues[call.queue].plan) {
                self.timers.set(Timer::MaxWait(gone.call), due);
            }
            // The agent with whom it spoke last would not have it, or is not there.
            call.held = None;
        }
        Some(gone)
    }

    pub(crate) fn withdraw(&mut self, now: Time, offer: u64, because: Withdrawn, out: &mut Vec<Output>) {
        if let Some(Offer { call, agent, .. }) = self.forget(offer) {
            let name = Arc::clone(&self.agents[agent].name);
            out.push(Output::Withdraw { offer, call, agent: name, because });
            self.refresh(now, agent, AgentWhy::Withdrawn(because), out);
            self.reindex(now, call);
        }
    }

    pub(crate) fn offer_ended(&mut self, now: Time, offer: u64, outcome: Outcome, out: &mut Vec<Output>) {
        // Nothing rings at an agent who is only kept.
        if self.offers.get(&offer).is_none_or(|offer| offer.callback) {
            return;
        }
        let Some(Offer { call, agent, .. }) = self.forget(offer) else {
            return;
        };
        match outcome {
            Outcome::Answered => self.answered(now, call, agent, out),
            _ => self.missed(now, call, agent, outcome, out),
        }
    }

    /// Nobody said how an offer ended: for its caller and its agent it rang out.
    pub(crate) fn lease_ended(&mut self, now: Time, offer: u64, out: &mut Vec<Output>) {
        let Some(Offer { call, agent, callback, .. }) = self.forget(offer) else {
            return;
        };
        let name = Arc::clone(&self.agents[agent].name);
        out.push(Output::Withdraw { offer, call, agent: name, because: Withdrawn::Lease });
        if callback {
            self.not_reached(now, (call, true), agent, AgentWhy::Withdrawn(Withdrawn::Lease), out);
        } else {
            self.missed(now, call, agent, Outcome::NoAnswer, out);
        }
    }

    fn answered(&mut self, now: Time, call: u64, agent: usize, out: &mut Vec<Output>) {
        let Some(caller) = self.take_out(call) else {
            return;
        };
        let queue = &mut self.queues[caller.queue];
        let (staffed, others) = (queue.index.staffed, !queue.index.line.is_empty());
        queue.pace.handed_off(now, staffed, others);
        let (wrap_up, wrap_up_max) = (queue.plan.wrap_up, queue.plan.wrap_up_max);
        let who = &mut self.agents[agent];
        who.activity = Activity::Talking { call, began: now, wrap_up, wrap_up_max };
        who.misses = 0;
        who.handled = who.handled.saturating_add(1);
        self.refresh(now, agent, AgentWhy::OfferEnded(Outcome::Answered), out);
        for other in caller.offers {
            self.withdraw(now, other, Withdrawn::AnotherAgent, out);
        }
    }

    fn missed(&mut self, now: Time, call: u64, agent: usize, outcome: Outcome, out: &mut Vec<Output>) {
        let Some(caller) = self.calls.get(&call) else {
            return;
        };
        let plan = &self.queues[caller.queue].plan;
        let wait = match outcome {
            Outcome::Answered => return,
            Outcome::NoAnswer => plan.retry.no_answer,
            Outcome::Busy => plan.retry.busy,
            Outcome::Declined => plan.retry.declined,
            Outcome::Unreachable => plan.retry.unreachable,
        };
        let until = now + wait.max(LEAST_RETRY);
        let who = &mut self.agents[agent];
        who.retry = Some((outcome, until));
        self.timers.set(Timer::Retry(agent), until);
        let mut why = AgentWhy::OfferEnded(outcome);
        if outcome == Outcome::NoAnswer {
            who.misses = who.misses.saturating_add(1);
            if plan.misses.is_some_and(|limit| who.misses >= limit) && who.paused.is_none() {
                who.paused = Some(NOT_ANSWERING.into());
                why = AgentWhy::Misses(who.misses);
            }
        }
        self.refresh(now, agent, why, out);
        self.reindex(now, call);
    }
}
