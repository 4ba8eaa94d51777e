//! 1,000 runs of ten no-op nodes, durable, against a bare SQLite loop that writes the same rows.

use std::time::{Duration, Instant};

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params_from_iter};

use crate::home::Daemon;
use crate::table::Table;

const RUNS: usize = 1_000;
const NODES: usize = 10;
const REPEAT: usize = 5;

fn workflow() -> String {
    let mut text = String::from(
        "id: 01980000-0000-7000-8000-000000000002\nname: chain\nparams:\n  seed: { type: int, default: 0 }\nnodes:\n",
    );
    for node in 0..NODES {
        let from = match node {
            0 => "params.seed".to_owned(),
            later => format!("n{}.text", later - 1),
        };
        text += &format!(
            "  n{node}:\n    uses: text.template\n    with: {{ template: \"{{{{ x }}}}\", x: \"${{{{ {from} }}}}\" }}\n"
        );
    }
    text
}

pub(crate) async fn measure(table: &mut Table) {
    let mut rates = Vec::new();
    let mut small = Vec::new();
    let mut large = Vec::new();
    for _ in 0..REPEAT {
        let daemon = Daemon::start("").await;
        let begun = Instant::now();
        daemon.submit(&workflow(), RUNS).await;
        daemon.drained().await;
        let ours = begun.elapsed().as_secs_f64();
        let database = daemon.home.database();
        rates.push((RUNS * NODES) as f64 / ours);
        small.push(bare(&database, 100).as_secs_f64() / ours);
        large.push(bare(&database, 5_000).as_secs_f64() / ours);
        daemon.stop().await;
    }
    table.median("1,000 runs × 10 no-op nodes: nodes a second", rates, "", "≥ 3 × Node-RED (11,000)");
    table.median("the same over a bare SQLite loop, 100 rows a commit", small, " ×", "≥ 0.5 ×");
    table.median("the same over a bare SQLite loop, 5,000 rows a commit", large, " ×", "≥ 0.5 ×");
}

/// Writes the rows of runs, events and values that the daemon wrote once more, straight into SQLite.
fn bare(database: &std::path::Path, group: usize) -> Duration {
    let from = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let folder = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut to = Connection::open(folder.path().join("bare.db")).unwrap();
    to.pragma_update(None, "journal_mode", "WAL").unwrap();
    to.pragma_update(None, "synchronous", "FULL").unwrap();
    to.pragma_update(None, "wal_autocheckpoint", 4000).unwrap();
    let mut schema = from
        .prepare(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name IN ('run', 'event', 'value')",
        )
        .unwrap();
    let schema: Vec<String> = schema.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    schema.iter().for_each(|sql| to.execute_batch(sql).unwrap());
    let mut rows: Vec<(String, Vec<Value>)> = Vec::new();
    // Eight runs interleaved, as they execute.
    for (table, order) in [("run", "key"), ("event", "run / 8, seq, run"), ("value", "run / 8, node, run")] {
        let mut statement = from.prepare(&format!("SELECT * FROM {table} ORDER BY {order}")).unwrap();
        let columns = statement.column_count();
        let marks = vec!["?"; columns].join(", ");
        let mut found = statement.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let values = (0..columns).map(|at| row.get(at).unwrap()).collect();
            rows.push((format!("INSERT INTO {table} VALUES ({marks})"), values));
        }
    }
    let begun = Instant::now();
    for group in rows.chunks(group) {
        let transaction = to.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
        for (sql, values) in group {
            transaction.prepare_cached(sql).unwrap().execute(params_from_iter(values)).unwrap();
        }
        transaction.commit().unwrap();
    }
    begun.elapsed()
}
