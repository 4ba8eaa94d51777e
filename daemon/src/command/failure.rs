//! The end of a command: the ports `exit_code` and `status`, and the error if it failed.

use std::ffi::OsStr;
use std::path::Path;

use fanlight_shared::event::NodeError;
use fanlight_shared::resources::shown_bytes;

use crate::supervisor::client::{Exit, How};
use crate::supervisor::log::{self, StreamTag};

/// How much of the end of the log is searched for the last line of stderr, in bytes: as much as the supervisor keeps.
const MAX_SEARCHED_BYTES: u64 = 512 * 1024;

/// The exit code of shells for a program that was not found.
const NOT_FOUND: i32 = 127;
/// The exit code of shells whose last program was killed.
const KILLED: i32 = 128 + 9;
/// A process that used less memory was not killed for that: every program has a few megabytes.
const LEAST_PEAK: u64 = 50_000_000;

/// Returns the value of the port `exit_code`: for a killed command, 128 plus the signal, as in shells.
pub(super) fn exit_code(how: How) -> i64 {
    match how {
        How::Code(code) => i64::from(code),
        How::Signal(signal) => 128 + i64::from(signal),
    }
}

/// Returns the value of the port `status`: `completed`, `failed` or `signal:9`.
pub(super) fn status(how: How) -> String {
    match how {
        How::Code(0) => "completed".into(),
        How::Code(_) => "failed".into(),
        How::Signal(signal) => format!("signal:{signal}"),
    }
}

/// Returns the error of a command that failed; `None` if it succeeded. `path` is the `PATH` that it searched, and `asked` the
/// memory in bytes that its `resources` state.
pub(super) fn error(exit: &Exit, folder: &Path, path: &OsStr, asked: Option<u64>) -> Option<NodeError> {
    let (message, exit_code) = match exit.how {
        How::Code(0) => return None,
        How::Code(NOT_FOUND) => (not_found(path), Some(NOT_FOUND)),
        How::Code(KILLED) if !exit.stopped => {
            let killed = "one of its programs was killed by SIGKILL (9)";
            (format!("exit code {KILLED}: {killed}{}", out_of_memory(exit.max_rss, asked)), Some(KILLED))
        }
        How::Code(code) => (format!("exit code {code}"), Some(code)),
        How::Signal(9) if !exit.stopped => {
            (format!("killed by SIGKILL (9){}", out_of_memory(exit.max_rss, asked)), None)
        }
        How::Signal(signal) => (signal_sentence(signal, exit.stopped), None),
    };
    Some(NodeError { message, exit_code, last_line: last_line(folder, exit.log_end) })
}

fn not_found(path: &OsStr) -> String {
    if path.is_empty() {
        return format!("exit code {NOT_FOUND}: a program was not found; the engine's `prelude` sets PATH");
    }
    let path = super::text::line(&path.to_string_lossy());
    format!("exit code {NOT_FOUND}: a program was not found; the PATH that was searched is {path}")
}

/// Returns the part of a sentence about what was killed: nothing else than the system sends that signal unasked. `peak` is the
/// most memory of one process in bytes, 0 if it is not known.
fn out_of_memory(peak: u64, asked: Option<u64>) -> String {
    let mut words = "; perhaps the machine ran out of memory".to_owned();
    if peak >= LEAST_PEAK {
        words.push_str(&format!(": its largest process used {}", shown_bytes(peak)));
        if let Some(asked) = asked.filter(|asked| *asked > 0) {
            words.push_str(&format!(", and `resources` ask for {}", shown_bytes(asked)));
        }
    }
    words
}

fn signal_sentence(signal: i32, stopped: bool) -> String {
    let name =
        signal_name(signal).map_or_else(|| format!("signal {signal}"), |name| format!("{name} ({signal})"));
    match (stopped, signal) {
        (true, _) => format!("stopped by {name}"),
        (false, 6 | 7 | 8 | 11) => format!("crashed with {name}"),
        _ => format!("killed by {name}"),
    }
}

fn signal_name(signal: i32) -> Option<&'static str> {
    use rustix::process::Signal;
    let names = [
        (Signal::HUP, "SIGHUP"),
        (Signal::INT, "SIGINT"),
        (Signal::QUIT, "SIGQUIT"),
        (Signal::ILL, "SIGILL"),
        (Signal::TRAP, "SIGTRAP"),
        (Signal::ABORT, "SIGABRT"),
        (Signal::BUS, "SIGBUS"),
        (Signal::FPE, "SIGFPE"),
        (Signal::KILL, "SIGKILL"),
        (Signal::USR1, "SIGUSR1"),
        (Signal::SEGV, "SIGSEGV"),
        (Signal::USR2, "SIGUSR2"),
        (Signal::PIPE, "SIGPIPE"),
        (Signal::ALARM, "SIGALRM"),
        (Signal::TERM, "SIGTERM"),
        (Signal::XCPU, "SIGXCPU"),
        (Signal::XFSZ, "SIGXFSZ"),
        (Signal::SYS, "SIGSYS"),
    ];
    names.iter().find(|(it, _)| it.as_raw() == signal).map(|(_, name)| *name)
}

/// Returns the last line of stderr that is not blank.
fn last_line(folder: &Path, end: u64) -> Option<String> {
    super::text::last_line(&stderr(folder, end))
}

/// Returns the end of stderr.
pub(super) fn stderr(folder: &Path, end: u64) -> Vec<u8> {
    let mut stderr = Vec::new();
    let mut offset = end.saturating_sub(MAX_SEARCHED_BYTES);
    while offset < end {
        let Ok(part) = log::read(folder, offset, 64 * 1024) else { break };
        for (stream, bytes) in &part.pieces {
            if *stream == StreamTag::Stderr {
                stderr.extend_from_slice(bytes);
            }
        }
        if part.next <= offset {
            break;
        }
        offset = part.next;
    }
    stderr
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_has_a_status_and_a_sentence() {
        assert_eq!((exit_code(How::Code(3)), status(How::Code(3)).as_str()), (3, "failed"));
        assert_eq!((exit_code(How::Signal(9)), status(How::Signal(9)).as_str()), (137, "signal:9"));
        assert_eq!(status(How::Code(0)), "completed");
        assert_eq!(out_of_memory(0, Some(1)), "; perhaps the machine ran out of memory");
        let used = out_of_memory(3_200_000_000, Some(4_000_000_000));
        assert!(
            used.ends_with("memory: its largest process used 3200 MB, and `resources` ask for 4 GB"),
            "{used}"
        );
        assert_eq!(signal_sentence(15, true), "stopped by SIGTERM (15)");
        let missing = not_found(OsStr::new("/opt/bin:/bin"));
        assert!(missing.starts_with("exit code 127") && missing.ends_with("is /opt/bin:/bin"), "{missing}");
        assert_eq!(signal_sentence(63, false), "killed by signal 63");
    }
}
