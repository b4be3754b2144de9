//! Whose an agent's hours are.

use figures::Visit;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// How long each agent was busy with the visits of each client, in milliseconds.
///
/// An agent's time logged in is shared among clients as its talk, hold and wrap-up with their visits of the same month are. One that
/// has handled nothing is shared equally among the clients whose queues it serves. The shares of all clients are the whole, to the
/// millisecond.
#[derive(Clone, Debug, Default)]
pub struct Shares {
    handled: HashMap<Arc<str>, BTreeMap<Arc<str>, u64>>,
}

impl Shares {
    /// Takes a visit of any client.
    pub fn visit(&mut self, visit: &Visit) {
        let (Some(agent), Some(handling)) = (visit.agent(), visit.handling()) else { return };
        let of_agent = self.handled.entry(Arc::clone(agent)).or_default();
        *of_agent.entry(Arc::clone(&visit.client)).or_default() +=
            handling.talk + handling.hold + handling.wrap_up;
    }

    /// What of an agent's time is a client's. `serves` names the clients in whose queues the agent is.
    pub fn of(&self, agent: &str, client: &str, millis: u64, serves: &[Arc<str>]) -> u64 {
        let handled = self.handled.get(agent).filter(|handled| handled.values().any(|millis| *millis > 0));
        let equally = || serves.iter().map(|client| (Arc::clone(client), 1)).collect();
        let weights: BTreeMap<Arc<str>, u64> = handled.cloned().unwrap_or_else(equally);
        let whole: u64 = weights.values().sum();
        let Some(own) = weights.get(client) else { return 0 };
        let before: u64 =
            weights.iter().take_while(|(other, _)| ***other < *client).map(|(_, weight)| weight).sum();
        // Cut where the sums are rounded, so that nothing is lost between two clients.
        let cut = |sum: u64| {
            u64::try_from(u128::from(millis) * u128::from(sum) / u128::from(whole.max(1))).unwrap_or(0)
        };
        cut(before + own) - cut(before)
    }
}
