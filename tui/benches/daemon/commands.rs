//! 500 × `true` as runs, two at once, against the same spawns bare and, where it is installed, against `tsp`.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::home::Daemon;
use crate::table::Table;

const TOTAL: usize = 500;
const REPEAT: usize = 5;
const WORKFLOW: &str = "id: 01980000-0000-7000-8000-000000000001\nname: true\nparams:\n  seed: { type: int, default: 0 }\n\
                        nodes:\n  only:\n    cmd: [\"true\"]\n";

pub(crate) async fn measure(table: &mut Table) {
    let daemon = Daemon::start("").await;
    daemon.cap(2).await;
    let mut ratios = Vec::new();
    let mut to_tsp = Vec::new();
    let mut each = Vec::new();
    for _ in 0..REPEAT {
        let bare = bare();
        let begun = Instant::now();
        daemon.submit(WORKFLOW, TOTAL).await;
        daemon.drained().await;
        let ours = begun.elapsed();
        each.push(ours.as_secs_f64() * 1000.0 / TOTAL as f64);
        ratios.push(ours.as_secs_f64() / bare.as_secs_f64());
        if let Some(tsp) = tsp() {
            to_tsp.push(ours.as_secs_f64() / tsp.as_secs_f64());
        }
    }
    daemon.stop().await;
    table.median("500 × `true` as runs, 2 at once: time of one", each, " ms", "–");
    table.median("the same over bare spawns with their pipes read", ratios, " ×", "≤ 2 ×");
    if to_tsp.is_empty() {
        println!("tsp is not installed: not compared");
    } else {
        table.median("the same over tsp, which keeps nothing", to_tsp, " ×", "≤ 1 ×");
    }
}

fn bare() -> Duration {
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..TOTAL / 2 {
                    let mut command = Command::new("true");
                    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
                    let mut child = command.spawn().unwrap();
                    child.stdout.take().unwrap().read_to_end(&mut Vec::new()).unwrap();
                    child.stderr.take().unwrap().read_to_end(&mut Vec::new()).unwrap();
                    child.wait().unwrap();
                }
            });
        }
    });
    begun.elapsed()
}

/// Runs `tsp true` 500 times with two slots; `None` if tsp isn't installed.
fn tsp() -> Option<Duration> {
    let folder = tempfile::tempdir().unwrap();
    let tsp = |arguments: &[&str]| {
        let mut command = Command::new("tsp");
        command.args(arguments).env("TS_SOCKET", folder.path().join("s")).env("TMPDIR", folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().ok()
    };
    tsp(&["-S", "2"])?;
    let begun = Instant::now();
    for _ in 0..TOTAL {
        tsp(&["true"])?;
    }
    tsp(&["-w"])?;
    let time = begun.elapsed();
    tsp(&["-K"])?;
    Some(time)
}
