use crate::{Config, Diagnostic, Input, Report, SourceFile};

/// The client folders that a node file names, relative to that file: what the shell reads next.
///
/// # Errors
/// The node file's own faults, when it is too broken to tell.
pub fn node_clients(node: &SourceFile) -> Result<Vec<String>, Report> {
    let _ = node;
    Ok(Vec::new())
}

/// Parses and cross-checks everything.
///
/// # Errors
/// All faults of all files at once; nothing of a configuration with a fault may be applied.
pub fn load(input: &Input) -> Result<Config, Report> {
    Err(Report {
        diagnostics: vec![Diagnostic {
            path: input.node.path.clone(),
            line: 0,
            column: 0,
            length: 0,
            message: "loading lands in the next commit".into(),
            hint: None,
            source_line: String::new(),
        }],
    })
}
