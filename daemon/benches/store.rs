//! Measures the store, as ratios and percentiles: `cargo bench -p fanlight-daemon --bench store`.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, clippy::cast_possible_truncation)]

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use fanlight_daemon::store::{Batch, Committed, NewAsset, NewRun, NewVersion, Op, Store, StoreError, Submit};
use fanlight_shared::asset::{Asset, AssetKind, PreviewState};
use fanlight_shared::environment::Environment;
use fanlight_shared::event::{NodeUpdate, Numbered, StateEvent};
use fanlight_shared::home::Home;
use fanlight_shared::id::{AssetId, RunId, SubmissionId, Version};
use fanlight_shared::item::ItemPath;
use fanlight_shared::lineage::MadeWith;
use fanlight_shared::origin::Fresh;
use fanlight_shared::rpc::{assets, runs};
use fanlight_shared::run::{NodeStatus, Run, RunStatus};
use fanlight_shared::run_state::Summary;
use fanlight_shared::time::Time;
use fanlight_shared::value::{Value, Values};
use indexmap::IndexMap;

const RUNS: usize = 1_000;
const NODES: u64 = 10;
const IN_FLIGHT: usize = 8;

fn main() {
    rows_per_second();
    enqueue();
    pages_of_runs();
    pages_of_assets();
}

fn at(folder: &tempfile::TempDir) -> Store {
    Store::open(&Home::below(&folder.path().join("home")).unwrap()).unwrap()
}

fn folder() -> tempfile::TempDir {
    tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

fn commit(store: &Store, ops: Vec<Op>) -> Committed {
    let (send, receive) = channel::<Result<Committed, StoreError>>();
    let after: fanlight_daemon::store::After = Box::new(move |answer| send.send(answer).unwrap());
    store.write(Batch { ops, must: true, after: Some(after), ..Batch::default() });
    receive.recv().unwrap().unwrap()
}

fn submit(store: &Store, workflow: usize, count: usize) -> Vec<Run> {
    let document = format!("name: {workflow}");
    let submit = Submit {
        request_key: RunId::new().to_string(),
        workflow_id: None,
        path: Some(format!("/home/ada/{workflow}.yaml")),
        slug: "poster".into(),
        title: "Seaside poster".into(),
        version: NewVersion {
            hash: Version::of(&document),
            document,
            nodes: (0..NODES).map(|node| format!("node_{node}")).collect(),
            edges: Vec::new(),
            concurrency: None,
            on_end: Vec::new(),
        },
        digest: fanlight_shared::id::BlobHash::of(b""),
        submission: SubmissionId::new(),
        priority: None,
        at: Time::now(),
        runs: (0..count)
            .map(|seed| NewRun {
                id: RunId::new(),
                label: format!("seed={seed}"),
                params: IndexMap::from([
                    ("seed".to_owned(), Value::Int(seed as i64)),
                    ("place".to_owned(), Value::from("Brighton")),
                ]),
            })
            .collect(),
        blobs: Vec::new(),
        environment: Environment::default(),
        made_with: MadeWith::default(),
        fresh: Fresh::default(),
        next: false,
        resume: None,
        sweep: None,
        parent: None,
        trial: None,
        files: fanlight_daemon::store::ChildFiles::default(),
    };
    commit(store, vec![Op::Submit(submit.into())]).submitted.unwrap().runs
}

fn node_event(node: u64) -> Numbered {
    let mut update =
        NodeUpdate::new(&format!("node_{node}"), ItemPath::WHOLE, NodeStatus::Completed, Time::now());
    update.attempt = Some(1);
    update.outputs = Values::from([("value".to_owned(), Value::Int(node as i64))]);
    Numbered { seq: node + 1, event: StateEvent::NodeUpdate(update) }
}

/// Returns every node of every run, with `IN_FLIGHT` runs interleaved.
fn order() -> impl Iterator<Item = (usize, u64)> {
    (0..RUNS / IN_FLIGHT).flat_map(|group| {
        (0..NODES).flat_map(move |node| (0..IN_FLIGHT).map(move |run| (group * IN_FLIGHT + run, node)))
    })
}

/// Measures no-op nodes, each of which is an event and a value.
fn rows_per_second() {
    let rows = (RUNS as u64 * NODES * 2) as f64;
    let mut ratios = Vec::new();
    for _ in 0..5 {
        let bare = bare_loop();
        let ours = writer();
        println!(
            "no-op nodes: writer {:.0} rows/s, bare loop {:.0} rows/s, ratio {:.2}",
            rows / ours.as_secs_f64(),
            rows / bare.as_secs_f64(),
            bare.as_secs_f64() / ours.as_secs_f64()
        );
        ratios.push(bare.as_secs_f64() / ours.as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    println!("no-op nodes: median ratio {:.2} (promise: at least 0.5)", ratios[ratios.len() / 2]);
}

fn writer() -> Duration {
    let folder = folder();
    let store = at(&folder);
    let runs = submit(&store, 0, RUNS);
    let batches: Vec<Vec<Op>> = order()
        .map(|(run, node)| {
            let run = runs[run].id;
            let values = Values::from([("value".to_owned(), Value::Int(node as i64))]);
            let node_name = format!("node_{node}");
            vec![
                Op::Event { run, event: node_event(node).into() },
                Op::Values {
                    run,
                    node: node_name,
                    item: ItemPath::WHOLE,
                    values,
                    bodies: Default::default(),
                    cache_key: None,
                },
            ]
        })
        .collect();
    let start = Instant::now();
    for ops in batches {
        store.write(Batch {
            ops,
            must: true,
            after: Some(Box::new(|answer| drop(answer.unwrap()))),
            ..Batch::default()
        });
    }
    commit(&store, Vec::new());
    start.elapsed()
}

/// Writes the same rows in a bare loop, 10,000 per transaction, which is the writer's maximum.
fn bare_loop() -> Duration {
    let folder = folder();
    let mut db = rusqlite::Connection::open(folder.path().join("bare.db")).unwrap();
    db.pragma_update(None, "journal_mode", "WAL").unwrap();
    db.pragma_update(None, "synchronous", "FULL").unwrap();
    db.execute_batch(
        "CREATE TABLE event (run INTEGER NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (run, seq)) \
         WITHOUT ROWID; \
         CREATE TABLE value (run INTEGER NOT NULL, node TEXT NOT NULL, item INTEGER NOT NULL, port TEXT NOT NULL, \
         body TEXT, large BLOB, PRIMARY KEY (run, node, item, port)) WITHOUT ROWID;",
    )
    .unwrap();
    let rows: Vec<_> = order()
        .map(|(run, node)| {
            let body = serde_json::to_string(&node_event(node).event).unwrap();
            (run as i64, node as i64 + 1, body, format!("node_{node}"), node.to_string())
        })
        .collect();
    let start = Instant::now();
    for rows in rows.chunks(5_000) {
        let transaction = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
        {
            let mut event = transaction.prepare_cached("INSERT INTO event VALUES (?1, ?2, ?3)").unwrap();
            let mut value = transaction
                .prepare_cached("INSERT INTO value VALUES (?1, ?2, -1, 'value', ?3, NULL)")
                .unwrap();
            for (run, seq, body, node, json) in rows {
                event.execute(rusqlite::params![run, seq, body]).unwrap();
                value.execute(rusqlite::params![run, node, json]).unwrap();
            }
        }
        transaction.commit().unwrap();
    }
    start.elapsed()
}

fn enqueue() {
    let folder = folder();
    let store = at(&folder);
    let mut times: Vec<Duration> = (0..5)
        .map(|_| {
            let start = Instant::now();
            submit(&store, 0, 10_000);
            start.elapsed()
        })
        .collect();
    say("enqueue of 10,000 runs (promise: 300 ms)", &mut times);
}

fn pages_of_runs() {
    let folder = folder();
    let store = at(&folder);
    let mut all = Vec::new();
    for workflow in 0..10 {
        all.extend(submit(&store, workflow, 10_000));
    }
    let states = [RunStatus::Completed, RunStatus::Failed, RunStatus::Cancelled, RunStatus::Completed];
    for (chunk, runs) in all[..90_000].chunks(5_000).enumerate() {
        let ops = runs.iter().enumerate().map(|(index, run)| {
            let summary = Summary {
                status: states[(index + chunk) % states.len()],
                started_at: Some(Time(1)),
                start_order: Some(index as u64),
                ended_at: Some(Time(2)),
                error: None,
                nodes_done: 1,
                spent: Default::default(),
            };
            Op::Row { run: run.id, summary }
        });
        commit(&store, ops.collect());
    }
    let workflow_id = Some(all[35_000].workflow_id);
    let lists = [
        ("all", runs::List::default()),
        ("failed", runs::List { states: vec![RunStatus::Failed], ..runs::List::default() }),
        ("of a workflow", runs::List { workflow_id, ..runs::List::default() }),
        ("queued", runs::List { states: vec![RunStatus::Queued], ..runs::List::default() }),
    ];
    for (name, list) in lists {
        let mut times = pages(400, |place| {
            let cursor = Some((1 + place * 100_000 / 400).to_string());
            store.runs(&runs::List { cursor: cursor.filter(|_| place > 0), ..list.clone() }).unwrap();
        });
        say(&format!("page of 100 among 100,000 runs, {name} (promise: p99 5 ms)"), &mut times);
    }
}

fn pages_of_assets() {
    let folder = folder();
    let store = at(&folder);
    let mut all = Vec::new();
    for workflow in 0..10 {
        all.extend(submit(&store, workflow, 100));
    }
    let start = Instant::now();
    let kinds = [AssetKind::Image, AssetKind::Text, AssetKind::Number, AssetKind::Json];
    for index in 0..1_000_u32 {
        let ops = all.iter().enumerate().map(|(place, run)| {
            let number = index as usize + place;
            Op::Asset(new_asset(run, index, kinds[number % kinds.len()], number.is_multiple_of(100)).into())
        });
        store.write(Batch { ops: ops.collect(), must: true, ..Batch::default() });
        if index % 50 == 0 {
            commit(&store, Vec::new());
        }
    }
    commit(&store, Vec::new());
    println!("1,000,000 assets stored in {:.1} s", start.elapsed().as_secs_f64());
    let workflow_id = Some(all[350].workflow_id);
    let node = Some("node_3".to_owned());
    let kind = Some(AssetKind::Text);
    let none = assets::List::default;
    let lists = [
        ("all", none()),
        ("of a workflow", assets::List { workflow_id, ..none() }),
        ("of a node", assets::List { workflow_id, node, ..none() }),
        ("of a run", assets::List { run_id: Some(all[350].id), ..none() }),
        ("of a kind", assets::List { kind, ..none() }),
        ("of a kind in a workflow", assets::List { workflow_id, kind, ..none() }),
        ("starred", assets::List { starred: true, ..none() }),
    ];
    for (name, list) in lists {
        let mut times = pages(400, |place| {
            let cursor = Some((1 + place * 1_000_000 / 400).to_string());
            store.assets(&assets::List { cursor: cursor.filter(|_| place > 0), ..list.clone() }).unwrap();
        });
        say(&format!("gallery page of 100 among 1,000,000 assets, {name} (promise: p99 10 ms)"), &mut times);
    }
}

fn new_asset(run: &Run, index: u32, kind: AssetKind, starred: bool) -> NewAsset {
    let asset = Asset {
        id: AssetId::new(),
        workflow: run.workflow.clone(),
        run: run.name(),
        node: format!("node_{}", index % NODES as u32),
        item: ItemPath::item(index),
        port: "value".into(),
        kind,
        mime: "text/plain".into(),
        bytes: 20,
        name: format!("value-{index}.txt"),
        created_at: Time::now(),
        starred,
        ordinal: 0,
        workflow_id: run.workflow_id,
        run_id: run.id,
        value: Value::from("Greetings from Brighton"),
        preview: PreviewState::None,
    };
    NewAsset { asset, attempt: 1, duration_ms: 1, cost_usd: None }
}

/// Reads pages from all over the list, in an irregular order.
fn pages(count: usize, page: impl Fn(usize)) -> Vec<Duration> {
    (0..count)
        .map(|index| {
            let place = index * 7919 % count;
            let start = Instant::now();
            page(place);
            start.elapsed()
        })
        .collect()
}

fn say(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |part: usize| times[(times.len() * part / 100).min(times.len() - 1)].as_secs_f64() * 1000.0;
    println!("{what}: p50 {:.2} ms, p99 {:.2} ms", at(50), at(99));
}
