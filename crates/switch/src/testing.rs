//! A switch for the tests of its parts.

use crate::{Switch, SwitchConfig};
use dialplan::{ClientFiles, Config, SourceFile};
use std::sync::Arc;

/// A switch with this node file, whose client `acme` has these flows and numbers besides.
pub(crate) fn switch(node: &str, client: &str) -> Switch {
    let config = SwitchConfig {
        seed: [1; 32],
        unix_micros_at_zero: 0,
        first_seq: 1,
        first_contact: 1,
        recordings: "recordings".into(),
        plan_version: 1,
        version: "test",
        fingerprint: None,
    };
    Switch::new(config, Arc::new(plan(node, client)))
}

/// Its plan.
pub(crate) fn plan(node: &str, client: &str) -> Config {
    let file = |path: &str, text: String| SourceFile { path: path.into(), text };
    let client = ClientFiles {
        id: "acme".into(),
        path: "acme".into(),
        files: vec![file("acme/acme.yaml", format!("client: {{name: Acme}}\n{client}"))],
        prompts: Vec::new(),
    };
    let node = file("ringdown.yaml", node.to_owned());
    let input = dialplan::Input { node, clients: vec![client], system_prompts: Vec::new() };
    dialplan::load(&input).unwrap_or_else(|report| panic!("{report}"))
}
