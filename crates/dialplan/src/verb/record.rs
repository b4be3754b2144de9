//! `record`: one channel a party, from here until `record: stop` or the end of the call; `pause` and `mask` until `resume`.
//! `allowed` and `refused` are what the caller says to being recorded.

use super::{Step, Verb};
use crate::compile::Compiler;
use crate::fields::Fields;
use crate::machine::{Effect, Next, Turn};
use crate::program::Pc;
use crate::yaml::Value;
use rtp::control::Hush;

#[derive(Debug)]
pub(crate) enum Record {
    Start {
        next: Pc,
        /// Where the flow breaks off to when the recording cannot go on; `None` lets the call go on without.
        failed: Option<Pc>,
    },
    Stop {
        next: Pc,
    },
    /// Passes over what is said, or nothing any more.
    Hush {
        next: Pc,
        how: Option<Hush>,
    },
    /// The caller has said whether it may be recorded.
    Consent {
        next: Pc,
        given: bool,
    },
}

impl Record {
    pub(super) fn parse(
        step: &Step<'_>,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        let start = |failed| (Verb::Record(Self::Start { next, failed }), String::new());
        let hush = |how, word: &str| Some((Verb::Record(Self::Hush { next, how }), word.into()));
        let consent = |given, word: &str| Some((Verb::Record(Self::Consent { next, given }), word.into()));
        match step.argument {
            None => Some(start(None)),
            Some(node) => match &node.value {
                Value::Null => Some(start(None)),
                Value::Scalar { text, .. } if text == "start" => Some(start(None)),
                Value::Scalar { text, .. } if text == "stop" => {
                    Some((Verb::Record(Self::Stop { next }), "stop".into()))
                }
                Value::Scalar { text, .. } if text == "pause" => hush(Some(Hush::Pause), "pause"),
                Value::Scalar { text, .. } if text == "mask" => hush(Some(Hush::Mask), "mask"),
                Value::Scalar { text, .. } if text == "resume" => hush(None, "resume"),
                Value::Scalar { text, .. } if text == "allowed" => consent(true, "allowed"),
                Value::Scalar { text, .. } if text == "refused" => consent(false, "refused"),
                Value::Scalar { text, .. } => {
                    let known =
                        ["start", "stop", "pause", "mask", "resume", "allowed", "refused"].into_iter();
                    compiler.faults.unknown(node.span, "unknown word for `record` {}", text, known);
                    None
                }
                _ => {
                    let fields = Fields::of(node, step.at, "`record`", &["failed"], compiler.faults)?;
                    if let (true, Some((key, _))) = (compiler.in_sub_flow(), fields.entry("failed")) {
                        let message = "`failed` may be needed when this flow has come back";
                        let hint = "record in the flow that calls this one";
                        compiler.faults.hinted(key.span, message, hint);
                    }
                    Some(start(compiler.branch(fields.get("failed"), Pc::END)))
                }
            },
        }
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        match self {
            Self::Start { next, failed } => [Some(*next), *failed].into_iter().flatten().collect(),
            Self::Stop { next } | Self::Hush { next, .. } | Self::Consent { next, .. } => vec![*next],
        }
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        match self {
            Self::Start { next, failed } => {
                turn.out.push(Effect::Record);
                turn.call.recording_failed = failed.map(|failed| (turn.at, failed));
                Next::Go(*next)
            }
            Self::Stop { next } => {
                turn.out.push(Effect::StopRecording);
                turn.call.recording_failed = None;
                Next::Go(*next)
            }
            Self::Hush { next, how } => {
                turn.out.push(Effect::HushRecording { how: *how });
                Next::Go(*next)
            }
            Self::Consent { next, given } => {
                turn.out.push(Effect::RecordConsent { given: *given });
                Next::Go(*next)
            }
        }
    }
}
