//! Opening hours: a zone, a week of intervals, and days that are closed.

use crate::faults::{Faults, nearest};
use crate::fields::Fields;
use crate::yaml::{Key, Node};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A calendar.
#[derive(Debug)]
pub(crate) struct Calendar {
    zone: TimeZone,
    /// From Monday.
    week: [Vec<Interval>; 7],
    holidays: Vec<Date>,
}

/// What a calendar says of a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hours {
    Open,
    Closed,
    Holiday,
}

/// Minutes since midnight; an end before the start is in the night after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Interval {
    from: u16,
    to: u16,
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const MIDNIGHT: u16 = 24 * 60;

impl Calendar {
    /// Reads one calendar.
    pub(crate) fn parse(key: &Key, node: &Node, faults: &mut Faults<'_>) -> Option<Self> {
        let fields = Fields::of(node, key.span, "a calendar", &["zone", "open", "closed"], faults)?;
        let zone = fields.require("zone", faults).and_then(|node| zone(node, faults));
        let mut week = [const { Vec::new() }; 7];
        if let Some(open) = fields.require("open", faults) {
            for (days, intervals) in open.entries("`open`", faults) {
                open_days(days, intervals, &mut week, faults);
            }
        }
        let mut holidays = Vec::new();
        for day in fields.get("closed").map_or(&[][..], Node::items) {
            holidays.extend(day.parse::<Date>("a date", "2026-12-25", faults));
        }
        Some(Self { zone: zone?, week, holidays })
    }

    /// Where its clocks are.
    pub(crate) fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// What it says of a moment, in microseconds since 1970.
    pub(crate) fn at(&self, unix_micros: i64) -> Hours {
        // Far outside the range of years nobody is open.
        let Ok(moment) = Timestamp::from_microsecond(unix_micros) else { return Hours::Closed };
        let local = self.zone.to_datetime(moment);
        let minute = u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        let today = local.date();
        let from_yesterday = today.yesterday().is_ok_and(|day| self.opens(day, minute + MIDNIGHT));
        if from_yesterday || self.opens(today, minute) {
            Hours::Open
        } else if self.holidays.contains(&today) {
            Hours::Holiday
        } else {
            Hours::Closed
        }
    }

    /// Whether an interval that begins on `day` covers a minute counted from that day's midnight.
    fn opens(&self, day: Date, minute: u16) -> bool {
        if self.holidays.contains(&day) {
            return false;
        }
        let weekday = usize::from(day.weekday().to_monday_zero_offset().unsigned_abs());
        self.week[weekday].iter().any(|i| (i.from..i.end()).contains(&minute))
    }
}

impl Interval {
    fn end(self) -> u16 {
        if self.to <= self.from { self.to + MIDNIGHT } else { self.to }
    }
}

fn zone(node: &Node, faults: &mut Faults<'_>) -> Option<TimeZone> {
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
    for day in days(key, faults) {
        if !week[day].is_empty() {
            faults.error(key.span, format!("`{}` has hours already", DAYS[day]));
        }
        week[day].extend(&intervals);
    }
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
    let (hour, minute) = (number(hour)?, number(minute).filter(|m| *m < 60)?);
    Some(hour * 60 + minute).filter(|total| hour < 25 && *total <= MIDNIGHT)
}
