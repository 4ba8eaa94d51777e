//! A private Fanlight for a test: a home in a temporary folder, an empty environment, and the real executable.

// Not every test binary uses all of it.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

pub use fanlight_shared::testing::child::output;
use fanlight_shared::testing::child::{Timed, finish, line};
pub use fanlight_shared::testing::wait_for;

/// A home and a work folder. Its daemon is stopped when it is dropped.
pub struct Fanlight {
    folder: tempfile::TempDir,
    kept: bool,
}

/// The output of a finished command.
#[derive(Debug)]
pub struct Said {
    /// Its exit code.
    pub code: i32,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl Said {
    /// Panics unless the exit code is this one.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Returns the lines of standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Vec<serde_json::Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    /// Panics unless stderr has this text.
    #[track_caller]
    pub fn complains(self, text: &str) -> Self {
        assert!(self.err.contains(text), "no `{text}` in stderr:\n{}", self.err);
        self
    }
}

impl Fanlight {
    /// Returns a new home with nothing in it. Its path is short: a socket's path must fit into 100 bytes.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("fl").tempdir_in("/tmp").expect("a temporary folder");
        for name in ["h", "run", "work"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        use std::os::unix::fs::PermissionsExt as _;
        let private = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(folder.path().join("run"), private).expect("a private folder");
        Self { folder, kept: false }
    }

    /// Keeps everything when it is dropped, for inspection. Returns the path.
    pub fn keep(&mut self) -> &Path {
        self.kept = true;
        self.folder.path()
    }

    /// Returns a path in the work folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    /// Writes a file into the work folder.
    pub fn file(&self, name: &str, text: &str) -> &Self {
        std::fs::write(self.path(name), text).expect("a file");
        self
    }

    /// Writes the configuration of its home.
    pub fn config(&self, text: &str) -> &Self {
        let folder = self.folder.path().join("h/config");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("config.toml"), text).expect("a file");
        self
    }

    /// Returns a folder of programs that are found before those of the system.
    pub fn programs(&self) -> PathBuf {
        let folder = self.folder.path().join("bin");
        std::fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    fn search_path(&self) -> OsString {
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
        let own = self.folder.path().join("bin");
        if !own.exists() {
            return path;
        }
        std::env::join_paths(std::iter::once(own).chain(std::env::split_paths(&path))).expect("a PATH")
    }

    /// Returns the whole environment of commands with this home.
    pub fn environment(&self) -> [(&'static str, OsString); 5] {
        [
            ("PATH", self.search_path()),
            ("HOME", self.folder.path().into()),
            ("FANLIGHT_HOME", self.folder.path().join("h").into()),
            ("XDG_RUNTIME_DIR", self.folder.path().join("run").into()),
            ("LC_ALL", "C.UTF-8".into()),
        ]
    }

    /// Returns the executable with only the environment of this home.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_fanlight"));
        command.args(arguments);
        command
    }

    /// Returns a program with only the environment of this home.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command.env_clear().envs(self.environment()).current_dir(self.path("")).stdin(Stdio::null());
        command
    }

    /// Kills the daemon as a crash does, and waits until it is gone.
    pub fn kill_daemon(&self) {
        let status = self.say(&["daemon", "status", "--json"]).exits(0).json();
        let pid = status[0]["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).expect("a pid");
        let pid = rustix::process::Pid::from_raw(pid).expect("a pid");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it can be killed");
        // A killed process may be a zombie, but its lock is released.
        wait_for("the end of the daemon", || self.say(&["daemon", "status"]).code == 3);
    }

    /// Runs a command line to its end.
    pub fn say(&self, arguments: &[&str]) -> Said {
        collect(output(&mut self.command(arguments)))
    }

    /// Starts a command line and leaves it running.
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::of(self.command(arguments))
    }

    /// Returns the runs that `ps --all --json` lists, newest first.
    pub fn runs(&self) -> Vec<serde_json::Value> {
        self.say(&["ps", "--all", "--json"]).exits(0).json()
    }

    /// Waits until the newest runs are in these states (newest first).
    #[track_caller]
    pub fn await_states(&self, wanted: &[&str]) {
        wait_for(&format!("runs in the states {wanted:?}"), || {
            let runs = self.runs();
            runs.len() >= wanted.len() && runs.iter().zip(wanted).all(|(run, state)| run["state"] == *state)
        });
    }
}

impl Drop for Fanlight {
    fn drop(&mut self) {
        if self.kept {
            return self.folder.disable_cleanup(true);
        }
        stop(self.command(&["daemon", "stop", "--cancel"]));
    }
}

/// Stops a daemon at the end of a test, which may have failed.
pub fn stop(mut command: Command) {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    if let Some(why) = child.ok().and_then(|child| finish(child, &line(&command)).err()) {
        assert!(std::thread::panicking(), "{why}");
        eprintln!("{why}");
    }
}

/// A running command, killed when dropped.
pub struct Running {
    child: Option<Child>,
    line: String,
}

impl Running {
    /// Starts a command.
    pub fn of(mut command: Command) -> Self {
        let child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the executable starts");
        Self { child: Some(child), line: line(&command) }
    }

    /// Returns its process.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// Sends what Ctrl-C sends.
    pub fn interrupt(&self) {
        self.signal(rustix::process::Signal::INT);
    }

    /// Sends a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let child = self.child.as_ref().expect("it runs");
        let pid = rustix::process::Pid::from_child(child);
        rustix::process::kill_process(pid, signal).expect("it can be signalled");
    }

    /// Waits until it has written a line to standard output.
    pub fn writes_a_line(&mut self) {
        until_line(self.child.as_mut().and_then(|it| it.stdout.as_mut()).expect("it runs"));
    }

    /// Waits until it has written a line to standard error.
    pub fn complains_once(&mut self) {
        until_line(self.child.as_mut().and_then(|it| it.stderr.as_mut()).expect("it runs"));
    }

    /// Returns the lines of its standard output, as they arrive.
    pub fn lines(&mut self) -> impl Iterator<Item = String> + use<> {
        lines(self.child.as_mut().and_then(|it| it.stdout.take()).expect("it runs"))
    }

    /// Returns the lines of its standard error, as they arrive.
    pub fn complaints(&mut self) -> impl Iterator<Item = String> + use<> {
        lines(self.child.as_mut().and_then(|it| it.stderr.take()).expect("it runs"))
    }

    /// Waits for its end. What was read before, or is read by [`Self::lines`], is not in it.
    pub fn ends(mut self) -> Said {
        let ended = finish(self.child.take().expect("it runs"), &self.line);
        collect(ended.unwrap_or_else(|why| panic!("{why}")))
    }
}

fn lines<R: Read + AsFd>(pipe: R) -> impl Iterator<Item = String> + use<R> {
    BufReader::new(Timed(pipe)).lines().map(|line| line.expect("it writes or ends"))
}

/// Reads a line and nothing beyond it.
fn until_line(pipe: &mut (impl Read + AsFd)) {
    let mut byte = [0];
    while byte != *b"\n" {
        Timed(&mut *pipe).read_exact(&mut byte).expect("it writes a line");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn collect(output: std::process::Output) -> Said {
    Said {
        code: code(output.status),
        out: String::from_utf8(output.stdout).expect("stdout is text"),
        err: String::from_utf8(output.stderr).expect("stderr is text"),
    }
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or(-1)
}

/// Returns the size of a PNG, from its header; panics for other files.
#[track_caller]
pub fn png_size(path: &Path) -> (u32, u32) {
    image::image_dimensions(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
