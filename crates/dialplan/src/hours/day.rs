//! Days of the year: a date, the same date each year, the last Monday of May, the day after Easter.

use crate::faults::{Faults, Span};
use jiff::civil::{Date, Weekday};

/// Which day, or which of each year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Day {
    On(Date),
    Yearly {
        month: i8,
        day: i8,
    },
    /// From 1, or from -1 backwards.
    Nth {
        nth: i8,
        weekday: Weekday,
        month: i8,
    },
    /// Days after Easter Sunday of the western churches.
    Easter(i16),
}

/// A day with what may bound it when it comes again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holiday {
    pub(super) day: Day,
    /// How many days, from that one.
    pub(super) length: u16,
    pub(super) first: Date,
    pub(super) last: Date,
    /// Those that do not come.
    pub(super) except: Vec<Date>,
}

pub(super) const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/// From Monday.
pub(super) const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const NTHS: [(&str, i8); 6] = [("1st", 1), ("2nd", 2), ("3rd", 3), ("4th", 4), ("5th", 5), ("last", -1)];
/// Further from Easter nothing is.
const FROM_EASTER: i16 = 100;
const HINT: &str = "write it like 2026-12-25, 12-25 for each year, last mon of may, or easter+1";

impl Day {
    /// Reads a day as administrators write it.
    pub(super) fn parse(text: &str, at: Span, faults: &mut Faults<'_>) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        if let [nth, weekday, "of", month] = words.as_slice() {
            return Self::nth(nth, weekday, month, at, faults);
        }
        let found = text.parse().ok().map(Self::On).or_else(|| yearly(text)).or_else(|| easter_bound(text));
        if found.is_none() {
            faults.hinted(at, format!("`{text}` is not a day"), HINT);
        }
        found
    }

    fn nth(nth: &str, weekday: &str, month: &str, at: Span, faults: &mut Faults<'_>) -> Option<Self> {
        let position = NTHS.iter().find(|(word, _)| *word == nth).map(|(_, nth)| *nth);
        if position.is_none() {
            faults.unknown(at, "unknown place {} in a month", nth, NTHS.iter().map(|(word, _)| *word));
        }
        let mut place = |words: &[&'static str], word: &str, what: &str| {
            let found = words.iter().position(|known| *known == word);
            if found.is_none() {
                faults.unknown(at, &format!("unknown {what} {{}}"), word, words.iter().copied());
            }
            found.and_then(|place| i8::try_from(place).ok())
        };
        let weekday = place(&DAYS, weekday, "day");
        let month = place(&MONTHS, month, "month");
        let weekday = Weekday::from_monday_zero_offset(weekday?).ok()?;
        Some(Self::Nth { nth: position?, weekday, month: month? + 1 })
    }

    /// Its date in a year, if it has one.
    pub(super) fn in_year(self, year: i16) -> Option<Date> {
        match self {
            Self::On(date) => (date.year() == year).then_some(date),
            Self::Yearly { month, day } => Date::new(year, month, day).ok(),
            Self::Nth { nth, weekday, month } => {
                Date::new(year, month, 1).ok()?.nth_weekday_of_month(nth, weekday).ok()
            }
            Self::Easter(days) => easter(year)?.checked_add(jiff::Span::new().days(days)).ok(),
        }
    }
}

impl Holiday {
    /// A day without bounds.
    pub(super) fn of(day: Day) -> Self {
        Self { day, length: 1, first: Date::MIN, last: Date::MAX, except: Vec::new() }
    }

    /// Whether a date is one of its days.
    pub(super) fn is(&self, date: Date) -> bool {
        // What is reckoned from Easter, or lasts, may be of the year before or after.
        (-1..=1).filter_map(|years| self.day.in_year(date.year().checked_add(years)?)).any(|begins| {
            let days = date.duration_since(begins).as_hours() / 24;
            (0..i64::from(self.length)).contains(&days)
                && (self.first..=self.last).contains(&begins)
                && !self.except.contains(&begins)
        })
    }
}

fn yearly(text: &str) -> Option<Day> {
    let (month, day) = text.split_once('-')?;
    let number = |text: &str| text.parse().ok().filter(|_| text.len() == 2);
    let (month, day) = (number(month)?, number(day)?);
    // A year that has them all.
    Date::new(2024, month, day).ok().map(|_| Day::Yearly { month, day })
}

fn easter_bound(text: &str) -> Option<Day> {
    let days = text.strip_prefix("easter")?;
    if days.is_empty() {
        return Some(Day::Easter(0));
    }
    let is_signed = days.starts_with(['+', '-']);
    let days = days.parse().ok().filter(|days: &i16| is_signed && days.abs() <= FROM_EASTER)?;
    Some(Day::Easter(days))
}

/// Easter Sunday of the Gregorian calendar: Meeus, Astronomical Algorithms, chapter 8.
fn easter(year: i16) -> Option<Date> {
    let year = i32::from(year);
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let (d, e) = (b / 4, b % 4);
    let f = (b + 8) / 25;
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let sum = h + l - 7 * m + 114;
    let (month, day) = (i8::try_from(sum / 31).ok()?, i8::try_from(sum % 31 + 1).ok()?);
    Date::new(i16::try_from(year).ok()?, month, day).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easter_falls_where_the_churches_tables_have_it() {
        for (year, month, day) in [
            (1818, 3, 22),
            (1943, 4, 25),
            (2000, 4, 23),
            (2008, 3, 23),
            (2026, 4, 5),
            (2027, 3, 28),
            (2038, 4, 25),
        ] {
            assert_eq!(easter(year), Date::new(year, month, day).ok(), "{year}");
        }
    }
}
