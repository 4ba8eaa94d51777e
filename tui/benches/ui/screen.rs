//! The UI in a terminal, with a workflow on screen.

use std::path::Path;
use std::time::{Duration, Instant};

use fanlight_shared::rpc::runs::{ParamSet, Start};
use fanlight_shared::run::Run;

use crate::home::Daemon;
use crate::table::Table;
use crate::terminal::Terminal;

/// Wide enough for grid, queue and gallery.
pub(crate) const SIZE: (u16, u16) = (200, 60);
/// How long a rate is measured.
pub(crate) const WATCHED: Duration = Duration::from_secs(5);

/// Returns the folder that the UI is started in; its only workflow is `flow.yaml`.
pub(crate) fn folder(daemon: &Daemon) -> std::path::PathBuf {
    daemon.folder.path().join("work")
}

/// Starts runs of the file that is on screen.
pub(crate) async fn submit(daemon: &Daemon, document: &str, sets: Vec<ParamSet>) -> Vec<Run> {
    let start = Start {
        document: document.to_owned(),
        path: Some(folder(daemon).join("flow.yaml").to_string_lossy().into_owned()),
        sets,
        request_key: fanlight_shared::id::RunId::new().to_string(),
        ..Start::default()
    };
    daemon.client.call(start).await.unwrap().runs
}

/// Writes the workflow where the UI finds it.
pub(crate) fn write(daemon: &Daemon, document: &str) {
    std::fs::create_dir_all(folder(daemon)).unwrap();
    std::fs::write(folder(daemon).join("flow.yaml"), document).unwrap();
}

/// Returns the UI just started, in the folder of the workflow.
pub(crate) fn start(daemon: &Daemon) -> Terminal {
    let program = Path::new(env!("CARGO_BIN_EXE_fanlight"));
    let mut command = Terminal::command(program, &[], daemon.folder.path(), &folder(daemon));
    command.env("XDG_RUNTIME_DIR", daemon.runtime.path());
    Terminal::spawn(command, SIZE)
}

/// Returns the UI with the workflow on screen.
pub(crate) fn open(daemon: &Daemon) -> Terminal {
    let mut terminal = start(daemon);
    terminal.wait_for("flow.yaml");
    terminal.press(&["enter"]);
    terminal.wait("the panes", |screen| {
        let text = screen.contents();
        text.contains(" Queue ") && text.contains(" Gallery ") && !text.contains("This folder")
    });
    terminal
}

/// Returns a row of the screen.
fn row(screen: &vt100::Screen, row: u16) -> String {
    screen.rows(0, SIZE.0).nth(usize::from(row)).unwrap_or_default()
}

/// Returns the time from a key until the hint line changes, including the overhead of the harness.
pub(crate) fn key(terminal: &mut Terminal, key: &str) -> Duration {
    let last = SIZE.1 - 1;
    let before = terminal.look(|screen| row(screen, last));
    let begun = Instant::now();
    terminal.press(&[key]);
    terminal.wait("other hints", |screen| row(screen, last) != before);
    begun.elapsed()
}

/// Returns the time from a key until anything on the screen changes, where only the key changes it.
pub(crate) fn step(terminal: &mut Terminal, key: &str) -> Duration {
    let before = terminal.paints();
    let begun = Instant::now();
    terminal.press(&[key]);
    while terminal.paints() == before {
        assert!(begun.elapsed() < Duration::from_secs(60), "`{key}` paints nothing");
        std::thread::sleep(Duration::from_micros(50));
    }
    begun.elapsed()
}

/// Returns the time from key to paint while switching panes, at a moment that isn't aligned with a timer of the UI.
pub(crate) fn pane(terminal: &mut Terminal, number: usize) -> Duration {
    std::thread::sleep(Duration::from_micros(20_000 + (number as u64 * 1_777) % 10_000));
    key(terminal, ["2", "3"][number % 2])
}

/// Measures key to paint this many times, and the CPU time of the client per key.
pub(crate) fn keys(
    table: &mut Table,
    what: &str,
    promise: &str,
    terminal: &mut Terminal,
    times: usize,
    mut press: impl FnMut(&mut Terminal, usize) -> Duration,
) {
    let pid = terminal.pid();
    let before = crate::process::busy(pid);
    let all = (0..times).map(|number| press(terminal, number)).collect();
    let each = (crate::process::busy(pid) - before) * 1000.0 / times as f64;
    table.percentiles(&format!("key → paint, {what}"), all, promise);
    let spread = format!("over {times} keys");
    table.row(&format!("processor time of a key, {what}"), format!("{each:.2} ms"), spread, "–");
}

/// Measures the process for some seconds without any key.
pub(crate) fn rates(table: &mut Table, what: &str, terminal: &Terminal, cpu: &str, paints: &str) {
    let pid = terminal.pid();
    let before = (crate::process::busy(pid), terminal.paints(), terminal.bytes());
    let begun = Instant::now();
    std::thread::sleep(WATCHED);
    let seconds = begun.elapsed().as_secs_f64();
    let busy = (crate::process::busy(pid) - before.0) / seconds;
    let painted = (terminal.paints() - before.1) as f64 / seconds;
    let bytes = (terminal.bytes() - before.2) as f64 / seconds / 1024.0;
    let spread = format!("{:.2} ms a paint, {seconds:.0} s", busy * 1000.0 / painted.max(1.0));
    table.row(&format!("{what}: client"), format!("{:.1} % of a core", busy * 100.0), spread, cpu);
    table.row(
        &format!("{what}: paints"),
        format!("{painted:.1} a second"),
        format!("{bytes:.0} KiB a second"),
        paints,
    );
}
