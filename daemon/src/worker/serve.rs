//! Inside a worker process.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use rustix::process::{Signal, getpgrp, getpid, kill_current_process_group, kill_process};
use tokio_util::sync::CancellationToken;

use crate::file_error::FileError;
use crate::node_type::{MadeFiles, NodeTypeSet, NodeTypes, Runner, Workspace};
use crate::services::{NodeServices, SCRATCH};

use super::frame::{self, Request, Response};
use super::reports::Reports;
use super::{check, limits, preview};

/// Runs `fanlight worker`: serves the requests from the socket that is its stdin until that closes.
/// Returns the exit code.
#[must_use]
pub fn main() -> i32 {
    main_with(&NodeTypes::built_in().now())
}

/// Serves requests with these node types.
pub(super) fn main_with(types: &NodeTypeSet) -> i32 {
    match run(types) {
        Ok(()) => 0,
        Err(error) => {
            let _ = writeln!(io::stderr(), "fanlight worker: {error}");
            2
        }
    }
}

fn run(types: &NodeTypeSet) -> io::Result<()> {
    let stdin = io::stdin().as_fd().try_clone_to_owned()?;
    if rustix::net::getsockname(&stdin).is_err() {
        return Err(io::Error::other("this is started by the daemon; its stdin must be a socket"));
    }
    limits::enter()?;
    let watched = stdin.try_clone()?;
    std::thread::Builder::new().name("watch".into()).spawn(move || end_with_daemon(&watched))?;
    let socket = UnixStream::from(stdin);
    let writer = socket.try_clone()?;
    serve(socket, writer, types)
}

/// Waits until the daemon's end of the socket is closed, and ends this process with all that it started, also in the
/// midst of a request. (A parent-death signal would not do: it comes when the *thread* that started the worker ends.)
fn end_with_daemon(socket: &OwnedFd) {
    use rustix::event::{PollFd, PollFlags, poll};
    loop {
        let mut fds = [PollFd::new(socket, PollFlags::empty())];
        match poll(&mut fds, None) {
            Err(rustix::io::Errno::INTR) => {}
            Ok(_) if fds[0].revents().is_empty() => {}
            _ => break,
        }
    }
    if getpgrp() == getpid() {
        let _ = kill_current_process_group(Signal::KILL);
    }
    let _ = kill_process(getpid(), Signal::KILL);
}

/// Serves requests until `reader` ends.
///
/// # Errors
/// A frame that is none, or a writer that is closed.
pub(super) fn serve(mut reader: impl Read, writer: impl Write + Send, types: &NodeTypeSet) -> io::Result<()> {
    let (writer, reports) = (Mutex::new(writer), Reports::default());
    std::thread::scope(|scope| {
        std::thread::Builder::new().name("reports".into()).spawn_scoped(scope, || reports.send(&writer))?;
        let served = answer_all(&mut reader, &writer, &reports, types);
        reports.close();
        served
    })
}

fn answer_all(
    reader: &mut impl Read,
    writer: &Mutex<impl Write>,
    reports: &Reports,
    types: &NodeTypeSet,
) -> io::Result<()> {
    while let Some(request) = frame::read::<Request>(reader)? {
        let mut given_up = false;
        let response = catch_unwind(AssertUnwindSafe(|| response(request, reports, types, &mut given_up)));
        let response = response.unwrap_or_else(|panic| Response::Failed(crashed(panic.as_ref())));
        let bytes = match frame::encode(&response) {
            Ok(bytes) => bytes,
            Err(error) => frame::encode(&Response::Failed(error.to_string()))?,
        };
        let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
        reports.flush(&mut *writer)?;
        if given_up {
            // Otherwise the daemon may send the next request to a process that ends.
            writer.write_all(&frame::encode(&Response::Ends)?)?;
        }
        writer.write_all(&bytes)?;
        writer.flush()?;
        if given_up {
            break;
        }
    }
    Ok(())
}

fn response(request: Request, reports: &Reports, types: &NodeTypeSet, given_up: &mut bool) -> Response {
    let response = match request {
        Request::Run { node_type, inputs, outputs, files, folder } => {
            let Some(Runner::Worker(run)) = types.get(&node_type).map(|it| &it.run) else {
                return Response::Failed(format!("`{node_type}` is not a node type that runs in a worker"));
            };
            let made = MadeFiles::default();
            let scratch = folder.with_file_name(SCRATCH);
            let services = NodeServices::new(reports.begin(made.clone()), CancellationToken::new(), scratch);
            let mut workspace = Workspace::new(folder, files, made.clone(), services).with_outputs(outputs);
            let values = run(&mut workspace, inputs);
            *given_up = workspace.was_given_up();
            values.map(|values| Response::Made { values, files: std::mem::take(&mut *made.files()) })
        }
        Request::Check { media, file } => {
            check::check(&media, &file).map(|()| Response::Whole).map_err(FileError::from)
        }
        Request::Preview { media, file, folder } => {
            preview::make(&media, &file, &folder).map(Response::Preview).map_err(FileError::from)
        }
    };
    response.unwrap_or_else(|error| match error {
        FileError::Full(sentence) => Response::Full(sentence),
        FileError::Other(sentence) => Response::Failed(sentence),
    })
}

fn crashed(panic: &(dyn std::any::Any + Send)) -> String {
    let what = panic.downcast_ref::<&str>().copied();
    let what =
        what.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no reason given");
    format!("a decoder gave up on these bytes: {}", fanlight_shared::value::cut(what, 200))
}
