//! The evidence of a failed round.

use std::path::Path;

use crate::process::{Kill, kill};
use crate::support::Fanlight;

/// How many lines of a log are shown.
const LINES: usize = 60;

/// Freezes both processes, keeps the home, and prints its paths.
pub(crate) fn keep(fanlight: &mut Fanlight) {
    kill(fanlight, Kill::Daemon);
    kill(fanlight, Kill::Supervisor);
    let home = fanlight.keep().join("h");
    println!("kept in {}", home.display());
    for folder in ["data", "state", "state/supervisor", "state/supervisor/attempts"] {
        list(&home.join(folder));
    }
    for log in ["state/daemon.log", "state/supervisor/supervisor.log"] {
        let text = std::fs::read(home.join(log)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        println!("--- the end of {log}");
        lines[lines.len().saturating_sub(LINES)..].iter().for_each(|line| println!("{line}"));
    }
}

fn list(folder: &Path) {
    println!("--- {}", folder.display());
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        println!("{} ({} bytes)", entry.file_name().display(), entry.metadata().map_or(0, |it| it.len()));
    }
}
