//! 200 pictures in the gallery, scrolled through.

use fanlight_shared::rpc::runs::ParamSet;

use crate::home::Daemon;
use crate::process::{mib, resident};
use crate::screen;
use crate::table::Table;
use crate::terminal::Terminal;

const WORKFLOW: &str = "id: 01980000-0000-7000-8000-000000000014\nname: Pictures\nnodes:\n  sky:\n    uses: image.generate\n    \
                        with: { width: 320, height: 200, seed: \"${{ run.number }}\" }\noutputs:\n  sky: \"${{ sky.image }}\"\n";
const PICTURES: usize = 200;

pub(crate) async fn measure(table: &mut Table) {
    let daemon = Daemon::start("").await;
    screen::write(&daemon, WORKFLOW);
    screen::submit(&daemon, WORKFLOW, vec![ParamSet::default(); PICTURES]).await;
    daemon.drained().await;
    let mut terminal = screen::open(&daemon);
    screen::key(&mut terminal, "3");
    terminal.press(&["z"]);
    terminal.wait("nothing but the gallery", |screen| !screen.contents().contains("Queue"));
    // One row of tiles, then the time that a person looks at it.
    let down = |terminal: &mut Terminal, _| {
        std::thread::sleep(std::time::Duration::from_millis(150));
        screen::step(terminal, "j")
    };
    let what = "a row of pictures down";
    screen::keys(table, what, "p99 ≤ 8 ms", &mut terminal, PICTURES / 4, down);
    terminal.wait_for(" of 200");
    table.row("memory, 200 pictures seen", mib(resident(terminal.pid())), "once".into(), "–");
    drop(terminal);
    daemon.stop().await;
}
