//! What calendars say: days of each year, other hours, lunch, iCalendar files, and the hours that clocks skip and repeat.

use crate::call::Call;
use crate::support::{NODE, input};
use dialplan::SourceFile;
use jiff::ZonedDateTime;

/// What a calendar says at a moment, `2026-10-25T02:10+01:00[Europe/Madrid]`.
fn said(calendar: &str, moment: &str) -> String {
    said_with(calendar, None, moment)
}

fn said_with(calendar: &str, ical: Option<&str>, moment: &str) -> String {
    let step = "hours: {calendar: it, open: {reject: 486}, lunch: {reject: 499}, closed: {reject: 480}, holiday: {reject: 603}}";
    let client =
        format!("numbers: {{100: main}}\nhours: {{it: {{{calendar}}}}}\nflows: {{main: [{step}]}}\n");
    let mut input = input(NODE, &client);
    let file = |text: &str| SourceFile { path: "acme/holidays.ics".into(), text: text.into() };
    input.clients[0].files.extend(ical.map(file));
    let moment: ZonedDateTime = moment.parse().unwrap_or_else(|error| panic!("{moment}: {error}"));
    let heard = Call::of(&input, moment.timestamp().as_second(), 7).next();
    let branch = heard.split(" | ").find_map(|it| it.strip_prefix("hours:"));
    branch.expect("a branch").to_owned()
}

const WEEK: &str = "zone: Europe/Madrid, open: {mon-sun: [09:00-13:00, 14:00-18:00]}";

#[test]
fn days_come_each_year_by_date_by_weekday_and_by_easter() {
    let calendar = format!(
        "{WEEK}, closed: [2026-11-09, 12-25, 02-29, last mon of may, 3rd thu of nov, easter-2, easter+1, easter+60]"
    );
    for (day, expected) in [
        ("2026-11-09", "holiday"),
        ("2027-11-09", "open"),
        ("2026-12-25", "holiday"),
        ("2031-12-25", "holiday"),
        ("2026-12-24", "open"),
        ("2028-02-29", "holiday"),
        ("2027-02-28", "open"),
        ("2027-03-01", "open"),
        ("2026-05-25", "holiday"),
        ("2026-05-18", "open"),
        ("2027-05-31", "holiday"),
        ("2026-11-19", "holiday"),
        ("2026-11-12", "open"),
        ("2026-04-03", "holiday"),
        ("2026-04-05", "open"),
        ("2026-04-06", "holiday"),
        ("2027-03-26", "holiday"),
        ("2027-03-29", "holiday"),
        ("2026-06-04", "holiday"),
    ] {
        assert_eq!(said(&calendar, &format!("{day}T10:00[Europe/Madrid]")), expected, "{day}");
    }
}

#[test]
fn a_day_may_have_other_hours_be_it_a_holiday_or_not() {
    let calendar = format!(
        "{WEEK}, closed: [12-24, 12-31], exceptions: {{2026-12-24: [10:00-12:00], 12-24: [10:00-11:00], 12-30: , last sun of nov: [22:00-02:00]}}"
    );
    for (moment, expected) in [
        ("2026-12-24T11:59", "open"),
        ("2026-12-24T12:00", "closed"),
        ("2026-12-24T15:00", "closed"),
        ("2027-12-24T10:59", "open"),
        ("2027-12-24T11:00", "closed"),
        ("2026-12-30T10:00", "closed"),
        ("2026-12-31T10:00", "holiday"),
        ("2026-11-29T10:00", "closed"),
        ("2026-11-29T23:00", "open"),
        ("2026-11-30T01:59", "open"),
        ("2026-11-30T02:00", "closed"),
        ("2026-11-22T10:00", "open"),
    ] {
        assert_eq!(said(&calendar, &format!("{moment}[Europe/Madrid]")), expected, "{moment}");
    }
}

#[test]
fn between_two_intervals_is_lunch() {
    for (time, expected) in [
        ("08:59", "closed"),
        ("12:59", "open"),
        ("13:00", "lunch"),
        ("13:59", "lunch"),
        ("14:00", "open"),
        ("18:00", "closed"),
    ] {
        assert_eq!(said(WEEK, &format!("2026-11-23T{time}[Europe/Madrid]")), expected, "{time}");
    }
    let closed = format!("{WEEK}, closed: [11-23]");
    assert_eq!(said(&closed, "2026-11-23T13:30[Europe/Madrid]"), "holiday");
}

const ICAL: &str = "\
BEGIN:VCALENDAR\r
VERSION:2.0\r
BEGIN:VEVENT\r
DTSTART;VALUE=DATE:20261225\r
DTEND;VALUE=DATE:20261227\r
RRULE:FREQ=YEARLY\r
SUMMARY:Christmas\r
END:VEVENT\r
END:VCALENDAR\r
";

#[test]
fn holidays_come_from_an_icalendar_file() {
    let calendar = format!("{WEEK}, closed: [01-01], ical: holidays.ics");
    for (day, expected) in [
        ("2026-12-24", "open"),
        ("2026-12-25", "holiday"),
        ("2027-12-26", "holiday"),
        ("2027-12-27", "open"),
        ("2027-01-01", "holiday"),
    ] {
        assert_eq!(
            said_with(&calendar, Some(ICAL), &format!("{day}T10:00[Europe/Madrid]")),
            expected,
            "{day}"
        );
    }
}

const NIGHT: &str = "open: {mon-sun: [01:00-02:30, 02:45-04:00]}";

#[test]
fn an_hour_that_clocks_skip_is_left_out() {
    for (zone, day) in [("Europe/Madrid", "2026-03-29"), ("Australia/Sydney", "2026-10-04")] {
        let calendar = format!("zone: {zone}, {NIGHT}");
        for (time, expected) in [("01:59", "open"), ("03:00", "open"), ("03:59", "open"), ("04:00", "closed")]
        {
            assert_eq!(said(&calendar, &format!("{day}T{time}[{zone}]")), expected, "{zone} {time}");
        }
        let within = format!("zone: {zone}, open: {{mon-sun: [02:15-02:45]}}");
        for time in ["01:59", "03:00", "03:30"] {
            assert_eq!(said(&within, &format!("{day}T{time}[{zone}]")), "closed", "{zone} {time}");
        }
    }
}

#[test]
fn an_hour_that_clocks_repeat_opens_and_closes_once() {
    for (zone, day, first, second) in [
        ("Europe/Madrid", "2026-10-25", "+02:00", "+01:00"),
        ("Australia/Sydney", "2026-04-05", "+11:00", "+10:00"),
    ] {
        let calendar = format!("zone: {zone}, {NIGHT}");
        for (time, offset, expected) in [
            ("01:59", first, "open"),
            ("02:10", first, "open"),
            ("02:30", first, "lunch"),
            ("02:50", first, "open"),
            ("02:10", second, "open"),
            ("02:30", second, "open"),
            ("02:59", second, "open"),
            ("03:59", second, "open"),
            ("04:00", second, "closed"),
        ] {
            assert_eq!(
                said(&calendar, &format!("{day}T{time}{offset}[{zone}]")),
                expected,
                "{zone} {time}{offset}"
            );
        }
        let early = format!("zone: {zone}, open: {{mon-sun: [01:00-02:30]}}");
        assert_eq!(said(&early, &format!("{day}T02:10{first}[{zone}]")), "open");
        assert_eq!(said(&early, &format!("{day}T02:10{second}[{zone}]")), "closed");
    }
}

#[test]
fn clocks_that_are_put_back_at_midnight_do_not_open_the_day_before_again() {
    let calendar = "zone: America/Santiago, open: {sat: [20:00-23:30], sun: [00:00-01:00]}";
    for (moment, expected) in [
        ("2026-04-04T23:20-03:00", "open"),
        ("2026-04-04T23:40-03:00", "closed"),
        ("2026-04-04T23:20-04:00", "closed"),
        ("2026-04-05T00:00-04:00", "open"),
    ] {
        assert_eq!(said(calendar, &format!("{moment}[America/Santiago]")), expected, "{moment}");
    }
}
