//! The INVITE server transaction: RFC 3261 figure 7 with RFC 6026's Accepted state (section 7.1).

use super::{Action, ServerInput as Input, StatusClass, Timer};

/// Where an INVITE server transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// No final response yet; 100 has gone out.
    Proceeding,
    /// A 300–699 was sent and is repeated until the ACK.
    Completed,
    /// The ACK to a 300–699 came; further ones are absorbed.
    Confirmed,
    /// A 2xx was sent; the user repeats it, the transaction absorbs the INVITE's retransmissions.
    Accepted,
    /// The transaction is over.
    Terminated,
}

/// One transition of the figure; `None` where the figure has none and the input is absorbed.
///
/// RFC 6026 section 7.1 keeps the transaction over a transport error in every state, so there is no
/// such input: timers H and L bound what is left, and the user learns of a dead peer by its own.
pub(crate) fn step(state: State, input: Input) -> Option<(State, &'static [Action])> {
    use Action::{Pass, Repeat, RepeatLater, Send, Start, Stop, Timeout};
    use Input::{Ack, Request, Respond, Timer as Fired};
    use State::{Accepted, Completed, Confirmed, Proceeding, Terminated};
    use StatusClass::{Failure, Provisional, Success};
    Some(match (state, input) {
        (Proceeding, Request) => (Proceeding, &[Repeat]),
        (Proceeding, Respond(Provisional)) => (Proceeding, &[Send]),
        (Proceeding, Respond(Success)) => (Accepted, &[Send, Start(Timer::L)]),
        (Proceeding, Respond(Failure)) => (Completed, &[Send, Start(Timer::G), Start(Timer::H)]),
        (Completed, Request) => (Completed, &[Repeat]),
        (Completed, Fired(Timer::G)) => (Completed, &[Repeat, RepeatLater(Timer::G)]),
        (Completed, Fired(Timer::H)) => (Terminated, &[Stop(Timer::G), Timeout]),
        (Completed, Ack) => (Confirmed, &[Stop(Timer::G), Stop(Timer::H), Start(Timer::I), Pass]),
        (Confirmed, Fired(Timer::I)) => (Terminated, &[]),
        (Accepted, Respond(Success)) => (Accepted, &[Send]),
        (Accepted, Ack) => (Accepted, &[Pass]),
        (Accepted, Fired(Timer::L)) => (Terminated, &[]),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::{Pass, Repeat, RepeatLater, Send, Start, Stop, Timeout};
    use Input::{Ack, Request, Respond, Timer as Fired};
    use State::{Accepted, Completed, Confirmed, Proceeding, Terminated};
    use StatusClass::{Failure, Provisional, Success};

    #[test]
    fn rfc3261_figure_7_proceeding_repeats_the_last_provisional() {
        assert_eq!(step(Proceeding, Request), Some((Proceeding, &[Repeat][..])));
        assert_eq!(step(Proceeding, Respond(Provisional)), Some((Proceeding, &[Send][..])));
        assert_eq!(step(Proceeding, Ack), None);
    }

    #[test]
    fn rfc3261_17_2_1_completed_repeats_the_final_response_until_ack_or_timer_h() {
        let refused: &[Action] = &[Send, Start(Timer::G), Start(Timer::H)];
        assert_eq!(step(Proceeding, Respond(Failure)), Some((Completed, refused)));
        assert_eq!(step(Completed, Request), Some((Completed, &[Repeat][..])));
        let again: &[Action] = &[Repeat, RepeatLater(Timer::G)];
        assert_eq!(step(Completed, Fired(Timer::G)), Some((Completed, again)));
        let dead: &[Action] = &[Stop(Timer::G), Timeout];
        assert_eq!(step(Completed, Fired(Timer::H)), Some((Terminated, dead)));
        let acked: &[Action] = &[Stop(Timer::G), Stop(Timer::H), Start(Timer::I), Pass];
        assert_eq!(step(Completed, Ack), Some((Confirmed, acked)));
    }

    #[test]
    fn rfc3261_figure_7_confirmed_absorbs_until_timer_i() {
        assert_eq!(step(Confirmed, Ack), None);
        assert_eq!(step(Confirmed, Request), None);
        assert_eq!(step(Confirmed, Fired(Timer::I)), Some((Terminated, &[][..])));
    }

    #[test]
    fn rfc6026_7_1_accepted_absorbs_invites_and_lets_the_user_repeat_its_2xx() {
        let accepted: &[Action] = &[Send, Start(Timer::L)];
        assert_eq!(step(Proceeding, Respond(Success)), Some((Accepted, accepted)));
        assert_eq!(step(Accepted, Request), None);
        assert_eq!(step(Accepted, Respond(Success)), Some((Accepted, &[Send][..])));
        assert_eq!(step(Accepted, Ack), Some((Accepted, &[Pass][..])));
        assert_eq!(step(Accepted, Fired(Timer::L)), Some((Terminated, &[][..])));
        assert_eq!(step(Accepted, Respond(Failure)), None);
    }

    #[test]
    fn a_second_final_response_goes_nowhere() {
        for state in [Completed, Confirmed, Terminated] {
            for class in [Provisional, Success, Failure] {
                assert_eq!(step(state, Respond(class)), None);
            }
        }
    }
}
