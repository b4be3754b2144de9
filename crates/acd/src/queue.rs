//! One queue: its plan, and its members by number.

use crate::plan::QueuePlan;

#[derive(Clone, Debug)]
pub(crate) struct Queue {
    pub(crate) plan: QueuePlan,
    /// The agents of the plan's members, as far as there are such.
    pub(crate) members: Vec<Place>,
}

/// An agent in a queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) agent: usize,
    pub(crate) tier: u8,
    pub(crate) weight: u32,
}
