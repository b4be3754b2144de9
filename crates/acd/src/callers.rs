//! Callers come, go, and go elsewhere.

use crate::call::{Call, Callback};
use crate::queue::Left;
use crate::words::{Entry, Exit, Output, Withdrawn};
use crate::{Acd, Timer};
use clock::{Duration, Time};
use std::sync::Arc;

/// How long a caller is left alone at least between two announcements.
const LEAST_ANNOUNCE: Duration = Duration::from_secs(1);

impl Acd {
    pub(crate) fn enter(&mut self, now: Time, mut entry: Entry, out: &mut Vec<Output>) {
        let call = entry.call;
        if self.calls.contains_key(&call) {
            return;
        }
        let Some(index) = self.queue_of.get(&entry.queue).copied() else {
            return out.push(Output::Exit { call, why: Exit::UnknownQueue });
        };
        if let Some(why) = self.refusal(index, &entry) {
            return out.push(Output::Exit { call, why });
        }
        self.take_old_place(now, index, &mut entry, out);
        let queue = &self.queues[index].plan;
        let announce = queue.announce.first.or(queue.announce.every);
        let held = entry.last_agent.and_then(|(agent, wait)| Some((*self.agent_of.get(&agent)?, now + wait)));
        let able = |agent: usize| {
            let agent = &self.agents[agent];
            let seated = agent.seats.iter().any(|seat| seat.queue == index);
            seated && agent.staffed() && entry.wants.unmet(&agent.skills, 0).is_none()
        };
        let caller = Call {
            id: call,
            queue: index,
            entered: entry.entered.min(now),
            joined: now,
            priority: entry.priority,
            number: entry.number,
            held: held.filter(|(agent, _)| able(*agent)),
            wants: Arc::new(entry.wants),
            callback: entry.callback.then_some(Callback { tries: 0, rests_until: now }),
            offers: Vec::new(),
            rung_since: now,
            tried: None,
            announce: announce.filter(|_| !entry.callback).map(|first| now + first),
            told: None,
            indexed: None,
        };
        self.calls.insert(call, caller);
        self.enter_call(now, call);
    }

    /// Why a caller may not come in.
    fn refusal(&self, index: usize, entry: &Entry) -> Option<Exit> {
        let queue = &self.queues[index];
        if entry.callback
            && entry.number.as_ref().is_none_or(|number| queue.index.callbacks.contains_key(number))
        {
            return Some(Exit::Duplicate);
        }
        let absent = !queue.plan.join_unless.is_never() && queue.index.here_to_join == 0;
        if absent && !entry.callback {
            return Some(Exit::NoAgents);
        }
        let full = queue.plan.max_length.is_some_and(|max| queue.index.line.len() >= max as usize);
        full.then_some(Exit::Full)
    }

    /// Who hung up a short while ago, or is to be called back and calls itself, has its place.
    fn take_old_place(&mut self, now: Time, index: usize, entry: &mut Entry, out: &mut Vec<Output>) {
        let Some(number) = entry.number.clone() else {
            return;
        };
        if let Some(left) = self.queues[index].kept(now, &number) {
            entry.entered = entry.entered.min(left.entered);
            entry.priority = entry.priority.max(left.priority);
        }
        let ghost = self.queues[index].index.callbacks.get(&number).and_then(|ghost| self.calls.get(ghost));
        // One who is being called at this moment is left to that call.
        if let Some(ghost) = ghost.filter(|ghost| ghost.offers.is_empty()) {
            entry.entered = entry.entered.min(ghost.entered);
            entry.priority = entry.priority.max(ghost.priority);
            let ghost = ghost.id;
            self.exit(now, ghost, Exit::CalledAgain, out);
        }
    }

    /// Sets the deadlines of a caller, but for those of its index.
    pub(crate) fn set_call_timers(&mut self, call: u64) {
        let Some(caller) = self.calls.get(&call).filter(|caller| caller.callback.is_none()) else {
            return;
        };
        let queue = &self.queues[caller.queue];
        if let Some(due) = caller.due(&queue.plan) {
            self.timers.set(Timer::MaxWait(call), due);
        }
        if let Some(until) = self.leaves_at(caller) {
            self.timers.set(Timer::NoAgents(call), until);
        }
        if let Some(at) = caller.announce {
            self.timers.set(Timer::Announce(call), at);
        }
    }

    /// A caller has waited for as long as it may: it leaves, or once nobody is rung for it any more.
    pub(crate) fn waited_out(&mut self, now: Time, call: u64, out: &mut Vec<Output>) {
        if self.calls.get(&call).is_some_and(|caller| caller.offers.is_empty()) {
            self.exit(now, call, Exit::MaxWait, out);
        }
    }

    /// When a caller leaves if nobody comes until then who is there for it.
    fn leaves_at(&self, caller: &Call) -> Option<Time> {
        let queue = &self.queues[caller.queue];
        let since = queue.deserted?.max(caller.joined);
        Some(since + queue.plan.no_agents_wait.unwrap_or_default())
    }

    /// Nobody has been there for a caller for as long as it may wait for agents, unless somebody came meanwhile.
    pub(crate) fn no_agents(&mut self, now: Time, call: u64, out: &mut Vec<Output>) {
        let Some(caller) = self.calls.get(&call) else {
            return;
        };
        match self.leaves_at(caller) {
            Some(until) if until <= now => self.exit(now, call, Exit::NoAgents, out),
            Some(until) => self.timers.set(Timer::NoAgents(call), until),
            None => {}
        }
    }

    /// Takes a caller out of its queue, with the offers that it still had.
    pub(crate) fn take_out(&mut self, call: u64) -> Option<Call> {
        for timer in [Timer::MaxWait(call), Timer::NoAgents(call), Timer::Widen(call), Timer::Announce(call)]
        {
            self.timers.cancel(timer);
        }
        self.unindex(call);
        let caller = self.calls.remove(&call)?;
        let queue = &mut self.queues[caller.queue];
        if let (Some(_), Some(number)) = (caller.callback, &caller.number) {
            queue.index.callbacks.remove(number);
        }
        if queue.index.line.is_empty() {
            queue.pace.pause();
        }
        Some(caller)
    }

    /// A caller hung up: its place is kept for a while.
    pub(crate) fn abandon(&mut self, now: Time, call: u64, out: &mut Vec<Output>) {
        if let Some(Call { queue, entered, priority, number: Some(number), callback: None, .. }) =
            self.calls.get(&call)
            && let Some(within) = self.queues[*queue].plan.returning
        {
            let left = Left { entered: *entered, priority: *priority, until: now + within };
            self.queues[*queue].keep(now, number, left);
        }
        self.leave(now, call, out);
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
        let Some(caller) = self.calls.get(&call) else {
            return;
        };
        let Some(index) = self.queue_of.get(queue).copied() else {
            return self.exit(now, call, Exit::UnknownQueue, out);
        };
        let second = caller
            .number
            .as_ref()
            .is_some_and(|number| self.queues[index].index.callbacks.contains_key(number));
        if caller.callback.is_some() && second {
            return self.exit(now, call, Exit::Duplicate, out);
        }
        let Some(mut caller) = self.take_out(call) else {
            return;
        };
        for offer in std::mem::take(&mut caller.offers) {
            self.withdraw(now, offer, Withdrawn::Moved, out);
        }
        let plan = &self.queues[index].plan.announce;
        let announce =
            plan.first.or(plan.every).filter(|_| caller.callback.is_none()).map(|first| now + first);
        let caller =
            Call { queue: index, joined: now, held: None, tried: None, told: None, announce, ..caller };
        self.calls.insert(call, caller);
        self.enter_call(now, call);
    }

    pub(crate) fn prioritise(&mut self, now: Time, call: u64, priority: i32) {
        if let Some(caller) = self.calls.get_mut(&call) {
            caller.priority = priority;
            self.reindex(now, call);
        }
    }

    pub(crate) fn announce(&mut self, now: Time, call: u64, out: &mut Vec<Output>) {
        let Some(caller) = self.calls.get_mut(&call) else {
            return;
        };
        let queue = &self.queues[caller.queue];
        caller.announce = queue.plan.announce.every.map(|every| now + every.max(LEAST_ANNOUNCE));
        if let Some(at) = caller.announce {
            self.timers.set(Timer::Announce(call), at);
        }
        let position = queue.ahead(&caller.key(&queue.plan)).saturating_add(1);
        let estimate = queue.tell(caller, position);
        out.push(Output::Announce { call, position, estimate });
    }
}
