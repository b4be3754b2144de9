use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{Node, Running, Sound, tool, until};

/// A linphonec without a sound card: its microphone is a WAV file, and what it hears is recorded.
#[derive(Debug)]
pub struct Linphone {
    process: Running,
    folder: PathBuf,
}

impl Linphone {
    /// Starts a phone of `user` (with the load profile's password) that reaches the node by `transport` (`udp`, `tcp` or
    /// `tls`), whose ports begin with the `port`-th (0 to 30, ten apart) of this test's and whose microphone is
    /// `microphone`; it answers by itself. Returns once the node has registered it.
    ///
    /// # Panics
    /// When it does not start or is not registered in time.
    pub fn register(node: &Node, transport: &str, user: u16, port: u16, microphone: &Sound) -> Self {
        let folder = node.folder().join(format!("linphone-{user}"));
        fs::create_dir_all(folder.join(".local/share/linphone")).expect("a temporary folder");
        let config = folder.join("linphonerc");
        fs::write(&config, settings(node, transport, user, node.network().port(port)))
            .expect("a temporary folder");
        microphone.write(&folder.join("microphone.wav"));
        let mut command = tool("linphonec", "linphone-cli");
        command.env("HOME", &folder).arg("-S").arg("-a").arg("-c").arg(&config);
        // Every SIP message is in the folder when a test fails.
        command.arg("-d").arg("5").arg("-l").arg(folder.join("messages"));
        let name = format!("linphone-{user}");
        let mut phone = Self { process: Running::start_told(&name, node.folder(), &mut command), folder };
        phone.say("soundcard use files");
        phone.hears("Using wav files");
        until(Duration::from_secs(15), "linphonec registered", || {
            phone.say("status register");
            phone.said("registered, identity=") > 0
        });
        phone
    }

    /// Calls `uri` and waits until the call is up.
    pub fn dial(&mut self, uri: &str) {
        self.say(&format!("call {uri}"));
        self.is_up(1);
    }

    /// Types a command: `pause`, `resume`, `terminate`, `transfer URI`, or keys to press.
    pub fn say(&mut self, command: &str) {
        self.process.say(command);
    }

    /// Waits until sound has begun to flow so many times.
    pub fn is_up(&self, times: usize) {
        let what = format!("linphonec in a call {times} times: {}", self.process.stdout());
        until(Duration::from_secs(20), &what, || self.said("Media streams established") >= times);
    }

    /// Waits until it has written `text`.
    pub fn hears(&self, text: &str) {
        until(Duration::from_secs(20), &format!("linphonec writes {text:?}"), || self.said(text) > 0);
    }

    /// Speaks into the call from the beginning of its microphone's file, and records what it hears.
    pub fn talk(&mut self) {
        let [microphone, heard] = ["microphone.wav", "heard.wav"].map(|name| self.folder.join(name));
        self.say(&format!("play {}", microphone.display()));
        self.say(&format!("record {}", heard.display()));
    }

    /// Waits until it has recorded `seconds` of the call.
    pub fn listen(&self, seconds: f64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds")]
        let bytes = (seconds * 16_000.0) as u64;
        let limit = Duration::from_secs_f64(seconds + 20.0);
        until(limit, &format!("{seconds} s heard"), || length(&self.folder.join("heard.wav")) >= bytes);
    }

    /// What it heard.
    ///
    /// # Panics
    /// When it recorded nothing.
    pub fn heard(&self) -> Sound {
        let file = fs::read(self.folder.join("heard.wav")).expect("it was told to record");
        // Its header counts itself to the sound, so that no reader of WAV files is content with it.
        let sound = file.get(44..).unwrap_or_default();
        Sound::of(sound.as_chunks().0.iter().map(|&sample| f64::from(i16::from_le_bytes(sample))).collect())
    }

    /// Everything that it has printed.
    pub fn log(&self) -> String {
        self.process.stdout()
    }

    fn said(&self, text: &str) -> usize {
        self.process.stdout().matches(text).count()
    }
}

impl Drop for Linphone {
    fn drop(&mut self) {
        self.process.terminate();
    }
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map(|file| file.len()).unwrap_or_default()
}

/// It is told not to judge whether there is a network: one with loopback alone is none to it.
fn settings(node: &Node, transport: &str, user: u16, port: u16) -> String {
    let place = node.place(transport);
    let [tls, sound] = [port + 1, port + 4];
    format!(
        "[sip]\nsip_port={port}\nsip_tcp_port={port}\nsip_tls_port={tls}\nverify_server_certs=0\nverify_server_cn=0\n\
         default_proxy=0\nauto_net_state_mon=0\nregister_only_when_network_is_up=0\n[rtp]\naudio_rtp_port={sound}\naudio_jitt_comp=200\naudio_adaptive_jitt_comp_enabled=0\n\
         [proxy_0]\nreg_proxy=<sip:{place}>\nreg_identity=sip:{user}@{}\nreg_expires=600\nreg_sendregister=1\n\
         [auth_info_0]\nusername={user}\npasswd=pw{user}\nrealm=load\n\
         [misc]\nadd_missing_audio_codecs=0\n[audio_codec_0]\nmime=PCMU\nrate=8000\nchannels=1\nenabled=1\n",
        node.sip()
    )
}
