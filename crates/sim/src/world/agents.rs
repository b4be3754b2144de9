//! An operator and the agents of queues.

use super::World;
use crate::dice::Dice;
use clock::Duration;
use dialplan::AgentAction;
use events::ContactId;
use switch::{AgentOrder, CallerOrder};

impl World {
    /// A supervisor moves a caller that waits, gives it priority, or pulls it.
    pub(super) fn direct_caller(&mut self) -> Result<(), String> {
        let waiting = self.switch.queues(self.now).into_iter().flat_map(|queue| queue.view.waiting);
        let waiting: Vec<_> = waiting.filter(|one| !one.callback).map(|one| one.call).collect();
        if waiting.is_empty() {
            return Ok(());
        }
        let call = self.rng.pick(&waiting);
        let order = match self.rng.below(5) {
            0 => CallerOrder::Move { queue: "all".into() },
            1 => CallerOrder::Move { queue: self.rng.pick(&["line", "nowhere"]).into() },
            2 => CallerOrder::Prioritise { points: 7 },
            _ => CallerOrder::Pull { user: self.rng.pick(&["alice", "bob", "20", "dave"]).into() },
        };
        let mut out = Vec::new();
        let done = self.switch.direct_caller(self.now, ContactId(call), (&order, &"boss".into()), &mut out);
        self.print(|| format!("supervisor: {order} of contact {call}: {done:?}"));
        if done.is_err() && !out.is_empty() {
            return Err(format!("{order} of {call} was refused and has changed something: {out:?}"));
        }
        self.take(out, None, Vec::new())
    }

    pub(super) fn direct_agent(&mut self) -> Result<(), String> {
        let agents = self.switch.agents(self.now);
        let Some(agent) = agents.get(self.rng.below(4) as usize) else { return Ok(()) };
        let agent = agent.view.agent.clone();
        let order = match self.rng.below(7) {
            0 => AgentOrder::Do(AgentAction::LogOut),
            1 | 2 => AgentOrder::LogIn { phone: None },
            3 => AgentOrder::Do(AgentAction::Pause { reason: "lunch".into() }),
            4 => AgentOrder::Do(AgentAction::FinishWrapUp),
            5 => AgentOrder::ExtendWrapUp(Duration::from_secs(3)),
            _ => AgentOrder::Do(AgentAction::Ready),
        };
        let mut out = Vec::new();
        let done = self.switch.direct_agent(self.now, &agent, (order.clone(), &"boss".into()), &mut out);
        self.print(|| format!("operator: {order:?} of agent {agent}: {done:?}"));
        if done.is_err() && !out.is_empty() {
            return Err(format!("{order:?} of {agent} was refused and has changed something: {out:?}"));
        }
        self.take(out, None, Vec::new())
    }
}
