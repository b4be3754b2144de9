//! `pause` and `tone`: nothing, or a tone of the network, for a while.

use super::{Step, Verb};
use crate::compile::Compiler;
use crate::fields::Fields;
use crate::machine::{Effect, Event, Next, Turn, Wait};
use crate::program::Pc;
use crate::yaml::{Node, Value};
use clock::{Duration, Time};
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Pause {
    length: Duration,
    /// What is heard over and over meanwhile.
    tone: Option<Arc<str>>,
    next: Pc,
}

/// A caller who hears nothing, or a tone, for longer has hung up.
const LONGEST: Duration = Duration::from_secs(60);
const TONE: Duration = Duration::from_secs(5);

/// What administrators write, and the prompt of the system.
const TONES: [(&str, &str); 5] = [
    ("busy", "busy-tone"),
    ("congestion", "congestion-tone"),
    ("dial", "dial-tone"),
    ("error", "error-tone"),
    ("ringback", "ringback"),
];

impl Pause {
    pub(super) fn parse(
        step: &Step<'_>,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        let argument = step.argument(compiler)?;
        let length = argument.duration_up_to("`pause`", LONGEST, compiler.faults)?;
        Some((Verb::Pause(Self { length, tone: None, next }), argument.describe_short()))
    }

    pub(super) fn parse_tone(
        step: &Step<'_>,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        let argument = step.argument(compiler)?;
        let (node, length) = match &argument.value {
            Value::Map(_) => {
                let fields = Fields::of(argument, step.at, "`tone`", &["name", "for"], compiler.faults)?;
                let length = fields.get("for");
                let length = length.and_then(|it| it.duration_up_to("`for`", LONGEST, compiler.faults));
                (fields.require("name", compiler.faults)?, length)
            }
            _ => (argument, None),
        };
        let tone = Some(tone(node, compiler)?);
        Some((Verb::Tone(Self { length: length.unwrap_or(TONE), tone, next }), node.describe_short()))
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        vec![self.next]
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        let play = self.tone.as_ref().map(|tone| turn.play(vec![Arc::clone(tone)], None));
        Next::Wait(Wait::Pause { until: turn.now + self.length, play })
    }

    pub(super) fn resume(&self, until: Time, play: Option<u32>, event: Event, turn: &mut Turn<'_>) -> Next {
        match event {
            Event::Timeout => {
                turn.out.extend(play.map(|play| Effect::StopPlay { play }));
                Next::Go(self.next)
            }
            // It has broken off: the rest of the time is silent.
            Event::PlayEnded { .. } => {
                turn.branch("tone", "error");
                Next::Wait(Wait::Pause { until, play: None })
            }
            _ => Next::Wait(Wait::Pause { until, play }),
        }
    }
}

fn tone(node: &Node, compiler: &mut Compiler<'_, '_>) -> Option<Arc<str>> {
    let name = node.text("a tone", compiler.faults)?;
    match TONES.iter().find(|(word, _)| *word == name) {
        Some((_, prompt)) => compiler.prompt(prompt, node.span),
        None => {
            let known = TONES.iter().map(|(word, _)| *word);
            compiler.faults.unknown(node.span, "unknown tone {}", name, known);
            None
        }
    }
}
