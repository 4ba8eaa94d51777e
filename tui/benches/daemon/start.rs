//! From the submit to the first process, on an idle daemon: the command says when it ran.

use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fanlight_shared::rpc::runs::Get;

use crate::home::Daemon;
use crate::table::Table;

const TIMES: usize = 200;
const WORKFLOW: &str = "id: 01980000-0000-7000-8000-000000000003\nname: start\nparams:\n  seed: { type: int, default: 0 }\n\
                        nodes:\n  stamp:\n    cmd: [date, +%s%N]\noutputs:\n  at: \"${{ stamp.stdout }}\"\n";

pub(crate) async fn measure(table: &mut Table) {
    let daemon = Daemon::start("").await;
    let mut ours = Vec::new();
    let mut bare = Vec::new();
    for number in 0..TIMES + 5 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let begun = now();
        let said = Command::new("date").arg("+%s%N").output().unwrap();
        let alone = stamp(&String::from_utf8(said.stdout).unwrap()).saturating_sub(begun);
        let begun = now();
        let runs = daemon.submit(WORKFLOW, 1).await;
        daemon.drained().await;
        let detail = daemon.client.call(Get { run: runs[0].id.to_string() }).await.unwrap();
        let at = detail.state.outputs["at"].to_json();
        // The first ones start the supervisor.
        if number >= 5 {
            ours.push(stamp(at.as_str().unwrap()).saturating_sub(begun));
            bare.push(alone);
        }
    }
    daemon.stop().await;
    table.percentiles("submit → `date` prints, idle daemon", ours, "p50 ≤ 2 ms, p99 ≤ 10 ms (to its start)");
    table.percentiles("the same spawned bare: what `date` itself takes", bare, "–");
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

fn stamp(text: &str) -> Duration {
    Duration::from_nanos(text.trim().parse().unwrap())
}
