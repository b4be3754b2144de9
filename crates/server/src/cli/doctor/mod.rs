//! `doctor`: looks at what a node stands on, from outside of it, and says what is wrong and what to do.

mod certificates;
mod clock;
mod holder;
mod loop_call;
mod machine;
mod probe;
mod report;
mod trunks;

use super::Failed;
use super::client;
use crate::load::{self, LoadError};
use crate::serve;
use crate::tls::Outbound;
use dialplan::Config;
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use jiff::Timestamp;
use report::{Finding, Report};
use serde_json::Value;
use std::collections::HashSet;
use std::path::Path;
use tokio::runtime::Runtime;
use trunks::Around;

/// Runs every check, and tells what each has found.
pub(super) fn doctor(config: &Path, state: &Path, json: bool) -> Result<(), Failed> {
    let mut report = Report::new(json);
    match configuration(config, state) {
        Ok((plan, outbound)) => {
            let clients = plan.clients.len();
            let what = format!(
                "{} and its clients ({clients}) with their prompts have no mistake",
                config.display()
            );
            report.tell(Finding::ok("files", what))?;
            look(config, &plan, &outbound, state, &mut report)?;
        }
        Err(error) => {
            report.tell(Finding::fault("files", error.to_string(), "nothing else was looked at"))?;
        }
    }
    report.end()
}

/// Has the running node call a number of its own by a trunk, and tells whether the call comes back in.
pub(super) fn call(state: &Path, trunk: &str, number: &str, json: bool) -> Result<(), Failed> {
    let mut report = Report::new(json);
    report.tell_all(runtime()?.block_on(loop_call::place(state, trunk, number)))?;
    report.end()
}

/// What `serve` would start with.
fn configuration(config: &Path, state: &Path) -> Result<(Config, Outbound), LoadError> {
    let plan = load::load_node(config, &state.join(load::PROMPTS))?;
    load::identity(config, &plan)?;
    let outbound = load::files(config, &plan)?.outbound;
    Ok((plan, outbound))
}

fn look(
    config: &Path,
    plan: &Config,
    outbound: &Outbound,
    state: &Path,
    report: &mut Report,
) -> Result<(), Failed> {
    let running = client::trunks(state)?;
    report.tell_all(machine::check(&plan.node, state, running.is_some()))?;
    let home = config.parent().unwrap_or(Path::new(""));
    report.tell_all(certificates::check(home, plan, Timestamp::now()))?;
    let is_kept = clock::is_kept();
    report.tell(clock::of_kernel(is_kept))?;
    runtime()?.block_on(async {
        let resolver = serve::resolver(&plan.node.dns).map_err(Failed::because)?;
        let alive = alive(&running.unwrap_or_default());
        let around = Around { node: &plan.node, resolver: &resolver, outbound, is_kept, alive };
        let mut all: FuturesOrdered<_> =
            plan.node.trunks.iter().map(|trunk| trunks::examine(trunk, &around)).collect();
        while let Some(found) = all.next().await {
            report.tell_all(found)?;
        }
        Ok(())
    })
}

fn runtime() -> Result<Runtime, Failed> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failed::because)
}

/// The servers that answer the running node, by trunk.
fn alive(trunks: &[Value]) -> HashSet<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let servers = trunks.iter().flat_map(|trunk| {
        let targets = trunk["targets"].as_array().into_iter().flatten();
        let up = targets.filter(|target| target["up"] == true && target["last_status"] != 408);
        up.map(|target| (text(&trunk["name"]), text(&target["address"])))
    });
    servers.collect()
}
