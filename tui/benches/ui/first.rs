//! The time from the start of the program to its first frame, in a new home without a daemon.

use std::path::Path;
use std::time::Instant;

use crate::screen::SIZE;
use crate::table::Table;
use crate::terminal::Terminal;

const TIMES: usize = 20;

pub(crate) fn measure(table: &mut Table) {
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let folder = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let runtime = tempfile::Builder::new().prefix("fl").tempdir_in("/tmp").unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_fanlight"));
        let mut command = Terminal::command(program, &[], folder.path(), folder.path());
        command.env("XDG_RUNTIME_DIR", runtime.path());
        let begun = Instant::now();
        let mut terminal = Terminal::spawn(command, SIZE);
        terminal.wait_for("fanlight");
        times.push(begun.elapsed());
        terminal.press(&["q"]);
        terminal.ended();
        // The daemon that it began to start.
        let mut stop = std::process::Command::new(program);
        stop.args(["daemon", "stop"]).env("FANLIGHT_HOME", folder.path());
        let _ = stop.env("XDG_RUNTIME_DIR", runtime.path()).output();
    }
    table.percentiles("start → first frame, no daemon runs yet", times, "≤ 50 ms");
}
