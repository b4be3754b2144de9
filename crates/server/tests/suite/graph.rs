//! `ringdown graph`, on the sample client.

use crate::running::text;
use crate::simulate::ringdown;

#[test]
fn a_flow_is_drawn_to_standard_output_or_into_a_file() {
    let drawn = ringdown(&["graph", "dialplans/acme", "main"]);
    assert!(drawn.status.success(), "{}", text(&drawn.stderr));
    assert!(text(&drawn.stdout).starts_with("<svg"), "{}", text(&drawn.stdout));
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join("main.mmd");
    let file = file.to_str().expect("a path");
    let drawn = ringdown(&["graph", "dialplans/acme", "main", "--mermaid", "--out", file]);
    assert!(drawn.status.success() && drawn.stdout.is_empty(), "{}", text(&drawn.stderr));
    let written = std::fs::read_to_string(file).expect("written");
    assert!(written.starts_with("flowchart TD\n") && written.contains("flow sales"), "{written}");
}
