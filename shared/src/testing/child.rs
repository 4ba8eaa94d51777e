//! Children of tests, and what they write, with time-outs: a test that waits for ever says nothing.

use std::io::{Error, ErrorKind, Read};
use std::os::fd::AsFd;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};

use super::{PACE, TIMEOUT};

/// The time-out of a child; far longer than any takes.
const CHILD_TIMEOUT: Duration = Duration::from_secs(300);

/// A pipe or a socket. A read from it fails if nothing arrives within [`TIMEOUT`].
pub struct Timed<R>(pub R);

impl<R: Read + AsFd> Read for Timed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let timeout = TIMEOUT.try_into().map_err(Error::other)?;
        if poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&timeout))? == 0 {
            let why = format!("nothing arrived within {} s", TIMEOUT.as_secs());
            return Err(Error::new(ErrorKind::TimedOut, why));
        }
        self.0.read(buffer)
    }
}

/// Runs a command to its end and returns its output. Kills it and panics if it takes too long.
#[track_caller]
#[allow(clippy::panic)]
pub fn output(command: &mut Command) -> Output {
    let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = spawned.unwrap_or_else(|error| panic!("{}: {error}", line(command)));
    finish(child, &line(command)).unwrap_or_else(|why| panic!("{why}"))
}

/// Returns the command line of a command, for messages.
pub fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Reads what a child writes, and waits for its end. Kills it if it takes too long; the error has its command line and
/// what it wrote until then.
pub fn finish(child: Child, line: &str) -> Result<Output, String> {
    finish_within(child, line, CHILD_TIMEOUT)
}

fn finish_within(mut child: Child, line: &str, timeout: Duration) -> Result<Output, String> {
    let deadline = Instant::now() + timeout;
    // As `Child::wait_with_output` does: it may read its stdin to the end.
    drop(child.stdin.take());
    let (open, both_ended) = channel();
    let (stdout, stderr) = (Text::default(), Text::default());
    stdout.read(child.stdout.take(), open.clone());
    stderr.read(child.stderr.take(), open);
    let ended = both_ended.recv_timeout(timeout) == Err(RecvTimeoutError::Disconnected);
    if let Some(status) = ended.then(|| end(&mut child, deadline)).flatten() {
        return Ok(Output { status, stdout: stdout.take(), stderr: stderr.take() });
    }
    // Its descendants may still have its pipes: nothing more is read.
    let _ = child.kill();
    let _ = child.wait();
    let [stdout, stderr] = [stdout, stderr].map(|it| String::from_utf8_lossy(&it.take()).into_owned());
    Err(format!("`{line}` took longer than {} s\nstdout:\n{stdout}\nstderr:\n{stderr}", timeout.as_secs()))
}

/// Waits for the end of a child, until the deadline.
fn end(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(None) if Instant::now() < deadline => std::thread::sleep(PACE),
            ended => return ended.ok().flatten(),
        }
    }
}

/// What arrived from a pipe so far.
#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl Text {
    /// Reads a pipe to its end in a thread, which keeps `open` until then.
    fn read(&self, pipe: Option<impl Read + Send + 'static>, open: Sender<()>) {
        let (Some(mut pipe), text) = (pipe, self.clone()) else { return };
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(length @ 1..) = pipe.read(&mut buffer) {
                text.lock().extend(buffer.iter().take(length));
            }
            drop(open);
        });
    }

    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_read_to_its_end() {
        let said = output(Command::new("sh").args(["-c", "echo out; echo err >&2; exec >&- 2>&-; exit 3"]));
        assert_eq!((&said.stdout[..], &said.stderr[..]), (&b"out\n"[..], &b"err\n"[..]));
        assert_eq!(said.status.code(), Some(3));
    }

    #[test]
    fn a_child_that_takes_too_long_is_killed_although_a_descendant_keeps_its_pipes() {
        let mut command = Command::new("sh");
        let child = command.args(["-c", "sleep 60 & wait"]).stdout(Stdio::piped()).spawn().unwrap();
        let why = finish_within(child, "sh -c wait", Duration::from_millis(100)).unwrap_err();
        assert!(why.starts_with("`sh -c wait` took longer than 0 s\nstdout:\n"), "{why}");
    }
}
