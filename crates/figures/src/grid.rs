//! Intervals of a day, as the clock on the wall shows them.

use crate::Millis;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::str::FromStr;

/// How long an interval is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// A quarter of an hour.
    Minutes15,
    /// Half an hour.
    Minutes30,
    /// An hour.
    Hour,
    /// From midnight to midnight: 23 or 25 hours where clocks are changed.
    Day,
}

/// Intervals that begin at full quarters, halves, hours or days of a time zone; without `every`, all is one.
#[derive(Clone, Debug)]
pub struct Grid {
    /// Whose clock.
    pub zone: TimeZone,
    /// How long an interval is.
    pub every: Option<Every>,
}

impl FromStr for Every {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "15m" => Ok(Self::Minutes15),
            "30m" => Ok(Self::Minutes30),
            "60m" | "1h" => Ok(Self::Hour),
            "1d" => Ok(Self::Day),
            _ => Err("an interval is 15m, 30m, 1h or 1d"),
        }
    }
}

impl Every {
    fn millis(self) -> Millis {
        let minutes = match self {
            Self::Minutes15 => 15,
            Self::Minutes30 => 30,
            Self::Hour => 60,
            Self::Day => 24 * 60,
        };
        minutes * 60_000
    }
}

impl Grid {
    /// The interval that `at` lies in, from its first moment to the first of the next one; `None` if all is one.
    pub fn interval(&self, at: Millis) -> Option<(Millis, Millis)> {
        let every = self.every?;
        let begins = self.floor(every, at);
        // An interval is shorter or longer than others only where clocks are changed within it.
        let next = begins + every.millis();
        let mut ends = self.floor(every, next);
        if ends <= at {
            ends = self.floor(every, next + every.millis());
        }
        Some((begins, ends))
    }

    fn floor(&self, every: Every, at: Millis) -> Millis {
        let Ok(utc) = Timestamp::from_millisecond(at) else { return at };
        if every == Every::Day {
            let midnight = utc.to_zoned_datetime(self.zone.clone()).start_of_day();
            return midnight.map_or(at, |midnight| midnight.timestamp().as_millisecond());
        }
        let offset = Millis::from(self.zone.to_offset(utc).seconds()) * 1_000;
        let begins = (at + offset).div_euclid(every.millis()) * every.millis() - offset;
        // A clock that is changed by half an hour begins an interval anew, at `at` itself it may be.
        let after = Timestamp::from_millisecond(at + 1).unwrap_or(utc);
        let changed = self.zone.preceding(after).next().map(|change| change.timestamp().as_millisecond());
        changed.map_or(begins, |changed| begins.max(changed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(zone: &str, every: Every) -> Grid {
        Grid { zone: TimeZone::get(zone).expect("a zone"), every: Some(every) }
    }

    fn at(text: &str) -> Millis {
        text.parse::<Timestamp>().expect("a time").as_millisecond()
    }

    /// The intervals between two moments, as the clock on the wall shows their beginnings.
    fn walls(grid: &Grid, from: &str, to: &str) -> Vec<String> {
        let (mut now, to) = (at(from), at(to));
        let mut walls = Vec::new();
        while now < to {
            let (begins, ends) = grid.interval(now).expect("an interval");
            assert!(begins <= now && now < ends, "{begins} {now} {ends}");
            assert_eq!(grid.interval(ends - 1), Some((begins, ends)), "its last moment is in it too");
            let utc = Timestamp::from_millisecond(begins).expect("a time");
            let zoned = utc.to_zoned_datetime(grid.zone.clone());
            walls.push(zoned.strftime("%d %H:%M").to_string());
            now = ends;
        }
        walls
    }

    #[test]
    fn intervals_begin_where_the_clock_on_the_wall_says_so() {
        let kathmandu = grid("Asia/Kathmandu", Every::Hour);
        assert_eq!(
            walls(&kathmandu, "2026-11-30T04:15:00Z", "2026-11-30T06:15:00Z"),
            ["30 10:00", "30 11:00"]
        );
        let madrid = grid("Europe/Madrid", Every::Minutes15);
        assert_eq!(walls(&madrid, "2026-11-30T08:05:00Z", "2026-11-30T08:30:00Z"), ["30 09:00", "30 09:15"]);
    }

    #[test]
    fn days_have_23_and_25_hours_where_clocks_are_changed() {
        let days = grid("Europe/Madrid", Every::Day);
        let hours = |day: &str| days.interval(at(day)).map(|(begins, ends)| (ends - begins) / 3_600_000);
        assert_eq!(hours("2026-03-29T12:00:00Z"), Some(23));
        assert_eq!(hours("2026-10-25T12:00:00Z"), Some(25));
        assert_eq!(hours("2026-10-26T12:00:00Z"), Some(24));
        let halves = grid("Europe/Madrid", Every::Hour);
        let fall = walls(&halves, "2026-10-24T23:00:00Z", "2026-10-25T03:00:00Z");
        assert_eq!(fall, ["25 01:00", "25 02:00", "25 02:00", "25 03:00"]);
        let spring = walls(&halves, "2026-03-29T00:00:00Z", "2026-03-29T02:00:00Z");
        assert_eq!(spring, ["29 01:00", "29 03:00"]);
    }

    #[test]
    fn a_change_by_half_an_hour_cuts_an_interval() {
        let lord_howe = grid("Australia/Lord_Howe", Every::Hour);
        // 02:00 becomes 01:30 on 5 April 2026, at 15:00 UTC the day before.
        let walls = walls(&lord_howe, "2026-04-04T13:00:00Z", "2026-04-04T16:30:00Z");
        assert_eq!(walls, ["05 00:00", "05 01:00", "05 01:30", "05 02:00"]);
    }
}
