//! `fanlight`: dispatches to the daemon's hidden helpers before anything else starts.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.first().and_then(|first| first.to_str()) {
        Some("supervisor") => code(fanlight_daemon::supervisor::main(&arguments[1..])),
        Some("worker") => code(fanlight_daemon::worker::main()),
        _ => ExitCode::SUCCESS,
    }
}

fn code(code: i32) -> ExitCode {
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
