use serde_json::{Value, json};
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{Node, Running, Sound, tool, until, until_some};

/// Folders where Debian keeps baresip's modules.
const MODULES: &str = "/usr/lib/baresip/modules";

/// A baresip without a sound card: its microphone is a WAV file, and what it hears is recorded.
#[derive(Debug)]
pub struct Baresip {
    process: Running,
    folder: PathBuf,
    control: TcpStream,
    /// Bytes of the control connection that are no whole frame yet.
    pending: Vec<u8>,
    /// Events and answers, oldest first.
    frames: Vec<Value>,
}

/// What a phone does of its own.
#[derive(Clone, Copy, Debug)]
pub struct Habit {
    /// baresip's `answermode`: `auto`, `early` or `manual`.
    pub answers: &'static str,
    /// How it reaches the node: `udp`, `tcp` or `tls`.
    pub transport: &'static str,
    /// The proxy that it sends everything to instead, over UDP.
    pub proxy: Option<SocketAddr>,
    /// baresip's `mediaenc`: `srtp` takes and offers RTP/AVP with keys, `srtp-mand` RTP/SAVP alone, `dtls_srtp` what browsers
    /// do: keys by DTLS, and ICE.
    pub encryption: Option<&'static str>,
}

impl Default for Habit {
    fn default() -> Self {
        Self { answers: "auto", transport: "udp", proxy: None, encryption: None }
    }
}

impl Habit {
    /// A phone that speaks `transport` with the node.
    pub fn by(transport: &'static str) -> Self {
        Self { transport, ..Self::default() }
    }

    /// A phone that speaks `transport` with the node and encrypts its media.
    pub fn encrypting(transport: &'static str, encryption: &'static str) -> Self {
        Self { encryption: Some(encryption), ..Self::by(transport) }
    }

    /// A phone behind a proxy.
    pub fn behind(proxy: SocketAddr) -> Self {
        Self { proxy: Some(proxy), ..Self::default() }
    }
}

/// Which of a baresip's recordings.
#[derive(Clone, Copy, Debug)]
pub enum Recorded {
    /// What it heard.
    Heard,
    /// What it sent.
    Sent,
}

impl Baresip {
    /// Starts a phone of `user` (with the load profile's password) whose ports begin with the `port`-th (0 to 30, ten
    /// apart) of this test's, whose microphone is `microphone`
    /// and whose only codec is `codec`; it answers by itself. Returns once the node has registered it.
    ///
    /// # Panics
    /// When it does not start or is not registered in time.
    pub fn register(node: &Node, user: u16, port: u16, codec: &str, microphone: &Sound) -> Self {
        Self::register_as(node, Habit::default(), user, port, codec, microphone)
    }

    /// The same, for a phone with other habits.
    ///
    /// # Panics
    /// When it does not start or is not registered in time.
    pub fn register_as(
        node: &Node,
        habit: Habit,
        user: u16,
        port: u16,
        codec: &str,
        microphone: &Sound,
    ) -> Self {
        let folder = node.folder().join(format!("baresip-{user}"));
        fs::create_dir_all(folder.join("rec")).expect("a temporary folder");
        microphone.write(&folder.join("microphone.wav"));
        // Its RTP sockets are bound to no address, so its sound comes from 127.0.0.1; its SIP must, too, since the
        // node learns no address that is neither in the SDP nor the SIP peer's.
        let address = Ipv4Addr::LOCALHOST;
        let port = node.network().port(port);
        let sip = SocketAddr::from((address, port));
        // baresip takes the port after its own for TLS.
        let control = SocketAddr::from((address, port + 5));
        // With ICE there is one port to be found.
        let mux = if habit.encryption == Some("dtls_srtp") { "rtcp_mux yes\n" } else { "" };
        let config = config(&folder, sip, control) + mux;
        fs::write(folder.join("config"), config).expect("a temporary folder");
        let Habit { answers, proxy, encryption, .. } = habit;
        let proxy = proxy.map_or_else(String::new, |proxy| format!(";outbound=\"sip:{proxy}\""));
        let encryption = encryption.map_or_else(String::new, |how| {
            let ice = if how == "dtls_srtp" { ";medianat=ice" } else { "" };
            format!(";mediaenc={how}{ice}")
        });
        let account = format!(
            "<sip:{user}@{}>;auth_user={user};auth_pass=pw{user};regint=600;answermode={answers};\
             audio_codecs={}{proxy}{encryption}\n",
            node.place(habit.transport),
            format(codec),
        );
        fs::write(folder.join("accounts"), account).expect("a temporary folder");
        fs::write(folder.join("contacts"), "").expect("a temporary folder");
        let mut command = tool("baresip", "baresip");
        // -s prints every SIP message: it is in the folder's log when a test fails.
        command.arg("-s").arg("-v").arg("-f").arg(&folder);
        let process = Running::start(&format!("baresip-{user}"), node.folder(), &mut command);
        let connection = until_some(Duration::from_secs(10), "baresip's control port", || {
            TcpStream::connect(control).ok()
        });
        connection.set_read_timeout(Some(Duration::from_millis(100))).expect("a socket takes a time-out");
        let mut phone =
            Self { process, folder, control: connection, pending: Vec::new(), frames: Vec::new() };
        phone.wait_until_registered();
        phone
    }

    /// Calls `uri` and waits until the call is up.
    pub fn dial(&mut self, uri: &str) {
        self.ring(uri);
        self.event("CALL_ESTABLISHED");
    }

    /// Calls `uri`.
    pub fn ring(&mut self, uri: &str) {
        self.command("dial", uri);
    }

    /// Runs a command of baresip's control port: `hold`, `resume`, `hangup`, `sndcode`.
    ///
    /// # Panics
    /// When baresip refuses it.
    pub fn command(&mut self, command: &str, parameters: &str) -> String {
        let body = json!({ "command": command, "params": parameters, "token": "test" }).to_string();
        write!(self.control, "{}:{body},", body.len()).expect("baresip's control port");
        let is_answer = |frame: &Value| frame["response"] == Value::Bool(true);
        let answer = self.frame(&format!("baresip's answer to {command}"), is_answer);
        assert_eq!(answer["ok"], Value::Bool(true), "{command}: {answer}");
        answer["data"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits for an event (`CALL_ESTABLISHED`, `CALL_CLOSED`) that was not waited for before.
    pub fn event(&mut self, kind: &str) -> Value {
        self.frame(&format!("baresip's event {kind}"), |frame| frame["type"] == kind)
    }

    /// Waits until it has heard (and recorded) `seconds` since the beginning of the call.
    pub fn listen(&self, seconds: f64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds")]
        let bytes = (seconds * 16_000.0) as u64;
        let limit = Duration::from_secs_f64(seconds + 20.0);
        until(limit, &format!("{seconds} s heard"), || {
            self.recordings("-dec.wav")
                .iter()
                .any(|path| fs::metadata(path).is_ok_and(|file| file.len() >= bytes))
        });
    }

    /// Waits until so many seconds more of sound have come in, recorded or not: after a hold of its own, baresip 1.0 hears
    /// but does not record.
    ///
    /// # Panics
    /// When they do not come.
    pub fn hears(&mut self, seconds: f64) {
        let mut received = || {
            let told = self.command("audio_debug", "");
            let time = told.split("rx:").nth(1).and_then(|rx| rx.split("time = ").nth(1)?.split(' ').next());
            time.and_then(|time| time.parse::<f64>().ok()).expect("baresip tells how much it has received")
        };
        let wanted = received() + seconds;
        let limit = Duration::from_secs_f64(seconds + 20.0);
        until(limit, &format!("{seconds} s more heard"), || received() >= wanted);
    }

    /// What it heard or sent, once the file is complete: after the call.
    ///
    /// # Panics
    /// When it recorded nothing.
    pub fn recorded(&self, which: Recorded) -> Sound {
        let suffix = match which {
            Recorded::Heard => "-dec.wav",
            Recorded::Sent => "-enc.wav",
        };
        let path = until_some(Duration::from_secs(5), "baresip's recording", || {
            let files = fs::read_dir(self.folder.join("rec")).ok()?;
            files
                .flatten()
                .map(|entry| entry.path())
                .find(|path| ends_with(path, suffix) && is_complete(path))
        });
        Sound::read(&path, 0)
    }

    /// Everything that it has printed: its SIP messages among it.
    pub fn log(&self) -> String {
        self.process.stdout() + &self.process.stderr()
    }

    fn recordings(&self, suffix: &str) -> Vec<PathBuf> {
        let Ok(files) = fs::read_dir(self.folder.join("rec")) else { return Vec::new() };
        files.flatten().map(|entry| entry.path()).filter(|path| ends_with(path, suffix)).collect()
    }

    fn wait_until_registered(&mut self) {
        until(Duration::from_secs(15), "baresip registered", || {
            self.log().contains("200 OK") && self.is_registered()
        });
    }

    fn is_registered(&mut self) -> bool {
        self.command("reginfo", "").contains("OK")
    }

    fn frame(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        until_some(Duration::from_secs(30), what, || {
            self.read_frames();
            let found = self.frames.iter().position(&wanted)?;
            Some(self.frames.remove(found))
        })
    }

    /// Netstrings: `LENGTH:JSON,`.
    fn read_frames(&mut self) {
        let mut buffer = [0; 4096];
        match self.control.read(&mut buffer) {
            Ok(0) => panic!("baresip closed its control port: {}", self.log()),
            Ok(count) => self.pending.extend(&buffer[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => panic!("baresip's control port: {error}"),
        }
        while let Some(colon) = self.pending.iter().position(|&byte| byte == b':') {
            let digits = std::str::from_utf8(&self.pending[..colon]).expect("a netstring's length");
            let length: usize = digits.parse().expect("a netstring's length");
            let end = colon + 1 + length;
            if self.pending.len() <= end {
                break;
            }
            let frame = serde_json::from_slice(&self.pending[colon + 1..end]).expect("baresip speaks JSON");
            self.frames.push(frame);
            self.pending.drain(..=end);
        }
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        self.process.terminate();
    }
}

/// A codec as baresip names it: with the rate of its samples and its channels.
fn format(codec: &str) -> String {
    match codec {
        "opus" => "opus/48000/2".to_owned(),
        "G722" => "G722/16000/1".to_owned(),
        _ => format!("{codec}/8000/1"),
    }
}

fn ends_with(path: &Path, suffix: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(suffix))
}

/// libsndfile writes the lengths into the header when it closes the file.
fn is_complete(path: &Path) -> bool {
    hound::WavReader::open(path).is_ok_and(|file| file.duration() > 0)
}

fn config(folder: &Path, sip: SocketAddr, control: SocketAddr) -> String {
    let modules: String = [
        ("module", "g711"),
        ("module", "g722"),
        ("module", "opus"),
        ("module", "sndfile"),
        ("module", "aubridge"),
        ("module", "aufile"),
        ("module", "srtp"),
        ("module", "dtls_srtp"),
        ("module", "ice"),
        ("module_tmp", "uuid"),
        ("module_tmp", "account"),
        ("module_app", "contact"),
        ("module_app", "debug_cmd"),
        ("module_app", "menu"),
        ("module_app", "ctrl_tcp"),
    ]
    .iter()
    .map(|(kind, name)| format!("{kind} {name}.so\n"))
    .collect();
    let folder = folder.display();
    let port = sip.port();
    // A player that nobody listens to; the sndfile filter in front of it records what is heard.
    format!(
        "poll_method epoll\nsip_listen {sip}\ncall_local_timeout 60\ncall_max_calls 4\n\
         audio_player aubridge,unheard{port}\naudio_source aufile,{folder}/microphone.wav\n\
         audio_alert aubridge,alert{port}\nausrc_srate 8000\nauplay_srate 8000\nausrc_channels 1\n\
         auplay_channels 1\naudio_buffer 20-160\nrtp_ports 12000-15998\njitter_buffer_delay 5-10\n\
         module_path {MODULES}\n{modules}ctrl_tcp_listen {control}\nsnd_path {folder}/rec\nmenu_bell no\n\
         statmode_default off\n"
    )
}
