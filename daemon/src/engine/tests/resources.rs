//! Nodes that state their resources.

use fanlight_shared::resources::GpuSlot;
use fanlight_shared::rpc::why::{ReasonKind, Why};
use fanlight_shared::run::{NodeStatus, Run, RunStatus};
use fanlight_shared::value::Value;

use super::world::World;
use crate::config::Config;
use crate::machine::{Gpu, ResourceSettings};

async fn world() -> World {
    let gpu = |id: &str| Gpu { id: id.to_owned(), ..Gpu::default() };
    let gpus = Some(["0", "1"].map(gpu).into());
    let resources = ResourceSettings { cpus: Some(4000), memory: Some(8_000_000_000), gpus };
    World::with(Config { resources, ..Config::default() }).await
}

/// Waits until this many attempts of `a` have been started at all.
async fn until_started(world: &World, count: usize) {
    let started = || world.fake.calls().iter().filter(|call| *call == "start a").count();
    world.until_stored(|_| started() >= count).await;
    assert_eq!(started(), count);
}

#[tokio::test]
async fn attempts_of_all_runs_share_the_cpus_and_the_memory() {
    let world = world().await;
    let flow = "{ params: { gb: { type: int } }, nodes: { \
                a: { run: hang, resources: { cpus: 1, memory: \"${{ params.gb }} GB\" } } } }";
    let sets: Vec<[(&str, Value); 1]> = [3, 3, 3, 1, 1].map(|gb| [("gb", Value::Int(gb))]).to_vec();
    let sets: Vec<&[(&str, Value)]> = sets.iter().map(|set| set.as_slice()).collect();
    let runs = world.try_start(flow, &sets).await.unwrap();
    world.until(|now| now.running == 5).await;
    until_started(&world, 2).await;
    world.fake.finish("a");
    // The third needs 3 GB of the 5 GB that are free now, and two small ones use the rest.
    until_started(&world, 5).await;
    (0..4).for_each(|_| world.fake.finish("a"));
    world.idle().await;
    assert!(runs.iter().all(|run| world.ended(run.id).run.state == RunStatus::Completed));
}

#[tokio::test]
async fn what_can_never_be_met_is_refused_with_what_there_is() {
    let world = world().await;
    let error =
        world.try_start("nodes: { a: { run: done, resources: { cpus: 64 } } }", &[&[]]).await.unwrap_err();
    let expected = "node `a`: `resources` needs 64 CPUs, and this machine has 4 CPUs; `[resources]` of the config may say otherwise";
    assert_eq!(error.message, expected);

    let flow = "nodes: { a: { uses: text.template, with: { template: '64 GB' } }, \
                b: { run: done, resources: { memory: '${{ a.text }}' } }, \
                c: { run: done, needs: a } }";
    let ended = world.run(flow).await;
    assert_eq!(ended.nodes(), "a completed, b failed, c completed");
    let expected = "node `b` failed: `resources` needs 64 GB of memory, and this machine has 8 GB; `[resources]` of the config may say otherwise";
    assert_eq!(ended.error(), expected);
    assert_eq!(ended.state.nodes["b"].whole.attempt(), 0, "nothing was started");
}

#[tokio::test]
async fn a_resource_that_is_absent_skips_its_node_and_a_wrong_one_fails_it() {
    let world = world().await;
    let flow = "nodes: { a: { run: done, if: 'false' }, b: { run: done, resources: { cpus: '${{ a.exit_code }}' } }, \
                c: { run: done, resources: { memory: '${{ 3 }}' } } }";
    let ended = world.run(flow).await;
    assert_eq!(ended.nodes(), "a skipped, b skipped, c failed");
    assert!(ended.error().contains("`resources.memory` must be at least 1 MB, got 3 B"), "{}", ended.error());
}

#[tokio::test]
async fn the_time_of_the_resources_is_the_time_limit_unless_a_timeout_says_otherwise() {
    let world = world().await;
    let ended = world.run("nodes: { a: { run: hang, resources: { time: 10ms } } }").await;
    assert_eq!(ended.error(), "node `a` failed: timed out after 10ms, the `time` of its `resources`");
    let ended = world.run("nodes: { a: { run: hang, timeout: 20ms, resources: { time: 10ms } } }").await;
    assert_eq!(ended.error(), "node `a` failed: timed out after 20ms");
}

#[tokio::test]
async fn an_attempt_that_needs_more_disk_space_than_is_free_does_not_start() {
    let world = world().await;
    let ended = world.run("nodes: { a: { run: done, resources: { disk: 1000000 TB } } }").await;
    let error = ended.error();
    assert!(
        error.contains("`resources` needs 1000000 TB of free disk space, and the disk that holds"),
        "{error}"
    );
    world.fake.until("release").await;
    assert_eq!(world.fake.calls(), ["release"], "its executor was not asked to start it");
}

#[tokio::test]
async fn an_attempt_keeps_its_part_while_the_daemon_is_away() {
    let mut world = world().await;
    let holds = world.start("nodes: { a: { run: hang, resources: { cpus: 3 } } }").await;
    world.fake.until("start a").await;
    let waits = world.start("nodes: { b: { run: hang, resources: { cpus: 3 } } }").await;
    world.until(|now| now.running == 2).await;
    world.restart().await;
    world.until(|now| now.running == 2).await;
    world.fake.until("adopt a").await;
    let why = Why { run: waits.id, node: None };
    let reason = world.engine.why(why).await.unwrap().unwrap().reasons.remove(0);
    assert_eq!((reason.kind, reason.holders), (ReasonKind::Resources, vec!["story#1 a".to_owned()]));
    world.fake.finish("a");
    world.fake.until("start b").await;
    world.fake.finish("b");
    world.idle().await;
    assert_eq!(world.ended(holds.id).run.state, RunStatus::Completed);
}

#[tokio::test]
async fn a_cancelled_waiter_gives_up_its_place_and_a_retry_asks_again() {
    let world = world().await;
    world
        .start("nodes: { a: { run: once hang, retry: { times: 1, backoff: 1ms }, resources: { cpus: 4 } } }")
        .await;
    until_started(&world, 2).await;
    let waits = world.start("nodes: { b: { run: hang, resources: { cpus: 4 } } }").await;
    world.start("nodes: { c: { run: hang, resources: { cpus: 1 } } }").await;
    world.until(|now| now.running == 3).await;
    world.cancel(&[waits.id]).await;
    world.until(|now| now.running == 2).await;
    world.fake.finish("a");
    world.fake.until("start c").await;
    assert_eq!(world.ended(waits.id).state.nodes["b"].whole.status, NodeStatus::Cancelled);
    world.fake.finish("c");
    world.idle().await;
}

/// Returns the GPUs of the newest attempt of a node, for people.
fn gpus(world: &World, run: &Run, node: &str) -> Option<String> {
    let state = world.ended(run.id).state;
    GpuSlot::shown(&state.nodes[node].whole.attempts.last()?.gpus)
}

#[tokio::test]
async fn each_attempt_has_gpus_of_its_own_also_after_the_daemon_was_away() {
    let mut world = world().await;
    let first = world.start("nodes: { a: { run: hang, resources: { gpus: 0.5 } } }").await;
    world.fake.until("start a").await;
    let second = world.start("nodes: { b: { run: hang, resources: { gpus: 1 } } }").await;
    world.fake.until("start b").await;
    let third = world.start("nodes: { c: { run: hang, resources: { gpus: 1 } } }").await;
    world.until(|now| now.running == 3).await;
    assert_eq!(gpus(&world, &first, "a"), Some("GPU 0 (0.5)".into()));
    assert_eq!(gpus(&world, &second, "b"), Some("GPU 1".into()));
    world.restart().await;
    world.until(|now| now.running == 3).await;
    world.fake.until("adopt b").await;
    let why = Why { run: third.id, node: None };
    let reason = world.engine.why(why).await.unwrap().unwrap().reasons.remove(0);
    assert_eq!(reason.text, "waits for 1 GPU: 0 of 2 are free");
    assert_eq!(reason.holders, ["story#2 b", "story#1 a"]);
    world.fake.finish("a");
    world.fake.until("start c").await;
    world.store.commit(Vec::new()).await.unwrap();
    assert_eq!(gpus(&world, &third, "c"), Some("GPU 0".into()));
    world.fake.finish("b");
    world.fake.finish("c");
    world.idle().await;
    assert_eq!(gpus(&world, &second, "b"), Some("GPU 1".into()), "it is known of an ended attempt");
}

#[tokio::test]
async fn the_gpus_of_an_attempt_are_free_again_however_it_ended() {
    let world = world().await;
    for script in ["done", "fail", "lost"] {
        world.run(&format!("nodes: {{ a: {{ run: {script}, resources: {{ gpus: 2 }} }} }}")).await;
    }
    let timed_out = world.run("nodes: { a: { run: hang, timeout: 1ms, resources: { gpus: 2 } } }").await;
    assert_eq!(timed_out.error(), "node `a` failed: timed out after 1ms");
    let cancelled = world.start("nodes: { c: { run: hang, resources: { gpus: 2 } } }").await;
    world.fake.until("start c").await;
    world.cancel(&[cancelled.id]).await;
    world.idle().await;
    let flow = "nodes: { b: { each: [1, 2, 3, 4, 5], run: done, resources: { gpus: 0.5 } } }";
    let ended = world.run(flow).await;
    assert_eq!(ended.run.state, RunStatus::Completed);
    let last = world.run("nodes: { a: { run: done, resources: { gpus: 2 } } }").await;
    assert_eq!(gpus(&world, &last.run, "a"), Some("GPU 0, 1".into()));
}
