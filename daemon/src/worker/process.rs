//! One worker process, seen from the daemon.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStderr, Command};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::frame::{self, Request, Response};
use super::limits;
use super::listener::Listener;

/// How much of the end of a worker's stderr is kept, in bytes: enough for the reason of an abort.
const MAX_STDERR_BYTES: usize = 4096;
/// The number of requests after which a worker is replaced.
const MAX_REQUESTS: u32 = 500;
/// The resident memory after a request, in bytes, above which a worker is replaced.
const MAX_RESIDENT_BYTES: u64 = 192 << 20;

/// A worker process and the daemon's end of its socket.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    socket: UnixStream,
    stderr: Arc<Mutex<Vec<u8>>>,
    /// Ends when its stderr is closed.
    reader: Option<JoinHandle<()>>,
    requests: u32,
    /// Whether it ends after its last response.
    ends: bool,
    /// Since when it has had nothing to do.
    pub(super) idle_since: Instant,
}

/// Why there is no response.
#[derive(Debug)]
pub(super) enum NoResponse {
    /// It had ended before the request reached it.
    HadEnded,
    /// The request can't be put into a frame.
    Refused(String),
    /// Somebody else ended it; that says nothing about the request.
    Killed(String),
    /// It ended over the request, or said nonsense; the sentence says why.
    Died(String),
}

impl Process {
    /// Starts `helper worker` with an empty environment but `PATH`, in a process group of its own.
    pub(super) fn start(helper: &Path) -> io::Result<Self> {
        let (socket, theirs) = UnixStream::pair()?;
        let theirs = theirs.into_std()?;
        theirs.set_nonblocking(false)?;
        let mut child = Command::new(helper)
            .arg("worker")
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            // What a node computes does not depend on the place of the machine.
            .env("TZ", "UTC")
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stderr = Arc::new(Mutex::new(Vec::new()));
        let pipe = child.stderr.take();
        let reader = pipe.map(|pipe| tokio::spawn(keep_tail(pipe, Arc::clone(&stderr))));
        Ok(Self { child, socket, stderr, reader, requests: 0, ends: false, idle_since: Instant::now() })
    }

    /// Runs one request; the reports of its node go to the listener. After an error, end the process. Not cancel-safe:
    /// a caller that drops this future must end the process too.
    pub(super) async fn ask(
        &mut self,
        request: &Request,
        listener: Option<&Listener<'_>>,
    ) -> Result<Response, NoResponse> {
        let bytes = frame::encode(request).map_err(|error| NoResponse::Refused(error.to_string()))?;
        self.requests += 1;
        if self.socket.write_all(&bytes).await.is_err() {
            return Err(NoResponse::HadEnded);
        }
        match self.response(listener).await {
            Ok(response) => Ok(response),
            Err(error) => Err(self.cause(&error).await),
        }
    }

    async fn response(&mut self, listener: Option<&Listener<'_>>) -> io::Result<Response> {
        loop {
            match (self.frame().await?, listener) {
                (Response::Said { reports, files }, Some(listener)) => listener.receive(reports, files).await,
                (Response::Said { .. }, None) => {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "it says more than it was asked"));
                }
                (Response::Ends, _) => self.ends = true,
                (response, _) => return Ok(response),
            }
        }
    }

    async fn frame(&mut self) -> io::Result<Response> {
        let mut head = [0; 4];
        self.socket.read_exact(&mut head).await?;
        let mut bytes = vec![0; frame::length(head)?];
        self.socket.read_exact(&mut bytes).await?;
        Ok(serde_json::from_slice(&bytes)?)
    }

    /// Returns why it died, as far as that is known.
    async fn cause(&mut self, error: &io::Error) -> NoResponse {
        if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::Other) {
            return NoResponse::Died(format!("the worker gave a response that can't be read: {error}"));
        }
        // Its socket is closed, so it has ended or is about to; one that hangs is ended here.
        let status = match tokio::time::timeout(Duration::from_secs(5), self.child.wait()).await {
            Ok(Ok(status)) => status,
            _ => {
                self.kill();
                return NoResponse::Died("the worker closed its connection over this".into());
            }
        };
        if let Some(reader) = self.reader.take() {
            // Something that the worker started may hold its stderr open.
            let _ = tokio::time::timeout(Duration::from_secs(1), reader).await;
        }
        let stderr = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        reason(status, &String::from_utf8_lossy(&stderr))
    }

    /// Returns whether it should be replaced although it works.
    pub(super) fn should_retire(&self) -> bool {
        self.ends
            || self.requests >= MAX_REQUESTS
            || self.resident().is_some_and(|bytes| bytes > MAX_RESIDENT_BYTES)
    }

    #[cfg(target_os = "linux")]
    fn resident(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kilobytes << 10)
    }

    #[cfg(not(target_os = "linux"))]
    #[allow(clippy::unused_self)]
    fn resident(&self) -> Option<u64> {
        None
    }

    fn kill(&mut self) {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        // `id()` is `None` once it was reaped, so this never hits another's group.
        if let Some(pid) = pid {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let _ = self.child.start_kill();
    }

    /// Kills it with all that it started, and waits until it is gone.
    pub(super) async fn end(mut self) {
        self.kill();
        let _ = self.child.wait().await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn keep_tail(mut pipe: ChildStderr, tail: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = [0; 1024];
    while let Ok(n @ 1..) = pipe.read(&mut buffer).await {
        let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend_from_slice(&buffer[..n]);
        let over = tail.len().saturating_sub(MAX_STDERR_BYTES);
        tail.drain(..over);
    }
}

/// The signals by which a person or the system ends a process; a decoder that crashes gets others.
const EXTERNAL_SIGNALS: [Signal; 5] = [Signal::KILL, Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT];

fn reason(status: ExitStatus, stderr: &str) -> NoResponse {
    let sentence = sentence(status, stderr);
    match status.signal() {
        Some(signal) if EXTERNAL_SIGNALS.iter().any(|it| it.as_raw() == signal) => {
            NoResponse::Killed(sentence)
        }
        _ => NoResponse::Died(sentence),
    }
}

fn sentence(status: ExitStatus, stderr: &str) -> String {
    if stderr.contains("memory allocation of") {
        return format!(
            "this needs more than the {} GiB of memory that a worker may take",
            limits::MEMORY >> 30
        );
    }
    if stderr.contains("overflowed its stack") {
        return "the worker ran out of stack while it read these bytes".into();
    }
    match (status.signal(), status.code()) {
        (Some(9), _) => "the worker was killed from outside, perhaps because memory ran short".into(),
        (Some(signal), _) if EXTERNAL_SIGNALS.iter().any(|it| it.as_raw() == signal) => {
            format!("the worker was ended from outside (signal {signal})")
        }
        (Some(signal), _) => format!("the worker crashed on these bytes (signal {signal})"),
        (None, Some(code)) => {
            let last = stderr.trim().lines().next_back().unwrap_or("no message");
            format!("the worker ended with code {code}: {}", fanlight_shared::value::cut(last, 200))
        }
        (None, None) => "the worker ended".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_cause_is_named() {
        let died = |raw: i32, stderr: &str| sentence(ExitStatus::from_raw(raw), stderr);
        assert!(matches!(reason(ExitStatus::from_raw(15), ""), NoResponse::Killed(_)));
        assert!(matches!(reason(ExitStatus::from_raw(11), ""), NoResponse::Died(_)));
        assert!(died(6, "memory allocation of 9000000000 bytes failed\n").contains("2 GiB"));
        assert!(died(6, "thread 'main' has overflowed its stack").contains("stack"));
        assert!(died(9, "").contains("killed from outside"));
        assert!(died(11, "").contains("signal 11"));
        assert!(died(2 << 8, "one\nlast\n").ends_with("code 2: last"));
    }
}
