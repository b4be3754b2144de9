//! Counts and sums, of which all figures are made.

use crate::level::LEGAL_ES;
use crate::visit::{Callback, CallbackEnd};
use crate::{AgentTime, Level, Millis, Outcome, Visit};
use events::OfferOutcome;
use events::cdr::Disposition;
use serde::Serialize;

/// What is counted of visits and of agents' time. Times are in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Contacts that are counted here for the first time.
    pub contacts: u64,
    /// Visits of queues; one that waits on in another contact is counted there alone.
    pub offered: u64,
    /// Of those, taken by an agent, or picked up by another user.
    pub answered: u64,
    /// Of those, picked up.
    pub picked_up: u64,
    /// Hung up while waiting, without short abandons.
    pub abandoned: u64,
    /// Hung up before the queue's `short_abandon`.
    pub short_abandoned: u64,
    /// Taken out by the flow.
    pub key: u64,
    /// Found the queue full.
    pub full: u64,
    /// Left because no agent was there.
    pub no_agents: u64,
    /// Waited too long.
    pub timed_out: u64,
    /// Cut off by the end of the node.
    pub interrupted: u64,
    /// Wait now.
    pub waiting: u64,
    /// Answered within the queue's time.
    pub answered_within: u64,
    /// Abandoned within it.
    pub abandoned_within: u64,
    /// Answered in less than 180 s.
    pub answered_in_180s: u64,
    /// How long those waited that were answered.
    pub wait_answered: u64,
    /// How long those waited that abandoned.
    pub wait_abandoned: u64,
    /// How long the one waited that waited longest.
    pub longest_wait: Option<u64>,
    /// Answered by an agent that is done with it; callers, and customers who were called back.
    pub handled: u64,
    /// How long agents spoke in those.
    pub talk: u64,
    /// How long agents held those.
    pub hold: u64,
    /// How long agents wrote up.
    pub wrap_up: u64,
    /// Handed on by their agent.
    pub transferred: u64,
    /// Offers to agents.
    pub offers: Offers,
    /// Customers who asked to be called back.
    pub callbacks: Callbacks,
    /// Contacts by trunks that came to no queue.
    pub unqueued: Unqueued,
    /// How agents spent their time; only of agents.
    pub time: Option<AgentTime>,
}

/// Offers by their end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Offers {
    /// Taken.
    pub accepted: u64,
    /// Rang out.
    pub no_answer: u64,
    /// The phone was busy.
    pub busy: u64,
    /// Refused.
    pub declined: u64,
    /// The phone could not be reached.
    pub unreachable: u64,
    /// The agent could not take them: the caller was gone, or another agent faster, or they ring now.
    pub undecided: u64,
    /// How long those rang that were taken, in milliseconds.
    pub rang_accepted: u64,
}

/// Callbacks, which are counted apart from callers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Callbacks {
    /// That were asked for.
    pub asked: u64,
    /// Of those, reached.
    pub reached: u64,
    /// Of those, not reached as often as the queue calls, or refused by it.
    pub given_up: u64,
    /// Of those, whose customer called again itself.
    pub called_again: u64,
    /// Of those, still to be called.
    pub open: u64,
    /// How often a customer was called.
    pub tries: u64,
    /// How often in vain.
    pub failed: u64,
    /// How long those waited that were reached, in milliseconds.
    pub wait_reached: u64,
    /// Customers who were reached and spoke with an agent.
    pub done: u64,
    /// Customers who were reached and spoke with nobody.
    pub lost: u64,
}

/// Contacts that came to no queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Unqueued {
    /// Bridged with somebody that the flow dialled, or met others in a room.
    pub answered: u64,
    /// Served by the flow alone, or left a message.
    pub self_service: u64,
    /// Hung up in the flow, or while the flow rang somebody.
    pub abandoned: u64,
    /// Refused, or nobody was reached.
    pub failed: u64,
}

impl Tally {
    /// Counts a visit as its queue, client, number and trunk do.
    pub fn count(&mut self, visit: &Visit, level: &Level, now: Millis) {
        self.contacts += u64::from(visit.is_first && !visit.is_callback);
        for offer in &visit.offers {
            self.offers.count(offer.outcome, offer.rang);
        }
        match visit.outcome {
            Outcome::NoQueue(disposition) => self.unqueued.count(disposition),
            Outcome::Callback(callback) => self.callbacks.count(callback, visit.waited(now)),
            Outcome::Moved => {}
            _ if visit.is_callback => self.count_reached(visit),
            _ => self.count_caller(visit, visit.waited(now), level),
        }
    }

    fn count_caller(&mut self, visit: &Visit, waited: u64, level: &Level) {
        self.offered += 1;
        self.longest_wait = self.longest_wait.max(Some(waited));
        match visit.outcome {
            Outcome::Answered(_) | Outcome::PickedUp => self.count_answered(visit, waited, level),
            Outcome::Abandoned if level.is_short(waited) => self.short_abandoned += 1,
            Outcome::Abandoned => {
                self.abandoned += 1;
                self.abandoned_within += u64::from(waited <= level.within);
                self.wait_abandoned += waited;
            }
            Outcome::Key => self.key += 1,
            Outcome::Full => self.full += 1,
            Outcome::NoAgents => self.no_agents += 1,
            Outcome::TimedOut => self.timed_out += 1,
            Outcome::Interrupted => self.interrupted += 1,
            Outcome::Waiting => self.waiting += 1,
            Outcome::Moved | Outcome::NoQueue(_) | Outcome::Callback(_) => {}
        }
    }

    /// Counts the stay of a customer who is called back: an agent is kept for it, and it waits for nobody.
    fn count_reached(&mut self, visit: &Visit) {
        match visit.outcome {
            Outcome::Answered(_) | Outcome::PickedUp => {
                self.callbacks.done += 1;
                self.count_handled(visit);
            }
            Outcome::Waiting => {}
            _ => self.callbacks.lost += 1,
        }
    }

    /// Counts what one agent had of a visit: the offers that it got, and the call if it took it.
    pub fn count_agent(&mut self, agent: &str, visit: &Visit, level: &Level) {
        for offer in visit.offers.iter().filter(|offer| *offer.agent == *agent) {
            self.offers.count(offer.outcome, offer.rang);
        }
        match visit.agent() {
            Some(its) if **its != *agent => {}
            Some(_) if visit.is_callback => self.count_reached(visit),
            Some(_) => self.count_answered(visit, visit.waited(visit.arrived), level),
            None => {}
        }
    }

    fn count_answered(&mut self, visit: &Visit, waited: u64, level: &Level) {
        self.answered += 1;
        self.picked_up += u64::from(visit.outcome == Outcome::PickedUp);
        self.answered_within += u64::from(waited <= level.within);
        self.answered_in_180s += u64::from(waited < LEGAL_ES);
        self.wait_answered += waited;
        self.count_handled(visit);
    }

    fn count_handled(&mut self, visit: &Visit) {
        self.transferred += u64::from(visit.is_transferred);
        if let Some(handling) = visit.handling() {
            self.handled += 1;
            self.talk += handling.talk;
            self.hold += handling.hold;
            self.wrap_up += handling.wrap_up;
        }
    }

    /// Left their queue by themselves or by its rules: neither answered nor abandoned.
    pub fn flow_out(&self) -> u64 {
        self.key + self.full + self.no_agents + self.timed_out
    }

    /// How long agents were busy with what is handled, in milliseconds.
    pub fn handling(&self) -> u64 {
        self.talk + self.hold + self.wrap_up
    }

    /// Adds what another one has.
    pub fn merge(&mut self, other: &Self) {
        let pairs = [
            (&mut self.contacts, other.contacts),
            (&mut self.offered, other.offered),
            (&mut self.answered, other.answered),
            (&mut self.picked_up, other.picked_up),
            (&mut self.abandoned, other.abandoned),
            (&mut self.short_abandoned, other.short_abandoned),
            (&mut self.key, other.key),
            (&mut self.full, other.full),
            (&mut self.no_agents, other.no_agents),
            (&mut self.timed_out, other.timed_out),
            (&mut self.interrupted, other.interrupted),
            (&mut self.waiting, other.waiting),
            (&mut self.answered_within, other.answered_within),
            (&mut self.abandoned_within, other.abandoned_within),
            (&mut self.answered_in_180s, other.answered_in_180s),
            (&mut self.wait_answered, other.wait_answered),
            (&mut self.wait_abandoned, other.wait_abandoned),
            (&mut self.handled, other.handled),
            (&mut self.talk, other.talk),
            (&mut self.hold, other.hold),
            (&mut self.wrap_up, other.wrap_up),
            (&mut self.transferred, other.transferred),
        ];
        for (sum, more) in pairs {
            *sum += more;
        }
        self.longest_wait = self.longest_wait.max(other.longest_wait);
        self.offers.merge(other.offers);
        self.callbacks.merge(other.callbacks);
        self.unqueued.merge(other.unqueued);
        if let Some(time) = &other.time {
            self.time.get_or_insert_default().merge(time);
        }
    }
}

impl Offers {
    /// Not taken although the agent could have.
    pub fn missed(&self) -> u64 {
        self.no_answer + self.busy + self.declined + self.unreachable
    }

    /// All.
    pub fn all(&self) -> u64 {
        self.accepted + self.missed() + self.undecided
    }

    fn count(&mut self, outcome: Option<OfferOutcome>, rang: u64) {
        let place = match outcome {
            Some(OfferOutcome::Answered) => {
                self.rang_accepted += rang;
                &mut self.accepted
            }
            Some(OfferOutcome::NoAnswer) => &mut self.no_answer,
            Some(OfferOutcome::Busy) => &mut self.busy,
            Some(OfferOutcome::Declined) => &mut self.declined,
            Some(OfferOutcome::Unreachable) => &mut self.unreachable,
            Some(OfferOutcome::AnotherAgent | OfferOutcome::CallerGone | OfferOutcome::AgentGone) | None => {
                &mut self.undecided
            }
        };
        *place += 1;
    }

    fn merge(&mut self, other: Self) {
        let Self { accepted, no_answer, busy, declined, unreachable, undecided, rang_accepted } = other;
        self.accepted += accepted;
        self.no_answer += no_answer;
        self.busy += busy;
        self.declined += declined;
        self.unreachable += unreachable;
        self.undecided += undecided;
        self.rang_accepted += rang_accepted;
    }
}

impl Callbacks {
    fn count(&mut self, Callback { tries, failed, end }: Callback, waited: u64) {
        self.asked += 1;
        self.tries += u64::from(tries);
        self.failed += u64::from(failed);
        let place = match end {
            None => &mut self.open,
            Some(CallbackEnd::Reached) => {
                self.wait_reached += waited;
                &mut self.reached
            }
            Some(CallbackEnd::CalledAgain) => &mut self.called_again,
            Some(CallbackEnd::NotReached | CallbackEnd::Refused) => &mut self.given_up,
        };
        *place += 1;
    }

    fn merge(&mut self, other: Self) {
        let Self { asked, reached, given_up, called_again, open, tries, failed, wait_reached, done, lost } =
            other;
        self.asked += asked;
        self.reached += reached;
        self.given_up += given_up;
        self.called_again += called_again;
        self.open += open;
        self.tries += tries;
        self.failed += failed;
        self.wait_reached += wait_reached;
        self.done += done;
        self.lost += lost;
    }
}

impl Unqueued {
    /// All of them.
    pub fn all(&self) -> u64 {
        self.answered + self.self_service + self.abandoned + self.failed
    }

    fn count(&mut self, disposition: Disposition) {
        let place = match disposition {
            Disposition::Answered => &mut self.answered,
            Disposition::SelfService | Disposition::Voicemail => &mut self.self_service,
            Disposition::Abandoned
            | Disposition::AbandonedInFlow
            | Disposition::AbandonedInQueue
            | Disposition::AbandonedRinging => &mut self.abandoned,
            Disposition::Busy | Disposition::NoAnswer | Disposition::Failed | Disposition::Rejected => {
                &mut self.failed
            }
        };
        *place += 1;
    }

    fn merge(&mut self, other: Self) {
        let Self { answered, self_service, abandoned, failed } = other;
        self.answered += answered;
        self.self_service += self_service;
        self.abandoned += abandoned;
        self.failed += failed;
    }
}

/// `None` of nothing.
#[expect(clippy::cast_precision_loss, reason = "counts of calls and milliseconds are far below 2^52")]
pub(crate) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
