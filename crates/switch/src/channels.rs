//! The calls that each party has up, and how many more a trunk may carry.

use crate::rate::{Bucket, Limit};
use clock::Time;
use dialplan::{Bound, Trunk};
use events::{Direction, Party};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Seconds after which a caller may try again: calls end seldom, and a second is soon over.
const RETRY_AFTER_CALLS: &str = "5";
const RETRY_AFTER_PACE: &str = "1";

/// Legs of trunks and users; a leg to a plain URI is nobody's.
#[derive(Default)]
pub(crate) struct Channels {
    legs: HashMap<Party, Legs>,
    /// How fast calls came and went, of trunks whose plan bounds it.
    paces: HashMap<Arc<str>, Paces>,
    /// How fast calls came to the node.
    node: Bucket,
}

/// Legs by direction, seen from the switch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Legs {
    pub(crate) inbound: u32,
    pub(crate) outbound: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Paces {
    total: Bucket,
    inbound: Bucket,
    outbound: Bucket,
}

/// A limit that keeps a call out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full {
    bound: u32,
    of: Of,
    /// `None`: of both directions together.
    direction: Option<Direction>,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Calls,
    PerSecond,
}

impl Channels {
    pub(crate) fn join(&mut self, party: &Party, direction: Direction) {
        if *party != Party::Uri {
            *self.legs.entry(party.clone()).or_default().of(direction) += 1;
        }
    }

    pub(crate) fn leave(&mut self, party: &Party, direction: Direction) {
        if let Some(legs) = self.legs.get_mut(party) {
            *legs.of(direction) -= 1;
            if *legs == Legs::default() {
                self.legs.remove(party);
            }
        }
    }

    /// All legs.
    pub(crate) fn count(&self) -> usize {
        self.legs.values().map(|legs| legs.total() as usize).sum()
    }

    /// Legs of a trunk.
    pub(crate) fn of_trunk(&self, trunk: &Arc<str>) -> Legs {
        self.legs.get(&Party::Trunk(Arc::clone(trunk))).copied().unwrap_or_default()
    }

    /// Whether a trunk may carry one more call, which counts to its pace from now on.
    pub(crate) fn admit(&mut self, now: Time, trunk: &Trunk, direction: Direction) -> Result<(), Full> {
        let limits = &trunk.limits;
        let legs = self.of_trunk(&trunk.name);
        let (own, up) = match direction {
            Direction::Inbound => (limits.inbound, legs.inbound),
            Direction::Outbound => (limits.outbound, legs.outbound),
        };
        has_channel(own, up, Some(direction))?;
        has_channel(limits.total, legs.total(), None)?;
        if own.per_second.is_none() && limits.total.per_second.is_none() {
            return Ok(());
        }
        let paces = self.paces.entry(Arc::clone(&trunk.name)).or_default();
        let bucket = match direction {
            Direction::Inbound => &mut paces.inbound,
            Direction::Outbound => &mut paces.outbound,
        };
        // No bucket loses a token unless all have one.
        let own = after(*bucket, now, own, Some(direction))?;
        let total = after(paces.total, now, limits.total, None)?;
        (*bucket, paces.total) = (own, total);
        Ok(())
    }

    /// Whether the node may take one more call from outside, which counts to its pace from now on.
    pub(crate) fn admit_to_node(&mut self, now: Time, per_second: Option<u32>) -> Result<(), Full> {
        let bound = Bound { calls: None, per_second };
        self.node = after(self.node, now, bound, Some(Direction::Inbound))?;
        Ok(())
    }

    /// Trunks that are no longer in the plan have no pace.
    pub(crate) fn retain(&mut self, is_planned: impl Fn(&str) -> bool) {
        self.paces.retain(|trunk, _| is_planned(trunk));
    }
}

impl Legs {
    pub(crate) fn total(self) -> u32 {
        self.inbound + self.outbound
    }

    fn of(&mut self, direction: Direction) -> &mut u32 {
        match direction {
            Direction::Inbound => &mut self.inbound,
            Direction::Outbound => &mut self.outbound,
        }
    }
}

fn has_channel(bound: Bound, up: u32, direction: Option<Direction>) -> Result<(), Full> {
    match bound.calls {
        Some(calls) if up >= calls => Err(Full { bound: calls, of: Of::Calls, direction }),
        _ => Ok(()),
    }
}

/// The bucket after one more call; calls of a whole second may come at once.
fn after(bucket: Bucket, now: Time, bound: Bound, direction: Option<Direction>) -> Result<Bucket, Full> {
    let Some(per_second) = bound.per_second else { return Ok(bucket) };
    let limit = Limit { per_second, burst: per_second };
    bucket.after(now, limit).ok_or(Full { bound: per_second, of: Of::PerSecond, direction })
}

impl Full {
    /// Seconds, as Retry-After has them.
    pub(crate) const fn retry_after(self) -> &'static str {
        match self.of {
            Of::Calls => RETRY_AFTER_CALLS,
            Of::PerSecond => RETRY_AFTER_PACE,
        }
    }
}

impl fmt::Display for Full {
    /// `limit of 30 outbound calls`, `limit of 5 calls a second`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = match self.direction {
            Some(Direction::Inbound) => "inbound ",
            Some(Direction::Outbound) => "outbound ",
            None => "",
        };
        let calls = if self.bound == 1 { "call" } else { "calls" };
        let a_second = if self.of == Of::PerSecond { " a second" } else { "" };
        write!(f, "limit of {} {direction}{calls}{a_second}", self.bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dialplan::TrunkLimits;

    fn trunk(limits: TrunkLimits) -> Trunk {
        Trunk { limits, ..Trunk::named("carrier") }
    }

    fn calls(calls: u32) -> Bound {
        Bound { calls: Some(calls), per_second: None }
    }

    fn a_second(per_second: u32) -> Bound {
        Bound { calls: None, per_second: Some(per_second) }
    }

    /// Lets as many calls up as may be; what kept the next one out.
    fn fill(channels: &mut Channels, trunk: &Trunk, direction: Direction) -> (u32, String) {
        let party = Party::Trunk(Arc::clone(&trunk.name));
        for count in 0..100 {
            match channels.admit(Time::from_secs(1), trunk, direction) {
                Ok(()) => channels.join(&party, direction),
                Err(full) => return (count, full.to_string()),
            }
        }
        (100, String::new())
    }

    #[test]
    fn a_direction_has_its_own_limit_within_that_of_both() {
        let limits = TrunkLimits { total: calls(5), outbound: calls(3), inbound: Bound::default() };
        let (trunk, mut channels) = (trunk(limits), Channels::default());
        let (placed, full) = fill(&mut channels, &trunk, Direction::Outbound);
        assert_eq!((placed, full.as_str()), (3, "limit of 3 outbound calls"));
        let (taken, full) = fill(&mut channels, &trunk, Direction::Inbound);
        assert_eq!((taken, full.as_str()), (2, "limit of 5 calls"));

        channels.leave(&Party::Trunk("carrier".into()), Direction::Outbound);
        assert_eq!(fill(&mut channels, &trunk, Direction::Outbound).0, 1);
        assert_eq!(channels.of_trunk(&"carrier".into()), Legs { inbound: 2, outbound: 3 });
    }

    #[test]
    fn a_call_that_one_pace_keeps_out_costs_the_other_nothing() {
        let limits = TrunkLimits { total: a_second(4), outbound: a_second(1), inbound: Bound::default() };
        let (trunk, mut channels) = (trunk(limits), Channels::default());
        let (placed, full) = fill(&mut channels, &trunk, Direction::Outbound);
        assert_eq!((placed, full.as_str()), (1, "limit of 1 outbound call a second"));
        let (taken, full) = fill(&mut channels, &trunk, Direction::Inbound);
        assert_eq!((taken, full.as_str()), (3, "limit of 4 calls a second"));
        let later = Time::from_secs(2);
        assert_eq!(channels.admit(later, &trunk, Direction::Inbound), Ok(()), "a second later");
    }

    #[test]
    fn legs_that_end_leave_nothing_behind() {
        let mut channels = Channels::default();
        let user = Party::User("alice".into());
        channels.join(&user, Direction::Inbound);
        channels.join(&user, Direction::Outbound);
        assert_eq!(channels.count(), 2);
        channels.leave(&user, Direction::Inbound);
        channels.leave(&user, Direction::Outbound);
        assert_eq!((channels.count(), channels.legs.len()), (0, 0));
    }
}
