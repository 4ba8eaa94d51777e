//! With an idle daemon: the time from key to paint, and the load of the UI while nothing happens.

use fanlight_shared::rpc::runs::ParamSet;

use crate::home::Daemon;
use crate::process::{mib, resident, switches};
use crate::screen::{self, WATCHED};
use crate::table::Table;

const WORKFLOW: &str = "id: 01980000-0000-7000-8000-000000000011\nname: Quiet\nnodes:\n  a:\n    uses: text.template\n    \
                        with: { template: one }\n  b:\n    uses: text.template\n    with: { template: two, a: \"${{ a.text }}\" }\n\
                        outputs:\n  b: \"${{ b.text }}\"\n";
const TIMES: usize = 500;

pub(crate) async fn measure(table: &mut Table) {
    let daemon = Daemon::start("").await;
    screen::write(&daemon, WORKFLOW);
    screen::submit(&daemon, WORKFLOW, vec![ParamSet::default(); 9]).await;
    daemon.drained().await;
    let mut terminal = screen::open(&daemon);
    terminal.wait_for("Done 9");
    screen::keys(table, "idle daemon", "p99 ≤ 8 ms", &mut terminal, TIMES, screen::pane);
    std::thread::sleep(WATCHED);
    let before = (terminal.bytes(), terminal.paints(), switches(terminal.pid()));
    std::thread::sleep(WATCHED);
    let (bytes, paints) = (terminal.bytes() - before.0, terminal.paints() - before.1);
    table.row("nothing changes: paints in 5 s", paints.to_string(), format!("{bytes} bytes"), "0");
    let woken = switches(terminal.pid()) - before.2;
    table.row("nothing changes: wake-ups in 5 s", woken.to_string(), "once".into(), "none");
    table.row("memory, one small workflow", mib(resident(terminal.pid())), "once".into(), "–");
    drop(terminal);
    daemon.stop().await;
}
