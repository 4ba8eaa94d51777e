//! Results that runs reuse: how many a second, and what sharing costs where 100 runs need the same four nodes.

use std::time::Instant;

use crate::home::Daemon;
use crate::table::Table;

const RUNS: usize = 1_000;
const NODES: usize = 10;
const REPEAT: usize = 5;

/// The head of a workflow with a param that only the last node reads.
const HEAD: &str = "name: cached\nparams:\n  seed: { type: int, default: 0 }\nnodes:\n";

/// How long each of the shared commands and the last one take, in seconds.
const COMMANDS: (&str, &str) = ("0.5", "0.1");

pub(crate) async fn measure(table: &mut Table) {
    rate(table).await;
    sharing(table).await;
}

/// Runs whose nodes are all stored already, but for one that is computed in the engine's loop.
async fn rate(table: &mut Table) {
    let mut text = format!("id: 01980000-0000-7000-8000-000000000011\n{HEAD}");
    for node in 0..NODES {
        text += &format!(
            "  n{node}:\n    uses: image.generate\n    with: {{ width: 8, height: 8, seed: {node} }}\n    keep: false\n"
        );
    }
    text +=
        "  own:\n    uses: text.template\n    with: { template: \"{{ x }}\", x: \"${{ params.seed }}\" }\n";
    let mut rates = Vec::new();
    for _ in 0..REPEAT {
        let daemon = Daemon::start("").await;
        daemon.submit(&text, 1).await;
        daemon.drained().await;
        let begun = Instant::now();
        daemon.submit(&text, RUNS).await;
        daemon.drained().await;
        rates.push((RUNS * NODES) as f64 / begun.elapsed().as_secs_f64());
        daemon.stop().await;
    }
    table.median("1,000 runs × 10 cached nodes: nodes a second", rates, "", "≥ 10,000");
}

/// 100 runs that differ only in the last of five nodes, over the first four once and the last one 100 times.
async fn sharing(table: &mut Table) {
    let (shared, last) = COMMANDS;
    let mut chain = String::new();
    for node in 0..4 {
        let from = if node == 0 { "1".to_owned() } else { format!("\"${{{{ n{}.stdout }}}}\"", node - 1) };
        chain += &format!(
            "  n{node}:\n    run: sleep {shared}; echo {node}\n    with: {{ x: {from} }}\n    remember: true\n"
        );
    }
    let own = |from: &str| {
        format!(
            "  own:\n    run: sleep {last}; echo \"$seed\"\n    with: {{ seed: \"${{{{ params.seed }}}}\", x: {from} }}\n"
        )
    };
    let all =
        format!("id: 01980000-0000-7000-8000-000000000012\n{HEAD}{chain}{}", own("\"${{ n3.stdout }}\""));
    let first =
        format!("id: 01980000-0000-7000-8000-000000000013\n{HEAD}{chain}{}", own("\"${{ n3.stdout }}\""));
    let alone = format!("id: 01980000-0000-7000-8000-000000000014\n{HEAD}{}", own("1"));
    let mut ratios = Vec::new();
    for _ in 0..REPEAT {
        let (mut ideal, mut ours) = (0.0, 0.0);
        for (text, runs, is_ideal) in [(&first, 1, true), (&alone, 99, true), (&all, 100, false)] {
            // Each has its own results.
            let daemon = Daemon::start("").await;
            let begun = Instant::now();
            daemon.submit(text, runs).await;
            daemon.drained().await;
            *(if is_ideal { &mut ideal } else { &mut ours }) += begun.elapsed().as_secs_f64();
            daemon.stop().await;
        }
        ratios.push(ours / ideal);
    }
    table.median(
        "100 runs that differ in the last of five nodes, over the first four once and the last 100 times",
        ratios,
        " ×",
        "≤ 1.1 ×",
    );
}
