use clock::Time;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The wall clock that belongs to the log's [`Time`]: where its zero lies in UTC.
///
/// A restart may find the wall clock moved, so each `NodeStarted` says it anew
/// ([`WallClock::from_start`]); what happened before keeps the one that it was recorded under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WallClock {
    unix_micros_at_zero: i64,
}

impl WallClock {
    /// A wall clock that showed this many microseconds since 1970 at [`Time::ZERO`].
    pub const fn new(unix_micros_at_zero: i64) -> Self {
        Self { unix_micros_at_zero }
    }

    /// The wall clock that a `NodeStarted` event at `at` with this `unix_micros` tells.
    pub fn from_start(at: Time, unix_micros: i64) -> Self {
        Self::new(unix_micros.saturating_sub_unsigned(at.micros()))
    }

    /// Microseconds since 1970 at [`Time::ZERO`].
    pub const fn unix_micros_at_zero(self) -> i64 {
        self.unix_micros_at_zero
    }

    /// `at` on both axes. A moment beyond the year 9999 shows as the end of that year.
    pub fn moment(self, at: Time) -> Moment {
        let micros = self.unix_micros_at_zero.saturating_add_unsigned(at.micros());
        Moment { at, utc: Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX) }
    }
}

/// A moment on the log's axis and in UTC.
///
/// As JSON `{"at": 12000345, "utc": "2026-11-23T16:18:15.000345Z"}`: microseconds since the log began,
/// and RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Since the log began.
    pub at: Time,
    /// The wall clock as it was then.
    pub utc: Timestamp,
}

impl std::fmt::Display for Moment {
    /// `2026-11-23 16:18:15.123 UTC`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} UTC", self.utc.strftime("%Y-%m-%d %H:%M:%S%.3f"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_on_both_axes() {
        let wall = WallClock::from_start(Time::from_secs(10), 1_795_450_695_123_456);
        let moment = wall.moment(Time::from_secs(11));
        assert_eq!(moment.to_string(), "2026-11-23 16:18:16.123 UTC");
        let json = serde_json::to_string(&moment).unwrap();
        assert_eq!(json, r#"{"at":11000000,"utc":"2026-11-23T16:18:16.123456Z"}"#);
    }

    #[test]
    fn a_wall_clock_beyond_the_calendar_is_clamped() {
        assert_eq!(WallClock::new(i64::MAX).moment(Time::from_secs(1)).utc, Timestamp::MAX);
    }
}
