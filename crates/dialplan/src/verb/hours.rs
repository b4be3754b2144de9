//! `hours`: branches by a calendar.

use super::{Step, Verb};
use crate::compile::Compiler;
use crate::fields::Fields;
use crate::hours::Hours;
use crate::machine::{Next, Turn};
use crate::program::Pc;

#[derive(Debug)]
pub(crate) struct HoursStep {
    calendar: usize,
    open: Pc,
    /// As `closed` unless it has a branch of its own.
    lunch: Option<Pc>,
    closed: Pc,
    /// As `closed` unless it has a branch of its own.
    holiday: Pc,
}

impl HoursStep {
    pub(super) fn parse(
        step: &Step<'_>,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        const KNOWN: [&str; 5] = ["calendar", "open", "lunch", "closed", "holiday"];
        let argument = step.argument(compiler)?;
        let fields = Fields::of(argument, step.at, "`hours`", &KNOWN, compiler.faults)?;
        let node = fields.require("calendar", compiler.faults);
        let name = node.and_then(|node| node.text("`calendar`", compiler.faults)).unwrap_or_default();
        let calendar = node.and_then(|node| compiler.calendar(name, node.span));
        if KNOWN[1..].iter().all(|branch| fields.get(branch).is_none()) {
            let hint = "write closed: [{play: closed}, hangup]";
            compiler.faults.hinted(
                step.at,
                "`hours` needs an `open`, `lunch`, `closed` or `holiday` branch",
                hint,
            );
        }
        let open = compiler.branch(fields.get("open"), next).unwrap_or(next);
        let lunch = compiler.branch(fields.get("lunch"), next);
        let closed = compiler.branch(fields.get("closed"), next).unwrap_or(next);
        let holiday = compiler.branch(fields.get("holiday"), next).unwrap_or(closed);
        let verb = match calendar {
            Some(calendar) => Verb::Hours(Self { calendar, open, lunch, closed, holiday }),
            None => Verb::Faulty([open, closed, holiday].into_iter().chain(lunch).collect()),
        };
        Some((verb, name.to_owned()))
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        [self.open, self.closed, self.holiday].into_iter().chain(self.lunch).collect()
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        let (name, next) = match turn.hours(self.calendar) {
            Hours::Open => ("open", self.open),
            Hours::Lunch if let Some(lunch) = self.lunch => ("lunch", lunch),
            Hours::Lunch | Hours::Closed => ("closed", self.closed),
            Hours::Holiday => ("holiday", self.holiday),
        };
        turn.branch("hours", name);
        Next::Go(next)
    }
}
