//! A single run that is submitted behind a long sweep: free slots rotate, so it waits for one turn and not for the sweep.

use std::time::{Duration, Instant};

use fanlight_shared::rpc::runs::Get;

use crate::home::Daemon;
use crate::table::Table;

const WAITING: usize = 10_000;
const TIMES: usize = 20;
const SWEEP: &str = "id: 01980000-0000-7000-8000-000000000021\nname: sweep\nparams:\n  seed: { type: int, default: 0 }\n\
                     nodes:\n  wait:\n    cmd: [sleep, \"0.05\"]\n";
const SINGLE: &str = "id: 01980000-0000-7000-8000-000000000022\nname: single\nparams:\n  seed: { type: int, default: 0 }\n\
                      nodes:\n  wait:\n    cmd: [sleep, \"0.05\"]\n";

pub(crate) async fn measure(table: &mut Table) {
    let daemon = Daemon::start("").await;
    let mut alone = Vec::new();
    for _ in 0..TIMES {
        alone.push(single(&daemon).await);
    }
    daemon.submit(SWEEP, WAITING).await;
    let mut behind = Vec::new();
    for _ in 0..TIMES {
        behind.push(single(&daemon).await);
    }
    assert!(daemon.status().await.queued > 1_000, "the sweep was too short");
    daemon.stop().await;
    table.percentiles("a single run of 50 ms, idle daemon: submit → end", alone, "–");
    table.percentiles("the same behind a sweep of 10,000 such runs", behind, "–");
}

/// Submits a run and waits for its end.
async fn single(daemon: &Daemon) -> Duration {
    let begun = Instant::now();
    let run = daemon.submit(SINGLE, 1).await.remove(0).id.to_string();
    loop {
        let detail = daemon.client.call(Get { run: run.clone() }).await.unwrap();
        if detail.run.state.is_ended() {
            return begun.elapsed();
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}
