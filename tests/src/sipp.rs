use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::network::is_bound;
use crate::{Node, Running, repository, tool, until};

/// One SIPp to be started: a scenario of `tests/sipp` and its parameters.
#[derive(Debug)]
pub struct Sipp {
    scenario: String,
    local: SocketAddr,
    remote: Option<SocketAddr>,
    folder: PathBuf,
    service: String,
    status: u16,
    codec: (&'static str, u8),
    calls: u32,
    transport: &'static str,
    hold: Duration,
    limit: Duration,
    said: String,
    more: Vec<String>,
}

impl Sipp {
    /// A caller: it plays `scenario` from host 2 towards `service` at the node.
    pub fn caller(node: &Node, scenario: &str, service: &str) -> Self {
        let local = node.network().socket(2, 5080);
        Self { remote: Some(node.sip()), service: service.to_owned(), ..Self::party(node, scenario, local) }
    }

    /// A callee: it plays `scenario` on `port` of the node's own address, where the profile's flows dial.
    pub fn callee(node: &Node, scenario: &str, port: u16) -> Self {
        Self::party(node, scenario, node.network().socket(1, port))
    }

    fn party(node: &Node, scenario: &str, local: SocketAddr) -> Self {
        Self {
            scenario: scenario.to_owned(),
            local,
            remote: None,
            folder: node.folder().to_owned(),
            service: "callee".to_owned(),
            status: 0,
            codec: ("PCMU", 0),
            calls: 1,
            transport: "u1",
            hold: Duration::from_millis(300),
            limit: Duration::from_secs(40),
            said: String::new(),
            more: Vec::new(),
        }
    }

    /// Where it stands.
    pub fn at(mut self, local: SocketAddr) -> Self {
        self.local = local;
        self
    }

    /// Whom it calls instead of the node.
    pub fn towards(mut self, remote: SocketAddr) -> Self {
        self.remote = Some(remote);
        self
    }

    /// The final status that `call-refused` expects or `refuse` gives.
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Its one codec: PCMA instead of PCMU.
    pub fn alaw(mut self) -> Self {
        self.codec = ("PCMA", 8);
        self
    }

    /// How many calls it makes or takes.
    pub fn calls(mut self, calls: u32) -> Self {
        self.calls = calls;
        self
    }

    /// One TCP connection for all calls.
    pub fn tcp(mut self) -> Self {
        self.transport = "t1";
        self
    }

    /// How long the scenario's open pauses last.
    pub fn hold(mut self, hold: Duration) -> Self {
        self.hold = hold;
        self
    }

    /// After how many seconds it gives up.
    pub fn limit(mut self, seconds: u64) -> Self {
        self.limit = Duration::from_secs(seconds);
        self
    }

    /// A further header field of its first request.
    pub fn saying(mut self, field: &str) -> Self {
        self.said.push_str(&format!("{field}\n      "));
        self
    }

    /// Further options of SIPp itself.
    pub fn with(mut self, options: &[&str]) -> Self {
        self.more.extend(options.iter().map(|&option| option.to_owned()));
        self
    }

    /// Starts it, and waits until it listens.
    ///
    /// # Panics
    /// When SIPp is not installed or does not listen.
    pub fn start(self) -> SippRun {
        let name = format!("{}-{}", self.scenario, self.local);
        let file = |suffix: &str| self.folder.join(format!("{name}.{suffix}"));
        let scenario = self.write_scenario(&file("xml"));
        let ip = self.local.ip().to_string();
        let mut command = tool("sipp", "sip-tester");
        command.current_dir(&self.folder).arg("-sf").arg(scenario).args([
            "-i",
            &ip,
            "-mi",
            &ip,
            "-bind_local",
        ]);
        command.args(["-p", &self.local.port().to_string(), "-t", self.transport, "-s", &self.service]);
        // The load profile's users have this password.
        command.args(["-ap", &format!("pw{}", self.service)]);
        command.args(["-key", "codec", self.codec.0, "-key", "payload", &self.codec.1.to_string()]);
        command.args(["-m", &self.calls.to_string(), "-d", &self.hold.as_millis().to_string()]);
        command.args(["-timeout", &self.limit.as_secs().to_string(), "-timeout_error", "-nostdin"]);
        command.args(["-trace_stat", "-fd", "1", "-trace_err", "-trace_msg"]);
        command.arg("-stf").arg(file("csv"));
        command.arg("-error_file").arg(file("errors")).arg("-message_file").arg(file("messages"));
        command.args(&self.more);
        command.args(self.remote.map(|remote| remote.to_string()));
        let process = Running::start(&name, &self.folder, &mut command);
        let run = SippRun { process, name: name.clone(), folder: self.folder.clone(), limit: self.limit };
        if self.remote.is_none() {
            let table = if self.transport == "u1" { "/proc/net/udp" } else { "/proc/net/tcp" };
            until(Duration::from_secs(5), &format!("{name} listening"), || is_bound(table, self.local));
        }
        run
    }

    /// Runs it to its end.
    pub fn run(self) -> Statistics {
        self.start().finish()
    }

    /// SIPp has no parameter for the status that a scenario expects, so the file is written out with it.
    fn write_scenario(&self, path: &Path) -> PathBuf {
        let source = repository().join("tests/sipp").join(format!("{}.xml", self.scenario));
        let text =
            fs::read_to_string(&source).unwrap_or_else(|error| panic!("{}: {error}", source.display()));
        let text = text.replace("@STATUS@", &self.status.to_string());
        let text = text.replacen("Max-Forwards:", &format!("{}Max-Forwards:", self.said), 1);
        fs::write(path, text).expect("a temporary folder");
        path.to_owned()
    }
}

/// A SIPp that runs.
#[derive(Debug)]
pub struct SippRun {
    process: Running,
    name: String,
    folder: PathBuf,
    limit: Duration,
}

impl SippRun {
    /// Waits for its end.
    ///
    /// # Panics
    /// When a call failed: with SIPp's own words and the messages that it saw.
    pub fn finish(mut self) -> Statistics {
        let status = self.process.wait(self.limit + Duration::from_secs(10));
        let text = |suffix: &str| {
            let path = self.folder.join(format!("{}.{suffix}", self.name));
            fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
        };
        assert!(
            status.success(),
            "SIPp {} ended with {status}\n{}\n{}\n{}",
            self.name,
            self.process.stderr(),
            text("errors"),
            text("messages")
        );
        Statistics::read(&text("csv"))
    }

    /// The messages that it has seen so far.
    pub fn messages(&self) -> String {
        fs::read_to_string(self.folder.join(format!("{}.messages", self.name))).unwrap_or_default()
    }
}

/// The last line of SIPp's statistics.
#[derive(Debug)]
pub struct Statistics(HashMap<String, String>);

impl Statistics {
    /// Calls that ran through their whole scenario.
    pub fn successful(&self) -> u32 {
        self.count("SuccessfulCall(C)")
    }

    /// Calls that did not.
    pub fn failed(&self) -> u32 {
        self.count("FailedCall(C)")
    }

    /// Messages that it had to send again.
    pub fn retransmissions(&self) -> u32 {
        self.count("Retransmissions(C)")
    }

    fn read(csv: &str) -> Self {
        let mut lines = csv.lines();
        let names = lines.next().expect("SIPp writes statistics").split(';');
        let values = lines.last().expect("SIPp writes statistics").split(';');
        Self(names.zip(values).map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    fn count(&self, name: &str) -> u32 {
        let value = self.0.get(name).unwrap_or_else(|| panic!("SIPp counts no {name}"));
        value.parse().unwrap_or_else(|error| panic!("{name} is {value:?}: {error}"))
    }
}
