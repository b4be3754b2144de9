//! An offer: made, answered, refused, rung out, taken back, or lost.

use crate::agent::Activity;
use crate::why::Choice;
use crate::words::{AgentWhy, NOT_ANSWERING, Outcome, Output, Withdrawn};
use crate::{Acd, Timer};
use clock::{Duration, Time};
use std::sync::Arc;

/// How long after its ring time an offer ends by itself.
const GRACE: Duration = Duration::from_secs(1);

/// How long an agent is left alone at least after an offer that it did not take.
const LEAST_RETRY: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub(crate) call: u64,
    pub(crate) agent: usize,
}

impl Acd {
    /// Offers a caller to an agent who is free.
    pub(crate) fn offer(&mut self, now: Time, call: u64, agent: usize, why: Choice, out: &mut Vec<Output>) {
        let Some(caller) = self.calls.get_mut(&call) else {
            return;
        };
        let number = self.next_offer;
        self.next_offer += 1;
        caller.offers.push(number);
        let until = now + self.queues[caller.queue].plan.ring;
        self.offers.insert(number, Offer { call, agent });
        self.timers.set(Timer::Lease(number), until + GRACE);
        self.agents[agent].activity = Activity::Offered { offer: number, call, callback: false };
        let name = Arc::clone(&self.agents[agent].name);
        out.push(Output::Offer { offer: number, call, agent: name, until, why });
        self.show(now, agent, AgentWhy::Offered, out);
    }

    /// Forgets an offer; its agent is free, its caller waits on.
    fn forget(&mut self, offer: u64) -> Option<Offer> {
        let gone = self.offers.remove(&offer)?;
        self.timers.cancel(Timer::Lease(offer));
        self.agents[gone.agent].activity = Activity::Free;
        if let Some(call) = self.calls.get_mut(&gone.call) {
            call.offers.retain(|one| *one != offer);
        }
        Some(gone)
    }

    pub(crate) fn withdraw(&mut self, now: Time, offer: u64, because: Withdrawn, out: &mut Vec<Output>) {
        if let Some(Offer { call, agent }) = self.forget(offer) {
            let name = Arc::clone(&self.agents[agent].name);
            out.push(Output::Withdraw { offer, call, agent: name, because });
            self.show(now, agent, AgentWhy::Withdrawn(because), out);
        }
    }

    pub(crate) fn offer_ended(&mut self, now: Time, offer: u64, outcome: Outcome, out: &mut Vec<Output>) {
        let Some(Offer { call, agent }) = self.forget(offer) else {
            return;
        };
        match outcome {
            Outcome::Answered => self.answered(now, call, agent, out),
            _ => self.missed(now, call, agent, outcome, out),
        }
    }

    /// Nobody said how an offer ended: for its caller and its agent it rang out.
    pub(crate) fn lease_ended(&mut self, now: Time, offer: u64, out: &mut Vec<Output>) {
        if let Some(Offer { call, agent }) = self.forget(offer) {
            let name = Arc::clone(&self.agents[agent].name);
            out.push(Output::Withdraw { offer, call, agent: name, because: Withdrawn::Lease });
            self.missed(now, call, agent, Outcome::NoAnswer, out);
        }
    }

    fn answered(&mut self, now: Time, call: u64, agent: usize, out: &mut Vec<Output>) {
        let Some(caller) = self.take_out(call) else {
            return;
        };
        let plan = &self.queues[caller.queue].plan;
        let who = &mut self.agents[agent];
        let (wrap_up, wrap_up_max) = (plan.wrap_up, plan.wrap_up_max);
        who.activity = Activity::Talking { call, began: now, wrap_up, wrap_up_max };
        who.misses = 0;
        who.handled = who.handled.saturating_add(1);
        self.show(now, agent, AgentWhy::OfferEnded(Outcome::Answered), out);
        for other in caller.offers {
            self.withdraw(now, other, Withdrawn::AnotherAgent, out);
        }
    }

    fn missed(&mut self, now: Time, call: u64, agent: usize, outcome: Outcome, out: &mut Vec<Output>) {
        let Some(caller) = self.calls.get(&call) else {
            return;
        };
        let plan = &self.queues[caller.queue].plan;
        let (retry, limit) = (plan.retry, plan.misses);
        let who = &mut self.agents[agent];
        let wait = match outcome {
            Outcome::Answered => return,
            Outcome::NoAnswer => retry.no_answer,
            Outcome::Busy => retry.busy,
            Outcome::Declined => retry.declined,
            Outcome::Unreachable => retry.unreachable,
        };
        let until = now + wait.max(LEAST_RETRY);
        who.retry = Some((outcome, until));
        self.timers.set(Timer::Retry(agent), until);
        let mut why = AgentWhy::OfferEnded(outcome);
        if outcome == Outcome::NoAnswer {
            who.misses = who.misses.saturating_add(1);
            if limit.is_some_and(|limit| who.misses >= limit) && who.paused.is_none() {
                who.paused = Some(NOT_ANSWERING.into());
                why = AgentWhy::Misses(who.misses);
            }
        }
        self.show(now, agent, why, out);
    }
}
