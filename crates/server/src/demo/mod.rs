//! demo
use std::path::PathBuf;
/// Options
pub struct Options {
    /// keep
    pub keep: bool,
    /// state
    pub state: Option<PathBuf>,
}
/// Runs
pub fn run(_options: Options) -> Result<(), std::io::Error> {
    Err(std::io::ErrorKind::Unsupported.into())
}
