//! `ring` and `early_media`: what a caller hears who is not answered, and does not pay yet.

use super::play::Play;
use super::{Step, Verb};
use crate::compile::Compiler;
use crate::machine::{Effect, Next, Turn};
use crate::program::Pc;

#[derive(Debug)]
pub(crate) struct Ring {
    next: Pc,
}

impl Ring {
    pub(super) fn parse(
        step: &Step<'_>,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        step.no_argument(compiler);
        Some((Verb::Ring(Self { next }), String::new()))
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        vec![self.next]
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        turn.out.push(Effect::Ring);
        Next::Go(self.next)
    }
}

/// Prompts before the answer.
#[derive(Debug)]
pub(crate) struct EarlyMedia(pub(super) Play);

impl EarlyMedia {
    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        turn.out.push(Effect::EarlyMedia);
        self.0.begin(turn)
    }
}
