//! The non-INVITE server transaction: RFC 3261 figure 8.

use super::{Action, ServerInput as Input, StatusClass, Timer};

/// Where a non-INVITE server transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The request is with the user.
    Trying,
    /// The user sent a provisional response.
    Proceeding,
    /// The user sent the final response.
    Completed,
    /// The transaction is over.
    Terminated,
}

/// What to do when the transaction begins in [`State::Trying`].
pub(crate) const START: &[Action] = &[Action::Start(Timer::F)];

/// One transition of the figure; `None` where the figure has none and the input is absorbed.
///
/// Beyond the figure, Timer F runs here too: the client has given up by then, a response would be
/// discarded (RFC 4320 section 4.2), and a user that never answers must not hold the transaction.
pub(crate) fn step(state: State, input: Input) -> Option<(State, &'static [Action])> {
    use Action::{Repeat, Send, Start, Stop};
    use Input::{Request, Respond, Timer as Fired};
    use State::{Completed, Proceeding, Terminated, Trying};
    use StatusClass::{Failure, Provisional, Success};
    Some(match (state, input) {
        (Trying | Proceeding, Respond(Provisional)) => (Proceeding, &[Send]),
        (Trying | Proceeding, Respond(Success | Failure)) => {
            (Completed, &[Stop(Timer::F), Send, Start(Timer::J)])
        }
        (Trying | Proceeding, Fired(Timer::F)) => (Terminated, &[]),
        (Proceeding | Completed, Request) => (state, &[Repeat]),
        (Completed, Fired(Timer::J)) => (Terminated, &[]),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::{Repeat, Send, Start, Stop};
    use Input::{Request, Respond, Timer as Fired};
    use State::{Completed, Proceeding, Terminated, Trying};
    use StatusClass::{Failure, Provisional, Success};

    #[test]
    fn rfc3261_figure_8_trying_absorbs_the_request_again() {
        assert_eq!(step(Trying, Request), None);
        assert_eq!(step(Trying, Input::Ack), None);
        assert_eq!(step(Trying, Respond(Provisional)), Some((Proceeding, &[Send][..])));
        assert_eq!(step(Proceeding, Request), Some((Proceeding, &[Repeat][..])));
        assert_eq!(step(Proceeding, Respond(Provisional)), Some((Proceeding, &[Send][..])));
    }

    #[test]
    fn rfc3261_17_2_2_completed_repeats_its_final_response_until_timer_j() {
        for state in [Trying, Proceeding] {
            for class in [Success, Failure] {
                let done: &[Action] = &[Stop(Timer::F), Send, Start(Timer::J)];
                assert_eq!(step(state, Respond(class)), Some((Completed, done)));
            }
        }
        assert_eq!(step(Completed, Request), Some((Completed, &[Repeat][..])));
        assert_eq!(step(Completed, Respond(Success)), None);
        assert_eq!(step(Completed, Fired(Timer::J)), Some((Terminated, &[][..])));
    }

    #[test]
    fn rfc4320_4_2_an_unanswered_request_is_forgotten_when_its_client_has_given_up() {
        assert_eq!(START, [Start(Timer::F)]);
        assert_eq!(step(Trying, Fired(Timer::F)), Some((Terminated, &[][..])));
        assert_eq!(step(Proceeding, Fired(Timer::F)), Some((Terminated, &[][..])));
        assert_eq!(step(Terminated, Respond(Success)), None);
    }
}
