//! A new plan, while callers wait and agents talk.

use crate::Acd;
use crate::agent::{Activity, Agent};
use crate::plan::{Plan, QueuePlan};
use crate::queue::Queue;
use crate::words::{AgentState, AgentWhy, Exit, Output, Withdrawn};
use clock::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Acd {
    pub(crate) fn reconfigure(&mut self, now: Time, plan: Plan, out: &mut Vec<Output>) {
        let members: BTreeMap<&str, BTreeSet<&str>> = plan
            .queues
            .iter()
            .map(|queue| (&*queue.name, queue.members.iter().map(|one| &*one.agent).collect()))
            .collect();
        let agents: BTreeSet<&str> = plan.agents.iter().map(|agent| &*agent.name).collect();
        let name_of = |queue: usize| &*self.queues[queue].plan.name;
        let homeless: Vec<u64> = self
            .calls
            .values()
            .filter(|call| !members.contains_key(name_of(call.queue)))
            .map(|call| call.id)
            .collect();
        let stays = |agent: usize, queue: usize| {
            let name = &*self.agents[agent].name;
            agents.contains(name) && members.get(name_of(queue)).is_some_and(|members| members.contains(name))
        };
        let lost = self.offers.iter().filter(|(_, offer)| !stays(offer.agent, self.calls[&offer.call].queue));
        let lost: Vec<u64> = lost.map(|(number, _)| *number).collect();
        for call in homeless {
            self.exit(now, call, Exit::UnknownQueue, out);
        }
        for offer in lost {
            self.withdraw(now, offer, Withdrawn::AgentGone, out);
        }
        let agents = self.replace_agents(now, &plan, out);
        let queues = self.replace_queues(plan.queues);
        for call in self.calls.values_mut() {
            call.queue = queues[&call.queue];
            call.held = call.held.and_then(|(agent, until)| Some((*agents.get(&agent)?, until)));
            call.tried = None;
        }
        for offer in self.offers.values_mut() {
            offer.agent = agents[&offer.agent];
        }
        self.rebuild(now);
        self.free_held();
        for index in 0..self.agents.len() {
            self.refresh(now, index, AgentWhy::Configured, out);
        }
    }

    /// Agents in the order of the plan; those who are no longer in it stay while they talk. The new number of each old one.
    fn replace_agents(&mut self, now: Time, plan: &Plan, out: &mut Vec<Output>) -> BTreeMap<usize, usize> {
        let mut old: BTreeMap<Arc<str>, (usize, Agent)> = std::mem::take(&mut self.agents)
            .into_iter()
            .enumerate()
            .map(|(n, one)| (Arc::clone(&one.name), (n, one)))
            .collect();
        let mut moved = BTreeMap::new();
        let mut known = BTreeSet::new();
        for planned in plan.agents.iter().filter(|agent| known.insert(Arc::clone(&agent.name))) {
            let mut agent = match old.remove(&planned.name) {
                Some((number, agent)) => {
                    moved.insert(number, self.agents.len());
                    agent
                }
                None => Agent::new(now, Arc::clone(&planned.name)),
            };
            agent.skills = planned.skills.clone();
            self.agents.push(agent);
        }
        for (name, (number, mut agent)) in old {
            if matches!(agent.activity, Activity::Talking { .. }) {
                moved.insert(number, self.agents.len());
                agent.logged_in = false;
                self.agents.push(agent);
            } else if agent.shown != AgentState::LoggedOut {
                out.push(Output::Agent {
                    agent: name,
                    state: AgentState::LoggedOut,
                    why: AgentWhy::Configured,
                });
            }
        }
        moved
    }

    /// The queues of the plan, with what those of the same name remember. The new number of each old one.
    fn replace_queues(&mut self, plans: Vec<QueuePlan>) -> BTreeMap<usize, usize> {
        let mut old: BTreeMap<Arc<str>, (usize, Queue)> = std::mem::take(&mut self.queues)
            .into_iter()
            .enumerate()
            .map(|(n, one)| (Arc::clone(&one.plan.name), (n, one)))
            .collect();
        let mut moved = BTreeMap::new();
        let mut known = BTreeSet::new();
        for plan in plans.into_iter().filter(|plan| known.insert(Arc::clone(&plan.name))).collect::<Vec<_>>()
        {
            let queue = match old.remove(&plan.name) {
                Some((number, mut queue)) => {
                    moved.insert(number, self.queues.len());
                    queue.replan(plan);
                    queue
                }
                None => Queue::new(plan),
            };
            self.queues.push(queue);
        }
        moved
    }

    /// Callers kept for agents who are not in the queue any more are for anybody.
    fn free_held(&mut self) {
        let now = self.now;
        let lost = |caller: &&crate::call::Call| {
            caller.held.is_some_and(|(agent, _)| {
                let agent = &self.agents[agent];
                !agent.staffed() || agent.seats.iter().all(|seat| seat.queue != caller.queue)
            })
        };
        let lost: Vec<u64> = self.calls.values().filter(lost).map(|caller| caller.id).collect();
        for call in lost {
            if let Some(caller) = self.calls.get_mut(&call) {
                caller.held = None;
            }
            self.reindex(now, call);
        }
    }
}

impl Queue {
    /// Takes a new plan. Round robin goes on after the agent that was offered last; if that one is gone, after the one
    /// before it.
    fn replan(&mut self, plan: QueuePlan) {
        let stays: BTreeSet<&str> = plan.members.iter().map(|member| &*member.agent).collect();
        let old = &self.plan.members;
        for name in self.last.values_mut() {
            let end = old.iter().position(|member| member.agent == *name).map_or(0, |place| place + 1);
            if let Some(member) = old[..end].iter().rfind(|member| stays.contains(&*member.agent)) {
                *name = Arc::clone(&member.agent);
            }
        }
        self.plan = plan;
    }
}
