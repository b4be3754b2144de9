//! Brings callers and agents together.

use crate::Acd;
use crate::call::{self, Class, Rank};
use crate::words::Output;
use clock::Time;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// If more agents than this have become free at once, the first callers of all classes are looked at, instead of the first
/// caller for each agent.
const MANY: usize = 8;

/// Whose turn it may be.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Head {
    /// The first caller of a class in a queue. All of a class may be offered to the same agents: if there is none for its first,
    /// there is none for the others.
    OfClass(usize, Class),
    /// The first caller of all who may be offered to an agent.
    OfAgent(usize),
}

type Heads = BinaryHeap<Reverse<(Rank, Head)>>;

impl Acd {
    /// Offers callers to agents until there is no caller for whom an agent is free. Only what is fresh can have changed that:
    /// classes of callers that are open to more agents or have one more caller, and agents who have become free.
    pub(crate) fn settle(&mut self, now: Time, out: &mut Vec<Output>) {
        let mut heads = Heads::new();
        let agents = std::mem::take(&mut self.fresh_agents);
        let mut classes = std::mem::take(&mut self.fresh_classes);
        if agents.len() > MANY {
            let all = (0..)
                .zip(&self.queues)
                .flat_map(|(number, queue)| queue.index.hungry.keys().map(move |class| (number, class)));
            classes.extend(all.map(|(queue, class)| (queue, class.clone())));
        } else {
            heads.extend(agents.into_iter().filter_map(|agent| self.first_for(now, agent)));
        }
        heads.extend(classes.into_iter().filter_map(|(queue, class)| self.first_of(now, queue, class)));
        while let Some(Reverse(((.., caller), head))) = heads.pop() {
            match head {
                Head::OfClass(queue, class) => {
                    if self.place(now, caller, out) {
                        heads.extend(self.first_of(now, queue, class));
                    }
                }
                Head::OfAgent(agent) if self.agents[agent].is_idle() => {
                    self.place(now, caller, out);
                    heads.extend(self.first_for(now, agent));
                }
                Head::OfAgent(_) => {}
            }
        }
    }

    fn first_of(&self, now: Time, number: usize, class: Class) -> Option<Reverse<(Rank, Head)>> {
        let queue = &self.queues[number];
        let key = queue.index.hungry.get(&class)?.first()?;
        Some(Reverse((call::rank(now, &queue.plan, key), Head::OfClass(number, class))))
    }

    fn first_for(&self, now: Time, index: usize) -> Option<Reverse<(Rank, Head)>> {
        let agent = &self.agents[index];
        let seats = if agent.is_idle() { &agent.seats[..] } else { &[] };
        let skills = &self.profiles[agent.profile];
        let first = seats
            .iter()
            .filter_map(|seat| self.queues[seat.queue].first_for(now, index, skills, seat.place))
            .min()?;
        Some(Reverse((first, Head::OfAgent(index))))
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
