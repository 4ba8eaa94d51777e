//! With real worker processes: this test executable plays `fanlight worker`.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fanlight_shared::event::{NodeUpdate, Numbered, StateEvent};
use fanlight_shared::home::Home;
use fanlight_shared::id::{AttemptId, RunId, WorkflowId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::run::{AttemptEnd, NodeStatus, RunStatus};
use fanlight_shared::run_state::{InstanceState, RunState};
use fanlight_shared::testing::{in_time, until};
use fanlight_shared::time::Time;
use fanlight_shared::value::{Value, Values};
use tokio_util::sync::CancellationToken;

use crate::attempt::{Attempt, Outcome, RunFacts};
use crate::hub::Hub;
use crate::node_type::{NodeType, NodeTypes, fake};
use crate::store::Store;
use crate::supervisor::log::{self, StreamTag};
use crate::worker::Workers;

/// Not a test of its own: the process that the helper script of the others becomes.
#[test]
fn body() {
    if std::env::var_os("FANLIGHT_TEST_WORKER").is_some() {
        let types = NodeTypes::built_in();
        types.add(fake::types()).unwrap();
        assert_eq!(crate::worker::serve::main_with(&types.now()), 0);
    }
}

fn node_type(name: &str) -> Arc<NodeType> {
    let types = NodeTypes::built_in();
    types.add(fake::types()).unwrap();
    types.now().get(name).unwrap().clone()
}

/// A daemon's folder with a helper script in it.
struct Place {
    home: tempfile::TempDir,
    store: Store,
}

impl Place {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(&Home::below(home.path()).unwrap()).unwrap();
        Self { home, store }
    }

    fn helper(&self, script: &str) -> PathBuf {
        let path = self.home.path().join("helper");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        path
    }

    fn workers(&self, most: usize) -> Workers {
        let pids = self.home.path().join("pids");
        let test = std::env::current_exe().unwrap();
        let script = format!(
            "echo $$ >> '{}'\nFANLIGHT_TEST_WORKER=1 exec '{}' --exact worker::tests::process::body --nocapture",
            pids.display(),
            test.display()
        );
        self.workers_of(&self.helper(&script), most)
    }

    fn workers_of(&self, helper: &Path, most: usize) -> Workers {
        let attempts = self.home.path().join("attempts");
        Workers::new(helper, most, self.store.blobs().clone(), self.home.path().join("scratch"), attempts)
    }

    fn pids(&self) -> Vec<i32> {
        let text = std::fs::read_to_string(self.home.path().join("pids")).unwrap_or_default();
        text.lines().filter_map(|line| line.parse().ok()).collect()
    }

    /// Returns the number of leftovers in the scratch folder.
    fn left(&self) -> usize {
        let folder = self.home.path().join("scratch/workers");
        std::fs::read_dir(folder).map_or(0, Iterator::count)
    }
}

fn attempt(cancel: &CancellationToken) -> Attempt {
    Attempt {
        id: AttemptId::new(),
        run: Arc::new(RunFacts {
            id: RunId::new(),
            number: 1,
            label: String::new(),
            workflow_id: WorkflowId::new(),
            workflow: "w".into(),
            project: None,
            environment: Arc::default(),
        }),
        node: "sky".into(),
        item: ItemPath::WHOLE,
        number: 1,
        failures: 0,
        spent_before: None,
        cancel: cancel.clone(),
        resources: None,
        time_limit: Default::default(),
        gpus: Vec::new(),
        answer: None,
        secrets: Default::default(),
        has_secrets: false,
        withheld: Default::default(),
        recorder: Default::default(),
        hub: Arc::new(Hub::default()),
    }
}

fn message(outcome: &Outcome) -> &str {
    assert_eq!(outcome.end, AttemptEnd::Failed, "{outcome:?}");
    &outcome.error.as_ref().unwrap().message
}

fn alive(pid: i32) -> bool {
    rustix::process::Pid::from_raw(pid).is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}

/// Runs a node in a worker, to its end.
async fn ended(workers: &Workers, attempt: Attempt, name: &str, inputs: Values) -> Outcome {
    in_time("the end of an attempt", workers.run(attempt, node_type(name), inputs)).await
}

/// Hours of work for a worker.
fn endless() -> Values {
    Values::from([
        ("style".to_owned(), "mandelbrot".into()),
        ("width".to_owned(), Value::Int(16_384)),
        ("height".to_owned(), Value::Int(6_000)),
        ("seed".to_owned(), Value::Int(1)),
        ("palette".to_owned(), "ink".into()),
    ])
}

#[tokio::test]
async fn a_warm_worker_runs_the_next_request_and_leaves_no_folder() {
    let place = Place::new();
    let workers = place.workers(2);
    for _ in 0..3 {
        let outcome =
            ended(&workers, attempt(&CancellationToken::new()), "image.generate", Values::new()).await;
        assert_eq!(message(&outcome), "input `style` is missing");
    }
    assert_eq!(place.pids().len(), 1);
    assert_eq!(place.left(), 0);
    let pid = place.pids()[0];
    drop(workers);
    until("the worker ends with the daemon's pool", || !alive(pid)).await;
}

#[tokio::test]
async fn a_cancel_kills_the_worker_and_frees_its_slot() {
    let place = Place::new();
    let workers = place.workers(1);
    let cancel = CancellationToken::new();
    let busy = tokio::spawn({
        let (workers, attempt) = (workers.clone(), attempt(&cancel));
        async move { ended(&workers, attempt, "image.generate", endless()).await }
    });
    until("the worker starts", || !place.pids().is_empty()).await;
    let waiting = CancellationToken::new();
    let queued = tokio::spawn({
        let (workers, attempt) = (workers.clone(), attempt(&waiting));
        async move { ended(&workers, attempt, "image.generate", endless()).await }
    });
    waiting.cancel();
    assert_eq!(queued.await.unwrap().end, AttemptEnd::Cancelled, "also while it waits for a slot");
    cancel.cancel();
    assert_eq!(busy.await.unwrap().end, AttemptEnd::Cancelled);
    let pid = place.pids()[0];
    until("the worker is gone", || !alive(pid)).await;
    let outcome = ended(&workers, attempt(&CancellationToken::new()), "image.generate", Values::new()).await;
    assert_eq!(message(&outcome), "input `style` is missing");
    assert_eq!((place.pids().len(), place.left()), (2, 0));
}

#[tokio::test]
async fn an_idle_worker_that_was_killed_is_replaced_unnoticed() {
    let place = Place::new();
    let workers = place.workers(1);
    let run = || ended(&workers, attempt(&CancellationToken::new()), "image.generate", Values::new());
    run().await;
    let pid = rustix::process::Pid::from_raw(place.pids()[0]).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    // Its socket closes with the last of its threads; it stays as a zombie until it is asked.
    let folder = std::path::PathBuf::from(format!("/proc/{}", place.pids()[0]));
    let is_zombie = || std::fs::read_to_string(folder.join("stat")).map_or(true, |it| it.contains(") Z "));
    let threads = || std::fs::read_dir(folder.join("task")).map_or(0, Iterator::count);
    until("all of it is dead", || is_zombie() && threads() <= 1).await;
    assert_eq!(message(&run().await), "input `style` is missing");
    assert_eq!(place.pids().len(), 2);
}

#[tokio::test]
async fn an_attempt_is_lost_if_its_worker_is_killed() {
    let place = Place::new();
    for end in ["kill -KILL $$", "kill -TERM $$"] {
        let workers = place.workers_of(&place.helper(&format!("head -c 20 >/dev/null; {end}")), 1);
        let outcome =
            ended(&workers, attempt(&CancellationToken::new()), "image.generate", Values::new()).await;
        assert_eq!(outcome.end, AttemptEnd::Lost, "{outcome:?}");
        assert!(outcome.error.unwrap().message.contains("from outside"));
    }
    assert_eq!(place.left(), 0);
}

#[tokio::test]
async fn a_worker_that_dies_by_itself_fails_its_attempt_with_a_sentence() {
    let place = Place::new();
    let run = async |script: &str| {
        let workers = place.workers_of(&place.helper(script), 1);
        let outcome =
            ended(&workers, attempt(&CancellationToken::new()), "image.generate", Values::new()).await;
        message(&outcome).to_owned()
    };
    for (end, expected) in [
        ("echo no luck >&2; exit 3", "code 3: no luck"),
        ("kill -SEGV $$", "crashed on these bytes (signal 11)"),
        ("echo 'memory allocation of 9 bytes failed' >&2; kill -ABRT $$", "2 GiB of memory"),
    ] {
        // It takes the request first: the frame is longer than this.
        let sentence = run(&format!("head -c 20 >/dev/null; {end}")).await;
        assert!(sentence.contains(expected), "{end}: {sentence}");
    }
    assert_eq!(place.left(), 0);
    let missing = place.workers_of(Path::new("/nonexistent/fanlight"), 1);
    let outcome = ended(&missing, attempt(&CancellationToken::new()), "image.generate", Values::new()).await;
    assert!(message(&outcome).contains("can't be started"));
}

#[tokio::test]
async fn a_worker_that_ends_after_its_response_gets_no_other_request() {
    let place = Place::new();
    let workers = place.workers(1);
    let give_up = || Values::from([("give_up".to_owned(), Value::Bool(true))]);
    for requests in [1, 2, 3] {
        let outcome = ended(&workers, attempt(&CancellationToken::new()), "test.work", give_up()).await;
        assert_eq!(message(&outcome), "it never ends");
        assert_eq!(place.pids().len(), requests, "each has a worker of its own");
    }
}

impl Place {
    async fn until_it_waits(&self) {
        let mut shortage = self.store.shortage();
        let why = in_time("a shortage", shortage.wait_for(Option::is_some)).await.unwrap().clone();
        assert!(why.unwrap().contains("full"));
    }

    /// Published bytes as a file, and what keeps them.
    fn file(&self, bytes: Vec<u8>) -> (Value, crate::store::blob::Published) {
        let published = self.store.blobs().publish(bytes).unwrap();
        let mut file = std::fs::File::open(self.store.blobs().path(published.hash)).unwrap();
        let sniffed = crate::media::sniff(&mut file).unwrap();
        let media = crate::media::describe(sniffed, published.hash, published.bytes, "it.bin");
        (Value::from(media), published)
    }
}

#[tokio::test]
async fn the_inputs_of_a_worker_wait_for_space() {
    let place = Place::new();
    let workers = place.workers(1);
    let (file, _open) = place.file(vec![7; 200_000]);
    let inputs = || Values::from([("file".to_owned(), file.clone())]);
    place.store.blobs().set_full(true);
    let cancel = CancellationToken::new();
    let (outcome, ()) = tokio::join!(ended(&workers, attempt(&cancel), "test.work", inputs()), async {
        place.until_it_waits().await;
        cancel.cancel();
    });
    assert_eq!((outcome.end, place.left()), (AttemptEnd::Cancelled, 0));
    let (outcome, ()) =
        tokio::join!(ended(&workers, attempt(&CancellationToken::new()), "test.work", inputs()), async {
            place.until_it_waits().await;
            assert_eq!(place.left(), 0, "nothing of it takes space");
            place.store.blobs().set_full(false);
        });
    assert_eq!((outcome.end, outcome.error), (AttemptEnd::Completed, None));
    assert_eq!(outcome.values["file"], file);
}

#[tokio::test]
async fn a_worker_with_a_full_disk_continues_once_there_is_space() {
    let place = Place::new();
    let workers = place.workers(1);
    let full = place.home.path().join("full");
    std::fs::write(&full, "").unwrap();
    let inputs = Values::from([("full".to_owned(), Value::from(full.display().to_string()))]);
    let (outcome, ()) =
        tokio::join!(ended(&workers, attempt(&CancellationToken::new()), "test.work", inputs), async {
            place.until_it_waits().await;
            std::fs::remove_file(&full).unwrap();
        });
    assert_eq!((outcome.end, outcome.error), (AttemptEnd::Completed, None));
    assert_eq!((place.pids().len(), place.left()), (1, 0));
}

#[tokio::test]
async fn the_outputs_of_a_worker_are_published_once_the_full_disk_has_space_again() {
    let place = Place::new();
    let workers = place.workers(1);
    let inputs = Values::from([
        ("style".to_owned(), "noise".into()),
        ("width".to_owned(), Value::Int(600)),
        ("height".to_owned(), Value::Int(400)),
        ("seed".to_owned(), Value::Int(1)),
        ("palette".to_owned(), "ink".into()),
    ]);
    place.store.blobs().set_full(true);
    let (outcome, ()) =
        tokio::join!(ended(&workers, attempt(&CancellationToken::new()), "image.generate", inputs), async {
            place.until_it_waits().await;
            place.store.blobs().set_full(false);
        });
    assert_eq!((outcome.end, outcome.error), (AttemptEnd::Completed, None));
    assert!(outcome.values["image"].as_media().unwrap().bytes > 64 << 10, "it does not lie in the database");
}

/// Returns an attempt whose run the hub knows, so that its reports are folded.
fn watched(cancel: &CancellationToken) -> Attempt {
    let attempt = attempt(cancel);
    let mut run = crate::server::tests::run_of(attempt.run.workflow_id, 1, RunStatus::Running);
    run.id = attempt.run.id;
    let mut state = RunState::new([attempt.node.as_str()]);
    let mut update = NodeUpdate::new(&attempt.node, ItemPath::WHOLE, NodeStatus::Running, Time(1));
    update.attempt = Some(1);
    state.fold(&Numbered { seq: 1, event: StateEvent::NodeUpdate(update) });
    attempt.hub.begin(&run, state);
    attempt
}

fn seen(attempt: &Attempt) -> InstanceState {
    attempt.hub.run_state(attempt.run.id).unwrap().nodes[&attempt.node].whole.clone()
}

#[tokio::test]
async fn a_node_in_a_worker_reports_like_a_node_in_the_daemon() {
    let place = Place::new();
    let workers = place.workers(1);
    let attempt = watched(&CancellationToken::new());
    let inputs = Values::from([("say".to_owned(), Value::from("one two three"))]);
    let working = tokio::spawn({
        let (workers, attempt) = (workers.clone(), attempt.clone());
        async move { ended(&workers, attempt, "test.work", inputs).await }
    });
    until("its last word is shown", || seen(&attempt).previews.contains_key("file")).await;
    let node = seen(&attempt);
    assert_eq!(node.progress.as_ref().and_then(|it| it.fraction), Some(1.0));
    assert_eq!((node.metrics["words"], node.last_line.as_deref()), (3.0, Some("warn: that was all")));
    let shown = node.previews["file"].as_media().unwrap();
    assert_eq!((shown.width, shown.name.as_str()), (Some(4), "draft.png"));
    assert!(place.store.blobs().path(shown.hash).exists() || shown.bytes <= 64 << 10);
    attempt.cancel.cancel();
    let outcome = working.await.unwrap();
    assert_eq!((outcome.end, outcome.cost_usd), (AttemptEnd::Cancelled, Some(0.5)), "spent is spent");
    let part = log::read(&place.home.path().join("attempts").join(attempt.id.to_string()), 0, 1000).unwrap();
    let expected = [
        (StreamTag::Reasoning, "which word is first?"),
        (StreamTag::Stdout, "one two three"),
        (StreamTag::Stderr, "warn: that was all\n"),
    ];
    assert_eq!(part.pieces, expected.map(|(stream, text)| (stream, text.as_bytes().to_vec())));
    assert_eq!((part.end, place.left()), (node.log_end, 0), "its scratch folder is gone");
}

#[tokio::test]
async fn a_flood_from_a_worker_is_logged_completely_and_delays_nothing() {
    const LINES: i64 = 20_000;
    let place = Place::new();
    let workers = place.workers(1);
    let attempt = watched(&CancellationToken::new());
    let inputs = Values::from([("flood".to_owned(), Value::Int(LINES))]);
    let outcome = ended(&workers, attempt.clone(), "test.work", inputs).await;
    assert_eq!((outcome.end, outcome.error), (AttemptEnd::Completed, None));
    let node = seen(&attempt);
    assert_eq!((node.log_end, node.metrics["said"]), (100 * LINES as u64, (LINES - 1) as f64));
    let folder = place.home.path().join("attempts").join(attempt.id.to_string());
    let part = log::read(&folder, node.log_end - 200, 1000).unwrap();
    let text: Vec<u8> = part.pieces.into_iter().flat_map(|(_, bytes)| bytes).collect();
    assert_eq!(String::from_utf8(text).unwrap(), format!("{:>99}\n{:>99}\n", LINES - 2, LINES - 1));
}
