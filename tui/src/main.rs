//! The executable: hidden helpers, and everything else by the library.

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    // The helpers hold processes and decode untrusted bytes: they start before clap and tokio.
    let helper = match arguments.first().and_then(|first| first.to_str()) {
        Some("supervisor") => fanlight_daemon::supervisor::main(&arguments[1..]),
        Some("worker") => fanlight_daemon::worker::main(),
        Some("plugin-guard") => fanlight_daemon::plugin::guard(&arguments[1..]),
        Some("daemon") if arguments.iter().any(|it| it == "--detached") => {
            // It outlives the process that started it, and must not keep that process' locks and pipes.
            fanlight_daemon::supervisor::close_inherited();
            return fanlight::main();
        }
        _ => return fanlight::main(),
    };
    ExitCode::from(u8::try_from(helper).unwrap_or(1))
}
