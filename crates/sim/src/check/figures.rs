//! Figures: what is folded of the log for reports adds up to what the log says.

use super::Tally;
use events::Event;
use events::cdr::Cdr;
use figures::{Changes, Fold, Levels, Stage, State, Timeline, Visit};
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Debug, Default)]
pub(crate) struct Figures {
    fold: Fold,
    /// Each as it was last told.
    visits: BTreeMap<u64, Visit>,
    agents: BTreeMap<Arc<str>, Timeline>,
}

impl Figures {
    pub(crate) fn observe(&mut self, event: &Event, cdr: Option<&Cdr>) {
        let mut changes = Changes::default();
        self.fold.apply(event, cdr, &mut changes);
        self.visits.extend(changes.visits.into_iter().map(|visit| (visit.id, visit)));
        for change in changes.transitions {
            self.agents.entry(change.agent).or_default().changes.push((change.at, change.state));
        }
    }

    /// # Errors
    /// A sum that is not what it should be, at the end of all calls.
    pub(crate) fn check(&self, told: &Tally) -> Result<(), String> {
        let (levels, now) = (Levels::default(), self.fold.last());
        let mut counted = figures::Tally::default();
        let mut moved = 0;
        let mut talked = 0;
        for visit in self.visits.values() {
            // A report has those who are called back apart; the log has their stays among the others.
            let stay = Visit { is_callback: false, ..visit.clone() };
            counted.count(&stay, levels.of(visit), now);
            moved += u64::from(visit.outcome == figures::Outcome::Moved);
            talked += talk(visit, now);
            if !is_seamless(visit) {
                return Err(format!("a visit with a gap: {visit:?}"));
            }
        }
        let by_agents = self.agents.values().flat_map(|timeline| timeline.spans(0, now));
        let by_agents: u64 = by_agents
            .filter(|(.., state)| matches!(state, State::Talking | State::Holding))
            .map(|(from, to, _)| to.abs_diff(from))
            .sum();
        let others = counted.flow_out() + counted.picked_up;
        let sums = [
            ("visits of queues", counted.offered + moved, told.queued),
            ("answered", counted.answered - counted.picked_up, told.served),
            ("abandoned", counted.abandoned, told.given_up_waiting),
            ("moved", moved, told.moved_queue),
            ("left otherwise", others, told.left_queue),
            ("waiting at the end", counted.waiting, 0),
            ("offers", counted.offers.all(), told.offered),
            ("offers that rang out", counted.offers.no_answer, told.not_answered),
            ("milliseconds of talk, by visits and by agents", talked, by_agents),
        ];
        match sums.into_iter().find(|(_, counted, told)| counted != told) {
            Some((what, counted, told)) => {
                Err(format!("figures: {what}: {counted}, and the log says {told}"))
            }
            None => Ok(()),
        }
    }
}

/// How long its agent spoke with the caller, or held the call.
fn talk(visit: &Visit, now: i64) -> u64 {
    let ends = visit.stages.iter().skip(1).map(|(_, at)| *at).chain([now.abs_diff(visit.arrived)]);
    let stages = visit.stages.iter().zip(ends);
    stages
        .filter(|((stage, _), _)| matches!(stage, Stage::Talk | Stage::Hold))
        .map(|((_, from), to)| to - from)
        .sum()
}

/// Waiting, talk and wrap-up follow each other without a gap.
fn is_seamless(visit: &Visit) -> bool {
    let begins = visit.stages.first().is_none_or(|(_, at)| Some(*at) == visit.left);
    begins && visit.stages.windows(2).all(|pair| pair[0].1 <= pair[1].1)
}
