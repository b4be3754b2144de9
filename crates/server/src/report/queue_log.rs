//! Asterisk's `queue_log`, which reporting programs for call centres read.

use events::{EndedBy, OfferOutcome};
use figures::{Millis, Outcome, Stage, State, Timeline, Visit};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// `SECONDS|CALL|QUEUE|AGENT|EVENT|…` a line, in the order of time. Events and their parameters are those of the Asterisk
/// documentation, "Queue Logs".
pub(crate) fn queue_log(
    visits: &[Visit],
    agents: &BTreeMap<Arc<str>, Timeline>,
    period: (Millis, Millis),
) -> String {
    let mut lines = Lines { period, lines: Vec::new() };
    let positions = positions(visits);
    for visit in visits {
        let (came, went) = positions.get(&visit.id).copied().unwrap_or((1, 1));
        lines.visit(visit, came, went);
    }
    for (agent, timeline) in agents {
        lines.agent(agent, timeline);
    }
    lines.lines.sort_by_key(|(at, _)| *at);
    lines.lines.into_iter().map(|(_, line)| line + "\n").collect()
}

struct Lines {
    period: (Millis, Millis),
    lines: Vec<(Millis, String)>,
}

impl Lines {
    fn add(&mut self, at: Millis, call: &str, queue: &str, agent: &str, event: &str) {
        if (self.period.0..self.period.1).contains(&at) {
            let plain = |text: &str| text.replace(['|', '\n', '\r'], "_");
            let (queue, agent) = (plain(queue), plain(agent));
            self.lines.push((at, format!("{}|{call}|{queue}|{agent}|{event}", at.div_euclid(1_000))));
        }
    }

    fn visit(&mut self, visit: &Visit, position: usize, went: usize) {
        // Callbacks are no events of it.
        let Some(queue) = visit.queue.as_ref().filter(|_| !is_callback(visit)) else { return };
        let (call, queue) = (visit.contact.0.to_string(), format!("{}/{queue}", visit.client));
        let moment = |after: u64| visit.arrived.saturating_add_unsigned(after);
        let caller = visit.caller.replace(['|', '\n', '\r'], "_");
        self.add(visit.arrived, &call, &queue, "NONE", &format!("ENTERQUEUE||{caller}|{position}"));
        for offer in &visit.offers {
            let missed = [
                OfferOutcome::NoAnswer,
                OfferOutcome::Busy,
                OfferOutcome::Declined,
                OfferOutcome::Unreachable,
            ];
            if offer.outcome.is_some_and(|outcome| missed.contains(&outcome)) {
                let at = moment(offer.at + offer.rang);
                self.add(at, &call, &queue, &offer.agent, &format!("RINGNOANSWER|{}", offer.rang));
            }
        }
        let Some(left) = visit.left else { return };
        let waited = visit.waited(visit.arrived) / 1_000;
        let at = moment(left);
        match &visit.outcome {
            Outcome::Answered(agent) => self.answered(visit, (&call, &queue, agent), position),
            Outcome::Abandoned | Outcome::Interrupted => {
                self.add(at, &call, &queue, "NONE", &format!("ABANDON|{went}|{position}|{waited}"));
            }
            Outcome::TimedOut => {
                self.add(at, &call, &queue, "NONE", &format!("EXITWITHTIMEOUT|{went}|{position}|{waited}"))
            }
            // Which key it was is in the log of the flow alone.
            Outcome::Key => {
                self.add(at, &call, &queue, "NONE", &format!("EXITWITHKEY||{went}|{position}|{waited}"))
            }
            Outcome::NoAgents => {
                self.add(at, &call, &queue, "NONE", &format!("EXITEMPTY|{went}|{position}|{waited}"))
            }
            Outcome::Full => self.add(at, &call, &queue, "NONE", "FULL"),
            Outcome::PickedUp
            | Outcome::Moved
            | Outcome::Waiting
            | Outcome::NoQueue(_)
            | Outcome::Callback(_) => {}
        }
    }

    fn answered(&mut self, visit: &Visit, (call, queue, agent): (&str, &str, &str), position: usize) {
        let moment = |after: u64| visit.arrived.saturating_add_unsigned(after);
        let hold = visit.waited(visit.arrived) / 1_000;
        let taken = visit.offers.iter().find(|offer| offer.outcome == Some(OfferOutcome::Answered));
        let rang = taken.map_or(0, |offer| offer.rang / 1_000);
        let left = visit.left.unwrap_or(0);
        self.add(moment(left), call, queue, agent, &format!("CONNECT|{hold}|{call}|{rang}"));
        let hung_up = visit.stages.iter().find(|(stage, _)| matches!(stage, Stage::WrapUp | Stage::End));
        let Some(talked) = hung_up.map(|(_, at)| at - left) else { return };
        let event = match visit.ended_by {
            _ if visit.is_transferred => format!("BLINDTRANSFER|||{hold}|{}|{position}", talked / 1_000),
            Some(EndedBy::Caller) => format!("COMPLETECALLER|{hold}|{}|{position}", talked / 1_000),
            _ => format!("COMPLETEAGENT|{hold}|{}|{position}", talked / 1_000),
        };
        self.add(moment(left + talked), call, queue, agent, &event);
    }

    /// Agents log in to all their queues at once, and pause in all.
    fn agent(&mut self, agent: &str, timeline: &Timeline) {
        let (mut since, mut is_paused) = (None, false);
        for (at, state) in &timeline.changes {
            match (state, since) {
                (State::LoggedOut, Some(began)) => {
                    let seconds = (at - began) / 1_000;
                    self.add(*at, "NONE", "NONE", agent, &format!("AGENTLOGOFF|{agent}|{seconds}"));
                    (since, is_paused) = (None, false);
                }
                (State::LoggedOut, None) => {}
                (_, None) => {
                    self.add(*at, "NONE", "NONE", agent, &format!("AGENTLOGIN|{agent}"));
                    since = Some(*at);
                }
                _ => {}
            }
            match state {
                State::Paused(reason) if !is_paused => {
                    self.add(*at, "NONE", "NONE", agent, &format!("PAUSEALL|{}", reason.replace('|', "_")));
                    is_paused = true;
                }
                // What hides a pause does not end it.
                State::Ready | State::Ringing if is_paused => {
                    self.add(*at, "NONE", "NONE", agent, "UNPAUSEALL");
                    is_paused = false;
                }
                _ => {}
            }
        }
    }
}

fn is_callback(visit: &Visit) -> bool {
    matches!(visit.outcome, Outcome::Callback(_))
}

/// The place of each visit in its queue when it came, and when it left; 1 is next.
fn positions(visits: &[Visit]) -> HashMap<u64, (usize, usize)> {
    let mut waiting: HashMap<(&str, &str), Vec<Millis>> = HashMap::new();
    let mut positions = HashMap::new();
    for visit in visits {
        let Some(queue) = visit.queue.as_ref().filter(|_| !is_callback(visit)) else { continue };
        let leaves = visit.left.map_or(Millis::MAX, |left| visit.arrived.saturating_add_unsigned(left));
        let there = waiting.entry((&visit.client, queue)).or_default();
        there.retain(|leaves| *leaves > visit.arrived);
        let longer = there.iter().filter(|others| **others > leaves).count();
        positions.insert(visit.id, (there.len() + 1, longer + 1));
        there.push(leaves);
    }
    positions
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::ContactId;
    use figures::Offer;

    fn visit(id: u64, arrived: Millis, left: u64, outcome: Outcome) -> Visit {
        Visit {
            id,
            contact: ContactId(id),
            is_first: true,
            is_callback: false,
            client: "acme".into(),
            queue: Some("support".into()),
            number: "+34911000100".into(),
            trunk: Some("carrier".into()),
            caller: "+346|1".into(),
            arrived,
            waited_before: 0,
            left: Some(left),
            outcome,
            is_transferred: false,
            ended_by: Some(EndedBy::Caller),
            offers: Vec::new(),
            stages: Vec::new(),
        }
    }

    #[test]
    fn each_thing_that_happens_is_a_line_with_the_parameters_of_the_documentation() {
        let offer =
            |agent: &str, at, rang, outcome| Offer { agent: agent.into(), at, rang, outcome: Some(outcome) };
        let answered = Visit {
            offers: vec![
                offer("bob", 0, 15_000, OfferOutcome::NoAnswer),
                offer("alice", 16_000, 4_000, OfferOutcome::Answered),
            ],
            stages: vec![
                (Stage::Talk, 20_000),
                (Stage::Hold, 30_000),
                (Stage::Talk, 40_000),
                (Stage::WrapUp, 80_000),
            ],
            ..visit(1, 1_000_000, 20_000, Outcome::Answered("alice".into()))
        };
        let visits = [
            answered,
            visit(2, 1_005_000, 30_000, Outcome::Abandoned),
            visit(3, 1_006_000, 10_000, Outcome::Key),
            visit(4, 1_007_000, 60_000, Outcome::TimedOut),
        ];
        let lunch = || State::Paused("lunch".into());
        let changes = vec![
            (990_000, State::Ready),
            (1_100_000, lunch()),
            (1_110_000, State::Busy),
            (1_120_000, lunch()),
            (1_130_000, State::Ready),
            (1_200_000, State::LoggedOut),
        ];
        let agents = BTreeMap::from([("alice".into(), Timeline { changes })]);
        let log = queue_log(&visits, &agents, (0, Millis::MAX));
        let by_hand = "\
990|NONE|NONE|alice|AGENTLOGIN|alice
1000|1|acme/support|NONE|ENTERQUEUE||+346_1|1
1005|2|acme/support|NONE|ENTERQUEUE||+346_1|2
1006|3|acme/support|NONE|ENTERQUEUE||+346_1|3
1007|4|acme/support|NONE|ENTERQUEUE||+346_1|4
1015|1|acme/support|bob|RINGNOANSWER|15000
1016|3|acme/support|NONE|EXITWITHKEY||3|3|10
1020|1|acme/support|alice|CONNECT|20|1|4
1035|2|acme/support|NONE|ABANDON|1|2|30
1067|4|acme/support|NONE|EXITWITHTIMEOUT|1|4|60
1080|1|acme/support|alice|COMPLETECALLER|20|60|1
1100|NONE|NONE|alice|PAUSEALL|lunch
1130|NONE|NONE|alice|UNPAUSEALL
1200|NONE|NONE|alice|AGENTLOGOFF|alice|210
";
        assert_eq!(log, by_hand);
    }
}
