//! Callers come, go, and go elsewhere; plans change.

use crate::agent::{Activity, Agent};
use crate::call::Call;
use crate::plan::Plan;
use crate::queue::{Place, Queue};
use crate::words::{AgentWhy, Entry, Exit, Output, Withdrawn};
use crate::{Acd, Timer};
use clock::Time;
use std::collections::BTreeSet;
use std::sync::Arc;

impl Acd {
    pub(crate) fn enter(&mut self, now: Time, entry: Entry, out: &mut Vec<Output>) {
        let Entry { call, queue, entered, priority, wants, callback, .. } = entry;
        let Some(index) = self.queue_of.get(&queue).copied() else {
            return out.push(Output::Exit { call, why: Exit::UnknownQueue });
        };
        if self.calls.contains_key(&call) {
            return;
        }
        let waiting = self.calls.values().filter(|other| other.queue == index).count();
        if self.queues[index].plan.max_length.is_some_and(|max| waiting >= max as usize) {
            return out.push(Output::Exit { call, why: Exit::Full });
        }
        let wants = Arc::new(wants);
        let entered = entered.min(now);
        let caller = Call {
            id: call,
            queue: index,
            entered,
            joined: now,
            priority,
            wants,
            callback,
            offers: Vec::new(),
        };
        self.calls.insert(call, caller);
        self.set_timers(now, call);
    }

    fn set_timers(&mut self, now: Time, call: u64) {
        let plan = &self.queues[self.calls[&call].queue].plan;
        if let Some(wait) = plan.max_wait {
            self.timers.set(Timer::MaxWait(call), now + wait);
        }
        if let Some(first) = plan.announce.first.or(plan.announce.every) {
            self.timers.set(Timer::Announce(call), now + first);
        }
    }

    /// Takes a caller out of its queue, with the offers that it still had.
    pub(crate) fn take_out(&mut self, call: u64) -> Option<Call> {
        for timer in [Timer::MaxWait(call), Timer::NoAgents(call), Timer::Widen(call), Timer::Announce(call)]
        {
            self.timers.cancel(timer);
        }
        self.calls.remove(&call)
    }

    pub(crate) fn leave(&mut self, now: Time, call: u64, out: &mut Vec<Output>) {
        if let Some(caller) = self.take_out(call) {
            for offer in caller.offers {
                self.withdraw(now, offer, Withdrawn::CallerGone, out);
            }
        }
    }

    pub(crate) fn exit(&mut self, now: Time, call: u64, why: Exit, out: &mut Vec<Output>) {
        self.leave(now, call, out);
        out.push(Output::Exit { call, why });
    }

    pub(crate) fn go_to(&mut self, now: Time, call: u64, queue: &Arc<str>, out: &mut Vec<Output>) {
        if !self.calls.contains_key(&call) {
            return;
        }
        let Some(index) = self.queue_of.get(queue).copied() else {
            return self.exit(now, call, Exit::UnknownQueue, out);
        };
        let Some(mut caller) = self.take_out(call) else {
            return;
        };
        for offer in std::mem::take(&mut caller.offers) {
            self.withdraw(now, offer, Withdrawn::Moved, out);
        }
        (caller.queue, caller.joined) = (index, now);
        self.calls.insert(call, caller);
        self.set_timers(now, call);
    }

    pub(crate) fn announce(&mut self, now: Time, call: u64, out: &mut Vec<Output>) {
        let Some(caller) = self.calls.get(&call) else {
            return;
        };
        if let Some(every) = self.queues[caller.queue].plan.announce.every {
            self.timers.set(Timer::Announce(call), now + every);
        }
        let ahead = self.line(now, caller.queue).iter().take_while(|one| **one != call).count();
        let position = u32::try_from(ahead).unwrap_or(u32::MAX).saturating_add(1);
        out.push(Output::Announce { call, position, estimate: None });
    }

    pub(crate) fn reconfigure(&mut self, now: Time, plan: Plan, out: &mut Vec<Output>) {
        let names: BTreeSet<Arc<str>> = plan.queues.iter().map(|queue| Arc::clone(&queue.name)).collect();
        let gone = |call: &&Call| !names.contains(&self.queues[call.queue].plan.name);
        let gone: Vec<u64> = self.calls.values().filter(gone).map(|call| call.id).collect();
        for call in gone {
            self.exit(now, call, Exit::UnknownQueue, out);
        }
        let of_call: Vec<(u64, Arc<str>)> = self
            .calls
            .values()
            .map(|call| (call.id, Arc::clone(&self.queues[call.queue].plan.name)))
            .collect();
        for agent in plan.agents {
            let index = *self.agent_of.entry(Arc::clone(&agent.name)).or_insert_with(|| {
                self.agents.push(Agent::new(now, agent.name));
                self.agents.len() - 1
            });
            self.agents[index].skills = agent.skills;
        }
        self.queues.clear();
        self.queue_of.clear();
        for plan in plan.queues {
            let member = |member: &crate::plan::Member| {
                let agent = *self.agent_of.get(&member.agent)?;
                Some(Place { agent, tier: member.tier, weight: member.weight })
            };
            let members = plan.members.iter().filter_map(member).collect();
            self.queue_of.insert(Arc::clone(&plan.name), self.queues.len());
            self.queues.push(Queue { plan, members });
        }
        for (call, queue) in of_call {
            if let Some(call) = self.calls.get_mut(&call) {
                call.queue = self.queue_of[&queue];
            }
        }
        let lost: Vec<u64> = self
            .offers
            .iter()
            .filter(|(_, offer)| !self.is_member(offer.agent, offer.call))
            .map(|(number, _)| *number)
            .collect();
        for offer in lost {
            self.withdraw(now, offer, Withdrawn::AgentGone, out);
        }
        for index in 0..self.agents.len() {
            if matches!(self.agents[index].activity, Activity::Free) {
                self.show(now, index, AgentWhy::Configured, out);
            }
        }
    }

    fn is_member(&self, agent: usize, call: u64) -> bool {
        self.queues[self.calls[&call].queue].members.iter().any(|place| place.agent == agent)
    }
}
