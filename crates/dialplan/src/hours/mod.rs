//! Opening hours: a zone, a week of intervals, days that are closed, and days with other hours.

mod day;
mod ical;

pub(crate) use day::Holiday;
pub(crate) use ical::read as read_ical;

use crate::faults::{Faults, nearest};
use crate::fields::Fields;
use crate::yaml::{Key, Node};
use day::{DAYS, Day};
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};
use std::collections::BTreeMap;

/// A calendar.
#[derive(Debug)]
pub(crate) struct Calendar {
    zone: TimeZone,
    /// From Monday.
    week: [Vec<Interval>; 7],
    /// Days with hours of their own, instead of those of the week, be they holidays or not.
    exceptions: Vec<(Day, Vec<Interval>)>,
    holidays: Vec<Holiday>,
}

/// What a calendar says of a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hours {
    Open,
    /// Between two intervals of a day.
    Lunch,
    Closed,
    Holiday,
}

/// Minutes since midnight; an end before the start is in the night after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Interval {
    from: u16,
    to: u16,
}

/// The holidays of each iCalendar file, by its name in the client's folder.
pub(crate) type Icals = BTreeMap<String, Vec<Holiday>>;

const MIDNIGHT: u16 = 24 * 60;

impl Calendar {
    /// Reads one calendar.
    pub(crate) fn parse(key: &Key, node: &Node, icals: &Icals, faults: &mut Faults<'_>) -> Option<Self> {
        const KNOWN: [&str; 5] = ["zone", "open", "closed", "exceptions", "ical"];
        let fields = Fields::of(node, key.span, "a calendar", &KNOWN, faults)?;
        let zone = fields.require("zone", faults).and_then(|node| zone(node, faults));
        let mut week = [const { Vec::new() }; 7];
        if let Some(open) = fields.require("open", faults) {
            for (days, intervals) in open.entries("`open`", faults) {
                open_days(days, intervals, &mut week, faults);
            }
        }
        let mut holidays = Vec::new();
        for day in fields.get("closed").map_or(&[][..], Node::items) {
            let text = day.text("a day", faults);
            holidays.extend(text.and_then(|text| Day::parse(text, day.span, faults)).map(Holiday::of));
        }
        for name in fields.get("ical").map_or(&[][..], Node::items) {
            let Some(text) = name.text("`ical`", faults) else { continue };
            match icals.get(text) {
                Some(found) => holidays.extend_from_slice(found),
                None => faults.unknown(
                    name.place_or(key.span),
                    "there is no file {} in the client's folder",
                    text,
                    icals.keys().map(String::as_str),
                ),
            }
        }
        let mut exceptions = Vec::new();
        if let Some(node) = fields.get("exceptions") {
            for (key, intervals) in node.entries("`exceptions`", faults) {
                let day = Day::parse(&key.text, key.span, faults);
                let intervals = intervals_of(intervals, faults);
                exceptions.extend(day.map(|day| (day, intervals)));
            }
        }
        Some(Self { zone: zone?, week, exceptions, holidays })
    }

    /// Where its clocks are.
    pub(crate) fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// What it says of a moment, in microseconds since 1970.
    pub(crate) fn at(&self, unix_micros: i64) -> Hours {
        // Far outside the range of years nobody is open.
        let Ok(moment) = Timestamp::from_microsecond(unix_micros) else { return Hours::Closed };
        let local = self.local(moment);
        let minute = u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        let today = local.date();
        let from_yesterday = today.yesterday().is_ok_and(|day| self.opens(day, minute + MIDNIGHT));
        if from_yesterday || self.opens(today, minute) {
            Hours::Open
        } else if self.is_holiday(today) {
            Hours::Holiday
        } else if self.is_between(today, minute) {
            Hours::Lunch
        } else {
            Hours::Closed
        }
    }

    /// Whether an interval that begins on `day` covers a minute counted from that day's midnight.
    fn opens(&self, day: Date, minute: u16) -> bool {
        self.intervals(day).iter().any(|i| (i.from..i.end()).contains(&minute))
    }

    fn is_between(&self, day: Date, minute: u16) -> bool {
        let intervals = self.intervals(day);
        intervals.iter().any(|i| i.end() <= minute) && intervals.iter().any(|i| minute < i.from)
    }

    /// A holiday with hours of its own is closed outside them like any other day.
    fn is_holiday(&self, day: Date) -> bool {
        self.exception(day).is_none_or(<[_]>::is_empty) && self.holidays.iter().any(|holiday| holiday.is(day))
    }

    /// The hours of a day.
    fn intervals(&self, day: Date) -> &[Interval] {
        let weekday = usize::from(day.weekday().to_monday_zero_offset().unsigned_abs());
        match self.exception(day) {
            Some(intervals) => intervals,
            None if self.is_holiday(day) => &[],
            None => &self.week[weekday],
        }
    }

    /// Its own hours. Those of a date come before those of a day that comes each year.
    fn exception(&self, day: Date) -> Option<&[Interval]> {
        let of_date = self.exceptions.iter().find(|(rule, _)| *rule == Day::On(day));
        let found = of_date.or_else(|| self.exceptions.iter().find(|(rule, _)| Holiday::of(*rule).is(day)));
        found.map(|(_, intervals)| intervals.as_slice())
    }

    /// What clocks show. When they are put back, an hour comes twice; what has closed in it does not open again, so the
    /// second time counts as the last minute of the first.
    fn local(&self, moment: Timestamp) -> DateTime {
        let local = self.zone.to_datetime(moment);
        let AmbiguousOffset::Fold { before, after } = self.zone.to_ambiguous_timestamp(local).offset() else {
            return local;
        };
        let put_back = self.zone.preceding(moment).next().map(|change| change.timestamp());
        let is_second = self.zone.to_offset(moment) == after;
        let end = put_back.filter(|_| is_second).map(|change| before.to_datetime(change));
        end.and_then(|end| end.checked_sub(1.minute()).ok()).unwrap_or(local)
    }
}

impl Interval {
    fn end(self) -> u16 {
        if self.to <= self.from { self.to + MIDNIGHT } else { self.to }
    }
}

/// A zone of the IANA time zone database.
pub(crate) fn zone(node: &Node, faults: &mut Faults<'_>) -> Option<TimeZone> {
    let name = node.text("`zone`", faults)?;
    if let Ok(zone) = TimeZone::get(name) {
        return Some(zone);
    }
    let database = jiff::tz::db();
    let known: Vec<String> = database.available().map(|zone| zone.as_str().to_owned()).collect();
    let by_name = nearest(name, known.iter().map(String::as_str));
    let by_city = known.iter().map(String::as_str).find(|zone| {
        let city = zone.rsplit('/').next().unwrap_or(zone);
        city.eq_ignore_ascii_case(name.rsplit('/').next().unwrap_or(name))
    });
    let hint = match by_city.or(by_name) {
        Some(zone) => format!("did you mean `{zone}`?"),
        None => "write a name of the IANA time zone database, Europe/Madrid".into(),
    };
    faults.hinted(node.span, format!("unknown time zone `{name}`"), hint);
    None
}

fn open_days(key: &Key, node: &Node, week: &mut [Vec<Interval>; 7], faults: &mut Faults<'_>) {
    let intervals = intervals_of(node, faults);
    for day in days(key, faults) {
        if !week[day].is_empty() {
            faults.error(key.span, format!("`{}` has hours already", DAYS[day]));
        }
        week[day].extend(&intervals);
    }
}

fn intervals_of(node: &Node, faults: &mut Faults<'_>) -> Vec<Interval> {
    let mut intervals: Vec<Interval> = Vec::new();
    for node in node.items() {
        let Some(interval) = node.text("an interval", faults).and_then(interval) else {
            faults.hinted(
                node.span,
                format!("this is not an interval: {}", node.describe()),
                "write it like 09:00-13:00",
            );
            continue;
        };
        if intervals.iter().any(|i| i.from < interval.end() && interval.from < i.end()) {
            faults.error(node.span, "this interval overlaps another of the same day");
        }
        intervals.push(interval);
    }
    intervals
}

/// The days of a key: `mon`, `mon-fri`, `tue, thu`, `fri-mon`.
fn days(key: &Key, faults: &mut Faults<'_>) -> Vec<usize> {
    let mut found = Vec::new();
    for part in key.text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let mut day_of = |word: &str| {
            let word = word.trim();
            let day = DAYS.iter().position(|day| day.eq_ignore_ascii_case(word));
            if day.is_none() {
                faults.unknown(key.span, "unknown day {}", word, DAYS.into_iter());
            }
            day
        };
        if let (Some(first), Some(last)) = (day_of(first), day_of(last)) {
            let count = (last + 7 - first) % 7;
            found.extend((0..=count).map(|i| (first + i) % 7));
        }
    }
    found
}

fn interval(text: &str) -> Option<Interval> {
    let (from, to) = text.split_once('-')?;
    let (from, to) = (minute(from)?, minute(to)?);
    (from != to && from < MIDNIGHT).then_some(Interval { from, to })
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let number = |text: &str| text.parse::<u16>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
    let (hour, minute) = (number(hour).filter(|h| *h < 25)?, number(minute).filter(|m| *m < 60)?);
    Some(hour * 60 + minute).filter(|total| *total <= MIDNIGHT)
}
