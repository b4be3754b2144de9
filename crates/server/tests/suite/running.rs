//! A node in a process of its own, on ports that were free.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Each wait in these tests ends after this at the latest.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// A client with one number, whose caller is put on a recording and hears a prompt for ever.
const CLIENT: &str = "\
client: {name: Test}
numbers: {wait: wait}
users: {anna: {password: anna-secret}}
flows:
  wait:
    - answer
    - record
    - play: {prompts: [tone], times: forever}
";

/// Folder, node file and client of a node.
pub(crate) struct Files {
    pub(crate) home: TempDir,
    pub(crate) sip: SocketAddr,
}

impl Files {
    pub(crate) fn new() -> Self {
        let home = TempDir::with_prefix("ringdown-").expect("a temporary folder");
        let (sip, http) = (free(), free());
        let node = format!(
            "node: {{name: test}}\nsip: {{listen: [\"udp:{sip}\", \"tcp:{sip}\"]}}\n\
             rtp: {{ports: 22000-23999, address: {}, threads: 1}}\nhttp: {{listen: \"{http}\"}}\n\
             trunks: {{loopback: {{from: [127.0.0.0/8]}}}}\nclients: [client]\n",
            own_address()
        );
        fs::create_dir_all(home.path().join("client/prompts")).expect("made");
        fs::write(home.path().join("ringdown.yaml"), node).expect("written");
        fs::write(home.path().join("client/client.yaml"), CLIENT).expect("written");
        tone(&home.path().join("client/prompts/tone.wav"));
        Self { home, sip }
    }

    /// Replaces text in a file.
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.home.path().join(file);
        let text = fs::read_to_string(&path).expect("read");
        assert!(text.contains(from), "{file} has no {from}");
        fs::write(path, text.replacen(from, to, 1)).expect("written");
    }

    /// Runs the binary in the folder, to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        command().args(arguments).current_dir(self.home.path()).output().expect("the binary runs")
    }

    /// Starts `ringdown serve` in the folder and waits until it says `ready`.
    pub(crate) fn serve(&self) -> Node {
        let mut process = command()
            .arg("serve")
            .current_dir(self.home.path())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(self.home.path().join("stderr")).expect("made"))
            .spawn()
            .expect("the binary runs");
        let mut line = String::new();
        let output = process.stdout.take().expect("piped");
        BufReader::new(output).read_line(&mut line).expect("readable");
        let node = Node { process };
        assert_eq!(line, "ready\n", "{}", self.stderr());
        node
    }

    /// What the node has said on standard error.
    pub(crate) fn stderr(&self) -> String {
        fs::read_to_string(self.home.path().join("stderr")).expect("readable")
    }
}

/// A running node; killed when dropped.
pub(crate) struct Node {
    process: Child,
}

impl Node {
    /// Sends a signal.
    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) {
        let id = nix::unistd::Pid::from_raw(i32::try_from(self.process.id()).expect("a process id"));
        nix::sys::signal::kill(id, signal).expect("it runs");
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        until("the node ends", || self.process.try_wait().expect("waitable"))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It has ended already where the test waited for that.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Looks again and again until there is a value.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not within {LIMIT:?}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

pub(crate) fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_ringdown"))
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(crate) fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a free port")
}

/// A loopback address that no other test uses at the same time: all of 127.0.0.0/8 is this machine on Linux.
fn own_address() -> Ipv4Addr {
    static TAKEN: AtomicU8 = AtomicU8::new(1);
    let [.., high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 100u8.wrapping_add(high % 100), low, TAKEN.fetch_add(1, Ordering::Relaxed))
}

fn tone(path: &Path) {
    let sample_format = hound::SampleFormat::Int;
    let spec = hound::WavSpec { channels: 1, sample_rate: 8_000, bits_per_sample: 16, sample_format };
    let mut writer = hound::WavWriter::create(path, spec).expect("made");
    for number in 0..8_000_i16 {
        writer.write_sample(if number / 10 % 2 == 0 { 8_000_i16 } else { -8_000 }).expect("written");
    }
    writer.finalize().expect("written");
}
