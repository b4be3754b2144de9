//! The timers of RFC 3261 table 4 and RFC 6026.

use clock::Duration;

/// T1, T2 and T4 of RFC 3261 table 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerValues {
    /// Estimate of the round trip; 500 ms.
    pub t1: Duration,
    /// Longest interval between retransmissions of a non-INVITE request or an INVITE response; 4 s.
    pub t2: Duration,
    /// Longest time that a message stays in the network; 5 s.
    pub t4: Duration,
}

impl Default for TimerValues {
    fn default() -> Self {
        Self { t1: Duration::from_millis(500), t2: Duration::from_secs(4), t4: Duration::from_secs(5) }
    }
}

/// A transaction's timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// When to send an INVITE again (unreliable transports).
    A,
    /// When to give up an INVITE that nobody answers.
    B,
    /// When no retransmission of a 300–699 to our INVITE can come any more.
    D,
    /// When to send a non-INVITE request again (unreliable transports).
    E,
    /// When to give up a non-INVITE request.
    F,
    /// When to send a 300–699 to an INVITE again (unreliable transports).
    G,
    /// When to stop waiting for the ACK to a 300–699.
    H,
    /// When no retransmission of an ACK can come any more.
    I,
    /// When no retransmission of a non-INVITE request can come any more.
    J,
    /// When no retransmission of a final response to a non-INVITE request can come any more.
    K,
    /// When no retransmission of an INVITE that was accepted can come any more (RFC 6026).
    L,
    /// When no 2xx to an INVITE can come any more, from whatever branch (RFC 6026).
    M,
}

impl Timer {
    /// Its first value. `None`: it does not run on a reliable transport. Zero: it fires at once.
    pub(crate) fn first(self, values: &TimerValues, reliable: bool) -> Option<Duration> {
        let long = values.t1 * 64;
        match self {
            Self::A | Self::E | Self::G => (!reliable).then_some(values.t1),
            Self::B | Self::F | Self::H | Self::L | Self::M => Some(long),
            Self::D | Self::I | Self::J | Self::K if reliable => Some(Duration::ZERO),
            // Table 4: "> 32s"; 64*T1 is 32 s with the default T1 and follows it when it is tuned.
            Self::D | Self::J => Some(long),
            Self::I | Self::K => Some(values.t4),
        }
    }

    /// The value after `last`: doubled, and for all but Timer A no longer than T2.
    pub(crate) fn doubled(self, values: &TimerValues, last: Duration) -> Duration {
        match self {
            Self::A => last * 2,
            _ => (last * 2).min(values.t2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3261_table_4_unreliable_values() {
        let values = TimerValues::default();
        let first = |timer: Timer| timer.first(&values, false);
        for timer in [Timer::A, Timer::E, Timer::G] {
            assert_eq!(first(timer), Some(Duration::from_millis(500)), "{timer:?}");
        }
        for timer in [Timer::B, Timer::D, Timer::F, Timer::H, Timer::J, Timer::L, Timer::M] {
            assert_eq!(first(timer), Some(Duration::from_secs(32)), "{timer:?}");
        }
        for timer in [Timer::I, Timer::K] {
            assert_eq!(first(timer), Some(Duration::from_secs(5)), "{timer:?}");
        }
    }

    #[test]
    fn rfc3261_table_4_reliable_transports_do_not_retransmit_nor_wait() {
        let values = TimerValues::default();
        for timer in [Timer::A, Timer::E, Timer::G] {
            assert_eq!(timer.first(&values, true), None, "{timer:?}");
        }
        for timer in [Timer::D, Timer::I, Timer::J, Timer::K] {
            assert_eq!(timer.first(&values, true), Some(Duration::ZERO), "{timer:?}");
        }
        for timer in [Timer::B, Timer::F, Timer::H, Timer::L, Timer::M] {
            assert_eq!(timer.first(&values, true), Some(Duration::from_secs(32)), "{timer:?}");
        }
    }

    #[test]
    fn rfc3261_17_1_1_2_timer_a_doubles_without_limit_and_the_others_up_to_t2() {
        let values = TimerValues::default();
        assert_eq!(Timer::A.doubled(&values, Duration::from_secs(8)), Duration::from_secs(16));
        assert_eq!(Timer::E.doubled(&values, Duration::from_secs(3)), Duration::from_secs(4));
        assert_eq!(Timer::G.doubled(&values, Duration::from_millis(500)), Duration::from_secs(1));
    }
}
