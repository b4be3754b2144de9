//! `invoice`: what a client's month comes to, beside a running node or without one.

use super::Failed;
use super::history::{print_json, read};
use super::output::print;
use super::report::as_of;
use crate::invoice::{Bill, csv, json, table};
use crate::load;
use clap::Args;
use std::fs;
use std::path::{Path, PathBuf};
use store::Store;

/// What is asked.
#[derive(Args)]
pub(super) struct Arguments {
    /// The client's folder
    #[arg(value_name = "CLIENT")]
    client: String,
    /// The month by the client's clock; the one that is now without it
    #[arg(long, value_name = "YYYY-MM")]
    month: Option<String>,
    /// The node file or client folder that says what was agreed
    #[arg(long, value_name = "PATH", default_value = "ringdown.yaml")]
    config: PathBuf,
    /// With all that stands behind each line
    #[arg(long)]
    contacts: bool,
    /// As the client sees it: without what anything costs. The PDF always is
    #[arg(long)]
    for_client: bool,
    /// A JSON object
    #[arg(long)]
    json: bool,
    /// Comma-separated values
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// A4 sheets, into this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "csv"])]
    pdf: Option<PathBuf>,
}

pub(super) fn invoice(state: &Path, arguments: &Arguments) -> Result<(), Failed> {
    let Arguments { client, month, config, contacts, for_client, .. } = arguments;
    let plan = load::load_path(config).map_err(Failed::because)?;
    let now = read(as_of(state))?;
    let bill = Bill::of(&plan, client, month.as_deref(), now).map_err(Failed::because)?;
    let mut draft = read(async { bill.draft(&Store::open_read(state).await?).await })?;
    if !contacts {
        draft = draft.without_items();
    }
    if *for_client {
        draft = draft.for_client();
    }
    let heading = bill.heading();
    match &arguments.pdf {
        Some(file) => fs::write(file, billing::pdf(&draft, &heading))
            .map_err(|error| Failed::because(format!("{}: {error}", file.display()))),
        None if arguments.json => print_json(&json(&draft, &heading)),
        None if arguments.csv => print(&csv(&draft, heading.zone)),
        None => print(&table(&draft, &heading)),
    }
}
