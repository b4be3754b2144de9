//! `answer`: takes the call. Without it a call is only ever rejected or rung through by `dial`.

use super::{Step, Verb};
use crate::compile::Compiler;
use crate::machine::{Effect, Event, Next, Turn, Wait};
use crate::program::Pc;
use clock::Duration;

#[derive(Debug)]
pub(crate) struct Answer {
    next: Pc,
}

/// The media engine answers within milliseconds; a call that is still waiting then has no voice.
const LONGEST: Duration = Duration::from_secs(10);

impl Answer {
    pub(super) fn parse(
        step: &Step<'_>,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        step.no_argument(compiler);
        Some((Verb::Answer(Self { next }), String::new()))
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        vec![self.next]
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        if turn.call.answered {
            return Next::Go(self.next);
        }
        turn.out.push(Effect::Answer);
        Next::Wait(Wait::Answer { until: turn.now + LONGEST })
    }

    pub(super) fn resume(&self, event: Event, turn: &mut Turn<'_>) -> Next {
        match event {
            Event::Answered => Next::Go(self.next),
            _ => {
                turn.branch("answer", "timeout");
                turn.hang_up()
            }
        }
    }
}
