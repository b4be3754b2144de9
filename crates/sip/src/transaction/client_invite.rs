//! The INVITE client transaction: RFC 3261 figure 5 with RFC 6026's Accepted state (section 7.2).

use super::{Action, ClientInput as Input, StatusClass, Timer};

/// Where an INVITE client transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The INVITE was sent, nothing came back.
    Calling,
    /// A provisional response came.
    Proceeding,
    /// A 300–699 came and was acknowledged; its retransmissions are acknowledged again.
    Completed,
    /// A 2xx came; further ones, of this or another branch, go to the user.
    Accepted,
    /// The transaction is over.
    Terminated,
}

/// What to do when the transaction begins in [`State::Calling`].
pub(crate) const START: &[Action] = &[Action::Send, Action::Start(Timer::A), Action::Start(Timer::B)];

/// One transition of the figure; `None` where the figure has none and the input is absorbed.
///
/// Two arrows leave Proceeding that the figure does not have. A transport error: a stream that closes under
/// a ringing call carries no final response any more. Timer B: it runs there once
/// the INVITE was cancelled or its user is gone, and gives up after 64*T1 as section 9.1 asks.
pub(crate) fn step(state: State, input: Input) -> Option<(State, &'static [Action])> {
    use Action::{Ack, Pass, Repeat, RepeatLater, Start, Stop, Timeout, TransportFailed};
    use Input::{Response, Timer as Fired, TransportError};
    use State::{Accepted, Calling, Completed, Proceeding, Terminated};
    use StatusClass::{Failure, Provisional, Success};
    Some(match (state, input) {
        (Calling, Fired(Timer::A)) => (Calling, &[Repeat, RepeatLater(Timer::A)]),
        (Calling, Fired(Timer::B)) => (Terminated, &[Stop(Timer::A), Timeout]),
        (Calling, TransportError) => (Terminated, &[Stop(Timer::A), Stop(Timer::B), TransportFailed]),
        (Proceeding, TransportError) => (Terminated, &[Stop(Timer::B), TransportFailed]),
        (Proceeding, Fired(Timer::B)) => (Terminated, &[Timeout]),
        (Calling, Response(Provisional)) => (Proceeding, &[Stop(Timer::A), Stop(Timer::B), Pass]),
        (Calling, Response(Success)) => (Accepted, &[Stop(Timer::A), Stop(Timer::B), Start(Timer::M), Pass]),
        (Calling, Response(Failure)) => {
            (Completed, &[Stop(Timer::A), Stop(Timer::B), Start(Timer::D), Ack, Pass])
        }
        (Proceeding, Response(Provisional)) => (Proceeding, &[Pass]),
        (Proceeding, Response(Success)) => (Accepted, &[Stop(Timer::B), Start(Timer::M), Pass]),
        (Proceeding, Response(Failure)) => (Completed, &[Stop(Timer::B), Start(Timer::D), Ack, Pass]),
        (Completed, Response(Failure)) => (Completed, &[Repeat]),
        (Completed, Fired(Timer::D)) => (Terminated, &[]),
        (Completed, TransportError) => (Terminated, &[Stop(Timer::D)]),
        (Accepted, Response(Success)) => (Accepted, &[Pass]),
        (Accepted, Fired(Timer::M)) => (Terminated, &[]),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::{Ack, Pass, Repeat, RepeatLater, Start, Stop, Timeout, TransportFailed};
    use Input::{Response, Timer as Fired, TransportError};
    use State::{Accepted, Calling, Completed, Proceeding, Terminated};
    use StatusClass::{Failure, Provisional, Success};

    #[test]
    fn rfc3261_17_1_1_2_calling_retransmits_until_timer_b() {
        assert_eq!(START, [Action::Send, Start(Timer::A), Start(Timer::B)]);
        let again: &[Action] = &[Repeat, RepeatLater(Timer::A)];
        assert_eq!(step(Calling, Fired(Timer::A)), Some((Calling, again)));
        assert_eq!(step(Calling, Fired(Timer::B)), Some((Terminated, &[Stop(Timer::A), Timeout][..])));
        let failed: &[Action] = &[Stop(Timer::A), Stop(Timer::B), TransportFailed];
        assert_eq!(step(Calling, TransportError), Some((Terminated, failed)));
    }

    #[test]
    fn rfc3261_figure_5_each_response_leaves_calling() {
        for (class, to) in [(Provisional, Proceeding), (Success, Accepted), (Failure, Completed)] {
            let (state, actions) = step(Calling, Response(class)).expect("an arrow");
            assert_eq!(state, to);
            assert!(actions.starts_with(&[Stop(Timer::A), Stop(Timer::B)]));
            assert!(actions.ends_with(&[Pass]));
            assert_eq!(actions.contains(&Ack), class == Failure, "only 300-699 is acknowledged here");
        }
    }

    #[test]
    fn rfc3261_figure_5_proceeding_waits_without_retransmitting() {
        assert_eq!(step(Proceeding, Fired(Timer::A)), None);
        assert_eq!(step(Proceeding, Response(Provisional)), Some((Proceeding, &[Pass][..])));
        let completed: &[Action] = &[Stop(Timer::B), Start(Timer::D), Ack, Pass];
        assert_eq!(step(Proceeding, Response(Failure)), Some((Completed, completed)));
        let accepted: &[Action] = &[Stop(Timer::B), Start(Timer::M), Pass];
        assert_eq!(step(Proceeding, Response(Success)), Some((Accepted, accepted)));
    }

    #[test]
    fn rfc3261_9_1_proceeding_gives_up_once_timer_b_was_started_for_a_cancel() {
        assert_eq!(step(Proceeding, Fired(Timer::B)), Some((Terminated, &[Timeout][..])));
        let failed: &[Action] = &[Stop(Timer::B), TransportFailed];
        assert_eq!(step(Proceeding, TransportError), Some((Terminated, failed)));
    }

    #[test]
    fn rfc3261_17_1_1_2_completed_acknowledges_again_and_passes_nothing() {
        assert_eq!(step(Completed, Response(Failure)), Some((Completed, &[Repeat][..])));
        assert_eq!(step(Completed, Response(Success)), None);
        assert_eq!(step(Completed, Response(Provisional)), None);
        assert_eq!(step(Completed, Fired(Timer::D)), Some((Terminated, &[][..])));
        assert_eq!(step(Completed, TransportError), Some((Terminated, &[Stop(Timer::D)][..])));
    }

    #[test]
    fn rfc6026_7_2_accepted_passes_every_2xx_until_timer_m() {
        assert_eq!(step(Accepted, Response(Success)), Some((Accepted, &[Pass][..])));
        assert_eq!(step(Accepted, Response(Provisional)), None);
        assert_eq!(step(Accepted, Response(Failure)), None);
        assert_eq!(step(Accepted, TransportError), None);
        assert_eq!(step(Accepted, Fired(Timer::M)), Some((Terminated, &[][..])));
    }

    #[test]
    fn nothing_leaves_terminated() {
        for class in [Provisional, Success, Failure] {
            assert_eq!(step(Terminated, Response(class)), None);
        }
    }
}
