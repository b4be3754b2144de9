use serde_json::Value;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;
use tempfile::TempDir;

use crate::{Network, Running, repository, until, until_some, zone};

/// SIP port of the load profile.
const SIP: u16 = 5062;

/// What a node serves beyond the load profile.
#[derive(Debug, Default)]
pub struct Setup {
    replaced: Vec<(String, String)>,
    /// In the client file.
    replaced_in_client: Vec<(String, String)>,
    flows: String,
    zone: String,
    /// Files beside the node file.
    files: Vec<(String, String)>,
}

impl Setup {
    /// The load profile as it is.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces a text of the profile's node file. `127.0.0.1` to `127.0.0.9` in the new one stand for the first
    /// addresses of the node's network, of which `127.0.0.1` is the node's own.
    pub fn replace(mut self, old: &str, new: &str) -> Self {
        self.replaced.push((old.to_owned(), new.to_owned()));
        self
    }

    /// Replaces a text of the profile's client file, with addresses as in [`Self::replace`].
    pub fn replace_in_client(mut self, old: &str, new: &str) -> Self {
        self.replaced_in_client.push((old.to_owned(), new.to_owned()));
        self
    }

    /// Adds a file to the client's folder, with addresses as in [`Self::replace`].
    pub fn flows(mut self, yaml: &str) -> Self {
        yaml.clone_into(&mut self.flows);
        self
    }

    /// Serves a zone by DNS at port 5353 of the node's address, which the node asks: `NAME A ADDRESS` or
    /// `NAME SRV PRIORITY WEIGHT PORT TARGET` a line, `127.0.0.1` standing for the node's address.
    pub fn zone(self, lines: &str) -> Self {
        let asks = "dns: {servers: [\"127.0.0.1:5353\"]}\nclients:";
        Self { zone: lines.to_owned(), ..self.replace("clients:", asks) }
    }

    /// Puts a file beside the node file, or in a folder that is made there.
    pub fn file(mut self, name: &str, text: &str) -> Self {
        self.files.push((name.to_owned(), text.to_owned()));
        self
    }

    /// Serves TLS on port 5063 too, with a certificate of its own.
    ///
    /// # Panics
    /// When no certificate can be made.
    pub fn tls(self) -> Self {
        let made = rcgen::generate_simple_self_signed(["pbx.example".to_owned()]).expect("a certificate");
        self.file("cert.pem", &made.cert.pem())
            .file("key.pem", &made.signing_key.serialize_pem())
            .replace("sip:\n", "sip:\n  tls: {certificate: cert.pem, key: key.pem}\n")
            .replace("listen: [", "listen: [\"tls:127.0.0.1:5063\", ")
    }

    /// Serves secure WebSocket on port 5064 too, and TLS as above.
    ///
    /// # Panics
    /// When no certificate can be made.
    pub fn wss(self) -> Self {
        self.tls().replace("listen: [", "listen: [\"wss:127.0.0.1:5064\", ")
    }

    /// Writes the configuration for `network` under `folder` and gives the node file's path.
    ///
    /// # Panics
    /// When a replaced text is not in the profile.
    pub fn write(&self, network: Network, folder: &Path) -> PathBuf {
        let profile = repository().join("tests/load");
        let address = network.address(1).to_string();
        let read = |path: &Path| {
            fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        let client = folder.join("client");
        fs::create_dir_all(client.join("prompts")).expect("a temporary folder can be written");
        for entry in fs::read_dir(profile.join("client/prompts")).expect("the profile has prompts").flatten()
        {
            fs::copy(entry.path(), client.join("prompts").join(entry.file_name()))
                .expect("a prompt can be copied");
        }
        let mut node = read(&profile.join("ringdown.yaml")).replace("127.0.0.1", &address);
        for (old, new) in &self.replaced {
            assert!(node.contains(old), "the load profile has no {old:?}");
            node = node.replace(old, &moved(new, network));
        }
        let config = folder.join("ringdown.yaml");
        write(&config, &node);
        let mut company = read(&profile.join("client/client.yaml")).replace("127.0.0.1", &address);
        for (old, new) in &self.replaced_in_client {
            assert!(company.contains(old), "the load profile's client has no {old:?}");
            company = company.replace(old, &moved(new, network));
        }
        write(&client.join("client.yaml"), &company);
        for (name, text) in &self.files {
            let parent = folder.join(name).parent().map(Path::to_owned);
            fs::create_dir_all(parent.expect("a file is in a folder"))
                .expect("a temporary folder can be written");
            write(&folder.join(name), text);
        }
        if !self.flows.is_empty() {
            write(&client.join("more.yaml"), &moved(&self.flows, network));
        }
        config
    }
}

/// A running `ringdown serve`, on the load profile moved to a network of its own.
#[derive(Debug)]
pub struct Node {
    network: Network,
    process: Running,
    folder: TempDir,
    /// Whether it has mounts that only it sees.
    unshared: bool,
}

impl Node {
    /// Starts one and waits until it is ready.
    pub fn start(setup: &Setup) -> Self {
        Self::start_by(setup, |_, serve| serve)
    }

    /// Starts one that has a tmpfs of `size` (`64k`) mounted at `at` in its state directory, in a mount namespace
    /// of its own. Needs root.
    pub fn start_on_tmpfs(setup: &Setup, at: &str, size: &str) -> Self {
        let mut command = Command::new("unshare");
        let script =
            "mkdir -p \"$1\" && mount -t tmpfs -o size=\"$2\" tmpfs \"$1\" && shift 2 && exec \"$@\"";
        command.args(["-m", "sh", "-c", script, "sh"]);
        let mut node = Self::start_by(setup, |state, serve| {
            command.arg(state.join(at)).arg(size).arg(serve.get_program()).args(serve.get_args());
            command
        });
        node.unshared = true;
        node
    }

    /// Starts what `wrap` makes of `ringdown serve`.
    fn start_by(setup: &Setup, wrap: impl FnOnce(&Path, Command) -> Command) -> Self {
        let network = Network::claim();
        let folder = TempDir::with_prefix("ringdown-").expect("a temporary folder");
        let state = state_of(&folder);
        let config = setup.write(network, folder.path());
        if !setup.zone.is_empty() {
            let lines = setup.zone.replace("127.0.0.1", &network.address(1).to_string());
            zone::serve(network.socket(1, 5353), &lines);
        }
        let mut command = Self::command();
        command.arg("serve").arg("--config").arg(config).arg("--state").arg(&state);
        let process = serving(folder.path(), &mut wrap(&state, command));
        Self { network, process, folder, unshared: false }
    }

    /// Kills it (SIGKILL) and starts it again with the same files and state.
    pub fn crash_and_start_again(self) -> Self {
        let Self { network, process, folder, unshared } = self;
        drop(process);
        let mut command = Self::command();
        command.arg("serve").arg("--config").arg(folder.path().join("ringdown.yaml"));
        let process = serving(folder.path(), command.arg("--state").arg(state_of(&folder)));
        Self { network, process, folder, unshared }
    }

    /// The `ringdown` program that the test was built with.
    ///
    /// # Panics
    /// When it has not been built.
    pub fn command() -> Command {
        let test = std::env::current_exe().expect("a test knows its own path");
        let profile = test.parent().and_then(Path::parent).expect("tests are in PROFILE/deps");
        let program = profile.join("ringdown");
        assert!(program.is_file(), "{} is not there: `cargo build` makes it", program.display());
        Command::new(program)
    }

    /// Where it listens for SIP, over UDP and TCP.
    pub fn sip(&self) -> SocketAddr {
        self.network.socket(1, SIP)
    }

    /// Where it listens for SIP over TLS, if it was set up to.
    pub fn sips(&self) -> SocketAddr {
        self.network.socket(1, SIP + 1)
    }

    /// Where it listens for SIP over secure WebSocket, if it was set up to.
    pub fn wss(&self) -> SocketAddr {
        self.network.socket(1, SIP + 2)
    }

    /// Its address in a SIP URI, for `udp`, `tcp` or `tls`.
    pub fn place(&self, transport: &str) -> String {
        match transport {
            "udp" => self.sip().to_string(),
            "tls" => format!("{};transport=tls", self.sips()),
            other => format!("{};transport={other}", self.sip()),
        }
    }

    /// Its network: the node is host 1, callers are host 2.
    pub fn network(&self) -> Network {
        self.network
    }

    /// A folder for what the test's parties leave behind.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its state directory, as it can be reached from here.
    pub fn state(&self) -> PathBuf {
        let state = state_of(&self.folder);
        match state.strip_prefix("/") {
            Ok(below) if self.unshared => {
                PathBuf::from(format!("/proc/{}/root", self.process.id())).join(below)
            }
            _ => state,
        }
    }

    /// The process.
    pub fn process(&self) -> &Running {
        &self.process
    }

    /// The CDRs (`ringdown calls --json`), oldest first, once there are `count` of them.
    ///
    /// # Panics
    /// When there are fewer after 40 seconds (a BYE that nobody answers is given up after 32), or more.
    pub fn calls(&self, count: usize) -> Vec<Value> {
        let calls = until_some(Duration::from_secs(40), &format!("{count} CDRs"), || {
            let calls = self.calls_now();
            (calls.len() >= count).then_some(calls)
        });
        assert_eq!(calls.len(), count, "one CDR a call: {calls:#?}");
        calls
    }

    /// The events of one kind of a contact (`ringdown trace ID --json`); contacts count from 1. One that the log, which is
    /// written in batches, does not have yet has none.
    pub fn events(&self, contact: u64, kind: &str) -> Vec<Value> {
        let output = self.ask(&["trace", &contact.to_string(), "--json"]);
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(said.contains("no call "), "ringdown trace: {said}");
            return Vec::new();
        }
        match serde_json::from_slice(&output.stdout) {
            Ok(Value::Array(events)) => {
                let kinds = events.into_iter().map(|mut event| event["kind"].take());
                kinds.filter(|found| found["kind"] == kind).collect()
            }
            other => panic!("ringdown trace --json gave {other:?}"),
        }
    }

    /// Runs a command of the program against this node's state.
    pub fn ask(&self, arguments: &[&str]) -> Output {
        let mut command = Self::command();
        if self.unshared {
            let mut inside = Command::new("nsenter");
            inside.args(["-m", "-t", &self.process.id().to_string()]).arg(command.get_program());
            command = inside;
        }
        command.args(arguments).arg("--state").arg(state_of(&self.folder));
        command.output().expect("ringdown runs")
    }

    /// Asks it to end and waits until it has.
    ///
    /// # Panics
    /// When it does not end well.
    pub fn stop(mut self) {
        self.process.terminate();
        let status = self.process.wait(Duration::from_secs(10));
        assert!(status.success(), "ringdown serve ended with {status}: {}", self.process.stderr());
    }

    fn calls_now(&self) -> Vec<Value> {
        let output = self.ask(&["calls", "--json", "--limit", "100000"]);
        assert!(output.status.success(), "ringdown calls: {}", String::from_utf8_lossy(&output.stderr));
        match serde_json::from_slice(&output.stdout) {
            Ok(Value::Array(mut calls)) => {
                calls.reverse();
                calls
            }
            other => panic!("ringdown calls --json gave {other:?}"),
        }
    }
}

/// Starts `ringdown serve` and waits until it is ready.
fn serving(folder: &Path, command: &mut Command) -> Running {
    let mut process = Running::start("ringdown", folder, command);
    until(Duration::from_secs(20), "`ready` of ringdown serve", || {
        if let Some(status) = process.ended() {
            panic!("ringdown serve ended ({status}): {}", process.stderr());
        }
        process.stdout().lines().any(|line| line == "ready")
    });
    process
}

/// The state directory of a node whose files are in `folder`.
fn state_of(folder: &TempDir) -> PathBuf {
    folder.path().join("state")
}

/// The text with the addresses of a network for `127.0.0.1` to `127.0.0.9`.
fn moved(text: &str, network: Network) -> String {
    let to =
        |text: String, host: u8| text.replace(&format!("127.0.0.{host}"), &network.address(host).to_string());
    (1..=9).fold(text.to_owned(), to)
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
