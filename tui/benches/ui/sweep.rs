//! One sweep of 100,000 runs that wait, as one row; then another one of 5,000 runs goes by in its row.

use fanlight_shared::rpc::runs::ParamSet;
use fanlight_shared::rpc::sweeps::Set;

use crate::home::Daemon;
use crate::process::{busy, mib, resident};
use crate::screen;
use crate::table::Table;

const WORKFLOW: &str = "id: 01980000-0000-7000-8000-000000000014\nname: Many\nnodes:\n  only:\n    uses: text.template\n    \
                        with: { template: one }\n";
const RUNS: usize = 100_000;
const GO_BY: usize = 5_000;
const TIMES: usize = 300;

pub(crate) async fn measure(table: &mut Table) {
    let daemon = Daemon::start("").await;
    screen::write(&daemon, WORKFLOW);
    daemon.pause().await;
    screen::submit(&daemon, WORKFLOW, vec![ParamSet::default(); RUNS]).await;
    let mut terminal = screen::open(&daemon);
    terminal.wait_for("0/100000");
    screen::key(&mut terminal, "2");
    table.row("memory, 100,000 runs in a row", mib(resident(terminal.pid())), "once".into(), "≤ 40 MiB");
    let up_and_down = |terminal: &mut _, number| screen::step(terminal, ["j", "k"][number % 2]);
    let what = "a row up or down beside 100,000 folded runs";
    screen::keys(table, what, "p99 ≤ 8 ms", &mut terminal, TIMES, up_and_down);
    daemon.client.call(Set { sweep: "last".to_owned(), paused: true }).await.unwrap();
    screen::submit(&daemon, WORKFLOW, vec![ParamSet::default(); GO_BY]).await;
    terminal.wait_for("0/5000");
    let (begun, before) = (std::time::Instant::now(), busy(terminal.pid()));
    daemon.cap(8).await;
    terminal.wait_for("5000/5000");
    let (took, busy) = (begun.elapsed(), busy(terminal.pid()) - before);
    let spread = format!("{busy:.2} s of the client's");
    table.row("5,000 runs go by in a folded sweep", format!("{:.2} s", took.as_secs_f64()), spread, "–");
    drop(terminal);
    daemon.stop().await;
}
