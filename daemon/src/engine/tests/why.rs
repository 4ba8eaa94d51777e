//! What runs and nodes wait for.

use fanlight_shared::id::RunId;
use fanlight_shared::rpc::queue;
use fanlight_shared::rpc::why::{Explanation, ReasonKind, Why};
use fanlight_shared::run::RunStatus;

use super::world::World;
use crate::config::Config;
use crate::machine::ResourceSettings;

async fn why(world: &World, run: RunId, node: Option<&str>) -> Explanation {
    let why = Why { run, node: node.map(str::to_owned) };
    world.engine.why(why).await.unwrap().expect("the run is open")
}

/// Returns the reasons as lines: node, kind, text and holders.
async fn lines(world: &World, run: RunId, node: Option<&str>) -> Vec<String> {
    let line = |reason: fanlight_shared::rpc::why::Reason| {
        let node = reason.node.unwrap_or_else(|| "-".into());
        let items = if reason.items == 0 { String::new() } else { format!("×{}", reason.items) };
        let text = format!("{node}{items} {}: {} {:?}", reason.kind.word(), reason.text, reason.holders);
        text.trim_end_matches(" []").to_owned()
    };
    why(world, run, node).await.reasons.into_iter().map(line).collect()
}

#[tokio::test]
async fn a_waiting_run_names_the_runs_that_have_the_slots_and_how_many_are_before_it() {
    let world = World::with_cap(1).await;
    let runs = world.try_start("nodes: { a: { run: hang } }", &[&[], &[], &[]]).await.unwrap();
    world.until(|now| now.running == 1 && now.queued == 2).await;
    let second = lines(&world, runs[1].id, None).await;
    assert_eq!(second, ["- slots: waits for a slot: 1 at once [\"story#1\"]"]);
    let third = lines(&world, runs[2].id, None).await;
    assert_eq!(third, ["- slots: waits for a slot: 1 at once; one run is before it [\"story#1\"]"]);
    assert_eq!(why(&world, runs[2].id, None).await.nodes_after, 1);

    let pause = queue::Set { paused: Some(true), ..queue::Set::default() };
    world.engine.set_queue(pause).await.unwrap();
    assert_eq!(lines(&world, runs[1].id, None).await, ["- paused: waits because the queue is paused"]);
}

#[tokio::test]
async fn a_limit_of_the_workflow_is_a_reason_of_its_own() {
    let world = World::new().await;
    let limited = "{ concurrency: 1, nodes: { a: { run: hang } } }";
    let runs = world.try_start(limited, &[&[], &[]]).await.unwrap();
    world.until(|now| now.running == 1 && now.queued == 1).await;
    let expected = "- concurrency: waits because `concurrency: 1` of its workflow is reached [\"story#1\"]";
    assert_eq!(lines(&world, runs[1].id, None).await, [expected]);
}

#[tokio::test]
async fn a_node_names_the_nodes_and_the_lock_that_it_waits_for() {
    let world = World::new().await;
    let first = world.start("nodes: { a: { run: hang, lock: build } }").await;
    world.until_attempt(first.id, "a", 1).await;
    let flow = "nodes: { b: { run: hang, lock: build }, c: { run: hang, needs: b }, d: { run: hang, needs: [b, c] } }";
    let second = world.start(flow).await;
    world.until(|now| now.running == 2).await;
    let lock = "b lock: waits for the lock `build` [\"story#1 a\"]";
    assert_eq!(lines(&world, second.id, None).await, [lock]);
    assert_eq!(why(&world, second.id, None).await.nodes_after, 2);
    assert_eq!(lines(&world, second.id, Some("d")).await, ["d upstream: waits for `b` and `c`"]);
    let running = why(&world, first.id, Some("a")).await.reasons.remove(0);
    assert_eq!((running.kind, running.text.as_str()), (ReasonKind::Running, "runs"));
    assert!(running.since.is_some());

    let typo = Why { run: second.id, node: Some("bb".into()) };
    let error = world.engine.why(typo).await.unwrap_err();
    assert_eq!(error.message, "story#2 has no node `bb`; did you mean `b`?");
}

#[tokio::test]
async fn a_node_names_the_amounts_that_it_waits_for_and_who_uses_them() {
    let resources = ResourceSettings { cpus: Some(4000), memory: Some(8_000_000_000), gpus: None };
    let world = World::with(Config { resources, ..Config::default() }).await;
    let first = world.start("nodes: { a: { run: hang, resources: { cpus: 3, memory: 2GB } } }").await;
    world.until_attempt(first.id, "a", 1).await;
    let large = world.start("nodes: { b: { run: hang, resources: { cpus: 2, memory: 4GB } } }").await;
    let wait = "waits for 2 CPUs and 4 GB of memory: 1 of 4 CPUs and 6 GB of 8 GB are free";
    let expected = format!("b resources: {wait} [\"story#1 a\"]");
    while lines(&world, large.id, None).await != [expected.as_str()] {
        tokio::task::yield_now().await;
    }
    let small = world.start("nodes: { c: { run: hang, resources: { cpus: 1 } } }").await;
    let wait = "waits for 1 CPU: 1 of 4 CPUs are free, kept for story#2 b, which came earlier";
    let expected = format!("c resources: {wait} [\"story#1 a\"]");
    while lines(&world, small.id, None).await != [expected.as_str()] {
        tokio::task::yield_now().await;
    }
    world.fake.finish("a");
    world.until_attempt(large.id, "b", 1).await;
    world.until_attempt(small.id, "c", 1).await;
}

#[tokio::test]
async fn items_with_the_same_reason_are_one_line() {
    let world = World::new().await;
    let run = world.start("nodes: { a: { each: '${{ [1, 2, 3] }}', run: hang, lock: one } }").await;
    world.until_state(run.id, |state| state.nodes["a"].items.values().any(|it| it.attempt() == 1)).await;
    let expected = ["a×1 running: runs", "a×2 lock: waits for the lock `one` [\"story#1 a[0]\"]"];
    assert_eq!(lines(&world, run.id, None).await, expected);
}

#[tokio::test]
async fn a_retry_says_when_and_a_question_that_a_person_is_asked() {
    let world = World::new().await;
    let retried =
        "nodes: { a: { uses: util.fail, with: { message: no }, retry: { times: 1, backoff: 1h } } }";
    let run = world.start(retried).await;
    world.until_state(run.id, |state| state.nodes["a"].whole.retry_at.is_some()).await;
    let reason = why(&world, run.id, None).await.reasons.remove(0);
    assert_eq!(reason.text, "has failed, and is tried again as attempt 2");
    assert_eq!((reason.kind, reason.until.is_some()), (ReasonKind::Retry, true));

    let asks = world.start("nodes: { ask: { uses: human.approve, with: { question: 'Send it?' } } }").await;
    world.until_stored(|store| store.listed(asks.id).unwrap().state == RunStatus::Parked).await;
    assert_eq!(lines(&world, asks.id, None).await, ["ask person: waits for the answer of a person"]);
}

#[tokio::test]
async fn a_node_that_waits_for_the_same_result_names_the_one_that_computes_it() {
    let world = World::new().await;
    let flow = "nodes: { a: { uses: test.remembered, with: { script: hang } } }";
    let runs = world.try_start(flow, &[&[], &[]]).await.unwrap();
    let leads = |run: &fanlight_shared::run::Run| world.ended(run.id).state.nodes["a"].whole.attempt() == 1;
    world.until_stored(|_| runs.iter().any(leads)).await;
    let follower = runs.iter().find(|run| !leads(run)).unwrap();
    let leader = runs.iter().find(|run| leads(run)).unwrap().name();
    let expected = format!("a result: waits for the same result of {leader} a [\"{leader} a\"]");
    // The follower may still be looking for the result.
    while lines(&world, follower.id, None).await != [expected.as_str()] {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_run_that_has_ended_is_not_the_concern_of_the_engine() {
    let world = World::new().await;
    let ended = world.run("nodes: { a: { uses: text.template, with: { template: x } } }").await;
    let why = Why { run: ended.run.id, node: None };
    assert_eq!(world.engine.why(why).await.unwrap(), None);
}
