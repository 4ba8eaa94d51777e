//! Sweeps.

use fanlight_shared::id::RunId;
use fanlight_shared::rpc::RpcError;
use fanlight_shared::rpc::runs::{Cancel, Delete, SweepOptions};
use fanlight_shared::rpc::sweeps::{Detail, Set, SweepState};
use fanlight_shared::rpc::why::Why;
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::sweep::{Limits, Pause};
use fanlight_shared::value::Value;

use super::world::World;

/// Fails at once.
const FAILS: &str = "
params: { seed: { type: int, default: 1 } }
nodes: { bad: { uses: util.fail, with: { message: 'seed ${{ params.seed }}' } } }
";

/// Takes a moment.
const SLEEPS: &str = "
params: { seed: { type: int, default: 1 } }
nodes: { wait: { uses: util.sleep, with: { seconds: 0.02 } } }
";

/// Starts a sweep over this many seeds.
async fn sweep(world: &World, document: &str, runs: i64, limits: Limits) -> Vec<Run> {
    let seeds: Vec<[(&str, Value); 1]> = (1..=runs).map(|seed| [("seed", Value::Int(seed))]).collect();
    let sets: Vec<&[(&str, Value)]> = seeds.iter().map(|set| &set[..]).collect();
    let options = move |start: &mut fanlight_shared::rpc::runs::Start| {
        start.sweep = Some(SweepOptions { name: Some("scan".into()), limits, ..SweepOptions::default() });
    };
    world.submit(document, &sets, options).await.unwrap()
}

fn states(world: &World, runs: &[Run]) -> Vec<RunStatus> {
    runs.iter().map(|run| world.ended(run.id).run.state).collect()
}

async fn set(world: &World, paused: bool) {
    world.engine.set_sweep(Set { sweep: "scan".into(), paused }).await.unwrap();
}

/// Waits until as many runs wait and none runs.
async fn held(world: &World, runs: u32) {
    world.until(|now| now.running == 0 && now.queued == runs).await;
}

#[tokio::test]
async fn a_failure_pauses_a_sweep_that_allows_none_and_nothing_is_lost() {
    let mut world = World::with_cap(1).await;
    let limits = Limits { max_failures: Some(1), ..Limits::default() };
    let runs = sweep(&world, FAILS, 3, limits).await;
    held(&world, 2).await;
    let detail = world.store.sweep("scan").unwrap().sweep;
    assert_eq!(detail.state, SweepState::Paused);
    assert_eq!(detail.paused, Some(Pause::Failures { failures: 1, limit: 1 }));
    world.restart().await;
    let other = world.start(QUICK_ONCE).await;
    held(&world, 2).await;
    assert_eq!(world.ended(other.id).run.state, RunStatus::Completed, "other runs go on");
    assert_eq!(states(&world, &runs), [RunStatus::Failed, RunStatus::Queued, RunStatus::Queued]);
    set(&world, false).await;
    held(&world, 1).await;
    assert_eq!(states(&world, &runs)[1], RunStatus::Failed, "each continue allows one more");
    set(&world, false).await;
    world.idle().await;
    assert_eq!(world.store.sweep("scan").unwrap().sweep.state, SweepState::Ended);
}

#[tokio::test]
async fn a_sweep_pauses_when_its_runs_have_used_their_time() {
    let world = World::with_cap(1).await;
    let runs = sweep(&world, SLEEPS, 3, Limits { time_ms: Some(5), ..Limits::default() }).await;
    held(&world, 2).await;
    assert_eq!(states(&world, &runs)[0], RunStatus::Completed);
    assert!(matches!(world.store.sweep("scan").unwrap().sweep.paused, Some(Pause::Time { .. })));
}

#[tokio::test]
async fn a_person_pauses_a_sweep_and_its_runs_wait_outside_the_queue() {
    let mut world = World::with_cap(1).await;
    let runs = sweep(&world, LONG, 4, Limits::default()).await;
    set(&world, true).await;
    set(&world, true).await;
    let other = world.start(LONG).await;
    let places = |world: &World| {
        let mut listed: Vec<Run> = runs[1..].iter().chain([&other]).cloned().collect();
        world.hub.place(&mut listed);
        listed.into_iter().map(|run| run.position).collect::<Vec<_>>()
    };
    assert_eq!(places(&world), [None, None, None, Some(1)]);
    let why = world.engine.why(Why { run: runs[1].id, node: None }).await.unwrap().unwrap();
    assert_eq!(why.reasons[0].text, "waits because the sweep `scan` is paused: a person paused it");
    world.restart().await;
    world.until(|now| now.running == 1 && now.queued == 4).await;
    assert_eq!(places(&world), [None, None, None, Some(1)]);
    set(&world, false).await;
    assert_eq!(places(&world), [Some(2), Some(3), Some(4), Some(1)]);
    world.cancel(&runs.iter().map(|run| run.id).collect::<Vec<RunId>>()).await;
    world.until(|now| now.running == 1 && now.queued == 0).await;
    let error = world.engine.set_sweep(Set { sweep: "scan".into(), paused: true }).await.unwrap_err();
    assert!(error.message.contains("has ended"), "{}", error.message);
    world.cancel(&[other.id]).await;
    world.idle().await;
}

#[tokio::test]
async fn a_sweep_is_cancelled_with_all_its_runs_and_others_continue() {
    let world = World::with_cap(2).await;
    let other = world.start(LONG).await;
    let runs = sweep(&world, LONG, 4, Limits::default()).await;
    world.until(|now| now.running == 2).await;
    for paused in [false, true] {
        set(&world, paused).await;
    }
    let request = Cancel { sweep: Some("scan".into()), ..Cancel::default() };
    let response = world.engine.cancel(request).await.unwrap();
    assert_eq!((response.cancelled.len(), response.cancelling.len(), response.ended.len()), (4, 1, 0));
    world.until(|now| now.running == 1 && now.queued == 0).await;
    assert_eq!(states(&world, &runs), [RunStatus::Cancelled; 4]);
    world.cancel(&[other.id]).await;
    world.idle().await;
}

#[tokio::test]
async fn cancelling_what_is_paused_ends_the_sweep() {
    let world = World::with_cap(1).await;
    let runs = sweep(&world, FAILS, 3, Limits { max_failures: Some(1), ..Limits::default() }).await;
    held(&world, 2).await;
    world.cancel(&runs.iter().map(|run| run.id).collect::<Vec<RunId>>()).await;
    world.idle().await;
    let detail = world.store.sweep("scan").unwrap().sweep;
    assert_eq!((detail.state, detail.paused), (SweepState::Ended, None));
}

#[tokio::test]
async fn a_single_run_starts_before_the_rest_of_a_sweep() {
    let world = World::with_cap(1).await;
    let runs = sweep(&world, LONG, 5, Limits::default()).await;
    let single = world.start(LONG).await;
    assert_eq!(single.position, Some(2));
    let mut listed: Vec<Run> = runs[1..].to_vec();
    world.hub.place(&mut listed);
    assert_eq!(listed.iter().map(|run| run.position.unwrap()).collect::<Vec<_>>(), [1, 3, 4, 5]);
    for run in [&runs[0], &runs[1]] {
        world.cancel(&[run.id]).await;
    }
    world.until(|now| now.running == 1 && now.queued == 3).await;
    assert_eq!(world.ended(single.id).run.state, RunStatus::Running);
}

/// Adds runs with these seeds to the sweep.
async fn extend(world: &World, document: &str, seeds: &[i64]) -> Result<Vec<Run>, RpcError> {
    let seeds: Vec<[(&str, Value); 1]> = seeds.iter().map(|seed| [("seed", Value::Int(*seed))]).collect();
    let sets: Vec<&[(&str, Value)]> = seeds.iter().map(|set| &set[..]).collect();
    let extends = Some("scan".to_owned());
    let options = |start: &mut fanlight_shared::rpc::runs::Start| {
        start.sweep = Some(SweepOptions { extends, ..SweepOptions::default() });
    };
    world.submit(document, &sets, options).await
}

#[tokio::test]
async fn a_sweep_that_has_ended_is_extended_and_its_limits_count_everything() {
    let mut world = World::with_cap(1).await;
    let limits = Limits { max_failures: Some(3), ..Limits::default() };
    sweep(&world, FAILS, 2, limits).await;
    world.idle().await;
    world.restart().await;
    let more = extend(&world, FAILS, &[7, 8, 9]).await.unwrap();
    assert_eq!(more[0].number, 3);
    assert_eq!((more[0].sweep.as_deref(), more[0].label.as_str()), (Some("scan"), "seed=7"));
    held(&world, 2).await;
    let paused = world.store.sweep("scan").unwrap().sweep.paused;
    assert_eq!(paused, Some(Pause::Failures { failures: 3, limit: 3 }));
    // Runs that join a paused sweep wait as its others do.
    extend(&world, FAILS, &[10]).await.unwrap();
    world.until(|now| now.running == 0 && now.queued == 3).await;
    world.restart().await;
    set(&world, false).await;
    world.idle().await;
    let Detail { sweep, params, .. } = world.store.sweep("scan").unwrap();
    assert_eq!((sweep.state, sweep.runs.failed), (SweepState::Ended, 6));
    assert_eq!((sweep.swept, params["seed"].count), (vec!["seed".to_owned()], 6));
}

#[tokio::test]
async fn a_sweep_is_not_extended_by_another_version_or_another_workflow() {
    let world = World::new().await;
    sweep(&world, QUICK, 2, Limits::default()).await;
    let other = QUICK.replace("template: 'seed", "template: 'a seed");
    let error = extend(&world, &other, &[7]).await.unwrap_err();
    assert!(error.message.contains("another version"), "{}", error.message);
    world.idle().await;
    assert_eq!(world.store.sweep("scan").unwrap().sweep.runs.all(), 2);
    let taken = |start: &mut fanlight_shared::rpc::runs::Start| {
        let (name, extends) = (Some("other".to_owned()), Some("scan".to_owned()));
        start.sweep = Some(SweepOptions { name, extends, ..SweepOptions::default() });
    };
    let error = world.submit(QUICK, &[&[]], taken).await.unwrap_err();
    assert!(error.message.contains("keeps its name"), "{}", error.message);
    let runs = world.store.runs(&fanlight_shared::rpc::runs::List::default()).unwrap().rows;
    world
        .engine
        .delete(Delete { runs: runs.iter().map(|run| run.id).collect(), assets: true })
        .await
        .unwrap();
    let error = extend(&world, QUICK, &[7]).await.unwrap_err();
    assert!(error.message.contains("there is no sweep `scan`"), "{}", error.message);
}

/// Runs until it is cancelled.
const LONG: &str = "
params: { seed: { type: int, default: 1 } }
nodes: { wait: { uses: util.sleep, with: { seconds: 3600 } } }
";

/// Ends at once.
const QUICK_ONCE: &str = "nodes: { text: { uses: text.template, with: { template: hi } } }";

/// Ends at once.
const QUICK: &str = "
params: { seed: { type: int, default: 1 } }
nodes:
  text: { uses: text.template, with: { template: 'seed {{ seed }}', seed: '${{ params.seed }}' } }
";

#[tokio::test]
async fn several_runs_are_a_sweep_and_one_run_only_if_it_is_named() {
    let world = World::new().await;
    assert_eq!(world.start(QUICK).await.sweep, None);
    let two: &[&[(&str, Value)]] = &[&[("seed", Value::Int(1))], &[("seed", Value::Int(2))]];
    let runs = world.try_start(QUICK, two).await.unwrap();
    assert_eq!(runs[1].sweep.as_deref(), Some("story/1"));
    let named = |name: &str| {
        let name = Some(name.to_owned());
        move |start: &mut fanlight_shared::rpc::runs::Start| {
            start.sweep = Some(SweepOptions { name, ..SweepOptions::default() })
        }
    };
    let one = world.submit(QUICK, &[&[]], named("single")).await.unwrap();
    assert_eq!(one[0].sweep.as_deref(), Some("single"));
    let error = world.submit(QUICK, &[&[]], named("story/1")).await.unwrap_err();
    assert!(error.message.contains("can't be the name of a sweep"), "{}", error.message);
    let error = world.submit(QUICK, &[&[]], named("single")).await.unwrap_err();
    assert!(error.message.contains("there is already a sweep `single`"), "{}", error.message);
    world.idle().await;
    assert_eq!(world.ended(runs[0].id).run.sweep.as_deref(), Some("story/1"));
}
