//! Holidays of an iCalendar file (RFC 5545): events of whole days, once or each year.

use super::day::{DAYS, Day, Holiday};
use crate::faults::{Faults, Span};
use jiff::civil::{Date, Weekday};

/// Longer is no holiday.
const MOST_DAYS: i64 = 31;

/// One property of an event: `DTSTART;VALUE=DATE:20261225`.
struct Property<'t> {
    name: String,
    value: String,
    at: Span,
    /// Its first line, for messages.
    line: &'t str,
}

/// What is known of an event so far.
#[derive(Default)]
struct Event {
    at: Option<Span>,
    start: Option<Date>,
    end: Option<Date>,
    days: Option<i64>,
    rule: Option<(String, Span)>,
    except: Vec<Date>,
    is_cancelled: bool,
    is_faulty: bool,
}

/// Reads the events of a file; what is no event of whole days is noted.
pub(crate) fn read(file: usize, text: &str, faults: &mut Faults<'_>) -> Vec<Holiday> {
    let mut holidays = Vec::new();
    let mut event: Option<Event> = None;
    let properties = unfold(file, text);
    if !properties.first().is_some_and(|first| first.name == "BEGIN" && first.value == "VCALENDAR") {
        faults.hinted(
            Span { file, start: 0, len: 0 },
            "this is no iCalendar file",
            "it begins with BEGIN:VCALENDAR",
        );
        return holidays;
    }
    for property in properties {
        match (property.name.as_str(), property.value.as_str()) {
            ("BEGIN", "VEVENT") => event = Some(Event { at: Some(property.at), ..Event::default() }),
            ("END", "VEVENT") => holidays.extend(event.take().and_then(|event| event.holiday(faults))),
            _ => {
                if let Some(event) = &mut event {
                    event.take_in(&property, faults);
                }
            }
        }
    }
    holidays
}

impl Event {
    fn take_in(&mut self, property: &Property<'_>, faults: &mut Faults<'_>) {
        let Property { name, value, at, line } = property;
        let mut day = |value: &str| {
            let found = date(value);
            if found.is_none() {
                let message = format!("this is no day: `{line}`");
                faults.hinted(*at, message, "holidays are whole days: DTSTART;VALUE=DATE:20261225");
                self.is_faulty = true;
            }
            found
        };
        match name.as_str() {
            "DTSTART" => self.start = day(value),
            "DTEND" => self.end = day(value),
            "EXDATE" => self.except.extend(value.split(',').filter_map(day)),
            "DURATION" => {
                let count = value.strip_prefix('P').and_then(|rest| {
                    let (count, unit) = rest.split_at_checked(rest.len().checked_sub(1)?)?;
                    let days = match unit {
                        "D" => 1,
                        "W" => 7,
                        _ => return None,
                    };
                    count.parse::<i64>().ok()?.checked_mul(days)
                });
                if count.is_none() {
                    faults.hinted(*at, format!("this is no number of days: `{value}`"), "write it like P2D");
                    self.is_faulty = true;
                }
                self.days = count;
            }
            "RRULE" => self.rule = Some((value.clone(), *at)),
            "STATUS" => self.is_cancelled = value.eq_ignore_ascii_case("CANCELLED"),
            _ => {}
        }
    }

    fn holiday(self, faults: &mut Faults<'_>) -> Option<Holiday> {
        if self.is_cancelled || self.is_faulty {
            return None;
        }
        let at = self.at?;
        let Some(start) = self.start else {
            faults.error(at, "an event without DTSTART");
            return None;
        };
        let until = self.end.map(|end| end.duration_since(start).as_hours() / 24);
        let days = self.days.or(until).unwrap_or(1);
        let Some(length) = u16::try_from(days).ok().filter(|_| (1..=MOST_DAYS).contains(&days)) else {
            let message = format!("an event has 1 to {MOST_DAYS} days, and this has {days}");
            faults.hinted(at, message, "DTEND is the day after the last one");
            return None;
        };
        let once = Holiday { length, except: self.except, ..Holiday::of(Day::On(start)) };
        let Some((rule, at)) = self.rule else { return Some(once) };
        let Some((day, last)) = yearly(&rule, start) else {
            let hint = "each year is: FREQ=YEARLY with BYMONTH, BYMONTHDAY, BYDAY=-1MO, UNTIL or COUNT; write \
                        out others day by day";
            faults.hinted(at, format!("this rule is not understood: `{rule}`"), hint);
            return None;
        };
        Some(Holiday { day, first: start, last, ..once })
    }
}

/// Which day a rule has come each year, and the last time.
fn yearly(rule: &str, start: Date) -> Option<(Day, Date)> {
    let (mut month, mut day, mut nth) = (start.month(), start.day(), None);
    let (mut last, mut count) = (Date::MAX, None);
    let mut is_yearly = false;
    for part in rule.split(';') {
        match part.split_once('=')? {
            ("FREQ", "YEARLY") => is_yearly = true,
            ("INTERVAL", "1") | ("WKST", _) => {}
            ("BYMONTH", value) => month = value.parse().ok()?,
            ("BYMONTHDAY", value) => day = value.parse().ok().filter(|day| *day > 0)?,
            ("BYDAY", value) => nth = Some(nth_weekday(value)?),
            ("UNTIL", value) => last = date(value.get(..8)?)?,
            ("COUNT", value) => count = Some(value.parse::<usize>().ok()?),
            _ => return None,
        }
    }
    let day = match nth {
        Some((nth, weekday)) => Day::Nth { nth, weekday, month },
        None => Day::Yearly { month, day },
    };
    // A rule that never comes, such as that of 30 February, is a mistake.
    let mut comes = (start.year()..=start.year().checked_add(400)?).filter_map(|year| day.in_year(year));
    let comes = comes.by_ref().filter(|date| *date >= start);
    let counted = match count {
        Some(count) => comes.take(count).last()?,
        None => comes.take(1).last().map(|_| last)?,
    };
    is_yearly.then_some((day, counted))
}

/// `-1MO`, `3TH`.
fn nth_weekday(text: &str) -> Option<(i8, Weekday)> {
    let (nth, weekday) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let place = DAYS.iter().position(|day| day[..2].eq_ignore_ascii_case(weekday))?;
    let nth = nth.parse().ok().filter(|nth: &i8| (1..=5).contains(&nth.abs()))?;
    Some((nth, Weekday::from_monday_zero_offset(i8::try_from(place).ok()?).ok()?))
}

/// `20261225`.
fn date(text: &str) -> Option<Date> {
    let is_plain = text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
    is_plain
        .then(|| Date::new(text[..4].parse().ok()?, text[4..6].parse().ok()?, text[6..].parse().ok()?).ok())?
}

/// The properties of a file; a line that begins with a space goes on with the one before (RFC 5545 section 3.1).
fn unfold(file: usize, text: &str) -> Vec<Property<'_>> {
    let mut properties: Vec<Property<'_>> = Vec::new();
    let mut start = 0;
    for whole in text.split_inclusive('\n') {
        let line = whole.trim_end_matches(['\r', '\n']);
        let at = Span { file, start, len: line.len() };
        start += whole.len();
        if let (Some(more), Some(before)) = (line.strip_prefix([' ', '\t']), properties.last_mut()) {
            before.value.push_str(more);
        } else if let Some((head, value)) = line.split_once(':') {
            let name = head.split(';').next().unwrap_or(head);
            let name = name.trim_start_matches('\u{feff}').to_ascii_uppercase();
            properties.push(Property { name, value: value.to_owned(), at, line });
        }
    }
    properties
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SourceFile;

    fn days(event: &str) -> (Vec<Holiday>, usize) {
        let text = format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{event}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
        let source = SourceFile { path: "h.ics".into(), text };
        let mut faults = Faults::new(vec![&source]);
        let found = read(0, &source.text, &mut faults);
        (found, faults.len())
    }

    fn is(event: &str, day: &str) -> bool {
        let (holidays, faults) = days(event);
        assert_eq!(faults, 0, "{event}");
        holidays.iter().any(|holiday| holiday.is(day.parse().expect("a date")))
    }

    #[test]
    fn events_are_their_days_and_the_end_is_the_day_behind() {
        let event = "DTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261227\r\nSUMMARY:Christmas";
        let found =
            ["2026-12-24", "2026-12-25", "2026-12-26", "2026-12-27", "2027-12-25"].map(|day| is(event, day));
        assert_eq!(found, [false, true, true, false, false]);
        assert!(is("DTSTART:2026\r\n 1231\r\nDURATION:P2D", "2027-01-01"), "folded, and over the year's end");
        assert!(!is("DTSTART:20261231\r\nSTATUS:CANCELLED", "2026-12-31"));
    }

    #[test]
    fn events_come_again_each_year_within_their_bounds() {
        let fixed = "DTSTART;VALUE=DATE:20241012\r\nRRULE:FREQ=YEARLY;COUNT=3\r\nEXDATE;VALUE=DATE:20251012";
        let found =
            ["2023-10-12", "2024-10-12", "2025-10-12", "2026-10-12", "2027-10-12"].map(|day| is(fixed, day));
        assert_eq!(found, [false, true, false, true, false]);
        let monday = "DTSTART:20250526\r\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO;UNTIL=20270101T000000Z";
        let found = ["2025-05-26", "2026-05-25", "2026-05-26", "2027-05-31"].map(|day| is(monday, day));
        assert_eq!(found, [true, true, false, false]);
        assert!(is("DTSTART:20240229\r\nRRULE:FREQ=YEARLY;COUNT=2", "2028-02-29"));
    }

    #[test]
    fn what_is_not_understood_is_noted_and_no_holiday() {
        for event in [
            "DTSTART:20261225T090000Z",
            "DTSTART:20260230",
            "SUMMARY:nothing",
            "DTSTART:20261225\r\nDTEND:20261225",
            "DTSTART:20261225\r\nDURATION:PT3H",
            "DTSTART:20261225\r\nRRULE:FREQ=WEEKLY",
            "DTSTART:20261225\r\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
            "DTSTART:20261225\r\nRRULE:FREQ=YEARLY;BYDAY=MO",
        ] {
            assert_eq!(days(event), (Vec::new(), 1), "{event}");
        }
    }
}
