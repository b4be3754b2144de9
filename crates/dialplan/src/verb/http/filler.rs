//! What a caller hears while an answer is waited for.

use crate::compile::Compiler;
use crate::fields::Fields;
use crate::machine::{Event, Turn};
use crate::yaml::{Key, Node, Value};
use clock::{Duration, Time};
use std::sync::Arc;

/// Most answers are there before that.
const USUALLY_AFTER: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Filler {
    after: Duration,
    /// Heard first, once.
    prompts: Vec<Arc<str>>,
    /// Then, over and over; `None` where there is none, or none is wanted.
    music: Option<Arc<str>>,
}

/// A request that is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    number: u32,
    /// When the caller begins to hear something.
    fills_at: Option<Time>,
    play: Option<u32>,
}

impl Asked {
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    pub(crate) fn until(&self) -> Option<Time> {
        self.fills_at
    }

    pub(crate) fn playing(&self) -> Option<u32> {
        self.play
    }
}

impl Filler {
    /// The music of holds, unless it says otherwise.
    pub(super) fn parse(written: Option<(&Key, &Node)>, compiler: &mut Compiler<'_, '_>) -> Self {
        let music = compiler.music();
        let mut filler = Self { after: USUALLY_AFTER, prompts: Vec::new(), music };
        let Some((key, node)) = written else { return filler };
        match &node.value {
            Value::Scalar { text, .. } if text == "none" => filler.music = None,
            Value::Map(_) => {
                let known = ["prompts", "after"];
                if let Some(fields) = Fields::of(node, key.span, "`filler`", &known, compiler.faults) {
                    let after = fields.get("after").and_then(|it| it.duration("`after`", compiler.faults));
                    filler.after = after.unwrap_or(USUALLY_AFTER);
                    filler.prompts = fields.get("prompts").map_or_else(Vec::new, |it| compiler.prompts(it).0);
                }
            }
            _ => filler.prompts = compiler.prompts(node).0,
        }
        filler
    }

    /// Begins to wait. Who is not answered hears its own phone or exchange.
    pub(super) fn wait(&self, number: u32, turn: &Turn<'_>) -> Asked {
        let fills = turn.call.answered && (self.music.is_some() || !self.prompts.is_empty());
        Asked { number, fills_at: fills.then(|| turn.now + self.after), play: None }
    }

    /// It is time to be heard, or what was heard is over.
    pub(super) fn go_on(&self, asked: Asked, event: &Event, turn: &mut Turn<'_>) -> Asked {
        let is_first = *event == Event::Timeout;
        let play = match (is_first, &self.music) {
            (true, _) if !self.prompts.is_empty() => Some(turn.play(self.prompts.clone(), Some(1))),
            // Music that cannot be played is not tried again.
            (false, _) if *event == (Event::PlayEnded { failed: true }) => None,
            (_, Some(music)) => Some(turn.play(vec![Arc::clone(music)], None)),
            (_, None) => None,
        };
        Asked { fills_at: None, play, ..asked }
    }
}
