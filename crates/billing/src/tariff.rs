//! What was agreed with a client.

use crate::{Currency, Money};
use figures::{Formula, Level};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// What a client pays, and what that costs who serves it. What is not named is not billed.
#[derive(Clone, Debug, PartialEq)]
pub struct Tariff {
    /// Of all its amounts.
    pub currency: Currency,
    /// Calls that come in by trunks, by the number called.
    pub inbound: Option<Calls>,
    /// Calls that go out by trunks, by the number's prefix.
    pub outbound: Option<Calls>,
    /// Each caller that an agent has had from a queue, by the queue's name.
    pub handled: BTreeMap<Arc<str>, Each>,
    /// Each hour in which an agent is logged in.
    pub hour: Option<Each>,
    /// Each contact of which an agent has noted a result, by that.
    pub sales: BTreeMap<Arc<str>, Each>,
    /// What is taken off where queues are answered later than was agreed.
    pub penalties: Vec<Penalty>,
}

/// Rates of calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Of those that nothing else is said of. Without it such a call has no price, and a draft says so.
    pub usual: Option<Rates>,
    /// By number, or by prefix, both with `+`: of prefixes the longest counts.
    pub of: BTreeMap<Arc<str>, Rates>,
}

/// What a call is sold for, and what it costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// To the client.
    pub price: Rate,
    /// To who serves it; nothing where nothing is said.
    pub cost: Rate,
}

/// What a call comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// A minute.
    pub minute: Money,
    /// Once a call that is answered.
    pub connect: Money,
    /// The least that such a call comes to.
    pub minimum: Money,
    /// Seconds that are counted at least.
    pub first: u32,
    /// Seconds in which it is counted behind them.
    pub next: u32,
}

/// What one of something is sold for, and what it costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Each {
    /// To the client.
    pub price: Money,
    /// To who serves it; nothing where nothing is said.
    pub cost: Money,
}

/// What a client need not pay when a queue's service level of the month is below its target.
#[derive(Clone, Debug, PartialEq)]
pub struct Penalty {
    /// The queue's name.
    pub queue: Arc<str>,
    /// In the place of the queue's own.
    pub formula: Option<Formula>,
    /// Likewise, in milliseconds.
    pub within: Option<u64>,
    /// Likewise, 0 to 1.
    pub target: Option<f64>,
    /// How much.
    pub deduction: Deduction,
}

/// How much is taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deduction {
    /// So many ten-thousandths of what the month comes to without penalties.
    Share(u32),
    /// So much.
    Amount(Money),
}

impl Default for Rate {
    /// Nothing, by the second.
    fn default() -> Self {
        Self { minute: Money::ZERO, connect: Money::ZERO, minimum: Money::ZERO, first: 1, next: 1 }
    }
}

impl Rate {
    /// The seconds that an answered call of so many milliseconds is counted as.
    pub fn seconds(&self, millis: u64) -> u64 {
        let (seconds, first, next) =
            (millis.div_ceil(1_000), u64::from(self.first), u64::from(self.next.max(1)));
        first + seconds.saturating_sub(first).div_ceil(next) * next
    }

    /// What such a call comes to.
    pub fn amount(&self, millis: u64) -> Money {
        let talked = self.connect + self.minute.times(self.seconds(millis), 60);
        talked.max(self.minimum)
    }
}

/// `0.03 a minute, 30/6, 0.10 a call, at least 0.12`
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { minute, connect, minimum, first, next } = self;
        write!(f, "{minute} a minute, {first}/{next}")?;
        if *connect != Money::ZERO {
            write!(f, ", {connect} a call")?;
        }
        if *minimum != Money::ZERO {
            write!(f, ", at least {minimum}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Each {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.price.fmt(f)
    }
}

impl Calls {
    /// The rates of a number that was called, and what they stand under.
    pub(crate) fn of_number(&self, number: &str) -> Option<(&str, &Rates)> {
        let digits = number.trim_start_matches('+');
        let own = self.of.iter().find(|(known, _)| known.trim_start_matches('+') == digits);
        own.map(|(known, rates)| (&**known, rates)).or_else(|| self.other())
    }

    /// The rates of a number in E.164, and what they stand under. Services and extensions have no prefix.
    pub(crate) fn of_prefix(&self, number: &str) -> Option<(&str, &Rates)> {
        let fitting = self.of.iter().filter(|(prefix, _)| number.starts_with(&***prefix));
        let longest = fitting.max_by_key(|(prefix, _)| prefix.len());
        longest.map(|(prefix, rates)| (&**prefix, rates)).or_else(|| self.other())
    }

    fn other(&self) -> Option<(&str, &Rates)> {
        self.usual.as_ref().map(|rates| (OTHERS, rates))
    }
}

/// What the line of all other numbers is of.
const OTHERS: &str = "other numbers";

impl Penalty {
    /// What the queue is held against: its own service level, but for what the penalty says.
    pub fn level(&self, own: &Level) -> Level {
        Level {
            formula: self.formula.unwrap_or(own.formula),
            within: self.within.unwrap_or(own.within),
            target: self.target.unwrap_or(own.target),
            short_abandon: own.short_abandon,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(first: u32, next: u32) -> Rate {
        Rate { minute: "0.06".parse().expect("money"), first, next, ..Rate::default() }
    }

    #[test]
    fn increments_are_counted_as_carriers_do() {
        for (first, next, millis, seconds) in [
            (60, 60, 1, 60),
            (60, 60, 60_000, 60),
            (60, 60, 60_001, 120),
            (30, 6, 10_000, 30),
            (30, 6, 30_001, 36),
            (30, 6, 36_000, 36),
            (30, 6, 37_000, 42),
            (1, 1, 0, 1),
            (1, 1, 61_200, 62),
        ] {
            assert_eq!(rate(first, next).seconds(millis), seconds, "{first}/{next} of {millis}");
        }
        let minimum = Rate {
            connect: "0.05".parse().expect("money"),
            minimum: "0.10".parse().expect("money"),
            ..rate(1, 1)
        };
        assert_eq!(minimum.amount(10_000).to_string(), "0.10", "0.05 + 0.01 is less");
        assert_eq!(minimum.amount(90_000).to_string(), "0.14");
    }

    #[test]
    fn of_prefixes_the_longest_counts_and_services_have_none() {
        let of = ["+34", "+346", "+1"].map(|prefix| (Arc::from(prefix), Rates::default()));
        let calls = Calls { usual: None, of: of.into() };
        let under = |number: &str| calls.of_prefix(number).map(|(under, _)| under.to_owned());
        assert_eq!(under("+34600111222").as_deref(), Some("+346"));
        assert_eq!(under("+34911000100").as_deref(), Some("+34"));
        assert_eq!((under("112"), under("+4930123")), (None, None));
        let calls = Calls { usual: Some(Rates::default()), ..calls };
        assert_eq!(calls.of_prefix("112").map(|(under, _)| under), Some(OTHERS));
        assert_eq!(
            calls.of_number("34").map(|(under, _)| under),
            Some("+34"),
            "a number with or without its plus"
        );
    }

    proptest! {
        #[test]
        fn nothing_is_counted_for_less_than_it_lasted_nor_for_an_increment_more(
            first in 1..300_u32, next in 1..120_u32, millis in 0..10_000_000_u64,
        ) {
            let seconds = rate(first, next).seconds(millis);
            prop_assert!(seconds * 1_000 >= millis && seconds >= u64::from(first));
            prop_assert!(seconds == u64::from(first) || (seconds - u64::from(next)) * 1_000 < millis);
        }
    }
}
