//! `test`: the tests of client folders, and which branches of their flows they take.

use super::Failed;
use super::output::print;
use crate::load::{self, Sounds};
use clap::Args;
use clock::Duration;
use dialplan::{Config, Coverage, Difference, FlowCoverage, Path, TestCase, Texts};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

#[derive(Args)]
pub(super) struct Arguments {
    /// Client folders, or node files: then all their clients
    #[arg(value_name = "PATH", default_value = "ringdown.yaml")]
    paths: Vec<PathBuf>,
    /// Fails unless so many percent of each client's branches were taken
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    coverage_min: Option<u8>,
    /// Writes the results for a CI as JUnit's XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// One JSON object: {"ok", "tests": [{"name", "ok", "differences", …}], "coverage": [{"client", "flow", …}]}
    #[arg(long)]
    json: bool,
}

/// A test that has run.
struct Done {
    client: Arc<str>,
    case: TestCase,
    path: Path,
    differences: Vec<Difference>,
}

/// What was taken of the flows of one client.
struct Covered {
    client: Arc<str>,
    flows: Vec<FlowCoverage>,
}

/// All of a run.
#[derive(Default)]
struct Run {
    done: Vec<Done>,
    covered: Vec<Covered>,
    took: Duration,
}

pub(super) fn test(arguments: &Arguments) -> Result<(), Failed> {
    let mut run = Run::default();
    for path in &arguments.paths {
        let told = |error| {
            eprintln!("{error}");
            Failed
        };
        let plan = Arc::new(load::load_path(path).map_err(told)?);
        let cases = load::tests(path, &plan).map_err(told)?;
        run.all(&plan, cases);
    }
    if run.done.is_empty() {
        return Err(Failed::because(
            "there is no test: write them into NAME.test.yaml in the client's folder",
        ));
    }
    if let Some(file) = &arguments.junit {
        std::fs::write(file, run.junit())
            .map_err(|error| Failed::because(format!("{}: {error}", file.display())))?;
    }
    let lacking = run.lacking(arguments.coverage_min.unwrap_or(0));
    let ok = run.failed().count() == 0 && lacking.is_empty();
    if arguments.json {
        print(&format!("{:#}\n", run.json(ok)))?;
    } else {
        print(&run.text())?;
        lacking.iter().for_each(|line| eprintln!("ringdown: {line}"));
    }
    if ok { Ok(()) } else { Err(Failed) }
}

impl Run {
    /// Runs the tests of a plan.
    fn all(&mut self, plan: &Arc<Config>, cases: Vec<TestCase>) {
        let begun = Instant::now();
        let sounds = Sounds::default();
        let length = |path: &str| sounds.length(path);
        let mut coverage = vec![Coverage::default(); plan.clients.len()];
        for case in cases {
            let client = plan.client(case.client());
            let path = case.run(plan, &length);
            if let Some(place) = plan.clients.iter().position(|it| it.id == client.id) {
                coverage[place].add(&path);
            }
            let differences = case.differences(&path);
            self.done.push(Done { client: Arc::clone(&client.id), case, path, differences });
        }
        let of = |(client, coverage): (&dialplan::Client, Coverage)| Covered {
            client: Arc::clone(&client.id),
            flows: coverage.of(client),
        };
        self.covered.extend(plan.clients.iter().zip(coverage).map(of));
        self.took += begun.elapsed();
    }

    fn failed(&self) -> impl Iterator<Item = &Done> {
        self.done.iter().filter(|done| !done.differences.is_empty())
    }

    /// Clients of whose branches too few were taken.
    fn lacking(&self, least: u8) -> Vec<String> {
        let percents = self.covered.iter().map(|covered| (covered, covered.percent()));
        percents
            .filter(|(_, percent)| *percent < f64::from(least))
            .map(|(Covered { client, .. }, percent)| {
                format!("{client}: {percent:.1}% of its branches were taken, and {least}% are wanted")
            })
            .collect()
    }

    /// What failed, what was not taken, and a line that sums it up.
    fn text(&self) -> String {
        let mut text = String::new();
        for done in self.failed() {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "FAILED {}:{} {}\n{}\n",
                done.case.file,
                done.case.line,
                done.case.name,
                done.why()
            );
        }
        for Covered { client, flows } in &self.covered {
            for flow in flows {
                let _ =
                    writeln!(text, "{client}: {}: {} of {} branches", flow.flow, flow.taken, flow.branches);
                for missed in &flow.missed {
                    let what = missed
                        .branch
                        .as_ref()
                        .map_or("no call came here".to_owned(), |branch| format!("never {branch}"));
                    let _ = writeln!(text, "  {}:{}  {}: {what}", missed.file, missed.line, missed.step);
                }
            }
        }
        let (all, failed) = (self.done.len(), self.failed().count());
        let passed = all - failed;
        let _ = writeln!(text, "{passed} passed, {failed} failed, in {:.2} s", self.took.as_secs_f64());
        text
    }

    fn json(&self, ok: bool) -> Value {
        let tests = self.done.iter().map(|Done { client, case, path, differences }| {
            json!({
                "client": client, "file": case.file, "line": case.line, "name": case.name,
                "ok": differences.is_empty(), "differences": differences, "path": path,
            })
        });
        let coverage = self.covered.iter().flat_map(|Covered { client, flows }| {
            flows.iter().map(move |flow| {
                let mut value = json!(flow);
                value["client"] = json!(client);
                value
            })
        });
        json!({"ok": ok, "tests": tests.collect::<Vec<_>>(), "coverage": coverage.collect::<Vec<_>>()})
    }

    fn junit(&self) -> String {
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let (all, failed) = (self.done.len(), self.failed().count());
        let seconds = self.took.as_secs_f64();
        // Writing to a String cannot fail.
        let _ = writeln!(xml, "<testsuites tests=\"{all}\" failures=\"{failed}\" time=\"{seconds:.3}\">");
        for Covered { client, .. } in &self.covered {
            let own = || self.done.iter().filter(|done| done.client == *client);
            let failed = own().filter(|done| !done.differences.is_empty()).count();
            let (name, count) = (escaped(client), own().count());
            let _ = writeln!(xml, "  <testsuite name=\"{name}\" tests=\"{count}\" failures=\"{failed}\">");
            own().for_each(|done| xml.push_str(&done.junit()));
            xml.push_str("  </testsuite>\n");
        }
        xml + "</testsuites>\n"
    }
}

impl Covered {
    fn percent(&self) -> f64 {
        let sum = |of: fn(&FlowCoverage) -> usize| self.flows.iter().map(of).sum::<usize>() as f64;
        100.0 * sum(|flow| flow.taken) / sum(|flow| flow.branches).max(1.0)
    }
}

impl Done {
    /// In what it differs, and the way that the call took.
    fn why(&self) -> String {
        let differences = self.differences.iter().map(ToString::to_string);
        let width = self.path.lines.iter().map(|line| line.place().chars().count()).max().unwrap_or_default();
        let way = self.path.lines.iter().map(|line| line.text(width, &Texts::default()));
        differences
            .chain(["the way that the call took:".to_owned()])
            .chain(way)
            .chain([self.path.end()])
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn junit(&self) -> String {
        let Self { client, case, path, .. } = self;
        let attributes = format!(
            "classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\"",
            escaped(client),
            escaped(&case.name),
            escaped(&case.file),
            case.line
        );
        let Some(first) = self.differences.first() else { return format!("    <testcase {attributes}/>\n") };
        format!(
            "    <testcase {attributes}>\n      <failure message=\"{} is not as expected, after {}\">{}</failure>\n    \
             </testcase>\n",
            first.what,
            escaped(path.end().trim()),
            escaped(&self.why())
        )
    }
}

/// As XML has it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML 1.0 has no other control characters.
            c if c.is_control() && !matches!(c, '\n' | '\t') => escaped.push('\u{FFFD}'),
            c => escaped.push(c),
        }
    }
    escaped
}
