//! The enqueue of a large sweep and pages of long lists, over the wire.

use std::time::Instant;

use fanlight_shared::rpc::runs::List;

use crate::home::Daemon;
use crate::table::Table;

const WORKFLOW: &str = "id: 01980000-0000-7000-8000-000000000005\nname: sweep\nparams:\n  seed: { type: int, default: 0 }\n\
                        nodes:\n  only:\n    cmd: [\"true\"]\n";

pub(crate) async fn sweep(table: &mut Table) {
    let daemon = Daemon::start("").await;
    daemon.pause().await;
    let mut times = Vec::new();
    for _ in 0..5 {
        let begun = Instant::now();
        daemon.submit(WORKFLOW, 10_000).await;
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    daemon.stop().await;
    table.median("enqueue a sweep of 10,000, answer included", times, " ms", "≤ 300 ms");
}

pub(crate) async fn pages(table: &mut Table) {
    let daemon = Daemon::start("").await;
    daemon.pause().await;
    for _ in 0..10 {
        daemon.submit(WORKFLOW, 10_000).await;
    }
    let mut times = Vec::new();
    let mut cursor = None;
    // From the newest to the oldest, page by page.
    loop {
        let begun = Instant::now();
        let page = daemon.client.call(List { cursor: cursor.take(), ..List::default() }).await.unwrap();
        times.push(begun.elapsed());
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    daemon.stop().await;
    table.percentiles("page of 100 among 100,000 runs, over the wire", times, "p99 ≤ 5 ms");
}
