//! The enqueue of a large sweep, pages of long lists, and a table of many runs, over the wire.

use std::time::Instant;

use fanlight_shared::client::table::Table as Runs;
use fanlight_shared::rpc::runs::{self, List};
use fanlight_shared::time::Time;

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

/// A table of 10,000 runs with 48 outputs each: how long it takes to read, and to sort.
pub(crate) async fn table(table: &mut Table) {
    const RUNS: usize = 10_000;
    const OUTPUTS: usize = 48;
    let mut text = String::from(
        "id: 01980000-0000-7000-8000-000000000006\nname: table\nparams:\n  seed: { type: int, default: 0 }\nnodes:\n  \
         only:\n    uses: text.template\n    with: { template: \"{{ x }}\", x: \"${{ params.seed }}\" }\noutputs:\n",
    );
    for output in 0..OUTPUTS {
        text += &format!("  out{output}: \"${{{{ params.seed * {} }}}}\"\n", output + 1);
    }
    let daemon = Daemon::start("").await;
    let runs = daemon.submit(&text, RUNS).await;
    daemon.drained().await;
    let (mut opened, mut sorted) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let mut request = runs::Table {
            workflow_id: Some(runs[0].workflow_id),
            limit: Some(1000),
            ..runs::Table::default()
        };
        let mut all = Runs::default();
        let begun = Instant::now();
        loop {
            let page = daemon.client.call(request.clone()).await.unwrap();
            all.add(&page.rows, Time::now());
            request.cursor = page.cursor;
            if request.cursor.is_none() {
                break;
            }
        }
        all.name_columns();
        opened.push(begun.elapsed().as_secs_f64() * 1000.0);
        assert_eq!(all.rows().len(), RUNS);
        let begun = Instant::now();
        all.sort(&mut all.matching(&[]), all.named("out7").unwrap(), true);
        sorted.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    daemon.stop().await;
    table.median("a table of 10,000 runs × 55 columns: read whole", opened, " ms", "–");
    table.median("the same: sorted", sorted, " ms", "–");
}
