//! `ringdown test`, on the sample client and on copies of it.

use crate::running::{Files, text};
use crate::simulate::ringdown;
use serde_json::Value;
use std::fmt::Write;

/// A test that passes for the client of [`Files`].
const TESTS: &str =
    "call: wait\ntests:\n  hears the tone:\n    expect: {heard: [tone], flows: [wait], ends: caller}\n";

fn with_tests(tests: &str) -> Files {
    let files = Files::new();
    std::fs::write(files.home.path().join("client/wait.test.yaml"), tests).expect("written");
    files
}

#[test]
fn the_tests_of_the_sample_client_pass_and_take_every_branch() {
    let found = ringdown(&["test", "dialplans/acme", "--coverage-min", "100"]);
    let said = text(&found.stdout);
    assert!(found.status.success(), "{said}{}", text(&found.stderr));
    assert!(said.contains(" passed, 0 failed, in "), "{said}");
}

#[test]
fn a_failed_test_is_told_with_its_place_the_difference_and_the_way() {
    let files = with_tests(&TESTS.replace("[tone]", "[]"));
    let found = files.run(&["test", "--junit", "report.xml"]);
    assert_eq!(found.status.code(), Some(1));
    let said = text(&found.stdout);
    let start = "FAILED client/wait.test.yaml:3 hears the tone\nheard:\n  + tone\nthe way that the call took:\n  0:00.0  \
                 client/client.yaml:6  wait: answer   the caller is answered\n";
    assert!(said.starts_with(start), "{said}");
    assert!(said.contains("0 passed, 1 failed"), "{said}");
    let xml = std::fs::read_to_string(files.home.path().join("report.xml")).expect("written");
    for words in [
        "<testsuites tests=\"1\" failures=\"1\"",
        "<testcase classname=\"client\" name=\"hears the tone\" file=\"client/wait.test.yaml\" line=\"3\">",
        "<failure message=\"heard is not as expected, after 1:00.0  the caller hangs up\">heard:\n  + tone\n",
    ] {
        assert!(xml.contains(words), "{words} is not in\n{xml}");
    }
}

#[test]
fn json_has_each_test_with_its_way_and_each_flow_with_its_coverage() {
    let found = with_tests(TESTS).run(&["test", "client", "--json"]);
    assert!(found.status.success(), "{}", text(&found.stderr));
    let report: Value = serde_json::from_slice(&found.stdout).expect("JSON");
    assert_eq!((&report["ok"], &report["tests"][0]["ok"]), (&true.into(), &true.into()));
    assert_eq!(report["tests"][0]["path"]["lines"][0]["step"], "answer");
    let coverage = &report["coverage"][0];
    assert_eq!(
        (&coverage["client"], &coverage["flow"], &coverage["taken"]),
        (&"client".into(), &"wait".into(), &1.into())
    );
}

#[test]
fn too_little_coverage_and_no_test_at_all_are_failures() {
    let files = with_tests(TESTS);
    files.edit("client/client.yaml", "flows:\n", "flows:\n  other: [hangup]\n");
    let found = files.run(&["test", "--coverage-min", "50"]);
    assert!(found.status.success(), "{}", text(&found.stderr));
    let found = files.run(&["test", "--coverage-min", "51"]);
    assert_eq!(found.status.code(), Some(1));
    assert_eq!(
        text(&found.stderr),
        "ringdown: client: 50.0% of its branches were taken, and 51% are wanted\n"
    );
    let found = Files::new().run(&["test"]);
    assert_eq!(found.status.code(), Some(1));
    assert!(text(&found.stderr).contains("NAME.test.yaml"), "{}", text(&found.stderr));
}

#[test]
fn check_and_test_tell_what_is_wrong_with_a_test_file_and_a_node_serves_all_the_same() {
    let files = with_tests(&TESTS.replace("expect:", "expects:"));
    for arguments in [["check"].as_slice(), &["check", "client"], &["test"]] {
        let found = files.run(arguments);
        assert_eq!(found.status.code(), Some(1));
        let said = text(&found.stderr);
        assert!(
            said.starts_with("client/wait.test.yaml:4:5: error: a test has no key `expects`\n"),
            "{said}"
        );
        assert!(said.contains("did you mean `expect`?"), "{said}");
    }
    let simulated = files.run(&["simulate", "ringdown.yaml", "wait"]);
    assert!(simulated.status.success(), "{}", text(&simulated.stderr));
}

/// Prints what it took: `cargo nextest run -E 'test(a_thousand_tests)' --no-capture`.
#[test]
fn a_thousand_tests_take_less_than_two_seconds() {
    let mut tests = String::from("call: \"+15550100\"\ntests:\n");
    for number in 0..1_000 {
        let keys = ["[\"1\"]", "[\"9\", \"7\", \"2\"]", "[]", "[hangup]"][number % 4];
        writeln!(tests, "  case {number}: {{keys: {keys}, expect: {{flows: [main]}}}}").expect("written");
    }
    let files = Files::new();
    let client = files.home.path().join("client");
    let acme = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dialplans/acme");
    std::fs::copy(acme.join("acme.yaml"), client.join("client.yaml")).expect("copied");
    for prompt in std::fs::read_dir(acme.join("prompts")).expect("prompts") {
        let path = prompt.expect("a prompt").path();
        std::fs::copy(&path, client.join("prompts").join(path.file_name().expect("a name"))).expect("copied");
    }
    std::fs::write(client.join("many.test.yaml"), tests).expect("written");
    let begun = std::time::Instant::now();
    let found = files.run(&["test", "client", "--json"]);
    let took = begun.elapsed();
    let report: Value = serde_json::from_slice(&found.stdout).expect("JSON");
    assert_eq!(report["tests"].as_array().map(Vec::len), Some(1_000));
    println!("1,000 tests with reading, checking and a report in JSON: {took:?}");
    assert!(took.as_secs() < 2, "{took:?}");
}
