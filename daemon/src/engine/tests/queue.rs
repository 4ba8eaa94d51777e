//! Many runs of one workflow.

use std::time::Duration;

use fanlight_shared::rpc::{queue, runs};
use fanlight_shared::run::RunStatus;
use fanlight_shared::value::Value;

use super::super::stop::ClosedQueue;
use super::world::World;

/// Runs until it is cancelled.
const LONG: &str = "
params: { seed: { type: int, default: 1 } }
nodes:
  wait: { uses: util.sleep, with: { seconds: 3600 } }
";

/// Ends at once.
const QUICK: &str = "
params: { seed: { type: int, default: 1 } }
nodes:
  text: { uses: text.template, with: { template: 'seed {{ seed }}', seed: '${{ params.seed }}' } }
outputs: { text: '${{ text.text }}' }
";

fn seeds(range: std::ops::RangeInclusive<i64>) -> Vec<[(&'static str, Value); 1]> {
    range.map(|seed| [("seed", Value::Int(seed))]).collect()
}

fn sets<'a>(seeds: &'a [[(&'a str, Value); 1]]) -> Vec<&'a [(&'a str, Value)]> {
    seeds.iter().map(|set| &set[..]).collect()
}

#[tokio::test]
async fn concurrent_runs_of_one_workflow_run_in_parallel_up_to_the_cap() {
    let world = World::with_cap(3).await;
    let runs = world.try_start(LONG, &sets(&seeds(1..=5))).await.unwrap();
    world.until(|now| now.running == 3 && now.queued == 2).await;
    let states: Vec<RunStatus> = runs.iter().map(|run| world.ended(run.id).run.state).collect();
    assert_eq!(states[..3], [RunStatus::Running; 3]);
    assert_eq!(states[3..], [RunStatus::Queued; 2]);
}

#[tokio::test]
async fn runs_above_the_cap_wait_and_start_first_in_first_out() {
    let world = World::with_cap(1).await;
    let runs = world.try_start(LONG, &sets(&seeds(1..=3))).await.unwrap();
    for (at, run) in runs.iter().enumerate() {
        let waiting = (runs.len() - at - 1) as u32;
        world.until(|now| now.running == 1 && now.queued == waiting).await;
        assert_eq!(world.ended(run.id).run.state, RunStatus::Running, "run {at} should be the one that runs");
        world.cancel(&[run.id]).await;
    }
    world.idle().await;
}

#[tokio::test]
async fn cap_1_reproduces_full_serialisation() {
    let world = World::with_cap(1).await;
    let runs = world.try_start(QUICK, &sets(&seeds(1..=6))).await.unwrap();
    world.idle().await;
    let ended: Vec<_> = runs.iter().map(|run| world.ended(run.id).run).collect();
    for pair in ended.windows(2) {
        assert!(pair[0].start_order < pair[1].start_order);
        assert!(pair[0].ended_at <= pair[1].started_at, "{:?} overlaps {:?}", pair[0].name(), pair[1].name());
    }
}

#[tokio::test]
async fn the_response_to_a_start_has_the_ids_of_queued_and_running_runs() {
    let world = World::with_cap(1).await;
    let runs = world.try_start(LONG, &sets(&seeds(1..=2))).await.unwrap();
    assert_eq!(runs.iter().map(|run| run.state).collect::<Vec<_>>(), [RunStatus::Running, RunStatus::Queued]);
    assert_eq!(runs.iter().map(|run| run.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(runs[1].position, Some(1));
    assert_eq!(world.ended(runs[1].id).run.label, "seed=2");
}

#[tokio::test]
async fn the_same_request_key_gives_the_same_runs() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let runs = world.submit(QUICK, &[&[]], |start| start.request_key = "once".into()).await.unwrap();
        ids.push(runs[0].id);
        world.idle().await;
    }
    assert_eq!(ids[0], ids[1]);
    assert_eq!(world.store.runs(&runs::List::default()).unwrap().rows.len(), 1);
}

#[tokio::test]
async fn next_goes_to_the_head_of_the_queue() {
    let world = World::with_cap(1).await;
    let first = world.start(LONG).await;
    let waits = world.start(LONG).await;
    let urgent = world.submit(LONG, &[&[]], |start| start.next = true).await.unwrap().remove(0);
    world.cancel(&[first.id]).await;
    world.until(|now| now.running == 1 && now.queued == 1).await;
    assert_eq!(world.ended(urgent.id).run.state, RunStatus::Running);
    assert_eq!(world.ended(waits.id).run.state, RunStatus::Queued);
}

#[tokio::test]
async fn the_cap_and_the_pause_change_while_runs_run() {
    let world = World::with_cap(1).await;
    world.try_start(LONG, &sets(&seeds(1..=4))).await.unwrap();
    world.until(|now| now.running == 1).await;
    let set = |cap, paused| queue::Set { max_concurrent_runs: cap, paused };
    world.engine.set_queue(set(Some(3), None)).await.unwrap();
    world.until(|now| now.running == 3 && now.queued == 1).await;
    let queue = world.engine.set_queue(set(Some(1), Some(true))).await.unwrap();
    assert_eq!((queue.running, queue.queued, queue.paused), (3, 1, true), "lowering the cap stops nothing");
    world.engine.cancel(runs::Cancel { running: true, ..runs::Cancel::default() }).await.unwrap();
    world.until(|now| now.running == 0 && now.queued == 1).await;
    world.engine.set_queue(set(None, Some(false))).await.unwrap();
    world.until(|now| now.running == 1 && now.queued == 0).await;
    assert!(world.engine.set_queue(set(Some(0), None)).await.is_err());
}

#[tokio::test]
async fn no_waiting_run_takes_the_slots_of_those_that_a_stop_cancels() {
    let world = World::with_cap(2).await;
    world.try_start(LONG, &sets(&seeds(1..=6))).await.unwrap();
    world.until(|now| now.running == 2 && now.queued == 4).await;
    world.engine.cancel_to_end(Duration::from_secs(30)).await.unwrap();
    let now = *world.engine.activity().borrow();
    assert_eq!((now.running, now.queued), (0, 4), "they stay for the next daemon");
}

#[tokio::test]
async fn waiting_runs_start_again_if_the_daemon_does_not_end() {
    let world = World::with_cap(1).await;
    world.try_start(LONG, &sets(&seeds(1..=2))).await.unwrap();
    world.until(|now| now.running == 1 && now.queued == 1).await;
    let closed = ClosedQueue::new(&world.engine.messages);
    world.engine.cancel(runs::Cancel { running: true, ..runs::Cancel::default() }).await.unwrap();
    world.until(|now| now.running == 0 && now.queued == 1).await;
    drop(closed);
    world.until(|now| now.running == 1 && now.queued == 0).await;
}

#[tokio::test]
async fn cancel_affects_only_the_named_run() {
    let world = World::with_cap(2).await;
    let runs = world.try_start(LONG, &sets(&seeds(1..=4))).await.unwrap();
    world.until(|now| now.running == 2).await;
    let answer = world.cancel(&[runs[1].id, runs[3].id]).await;
    assert_eq!(answer.cancelled, [runs[1].id, runs[3].id]);
    world.until(|now| now.running == 2 && now.queued == 0).await;
    let states: Vec<RunStatus> = runs.iter().map(|run| world.ended(run.id).run.state).collect();
    assert_eq!(states, [RunStatus::Running, RunStatus::Cancelled, RunStatus::Running, RunStatus::Cancelled]);
    assert_eq!(world.cancel(&[runs[1].id]).await.ended, [runs[1].id]);
}

#[tokio::test]
async fn two_runs_of_one_workflow_have_separate_telemetry() {
    let world = World::new().await;
    let document = "
params: { seed: { type: int, default: 1 } }
nodes:
  bad: { uses: util.fail, if: 'params.seed == 2', with: { message: no luck } }
  text: { uses: text.template, with: { template: 'seed {{ seed }}', seed: '${{ params.seed }}' } }
";
    let runs = world.try_start(document, &sets(&seeds(1..=2))).await.unwrap();
    world.idle().await;
    let (first, second) = (world.ended(runs[0].id), world.ended(runs[1].id));
    assert_eq!((first.run.state, second.run.state), (RunStatus::Completed, RunStatus::Failed));
    assert_eq!(first.nodes(), "bad skipped, text completed");
    assert_eq!(second.nodes(), "bad failed, text completed");
    assert_eq!(second.error(), "node `bad` failed: no luck");
}

#[tokio::test]
async fn a_new_run_removes_nothing_of_earlier_ones() {
    let world = World::new().await;
    let first = world.run(QUICK).await;
    world.run(QUICK).await;
    let again = world.ended(first.run.id);
    assert_eq!(again.state, first.state);
    assert_eq!(world.values(first.run.id, "text", "text"), [Some(Value::from("seed 1"))]);
}

#[tokio::test]
async fn products_accumulate_and_other_values_are_evicted_past_10_runs() {
    let world = World::new().await;
    let document = "
params: { seed: { type: int, default: 1 } }
nodes:
  inner: { uses: text.template, with: { template: 'inner {{ seed }}', seed: '${{ params.seed }}' } }
  outer: { uses: text.template, with: { template: 'outer {{ inner }}', inner: '${{ inner.text }}' } }
outputs: { text: '${{ outer.text }}' }
";
    let runs = world.try_start(document, &sets(&seeds(1..=12))).await.unwrap();
    world.idle().await;
    let kept: Vec<bool> = runs.iter().map(|run| world.values(run.id, "inner", "text") != [None]).collect();
    assert_eq!(kept.iter().filter(|kept| **kept).count(), 10);
    assert_eq!(kept[..2], [false, false]);
    let assets = world.store.assets(&fanlight_shared::rpc::assets::List::default()).unwrap().rows;
    assert_eq!(assets.len(), 12, "outputs are assets, without a cap");
    assert_eq!(world.values(runs[0].id, "outer", "text"), [Some(Value::from("outer inner 1"))]);
}

#[tokio::test]
async fn bad_requests_are_refused_and_change_nothing() {
    let world = World::new().await;
    let refused = async |document: &str, sets: &[&[(&str, Value)]]| {
        world.try_start(document, sets).await.expect_err("should be refused").message
    };
    assert!(refused(QUICK, &[&[("seed", Value::from("abc"))]]).await.contains("seed"));
    assert!(refused(QUICK, &[&[("sede", Value::Int(1))]]).await.contains("`seed`"));
    assert!(refused("nodes: { a: { uses: no.such } }", &[&[]]).await.contains("no.such"));
    assert!(refused("nodes: { a: { uses: util.fail, pool: gpuu } }", &[&[]]).await.contains("gpuu"));
    assert!(world.store.runs(&runs::List::default()).unwrap().rows.is_empty());
}

#[tokio::test]
async fn thousands_of_empty_runs_end_one_after_the_other() {
    let world = World::with_cap(2).await;
    let document = "
params: { seed: { type: int } }
nodes: { a: { uses: text.template, if: 'params.seed < 0', with: { template: x } } }
";
    let runs = world.try_start(document, &sets(&seeds(1..=10_000))).await.unwrap();
    world.idle().await;
    let last = world.ended(runs[9_999].id);
    assert_eq!((last.run.state, last.nodes().as_str()), (RunStatus::Completed, "a skipped"));
}

#[tokio::test]
async fn the_engine_decides_only_a_limited_number_of_rows_ahead_of_the_store() {
    let world = World::with_cap(2).await;
    let paused = |paused| queue::Set { max_concurrent_runs: None, paused: Some(paused) };
    world.engine.set_queue(paused(true)).await.unwrap();
    let runs = world.try_start(QUICK, &sets(&seeds(1..=3_000))).await.unwrap();
    let disk = world.hold_the_disk();
    let engine = world.engine.clone();
    let unpaused = tokio::spawn(async move { engine.set_queue(paused(false)).await });
    // On one thread every yield is a turn of the engine, and these are far more than the runs would need.
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    let now = *world.engine.activity().borrow();
    assert!((1..2_900).contains(&now.queued), "{now:?}");
    drop(disk);
    unpaused.await.unwrap().unwrap();
    world.idle().await;
    assert_eq!(world.ended(runs[2_999].id).run.state, RunStatus::Completed);
}

#[tokio::test]
async fn the_limit_of_a_workflow_delays_no_other_workflow() {
    let world = World::with_cap(8).await;
    let limited = LONG.replace("params:", "concurrency: 2\nparams:");
    let runs = world.try_start(&limited, &sets(&seeds(1..=4))).await.unwrap();
    world.until(|now| now.running == 2 && now.queued == 2).await;
    assert_eq!(runs[2].concurrency, Some(2), "lists say what it waits for");
    let other = |start: &mut runs::Start| start.path = Some(world.file("other.yaml"));
    let other = world.submit(LONG, &[&[]], other).await.unwrap().remove(0);
    world.until(|now| now.running == 3 && now.queued == 2).await;
    assert_eq!(world.ended(other.id).run.state, RunStatus::Running);
    world.cancel(&[runs[1].id]).await;
    world.until(|now| now.running == 3 && now.queued == 1).await;
    let states: Vec<RunStatus> = runs.iter().map(|run| world.ended(run.id).run.state).collect();
    assert_eq!(
        states,
        [RunStatus::Running, RunStatus::Cancelled, RunStatus::Running, RunStatus::Queued],
        "first come, first served"
    );
}

#[tokio::test]
async fn the_limit_of_a_workflow_holds_across_a_restart() {
    let mut world = World::with_cap(8).await;
    let limited = LONG.replace("params:", "concurrency: 1\nparams:");
    let runs = world.try_start(&limited, &sets(&seeds(1..=3))).await.unwrap();
    world.until(|now| now.running == 1 && now.queued == 2).await;
    world.restart().await;
    world.until(|now| now.running == 1 && now.queued == 2).await;
    world.cancel(&[runs[0].id]).await;
    world.until(|now| now.running == 1 && now.queued == 1).await;
    assert_eq!(world.ended(runs[1].id).run.state, RunStatus::Running);
}

#[tokio::test]
async fn attempts_with_the_same_lock_never_run_at_once_across_workflows() {
    let world = World::with_cap(8).await;
    let locked = "
params: { target: { type: text, default: a } }
nodes:
  wait: { uses: util.sleep, lock: 'build-${{ params.target }}', with: { seconds: 3600 } }
";
    let first = world.start(locked).await;
    let other = |start: &mut runs::Start| start.path = Some(world.file("other.yaml"));
    let second = world.submit(locked, &[&[]], other).await.unwrap().remove(0);
    let free = world.try_start(locked, &[&[("target", Value::from("b"))]]).await.unwrap().remove(0);
    let third = world.start(locked).await;
    world.until_attempt(first.id, "wait", 1).await;
    world.until_attempt(free.id, "wait", 1).await;
    let attempts = |run: &fanlight_shared::run::Run| world.ended(run.id).state.nodes["wait"].whole.attempt();
    assert_eq!((attempts(&second), attempts(&third)), (0, 0));
    // A run that gives up while it waits doesn't block the lock.
    world.cancel(&[second.id]).await;
    world.cancel(&[first.id]).await;
    world.until_attempt(third.id, "wait", 1).await;
    assert_eq!(attempts(&second), 0);
}

#[tokio::test]
async fn a_lock_without_a_name_fails_its_node() {
    let world = World::new().await;
    let ended = world
        .run("params: { target: { type: text, default: '' } }\nnodes: { a: { uses: util.sleep, lock: '${{ params.target }}', with: { seconds: 0 } } }")
        .await;
    assert!(ended.error().contains("`lock`"), "{}", ended.error());
}
