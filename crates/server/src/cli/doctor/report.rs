//! What the checks have found, and how it is told.

use super::super::Failed;
use super::super::output::print;
use serde::Serialize;
use serde_json::json;
use std::io::IsTerminal;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    Ok,
    Warning,
    Fault,
}

/// What one check has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) area: &'static str,
    pub(super) level: Level,
    /// What was looked at, and what it is like.
    pub(super) what: String,
    /// What to do.
    pub(super) advice: Option<String>,
}

impl Finding {
    pub(super) fn ok(area: &'static str, what: impl Into<String>) -> Self {
        Self { area, level: Level::Ok, what: what.into(), advice: None }
    }

    pub(super) fn warning(area: &'static str, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { area, level: Level::Warning, what: what.into(), advice: Some(advice.into()) }
    }

    pub(super) fn fault(area: &'static str, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { area, level: Level::Fault, what: what.into(), advice: Some(advice.into()) }
    }

    /// Its line, and one more for each line of what is beside it: `  fault    ports        udp 192.0.2.1:5060 …`.
    fn text(&self, is_coloured: bool) -> String {
        let (word, colour) = match self.level {
            Level::Ok => ("ok", "32"),
            Level::Warning => ("warning", "33"),
            Level::Fault => ("FAULT", "1;31"),
        };
        let word = format!("{word:<8}");
        let word = if is_coloured { format!("\x1b[{colour}m{word}\x1b[0m") } else { word };
        let what = wrapped(&self.what);
        let advice = self.advice.iter().map(|advice| format!("{INDENT}→ {}\n", wrapped(advice)));
        format!("  {word} {:<12} {what}\n{}", self.area, advice.collect::<String>())
    }
}

/// Where the text of a finding stands.
const INDENT: &str = "                        ";
/// How wide it is at most, unless a word is wider.
const WIDTH: usize = 84;

/// A text whose further lines stand below the first one.
fn wrapped(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.trim_end().lines() {
        let mut short: Option<String> = None;
        for word in line.split(' ') {
            match &mut short {
                Some(begun) if begun.chars().count() + word.chars().count() < WIDTH => {
                    begun.push(' ');
                    begun.push_str(word);
                }
                _ => lines.extend(short.replace(word.to_owned())),
            }
        }
        lines.extend(short);
    }
    lines.join(&format!("\n{INDENT}"))
}

/// What has been found so far.
pub(super) struct Report {
    json: bool,
    is_coloured: bool,
    findings: Vec<Finding>,
}

impl Report {
    /// A report that tells each finding as it comes, or, with `json`, all of them at the end.
    pub(super) fn new(json: bool) -> Self {
        Self { json, is_coloured: std::io::stdout().is_terminal(), findings: Vec::new() }
    }

    pub(super) fn tell(&mut self, finding: Finding) -> Result<(), Failed> {
        let text = finding.text(self.is_coloured);
        self.findings.push(finding);
        if self.json { Ok(()) } else { print(&text) }
    }

    pub(super) fn tell_all(&mut self, findings: impl IntoIterator<Item = Finding>) -> Result<(), Failed> {
        findings.into_iter().try_for_each(|finding| self.tell(finding))
    }

    /// Says what it comes to.
    ///
    /// # Errors
    /// [`Failed`] where there is a fault.
    pub(super) fn end(self) -> Result<(), Failed> {
        let count = |level| self.findings.iter().filter(|finding| finding.level == level).count();
        let (faults, warnings) = (count(Level::Fault), count(Level::Warning));
        if self.json {
            print(&format!("{:#}\n", json!({"ok": faults == 0, "findings": self.findings})))?;
        } else {
            print(&format!("\n{}\n", verdict(faults, warnings)))?;
        }
        if faults == 0 { Ok(()) } else { Err(Failed) }
    }
}

/// `2 faults, 1 warning`.
fn verdict(faults: usize, warnings: usize) -> String {
    let many = |count: usize, what: &str| match count {
        0 => None,
        1 => Some(format!("1 {what}")),
        many => Some(format!("{many} {what}s")),
    };
    let found: Vec<_> = [many(faults, "fault"), many(warnings, "warning")].into_iter().flatten().collect();
    if found.is_empty() { "all is well".to_owned() } else { found.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_has_its_level_first_and_what_to_do_below() {
        let found = Finding::fault("ports", "udp 192.0.2.1:5060 is held\nby asterisk", "end it");
        let expected = format!(
            "  FAULT    ports        udp 192.0.2.1:5060 is held\n{INDENT}by asterisk\n{INDENT}→ end it\n"
        );
        assert_eq!(found.text(false), expected);
        assert!(found.text(true).starts_with("  \x1b[1;31mFAULT   \x1b[0m ports"));
    }

    #[test]
    fn a_long_text_goes_on_below_and_nothing_of_it_is_lost() {
        let long = format!("{} end", "word ".repeat(40).trim());
        let lines = wrapped(&long);
        assert!(lines.lines().all(|line| line.trim_start().len() <= WIDTH), "{lines}");
        assert_eq!(lines.split_whitespace().count(), 41);
        assert_eq!(wrapped("a\n  --> b"), format!("a\n{INDENT}  --> b"));
    }

    #[test]
    fn the_verdict_counts() {
        let cases =
            [(0, 0, "all is well"), (1, 0, "1 fault"), (2, 1, "2 faults, 1 warning"), (0, 3, "3 warnings")];
        for (faults, warnings, text) in cases {
            assert_eq!(verdict(faults, warnings), text);
        }
    }
}
