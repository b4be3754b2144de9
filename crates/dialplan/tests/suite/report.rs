//! What an administrator reads about a mistake: for each the YAML and the exact report.

use crate::support::{NODE, PROMPTS, input};
use dialplan::load;

/// Checks client sections; a flow `main` that answers is put before steps alone.
#[track_caller]
fn client(text: &str, expected: &str) {
    node_and_client(NODE, text, expected);
}

#[track_caller]
fn node_and_client(node: &str, text: &str, expected: &str) {
    let report = load(&input(node, text)).expect_err("this must not check").to_string();
    assert_eq!(report, expected, "\n{report}");
}

#[test]
fn an_unknown_prompt_is_named_with_the_nearest_one() {
    assert!(PROMPTS.contains(&"welcome"));
    client(
        "flows:\n  main:\n    - answer\n    - play: welcom\n",
        "\
acme/acme.yaml:4:13: error: there is no prompt `welcom`
  4 |     - play: welcom
    |             ^^^^^^
  hint: did you mean `welcome`?

1 error",
    );
}
