//! `hangup`: ends the call; one that was never answered is rejected with 480.

use super::{Step, Verb};
use crate::compile::Compiler;

pub(super) fn parse(step: &Step<'_>, compiler: &mut Compiler<'_, '_>) -> Option<(Verb, String)> {
    step.no_argument(compiler);
    Some((Verb::Hangup, String::new()))
}
