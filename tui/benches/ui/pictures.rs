//! 200 pictures in the gallery, all of them seen.

use fanlight_shared::rpc::runs::ParamSet;

use crate::home::Daemon;
use crate::process::{mib, resident};
use crate::screen;
use crate::table::Table;

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
    let (mut times, mut seen) = (Vec::new(), 0);
    while seen < PICTURES {
        // A row of tiles, and then the time that a person looks at it.
        times.push(screen::step(&mut terminal, "j"));
        std::thread::sleep(std::time::Duration::from_millis(150));
        seen += 4;
    }
    terminal.wait_for("200");
    table.percentiles("key → paint, a row of pictures down", times, "p99 ≤ 8 ms");
    table.row("memory, 200 pictures seen", mib(resident(terminal.pid())), "once".into(), "–");
    drop(terminal);
    daemon.stop().await;
}
