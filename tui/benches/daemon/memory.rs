//! Memory and wake-ups of idle processes, and memory with 1,000 runs at once.

use std::time::Duration;

use fanlight_shared::rpc::runs::Cancel;

use crate::home::Daemon;
use crate::process::{children, field, mib, resident, switches};
use crate::table::Table;

const WATCHED: Duration = Duration::from_secs(5);
const SLEEP: &str = "id: 01980000-0000-7000-8000-000000000004\nname: sleep\nparams:\n  seed: { type: int, default: 0 }\n\
                     nodes:\n  only:\n    cmd: [sleep, \"600\"]\n";
const TEXT: &str = "id: 01980000-0000-7000-8000-000000000006\nname: text\nparams:\n  seed: { type: int, default: 0 }\n\
                    nodes:\n  only:\n    uses: text.template\n    with: { template: \"{{ seed }}\", seed: \"${{ params.seed }}\" }\n";

pub(crate) async fn idle(table: &mut Table) {
    let daemon = Daemon::start("").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let fresh = resident(daemon.pid);
    table.row("idle daemon, just started: resident", mib(fresh), "once".into(), "≤ 20 MiB");
    daemon.cap(2).await;
    daemon.submit(&SLEEP.replace("sleep, \"600\"", "\"true\""), 100).await;
    daemon.drained().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let supervisor = daemon.supervisor().unwrap();
    let before = (switches(daemon.pid), switches(supervisor));
    tokio::time::sleep(WATCHED).await;
    let (of_daemon, of_supervisor) = (switches(daemon.pid) - before.0, switches(supervisor) - before.1);
    let private = |pid| format!("{} of it private", mib(field(pid, "RssAnon:")));
    table.row("idle daemon after 100 runs", mib(resident(daemon.pid)), private(daemon.pid), "≤ 20 MiB");
    table.row("idle supervisor", mib(resident(supervisor)), private(supervisor), "≤ 4 MiB");
    table.row("wake-ups of the idle daemon in 5 s", of_daemon.to_string(), "once".into(), "none");
    table.row("wake-ups of the idle supervisor in 5 s", of_supervisor.to_string(), "once".into(), "none");
    daemon.stop().await;
}

/// Memory after a queue as long as a large sweep has drained.
pub(crate) async fn after(table: &mut Table) {
    let daemon = Daemon::start("").await;
    daemon.pause().await;
    for _ in 0..3 {
        daemon.submit(TEXT, 10_000).await;
    }
    table.row("30,000 runs wait: daemon", mib(resident(daemon.pid)), "once".into(), "–");
    daemon.cap(8).await;
    daemon.drained().await;
    table.row("30,000 runs have just ended", mib(resident(daemon.pid)), "once".into(), "–");
    tokio::time::sleep(Duration::from_secs(2)).await;
    let private = format!("{} of it private", mib(field(daemon.pid, "RssAnon:")));
    table.row("idle daemon after 30,000 runs", mib(resident(daemon.pid)), private, "≤ 20 MiB");
    daemon.stop().await;
}

pub(crate) async fn many(table: &mut Table) {
    let daemon = Daemon::start("[pools]\nprocess = 1000\n").await;
    daemon.cap(1000).await;
    let runs = daemon.submit(SLEEP, 1000).await;
    let supervisor = loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if let Some(pid) = daemon.supervisor().filter(|pid| children(*pid) >= 1000) {
            break pid;
        }
    };
    tokio::time::sleep(Duration::from_secs(1)).await;
    table.row("1,000 commands at once: daemon", mib(resident(daemon.pid)), "once".into(), "≤ 200 MiB");
    table.row("1,000 commands at once: supervisor", mib(resident(supervisor)), "once".into(), "–");
    let before = switches(daemon.pid);
    tokio::time::sleep(WATCHED).await;
    table.row(
        "wake-ups of the daemon in 5 s meanwhile",
        (switches(daemon.pid) - before).to_string(),
        "once".into(),
        "none",
    );
    let cancel = Cancel { runs: runs.iter().map(|run| run.id).collect(), ..Cancel::default() };
    daemon.client.call(cancel).await.unwrap();
    daemon.drained().await;
    daemon.stop().await;
}
