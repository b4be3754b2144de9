//! Brings callers and agents together.

use crate::Acd;
use crate::call::{self, Class, Rank};
use crate::words::Output;
use clock::Time;
use std::collections::BTreeMap;

impl Acd {
    /// Offers callers to agents until there is no caller for whom an agent is free. Only what is fresh can have changed that:
    /// classes of callers that are open to more agents or have one more caller, and agents who have become free.
    pub(crate) fn settle(&mut self, now: Time, out: &mut Vec<Output>) {
        // The first caller of each class for which somebody may be free now, in the order across queues. All of a class
        // may be offered to the same agents: if there is none for its first, there is none for the others.
        let mut heads: BTreeMap<Rank, (usize, Class)> = BTreeMap::new();
        for (queue, class) in std::mem::take(&mut self.fresh_classes) {
            self.put_head(now, queue, class, &mut heads);
        }
        for index in std::mem::take(&mut self.fresh_agents) {
            let agent = &self.agents[index];
            for seat in if agent.is_idle() { &agent.seats[..] } else { &[] } {
                let skills = &self.profiles[agent.profile];
                for class in self.queues[seat.queue].servable(index, skills, seat.place) {
                    self.put_head(now, seat.queue, class.clone(), &mut heads);
                }
            }
        }
        while let Some(((.., caller), (queue, class))) = heads.pop_first() {
            if self.place(now, caller, out) {
                self.put_head(now, queue, class, &mut heads);
            }
        }
    }

    fn put_head(&self, now: Time, number: usize, class: Class, heads: &mut BTreeMap<Rank, (usize, Class)>) {
        let queue = &self.queues[number];
        if let Some(key) = queue.index.hungry.get(&class).and_then(|callers| callers.first()) {
            heads.insert(call::rank(now, &queue.plan, key), (number, class));
        }
    }

    /// Offers a caller to as many agents as it may be offered to; whether it needs no more.
    fn place(&mut self, now: Time, call: u64, out: &mut Vec<Output>) -> bool {
        while self.calls.get(&call).is_some_and(|caller| matches!(caller.indexed, Some((_, Some(_))))) {
            let Some((agent, why)) = self.choose(now, call) else {
                return false;
            };
            self.offer(now, call, agent, why, out);
        }
        true
    }
}
