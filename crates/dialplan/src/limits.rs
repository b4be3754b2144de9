//! How many calls a node or a trunk takes.

use std::ops::RangeInclusive;

/// What the node admits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Calls at once.
    pub calls: u32,
    /// New calls from outside a second; without bound if `None`.
    pub per_second: Option<u32>,
    /// Bounds of a registration's expiry in seconds: below is 423, above is cut (RFC 3261 section 10.2.8).
    pub register_expires: RangeInclusive<u32>,
    /// Subscriptions at once, of phones that watch users or their own messages.
    pub subscriptions: u32,
    /// Bounds of a subscription's expiry in seconds: below is 423, above is cut (RFC 6665 section 4.2.1.1).
    pub subscribe_expires: RangeInclusive<u32>,
}

/// Seconds that a registration or a subscription may last, where nothing is said.
pub(crate) const EXPIRES: RangeInclusive<u32> = 60..=3_600;

impl Default for Limits {
    /// What a node file that says nothing has.
    fn default() -> Self {
        Self {
            calls: 10_000,
            per_second: None,
            register_expires: EXPIRES,
            subscriptions: 50_000,
            subscribe_expires: EXPIRES,
        }
    }
}

/// Calls of one kind that are admitted; without bound where nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bound {
    /// At once.
    pub calls: Option<u32>,
    /// New ones a second.
    pub per_second: Option<u32>,
}

/// What a trunk may carry. A call must find room in its direction and in both together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrunkLimits {
    /// Calls in both directions.
    pub total: Bound,
    /// Calls from it.
    pub inbound: Bound,
    /// Calls to it.
    pub outbound: Bound,
}
