//! `*.test.yaml`, read and held against the client that it tests.

use super::known::Known;
use super::{Expected, TestCase, reply};
use crate::faults::{Faults, Span};
use crate::fields::Fields;
use crate::program::SHARED;
use crate::simulate::{self, MOMENT, Press, Script, SimulatedCall};
use crate::yaml::{self, Key, Node, Value};
use crate::{Attestation, ClientFiles, ClientIndex, Config, PromptFile, Report, SourceFile, Verstat, called};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::str::FromStr;

/// When a test's call comes in unless it says so: never the present, on which no test may depend. A Monday.
const USUAL_MOMENT: &str = "2026-01-05T12:00";
/// Who calls unless a test says so.
const USUAL_CALLER: &str = "+15550199";
/// By which trunk: one that reaches every number.
const USUAL_SOURCE: &str = "simulated";

/// What all tests of a client are read with.
struct Reader<'c> {
    config: &'c Config,
    client: ClientIndex,
    zone: TimeZone,
    known: Known<'c>,
}

/// A call as far as it is written, and where.
#[derive(Clone, Default)]
struct Written<'n> {
    number: Option<&'n Node>,
    from: Option<&'n Node>,
    source: Option<&'n Node>,
    diverted_by: Option<&'n Node>,
    verstat: Option<&'n Node>,
    attest: Option<&'n Node>,
    at: Option<&'n Node>,
    seed: Option<&'n Node>,
}

/// Reads the tests of a client whose files have passed every check: `client` is that which `config` was made of.
///
/// # Errors
/// All faults of all test files at once.
pub fn load_tests(
    config: &Config,
    client: &ClientFiles,
    system_prompts: &[PromptFile],
    tests: &[SourceFile],
) -> Result<Vec<TestCase>, Report> {
    let mut faults = Faults::new(tests.iter().collect());
    let mut cases = Vec::new();
    if let Some(index) = config.clients.iter().position(|it| *it.id == *client.id) {
        let prompts = system_prompts.iter().chain(&client.prompts);
        let known = Known::of(&config.clients[index], prompts);
        let index = ClientIndex(index);
        let reader = Reader { config, client: index, zone: simulate::zone(config, index), known };
        for (file, source) in tests.iter().enumerate() {
            let Some(root) = yaml::parse(file, &source.text, &mut faults) else { continue };
            cases.extend(reader.file(&root, &mut faults));
        }
    }
    if faults.len() == 0 { Ok(cases) } else { Err(faults.into_report()) }
}

impl Reader<'_> {
    fn file(&self, root: &Node, faults: &mut Faults<'_>) -> Vec<TestCase> {
        let whole = Span { len: 0, ..root.span };
        let Some(fields) = Fields::of(root, whole, "a test file", &["call", "tests"], faults) else {
            return Vec::new();
        };
        let usual =
            fields.entry("call").map(|(key, node)| written(node, key.span, Written::default(), faults));
        let usual = usual.unwrap_or_default();
        let tests = fields.require("tests", faults).map_or(&[][..], |node| node.entries("`tests`", faults));
        tests.iter().filter_map(|(key, node)| self.case(key, node, usual.clone(), faults)).collect()
    }

    fn case<'n>(
        &self,
        key: &'n Key,
        node: &'n Node,
        usual: Written<'n>,
        faults: &mut Faults<'_>,
    ) -> Option<TestCase> {
        const KNOWN: [&str; 9] =
            ["call", "keys", "answers", "http", "values", "broken", "recording_breaks", "hangs_up", "expect"];
        let fields = Fields::of(node, key.span, "a test", &KNOWN, faults)?;
        let call = match fields.entry("call") {
            Some((key, node)) => written(node, key.span, usual, faults),
            None => usual,
        };
        let mut keys = Vec::new();
        for node in fields.get("keys").map_or(&[][..], Node::items) {
            keys.extend(word::<Press>(node, "a key", faults));
        }
        let length = |name: &str, faults: &mut Faults<'_>| {
            fields.get(name).and_then(|node| node.duration(&format!("`{name}`"), faults))
        };
        let mut values = BTreeMap::new();
        for (key, node) in fields.get("values").map_or(&[][..], |node| node.entries("`values`", faults)) {
            values.extend(node.text("a value", faults).map(|value| (key.text.clone(), value.to_owned())));
        }
        let replies = fields.get("http").map_or(&[][..], Node::items);
        let script = Script {
            values,
            replies: replies.iter().filter_map(|node| reply::read(node, key.span, faults)).collect(),
            recording_breaks: length("recording_breaks", faults),
            hangs_up: length("hangs_up", faults),
            broken: self
                .names(fields.get("broken"), "unknown prompt {}", &self.prompts(), faults)
                .into_iter()
                .collect(),
            ..self.answers(fields.get("answers"), faults)
        };
        let expected = fields.require("expect", faults).map(|node| self.expected(node, key.span, faults));
        let (to, call) = self.call(&call, key.span, faults)?;
        let (name, file) = (key.text.clone(), faults.path(key.span.file).to_owned());
        Some(TestCase {
            name,
            file,
            line: faults.line(key.span),
            to,
            call,
            keys,
            script,
            expected: expected?,
        })
    }

    /// Where a call leads, and what its flow knows of it.
    fn call(
        &self,
        written: &Written<'_>,
        at: Span,
        faults: &mut Faults<'_>,
    ) -> Option<((ClientIndex, crate::FlowIndex), SimulatedCall)> {
        let Some(number) = written.number else {
            let hint = "write call: \"+15550100\" here, or once for all tests above `tests`";
            faults.hinted(at, "a test needs a number to call", hint);
            return None;
        };
        let mut text = |node: Option<&Node>, what: &str, usual: &str| {
            node.map_or(Some(usual.to_owned()), |node| node.text(what, faults).map(str::to_owned))
        };
        let dialled = text(Some(number), "`number`", "")?;
        let from = text(written.from, "`from`", USUAL_CALLER)?;
        let source = text(written.source, "`source`", USUAL_SOURCE)?;
        let diverted_by = text(written.diverted_by, "`diverted_by`", "")?;
        let moment = text(written.at, "`at`", USUAL_MOMENT)?;
        let verstat = written.verstat.map_or(Some(Verstat::None), |node| one_of(node, VERSTATS, faults));
        let attestation = written.attest.map(|node| one_of(node, ATTESTATIONS, faults));
        let seed = written.seed.map_or(Some(0), |node| node.number("`seed`", 0, u32::MAX, faults));
        let Some(micros) = simulate::moment(&moment, &self.zone) else {
            let at = written.at.map_or(at, |node| node.span);
            faults.hinted(at, format!("`{moment}` is no moment"), MOMENT);
            return None;
        };
        let to = match called(self.config, &dialled, &source) {
            Ok(to) if to.0 == self.client => to,
            Ok(_) => {
                faults.error(number.span, format!("`{dialled}` is a number of another client"));
                return None;
            }
            Err(error) => {
                faults.error(number.span, error);
                return None;
            }
        };
        let call = SimulatedCall {
            number: dialled,
            from,
            source,
            diverted_by,
            verstat: verstat?,
            attestation: attestation.flatten(),
            at: micros,
            seed: seed?.into(),
        };
        Some((to, call))
    }

    /// A script with these answers and nothing else.
    fn answers(&self, node: Option<&Node>, faults: &mut Faults<'_>) -> Script {
        let mut script = Script::default();
        for (key, node) in node.map_or(&[][..], |node| node.entries("`answers`", faults)) {
            if !self.known.is_open && !self.known.answering.contains(&key.text) {
                let known = self.known.answering.iter().map(String::as_str);
                faults.unknown(key.span, "no flow rings or enters {}", &key.text, known);
            }
            let answers = node.items().iter().filter_map(|node| word(node, "an answer", faults)).collect();
            script.answers.insert(key.text.clone(), answers);
        }
        script
    }

    fn expected(&self, node: &Node, at: Span, faults: &mut Faults<'_>) -> Expected {
        const KNOWN: [&str; 7] = ["heard", "dials", "queues", "requests", "flows", "variables", "ends"];
        let mut expected = Expected::default();
        let Some(fields) = Fields::of(node, at, "`expect`", &KNOWN, faults) else { return expected };
        if KNOWN.iter().all(|name| fields.get(name).is_none()) {
            faults.hinted(node.place_or(at), "this test expects nothing", "write expect: {ends: hangup}");
        }
        let flows: Vec<&str> = self.known.program.flows.iter().map(|flow| &*flow.name).collect();
        let queues: Vec<&str> = self.known.queues.iter().copied().collect();
        let dialled: Vec<&str> = self.known.dialled.iter().map(String::as_str).collect();
        let dialled = if self.known.is_open { Vec::new() } else { dialled };
        let list = |name: &str, message: &str, known: &[&str], faults: &mut Faults<'_>| {
            fields.get(name).map(|node| self.names(Some(node), message, known, faults))
        };
        expected.heard = list("heard", "unknown prompt {}", &self.prompts(), faults);
        expected.flows = list("flows", "unknown flow {}", &flows, faults);
        expected.queues = list("queues", "no flow enters {}", &queues, faults);
        expected.dials = list("dials", "no flow rings {}", &dialled, faults);
        expected.requests = list("requests", "", &[], faults);
        for (key, node) in fields.get("variables").map_or(&[][..], |node| node.entries("`variables`", faults))
        {
            let mut names = self.known.program.scopes[SHARED].iter().map(|(name, _)| &**name);
            if !names.clone().any(|name| name == key.text) {
                faults.unknown(key.span, "no flow sets {}", &key.text, names.by_ref());
            }
            let value = match &node.value {
                Value::Scalar { text, .. } => Some(text.clone()),
                _ => node.text("a value", faults).map(str::to_owned),
            };
            expected.variables.extend(value.map(|value| (key.text.clone(), value)));
        }
        expected.ends = fields.get("ends").and_then(|node| ends(node, faults));
        expected
    }

    /// Names of a list, each of which is known; of all if nothing is.
    fn names(
        &self,
        node: Option<&Node>,
        message: &str,
        known: &[&str],
        faults: &mut Faults<'_>,
    ) -> Vec<String> {
        let mut names = Vec::new();
        for node in node.map_or(&[][..], Node::items) {
            let Some(name) = node.text("a name", faults) else { continue };
            if !known.is_empty() && !known.contains(&name) {
                faults.unknown(node.span, message, name, known.iter().copied());
            }
            names.push(name.to_owned());
        }
        names
    }

    fn prompts(&self) -> Vec<&str> {
        self.known.prompts.iter().copied().collect()
    }
}

/// A call: a number, or a map in which each key takes the place of that in `usual`.
fn written<'n>(node: &'n Node, at: Span, usual: Written<'n>, faults: &mut Faults<'_>) -> Written<'n> {
    const KNOWN: [&str; 8] = ["number", "from", "source", "diverted_by", "verstat", "attest", "at", "seed"];
    if let Value::Scalar { .. } = node.value {
        return Written { number: Some(node), ..usual };
    }
    let Some(fields) = Fields::of(node, at, "`call`", &KNOWN, faults) else { return usual };
    Written {
        number: fields.get("number").or(usual.number),
        from: fields.get("from").or(usual.from),
        source: fields.get("source").or(usual.source),
        diverted_by: fields.get("diverted_by").or(usual.diverted_by),
        verstat: fields.get("verstat").or(usual.verstat),
        attest: fields.get("attest").or(usual.attest),
        at: fields.get("at").or(usual.at),
        seed: fields.get("seed").or(usual.seed),
    }
}

const VERSTATS: [(&str, Verstat); 3] =
    [("passed", Verstat::Passed), ("failed", Verstat::Failed), ("none", Verstat::None)];
const ATTESTATIONS: [(&str, Attestation); 3] =
    [("A", Attestation::A), ("B", Attestation::B), ("C", Attestation::C)];

fn one_of<T: Copy, const N: usize>(node: &Node, words: [(&str, T); N], faults: &mut Faults<'_>) -> Option<T> {
    let text = node.text("this", faults)?;
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        faults.unknown(node.span, "{} is none of the words here", text, words.iter().map(|(word, _)| *word));
    }
    found
}

/// A word that says by itself what is wrong with it.
fn word<T: FromStr<Err = String>>(node: &Node, what: &str, faults: &mut Faults<'_>) -> Option<T> {
    let text = node.text(what, faults)?;
    text.parse().map_err(|error| faults.error(node.span, error)).ok()
}

fn ends(node: &Node, faults: &mut Faults<'_>) -> Option<String> {
    let text = node.text("`ends`", faults)?;
    let status = text.strip_prefix("reject ").and_then(|status| status.parse::<u16>().ok());
    if !matches!(text, "hangup" | "caller") && !status.is_some_and(|status| (400..700).contains(&status)) {
        faults.hinted(
            node.span,
            format!("a call does not end by `{text}`"),
            "write hangup, caller or reject 486",
        );
        return None;
    }
    Some(text.to_owned())
}
