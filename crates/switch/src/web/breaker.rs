//! When a server that fails is asked no more, and when it is tried again.

use clock::{Duration, Time};

/// After so many failures in a row it is let alone.
const FAILURES: u32 = 5;
/// For so long.
const REST: Duration = Duration::from_secs(30);

/// What is known of a server that has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Breaker {
    /// It is asked, and has failed so often in a row.
    Closed(u32),
    /// It is let alone until then.
    Open(Time),
    /// One request tries it, and all others are refused.
    Trying,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Ask,
    /// As the only one: its answer decides.
    Try,
    /// There is a trial again after that time.
    Refuse(Duration),
}

impl Default for Breaker {
    fn default() -> Self {
        Self::Closed(0)
    }
}

impl Breaker {
    pub(super) fn admit(&mut self, now: Time) -> Verdict {
        match *self {
            Self::Closed(_) => Verdict::Ask,
            Self::Open(until) if now < until => Verdict::Refuse(until - now),
            Self::Open(_) => {
                *self = Self::Trying;
                Verdict::Try
            }
            Self::Trying => Verdict::Refuse(Duration::ZERO),
        }
    }

    pub(super) fn fail(&mut self, now: Time) {
        *self = match *self {
            Self::Closed(failures) if failures + 1 < FAILURES => Self::Closed(failures + 1),
            // Late failures of requests from before it was let alone change nothing.
            Self::Open(until) => Self::Open(until),
            Self::Closed(_) | Self::Trying => Self::Open(now + REST),
        };
    }

    /// The trial was called off: the next request is one.
    pub(super) fn forget_trial(&mut self, now: Time) {
        if *self == Self::Trying {
            *self = Self::Open(now);
        }
    }

    pub(super) fn is_open(&self) -> bool {
        !matches!(self, Self::Closed(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_in_a_row_let_a_server_alone_until_one_request_has_tried_it() {
        let at = Time::from_secs;
        let mut breaker = Breaker::default();
        for _ in 0..4 {
            breaker.fail(at(1));
            assert_eq!(breaker.admit(at(1)), Verdict::Ask);
        }
        breaker.fail(at(1));
        assert_eq!(breaker.admit(at(21)), Verdict::Refuse(Duration::from_secs(10)));
        // One that was sent before fails late.
        breaker.fail(at(22));
        assert_eq!(breaker.admit(at(31)), Verdict::Try);
        assert_eq!(breaker.admit(at(31)), Verdict::Refuse(Duration::ZERO));
        breaker.fail(at(32));
        assert_eq!(breaker.admit(at(61)), Verdict::Refuse(Duration::from_secs(1)));
        assert_eq!(breaker.admit(at(62)), Verdict::Try);
        breaker.forget_trial(at(63));
        assert_eq!(breaker.admit(at(63)), Verdict::Try);
    }
}
