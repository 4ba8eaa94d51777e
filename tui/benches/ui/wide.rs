//! A workflow of 2,000 nodes: the time to open it, and moving in it.

use std::fmt::Write as _;
use std::time::Instant;

use crate::home::Daemon;
use crate::process::{mib, resident};
use crate::screen;
use crate::table::Table;

const NODES: usize = 2_000;
const TIMES: usize = 200;

fn workflow() -> String {
    let mut text = "id: 01980000-0000-7000-8000-000000000015\nname: Wide\nnodes:\n".to_owned();
    for node in 0..NODES {
        // Forty layers of fifty.
        let of = match node.checked_sub(50) {
            Some(of) => format!("${{{{ node_{of}.text }}}}"),
            None => "begin".to_owned(),
        };
        let _ = write!(
            text,
            "  node_{node}:\n    uses: text.template\n    with: {{ template: \"{{{{ of }}}}\", of: \"{of}\" }}\n"
        );
    }
    text
}

pub(crate) async fn measure(table: &mut Table) {
    let daemon = Daemon::start("").await;
    screen::write(&daemon, &workflow());
    let mut terminal = screen::start(&daemon);
    terminal.wait_for("flow.yaml");
    let begun = Instant::now();
    terminal.press(&["enter"]);
    terminal.wait("a node of the grid", |screen| {
        let text = screen.contents();
        !text.contains("This folder") && text.contains("○ node_")
    });
    let took = begun.elapsed().as_secs_f64() * 1000.0;
    table.row("2,000 nodes: enter → on screen", format!("{took:.0} ms"), "once".into(), "–");
    let down = |terminal: &mut _, _| screen::step(terminal, "j");
    screen::keys(table, "a node down among 2,000", "p99 ≤ 8 ms", &mut terminal, TIMES, down);
    terminal.press(&["0"]);
    screen::keys(table, "2,000 nodes fitted", "p99 ≤ 8 ms", &mut terminal, TIMES, screen::pane);
    table.row("memory, 2,000 nodes", mib(resident(terminal.pid())), "once".into(), "–");
    drop(terminal);
    daemon.stop().await;
}
