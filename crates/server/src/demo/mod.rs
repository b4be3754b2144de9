//! `ringdown demo`: a node with the sample client on loopback, two agents on their phones, and one call
//! from a trunk that reaches one of them, all over real sockets.

mod evidence;
mod report;
mod sample;
mod script;

use crate::phone::Phone;
use crate::serve::{self, ServeError, Server};
use report::Progress;
use sample::Sample;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// How the demo is to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Leave the node up afterwards, until Ctrl-C.
    pub keep: bool,
    /// Where its files go; a new directory under the temporary one if `None`.
    pub state: Option<PathBuf>,
}

/// Why the demo failed.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Something that should have happened did not.
    #[error("the demo failed: {0}")]
    Missing(String),
    /// The node did not start, or did not end well.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The demo's own files cannot be written.
    #[error("the demo cannot write its files below {}: {error}\n  name another directory by --state DIR", home.display())]
    Files {
        /// Where they were to go.
        home: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// The demo's phones or sockets failed.
    #[error("the demo cannot {what}: {error}")]
    System {
        /// What was attempted.
        what: &'static str,
        /// What the operating system says.
        error: io::Error,
    },
    /// The event log cannot be read.
    #[error(transparent)]
    Store(#[from] store::StoreError),
}

impl DemoError {
    fn system(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::System { what, error }
    }
}

/// Runs the demo and tells of it on standard output as it happens.
///
/// # Errors
/// What did not happen; the ladder has been printed as far as it goes.
pub fn run(options: Options) -> Result<(), DemoError> {
    let progress = Progress::start();
    let sample = Sample::prepare(options.state)?;
    let server =
        Server::start(serve::Options { config: sample.node_file.clone(), state: sample.state.clone() })?;
    progress.tell(&format!("the switch serves SIP on {} (files in {})", sample.sip, sample.home.display()));
    let before = report::last_call(&sample)?;
    let agents = agents(&sample)?;
    let called = script::play(&sample, &agents, &progress);
    let shown = report::show(&sample, before, called.is_ok());
    script::unregister(&agents);
    drop(agents);
    if options.keep && called.is_ok() {
        server.run_until_signal(|| report::tell_how_to_go_on(&sample))?;
    } else {
        server.shut_down()?;
    }
    called.and(shown)
}

fn agents(sample: &Sample) -> Result<[Phone; 2], DemoError> {
    Ok([sample.agent(0)?, sample.agent(1)?])
}

/// When to give up on what should happen within a moment.
const MOMENT: Duration = Duration::from_secs(5);
