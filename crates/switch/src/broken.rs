//! Messages that are not SIP, or broken: told to the administrator, but not every one of them.

use clock::{Duration, Time};
use sip::Counters;
use std::net::SocketAddr;

/// From one alarm to the next: a flood must not fill the log.
const PAUSE: Duration = Duration::from_secs(60);

/// What the alarms have told so far.
#[derive(Debug, Default)]
pub(crate) struct Broken {
    /// When the last alarm was.
    told: Option<Time>,
    /// Messages since then.
    untold: u64,
    /// Messages that the endpoint had counted when it was last looked at.
    counted: u64,
}

/// What a message was like.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Observed {
    /// It was dropped or refused as broken.
    pub(crate) is_broken: bool,
    /// The alarm that is due.
    pub(crate) alarm: Option<String>,
}

impl Broken {
    /// Takes the endpoint's counters after a message of `peer`.
    pub(crate) fn observe(&mut self, now: Time, peer: SocketAddr, counters: Counters) -> Observed {
        let counted = counters.dropped + counters.malformed;
        let new = counted - self.counted;
        self.counted = counted;
        self.untold += new;
        if new == 0 || self.told.is_some_and(|told| now - told < PAUSE) {
            return Observed { is_broken: new > 0, alarm: None };
        }
        self.told = Some(now);
        let others = std::mem::take(&mut self.untold) - new;
        let more = if others == 0 { String::new() } else { format!(" ({others} more came in the meantime)") };
        let alarm = format!(
            "{peer} sent what is not SIP, or broken SIP; it was dropped or refused{more}. \
             If nothing of yours is at that address, block it in the firewall"
        );
        Observed { is_broken: true, alarm: Some(alarm) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::ZERO + Duration::from_secs(seconds)
    }

    fn counters(dropped: u64, malformed: u64) -> Counters {
        Counters { dropped, malformed, ..Counters::default() }
    }

    #[test]
    fn good_messages_raise_no_alarm() {
        let mut broken = Broken::default();
        assert_eq!(broken.observe(at(1), ([127, 0, 0, 2], 5080).into(), counters(0, 0)), Observed::default());
    }

    #[test]
    fn the_first_is_told_at_once_and_a_flood_once_a_minute() {
        let mut broken = Broken::default();
        let peer = ([127, 0, 0, 2], 5080).into();
        let first = broken.observe(at(1), peer, counters(1, 0)).alarm.unwrap_or_default();
        assert!(
            first.starts_with("127.0.0.2:5080 sent what is not SIP") && !first.contains("more"),
            "{first}"
        );
        assert_eq!(broken.observe(at(2), peer, counters(2, 0)).alarm, None);
        assert_eq!(broken.observe(at(60), peer, counters(2, 1)).alarm, None);
        let next = broken.observe(at(61), peer, counters(3, 1)).alarm.unwrap_or_default();
        assert!(next.contains("(2 more came in the meantime)"), "{next}");
    }
}
