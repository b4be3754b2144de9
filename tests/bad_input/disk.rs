//! A disk that is full: calls go on, the loss is named, and nothing else is lost.

use acceptance::{Node, Setup, Sipp};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// Whether a mount namespace with a small tmpfs can be made here: by root, and not in every container.
fn can_mount() -> bool {
    let tried = Command::new("unshare").args(["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).output();
    let can = tried.is_ok_and(|output| output.status.success());
    if !can {
        println!("skipped: a small tmpfs needs root and `unshare -m`");
    }
    can
}

#[test]
fn a_full_disk_ends_the_recording_and_not_the_call() {
    if !can_mount() {
        return;
    }
    let node = Node::start_on_tmpfs(&Setup::new(), "recordings", "64k");
    let callee = Sipp::callee(&node, "answer", 5080).alaw().start();
    let caller = Sipp::caller(&node, "call-speaking", "record").alaw().hold(Duration::from_secs(4)).run();
    assert_eq!((caller.successful(), callee.finish().successful()), (1, 1));
    let cdr = node.calls(1).remove(0);
    assert_eq!(cdr["disposition"], "answered");
    let error = cdr["recordings"][0]["error"].as_str().unwrap_or_default().to_owned();
    let path = cdr["recordings"][0]["path"].as_str().unwrap_or_default().to_owned();
    assert!(error.contains("No space left") && error.contains(&path), "{cdr:#}");
    let said = node.process().stderr();
    assert!(said.contains(&path), "{said}");
    node.stop();
}

#[test]
fn a_full_disk_under_the_journal_loses_no_cdr() {
    if !can_mount() {
        return;
    }
    // The prompts of the system are in it, too.
    let node = Node::start_on_tmpfs(&Setup::new(), "", "24m");
    let filler: PathBuf = node.state().join("filler");
    // Fills what is left; the last write fails, and that is what is wanted.
    let _ = fs::write(&filler, vec![0; 32 << 20]);
    let callee = Sipp::callee(&node, "answer", 5080).calls(3).start();
    let caller = Sipp::caller(&node, "call", "uas").calls(3).run();
    assert_eq!((caller.successful(), callee.finish().successful()), (3, 3));
    fs::remove_file(&filler).expect("the filler is there");
    assert!(node.calls(3).iter().all(|cdr| cdr["disposition"] == "answered"));
    let said = node.process().stderr();
    assert!(said.contains("full") || said.contains("No space"), "{said}");
    node.stop();
}
