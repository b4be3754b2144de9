//! An operator and the agents of queues.

use super::World;
use crate::dice::Dice;
use clock::Duration;
use dialplan::AgentAction;
use switch::AgentOrder;

impl World {
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
        let done = self.switch.direct_agent(self.now, &agent, order.clone(), &mut out);
        self.print(|| format!("operator: {order:?} of agent {agent}: {done:?}"));
        if done.is_err() && !out.is_empty() {
            return Err(format!("{order:?} of {agent} was refused and has changed something: {out:?}"));
        }
        self.take(out, None, Vec::new())
    }
}
