//! `/metrics`: what a monitor asks for each few seconds, in the text format of Prometheus (0.0.4).
//!
//! There are no counters beside the event log: what is of calls is of those that came within the last hour, as `/reports` counts
//! them. A label is a trunk, a queue or a client of the configuration, so that nobody who calls can make new ones.

use super::super::control::{Control, Status};
use super::answer::Fault;
use super::document::Routes;
use super::floor::Queue;
use super::node::Trunk;
use crate::report::{Question, SERVICE_LEVEL, answer, service_level};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use figures::{Axis, figure};
use jiff::Timestamp;
use std::fmt::{Display, Write};

/// Of which calls figures are.
const WINDOW_MILLIS: i64 = 3_600_000;

/// What is told of queues and of clients; each with its formula as its help.
const FIGURES: [&str; 11] = [
    "offered",
    "answered",
    "abandoned",
    "short_abandoned",
    "flow_out",
    "asa",
    "longest_wait",
    "abandonment",
    "handled",
    "aht",
    "non_response",
];

pub(super) fn routes(routes: Routes) -> Routes {
    routes.under("Node").with(__path_metrics, metrics)
}

/// What a monitor asks for each few seconds, as Prometheus reads it
#[utoipa::path(get, path = "/metrics",
    responses((status = 200, description = "Prometheus' text format 0.0.4", body = String, content_type = "text/plain")),
    security(("token" = ["inspect"])))]
async fn metrics(State(control): State<Control>) -> Result<Response, Fault> {
    let (status, trunks, queues) =
        (control.status().await?, control.trunks().await?, control.queues().await?);
    let mut page = Page::default();
    of_node(&mut page, &status);
    of_trunks(&mut page, &trunks);
    of_queues(&mut page, &queues);
    for axis in [Axis::Queues, Axis::Clients] {
        of_figures(&mut page, &control, axis).await?;
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page.0).into_response())
}

fn of_node(page: &mut Page, status: &Status) {
    for (name, kind, help, value) in [
        ("contacts", "gauge", "Contacts that have not ended", status.contacts),
        ("legs", "gauge", "Legs that have not ended", status.legs),
        ("streams", "gauge", "Open media streams", status.streams),
        ("recordings", "gauge", "Recordings under way", status.recordings),
        ("registrations", "gauge", "Registered contacts of phones", status.registrations),
        ("bans", "gauge", "Sources that are banned", status.bans),
    ] {
        page.head(name, kind, help);
        page.sample(name, &[], value);
    }
    for (name, help, value) in [
        ("dropped_total", "SIP messages dropped unread since the start", status.dropped),
        ("shed_total", "Requests that got 503 since the start because of overload", status.shed),
        ("uptime_seconds_total", "Seconds since the start", status.uptime_seconds),
    ] {
        page.head(name, "counter", help);
        page.sample(name, &[], value);
    }
}

fn of_trunks(page: &mut Page, trunks: &[Trunk]) {
    page.head("trunk_calls", "gauge", "Calls up");
    for trunk in trunks {
        page.sample("trunk_calls", &[("trunk", &trunk.name), ("direction", "in")], trunk.calls_in);
        page.sample("trunk_calls", &[("trunk", &trunk.name), ("direction", "out")], trunk.calls_out);
    }
    page.head("trunk_targets", "gauge", "Servers of the trunk, by whether they answer");
    for trunk in trunks {
        let up = trunk.targets.iter().filter(|target| target.up).count();
        page.sample("trunk_targets", &[("trunk", &trunk.name), ("up", "true")], up);
        page.sample("trunk_targets", &[("trunk", &trunk.name), ("up", "false")], trunk.targets.len() - up);
    }
}

fn of_queues(page: &mut Page, queues: &[Queue]) {
    page.head("queue_waiting", "gauge", "Callers who wait");
    for queue in queues {
        page.sample("queue_waiting", &[("queue", &queue.queue)], queue.waiting.len());
    }
    page.head("queue_longest_wait_seconds", "gauge", "The longest wait of those who wait");
    for queue in queues {
        page.sample("queue_longest_wait_seconds", &[("queue", &queue.queue)], queue.longest_seconds);
    }
    page.head("queue_agents", "gauge", "Agents by what they do");
    for queue in queues {
        let agents = queue.agents;
        for (state, count) in [
            ("logged_out", agents.logged_out),
            ("ready", agents.ready),
            ("paused", agents.paused),
            ("ringing", agents.ringing),
            ("talking", agents.talking),
            ("busy", agents.busy),
            ("wrap_up", agents.wrap_up),
            ("unreachable", agents.unreachable),
        ] {
            page.sample("queue_agents", &[("queue", &queue.queue), ("state", state)], count);
        }
    }
}

async fn of_figures(page: &mut Page, control: &Control, axis: Axis) -> Result<(), Fault> {
    let now = Timestamp::now().as_millisecond();
    let asked = Question::default().understand((axis, None), &control.report_settings(), now);
    let mut asked = asked.map_err(Fault::later)?;
    asked.selection.from = now - WINDOW_MILLIS;
    let report = answer(control.reader(), &asked).await?;
    let label = if axis == Axis::Queues { "queue" } else { "client" };
    for name in FIGURES {
        let figure = figure(name).expect("each is a figure");
        let metric = format!("{label}_hour_{name}");
        page.head(&metric, "gauge", &format!("Of visits of the last hour: {}", figure.formula));
        for row in &report.rows {
            if let Some(value) = (figure.value)(&row.tally) {
                page.sample(&metric, &[(label, &row.name)], value);
            }
        }
    }
    let metric = format!("{label}_hour_{SERVICE_LEVEL}");
    page.head(&metric, "gauge", "Of visits of the last hour: by the formula and the time of the queue");
    for row in &report.rows {
        if let Some(value) = service_level(&asked, row) {
            page.sample(&metric, &[(label, &row.name)], value);
        }
    }
    Ok(())
}

/// A page that is being written.
#[derive(Default)]
struct Page(String);

impl Page {
    /// Before all samples of a name.
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "# HELP ringdown_{name} {help}\n# TYPE ringdown_{name} {kind}\n");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels: Vec<_> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "ringdown_{name}{labels} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        let mut page = Page::default();
        page.head("trunk_calls", "gauge", "Calls up");
        page.sample("trunk_calls", &[("trunk", "a\"b\\c\nd"), ("direction", "in")], 3);
        let expected = "# HELP ringdown_trunk_calls Calls up\n# TYPE ringdown_trunk_calls gauge\n\
                        ringdown_trunk_calls{trunk=\"a\\\"b\\\\c\\nd\",direction=\"in\"} 3\n";
        assert_eq!(page.0, expected);
    }
}
