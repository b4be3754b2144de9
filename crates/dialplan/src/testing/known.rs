//! What a test may name.

use crate::program::Program;
use crate::simulate;
use crate::verb::Verb;
use crate::{Client, PromptFile, Target};
use std::collections::BTreeSet;

/// The names that a client's flows give.
pub(crate) struct Known<'c> {
    pub(crate) program: &'c Program,
    pub(crate) prompts: BTreeSet<&'c str>,
    /// What `answers` may name: targets, rooms, queues, `agent` and `callback`.
    pub(crate) answering: BTreeSet<String>,
    /// What `dials` may name; a number with its trunk.
    pub(crate) dialled: BTreeSet<String>,
    /// What `queues` may name.
    pub(crate) queues: BTreeSet<&'c str>,
    /// Whether an expression, or what was dialled, gives further names.
    pub(crate) is_open: bool,
}

impl<'c> Known<'c> {
    pub(crate) fn of(client: &'c Client, prompts: impl Iterator<Item = &'c PromptFile>) -> Self {
        let program = &client.program;
        let prompts = prompts.map(|prompt| prompt.name.as_str()).collect();
        let (answering, dialled) = (BTreeSet::new(), BTreeSet::new());
        let queues = BTreeSet::new();
        let mut known = Self { program, prompts, answering, dialled, queues, is_open: false };
        for instruction in &program.code {
            match &instruction.verb {
                Verb::Dial(dial) => {
                    known.is_open |= dial.targets().iter().any(|it| matches!(it, Target::Dialled { .. }));
                    known.answering.extend(dial.targets().iter().map(simulate::name));
                    known.dialled.extend(dial.targets().iter().map(ToString::to_string));
                }
                Verb::Conference(conference) => match conference.room() {
                    Some(room) => {
                        known.answering.insert(room.to_owned());
                    }
                    None => known.is_open = true,
                },
                Verb::Enqueue(enqueue) => {
                    known.answering.insert(enqueue.queue().to_owned());
                    known.queues.insert(enqueue.queue());
                }
                Verb::Callback(_) => {
                    known.answering.insert(simulate::CALLBACK.to_owned());
                }
                Verb::Agent(_) => {
                    known.answering.insert(simulate::AGENT.to_owned());
                }
                Verb::Voicemail(_) => {
                    known.answering.insert(simulate::VOICEMAIL.to_owned());
                }
                Verb::Mailbox(_) => {
                    known.answering.insert(simulate::MAILBOX.to_owned());
                }
                _ => {}
            }
        }
        known
    }
}
