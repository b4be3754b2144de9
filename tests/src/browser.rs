use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::wait::within;
use crate::{Node, Running, Sound, repository, tool, until_some};

/// How long whatever a phone does may take; a browser on a busy machine takes some seconds to start.
const LIMIT: Duration = Duration::from_secs(40);

/// A script beside `drive.mjs` that drives a Chromium: it is told what to do line by line, and answers so.
#[derive(Debug)]
pub(crate) struct Driver {
    process: Running,
    /// How many commands it was given.
    commands: u64,
}

impl Driver {
    /// Starts one that keeps what is its own in a folder of the node, and has this microphone.
    pub(crate) fn start(
        node: &Node,
        name: &str,
        script: &str,
        arguments: &[&str],
        microphone: &Sound,
    ) -> Self {
        let folder = node.folder().join(name);
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        let wav = folder.join("microphone.wav");
        microphone.write(&wav);
        let driver = repository().join("tests/browser").join(script);
        let modules = driver.with_file_name("node_modules");
        assert!(modules.is_dir(), "{} is not there: `npm ci` there, or tests/run once", modules.display());
        let mut command = tool("node", "nodejs");
        command.arg(driver).arg(wav).args(arguments).env("HOME", &folder);
        let process = Running::start_told(name, node.folder(), &mut command);
        Self { process, commands: 0 }
    }

    /// What it answers to a command.
    pub(crate) fn ask(&mut self, command: &str, argument: Value) -> Value {
        self.commands += 1;
        let id = self.commands;
        self.process.say(&json!({ "id": id, "do": command, "with": argument }).to_string());
        let what = format!("what the browser says to {command}");
        let answer = until_some(LIMIT, &what, || self.lines().find(|line| line["id"] == id));
        assert!(answer["failed"].is_null(), "{command}: {answer}: {}", self.log());
        answer["value"].clone()
    }

    /// All that it has written of its own.
    pub(crate) fn log(&self) -> String {
        self.process.stderr()
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = Value> {
        let said = self.process.stdout();
        let lines: Vec<_> = said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        lines.into_iter()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The driver closes its Chromium on SIGTERM.
        self.process.terminate();
        self.process.ends_within(Duration::from_secs(10));
    }
}

/// A phone by SIP.js in a Chromium without a window: its microphone is a WAV file, and what it hears is recorded. It answers
/// by itself.
#[derive(Debug)]
pub struct Browser {
    driver: Driver,
    /// What it has heard, once it is asked for.
    heard: PathBuf,
    /// How many events were waited for, by their name.
    met: Vec<String>,
}

/// What a phone in a browser does of its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// The names of the codecs that it has; all of Chromium's if there are none.
    pub codecs: &'static [&'static str],
    /// It sends its offers before it has gathered candidates, and tells them by INFO (RFC 8840).
    pub trickles: bool,
}

impl Browser {
    /// Starts a phone of `user` (with the load profile's password) with this microphone. Returns once the node has registered
    /// it over secure WebSocket.
    ///
    /// # Panics
    /// When it does not start or is not registered in time.
    pub fn register(node: &Node, user: u16, manner: Manner, microphone: &Sound) -> Self {
        let name = format!("browser-{user}");
        let heard = node.folder().join(&name).join("heard");
        let driver = Driver::start(node, &name, "drive.mjs", &[], microphone);
        let mut phone = Self { driver, heard, met: Vec::new() };
        phone.event("ready");
        let Manner { codecs, trickles } = manner;
        phone.ask(
            "register",
            json!({
                "server": format!("wss://{}", node.wss()), "host": node.wss().to_string(), "user": user.to_string(),
                "password": format!("pw{user}"), "codecs": (!codecs.is_empty()).then_some(codecs), "trickle": trickles,
            }),
        );
        phone
    }

    /// Calls a number of the node and waits until the call is up.
    pub fn dial(&mut self, number: &str) {
        self.ask("dial", json!(number));
        self.event("established");
    }

    /// Does what the phone of `tests/browser/phone.js` can: `hangup`, `hold`, `resume`, `restartIce`, `record`, `digit`, `state`.
    ///
    /// # Panics
    /// When it fails.
    pub fn ask(&mut self, command: &str, argument: Value) -> Value {
        self.driver.ask(command, argument)
    }

    /// Does what takes no argument.
    pub fn tell(&mut self, command: &str) -> Value {
        self.ask(command, Value::Null)
    }

    /// Waits for an event (`established`, `ended`) that was not waited for before.
    pub fn event(&mut self, name: &str) {
        let before = self.met.iter().filter(|met| *met == name).count();
        let came = within(LIMIT, || {
            (self.driver.lines().filter(|line| line["event"] == name).count() > before).then_some(())
        });
        assert!(came.is_some(), "no event {name} of the browser: {}", self.log());
        self.met.push(name.to_owned());
    }

    /// Waits until it has recorded `seconds` of what it hears.
    pub fn listen(&mut self, seconds: f64) {
        self.ask("recorded", json!(seconds));
    }

    /// What it has recorded.
    pub fn heard(&mut self) -> Sound {
        self.ask("save", json!(self.heard));
        recorded(&self.heard)
    }

    /// All that it has written of its own: its SIP messages among it.
    pub fn log(&self) -> String {
        self.driver.log()
    }
}

/// What a browser has written to a file: 16-bit samples, little-endian.
pub(crate) fn recorded(path: &Path) -> Sound {
    let bytes = std::fs::read(path).expect("the browser has written it");
    let samples = bytes.as_chunks().0;
    Sound::of(samples.iter().map(|&sample| f64::from(i16::from_le_bytes(sample))).collect())
}
