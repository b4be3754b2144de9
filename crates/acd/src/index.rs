//! Keeps what is found without a search true to what callers and agents are.

use crate::agent::Marks;
use crate::call::Call;
use crate::words::{AgentWhy, Output};
use crate::{Acd, Timer};
use clock::Time;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Acd {
    /// After anything changed with an agent: says its state if that is another, and enters it in its queues' indexes.
    pub(crate) fn refresh(&mut self, now: Time, index: usize, why: AgentWhy, out: &mut Vec<Output>) {
        let agent = &mut self.agents[index];
        let state = agent.state();
        if state != agent.shown {
            agent.shown = state.clone();
            agent.since = now;
            out.push(Output::Agent { agent: Arc::clone(&agent.name), state, why });
        }
        self.enter_agent(now, index);
    }

    fn enter_agent(&mut self, now: Time, index: usize) {
        let agent = &mut self.agents[index];
        let marks = agent.marks();
        let before = std::mem::replace(&mut agent.indexed, marks);
        if before == marks {
            return;
        }
        let profile = agent.profile;
        let seats = std::mem::take(&mut agent.seats);
        for seat in &seats {
            let queue = &mut self.queues[seat.queue];
            if before.idle != marks.idle {
                if let Some(standing) = before.idle {
                    queue.set_idle(seat.place, profile, standing, false);
                }
                if let Some(standing) = marks.idle {
                    queue.set_idle(seat.place, profile, standing, true);
                }
            }
            self.count(now, seat.queue, seat.place, before, marks);
            if before.staffed && !marks.staffed {
                self.release(now, seat.queue, index);
            }
        }
        self.agents[index].seats = seats;
        if marks.idle.is_some() {
            self.fresh_agents.insert(index);
        }
    }

    /// Counts an agent in one of its queues as what it is now.
    fn count(&mut self, now: Time, number: usize, place: u32, before: Marks, after: Marks) {
        let queue = &mut self.queues[number];
        let index = &mut queue.index;
        let (join, stay) = (queue.plan.join_unless, queue.plan.leave_if);
        let here = |marks: Marks, rule| u32::from(marks.absence.is_some_and(|absence| !absence.meets(rule)));
        index.here_to_join = index.here_to_join + here(after, join) - here(before, join);
        index.here_to_stay = index.here_to_stay + here(after, stay) - here(before, stay);
        index.staffed = index.staffed + u32::from(after.staffed) - u32::from(before.staffed);
        let tier = &mut index.tiers[index.members[place as usize].tier];
        let manned = tier.manned;
        tier.manned = manned + u32::from(after.manned) - u32::from(before.manned);
        if manned > 0 && tier.manned == 0 {
            // The tiers after it are open to more callers.
            self.fresh_classes.extend(queue.index.hungry.keys().map(|class| (number, class.clone())));
        }
        self.watch_desertion(now, number);
    }

    /// Begins or ends the time that a queue has nobody by its `leave_if`.
    pub(crate) fn watch_desertion(&mut self, now: Time, number: usize) {
        let queue = &mut self.queues[number];
        let deserted = !queue.plan.leave_if.is_never() && queue.index.here_to_stay == 0;
        if !deserted {
            queue.deserted = None;
        } else if queue.deserted.is_none() {
            queue.deserted = Some(now);
            let until = now + queue.plan.no_agents_wait.unwrap_or_default();
            for (.., call) in &queue.index.line {
                if self.calls.get(call).is_some_and(|call| call.callback.is_none()) {
                    self.timers.set(Timer::NoAgents(*call), until);
                }
            }
        }
    }

    /// An agent is not there for those who are kept for it: they are for anybody.
    fn release(&mut self, now: Time, queue: usize, agent: usize) {
        let held = self.queues[queue].index.hungry.get(&crate::call::Class::Held(agent));
        let held: Vec<u64> = held.into_iter().flatten().map(|(.., call)| *call).collect();
        for call in held {
            if let Some(caller) = self.calls.get_mut(&call) {
                caller.held = None;
            }
            self.reindex(now, call);
        }
    }

    /// After anything changed with a caller, or time has: enters it in its queue's index.
    pub(crate) fn reindex(&mut self, now: Time, call: u64) {
        let Some(caller) = self.calls.get_mut(&call) else {
            return;
        };
        let number = caller.queue;
        let queue = &mut self.queues[number];
        let tiers = queue.index.tiers.len();
        let entry = (caller.key(&queue.plan), caller.class(now, &queue.plan, tiers));
        match caller.widens(now, &queue.plan, tiers) {
            Some(at) => self.timers.set(Timer::Widen(call), at),
            None => {
                self.timers.cancel(Timer::Widen(call));
            }
        }
        if caller.indexed.as_ref() == Some(&entry) {
            return;
        }
        self.unindex(call);
        let (key, class) = &entry;
        let index = &mut self.queues[number].index;
        index.line.insert(*key);
        if let Some(class) = class {
            index.hungry.entry(class.clone()).or_default().insert(*key);
            self.fresh_classes.insert((number, class.clone()));
        }
        if let Some(caller) = self.calls.get_mut(&call) {
            caller.indexed = Some(entry);
        }
    }

    /// Takes a caller out of its queue's index.
    pub(crate) fn unindex(&mut self, call: u64) {
        let Some(caller) = self.calls.get_mut(&call) else {
            return;
        };
        let Some((key, class)) = caller.indexed.take() else {
            return;
        };
        let index = &mut self.queues[caller.queue].index;
        index.line.remove(&key);
        if let Some(class) = class
            && let Some(keys) = index.hungry.get_mut(&class)
        {
            keys.remove(&key);
            if keys.is_empty() {
                index.hungry.remove(&class);
            }
        }
    }

    /// Builds all indexes and deadlines anew.
    pub(crate) fn rebuild(&mut self, now: Time) {
        self.queue_of = self.queues.iter().map(|queue| Arc::clone(&queue.plan.name)).zip(0..).collect();
        self.agent_of = self.agents.iter().map(|agent| Arc::clone(&agent.name)).zip(0..).collect();
        self.timers = clock::Timers::new();
        let mut profiles = BTreeMap::new();
        for agent in &mut self.agents {
            let next = profiles.len();
            agent.profile = *profiles.entry(agent.skills.clone()).or_insert(next);
            agent.seats.clear();
            agent.indexed = Marks::default();
        }
        let mut numbered: Vec<_> = profiles.into_iter().map(|(skills, number)| (number, skills)).collect();
        numbered.sort_unstable_by_key(|(number, _)| *number);
        self.profiles = numbered.into_iter().map(|(_, skills)| skills).collect();
        for (number, queue) in self.queues.iter_mut().enumerate() {
            queue.seat(&self.agent_of, &mut self.agents, number);
        }
        let deserted: Vec<Option<Time>> = self.queues.iter().map(|queue| queue.deserted).collect();
        for index in 0..self.agents.len() {
            self.enter_agent(now, index);
            self.set_agent_timers(index);
        }
        for (number, deserted) in deserted.into_iter().enumerate() {
            self.watch_desertion(now, number);
            if let Some(since) = &mut self.queues[number].deserted {
                *since = deserted.unwrap_or(now).min(*since);
            }
        }
        for (offer, up) in &self.offers {
            self.timers.set(Timer::Lease(*offer), up.until + crate::offers::GRACE);
        }
        let calls: Vec<u64> = self.calls.keys().copied().collect();
        for call in calls {
            self.enter_call(now, call);
        }
    }

    /// Enters a caller in the index of its queue, and sets its deadlines.
    pub(crate) fn enter_call(&mut self, now: Time, call: u64) {
        if let Some(Call { queue, callback: Some(_), number: Some(number), .. }) = self.calls.get(&call) {
            self.queues[*queue].index.callbacks.insert(Arc::clone(number), call);
        }
        if let Some(caller) = self.calls.get_mut(&call) {
            caller.indexed = None;
        }
        self.reindex(now, call);
        self.set_call_timers(call);
    }
}
