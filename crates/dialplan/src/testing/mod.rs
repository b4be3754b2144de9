//! Tests of flows, as an administrator writes them in `*.test.yaml`.

mod coverage;
mod difference;
mod known;
mod read;
mod reply;

pub(crate) use coverage::implied;

pub use coverage::{Coverage, FlowCoverage, Missed};
pub use difference::{Difference, Shown};
pub use read::load_tests;

use crate::simulate::{Ended, Path, Press, Script, SimulatedCall, Simulation};
use crate::{ClientIndex, Config, FlowIndex};
use clock::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One call, what people do in it, and what is expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestCase {
    /// Unique in its file.
    pub name: String,
    /// Its file, as the shell named it.
    pub file: String,
    /// From 1.
    pub line: u32,
    pub(crate) to: (ClientIndex, FlowIndex),
    pub(crate) call: SimulatedCall,
    pub(crate) keys: Vec<Press>,
    pub(crate) script: Script,
    pub(crate) expected: Expected,
}

/// What a test says of a call's way; what it says nothing of may be anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) heard: Option<Vec<String>>,
    pub(crate) dials: Option<Vec<String>>,
    pub(crate) queues: Option<Vec<String>>,
    pub(crate) requests: Option<Vec<String>>,
    pub(crate) flows: Option<Vec<String>>,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) ends: Option<String>,
}

impl TestCase {
    /// Whose flows it tests.
    pub fn client(&self) -> ClientIndex {
        self.to.0
    }

    /// The way that the call takes. `length` is how long a WAV lasts.
    pub fn run(&self, config: &Arc<Config>, length: &dyn Fn(&str) -> Duration) -> Path {
        Simulation::new(config, self.to, &self.call, self.script.clone(), length).run(&self.keys)
    }

    /// In what a way is not as expected; in nothing if the test passes.
    pub fn differences(&self, path: &Path) -> Vec<Difference> {
        let Expected { heard, dials, queues, requests, flows, variables, ends } = &self.expected;
        let value =
            |name: &str| path.variables.iter().find(|(known, _)| &**known == name).map(|(_, value)| value);
        let assigned = |name: &str, value: &str| format!("{name}: {value}");
        let set = variables.keys().filter_map(|name| Some(assigned(name, value(name)?))).collect();
        let wanted = variables.iter().map(|(name, value)| assigned(name, value)).collect();
        let lists = [
            ("flows", flows.clone(), path.flows().iter().map(ToString::to_string).collect()),
            ("heard", heard.clone(), path.heard().map(ToString::to_string).collect()),
            ("dials", dials.clone(), path.rung().map(ToString::to_string).collect()),
            ("queues", queues.clone(), path.queues().map(ToString::to_string).collect()),
            ("requests", requests.clone(), path.requests().cloned().collect()),
            ("variables", Some(wanted), set),
            ("ends", ends.clone().map(|ends| vec![ends]), path.ended.iter().map(word).collect::<Vec<_>>()),
        ];
        lists
            .into_iter()
            .filter_map(|(what, wanted, found)| Difference::between(what, &wanted?, &found))
            .collect()
    }
}

/// How a call ended, as tests write it: `hangup`, `reject 486`, `caller`.
fn word(ended: &Ended) -> String {
    match ended {
        Ended::Flow => "hangup".to_owned(),
        Ended::Rejected { status, .. } => format!("reject {status}"),
        Ended::Caller => "caller".to_owned(),
    }
}
