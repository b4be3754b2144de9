//! `ringdown schema`, held by a validator that is not ours (`jsonschema` of Python) against flows that check and flows that do not.

use crate::running::text;
use crate::simulate::ringdown;
use std::path::Path;
use std::process::{Command, Output};

struct Validator {
    home: tempfile::TempDir,
}

impl Validator {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let printed = ringdown(&["schema"]);
        assert!(printed.status.success(), "{}", text(&printed.stderr));
        std::fs::write(home.path().join("schema.json"), printed.stdout).expect("written");
        Self { home }
    }

    fn run(&self, files: &[&Path]) -> Output {
        let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/schema.py");
        let mut python = Command::new("python3");
        python.arg(suite).arg(self.home.path().join("schema.json")).args(files);
        python.output().expect("python3 runs")
    }
}

#[test]
fn every_sample_and_every_example_of_the_manual_fits_the_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let files = [
        "dialplans/acme/acme.yaml",
        "dialplans/bank/bank.yaml",
        "dialplans/notdienst/notdienst.yaml",
        "dialplans/shop/shop.yaml",
        "dialplans/README.md",
        "crates/dialplan/tests/everything.yaml",
        "tests/load/client/client.yaml",
    ]
    .map(|path| root.join(path));
    let found = Validator::new().run(&files.each_ref().map(|path| path.as_path()));
    assert!(found.status.success(), "{}{}", text(&found.stdout), text(&found.stderr));
}

#[test]
fn what_is_misspelt_or_mistyped_does_not_fit() {
    let validator = Validator::new();
    let clients = [
        "flow: {}",
        "flows: {main: []}",
        "flows: {main: [anser]}",
        "flows: {main: [play]}",
        "flows: {main: [{plai: welcome}]}",
        "flows: {main: [{play: welcome, hangup: }]}",
        "flows: {main: [{menu: {prompt: a, kyes: {\"1\": hangup}}}]}",
        "flows: {main: [{menu: {prompt: a}}]}",
        "flows: {main: [{menu: {prompt: a, keys: {x: hangup}}}]}",
        "flows: {main: [{dial: {to: alice, timeout: 5}}]}",
        "flows: {main: [{dial: {to: alice, busy: {goto: a, play: b}}}]}",
        "flows: {main: [{reject: 200}]}",
        "users: {alice: {name: Alice}}",
        "hours: {office: {zone: Europe/Madrid, open: {mon: 9-17}}}",
        "client: {features: {transfer: \"12\"}}",
        "client: {on_eror: main}",
        "hours: {office: {zone: Europe/Madrid, open: , closed: [last mon of mai]}}",
        "agents: {alice: {pin: \"12\"}}",
        "queues: {support: {strategy: ring-all}}",
        "queues: {support: {agents: all, strategy: ring-al}}",
        "flows: {main: [{enqueue: {queue: support, busy: hangup}}]}",
        "client: {http: {internal: 10.0.0.0/8}}",
        "secrets: {shop: {env: A, file: b}}",
        "tables: {prices: {csv: prices.csv, match: sufix}}",
        "flows: {main: [{http: https://api.example.com}]}",
        "flows: {main: [{http: {url: https://api.example.com, method: get}}]}",
        "flows: {main: [{http: {url: https://api.example.com, status: {6xx: hangup}}}]}",
        "flows: {main: [{http: {url: https://api.example.com, extract: {state: order.state}}}]}",
        "flows: {main: [{lookup: {table: prices, key: call.to}}]}",
        "flows: {main: [{kv: {of: call.to}}]}",
        "flows: {main: [{voicemail: {greeting: none}}]}",
        "flows: {main: [{voicemail: {mailbox: support, end: \"12\"}}]}",
        "flows: {main: [{mailbox: {mailbox: support, keys: 1}}]}",
        "mailboxes: {support: {pin: \"47\"}}",
        "mailboxes: {support: {users: [alice], keep: 3w}}",
        "flows: {main: [{kv: {get: a, set: a, into: b}}]}",
        "flows: {main: [{kv: {set: a, to: 1, keep: 2w}}]}",
        "flows: {main: [{percent: {101: hangup}}]}",
        "flows: {main: {inputs: {a: txt}, steps: [return]}}",
    ];
    let paths: Vec<_> =
        (0..clients.len()).map(|it| validator.home.path().join(format!("{it}.yaml"))).collect();
    for (client, path) in clients.iter().zip(&paths) {
        std::fs::write(path, client).expect("written");
    }
    let found = validator.run(&paths.iter().map(|path| path.as_path()).collect::<Vec<_>>());
    assert_eq!(found.status.code(), Some(1), "{}", text(&found.stderr));
    let said = text(&found.stdout);
    for (client, path) in clients.iter().zip(&paths) {
        assert!(said.contains(&format!("{}: ", path.display())), "{client} fits:\n{said}");
    }
}
