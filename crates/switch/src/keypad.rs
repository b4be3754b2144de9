//! A party's keys on their way to whoever they are meant for.

use dialplan::{Feature, Features};

/// How a party sends its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeysBy {
    /// RFC 4733.
    Rtp,
    /// INFO.
    Info,
}

/// What a party has pressed so far.
#[derive(Debug)]
pub(crate) struct Keypad {
    /// How its first key came.
    by: Option<KeysBy>,
    /// Whether the engine tells its keys alone, so that they are passed on from here.
    is_kept: bool,
    /// Keys that may become a feature code.
    held: String,
}

/// What a key has come to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Pressed {
    /// Keys that are no code and go on.
    pub(crate) passed: String,
    /// The feature whose code is complete.
    pub(crate) feature: Option<Feature>,
    /// Whether further keys are waited for.
    pub(crate) waits: bool,
}

impl Keypad {
    pub(crate) const fn new(is_kept: bool) -> Self {
        Self { by: None, is_kept, held: String::new() }
    }

    pub(crate) const fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// Whether its keys come with its sound.
    pub(crate) fn is_by_rtp(&self) -> bool {
        self.by == Some(KeysBy::Rtp)
    }

    /// Whether keys count that come in this way: that of the first, since some phones send each twice.
    pub(crate) fn takes(&mut self, by: KeysBy) -> bool {
        *self.by.get_or_insert(by) == by
    }

    /// Takes a key, with the codes that count now.
    pub(crate) fn press(&mut self, key: char, features: &Features, among: &[Feature]) -> Pressed {
        self.held.push(key);
        if let Some(feature) = features.meant_by(&self.held, among) {
            self.held.clear();
            return Pressed { feature: Some(feature), ..Pressed::default() };
        }
        let mut passed = String::new();
        while !self.held.is_empty() && !features.may_begin(&self.held, among) {
            passed.push(self.held.remove(0));
        }
        Pressed { passed, feature: None, waits: !self.held.is_empty() }
    }

    /// No further key has come: what was held is no code.
    pub(crate) fn release(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Codes as a client's file has them.
    fn features() -> Features {
        let client = "client: {features: {transfer: \"*1\", cancel: \"*30\"}}\nflows: {main: [hangup]}\n";
        let source = |path: &str, text: &str| dialplan::SourceFile { path: path.into(), text: text.into() };
        let node = "node: {name: n}\nsip: {listen: [\"udp:127.0.0.1:5060\"]}\nrtp: {ports: 30000-30099, address: 127.0.0.1}\nclients: [a]\n";
        let files = vec![source("a/a.yaml", client)];
        let client = dialplan::ClientFiles { id: "a".into(), path: "a".into(), files, prompts: Vec::new() };
        let input = dialplan::Input {
            node: source("ringdown.yaml", node),
            clients: vec![client],
            system_prompts: Vec::new(),
        };
        dialplan::load(&input).expect("a plan").clients.remove(0).features
    }

    /// What each key comes to: the keys that go on, and `=` for a code.
    fn pressed(keys: &str, among: &[Feature]) -> Vec<String> {
        let (features, mut keypad) = (features(), Keypad::new(true));
        let mut come_to = Vec::new();
        for key in keys.chars() {
            let Pressed { passed, feature, .. } = keypad.press(key, &features, among);
            come_to.push(feature.map_or(passed, |feature| format!("={}", feature.name())));
        }
        come_to.push(keypad.release());
        come_to
    }

    #[test]
    fn keys_of_a_code_are_held_back_and_no_others() {
        let all = [Feature::Transfer, Feature::Cancel];
        assert_eq!(pressed("5*1", &all), ["5", "", "=transfer", ""]);
        assert_eq!(pressed("*35", &all), ["", "", "*35", ""]);
        assert_eq!(pressed("**1", &all), ["", "*", "=transfer", ""]);
        assert_eq!(pressed("*3", &all), ["", "", "*3"], "no further key comes");
        assert_eq!(pressed("*1", &[Feature::Cancel]), ["", "*1", ""], "a code that means nothing now");
        assert_eq!(pressed("*1", &[]), ["*", "1", ""]);
    }

    #[test]
    fn keys_that_come_twice_count_once() {
        let mut keypad = Keypad::new(false);
        assert!(keypad.takes(KeysBy::Info) && !keypad.takes(KeysBy::Rtp) && keypad.takes(KeysBy::Info));
    }
}
