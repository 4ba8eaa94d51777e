//! The system calls that neither std nor rustix offers safely; nothing else here is unsafe.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use super::record::How;

/// A child that ended and was reaped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reaped {
    pub(crate) pid: u32,
    pub(crate) how: How,
    /// In bytes.
    pub(crate) max_rss: u64,
    /// User and system time.
    pub(crate) cpu: Duration,
}

/// Reaps a child that ended, if there is one. Never waits.
pub(crate) fn reap() -> Option<Reaped> {
    let mut status = 0;
    // SAFETY: `rusage` is plain numbers, for which zero bytes are valid.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are valid for writes for the length of the call.
    let pid = unsafe { libc::wait4(-1, &raw mut status, libc::WNOHANG, &raw mut usage) };
    let pid = u32::try_from(pid).ok().filter(|pid| *pid > 0)?;
    let status = ExitStatus::from_raw(status);
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => How::Code(code),
        (None, signal) => How::Signal(signal.unwrap_or_default()),
    };
    let time = |it: libc::timeval| {
        let seconds = u64::try_from(it.tv_sec).unwrap_or_default();
        Duration::from_secs(seconds) + Duration::from_micros(u64::try_from(it.tv_usec).unwrap_or_default())
    };
    // Linux counts kilobytes, macOS bytes.
    let unit = if cfg!(target_os = "linux") { 1024 } else { 1 };
    let max_rss = u64::try_from(usage.ru_maxrss).unwrap_or_default() * unit;
    Some(Reaped { pid, how, max_rss, cpu: time(usage.ru_utime) + time(usage.ru_stime) })
}

/// Lets `before` run in the child between fork and exec.
pub(crate) fn before_exec<F>(command: &mut Command, before: F)
where
    F: FnMut() -> io::Result<()> + Send + Sync + 'static,
{
    // SAFETY: the caller's closure only makes system calls, so that it does not matter which locks another thread holds at
    // the fork.
    unsafe { command.pre_exec(before) };
}

/// Gives a descriptor this number. For a child between fork and exec, in which nothing else uses the number.
pub(crate) fn renumber(descriptor: BorrowedFd<'_>, number: i32) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    // SAFETY: a system call on numbers; the caller knows that nobody owns `number`.
    match unsafe { libc::dup2(descriptor.as_raw_fd(), number) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Resets every signal to its default: signals that the parent of Fanlight ignored would be ignored by commands too. An
/// ignored SIGPIPE is std's own, which takes it back in each child.
pub(crate) fn default_signals() {
    for signal in (1..=31).filter(|it| *it != libc::SIGPIPE) {
        // SAFETY: a system call, made before this process has any handler. KILL and STOP are refused, which is fine.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// Starts `command` inside a cgroup, so that it is never outside of it. (Moving a process into a cgroup waits for a grace
/// period of the kernel, some 20 ms; being born in it costs nothing.)
///
/// Returns the process id once the program runs, or why it can't.
#[cfg(target_os = "linux")]
pub(crate) fn spawn_in_cgroup(command: &mut Command, cgroup: BorrowedFd<'_>) -> io::Result<u32> {
    use std::io::{Read, Write};
    use std::os::fd::AsRawFd;

    let (errors, report) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    let child = clone_into(cgroup.as_raw_fd())?;
    let Some(pid) = child else {
        let error = command.exec();
        let code = error.raw_os_error().unwrap_or(libc::EINVAL);
        let _ = std::fs::File::from(report).write_all(&code.to_le_bytes());
        // SAFETY: ends the child without running anything that belongs to the parent.
        unsafe { libc::_exit(127) };
    };
    drop(report);
    let mut code = [0; 4];
    // The pipe ends without data when the exec closes it.
    match std::fs::File::from(errors).read_exact(&mut code) {
        Ok(()) => Err(io::Error::from_raw_os_error(i32::from_le_bytes(code))),
        Err(_) => Ok(pid),
    }
}

/// Forks into a cgroup; `None` in the child.
#[cfg(target_os = "linux")]
fn clone_into(cgroup: i32) -> io::Result<Option<u32>> {
    const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
    // SAFETY: `clone_args` is plain numbers, for which zero bytes are valid.
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.flags = CLONE_INTO_CGROUP;
    arguments.exit_signal = u64::try_from(libc::SIGCHLD).unwrap_or_default();
    arguments.cgroup = u64::try_from(cgroup).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: without CLONE_VM this is a fork: the child has its own copy of everything. The supervisor has one thread, so no
    // lock is held by a thread that the child lacks.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw mut arguments, size_of::<libc::clone_args>()) };
    match pid {
        0 => Ok(None),
        pid => u32::try_from(pid).map(Some).map_err(|_| io::Error::last_os_error()),
    }
}

/// Closes every descriptor above the three standard ones: those inherited by accident.
pub fn close_inherited() {
    #[cfg(target_os = "linux")]
    // SAFETY: called first in `main`, when this process has opened nothing that it goes on to use.
    unsafe {
        libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0)
    };
}

/// Returns the user at the other end of a socket.
pub(crate) fn peer_uid(socket: BorrowedFd<'_>) -> io::Result<u32> {
    #[cfg(target_os = "linux")]
    return Ok(rustix::net::sockopt::socket_peercred(socket)?.uid.as_raw());
    #[cfg(not(target_os = "linux"))]
    {
        use std::os::fd::AsRawFd;
        let (mut uid, mut gid) = (0, 0);
        // SAFETY: both pointers are valid for writes for the length of the call.
        match unsafe { libc::getpeereid(socket.as_raw_fd(), &raw mut uid, &raw mut gid) } {
            0 => Ok(uid),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

/// Returns a pipe that is closed by an exec; only its reading end doesn't wait.
pub(crate) fn output_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    #[cfg(target_os = "linux")]
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    #[cfg(not(target_os = "linux"))]
    let (read, write) = {
        let (read, write) = rustix::pipe::pipe()?;
        for end in [&read, &write] {
            rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC)?;
        }
        (read, write)
    };
    rustix::io::ioctl_fionbio(&read, true)?;
    Ok((read, write))
}
