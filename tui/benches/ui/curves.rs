//! The curves of 100 runs with 10 metrics of 10,000 steps each.

use std::time::Instant;

use fanlight_shared::rpc::runs::ParamSet;

use crate::home::Daemon;
use crate::process::{mib, resident};
use crate::screen;
use crate::table::Table;

const WORKFLOW: &str = "id: 01980000-0000-7000-8000-000000000016\nname: Curves\nnodes:\n  train:\n    with: { seed: \"${{ run.number }}\" }\n    \
                        run: |\n      awk -v seed=\"$seed\" 'BEGIN { srand(seed); for (step = 0; step < 10000; step++) for (m = 0; m < 10; m++) \
                        printf \"{\\\"type\\\":\\\"metric\\\",\\\"name\\\":\\\"m%d\\\",\\\"value\\\":%f,\\\"step\\\":%d}\\n\", m, \
                        exp(-step * seed / 100000) + rand() / 10, step }' >> \"$FANLIGHT_EVENTS\"\n";
const RUNS: usize = 100;
const TIMES: usize = 300;

pub(crate) async fn measure(table: &mut Table) {
    let daemon = Daemon::start("").await;
    screen::write(&daemon, WORKFLOW);
    screen::submit(&daemon, WORKFLOW, vec![ParamSet::default(); RUNS]).await;
    daemon.drained().await;
    let mut terminal = screen::open(&daemon);
    terminal.wait_for("Done 100");
    let begun = Instant::now();
    terminal.press(&["V"]);
    terminal.wait_for("m9");
    let took = begun.elapsed().as_secs_f64() * 1000.0;
    table.row("1,000 curves of 10,000 steps: key → on screen", format!("{took:.0} ms"), "once".into(), "–");
    let right = |terminal: &mut _, _| screen::step(terminal, "l");
    screen::keys(table, "the cursor over 1,000 curves", "p99 ≤ 16 ms", &mut terminal, TIMES, right);
    table.row("memory, 1,000 curves", mib(resident(terminal.pid())), "once".into(), "–");
    drop(terminal);
    daemon.stop().await;
}
