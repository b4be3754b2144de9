use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::until_some;
use crate::wait::within;

/// A process that ends when this is dropped. Its output goes to files.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Running {
    /// Starts `command` with its output in `folder/NAME.out` and `folder/NAME.err`.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(name: &str, folder: &Path, command: &mut Command) -> Self {
        Self::start_with(Stdio::null(), name, folder, command)
    }

    /// The same, for a program that is told what to do by [`Self::say`].
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_told(name: &str, folder: &Path, command: &mut Command) -> Self {
        Self::start_with(Stdio::piped(), name, folder, command)
    }

    fn start_with(stdin: Stdio, name: &str, folder: &Path, command: &mut Command) -> Self {
        let stdout = folder.join(format!("{name}.out"));
        let stderr = folder.join(format!("{name}.err"));
        let open =
            |path: &Path| File::create(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let child = command
            .stdin(stdin)
            .stdout(open(&stdout))
            .stderr(open(&stderr))
            .spawn()
            .unwrap_or_else(|error| panic!("{name} did not start: {error}"));
        Self { name: name.to_owned(), child, stdout, stderr }
    }

    /// Writes a line to its standard input.
    ///
    /// # Panics
    /// When it does not listen.
    pub fn say(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().expect("it was started to be told");
        writeln!(stdin, "{line}").unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }

    /// What it has written to standard output so far.
    pub fn stdout(&self) -> String {
        text(&self.stdout)
    }

    /// What it has written to standard error so far.
    pub fn stderr(&self) -> String {
        text(&self.stderr)
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it still runs after `limit`.
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        let what = format!("the end of {}", self.name);
        until_some(limit, &what, || self.ended())
    }

    /// Whether it ends before `limit` is over.
    pub fn ends_within(&mut self, limit: Duration) -> bool {
        within(limit, || self.ended()).is_some()
    }

    /// Ends it and its children at once (SIGKILL): it was started as the first of a process group.
    ///
    /// # Panics
    /// When there is no such group.
    pub fn kill_group(&self) {
        let pid = Pid::from_child(&self.child);
        kill_process_group(pid, Signal::KILL).unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }

    /// Asks it to end in good order (SIGTERM).
    pub fn terminate(&self) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command of a tool that `tests/run` installs.
///
/// # Panics
/// When it is not installed.
pub fn tool(name: &str, package: &str) -> Command {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()));
    assert!(found, "{name} is not installed: run tests/run once, or `apt-get install {package}`");
    Command::new(name)
}

fn text(path: &Path) -> String {
    std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}
