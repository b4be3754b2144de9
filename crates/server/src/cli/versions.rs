//! `apply`, `rollback`, `versions` and `diff`: what an administrator wrote, and what runs.

use super::Failed;
use super::client::{fault, request};
use super::output::print;
use crate::versions::{self, Became, Change, Manifest, Version, VersionError, Versions};
use serde_json::{Value, json};
use similar::TextDiff;
use std::fmt::Write;
use std::path::Path;

/// Lines that are shown around those that differ.
const AROUND: usize = 2;

/// The present files take the place of what runs.
pub(super) fn apply(state: &Path, by: Option<String>, why: Option<String>) -> Result<(), Failed> {
    tell_applied(request(state, "POST", "/apply", Some(&json!({"by": by, "why": why})))?)
}

/// An earlier version does.
pub(super) fn roll_back(
    state: &Path,
    version: Option<u64>,
    by: Option<String>,
    why: Option<String>,
) -> Result<(), Failed> {
    let body = json!({"version": version, "by": by, "why": why});
    tell_applied(request(state, "POST", "/rollback", Some(&body))?)
}

fn tell_applied((status, answer): (u16, Value)) -> Result<(), Failed> {
    if status != 200 {
        return Err(Failed::because(format!("nothing applied\n{}", fault(&answer))));
    }
    let list = |key: &str| answer[key].as_array().into_iter().flatten();
    let mut text = format!("configuration version {} applied", answer["config_version"]);
    let files: Vec<String> = list("changes")
        .map(|change| {
            let (file, became) = (change["file"].as_str(), change["became"].as_str());
            format!("  {:<8} {}\n", became.unwrap_or_default(), file.unwrap_or_default())
        })
        .collect();
    text += if files.is_empty() { "; no file has changed\n" } else { "\n" };
    text.extend(files);
    match answer["calls_before"].as_u64() {
        Some(1) => text += "1 call goes on with a version before it\n",
        Some(calls) if calls > 0 => text += &format!("{calls} calls go on with a version before it\n"),
        _ => {}
    }
    let waits: Vec<_> = list("needs_restart").filter_map(Value::as_str).collect();
    if !waits.is_empty() {
        text += &format!("changed too, but waits for a restart: {}\n", waits.join(", "));
    }
    if let Some(error) = answer["not_kept"].as_str() {
        text += &format!("it could not be kept, and nothing leads back to it: {error}\n");
    }
    print(&text)
}

/// Lists the versions that a state directory has.
pub(super) fn versions(state: &Path, json: bool) -> Result<(), Failed> {
    let all = known(state)?.all().map_err(Failed::because)?;
    if json {
        let text =
            serde_json::to_string_pretty(&all).expect("versions are plain data: they have a JSON form");
        return print(&format!("{text}\n"));
    }
    let nothing = Manifest::new();
    let mut before = &nothing;
    let mut text = String::new();
    let live = all.iter().rfind(|version| version.applied).map(|version| version.number);
    for version in &all {
        text += &line(version, live == Some(version.number), &versions::changes(before, &version.files));
        before = &version.files;
    }
    print(&text)
}

fn line(version: &Version, is_live: bool, changes: &[Change]) -> String {
    let Version { number, at, by, why, applied, .. } = version;
    let mark = match (is_live, applied) {
        (true, _) => "*",
        (_, false) => "-",
        _ => " ",
    };
    let why = why.as_ref().map_or(String::new(), |why| format!("  {}", printable(why)));
    let files = match changes {
        [] => "the same files".to_owned(),
        [one] => one.file.clone(),
        [first, rest @ ..] => format!("{} and {} more", first.file, rest.len()),
    };
    format!("{mark}{number:>4}  {at}  {:<12} {files}{why}\n", printable(by))
}

/// Shows what differs between a version and the files as they are.
pub(super) fn diff(state: &Path, number: Option<u64>, json: bool) -> Result<(), Failed> {
    let versions = known(state)?;
    let version = match number {
        Some(number) => versions.find(number),
        None => versions.live().and_then(|live| live.ok_or(VersionError::First)),
    }
    .map_err(Failed::because)?;
    let present = versions.present().map_err(Failed::because)?;
    let mut shown = Vec::new();
    for change in versions::changes(&version.files, &present) {
        let before = match version.files.get(&change.file) {
            Some(hash) => versions.content(hash).map_err(Failed::because)?,
            None => Vec::new(),
        };
        let after = if change.became == Became::Removed { Vec::new() } else { versions.now(&change.file) };
        shown.push((unified(&change.file, version.number, [&before, &after]), change));
    }
    if json {
        let change = |(diff, Change { file, became }): &(String, Change)| json!({"file": file, "became": became, "diff": diff});
        let changes: Vec<Value> = shown.iter().map(change).collect();
        print(&format!("{:#}\n", json!({"version": version.number, "changes": changes})))?;
    } else if shown.is_empty() {
        return print(&format!("the files are those of version {}\n", version.number));
    } else {
        print(&shown.iter().map(|(diff, _)| diff.as_str()).collect::<String>())?;
    }
    if shown.is_empty() { Ok(()) } else { Err(Failed) }
}

/// A unified diff; one line for what is no text.
fn unified(file: &str, number: u64, [before, after]: [&[u8]; 2]) -> String {
    let (Ok(before), Ok(after)) = (std::str::from_utf8(before), std::str::from_utf8(after)) else {
        return format!("{file}: {} bytes were {} in version {number}\n", after.len(), before.len());
    };
    let mut text = String::new();
    let diff = TextDiff::from_lines(before, after);
    let mut unified = diff.unified_diff();
    unified.context_radius(AROUND).header(&format!("{file} (version {number})"), file);
    // Writing to a text cannot fail.
    let _ = write!(text, "{unified}");
    text
}

fn known(state: &Path) -> Result<Versions, Failed> {
    let found = Versions::of_state(state).map_err(Failed::because)?;
    let nothing =
        || format!("no node has kept a version in {}: name its state directory by --state", state.display());
    found.ok_or_else(|| Failed::because(nothing()))
}

/// Without what could steer a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
