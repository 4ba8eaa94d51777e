//! One run with 100,000 inline items.

use std::time::Instant;

use crate::home::Daemon;
use crate::process::{field, mib};
use crate::table::Table;

const ITEMS: &str = "id: 01980000-0000-7000-8000-000000000012\nname: items\nparams:\n  seed: { type: int, default: 0 }\n\
                     nodes:\n  all:\n    each: \"${{ range(params.seed) }}\"\n    uses: text.template\n    with: { template: \"{{ x }}\", x: \"${{ item }}\" }\n";
const COUNT: usize = 100_000;
const REPEAT: usize = 3;

pub(crate) async fn measure(table: &mut Table) {
    let (mut times, mut peaks) = (Vec::new(), Vec::new());
    for _ in 0..REPEAT {
        let daemon = Daemon::start("").await;
        let begun = Instant::now();
        // The param is the number of items.
        daemon.submit_seeds(ITEMS, COUNT..COUNT + 1).await;
        daemon.drained().await;
        times.push(begun.elapsed().as_secs_f64());
        peaks.push(field(daemon.pid, "VmHWM:"));
        daemon.stop().await;
    }
    peaks.sort_unstable();
    table.median("one run of 100,000 inline items: seconds", times, " s", "≤ 1.5 s");
    table.row("the same: most resident memory of the daemon", mib(peaks[REPEAT / 2]), "median".into(), "–");
}
