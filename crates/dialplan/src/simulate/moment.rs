//! When a simulated call comes in.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Microseconds since 1970 of `2026-12-25T10:00` in a zone, or with an offset, `…+01:00`. In an hour that
/// the clock skips or has twice it is the first of both readings.
pub(crate) fn moment(text: &str, zone: &TimeZone) -> Option<i64> {
    let offset = || text.parse::<Timestamp>().ok();
    let local = || zone.to_timestamp(text.parse::<DateTime>().ok()?).ok();
    offset().or_else(local).map(Timestamp::as_microsecond)
}

/// How moments are written, for messages.
pub(crate) const MOMENT: &str = "write it like 2026-12-25T10:00";
