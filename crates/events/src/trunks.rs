//! What the calls over each trunk came to: a fold of CDRs, in the terms of ITU-T E.425.

use crate::cdr::{Cdr, LegRecord};
use crate::{Direction, Party};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The figures of one trunk.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Calls that came in by it.
    pub calls_in: u64,
    /// Calls that were placed over it: seizures.
    pub seizures: u64,
    /// Of those, how many were answered.
    pub answered: u64,
    /// Of those, how many the network did its part for: answered, busy, declined, or rung in vain.
    pub effective: u64,
    /// Answer-seizure ratio, 0 to 1; `None` without a seizure.
    pub asr: Option<f64>,
    /// Network effectiveness ratio, 0 to 1; `None` without a seizure.
    pub ner: Option<f64>,
    /// Post-dial delay: milliseconds from the INVITE to the first ringing or the answer, of every second seizure at
    /// most so long.
    pub pdd_p50_millis: Option<u64>,
    /// Of 95 in 100.
    pub pdd_p95_millis: Option<u64>,
    /// Why seizures were not answered: the SIP status, 0 for those that we gave up, and how often.
    pub causes: BTreeMap<u16, u64>,
}

/// Figures that are being counted.
#[derive(Default)]
struct Draft {
    figures: Figures,
    /// Post-dial delays in milliseconds.
    delays: Vec<u64>,
}

/// The figures of each trunk that has a leg in one of these CDRs, by name.
pub fn fold<'a>(cdrs: impl IntoIterator<Item = &'a Cdr>) -> BTreeMap<Arc<str>, Figures> {
    let mut trunks: BTreeMap<Arc<str>, Draft> = BTreeMap::new();
    for leg in cdrs.into_iter().flat_map(|cdr| &cdr.legs) {
        let Party::Trunk(name) = &leg.party else { continue };
        trunks.entry(Arc::clone(name)).or_default().count(leg);
    }
    trunks.into_iter().map(|(name, draft)| (name, draft.finish())).collect()
}

impl Draft {
    fn count(&mut self, leg: &LegRecord) {
        let figures = &mut self.figures;
        if leg.direction == Direction::Inbound {
            figures.calls_in += 1;
            return;
        }
        figures.seizures += 1;
        if let Some(heard) = leg.ringing.or(leg.answered) {
            let delay = heard.at.since(leg.started.at);
            self.delays.push(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX));
        }
        if leg.answered.is_some() {
            figures.answered += 1;
            figures.effective += 1;
            return;
        }
        let rang = leg.ringing.is_some();
        figures.effective += u64::from(match leg.cause.status {
            // The called party's doing (E.425: user busy, terminal rejection).
            Some(486 | 600 | 603) => true,
            Some(408 | 480 | 487) | None => rang,
            Some(_) => false,
        });
        *figures.causes.entry(leg.cause.status.unwrap_or(0)).or_default() += 1;
    }

    fn finish(mut self) -> Figures {
        #[expect(clippy::cast_precision_loss, reason = "counts of calls are far below 2^52")]
        let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        let mut figures = self.figures;
        figures.asr = share(figures.answered, figures.seizures);
        figures.ner = share(figures.effective, figures.seizures);
        self.delays.sort_unstable();
        figures.pdd_p50_millis = percentile(&self.delays, 50);
        figures.pdd_p95_millis = percentile(&self.delays, 95);
        figures
    }
}

/// The smallest value that at least `percent` in 100 do not exceed (nearest rank).
fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cdr::Disposition;
    use crate::{Cause, ContactId, EndedBy, LegId, WallClock};
    use clock::Time;

    fn leg(direction: Direction, rang: Option<u64>, answered: Option<u64>, status: Option<u16>) -> LegRecord {
        let moment = |millis| WallClock::new(0).moment(Time::from_millis(millis));
        LegRecord {
            leg: LegId(1),
            direction,
            party: Party::Trunk("carrier".into()),
            uri: "".into(),
            call_id: "".into(),
            started: moment(1_000),
            ringing: rang.map(|after| moment(1_000 + after)),
            answered: answered.map(|after| moment(1_000 + after)),
            ended: moment(90_000),
            cause: Cause { by: EndedBy::Callee, status, reason: "".into() },
            codec: None,
            hold_millis: 0,
            media: None,
        }
    }

    fn cdr(legs: Vec<LegRecord>) -> Cdr {
        let moment = WallClock::new(0).moment(Time::ZERO);
        Cdr {
            contact: ContactId(1),
            source: "".into(),
            client: "".into(),
            from: "".into(),
            to: "".into(),
            flow: "".into(),
            verstat: None,
            attestation: None,
            started: moment,
            answered: None,
            bridged: None,
            ended: moment,
            ring_millis: 0,
            wait_millis: 0,
            talk_millis: 0,
            billable_millis: 0,
            disposition: Disposition::Failed,
            cause: Cause { by: EndedBy::Callee, status: None, reason: "".into() },
            legs,
            recordings: Vec::new(),
            rooms: Vec::new(),
            queues: Vec::new(),
            callbacks: Vec::new(),
            messages: Vec::new(),
            transfers: Vec::new(),
        }
    }

    #[test]
    fn e425_answers_and_what_the_network_did_its_part_for_are_told_apart() {
        use Direction::{Inbound, Outbound};
        let cdrs = [
            cdr(vec![
                leg(Inbound, None, Some(10), Some(200)),
                leg(Outbound, Some(100), Some(900), Some(200)),
            ]),
            cdr(vec![leg(Outbound, Some(300), None, Some(486)), leg(Outbound, None, None, Some(503))]),
            cdr(vec![leg(Outbound, Some(200), None, None), leg(Outbound, None, None, None)]),
            cdr(vec![leg(Outbound, None, Some(400), Some(200)), leg(Outbound, None, None, Some(404))]),
        ];
        let figures = fold(&cdrs).remove("carrier").expect("a trunk");
        assert_eq!((figures.calls_in, figures.seizures, figures.answered, figures.effective), (1, 7, 2, 4));
        assert_eq!((figures.asr, figures.ner), (Some(2.0 / 7.0), Some(4.0 / 7.0)));
        assert_eq!(figures.causes.into_iter().collect::<Vec<_>>(), [(0, 2), (404, 1), (486, 1), (503, 1)]);
        assert_eq!((figures.pdd_p50_millis, figures.pdd_p95_millis), (Some(200), Some(400)));
    }

    #[test]
    fn without_a_seizure_there_is_no_ratio() {
        let only_in = cdr(vec![leg(Direction::Inbound, None, None, None)]);
        let figures = fold([&only_in]).remove("carrier").expect("a trunk");
        assert_eq!((figures.asr, figures.ner, figures.pdd_p50_millis), (None, None, None));
        assert!(fold([]).is_empty());
    }

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        assert_eq!(percentile(&[], 50), None);
        assert_eq!(percentile(&[7], 50), Some(7));
        assert_eq!(percentile(&[1, 2, 3, 4], 50), Some(2));
        assert_eq!(percentile(&(1..=100).collect::<Vec<_>>(), 95), Some(95));
    }
}
