//! The supervisor: a small separate process that holds the commands' processes, so that the daemon may die.
//!
//! `fanlight supervisor` has one thread, no tokio, and needs serde only to find the texts of secrets that are JSON. It starts commands (`process`), each in a tree
//! that it can end as a whole (`tree`), pumps their output into bounded files ([`log`]), with secrets masked, reaps, and records exits
//! ([`record`]). Each attempt is entered into its `ledger` before it starts, so that the next supervisor can clean up
//! (`recover`). It listens on a socket (`serve`) for `message`s in `frame`s; the daemon's side is [`client`].

pub mod client;
pub mod log;
pub mod record;

mod attempt;
mod frame;
mod ledger;
mod message;
mod peer;
mod process;
mod recover;
mod serve;
mod spec;
mod system;
mod tree;

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::own_file::OwnFile;
pub(crate) use process::explain;
pub(crate) use spec::TOKEN;
pub use system::close_inherited;
pub(crate) use system::{before_exec, default_signals, output_pipe, reap, renumber};
pub use tree::Choice as Trees;
pub(crate) use tree::{Member, Tree};

/// The line on standard output once it listens.
const READY: &str = "ready";
/// The line on standard output if another supervisor of this folder is alive.
const ALREADY_RUNNING: &str = "taken";

/// The arguments of `fanlight supervisor`.
#[derive(Debug)]
struct Arguments {
    folder: PathBuf,
    socket: PathBuf,
    linger: Duration,
    trees: Trees,
}

/// Runs `fanlight supervisor` and returns its exit code.
///
/// `--folder DIR --socket PATH [--linger SECONDS] [--trees auto|cgroup|session]`. It prints one line on standard output:
/// `ready` when it listens, `taken` if another one runs, or a sentence about why it can't work.
#[must_use]
pub fn main(arguments: &[OsString]) -> i32 {
    close_inherited();
    let (line, code) = match boot(arguments) {
        Ok(Some(server)) => {
            say(READY);
            server.run();
            return 0;
        }
        Ok(None) => (ALREADY_RUNNING.to_owned(), 0),
        Err(sentence) => (sentence, 1),
    };
    say(&line);
    code
}

/// Prints a line. The process that started this one may be gone, which is not an error.
fn say(line: &str) {
    let mut stdout = std::io::stdout();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

/// Prepares everything up to the first request; returns `None` if another supervisor has this folder.
fn boot(arguments: &[OsString]) -> Result<Option<serve::Server>, String> {
    let Arguments { folder, socket, linger, trees } = parse(arguments)?;
    // It fails only for a process that leads its group already, as when started by hand.
    let _ = rustix::process::setsid();
    let inherited = process::Inherited::take();
    private_folder(&folder)?;
    let lock = folder.join("lock");
    let lock =
        File::create(&lock).map_err(|error| format!("{} can't be created: {error}", lock.display()))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => return Ok(None),
        Err(std::fs::TryLockError::Error(error)) => {
            return Err(format!("{} can't be locked: {error}", folder.display()));
        }
    }
    std::env::set_current_dir("/").map_err(|error| format!("`/` can't be entered: {error}"))?;
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .map_err(|error| format!("this process can't take care of orphans: {error}"))?;
    system::default_signals();
    let signals = serve::Signals::take().map_err(|error| format!("signals can't be received: {error}"))?;
    let trees = tree::Trees::find(trees)?;
    let (mut ledger, entries) = ledger::Ledger::open(&folder)
        .map_err(|error| format!("{} can't be used for records: {error}", folder.display()))?;
    let past = recover::recover(&mut ledger, &entries);
    let listener = listen(&socket)?;
    let own = |path: &Path| OwnFile::of(path).map_err(|error| format!("{}: {error}", path.display()));
    let (folder, socket) = (own(&folder)?, own(&socket)?);
    Ok(Some(serve::Server::new(serve::Boot {
        lock,
        folder,
        socket,
        listener,
        signals,
        linger,
        trees,
        inherited,
        ledger,
        past,
    })))
}

fn parse(arguments: &[OsString]) -> Result<Arguments, String> {
    let (mut folder, mut socket) = (None, None);
    let mut linger = Duration::from_secs(60);
    let mut trees = Trees::Auto;
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        let name = name.to_string_lossy();
        let value = rest.next().ok_or_else(|| format!("`{name}` needs a value"))?;
        let text = value.to_string_lossy();
        match name.as_ref() {
            "--folder" => folder = Some(PathBuf::from(value)),
            "--socket" => socket = Some(PathBuf::from(value)),
            "--linger" => {
                let seconds =
                    text.parse().map_err(|_| format!("`--linger {text}` is not a number of seconds"))?;
                linger = Duration::from_secs(seconds);
            }
            "--trees" => {
                trees = [Trees::Auto, Trees::Cgroup, Trees::Session]
                    .into_iter()
                    .find(|choice| choice.name() == text)
                    .ok_or_else(|| format!("`--trees {text}` is not one of auto, cgroup, session"))?;
            }
            _ => return Err(format!("`{name}` is unknown: this command is internal to Fanlight")),
        }
    }
    let absolute = |name: &str, path: Option<PathBuf>| {
        path.filter(|path| path.is_absolute()).ok_or_else(|| format!("`{name}` needs an absolute path"))
    };
    Ok(Arguments {
        folder: absolute("--folder", folder)?,
        socket: absolute("--socket", socket)?,
        linger,
        trees,
    })
}

/// Creates a folder that only the user can enter, or checks an existing one.
fn private_folder(folder: &Path) -> Result<(), String> {
    let show = folder.display();
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| format!("{show} can't be created: {error}"))?;
    let about = std::fs::symlink_metadata(folder).map_err(|error| format!("{show}: {error}"))?;
    if !about.is_dir() || about.uid() != rustix::process::geteuid().as_raw() {
        return Err(format!("{show} is not a folder of this user's own"));
    }
    if about.mode() & 0o022 != 0 {
        return Err(format!("{show} can be written by other users: chmod 700 it"));
    }
    Ok(())
}

/// Listens on a socket that only the user can connect to. The lock proves that an existing socket is dead.
fn listen(socket: &Path) -> Result<std::os::unix::net::UnixListener, String> {
    if let Some(folder) = socket.parent() {
        private_folder(folder)?;
    }
    let show = socket.display();
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(format!("{show} is in the way: {error}"));
        }
        _ => {}
    }
    let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
    let listener = std::os::unix::net::UnixListener::bind(socket);
    rustix::process::umask(before);
    let listener = listener.map_err(|error| format!("{show} can't be listened on: {error}"))?;
    listener.set_nonblocking(true).map_err(|error| format!("{show}: {error}"))?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Arguments, String> {
        parse(&arguments.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn arguments_are_checked_one_by_one() {
        let good =
            parsed(&["--folder", "/a", "--socket", "/b", "--linger", "3", "--trees", "session"]).unwrap();
        assert_eq!((good.linger, good.trees), (Duration::from_secs(3), Trees::Session));
        for (arguments, sentence) in [
            (vec!["--folder"], "`--folder` needs a value"),
            (vec!["--folder", "a", "--socket", "/b"], "`--folder` needs an absolute path"),
            (vec!["--folder", "/a"], "`--socket` needs an absolute path"),
            (vec!["--linger", "x"], "`--linger x` is not a number of seconds"),
            (vec!["--trees", "x"], "`--trees x` is not one of auto, cgroup, session"),
            (vec!["--x", "x"], "`--x` is unknown: this command is internal to Fanlight"),
        ] {
            assert_eq!(parsed(&arguments).unwrap_err(), sentence);
        }
    }

    #[test]
    fn a_folder_that_others_can_write_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a/b");
        private_folder(&folder).unwrap();
        assert_eq!(folder.metadata().unwrap().mode() & 0o777, 0o700);
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(private_folder(&folder).unwrap_err().contains("chmod 700"));
    }
}
