//! One who waits.

use crate::plan::QueuePlan;
use crate::words::Wants;
use clock::{Duration, Time};
use std::cmp::Reverse;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) id: u64,
    pub(crate) queue: usize,
    /// Since when it counts as waiting.
    pub(crate) entered: Time,
    /// When it came into this queue.
    pub(crate) joined: Time,
    pub(crate) priority: i32,
    pub(crate) wants: Arc<Wants>,
    pub(crate) callback: bool,
    /// The offers that it has.
    pub(crate) offers: Vec<u64>,
}

/// Who is next: priority with what was gained by waiting, in millionths of a point times a minute, then the weight of the queue,
/// then who came first.
pub(crate) type Rank = (Reverse<i128>, Reverse<i32>, Time, u64);

impl Call {
    /// Its priority with what it has gained by waiting; 60,000,000 are a point.
    pub(crate) fn standing(&self, now: Time, plan: &QueuePlan) -> i128 {
        let waited = i128::from(u64::try_from((now - self.entered).as_micros()).unwrap_or(u64::MAX));
        i128::from(self.priority) * 60_000_000 + i128::from(plan.ageing) * waited
    }

    pub(crate) fn rank(&self, now: Time, plan: &QueuePlan) -> Rank {
        (Reverse(self.standing(now, plan)), Reverse(plan.weight), self.entered, self.id)
    }

    pub(crate) fn waited(&self, now: Time) -> Duration {
        now - self.entered
    }
}
