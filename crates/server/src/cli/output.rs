use super::Failed;
use std::io::{ErrorKind, Write};

/// Writes to standard output. A reader that has gone (`| head`) ends the program quietly.
pub(super) fn print(text: &str) -> Result<(), Failed> {
    let mut output = std::io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(Failed::because(format!("standard output: {error}"))),
        Ok(()) => Ok(()),
    }
}
