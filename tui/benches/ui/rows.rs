//! 10,000 runs in the queue, half of them done, scrolled through from one end to the other.

use fanlight_shared::rpc::runs::ParamSet;

use crate::home::Daemon;
use crate::process::{mib, resident};
use crate::screen;
use crate::table::Table;

const WORKFLOW: &str = "id: 01980000-0000-7000-8000-000000000013\nname: Many\nnodes:\n  only:\n    uses: text.template\n    \
                        with: { template: one }\n";
const RUNS: usize = 5_000;
const TIMES: usize = 300;

pub(crate) async fn measure(table: &mut Table) {
    let daemon = Daemon::start("").await;
    screen::write(&daemon, WORKFLOW);
    screen::submit(&daemon, WORKFLOW, vec![ParamSet::default(); RUNS]).await;
    daemon.drained().await;
    daemon.pause().await;
    screen::submit(&daemon, WORKFLOW, vec![ParamSet::default(); RUNS]).await;
    let mut terminal = screen::open(&daemon);
    // The heading of those that wait may be out of view: the lens is on the last run to end.
    terminal.wait_for("5000 paused");
    screen::key(&mut terminal, "2");
    // Both submissions are sweeps, which are folded: the one that waits first.
    terminal.wait_for("0/5000");
    terminal.press(&["g", "g", "j", "l"]);
    while terminal.text().contains("▸") {
        terminal.press(&["G", "l"]);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    // Each jump to the end reads the next pages, until the very first run is there.
    while !terminal.text().contains("✓ #1 ") {
        terminal.press(&["G"]);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    table.row("memory, 10,000 rows", mib(resident(terminal.pid())), "once".into(), "≤ 40 MiB");
    let up = |terminal: &mut _, _| screen::step(terminal, "k");
    screen::keys(table, "a row up among 10,000", "p99 ≤ 8 ms", &mut terminal, TIMES, up);
    let half_up = |terminal: &mut _, _| screen::step(terminal, "ctrl-u");
    screen::keys(table, "half a page up among 10,000", "p99 ≤ 8 ms", &mut terminal, TIMES, half_up);
    // From the top, with the running runs and the headings in view.
    terminal.press(&["g", "g"]);
    terminal.wait_for("Enqueued 5000");
    let begun = std::time::Instant::now();
    daemon.cap(8).await;
    let busy = crate::process::busy(terminal.pid());
    terminal.wait_for("Done 10000");
    let (took, busy) = (begun.elapsed(), crate::process::busy(terminal.pid()) - busy);
    let spread = format!("{busy:.2} s of the client's");
    table.row("the 5,000 that wait run while it looks", format!("{:.2} s", took.as_secs_f64()), spread, "–");
    drop(terminal);
    daemon.stop().await;
}
