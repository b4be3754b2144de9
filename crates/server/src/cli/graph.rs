//! `graph`: a flow as a picture.

use super::Failed;
use super::output::print;
use crate::load;
use clap::Args;
use dialplan::Graph;
use std::path::PathBuf;

#[derive(Args)]
pub(super) struct Arguments {
    /// A client's folder, or a node file
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// The flow, `main`, or `acme/main` where several clients have one of that name
    #[arg(value_name = "FLOW")]
    flow: String,
    /// An SVG picture; so it is without --mermaid
    #[arg(long, conflicts_with = "mermaid")]
    svg: bool,
    /// A Mermaid flowchart
    #[arg(long)]
    mermaid: bool,
    /// Writes it there instead of to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn graph(arguments: &Arguments) -> Result<(), Failed> {
    let config = load::load_path(&arguments.path).map_err(|error| {
        eprintln!("{error}");
        Failed
    })?;
    let graph = Graph::of(&config, &arguments.flow).map_err(Failed::because)?;
    let text = if arguments.mermaid { graph.mermaid() } else { graph.svg() };
    match &arguments.out {
        Some(file) => std::fs::write(file, text)
            .map_err(|error| Failed::because(format!("{}: {error}", file.display()))),
        None => print(&text),
    }
}
