//! `percent`: a share of the calls takes each branch, by lot.

use super::{Step, Verb};
use crate::compile::Compiler;
use crate::machine::{Next, Turn};
use crate::program::Pc;

#[derive(Debug)]
pub(crate) struct Percent {
    /// Of a hundred, in the order as written.
    shares: Vec<(u32, Pc)>,
    /// For the rest of the hundred.
    next: Pc,
}

impl Percent {
    pub(super) fn parse(
        step: &Step<'_>,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        let argument = step.argument(compiler)?;
        let entries = argument.entries("`percent`", compiler.faults);
        let mut shares: Vec<(u32, Pc)> = Vec::new();
        for (key, branch) in entries {
            let branch = compiler.branch(Some(branch), next).unwrap_or(next);
            match key.text.parse().ok().filter(|share| (1..=100).contains(share)) {
                Some(share) => shares.push((share, branch)),
                None => {
                    let message =
                        format!("a share is a whole number from 1 to 100, and this is `{}`", key.text);
                    compiler.faults.error(key.span, message);
                }
            }
        }
        let sum: u32 = shares.iter().map(|(share, _)| share).sum();
        if sum > 100 {
            let hint = "they are of a hundred; what is left over goes on with the next step";
            compiler.faults.hinted(step.at, format!("the shares make {sum} together"), hint);
        }
        if shares.is_empty() {
            return Some((Verb::Faulty(vec![next]), String::new()));
        }
        let target = shares.iter().map(|(share, _)| share.to_string()).collect::<Vec<_>>().join("/");
        Some((Verb::Percent(Self { shares, next }), target))
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        let is_whole = self.shares.iter().map(|(share, _)| share).sum::<u32>() >= 100;
        let shares = self.shares.iter().map(|(_, branch)| *branch);
        shares.chain((!is_whole).then_some(self.next)).collect()
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        let mut lot = turn.lot(100);
        turn.branch("percent", &format!("drew {lot}"));
        for (share, branch) in &self.shares {
            if lot < *share {
                turn.branch("percent", &share.to_string());
                return Next::Go(*branch);
            }
            lot -= share;
        }
        turn.branch("percent", "rest");
        Next::Go(self.next)
    }
}
