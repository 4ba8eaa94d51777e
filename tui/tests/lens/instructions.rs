//! How many instructions the debug executable needs for what happens most often, counted by callgrind: other work on the
//! machine does not change them, unlike times.
//!
//! `UPDATE_INSTRUCTIONS=1` writes the table again.

#[path = "instructions/callgrind.rs"]
mod callgrind;
#[path = "instructions/table.rs"]
mod table;

use std::collections::HashSet;

use fanlight_shared::client::{Client, Notifications};
use fanlight_shared::event::DaemonEvent;
use fanlight_shared::home::Home;
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::runs::{ParamSet, Start};
use fanlight_shared::rpc::watch::{Notification, Watch};
use fanlight_shared::testing::{in_time, skip, wait_for};
use fanlight_shared::value::Value;
use indexmap::IndexMap;

use crate::support::{Fanlight, Running};
use crate::terminal::Opening;
use callgrind::Counted;
use table::Table;

/// Inline nodes of a run, and results that another run reuses.
const NODES: usize = 5;
/// Runs that are counted, of each kind; few enough for half a minute in all.
const RUNS: usize = 20;
/// How many per cent more than in the table are too many. The counts of one executable differ by less, except those of frames,
/// in which keys and responses meet as they come.
const TOLERANCE: u64 = 10;

/// Keys whose frames are counted.
const KEYS: u64 = 20;

const HEAD: &str = "params:\n  seed: { type: int, default: 0 }\nnodes:\n";

/// A chain of inline nodes.
fn chain() -> String {
    let node = |nth: usize| {
        let from = if nth == 0 { "params.seed".to_owned() } else { format!("n{}.text", nth - 1) };
        format!(
            "  n{nth}: {{ uses: text.template, with: {{ template: \"{{{{ x }}}}\", x: \"${{{{ {from} }}}}\" }} }}\n"
        )
    };
    format!("id: 01980000-0000-7000-8000-000000000021\n{HEAD}{}", (0..NODES).map(node).collect::<String>())
}

/// Nodes whose results are the same in every run.
fn cached() -> String {
    let node = |nth: usize| {
        format!(
            "  n{nth}: {{ uses: image.generate, with: {{ width: 8, height: 8, seed: {nth} }}, keep: false }}\n"
        )
    };
    format!("id: 01980000-0000-7000-8000-000000000022\n{HEAD}{}", (0..NODES).map(node).collect::<String>())
}

/// One command.
fn command() -> String {
    format!("id: 01980000-0000-7000-8000-000000000023\n{HEAD}  n: {{ cmd: [\"true\"] }}\n")
}

/// A client that waits for the ends of runs without a request.
struct Watcher {
    client: Client,
    notifications: Notifications,
}

impl Watcher {
    async fn of(fanlight: &Fanlight) -> Self {
        let status = fanlight.say(&["daemon", "status", "--json"]).exits(0).json().remove(0);
        let mut home = Home::below(&fanlight.path("../h")).unwrap();
        home.socket = status["socket"].as_str().unwrap().into();
        let client = Client::connect(&home).await.unwrap();
        let notifications = client.notifications().unwrap();
        client.call(Watch { registry: true, ..Watch::default() }).await.unwrap();
        Self { client, notifications }
    }

    /// Starts runs in one submission, and waits until they have ended.
    async fn runs(&mut self, document: &str, count: usize) {
        let set = |seed: usize| ParamSet {
            params: IndexMap::from([("seed".to_owned(), Value::Int(i64::try_from(seed).unwrap()))]),
            ..ParamSet::default()
        };
        let start = Start {
            document: document.to_owned(),
            sets: (0..count).map(set).collect(),
            request_key: RunId::new().to_string(),
            ..Start::default()
        };
        let started = self.client.call(start).await.unwrap();
        let mut open: HashSet<RunId> = started.runs.iter().map(|run| run.id).collect();
        while !open.is_empty() {
            let next = in_time("the end of a run", self.notifications.recv()).await.expect("a daemon");
            if let Notification::Daemon { event: DaemonEvent::RunUpdate { run }, .. } = next
                && run.ended_at.is_some()
            {
                open.remove(&run.id);
            }
        }
    }
}

/// Counts what the daemon does.
async fn count_daemon(fanlight: &Fanlight, counted: &mut Counted, table: &mut Table) {
    let mut watcher = Watcher::of(fanlight).await;
    let (chain, cached, command) = (chain(), cached(), command());
    // What is done once is done before.
    for document in [&chain, &cached, &command] {
        watcher.runs(document, 3).await;
    }
    counted.begin();
    for (what, document, nodes) in [("an inline node", &chain, NODES), ("a cached node", &cached, NODES)] {
        // What a submission costs is in both counts.
        watcher.runs(document, RUNS).await;
        let few = counted.count();
        watcher.runs(document, 2 * RUNS).await;
        table.row(what, counted.count().saturating_sub(few) / (RUNS * nodes) as u64, TOLERANCE);
    }
    for _ in 0..RUNS {
        watcher.runs(&command, 1).await;
    }
    table.row("a start of a command", counted.count() / RUNS as u64, TOLERANCE);
}

/// Counts what the UI does for a key that moves the selection.
fn count_ui(fanlight: &Fanlight, table: &mut Table) {
    fanlight.file("flow.yaml", &chain());
    let counted = Counted::new("ui");
    let words = counted.words();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let opening = Opening::new("valgrind", fanlight.path("")).arguments(&words);
    let mut ui = opening.environment(fanlight.environment()).size(120, 40).open();
    ui.wait_for("flow.yaml");
    ui.press(&["enter"]);
    ui.wait_for("n4");
    let mut counted = counted.of(ui.pid());
    let mut keys = |count: u64| {
        for nth in 0..count {
            let before = ui.paints();
            ui.press(&[if nth % 2 == 0 { "right" } else { "left" }]);
            wait_for("a frame", || ui.paints() > before);
        }
        ui.paints()
    };
    counted.begin();
    let before = keys(4);
    counted.count();
    // A response may take a frame of its own.
    let painted = keys(KEYS) - before;
    table.row("a frame of the UI", counted.count() / painted, 3 * TOLERANCE);
}

#[test]
fn starts_nodes_and_frames_need_no_more_instructions_than_before() {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) || !callgrind::is_here() {
        return skip("there is no valgrind, or it can't control what it runs");
    }
    let mut table = Table::read();
    let fanlight = Fanlight::new();
    let counted = Counted::new("daemon");
    let mut command = fanlight.program("valgrind");
    command.args(counted.words()).arg("daemon");
    let running = Running::of(command);
    wait_for("a daemon", || fanlight.say(&["daemon", "status"]).code == 0);
    let mut counted = counted.of(running.pid());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(count_daemon(&fanlight, &mut counted, &mut table));
    fanlight.say(&["daemon", "stop"]).exits(0);
    running.ends();
    // It starts a daemon that is not counted.
    count_ui(&fanlight, &mut table);
    table.compare();
}
