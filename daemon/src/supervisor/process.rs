//! Starts one command: its session, limits and pipes, with a clear sentence if it can't be started.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Resource, Rlimit};

use super::spec::{StartSpec, TOKEN};
use super::system;
use super::tree::Tree;

/// The settings of the process before the supervisor changed them; commands get the original ones.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inherited {
    umask: rustix::fs::Mode,
    files: Rlimit,
}

impl Inherited {
    /// Sets the supervisor's own limits: private files, and as many descriptors as allowed.
    pub(crate) fn take() -> Self {
        let umask = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        let files = rustix::process::getrlimit(Resource::Nofile);
        // Each command takes two pipes and two files, so the usual 1,024 are too few for 1,000 commands.
        let most = Rlimit { current: files.maximum, maximum: files.maximum };
        let _ = rustix::process::setrlimit(Resource::Nofile, most);
        Self { umask, files }
    }

    /// Runs in the child, between fork and exec: system calls only.
    fn release(self) -> io::Result<()> {
        rustix::process::setsid()?;
        rustix::process::umask(self.umask);
        rustix::process::setrlimit(Resource::Nofile, self.files)?;
        let maximum = rustix::process::getrlimit(Resource::Core).maximum;
        rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum })?;
        Ok(())
    }
}

/// A running command.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) pid: u32,
    pub(crate) stdout: OwnedFd,
    pub(crate) stderr: OwnedFd,
}

/// Starts a command in its tree. The signal mask is reset by std.
pub(crate) fn start(spec: &StartSpec, tree: &Tree, inherited: Inherited) -> Result<Started, String> {
    if !spec.cwd.is_dir() {
        return Err(format!("the folder `{}` to work in is missing", spec.cwd.display()));
    }
    if spec.program.is_empty() {
        return Err("the program's name is empty".into());
    }
    let unable = |error: io::Error| format!("no process can be started now: {error}");
    let (stdout, stdout_end) = system::output_pipe().map_err(unable)?;
    let (stderr, stderr_end) = system::output_pipe().map_err(unable)?;
    let mut command = Command::new(&spec.program);
    command.args(&spec.arguments).current_dir(&spec.cwd);
    command.env_clear().envs(spec.env.iter().map(|(name, value)| (name, value)));
    command.env(TOKEN, spec.id.to_string());
    command.stdin(Stdio::null()).stdout(stdout_end).stderr(stderr_end);
    system::before_exec(&mut command, move || inherited.release());
    let path = spec.env.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_os_str());
    let pid = tree.spawn(&mut command).map_err(|error| explain(&spec.program, &spec.cwd, path, &error))?;
    Ok(Started { pid, stdout, stderr })
}

/// Returns the sentence for a program that could not be started in the folder `cwd`, with the `PATH` that was searched.
pub(crate) fn explain(program: &OsStr, cwd: &Path, searched: Option<&OsStr>, error: &io::Error) -> String {
    let path = cwd.join(program);
    let has_slash = program.as_encoded_bytes().contains(&b'/');
    let program = program.display();
    match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
        Some(rustix::io::Errno::NOENT) if has_slash && path.exists() => {
            format!("`{program}` can't be started: the interpreter that its first line names is missing")
        }
        Some(rustix::io::Errno::NOENT) if has_slash => format!("there is no program `{program}`"),
        Some(rustix::io::Errno::NOENT) => {
            let path = searched.map(OsStr::to_string_lossy).unwrap_or_default();
            format!("there is no program `{program}` in PATH ({path})")
        }
        Some(rustix::io::Errno::ACCESS) => {
            format!("`{program}` is not executable, or its folder can't be entered")
        }
        Some(rustix::io::Errno::NOEXEC) => {
            format!(
                "`{program}` is not a program for this system (a script begins with a line like `#!/bin/sh`)"
            )
        }
        Some(rustix::io::Errno::TOOBIG) => {
            format!(
                "the arguments and the environment of `{program}` are longer than the system accepts; pass large values as files"
            )
        }
        _ if error.kind() == io::ErrorKind::InvalidInput => {
            format!("the arguments or the environment of `{program}` contain a NUL byte")
        }
        _ => format!("`{program}` can't be started: {error}"),
    }
}
