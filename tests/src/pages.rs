use serde_json::{Value, json};
use std::path::PathBuf;

use crate::browser::{Driver, recorded};
use crate::{Node, Sound};

/// A Chromium without a window in which several people have the node's pages open, each logged in by itself. The microphone
/// of all is a WAV file.
#[derive(Debug)]
pub struct Pages {
    driver: Driver,
    heard: PathBuf,
}

impl Pages {
    /// Starts one for the pages of a node.
    pub fn start(node: &Node, microphone: &Sound) -> Self {
        let origin = format!("http://{}", node.http());
        let driver = Driver::start(node, "pages", "pages.mjs", &[&origin], microphone);
        Self { driver, heard: node.folder().join("pages").join("heard") }
    }

    /// Opens a page for somebody who logs in there.
    pub fn log_in(&mut self, who: &str, password: &str, path: &str) {
        self.ask("logIn", json!({"who": who, "password": password, "path": path}));
    }

    /// Waits until somebody sees a text.
    ///
    /// # Panics
    /// When it does not come.
    pub fn see(&mut self, who: &str, text: &str) {
        self.see_in(who, "body", text);
    }

    /// Waits until somebody sees a text within an element, by a selector; the moment in milliseconds since 1970.
    ///
    /// # Panics
    /// When it does not come.
    pub fn see_in(&mut self, who: &str, within: &str, text: &str) -> u64 {
        let seen = self.ask("see", json!({"who": who, "text": text, "within": within}));
        seen.as_u64().expect("a moment")
    }

    /// Somebody presses a button, by the name that it has for those who do not see it.
    ///
    /// # Panics
    /// When there is none.
    pub fn press(&mut self, who: &str, button: &str) {
        self.ask("press", json!({"who": who, "button": button}));
    }

    /// What somebody hears from now on, for some seconds.
    pub fn hear(&mut self, who: &str, seconds: f64) -> Sound {
        self.ask("hear", json!({"who": who, "seconds": seconds, "path": self.heard}));
        recorded(&self.heard)
    }

    /// Does what the script `tests/browser/pages.mjs` can.
    ///
    /// # Panics
    /// When it fails.
    pub fn ask(&mut self, command: &str, argument: Value) -> Value {
        self.driver.ask(command, argument)
    }
}
