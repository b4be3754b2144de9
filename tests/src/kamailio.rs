use std::fs;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::network::is_bound;
use crate::{Node, Running, repository, tool, until};

/// The port that it listens on, over UDP and TCP.
const SIP: u16 = 5060;

/// A Kamailio that runs on a configuration of `tests/interop`.
#[derive(Debug)]
pub struct Kamailio {
    process: Running,
    address: SocketAddr,
    folder: PathBuf,
}

impl Kamailio {
    /// Starts `tests/interop/NAME.cfg` on port 5060 of the `host`-th address of the node's network. In the file `@OWN@`
    /// stands for that address, `@HOST@` for the node's, `@FOLDER@` for a folder, `@CERTIFICATES@` for that of the node's own
    /// certificate, and each of `words` for what comes with it.
    ///
    /// # Panics
    /// When Kamailio is not installed, or does not listen in time.
    pub fn start(node: &Node, name: &str, host: u8, words: &[(&str, &str)]) -> Self {
        let address = node.network().socket(host, SIP);
        let folder = node.folder().join(format!("kamailio-{host}"));
        fs::create_dir_all(&folder).expect("a temporary folder");
        let source = repository().join("tests/interop").join(format!("{name}.cfg"));
        let text =
            fs::read_to_string(&source).unwrap_or_else(|error| panic!("{}: {error}", source.display()));
        let own = [
            ("@OWN@", address.ip().to_string()),
            ("@HOST@", node.sip().ip().to_string()),
            ("@FOLDER@", folder.display().to_string()),
            ("@CERTIFICATES@", node.folder().display().to_string()),
        ];
        let words = words.iter().map(|&(word, meant)| (word, meant.to_owned()));
        let text = own.into_iter().chain(words).fold(text, |text, (word, meant)| text.replace(word, &meant));
        fs::write(folder.join("kamailio.cfg"), text).expect("a temporary folder");
        Self { process: serve(&folder, address), address, folder }
    }

    /// Ends it and starts it again; what it knew of transactions and connections is lost.
    ///
    /// # Panics
    /// When it does not end or does not listen again in time.
    pub fn restart(&mut self) {
        self.end();
        self.process = serve(&self.folder, self.address);
    }

    /// Where it listens, over UDP and TCP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The requests that it has seen since it was started, as its configuration logs them with `SAW`.
    pub fn saw(&self) -> Vec<String> {
        let log = self.process.stderr();
        log.lines().filter_map(|line| Some(line.split_once("SAW ")?.1.to_owned())).collect()
    }

    /// Runs a command of its `ctl` module, whose socket is `@FOLDER@/control`.
    ///
    /// # Panics
    /// When Kamailio refuses it.
    pub fn command(&self, arguments: &[&str]) {
        let mut command = tool("kamcmd", "kamailio");
        command.arg("-s").arg(format!("unixs:{}/control", self.folder.display())).args(arguments);
        let output = command.output().expect("kamcmd runs");
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !said.contains("error"), "kamcmd {arguments:?}: {said}");
    }

    /// Ends it with all its processes, which a kill of the first would leave behind.
    fn end(&mut self) {
        self.process.terminate();
        // Now and then its children do not hear of it, and it waits for a minute.
        if !self.process.ends_within(Duration::from_secs(5)) {
            self.process.kill_group();
            self.process.wait(Duration::from_secs(5));
        }
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        if self.process.ended().is_none() {
            self.end();
        }
    }
}

fn serve(folder: &Path, address: SocketAddr) -> Running {
    let mut command = tool("kamailio", "kamailio");
    command.process_group(0);
    command.arg("-DD").arg("-E").arg("-f").arg(folder.join("kamailio.cfg")).arg("-Y").arg(folder);
    let mut process = Running::start("kamailio", folder, &mut command);
    until(Duration::from_secs(20), "Kamailio serves", || {
        if let Some(status) = process.ended() {
            panic!("kamailio ended ({status}): {}", process.stderr());
        }
        is_bound("/proc/net/udp", address) && is_bound("/proc/net/tcp", address)
    });
    process
}
