//! `fanlight plugin-guard`: holds the processes of one plugin, so that they end with the daemon, whatever they are doing.
//!
//! It is started by the daemon, and starts the plugin's program with the descriptors of the protocol. Its stdin is a
//! socket: when the daemon's end is closed, it ends the program with everything that the program started. When the program
//! ends by itself, it ends the rest, and says on the socket how the program ended.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fanlight_shared::id::AttemptId;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Signal, WaitOptions};
use serde::{Deserialize, Serialize};

use super::channel::{Channel, DESCRIPTORS};
use crate::supervisor::{
    Member, TOKEN, Tree, before_exec, close_inherited, default_signals, explain, reap, renumber,
};

/// How often a signal is sent to processes that are still there.
const KILL_INTERVAL: Duration = Duration::from_millis(5);

/// How the program ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ended {
    /// By itself, with this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// It was not started, for this reason.
    Unstarted(String),
}

/// Runs `fanlight plugin-guard own|standard PROGRAM ARGUMENT…`. Returns the exit code.
#[must_use]
pub fn guard(arguments: &[OsString]) -> i32 {
    match hold(arguments) {
        Ok(()) => 0,
        Err(error) => {
            let _ = writeln!(io::stderr(), "fanlight plugin-guard: {error}");
            2
        }
    }
}

fn hold(arguments: &[OsString]) -> io::Result<()> {
    let [channel, program, arguments @ ..] = arguments else {
        return Err(io::Error::other("this is started by the daemon"));
    };
    let channel = Channel::of(channel).ok_or_else(|| io::Error::other("this is started by the daemon"))?;
    if rustix::net::getsockname(io::stdin()).is_err() {
        return Err(io::Error::other("this is started by the daemon; its stdin must be a socket"));
    }
    default_signals();
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let id = AttemptId::new();
    let mut command = Command::new(program);
    command.args(arguments).env(TOKEN, id.to_string()).stdin(Stdio::null());
    if channel == Channel::Standard {
        let [requests, responses] = DESCRIPTORS.map(|number| format!("/dev/fd/{number}"));
        command.stdin(File::open(requests)?).stdout(OpenOptions::new().write(true).open(responses)?);
    }
    before_exec(&mut command, in_child);
    let child = command.spawn();
    // The program alone holds the descriptors of the protocol and the pipes of its output.
    close_inherited();
    let nothing = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    [1, 2].into_iter().try_for_each(|number| renumber(nothing.as_fd(), number))?;
    let mut socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let ended = match child {
        Ok(child) => until_end(&socket, Member { id, main: child.id() }),
        Err(error) => {
            let path = std::env::var_os("PATH");
            let cwd = std::env::current_dir()?;
            Ended::Unstarted(explain(program, &cwd, path.as_deref(), &error))
        }
    };
    // The daemon may be gone.
    let _ = socket.write_all(&serde_json::to_vec(&ended)?);
    Ok(())
}

/// Runs in the child, between fork and exec: system calls only.
fn in_child() -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    rustix::process::setsid()?;
    // The guard has one thread when it starts the program, so its end is that of the guard.
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    let maximum = getrlimit(Resource::Core).maximum;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum })?;
    Ok(())
}

/// Waits for the end of the program, and ends what is left of its processes.
fn until_end(socket: &UnixStream, main: Member) -> Ended {
    let over = AtomicBool::new(false);
    let ended = std::thread::scope(|scope| {
        scope.spawn(|| {
            wait_for_daemon(socket);
            while !over.load(Ordering::Acquire) {
                Tree::Session.signal(main, &[main], Signal::KILL);
                std::thread::sleep(KILL_INTERVAL);
            }
        });
        let ended = reap_main(main.main);
        over.store(true, Ordering::Release);
        // This ends the wait for the daemon.
        let _ = socket.shutdown(std::net::Shutdown::Read);
        ended
    });
    while !Tree::Session.is_empty(main, &[main]) {
        Tree::Session.signal(main, &[main], Signal::KILL);
        std::thread::sleep(KILL_INTERVAL);
        while reap().is_some() {}
    }
    ended
}

/// Returns when the daemon has closed its end of the socket, or is gone.
fn wait_for_daemon(socket: &UnixStream) {
    let mut fds = [PollFd::new(socket, PollFlags::IN)];
    while poll(&mut fds, None) == Err(rustix::io::Errno::INTR) {}
}

/// Reaps children until the main process is among them.
fn reap_main(main: u32) -> Ended {
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid.as_raw_pid().cast_unsigned() == main => {
                let code = status.exit_status().map(Ended::Code);
                return code.or(status.terminating_signal().map(Ended::Signal)).unwrap_or(Ended::Code(-1));
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Ended::Unstarted(format!("its end can't be seen: {error}")),
        }
    }
}
