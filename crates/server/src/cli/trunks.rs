//! `trunks`: how each trunk is, and what its calls have come to.

use super::Failed;
use super::client;
use super::history;
use super::output::print;
use events::trunks::{Figures, fold};
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use sip::reason_phrase;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use store::Filter;

/// Causes that a line names; the rest are in the JSON.
const CAUSES: usize = 3;

/// Prints the trunks of the node that runs on a state directory, if one does, with the figures of the calls since
/// then; those of the last day if nothing else is said.
pub(super) fn trunks(state: &Path, json: bool, since: Option<Timestamp>) -> Result<(), Failed> {
    let since = since.or_else(|| Timestamp::now().checked_sub(24.hours()).ok());
    let calls = history::calls_since(state, &Filter { since, ..Filter::default() })?;
    let mut figures = fold(&calls);
    let live = client::trunks(state)?;
    let rows: Vec<Row> = match live {
        Some(live) => {
            let name = |trunk: &Value| trunk["name"].as_str().unwrap_or_default().to_owned();
            let known = live.into_iter().map(|now| {
                let figures = figures.remove(name(&now).as_str()).unwrap_or_default();
                Row { name: name(&now), now: Some(now), figures }
            });
            known.collect::<Vec<_>>().into_iter().chain(gone(figures)).collect()
        }
        None => gone(figures).collect(),
    };
    if json {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| json!({"name": row.name, "now": row.now, "figures": row.figures}))
            .collect();
        return print(&format!("{:#}\n", Value::from(rows)));
    }
    if rows.is_empty() {
        return print("no trunk: no node with HTTP runs here, and no call went by one\n");
    }
    let head = format!(
        "{:<16} {:<30} {:>8} {:>7} {:>7} {:>6} {:>6} {:>13}  {}\n",
        "TRUNK", "STATE", "UP NOW", "IN", "OUT", "ASR", "NER", "PDD p50/p95", "NOT ANSWERED"
    );
    print(&rows.iter().map(Row::text).fold(head, |table, line| table + &line))
}

/// Trunks that only the history knows.
fn gone(figures: BTreeMap<Arc<str>, Figures>) -> impl Iterator<Item = Row> {
    figures.into_iter().map(|(name, figures)| Row { name: name.to_string(), now: None, figures })
}

struct Row {
    name: String,
    /// As the node says; `None` if none runs, or if it has no such trunk any more.
    now: Option<Value>,
    figures: Figures,
}

impl Row {
    fn text(&self) -> String {
        let Figures { calls_in, seizures, asr, ner, pdd_p50_millis, pdd_p95_millis, causes, .. } =
            &self.figures;
        let percent =
            |share: &Option<f64>| share.map_or("-".to_owned(), |share| format!("{:.1}%", share * 100.0));
        let delay = match (pdd_p50_millis, pdd_p95_millis) {
            (Some(p50), Some(p95)) => format!("{}/{} s", seconds(*p50), seconds(*p95)),
            _ => "-".to_owned(),
        };
        let mut often: Vec<_> = causes.iter().collect();
        often.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let often = often.iter().take(CAUSES).map(|(status, count)| format!("{count} {}", cause(**status)));
        let line = format!(
            "{:<16} {:<30} {:>8} {calls_in:>7} {seizures:>7} {:>6} {:>6} {delay:>13}  {}",
            self.name,
            self.state(),
            self.calls_now(),
            percent(asr),
            percent(ner),
            often.collect::<Vec<_>>().join(", ")
        );
        line.trim_end().to_owned() + "\n"
    }

    /// Calls up, and how many may be.
    fn calls_now(&self) -> String {
        let Some(now) = &self.now else { return "-".to_owned() };
        let count = |field: &str| now[field].as_u64().unwrap_or_default();
        let calls = count("calls_in") + count("calls_out");
        now["limits"]["calls"].as_u64().map_or_else(|| calls.to_string(), |max| format!("{calls}/{max}"))
    }

    /// `registered, 1 of 2 up: 503, again in 12 s`.
    fn state(&self) -> String {
        let Some(now) = &self.now else { return "not configured now".to_owned() };
        let mut parts = Vec::new();
        let registration = &now["registration"];
        if registration.is_object() {
            parts.push(if registration["refused"] == true {
                format!("refused ({})", registration["last_status"])
            } else if registration["registered_seconds"].is_u64() {
                "registered".to_owned()
            } else {
                format!("not registered{}", trouble(registration))
            });
        }
        let targets = now["targets"].as_array().map_or(&[][..], Vec::as_slice);
        let down: Vec<_> = targets.iter().filter(|target| target["up"] == false).collect();
        match (targets.len(), down.first()) {
            (0, _) => {}
            (1, None) => parts.push("up".to_owned()),
            (all, None) => parts.push(format!("{all} up")),
            (all, Some(first)) => parts.push(format!("{} of {all} up{}", all - down.len(), trouble(first))),
        }
        let resting = now["resting"].as_array().map_or(&[][..], Vec::as_slice);
        if let Some(longest) = resting.iter().filter_map(|rest| rest["seconds"].as_u64()).max() {
            parts.push(format!("{} resting: 503, again in {longest} s", resting.len()));
        }
        if parts.is_empty() { "not asked".to_owned() } else { parts.join(", ") }
    }
}

/// `: 503, again in 12 s`.
fn trouble(of: &Value) -> String {
    let status = of["last_status"].as_u64().map_or(String::new(), |status| format!(": {status}"));
    let again = of["next_try_seconds"].as_u64().map_or(String::new(), |left| format!(", again in {left} s"));
    status + &again
}

/// Milliseconds as seconds with a tenth.
pub(super) fn seconds(millis: u64) -> String {
    format!("{}.{}", millis / 1_000, millis % 1_000 / 100)
}

fn cause(status: u16) -> String {
    if status == 0 { "given up".to_owned() } else { format!("{status} {}", reason_phrase(status)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(now: Value) -> Row {
        Row { name: "carrier".to_owned(), now: Some(now), figures: Figures::default() }
    }

    #[test]
    fn the_state_says_what_is_wrong_and_when_it_is_tried_again() {
        let up = json!({"up": true, "last_status": 200, "next_try_seconds": 3});
        let down = json!({"up": false, "last_status": 503, "next_try_seconds": 12});
        let registered = json!({"registered_seconds": 200, "refused": false, "last_status": 200});
        let cases = [
            (json!({"targets": [], "registration": null}), "not asked"),
            (json!({"targets": [up]}), "up"),
            (json!({"targets": [up, up]}), "2 up"),
            (
                json!({"targets": [up, down], "registration": registered}),
                "registered, 1 of 2 up: 503, again in 12 s",
            ),
            (json!({"targets": [up], "resting": [{"seconds": 7}]}), "up, 1 resting: 503, again in 7 s"),
            (json!({"targets": [], "registration": {"refused": true, "last_status": 403}}), "refused (403)"),
            (
                json!({"targets": [], "registration": {"refused": false, "last_status": 408, "next_try_seconds": 30}}),
                "not registered: 408, again in 30 s",
            ),
        ];
        for (now, state) in cases {
            assert_eq!(row(now).state(), state);
        }
    }

    #[test]
    fn a_line_has_the_figures_and_the_causes_that_are_most_frequent() {
        let figures = Figures {
            calls_in: 4,
            seizures: 8,
            asr: Some(0.5),
            ner: Some(0.875),
            pdd_p50_millis: Some(1_240),
            pdd_p95_millis: Some(3_000),
            causes: [(486, 1), (503, 2), (0, 9), (404, 1)].into(),
            ..Figures::default()
        };
        let now = json!({"calls_in": 1, "calls_out": 1, "limits": {"calls": 30}, "targets": []});
        let line = Row { figures, ..row(now) }.text();
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(
            words.join(" "),
            "carrier not asked 2/30 4 8 50.0% 87.5% 1.2/3.0 s 9 given up, 2 503 Service Unavailable, 1 404 Not Found"
        );
    }
}
