//! Whether a node does what its own document says: schemathesis asks it whatever the document allows, and what it does not.

use acceptance::{Node, Setup, Sipp, repository, until_some};
use std::process::Command;
use std::time::Duration;

#[test]
fn no_request_gets_an_answer_that_the_document_does_not_have() {
    let setup = Setup::new().flows(
        "numbers: {floor: floor}\nagents: {1000: {}}\nqueues: {floor: {agents: all}}\n\
         flows: {floor: [answer, {enqueue: floor}]}\n",
    );
    let node = Node::start(&setup);
    let _waiting = Sipp::caller(&node, "call-until-bye", "floor").start();
    let operator = node.as_operator();
    let contact = until_some(Duration::from_secs(10), "somebody waits", || {
        operator.get("/queues").body[0]["waiting"][0]["contact"].as_u64()
    });
    let folder = node.folder().join("schemathesis");
    std::fs::create_dir(&folder).expect("a temporary folder");
    let run = Command::new(repository().join("tests/api/conforms"))
        .arg(format!("http://{}", node.http()))
        .arg(operator.token().expect("a token"))
        .arg(&folder)
        .args([&format!("contact={contact}"), "agent=1000", "user=1000", "axis=queues", "address=192.0.2.1"])
        .output()
        .expect("Python runs");
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}\n{}", String::from_utf8_lossy(&run.stderr));
    let cases = said.lines().find_map(|line| line.trim().split_once(" generated")?.0.parse().ok());
    assert!(cases.is_some_and(|cases: u32| cases > 500), "it has asked: {said}");
}
