//! `check`.

use super::Failed;
use super::output::print;
use crate::load::{self, LoadError};
use crate::tls::PemError;
use dialplan::{Config, Diagnostic};
use jiff::Timestamp;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Checks each path by itself and reports the faults of all.
pub(super) fn check(paths: &[PathBuf], json: bool) -> Result<(), Failed> {
    let checked: Vec<_> = paths.iter().map(|path| (path, check_one(path))).collect();
    let ok = checked.iter().all(|(_, result)| result.is_ok());
    if json {
        let faults = checked.iter().filter_map(|(_, result)| result.as_ref().err());
        let diagnostics: Vec<_> = faults.flat_map(diagnostics).collect();
        print(&format!("{:#}\n", json!({"ok": ok, "diagnostics": diagnostics})))?;
    } else {
        for (path, result) in &checked {
            match result {
                Ok(plan) => print(&format!("{}: ok ({})\n", path.display(), summary(plan)))?,
                Err(error) => eprintln!("{error}"),
            }
        }
    }
    if ok { Ok(()) } else { Err(Failed) }
}

fn check_one(path: &Path) -> Result<Config, LoadError> {
    let plan = load::load_path(path)?;
    load::tests(path, &plan)?;
    if path.is_dir() {
        return Ok(plan);
    }
    if let Some(warning) =
        load::identity(path, &plan)?.and_then(|identity| identity.warning(Timestamp::now()))
    {
        tracing::warn!("{warning}");
    }
    load::files(path, &plan)?;
    Ok(plan)
}

fn diagnostics(error: &LoadError) -> Vec<Diagnostic> {
    match error {
        LoadError::Faults(report) => report.diagnostics.clone(),
        LoadError::Unreadable { path, error, hint } => {
            vec![of_file(path, format!("cannot be read: {error}"), hint)]
        }
        LoadError::Pem(PemError { path, reason, hint }) => vec![of_file(path, reason.clone(), hint)],
        LoadError::Secret { folder, name, reason } => {
            vec![of_file(Path::new(folder), format!("the secret `{name}`: {reason}"), load::SECRETS)]
        }
    }
}

/// A fault of a file as a whole.
fn of_file(path: &Path, message: String, hint: &str) -> Diagnostic {
    Diagnostic {
        path: path.display().to_string(),
        line: 0,
        column: 0,
        length: 0,
        message,
        hint: Some(hint.to_owned()),
        source_line: String::new(),
    }
}

fn summary(plan: &Config) -> String {
    let names: Vec<_> = plan.clients.iter().map(|client| &*client.id).collect();
    match names.as_slice() {
        [] => "no client".to_owned(),
        [one] => format!("client {one}"),
        many => format!("{} clients: {}", many.len(), many.join(", ")),
    }
}
