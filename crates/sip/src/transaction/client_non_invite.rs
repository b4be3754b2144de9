//! The non-INVITE client transaction: RFC 3261 figure 6.

use super::{Action, ClientInput as Input, StatusClass, Timer};

/// Where a non-INVITE client transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The request was sent, nothing came back.
    Trying,
    /// A provisional response came.
    Proceeding,
    /// A final response came; its retransmissions are absorbed.
    Completed,
    /// The transaction is over.
    Terminated,
}

/// What to do when the transaction begins in [`State::Trying`].
pub(crate) const START: &[Action] = &[Action::Send, Action::Start(Timer::E), Action::Start(Timer::F)];

/// One transition of the figure; `None` where the figure has none and the input is absorbed.
pub(crate) fn step(state: State, input: Input) -> Option<(State, &'static [Action])> {
    use Action::{Pass, Repeat, RepeatAtT2, RepeatLater, Start, Stop, Timeout, TransportFailed};
    use Input::{Response, Timer as Fired, TransportError};
    use State::{Completed, Proceeding, Terminated, Trying};
    use StatusClass::{Failure, Provisional, Success};
    Some(match (state, input) {
        (Trying, Fired(Timer::E)) => (Trying, &[Repeat, RepeatLater(Timer::E)]),
        (Proceeding, Fired(Timer::E)) => (Proceeding, &[Repeat, RepeatAtT2(Timer::E)]),
        (Trying | Proceeding, Fired(Timer::F)) => (Terminated, &[Stop(Timer::E), Timeout]),
        (Trying | Proceeding, TransportError) => {
            (Terminated, &[Stop(Timer::E), Stop(Timer::F), TransportFailed])
        }
        (Trying | Proceeding, Response(Provisional)) => (Proceeding, &[Pass]),
        (Trying | Proceeding, Response(Success | Failure)) => {
            (Completed, &[Stop(Timer::E), Stop(Timer::F), Start(Timer::K), Pass])
        }
        (Completed, Fired(Timer::K)) => (Terminated, &[]),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::{Pass, Repeat, RepeatAtT2, RepeatLater, Start, Stop, Timeout, TransportFailed};
    use Input::{Response, Timer as Fired, TransportError};
    use State::{Completed, Proceeding, Terminated, Trying};
    use StatusClass::{Failure, Provisional, Success};

    #[test]
    fn rfc3261_17_1_2_2_trying_doubles_and_proceeding_stays_at_t2() {
        assert_eq!(START, [Action::Send, Start(Timer::E), Start(Timer::F)]);
        let doubled: &[Action] = &[Repeat, RepeatLater(Timer::E)];
        assert_eq!(step(Trying, Fired(Timer::E)), Some((Trying, doubled)));
        let level: &[Action] = &[Repeat, RepeatAtT2(Timer::E)];
        assert_eq!(step(Proceeding, Fired(Timer::E)), Some((Proceeding, level)));
    }

    #[test]
    fn rfc3261_figure_6_provisional_keeps_timer_f() {
        for state in [Trying, Proceeding] {
            assert_eq!(step(state, Response(Provisional)), Some((Proceeding, &[Pass][..])));
            assert_eq!(step(state, Fired(Timer::F)), Some((Terminated, &[Stop(Timer::E), Timeout][..])));
        }
    }

    #[test]
    fn rfc3261_figure_6_a_final_response_completes() {
        for state in [Trying, Proceeding] {
            for class in [Success, Failure] {
                let done: &[Action] = &[Stop(Timer::E), Stop(Timer::F), Start(Timer::K), Pass];
                assert_eq!(step(state, Response(class)), Some((Completed, done)));
            }
        }
        assert_eq!(step(Completed, Response(Success)), None, "retransmissions are absorbed");
        assert_eq!(step(Completed, Fired(Timer::E)), None);
        assert_eq!(step(Completed, Fired(Timer::K)), Some((Terminated, &[][..])));
    }

    #[test]
    fn rfc3261_figure_6_a_transport_error_ends_it_before_the_final_response_only() {
        for state in [Trying, Proceeding] {
            let failed: &[Action] = &[Stop(Timer::E), Stop(Timer::F), TransportFailed];
            assert_eq!(step(state, TransportError), Some((Terminated, failed)));
        }
        assert_eq!(step(Completed, TransportError), None);
        assert_eq!(step(Terminated, TransportError), None);
    }
}
