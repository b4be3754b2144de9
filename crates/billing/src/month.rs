//! Months, as the clock of a client shows them.

use figures::Millis;
use jiff::Timestamp;
use jiff::civil::{Date, Time, date};
use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A month of a year: from its first midnight to that of the next one, whatever clocks do in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    first: Date,
}

impl Month {
    /// That in which a moment lies, in milliseconds since 1970; `None` far outside of history.
    pub fn of(at: Millis, zone: &TimeZone) -> Option<Self> {
        let utc = Timestamp::from_millisecond(at).ok()?;
        Some(Self { first: utc.to_zoned_datetime(zone.clone()).date().first_of_month() })
    }

    /// Its first moment and the first after it, in milliseconds since 1970.
    pub fn bounds(self, zone: &TimeZone) -> (Millis, Millis) {
        let begins = |day: Date| {
            // Where clocks skip midnight the day begins when they go on.
            let midnight = zone.to_timestamp(day.to_datetime(Time::midnight()));
            midnight.map_or(Millis::MAX, Timestamp::as_millisecond)
        };
        let next = self.first.last_of_month().tomorrow().unwrap_or(Date::MAX);
        (begins(self.first), begins(next))
    }
}

impl FromStr for Month {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a month is written like 2026-10";
        if !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
            return Err(WRONG);
        }
        let (year, month) =
            text.split_once('-').filter(|(year, month)| year.len() == 4 && month.len() == 2).ok_or(WRONG)?;
        let (year, month) = (year.parse::<i16>(), month.parse::<i8>());
        let (year, month) = (year.map_err(|_| WRONG)?, month.map_err(|_| WRONG)?);
        match (1970..=9_998).contains(&year) && (1..=12).contains(&month) {
            true => Ok(Self { first: date(year, month, 1) }),
            false => Err(WRONG),
        }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_what_the_clock_on_the_wall_says() {
        let madrid = TimeZone::get("Europe/Madrid").expect("a zone");
        let bounds = |month: &str| {
            let (from, to) = month.parse::<Month>().expect(month).bounds(&madrid);
            let utc = |at| Timestamp::from_millisecond(at).expect("a time").to_string();
            (utc(from), utc(to), (to - from) / 3_600_000)
        };
        // October has an hour more, March one less.
        assert_eq!(
            bounds("2026-10"),
            ("2026-09-30T22:00:00Z".into(), "2026-10-31T23:00:00Z".into(), 31 * 24 + 1)
        );
        assert_eq!(
            bounds("2026-03"),
            ("2026-02-28T23:00:00Z".into(), "2026-03-31T22:00:00Z".into(), 31 * 24 - 1)
        );
        assert_eq!(bounds("2026-12").1, "2026-12-31T23:00:00Z");
        let (from, to) = "2026-10".parse::<Month>().expect("a month").bounds(&madrid);
        for (at, month) in [(from - 1, "2026-09"), (from, "2026-10"), (to - 1, "2026-10"), (to, "2026-11")] {
            assert_eq!(Month::of(at, &madrid).expect("a month").to_string(), month);
        }
    }

    #[test]
    fn what_is_no_month_is_not_taken() {
        for wrong in
            ["2026", "2026-13", "2026-00", "26-10", "2026-1", "1969-12", "2026-10-01", "+026-10", "2026-+1"]
        {
            assert!(wrong.parse::<Month>().is_err(), "{wrong}");
        }
    }
}
