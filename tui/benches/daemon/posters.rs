//! Six posters of the example, painted by workers.

use std::time::Instant;

use crate::home::Daemon;
use crate::table::Table;

const POSTER: &str = include_str!("../../../workflows/poster.yaml");
const COUNT: usize = 6;
const REPEAT: usize = 3;

pub(crate) async fn measure(table: &mut Table) {
    let mut times = Vec::new();
    for _ in 0..REPEAT {
        let daemon = Daemon::start("").await;
        let document = format!("id: 01980000-0000-7000-8000-000000000013\n{POSTER}");
        let begun = Instant::now();
        daemon.submit(&document, COUNT).await;
        daemon.drained().await;
        times.push(begun.elapsed().as_secs_f64());
        daemon.stop().await;
    }
    table.median("six posters: seconds", times, " s", "≤ 2.5 s");
}
