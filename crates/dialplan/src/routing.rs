//! How calls find their way out by a trunk.

use clock::Duration;
use std::ops::RangeInclusive;

/// How a trunk's calls find their way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routing {
    /// After which refusals the next target or trunk is tried.
    pub failover_on: Causes,
    /// When a target that has said nothing at all is given up.
    pub respond_within: Duration,
    /// How it is seen whether targets live, if at all.
    pub health: Option<Health>,
}

/// Each target is asked by OPTIONS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// How often.
    pub every: Duration,
    /// A target is taken for dead after so many failures in a row,
    pub down_after: u32,
    /// and for alive after so many answers.
    pub up_after: u32,
}

impl Default for Health {
    fn default() -> Self {
        Self { every: Duration::from_secs(30), down_after: 2, up_after: 2 }
    }
}

impl Default for Routing {
    /// 408 and 5xx lead on: what the callee itself says, 486 or 603, 404, 480, never does. A target has 4 seconds.
    fn default() -> Self {
        Self {
            failover_on: Causes::new(vec![408..=408, 500..=599]),
            respond_within: Duration::from_secs(4),
            health: Some(Health::default()),
        }
    }
}

/// A set of final SIP statuses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Causes(Vec<RangeInclusive<u16>>);

impl Causes {
    /// The statuses of all these ranges.
    pub fn new(ranges: Vec<RangeInclusive<u16>>) -> Self {
        Self(ranges)
    }

    /// Whether a status is one of them.
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }
}
